"""The state folder is lost while ComfyUI runs: no protected job is deleted at any step."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud_history.cloud.client import CloudClient
from cloud_history.deletion.clear import Clear
from cloud_history.deletion.delete import Deletion
from cloud_history.deletion.outcomes import ClearOutcome, Outcome
from cloud_history.errors import StateFolderLost, StateUnwritable
from cloud_history.state.folder import StateFolder, state_folder_at
from cloud_history.state.protection import ProtectionFile
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import Fault, SimulatedCloud
from support.deletion_stage import A_JOB_IS_SAVED, BACKUP, DELETION, FIRST_LOOK, Stage, Steps, stage_of
from support.faulty_disk import REFUSABLE, FaultyDisk, in_place
from support.requests import clear_history, delete_jobs
from support.safeguards import protection_only

OpenClient = Callable[..., CloudClient]
Harm = Callable[[Path], object]
POST = ("POST", "/api/history")


def removed(folder: Path) -> None:
    shutil.rmtree(folder)


def emptied(folder: Path) -> None:
    removed(folder)
    folder.mkdir()


def replaced(folder: Path) -> None:
    removed(folder)
    StateFolder(folder).ensure()


def list_removed(folder: Path) -> None:
    (folder / "protected.json").unlink()


def backups_removed(folder: Path) -> None:
    shutil.rmtree(folder / "backups", ignore_errors=True)


HARMS: list[Harm] = [removed, emptied, replaced, list_removed]
harms = pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)


@pytest.fixture
def stage(cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path) -> Stage:
    stage = stage_of(cloud, environ, tmp_path.resolve() / "state")
    ProtectionFile(stage.folder).change(protect=True, jobs=stage.ids[:1])
    return stage


@harms
async def test_a_state_folder_lost_before_a_deletion_or_clear_stops_all_requests(stage: Stage, harm: Harm) -> None:
    harm(stage.folder)
    operations = stage.operations()
    for deleting in (
        delete_jobs(operations, stage.ids, "panel", Unwatched(), backup="off"),
        clear_history(operations, "panel", Unwatched(), backup="off"),
    ):
        with pytest.raises(StateFolderLost, match=str(stage.folder)):
            await deleting
    assert stage.cloud.history_posts == []


@harms
@pytest.mark.parametrize("step", [FIRST_LOOK, BACKUP, A_JOB_IS_SAVED, DELETION])
async def test_a_state_folder_lost_during_a_deletion_stops_further_requests(
    stage: Stage, harm: Harm, step: str
) -> None:
    stage.steps = Steps({step: lambda: harm(stage.folder)})
    await stage.delete()
    assert stage.cloud.history_posts == []
    if stage.result is not None:
        assert "deleted" not in stage.outcomes().values()
    # Files written meanwhile must not make the lost folder look valid at the next start.
    state_folder_at.cache_clear()
    left = {each.name for each in stage.folder.iterdir()} if stage.folder.is_dir() else set()
    assert not left & {"protected.json", "running", "holds"} or harm is list_removed


@pytest.mark.parametrize("harm", [backups_removed, removed], ids=lambda harm: harm.__name__)
async def test_backups_deleted_before_the_first_request_stop_the_deletion(stage: Stage, harm: Harm) -> None:
    stage.steps = Steps({DELETION: lambda: harm(stage.folder)})
    await stage.delete()
    assert stage.cloud.history_posts == []
    assert "failed" in stage.outcomes().values()


async def test_one_backup_deleted_before_the_first_request_stops_the_deletion(stage: Stage) -> None:
    stage.steps = Steps({DELETION: lambda: emptied_of_backups(stage)})
    await stage.delete()
    assert stage.cloud.history_posts == []
    assert stage.result is not None
    assert any("its backup" in str(each.why) for each in stage.result.jobs.values())


def emptied_of_backups(stage: Stage) -> None:
    for path in stage.zips():
        path.unlink()


class Meanwhile:
    """Calls a function while the client waits before its next try."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self._happens = happens

    async def __call__(self, seconds: float) -> None:
        self._happens()


async def no_time(seconds: float) -> None:
    pass


@harms
async def test_a_deletion_request_is_not_retried_after_the_state_folder_is_lost(
    cloud: SimulatedCloud, open_client: OpenClient, tmp_path: Path, harm: Harm
) -> None:
    protection, job = ProtectionFile(tmp_path / "state"), cloud.finished[0]
    protection.change(protect=True, jobs=[cloud.finished[1].id])
    meanwhile = Meanwhile(lambda: harm(tmp_path / "state"))
    cloud.faults.append(Fault(POST, "status", status=503, json={}, headers={"Retry-After": "1"}, acted=False))
    async with open_client(sleep=meanwhile) as client:
        guards = protection_only(protection)
        result = await Deletion(client, guards, no_time).run([job.id], Unwatched())
    assert len(cloud.requests_to(*POST)) == 1
    assert not job.deleted
    assert result.jobs[job.id].outcome is Outcome.FAILED
    assert "state folder" in str(result.jobs[job.id].why)


@harms
async def test_a_clear_is_not_retried_after_the_state_folder_is_lost(
    cloud: SimulatedCloud, open_client: OpenClient, tmp_path: Path, harm: Harm
) -> None:
    protection = ProtectionFile(tmp_path / "state")
    protection.change(protect=True, jobs=["x"])
    protection.change(protect=False, jobs=["x"])  # an existing, empty list
    meanwhile = Meanwhile(lambda: harm(tmp_path / "state"))
    cloud.faults.append(Fault(POST, "status", status=429, json={}, headers={"Retry-After": "1"}))
    async with open_client(sleep=meanwhile) as client:
        clear = Clear(client, protection_only(protection), no_time)
        result = await clear.run(Unwatched())
    assert len(cloud.requests_to(*POST)) == 1
    assert (result.outcome, cloud.deleted) == (ClearOutcome.FAILED, [])


async def test_deletions_work_again_after_the_lost_state_folder_is_started_anew(stage: Stage) -> None:
    removed(stage.folder)
    await stage.refuses(StateUnwritable)
    stage.operations().state.start_anew()
    result = await delete_jobs(stage.operations(), stage.ids, "panel", Unwatched())
    assert set(result.ids(Outcome.DELETED)) == set(stage.ids)


NUMBERS = (errno.ENOENT, errno.EIO, errno.ESTALE)


async def test_if_any_disk_call_fails_protected_jobs_stay_and_deleted_jobs_have_backups(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path
) -> None:
    """Yield each disk call of the deletion that can fail, once failing once and once failing from then on."""
    first = stage_of(cloud, environ, tmp_path / "first", count=3)
    protected = first.ids[0]
    ProtectionFile(first.folder).change(protect=True, jobs=[protected])
    with in_place(FaultyDisk(first.folder)) as disk:
        await first.delete()
    trail = [step for step in disk.trail if step.partition(" ")[0] in REFUSABLE]
    assert len(trail) > 50
    for at, step in enumerate(trail):
        (call, _, name), nth = step.partition(" "), trail[: at + 1].count(step)
        stage = stage_of(cloud, environ, tmp_path / f"s{at}", count=3)
        assert stage.ids[0] == protected
        ProtectionFile(stage.folder).change(protect=True, jobs=[protected])
        stage.remember()
        with in_place(FaultyDisk(stage.folder, call, name, nth, NUMBERS[at % 3], stays=at % 2 == 1)) as disk:
            await stage.delete()
        assert disk.fired, (call, name, nth)
        assert not cloud.jobs[protected].deleted, (call, name, nth)
        assert stage.unsaved == set(), (call, name, nth)
        cloud.faults.clear()
