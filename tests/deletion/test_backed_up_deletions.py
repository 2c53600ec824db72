"""Deletions with backup and audit log when the cloud fails at each step or jobs change."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cloud_history.deletion.preview import ClearPreview
from cloud_history.errors import PreviewExpired
from cloud_history.jobs.filters import Selection
from cloud_history.state.protection import ProtectionFile
from cloud_history.state.settings import SettingsFile
from cloud_history.tasks.stopping import Unwatched
from hosts import free_port
from simulated_cloud import Fault, SimulatedCloud
from support.deletion_stage import (
    BACKUP,
    DELETION,
    FIRST_LOOK,
    JOBS,
    LAST_LOOK,
    POST,
    Stage,
    Steps,
    stage_of,
)
from support.requests import clear_history, confirmed_request

FAILURES: dict[str, dict[str, Any]] = {
    "401": {"kind": "status", "status": 401, "json": {"message": "Invalid API key"}},
    "429": {"kind": "status", "status": 429, "json": {}, "headers": {"Retry-After": "1"}},
    "429 for good": {"kind": "status", "status": 429, "json": {"message": "Subscription inactive"}},
    "500": {"kind": "status", "status": 500, "json": {"code": "internal", "message": "Oh no"}},
    "down": {"kind": "reset_before_body"},
    "reset": {"kind": "reset_after_body"},
    "truncated": {"kind": "truncated"},
    "HTML": {"kind": "html"},
    "empty": {"kind": "empty"},
    "nonsense": {"kind": "status", "status": 200, "json": [{"id": None}]},
}
CLOUD_JOBS = 60
ACTED = ("reset", "truncated")
"""Failures of a request that the cloud carries out, but whose answer is lost."""
UNANSWERED = ("down", "HTML")
"""Failures after which the client cannot know whether the cloud carries the request out."""
ACCEPTED = ("empty", "nonsense")
"""Failures that count as accepted, because only the HTTP status of a deletion matters."""


async def test_a_deletion_without_failures_backs_up_deletes_and_logs_every_job(stage: Stage) -> None:
    await stage.delete()
    assert stage.gone == stage.saved() == set(stage.ids)
    assert set(stage.outcomes().values()) == {"deleted"}
    stage.check()
    await stage.next_works()


@pytest.mark.parametrize("setting", ["off", "workflows"])
async def test_without_a_backup_the_deletion_is_still_logged(stage: Stage, setting: str) -> None:
    SettingsFile(stage.folder).change(backup=setting)
    await stage.delete(backup="off" if setting == "workflows" else None)
    assert (stage.gone, stage.zips()) == (set(stage.ids), [])
    looks = [each for each in stage.cloud.requests if each.path.startswith("/api/jobs/")]
    assert len(looks) == 2 * len(stage.ids) + 1, "each job is looked up twice, and one job that stays listed once more"
    recorded = stage.recorded()
    assert recorded.outcome is not None
    assert (recorded.state, recorded.outcome.counts) == ("done", {"deleted": len(stage.ids)})


# The cloud fails


@pytest.mark.parametrize("failure", [*FAILURES, "401 by the list", "down by the list", "HTML by the list"])
async def test_when_the_first_lookup_fails_every_sent_job_is_still_backed_up(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, failure: str
) -> None:
    kind, _, by_list = failure.partition(" by ")
    stage = stage_of(cloud, environ, tmp_path / "state", 30 if by_list else 8)
    fault = stage.fails(FIRST_LOOK, JOBS, **FAILURES[kind])
    await stage.delete()
    assert fault.fired
    assert stage.sent == stage.saved() == set(stage.ids)
    assert set(stage.outcomes().values()) == {"unconfirmed"}  # no lookup saw the jobs before they were deleted
    stage.check()
    await stage.next_works()


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_job_whose_detail_cannot_be_read_stays_and_all_deleted_jobs_are_backed_up(
    stage: Stage, failure: str
) -> None:
    lost = stage.ids[2]
    fault = stage.fails(BACKUP, ("GET", f"/api/jobs/{lost}"), **FAILURES[failure])
    await stage.delete()
    assert fault.fired
    assert not stage.cloud.jobs[lost].deleted
    assert stage.outcomes()[lost] == "failed"
    assert stage.gone == stage.sent == stage.saved()
    # An error that affects every job also stops the backup of the two details that were not requested yet.
    assert len(stage.gone) >= len(stage.ids) - 3
    stage.check()
    await stage.next_works()


@pytest.mark.parametrize("failure", FAILURES)
async def test_no_delete_request_is_sent_if_no_job_detail_can_be_read(stage: Stage, failure: str) -> None:
    fault = stage.fails(BACKUP, JOBS, **FAILURES[failure])
    await stage.delete()
    assert fault.fired
    assert set(stage.outcomes().values()) == {"failed"}
    stage.nothing_was_sent()
    stage.check()
    await stage.next_works()


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_failed_deletion_leaves_a_complete_backup_and_a_correct_log(stage: Stage, failure: str) -> None:
    fault = stage.fails(DELETION, POST, **FAILURES[failure])
    await stage.delete()
    assert fault.fired
    assert stage.saved() == set(stage.ids)
    word = "deleted" if failure in ACTED else "unconfirmed" if failure in ACCEPTED + UNANSWERED else "failed"
    assert set(stage.outcomes().values()) == {word}
    assert stage.gone == (set(stage.ids) if failure in ACTED else set())
    stage.check()
    await stage.next_works()


@pytest.mark.parametrize("failure", FAILURES)
async def test_no_job_is_reported_as_deleted_if_the_last_lookup_fails(stage: Stage, failure: str) -> None:
    fault = stage.fails(LAST_LOOK, JOBS, **FAILURES[failure])
    await stage.delete()
    assert fault.fired
    assert stage.gone == stage.saved() == set(stage.ids)
    assert set(stage.outcomes().values()) == {"unconfirmed"}
    stage.check()
    await stage.next_works()


@pytest.mark.parametrize("failure", ["401", "500", "down", "reset"])
async def test_if_one_of_two_requests_fails_all_jobs_are_backed_up_with_correct_outcomes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    monkeypatch.setattr("cloud_history.deletion.delete.MAX_IDS_PER_REQUEST", 5)
    fault = stage.fails(DELETION, POST, about=stage.ids[7], **FAILURES[failure])
    await stage.delete()
    assert fault.fired
    assert stage.saved() == set(stage.ids)
    assert stage.gone == set(stage.ids if failure in ACTED else stage.ids[:5])
    stage.check()
    await stage.next_works()


async def test_no_delete_request_is_sent_if_the_cloud_cannot_be_reached(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path
) -> None:
    stage = stage_of(cloud, environ, tmp_path / "state")
    stage.environ = {**environ, "COMFY_CLOUD_BASE_URL": f"http://127.0.0.1:{free_port()}"}
    await stage.delete()
    assert set(stage.outcomes().values()) == {"failed"}
    stage.nothing_was_sent()
    stage.check()
    stage.environ = environ
    await stage.next_works()


# Jobs change


async def test_a_job_that_vanishes_before_its_backup_is_not_reported_as_deleted(stage: Stage) -> None:
    gone = stage.ids[3]
    stage.steps = Steps({BACKUP: lambda: stage.cloud.account.delete([gone], 0.0)})
    await stage.delete()
    assert stage.outcomes()[gone] == "already_gone"
    assert gone not in stage.sent | stage.saved()
    stage.check()
    await stage.next_works()


async def test_jobs_that_are_listed_but_not_found_by_id_are_not_reported_as_gone(stage: Stage) -> None:
    one = re.compile(r"/api/jobs/[0-9a-f-]{36}")
    unknown = Fault(("GET", one), "status", times=None, status=404, json={})
    stage.steps = Steps({BACKUP: lambda: stage.cloud.faults.append(unknown)})
    await stage.delete()
    assert set(stage.outcomes().values()) == {"failed"}
    stage.nothing_was_sent()
    stage.check()


async def test_no_delete_request_is_sent_if_all_jobs_vanish_before_the_backup(stage: Stage) -> None:
    stage.steps = Steps({BACKUP: lambda: stage.cloud.account.delete(stage.ids, 0.0)})
    await stage.delete()
    assert set(stage.outcomes().values()) == {"already_gone"}
    stage.nothing_was_sent()
    stage.check()
    await stage.next_works()


@pytest.mark.parametrize("step", [BACKUP, DELETION])
async def test_a_job_that_becomes_active_during_a_deletion_is_not_deleted(stage: Stage, step: str) -> None:
    job = stage.cloud.jobs[stage.ids[3]]
    stage.steps = Steps({step: lambda: setattr(job, "status", "in_progress")})
    await stage.delete()
    assert stage.outcomes()[job.id] == "active"
    assert not job.deleted
    stage.check()
    await stage.next_works()


@pytest.mark.parametrize("step", [FIRST_LOOK, BACKUP, DELETION])
async def test_a_job_protected_during_a_deletion_is_not_deleted(stage: Stage, step: str) -> None:
    job_id, protection = stage.ids[3], ProtectionFile(stage.folder)
    stage.steps = Steps({step: lambda: protection.change(protect=True, jobs=[job_id])})
    await stage.delete()
    assert stage.outcomes()[job_id] == "protected"
    assert job_id not in stage.sent
    stage.check()
    await stage.next_works()


async def test_only_confirmed_jobs_are_backed_up_and_sent(stage: Stage) -> None:
    operations = stage.operations()
    connection = await operations.find_connection()
    preview = await operations.preview(connection, Selection(job_ids=stage.ids[:5]), Unwatched())
    await stage.delete(confirmed_request(preview, connection, "c0" * 16))
    assert stage.sent == stage.saved() == set(stage.ids[:5])
    assert [path.stem for path in stage.zips()] == ["c0" * 16]


async def test_a_clear_confirmed_before_backups_were_switched_on_sends_no_request(stage: Stage) -> None:
    operations = stage.operations()
    connection = await operations.find_connection()
    preview = ClearPreview(await operations.count(connection))
    with pytest.raises(PreviewExpired):
        await clear_history(operations, "menu", preview=preview)
    assert stage.cloud.history_posts == []
    await stage.next_works()


async def test_a_clear_with_backup_deletes_exactly_the_jobs_that_were_backed_up(stage: Stage) -> None:
    finished = {job.id for job in stage.cloud.finished}
    result: Any = await clear_history(stage.operations(), "menu", stage.steps)
    assert (result.removed, result.backed_up) == (len(finished), len(finished))
    assert stage.gone == stage.saved() == finished
    assert stage.unsaved == set()
