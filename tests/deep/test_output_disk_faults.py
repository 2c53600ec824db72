"""If any one call on the disk of the outputs fails, no job is deleted without its outputs, and the next try ends well.

A deletion that saves outputs first runs once to record its calls, then once for each call with a fault at it.
"""

from __future__ import annotations

import errno
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cloud_history.outputs import disk, keeping, outputs, save, save_file
from cloud_history.tasks import threads
from simulated_cloud import SimulatedCloud
from support.faulty_disk import BLOCKS, FAILS, SHORT, STUCK, FaultyDisk, How, in_place
from support.no_backups import without_backups
from support.promise_stage import PromiseStage, small_pieces

NUMBERS = (errno.EIO, errno.ENOSPC, errno.EACCES, errno.ESTALE, errno.EROFS, errno.EMFILE, errno.EDQUOT)
MIN_CASES = 150
PARTS = 12
"""The cases are divided into so many tests, which several processes can run."""


@contextmanager
def short_limits() -> Iterator[None]:
    """Reduce the time limits of the disk, so that a blocked call costs a few seconds at most."""
    with pytest.MonkeyPatch.context() as patch:
        for function in (disk.on_disk, disk.DiskSteps.run):
            patch.setattr(function, "__defaults__", (0.5,))
        for name in ("FILE_SECONDS", "UNANSWERED_SECONDS"):
            patch.setattr(threads, name, 0.5)
        for module in (keeping, outputs, save, save_file):
            patch.setattr(module, "MAX_SECONDS_OF_LONG_WORK", 2.0)
        yield


async def carry_out(
    folder: Path, call: str = "", name: str = "", nth: int = 1, number: int = 5, how: How = FAILS
) -> list[str]:
    """Delete with a failing disk, check everything, and delete again. Return the calls of the first deletion."""
    cloud = SimulatedCloud(jobs=0)
    without_backups(folder / "state")
    async with cloud.serving():
        stage = PromiseStage(
            cloud, folder, {"COMFY_CLOUD_BASE_URL": cloud.base_url, "COMFY_CLOUD_API_KEY": cloud.api_key}
        )
        stage.disk = FaultyDisk(stage.output.resolve(), call, name, nth, number, how == FAILS and nth % 2 == 0, how)
        with small_pieces():
            with short_limits(), in_place(stage.disk):
                result = await stage.delete()
                trail = list(stage.disk.trail)
                stage.check(result)
            stage.disk = None
            stage.plant()
            await stage.ends_well(is_clean=how != BLOCKS)
    return trail


def cases_of(trail: list[str]) -> list[tuple[str, str, int, int, How]]:
    """Return a case for the first and the last call of each kind on each file."""
    found: list[tuple[str, str, int, int, How]] = []
    for at, step in enumerate(dict.fromkeys(trail)):
        call, _, name = step.partition(" ")
        for nth in sorted({1, trail.count(step)}):
            found.append((call, name, nth, NUMBERS[(at + nth) % len(NUMBERS)], FAILS))
        if call in ("read", "write"):
            found.append((call, name, 1, errno.EIO, SHORT))
        if at % 10 == 0:
            found.append((call, name, 1, errno.EIO, BLOCKS))
    return found


# A thread whose call is blocked is given up, and its file is closed only when it is collected.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("part", range(PARTS))
async def test_any_failing_call_on_the_disk_of_the_outputs_leaves_the_promise_kept(part: int, tmp_path: Path) -> None:
    cases = cases_of(await carry_out(tmp_path / "well"))
    assert len(cases) >= MIN_CASES
    wrong: list[str] = []
    for at, case in enumerate(cases[part::PARTS]):
        began = time.monotonic()
        try:
            await carry_out(tmp_path / str(at), *case)
            assert time.monotonic() - began < STUCK / 2, "it waited until the blocked call returned"
        except Exception:  # noqa: BLE001 - report all failed cases, not only the first
            wrong.append(f"{case}\n    " + "\n    ".join(traceback.format_exc().strip().splitlines()[-6:]))
    assert not wrong, f"{len(wrong)} of {len(cases[part::PARTS])}:\n" + "\n".join(wrong)
