"""If any one disk call fails, no job is deleted without safeguards, nothing hangs, and errors name the file.

Each action runs once to record its calls, then once for each call with a fault at it.
"""

from __future__ import annotations

import asyncio
import errno
import tempfile
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.faulty_disk import BLOCKS, FAILS, SHORT, FaultyDisk
from support.file_faults.case import Case, carry_out
from support.file_faults.deeds import DEEDS, DELETIONS
from support.file_faults.scene import furnish

NUMBERS = (errno.EIO, errno.ENOSPC, errno.EACCES, errno.ESTALE, errno.EROFS, errno.EMFILE)
MIN_CASES = 300
"""The minimum for deletions, so that changes of the disk calls do not leave these tests without cases."""


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="file-faults-") as folder:
        asyncio.run(furnish(Path(folder).resolve() / "template"))
        yield Path(folder).resolve() / "template"


def cases_of(deed: str, trail: list[str], how: str) -> list[Case]:
    """Return a case for the last call of each kind on each file. Deletions add the first call; others skip some."""
    every = 6 if how == BLOCKS else 2 if how == FAILS and deed != "delete" else 1
    cases: list[Case] = []
    for at, step in enumerate(dict.fromkeys(trail)):
        call, _, name = step.partition(" ")
        if (how == SHORT and call not in ("read", "write")) or (at + len(deed)) % every:
            continue
        for nth in sorted({1, trail.count(step)} if deed == "delete" else {trail.count(step)}):
            number = NUMBERS[(at + nth) % len(NUMBERS)]
            cases.append(Case(deed, call, name, nth, how, number, stays=how == FAILS and len(cases) % 2 == 1))
    return cases


def trail_of(deed: str, template: Path, folder: Path) -> tuple[FaultyDisk, float]:
    """Return the disk calls of an action that runs without a fault, and its duration in seconds."""
    began = time.monotonic()
    disk = asyncio.run(carry_out(Case(deed), template, folder / "well", 60.0))
    return disk, time.monotonic() - began


@pytest.mark.timeout(240)
@pytest.mark.parametrize("how", [FAILS, SHORT, BLOCKS])
@pytest.mark.parametrize("deed", DEEDS)
def test_a_failing_disk_disables_no_safeguard_and_is_reported(
    deed: str, how: str, template: Path, tmp_path: Path
) -> None:
    folder = tmp_path.resolve()
    disk, usual = trail_of(deed, template, folder)
    cases = cases_of(deed, disk.trail, how)
    wrong: list[str] = []
    for at, case in enumerate(cases):
        try:
            asyncio.run(carry_out(case, template, folder / f"{how}{at}", usual))
        except Exception:  # noqa: BLE001 - report all failed cases, not only the first
            last = traceback.format_exc().strip().splitlines()
            wrong.append(f"{case}\n    " + "\n    ".join(last[-6:]))
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong)


def test_there_are_enough_file_fault_cases(template: Path, tmp_path: Path) -> None:
    found = 0
    for deed in DELETIONS:
        (folder := tmp_path.resolve() / deed).mkdir()
        trail = trail_of(deed, template, folder)[0].trail
        found += sum(len(cases_of(deed, trail, how)) for how in (FAILS, SHORT, BLOCKS))
    assert found >= MIN_CASES
