"""Safeguards before each delete request: protected jobs, backups and the confirmed jobs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from cloud_history.cloud.evidence import ProvenAbsent
from cloud_history.cloud.lookup import Observation
from cloud_history.cloud.pages import Page, RowMapper, ValueT
from cloud_history.deletion.clear import Clear
from cloud_history.deletion.delete import Deletion
from cloud_history.deletion.outcomes import ClearResult, DeletionResult, JobOutcome, Outcome
from cloud_history.deletion.safeguards import BackedUp
from cloud_history.errors import CloudError, OperationStopped, PreviewExpired, ProtectionDamaged, ServerFault
from cloud_history.jobs.filters import NOTHING_PROTECTED, ProtectedJobs
from cloud_history.jobs.job import Job
from cloud_history.tasks.stopping import Watch
from support import virtual_time
from support.fake_history_client import FakeClient, Person, ids, job, jobs_of
from support.reasons import reason
from support.requests import preview_of
from support.safeguards import NoSafeguards


class Guards(NoSafeguards):
    """Safeguards that protect the jobs given by `protect`, and back up all jobs but those in `without`."""

    def __init__(
        self,
        protect: Callable[[int], ProtectedJobs] = lambda asked: NOTHING_PROTECTED,
        without: Sequence[str] = (),
        error: CloudError | None = None,
    ) -> None:
        self.protect, self.without, self.error = protect, without, error
        self.asked = 0
        self.saved: list[str] = []

    async def protected(self) -> ProtectedJobs:
        self.asked += 1
        return self.protect(self.asked)

    async def back_up(self, job_ids: Sequence[str], watch: Watch) -> BackedUp:
        if self.error:
            raise self.error
        self.saved = [job_id for job_id in job_ids if job_id not in self.without]
        failed = JobOutcome(Outcome.FAILED, reason("its workflow couldn’t be backed up"))
        return BackedUp(len(self.saved), dict.fromkeys(self.without, failed))

    async def before_clear(self) -> None:
        if self.error:
            raise self.error


def delete(
    client: FakeClient,
    count: int,
    guards: Guards,
    *,
    previewed: Observation | None = None,
    confirmed: Sequence[str] | None = None,
) -> DeletionResult:
    preview = None if previewed is None else preview_of(previewed, confirmed)
    return virtual_time.run(Deletion(client, guards).run(ids(count), Person(), preview))


def sent(client: FakeClient) -> list[str]:
    return [job_id for chunk in client.deletes for job_id in chunk]


def by_id(*job_ids: str) -> Callable[[int], ProtectedJobs]:
    return lambda asked: ProtectedJobs(frozenset(job_ids))


@pytest.mark.parametrize("count", [3, 250])
def test_protected_jobs_are_not_deleted_and_are_reported_as_protected(count: int) -> None:
    client = FakeClient(jobs_of(ids(count)))
    result = delete(client, count, Guards(by_id(ids(count)[1])))
    assert result.ids(Outcome.PROTECTED) == [ids(count)[1]]
    assert result.removed == count - 1
    assert ids(count)[1] not in sent(client)
    assert not result.failed


class Forgetful(FakeClient):
    """Lists jobs without their workflow. `by_id` tells whether a job requested by its id has a workflow."""

    by_id = True

    async def list_jobs(self, query: Mapping[str, str], mapper: RowMapper[ValueT], **place: Any) -> Page[ValueT]:
        make = mapper.convert
        without = replace(mapper, convert=lambda job: make(job._replace(workflow_id="")))
        return await super().list_jobs(query, without, **place)

    async def get_job(self, job_id: str) -> Job:
        found = await super().get_job(job_id)
        return found if self.by_id else found._replace(workflow_id="")


OF_WORKFLOW = {job_id: each._replace(workflow_id="wf") for job_id, each in jobs_of(ids(3)).items()}
WORKFLOW = ProtectedJobs(workflows=frozenset({"wf"}))


def test_a_job_is_not_deleted_if_only_its_details_name_its_protected_workflow() -> None:
    client = Forgetful(dict(OF_WORKFLOW))
    assert delete(client, 3, Guards(lambda asked: WORKFLOW)).ids(Outcome.PROTECTED) == ids(3)
    assert sent(client) == []


@pytest.mark.parametrize(
    "checks_before_protection", [0, 1], ids=["protected at the start", "protected after the first check"]
)
def test_a_job_is_not_deleted_if_only_the_preview_names_its_protected_workflow(checks_before_protection: int) -> None:
    client = Forgetful(dict(OF_WORKFLOW))
    client.by_id = False
    guards = Guards(lambda asked: WORKFLOW if asked > checks_before_protection else NOTHING_PROTECTED)
    assert delete(client, 3, guards, previewed=Observation(OF_WORKFLOW)).ids(Outcome.PROTECTED) == ids(3)
    assert sent(client) == []


def test_no_delete_request_names_a_job_of_a_protected_workflow_that_seems_gone() -> None:
    client = FakeClient(jobs_of(ids(6)[3:]))
    result = delete(
        client,
        3,
        Guards(lambda asked: WORKFLOW),
        previewed=Observation(OF_WORKFLOW, answered=frozenset(ids(3))),
    )
    assert result.ids(Outcome.ALREADY_GONE) == ids(3)
    assert sent(client) == []


def test_a_job_protected_after_the_first_check_is_not_deleted() -> None:
    client = FakeClient(jobs_of(ids(150)))
    late = ids(150)[120]
    guards = Guards(lambda asked: ProtectedJobs(frozenset({late} if asked > 1 else ())))
    result = delete(client, 150, guards)
    assert late not in sent(client)
    assert result.ids(Outcome.PROTECTED) == [late]


def test_a_job_protected_after_its_confirmation_is_not_deleted() -> None:
    client = FakeClient(jobs_of(ids(3)))
    guards = Guards(by_id(ids(3)[0]))
    result = delete(client, 3, guards, previewed=Observation(jobs_of(ids(3))), confirmed=ids(3))
    assert sent(client) == ids(3)[1:]
    assert result.ids(Outcome.PROTECTED) == ids(1)


def test_an_unreadable_protection_list_stops_a_deletion_before_any_request() -> None:
    client = FakeClient(jobs_of(ids(3)))

    def damaged(asked: int) -> ProtectedJobs:
        raise ProtectionDamaged("protected.json")

    with pytest.raises(ProtectionDamaged):
        delete(client, 3, Guards(damaged))
    assert client.deletes == []


def test_a_protection_list_damaged_during_a_deletion_stops_the_unsent_requests() -> None:
    client = FakeClient(jobs_of(ids(900)))

    def damaged(asked: int) -> ProtectedJobs:
        if asked > 3:
            raise ProtectionDamaged("protected.json")
        return NOTHING_PROTECTED

    result = delete(client, 900, Guards(damaged))
    assert len(sent(client)) == 200
    assert result.removed == 200
    assert result.failed
    assert len(result.ids(Outcome.FAILED)) + len(result.ids(Outcome.NOT_ATTEMPTED)) == 700


def test_a_job_that_could_not_be_backed_up_is_not_deleted_and_fails() -> None:
    client = FakeClient(jobs_of(ids(4)))
    result = delete(client, 4, Guards(without=[ids(4)[2]]))
    assert sent(client) == [*ids(4)[:2], ids(4)[3]]
    assert result.ids(Outcome.FAILED) == [ids(4)[2]]
    assert result.backed_up == 3
    assert result.failed


def test_protected_active_and_gone_jobs_are_not_backed_up() -> None:
    client = FakeClient(jobs_of(ids(5)))
    del client.jobs[ids(5)[0]]
    client.jobs[ids(5)[1]] = job(ids(5)[1], "in_progress")
    guards = Guards(by_id(ids(5)[2]))
    delete(client, 5, guards)
    assert guards.saved == ids(5)[3:]


def test_stopping_during_the_backup_sends_no_delete_request() -> None:
    client = FakeClient(jobs_of(ids(4)))
    with pytest.raises(OperationStopped):
        delete(client, 4, Guards(error=OperationStopped()))
    assert client.deletes == []


def test_only_confirmed_jobs_are_deleted_and_other_previewed_jobs_are_still_reported() -> None:
    there = jobs_of(ids(6))
    there[ids(6)[1]] = job(ids(6)[1], "in_progress")
    there[ids(6)[2]] = job(ids(6)[2], "enchanted")
    del there[ids(6)[3]]
    client = FakeClient(jobs_of(ids(6)))  # all jobs have finished since the preview
    del client.jobs[ids(6)[3]]
    confirmed = [ids(6)[0], ids(6)[4]]
    result = delete(client, 6, Guards(), previewed=Observation(there), confirmed=confirmed)
    assert sent(client) == confirmed
    words = [result.jobs[job_id].outcome.value for job_id in ids(6)]
    assert words == ["deleted", "active", "not_attempted", "already_gone", "deleted", "protected"]


def test_a_clear_stopped_by_a_safeguard_sends_no_request() -> None:
    client = FakeClient(looks=[5, 5])
    clear = Clear(client, Guards(error=PreviewExpired("safeguards_changed"))).run(Person())
    with pytest.raises(PreviewExpired):
        virtual_time.run(clear)
    assert client.clears == 0
    done: ClearResult = virtual_time.run(Clear(FakeClient(looks=[5, 0]), Guards()).run(Person()))
    assert done.removed == 5


class SlowGuards(Guards):
    """Safeguards whose backup takes 1,000 seconds."""

    async def back_up(self, job_ids: Sequence[str], watch: Watch) -> BackedUp:
        await asyncio.sleep(1000)
        return await super().back_up(job_ids, watch)


def test_the_time_spent_on_backups_does_not_count_towards_the_time_limit() -> None:
    client = FakeClient(jobs_of(ids(30)))
    assert delete(client, 30, SlowGuards()).removed == 30


def test_lookups_are_repeated_only_until_the_time_limit_of_the_deletion() -> None:
    client = FakeClient(jobs_of(ids(30)), lies=True, looking=3.0)

    async def took() -> float:
        begun = asyncio.get_running_loop().time()
        await Deletion(client, NoSafeguards(), seconds=10).run(ids(30), Person())
        return asyncio.get_running_loop().time() - begun

    assert virtual_time.run(took()) < 15


def test_jobs_missing_in_the_preview_are_reported_as_already_gone_if_later_lookups_fail() -> None:
    there, gone, other = ids(3)
    client = FakeClient(jobs_of([there, other]), blind=lambda sent: None if sent else ServerFault(500))
    previewed = Observation(jobs_of([there]), frozenset({ProvenAbsent(gone)}))
    result = delete(client, 2, Guards(), previewed=previewed, confirmed=[there])
    assert [result.jobs[job_id].outcome for job_id in (there, gone)] == [
        Outcome.DELETED,
        Outcome.ALREADY_GONE,
    ]
    assert not result.failed
    assert sent(client) == [there]
