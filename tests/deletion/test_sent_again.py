"""Retried deletions: jobs that earlier tries may have deleted, and the checks before each retry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud_history.cloud.client import CloudClient
from cloud_history.deletion import delete
from cloud_history.deletion.clear import Clear
from cloud_history.deletion.delete import Deletion
from cloud_history.deletion.outcomes import ClearOutcome, ClearResult, Outcome
from cloud_history.deletion.report import clear_report
from cloud_history.errors import PreviewExpired
from cloud_history.jobs.filters import NOTHING_PROTECTED, ProtectedJobs
from cloud_history.service import Operations
from cloud_history.state.protection import ProtectionFile
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import Fault, SimulatedCloud
from simulated_cloud.error_shapes import plan_refusal
from support.no_backups import without_backups
from support.requests import clear_history, clear_preview_of
from support.safeguards import NoSafeguards, protection_only

OpenClient = Callable[..., CloudClient]
POST = ("POST", "/api/history")
LIST = ("GET", "/api/jobs")
LATER: dict[str, Callable[[], Fault]] = {
    "refused key": lambda: Fault(POST, "status", times=None, status=401, json={"message": "no"}),
    "not paid": lambda: Fault.shaped(POST, plan_refusal("FREE_TIER_EXHAUSTED"), times=None),
    "bad request": lambda: Fault(POST, "status", times=None, status=400, json={"message": "no"}),
}


async def no_time(seconds: float) -> None:
    pass


class Meanwhile:
    """Replaces the wait before a retry with a call of `happens`."""

    def __init__(self) -> None:
        self.happens: Callable[[], object] = lambda: None

    async def __call__(self, seconds: float) -> None:
        self.happens()


@pytest.mark.parametrize("later", LATER)
async def test_jobs_deleted_by_a_request_whose_answer_was_lost_are_reported_as_deleted(
    cloud: SimulatedCloud, open_client: OpenClient, later: str
) -> None:
    job_id = cloud.finished[0].id
    cloud.faults += [Fault(POST, "reset_after_body"), LATER[later]()]
    async with open_client() as client:
        result = await Deletion(client, NoSafeguards(), sleep=no_time).run([job_id], Unwatched())
    assert cloud.jobs[job_id].deleted
    # A refusal of a key that worked before may be false, so the request is retried once.
    assert len(cloud.requests_to(*POST)) == (3 if later == "refused key" else 2)
    assert {job_id: each.outcome for job_id, each in result.jobs.items()} == {job_id: Outcome.DELETED}


async def test_jobs_are_unconfirmed_after_a_lost_answer_if_the_list_cannot_be_read(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    job_id = cloud.finished[0].id
    cloud.faults += [Fault(POST, "reset_after_body"), LATER["refused key"]()]
    cloud.faults.append(Fault(LIST, "status", after=1, times=None, status=401, json={"message": "no"}))
    async with open_client() as client:
        result = await Deletion(client, NoSafeguards(), sleep=no_time).run([job_id], Unwatched())
    assert result.jobs[job_id].outcome is Outcome.UNCONFIRMED
    assert result.failed


@pytest.mark.parametrize("later", LATER)
async def test_jobs_still_listed_after_a_lost_answer_are_unconfirmed_whatever_the_retry_answers(
    cloud: SimulatedCloud, open_client: OpenClient, later: str
) -> None:
    job_id = cloud.finished[0].id
    cloud.faults += [Fault(POST, "reset_after_body", acted=False), LATER[later]()]
    async with open_client() as client:
        result = await Deletion(client, NoSafeguards(), sleep=no_time).run([job_id], Unwatched())
    assert result.jobs[job_id].outcome is Outcome.UNCONFIRMED
    assert result.failed


async def test_jobs_of_a_refused_request_are_reported_as_failed_if_no_answer_was_lost(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    job_id = cloud.finished[0].id
    cloud.faults.append(LATER["refused key"]())
    async with open_client() as client:
        result = await Deletion(client, NoSafeguards(), sleep=no_time).run([job_id], Unwatched())
    assert result.jobs[job_id].outcome is Outcome.FAILED


@pytest.mark.parametrize("protects_by", ["id", "workflow"])
async def test_a_delete_request_is_not_retried_if_its_job_was_protected_during_the_wait(
    cloud: SimulatedCloud, open_client: OpenClient, tmp_path: Path, protects_by: str
) -> None:
    protection, meanwhile = ProtectionFile(tmp_path), Meanwhile()
    job = cloud.finished[0]
    chosen = {"jobs": [job.id]} if protects_by == "id" else {"workflows": [job.workflow_id]}
    meanwhile.happens = lambda: protection.change(protect=True, **chosen)
    cloud.faults.append(Fault(POST, "status", status=503, json={}, headers={"Retry-After": "1"}, acted=False))
    async with open_client(sleep=meanwhile) as client:
        guards = protection_only(protection)
        result = await Deletion(client, guards, no_time).run([job.id], Unwatched())
    assert len(cloud.requests_to(*POST)) == 1
    assert not job.deleted
    assert result.jobs[job.id].outcome is Outcome.FAILED
    assert "protected" in str(result.jobs[job.id].why)


async def test_a_request_delayed_by_the_rate_limit_of_another_request_is_checked_again_before_sending(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    first, second = cloud.finished[:2]
    waiting: list[asyncio.Task[None]] = []

    async def refuses() -> None:
        raise PreviewExpired("protected_meanwhile")

    async def sleep(seconds: float) -> None:
        waiting.append(asyncio.ensure_future(client.delete_history([second.id], refuses)))
        await asyncio.sleep(0)

    cloud.faults.append(Fault(POST, "status", status=429, json={}, headers={"Retry-After": "60"}, acted=False))
    async with open_client(sleep=sleep) as client:
        await client.delete_history([first.id])
        with pytest.raises(PreviewExpired) as refused:
            await waiting[0]
    assert not refused.value.may_have_worked
    assert (first.deleted, second.deleted) == (True, False)


class Protecting(NoSafeguards):
    """Keeps the list of protected jobs in memory and counts how often the list is read."""

    def __init__(self) -> None:
        self.now, self.asked = NOTHING_PROTECTED, 0
        self.asked_often = asyncio.Event()

    async def protected(self) -> ProtectedJobs:
        self.asked += 1
        # One read at the start, one before each of five requests, and one before each of the four next requests.
        if self.asked == 1 + 5 + 4:
            self.asked_often.set()
        return self.now


async def test_jobs_protected_while_a_rate_limit_delays_their_request_are_not_deleted(
    cloud: SimulatedCloud, open_client: OpenClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delete, "MAX_IDS_PER_REQUEST", 20)
    guards, chosen = Protecting(), [job.id for job in cloud.finished]

    async def sleep(seconds: float) -> None:
        await guards.asked_often.wait()
        guards.now = ProtectedJobs(frozenset(job.id for job in cloud.finished))

    limit = Fault(POST, "status", status=429, json={}, headers={"Retry-After": "60"}, acted=False)
    cloud.faults.append(limit)
    async with open_client(sleep=sleep) as client:
        result = await Deletion(client, guards, no_time).run(chosen, Unwatched())
    assert limit.fired == 1
    assert len(cloud.deleted) == len(result.ids(Outcome.DELETED)) == 4 * 20
    assert not {job.id for job in cloud.deleted} & guards.now.jobs


async def test_a_clear_is_not_retried_if_a_job_was_protected_during_the_wait(
    cloud: SimulatedCloud, open_client: OpenClient, tmp_path: Path
) -> None:
    protection, meanwhile = ProtectionFile(tmp_path), Meanwhile()
    meanwhile.happens = lambda: protection.change(protect=True, jobs=[cloud.finished[0].id])
    cloud.faults.append(Fault(POST, "status", status=429, json={}, headers={"Retry-After": "1"}))
    async with open_client(sleep=meanwhile) as client:
        result = await Clear(client, protection_only(protection), no_time).run(Unwatched())
    assert len(cloud.requests_to(*POST)) == 1
    assert (result.outcome, cloud.deleted) == (ClearOutcome.FAILED, [])


async def test_a_clear_is_not_retried_if_backups_were_switched_on_during_the_wait(
    cloud: SimulatedCloud, environ: dict[str, str], open_client: OpenClient, tmp_path: Path
) -> None:
    meanwhile = Meanwhile()
    operations = Operations(
        without_backups(tmp_path), environ, open_client=lambda base_url, key: open_client(sleep=meanwhile)
    )
    meanwhile.happens = lambda: operations.settings.change(backup="workflows")
    cloud.faults.append(Fault(POST, "status", status=429, json={}, headers={"Retry-After": "1"}))
    result = await clear_history(operations, "menu", Unwatched())
    assert isinstance(result, ClearResult)
    assert len(cloud.requests_to(*POST)) == 1
    assert (result.outcome, cloud.deleted) == (ClearOutcome.FAILED, [])
    assert "backups were switched on" in clear_report(result)


async def test_a_clear_is_not_retried_if_the_number_of_jobs_rose_during_the_wait(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    meanwhile, preview = Meanwhile(), clear_preview_of(len(cloud.finished))
    meanwhile.happens = lambda: cloud.add_job("completed")
    cloud.faults.append(Fault(POST, "status", status=429, json={}, headers={"Retry-After": "1"}))
    async with open_client(sleep=meanwhile) as client:
        result = await Clear(client, NoSafeguards(), sleep=no_time).run(Unwatched(), preview)
    assert len(cloud.requests_to(*POST)) == 1
    assert (result.outcome, cloud.deleted) == (ClearOutcome.FAILED, [])
    assert result.error is not None
    assert result.error.code == "count_rose"
