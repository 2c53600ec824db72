"""Deletions that promise to save the outputs first: no job goes before all its outputs are here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cloud_history.deletion.outcomes import DeletionResult, Outcome
from cloud_history.deletion.report import deletion_payload, deletion_report
from cloud_history.errors import OperationStopped
from cloud_history.outputs import stored
from cloud_history.tasks.stopping import Unwatched, Watch
from simulated_cloud import Fault, SimulatedCloud, SimulatedJob
from support.no_backups import without_backups
from support.requests import clear_history, delete_jobs
from support.saving_stage import SavingStage, StoppingWatch

CLOUD_JOBS = 0


@pytest.fixture
def saving(cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path) -> SavingStage:
    without_backups(tmp_path / "state")
    return SavingStage(cloud, tmp_path, environ)


@dataclass
class AtStep(Unwatched):
    """Calls a function at the first progress of a step."""

    step: str
    act: Callable[[], object]
    done: list[str] = field(default_factory=list)

    def progress(self, phase: str, done: int, total: int) -> None:
        if phase == self.step and not self.done:
            self.done.append(phase)
            self.act()


async def delete(saving: SavingStage, jobs: list[SimulatedJob], watch: Watch | None = None) -> DeletionResult:
    return await delete_jobs(saving.operations, [job.id for job in jobs], "panel", watch, backup="outputs")


def why(result: DeletionResult, job: SimulatedJob) -> str:
    """Return the outcome of a job and the code of the reason."""
    reason = result.jobs[job.id].why.values.get("reason")
    return f"{result.jobs[job.id].outcome.value}: {getattr(reason, 'code', '')}"


async def test_jobs_are_deleted_when_all_their_outputs_are_here(saving: SavingStage) -> None:
    jobs = [*saving.jobs(3), *saving.jobs(1, files=0)]
    result = await delete(saving, jobs)
    assert result.ids(Outcome.DELETED) == [job.id for job in jobs]
    assert saving.agrees(jobs)
    assert (result.backed_up, result.outputs_saved) == (4, 6)
    assert "6 outputs saved first." in deletion_report(result)
    assert deletion_payload(result)["outputs_saved"] == 6


async def test_a_job_with_an_output_that_cannot_be_saved_stays_and_the_others_go(saving: SavingStage) -> None:
    first, second = saving.jobs(2)
    saving.cloud.account.lost.add(first.paths[1])
    result = await delete(saving, [first, second])
    assert saving.cloud.deleted == [second]
    assert why(result, first) == "failed: file_failed"
    assert f"its outputs could not be saved: {first.files[1]}: it is no longer" in deletion_report(result)
    assert result.failed


@pytest.mark.parametrize("harm", ["removed", "changed", "replaced by a link", "folder removed"])
async def test_an_output_that_is_harmed_after_it_was_saved_keeps_its_job(saving: SavingStage, harm: str) -> None:
    first, second = saving.jobs(2)

    def act() -> None:
        digest = saving.cloud.account.facts_of(first.paths[0]).sha256
        name = next(path for path, each in saving.saved().items() if each == digest)
        path = saving.output / name
        content = path.read_bytes()
        if harm == "folder removed":
            shutil.rmtree(path.parent)
            return
        path.unlink()
        if harm == "changed":
            path.write_bytes(b"x" * len(content))
        elif harm == "replaced by a link":
            (saving.folder / "elsewhere").write_bytes(content)
            path.symlink_to(saving.folder / "elsewhere")

    result = await delete(saving, [first, second], AtStep("sending", act))
    assert saving.cloud.deleted == [second]
    assert why(result, first) == "failed: saved_file_changed"


async def test_an_output_that_is_harmed_while_a_request_waits_to_be_sent_again_keeps_all_of_its_jobs(
    saving: SavingStage,
) -> None:
    jobs = saving.jobs(2)

    def harm(body: object) -> bool:
        shutil.rmtree(saving.output)
        return True

    posts = ("POST", "/api/history")
    fault = Fault(posts, "status", status=429, headers={"Retry-After": "1"}, predicate=harm)
    saving.cloud.faults.append(fault)
    result = await delete(saving, jobs)
    assert saving.cloud.deleted == []
    assert len(saving.cloud.requests_to(*posts)) == 1
    assert {result.jobs[job.id].why.code for job in jobs} == {"outputs_gone_meanwhile"}


async def test_a_stop_while_outputs_are_saved_deletes_nothing(saving: SavingStage) -> None:
    jobs = saving.jobs(3)
    saving.cloud.faults.append(Fault(("GET", "/comfy-outputs/"), "stall", times=None, after=2, sent=10))
    with pytest.raises(OperationStopped):
        await delete(saving, jobs, StoppingWatch(lambda done, total: done >= 1))
    assert saving.cloud.deleted == []
    assert saving.cloud.history_posts == []


async def test_without_a_folder_for_outputs_nothing_is_deleted_and_the_reason_is_told(saving: SavingStage) -> None:
    jobs = saving.jobs(2)
    saving.operations.outputs._comfyui_output = None
    result = await delete(saving, jobs)
    assert saving.cloud.deleted == []
    assert {why(result, job) for job in jobs} == {"failed: outputs_folder_unknown"}
    assert "COMFY_CLOUD_HISTORY_OUTPUTS" in deletion_report(result)


def change_unseen(path: str) -> None:
    """Change a saved file, but neither its size nor its time."""
    stat = os.stat(path)
    Path(path).write_bytes(b"x" * stat.st_size)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


async def test_outputs_that_were_here_before_are_hashed_again_however_large_before_their_job_goes(
    saving: SavingStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "MAX_CHEAP_BYTES", -1)  # all files count as large
    (job,) = saving.jobs(1, files=1)
    change_unseen((await saving.save([job])).paths()[0])
    result = await delete(saving, [job])
    assert result.ids(Outcome.DELETED) == [job.id]
    assert saving.stored([job])[0] in saving.saved().values(), "the output was saved once more before the job went"


async def test_a_clear_with_outputs_deletes_exact_jobs_and_saves_them_first(saving: SavingStage) -> None:
    saving.operations.settings.change(backup="outputs")
    jobs = saving.jobs(3)
    result = await clear_history(saving.operations, "menu")
    assert isinstance(result, DeletionResult)
    assert result.removed == 3
    assert saving.agrees(jobs)


async def test_with_backup_off_no_output_is_saved(saving: SavingStage) -> None:
    jobs = saving.jobs(1)
    await delete_jobs(saving.operations, [jobs[0].id], "panel", backup="off")
    assert saving.cloud.deleted == jobs
    assert not saving.output.exists()
