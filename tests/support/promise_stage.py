"""A deletion that promises to save the outputs first, in a world that fails, and the checks of that promise.

The checks read the books of the simulated cloud and the files on the disk, and do not rely on the tested code.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from cloud_history.cloud import file_receiver
from cloud_history.deletion.outcomes import DeletionResult, Outcome
from cloud_history.errors import CloudError
from cloud_history.outputs import outputs as outputs_module
from cloud_history.outputs import part_file
from cloud_history.outputs.unfinished import is_part_name
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import Fault, SimulatedCloud, SimulatedJob
from support.faulty_disk import FaultyDisk
from support.requests import delete_jobs
from support.saving_stage import SavingStage

STEP = 16_384
LARGE = 5 * STEP + 100
POST = ("POST", "/api/history")
JOB_FILE = re.compile(r"job( \(\d+\))?\.json")


@contextmanager
def small_pieces() -> Iterator[None]:
    """Make pieces and limits small, so that small files go through all steps of large ones."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part_file, "SYNC_BYTES", STEP)
        patch.setattr(file_receiver, "PIECE_BYTES", 8_192)
        patch.setattr(file_receiver, "MIN_PROGRESS_BYTES", STEP)
        patch.setattr(outputs_module, "IDLE_SECONDS", 0.3)
        yield


class PromiseStage(SavingStage):
    """Three jobs with outputs, and files of a person in the places where the outputs go.

    Attributes:
        broken: jobs in a request that is about to remove them, although not all their outputs were on the disk.
        problem: the error that ended the deletion.
        disk: the failing disk of the outputs, if there is one.
        when_saving: called once, when the first output is about to be saved.
    """

    def __init__(self, cloud: SimulatedCloud, folder: Path, environ: dict[str, str]) -> None:
        super().__init__(cloud, folder, environ)
        self.broken: set[str] = set()
        self.problem: CloudError | None = None
        self.disk: FaultyDisk | None = None
        self.when_saving: Callable[[], object] | None = None
        self._gone_before: set[str] = set()
        self.output.mkdir()
        self.all = [
            cloud.add_job(files=("large.png", "small.png")),
            cloud.add_job(files=("same.png", "SAME.png"), subfolders=("a", "b")),
            cloud.add_job(files=("video.webm", "../../escaped.txt", "sound.mp3")),
        ]
        large = hashlib.sha512(b"seed").digest() * (LARGE // 64 + 1)
        contents: dict[str, bytes] = {self.all[0].paths[0]: large[:LARGE], self.all[2].paths[0]: large[7 : LARGE // 2]}
        for job in self.all:
            for path in job.paths:
                cloud.account.contents[path] = contents.get(path, f"content of {path}".encode() * 50)
        self._planted: dict[Path, tuple[bytes, int]] = {}
        cloud.faults.append(Fault(POST, "empty", times=None, predicate=self._arrives))

    def plant(self) -> None:
        """Let a person have files in the folders of the jobs, with the names of the outputs."""
        for path in [each for each in self.output.rglob("*") if each.is_dir() and (each / "job.json").exists()]:
            for name in ("large.png", "same.png", "video.webm"):
                if not (path / name).exists():
                    (path / name).write_bytes(b"of a person")
                    self._planted[path / name] = (b"of a person", (path / name).stat().st_mtime_ns)

    def _arrives(self, body: Any) -> bool:
        """Compare the disk with a deletion request when it arrives."""
        here = set(self._contents().values())
        for job in self.all:
            if job.id in body.get("delete", ()) and not set(self.stored([job])) <= here:
                self.broken.add(job.id)
        return False

    def _contents(self) -> dict[Path, str]:
        """Return the SHA-256 of each visible file in the output folder."""
        with self.disk.unseen() if self.disk else nullcontext():
            files = [path for path in self.output.rglob("*") if path.is_file() and not path.is_symlink()]
            # If its own job.json can't be looked at, a save writes "job (2).json" beside it rather than over it.
            visible = [path for path in files if not is_part_name(path.name) and not JOB_FILE.fullmatch(path.name)]
            return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in visible}

    async def delete(self) -> DeletionResult | None:
        """Delete the jobs with a new process's objects. Return None if an error ended the deletion."""
        self.problem = None
        self._gone_before = {job.id for job in self.cloud.deleted}
        try:
            return await delete_jobs(
                self.new_operations(), [job.id for job in self.all], "panel", _WhenSaving(self), backup="outputs"
            )
        except CloudError as error:
            self.problem = error
            return None

    async def until(self, state: Callable[[], bool]) -> None:
        """Run the event loop until the condition is true."""
        for _ in range(1000):
            if state():
                return
            await asyncio.sleep(0.005)
        raise AssertionError("the condition did not become true")

    def check(self, result: DeletionResult | None) -> None:
        """Check what must be true after every deletion, whatever failed."""
        gone = {job.id for job in self.cloud.deleted}
        here = self._contents()
        assert self.broken == set(), "deleted without its outputs"
        for job in self.all:
            if job.id in gone:
                assert set(self.stored([job])) <= set(here.values()), "deleted, and its outputs are not here"
        whole = set(self.stored(self.all))
        for path, digest in here.items():
            assert path in self._planted or digest in whole, f"{path.name} is shown and is not whole"
        for path, (content, modified_ns) in self._planted.items():
            assert path.read_bytes() == content, f"{path.name} was overwritten"
            assert path.stat().st_mtime_ns == modified_ns
        for path in self.output.rglob("job.json"):
            assert json.loads(path.read_bytes())["id"] in {job.id for job in self.all}
        assert {path.name for path in self.folder.iterdir()} <= {"output", "state", "outside"}
        if result is not None:
            self._check_result(result, gone)

    def _check_result(self, result: DeletionResult, gone: set[str]) -> None:
        for job_id, each in result.jobs.items():
            if each.outcome in (Outcome.DELETED, Outcome.ALREADY_GONE):
                assert job_id in gone
            elif job_id in self._gone_before:
                continue  # nothing is known of a job that an earlier deletion has removed
            elif each.outcome is not Outcome.UNCONFIRMED:
                assert job_id not in gone, f"{each.outcome.value}: {each.why}"
                assert each.why, "no reason is given"

    async def ends_well(self, *, is_clean: bool = True) -> None:
        """Check that the next deletion, without any fault, saves and deletes everything, and leaves nothing behind.

        Args:
            is_clean: whether no unfinished file may be left. A call that was blocked can create one after the end.
        """
        self.cloud.faults[:] = [each for each in self.cloud.faults if each.predicate is not None]
        result = await self.delete()
        assert self.problem is None
        self.check(result)
        assert {job.id for job in self.cloud.deleted} == {job.id for job in self.all}
        counts = sorted(digest for path, digest in self._contents().items() if path not in self._planted)
        assert counts == self.stored(self.all), "an output is missing, or is here twice"
        self.new_operations()
        assert not is_clean or [path.name for path in self.output.rglob("*") if is_part_name(path.name)] == []


class _WhenSaving(Unwatched):
    def __init__(self, stage: PromiseStage) -> None:
        self._stage = stage

    def progress(self, phase: str, done: int, total: int) -> None:
        if phase == "saving" and (act := self._stage.when_saving) is not None:
            self._stage.when_saving = None
            act()


def first_of(jobs: list[SimulatedJob]) -> str:
    """Return the path of the first output."""
    return jobs[0].paths[0]
