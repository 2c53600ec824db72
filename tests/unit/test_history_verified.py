"""The truth, job by job: what a deletion says, against what the history's own books say."""

from __future__ import annotations

import asyncio
import logging

import pytest

from cloud_history.cloud.lookup import Observation
from cloud_history.deletion.clear import History
from cloud_history.deletion.outcomes import DeletionResult, Outcome
from cloud_history.deletion.report import deletion_report
from cloud_history.errors import CloudConnectionError, CloudError, OperationStopped, ServerFault, Unauthorized
from support import virtual_time
from support.fake_history_client import FakeClient, Person, ids, job, jobs_of

FAULT = ServerFault(502)
FEW_AND_MANY = pytest.mark.parametrize("count", [5, 20, 21, 300])


def delete(
    client: FakeClient, count: int, *, previewed: Observation | None = None, person: Person | None = None
) -> DeletionResult:
    history = History(client)
    return virtual_time.run(history.delete(ids(count), person or Person(), previewed=previewed))


def sent(client: FakeClient) -> list[str]:
    return [job_id for chunk in client.deletes for job_id in chunk]


def outcomes(result: DeletionResult) -> list[str]:
    return [each.outcome.value for each in result.jobs.values()]


def whys(result: DeletionResult) -> set[str]:
    return {each.why for each in result.jobs.values()}


# Before


@FEW_AND_MANY
def test_without_a_preview_jobs_seen_active_or_gone_are_told_and_not_sent(count: int) -> None:
    client = FakeClient(jobs_of(ids(count)))
    client.jobs[ids(count)[0]] = job(ids(count)[0], "in_progress")
    del client.jobs[ids(count)[1]]
    result = delete(client, count)
    assert outcomes(result) == ["active", "already_gone", *["deleted"] * (count - 2)]
    assert sent(client) == ids(count)[2:]
    assert not result.failed


@FEW_AND_MANY
def test_when_nothing_is_worth_sending_nothing_is_sent_and_nothing_failed(count: int) -> None:
    client = FakeClient(jobs_of(ids(2), "pending"))
    result = delete(client, count)
    assert outcomes(result) == ["active"] * 2 + ["already_gone"] * (count - 2)
    assert client.deletes == []
    assert not result.failed


def test_a_job_of_unknown_state_given_by_its_id_is_sent_and_what_the_cloud_keeps_is_unconfirmed() -> None:
    client = FakeClient({ids(1)[0]: job(ids(1)[0], "enchanted")})
    result = delete(client, 1)
    assert sent(client) == ids(1)
    assert outcomes(result) == ["unconfirmed"]


@FEW_AND_MANY
def test_when_the_look_before_fails_all_are_sent_and_none_is_claimed(count: int) -> None:
    client = FakeClient(jobs_of(ids(count)), blind=lambda sent: None if sent else FAULT)
    del client.jobs[ids(count)[1]]
    client.jobs[ids(count)[2]] = job(ids(count)[2], "in_progress")
    result = delete(client, count)
    assert sent(client) == ids(count)
    assert outcomes(result) == ["unconfirmed", "unconfirmed", "active", *["unconfirmed"] * (count - 3)]
    assert whys(result) == {"", "gone now, but it was not seen before"}
    assert result.deleted == 0
    assert not result.failed


# Between preview and confirmation


@pytest.mark.parametrize("count", [10, 300])
def test_exactly_the_previewed_ids_are_sent_whatever_has_happened_since(count: int) -> None:
    previewed = Observation(jobs_of(ids(count)))
    client = FakeClient(jobs_of(ids(count + 30)))  # thirty have arrived
    del client.jobs[ids(count)[3]]  # one has vanished
    result = delete(client, count, previewed=previewed)
    assert sent(client) == ids(count)
    assert result.ids(Outcome.ALREADY_GONE) == [ids(count)[3]]
    assert result.deleted == count - 1
    assert client.answered == client.deletes


def test_a_job_that_was_active_when_previewed_and_finished_since_is_not_among_the_sent() -> None:
    client = FakeClient(jobs_of(ids(6)))
    result = delete(client, 5, previewed=Observation(jobs_of(ids(5))))
    assert ids(6)[5] not in sent(client)
    assert result.deleted == 5


def test_a_previewed_job_that_runs_again_is_sent_and_told_as_active() -> None:
    client = FakeClient(jobs_of(ids(3)))
    client.jobs[ids(3)[1]] = job(ids(3)[1], "in_progress")
    result = delete(client, 3, previewed=Observation(jobs_of(ids(3))))
    assert sent(client) == ids(3)
    assert outcomes(result) == ["deleted", "active", "deleted"]


@FEW_AND_MANY
def test_when_the_second_look_fails_what_the_person_was_shown_counts_as_seen(count: int) -> None:
    client = FakeClient(jobs_of(ids(count + 1)), blind=lambda sent: None if sent else FAULT)
    result = delete(client, count, previewed=Observation(jobs_of(ids(count))))
    assert result.deleted == count


# Afterwards


@FEW_AND_MANY
@pytest.mark.parametrize("lag", [0.2, 1.0, 4.0])
def test_a_list_that_lags_for_up_to_five_seconds_is_waited_for(lag: float, count: int) -> None:
    client = FakeClient(jobs_of(ids(count)), lag=lag)
    assert delete(client, count).deleted == count


@FEW_AND_MANY
@pytest.mark.parametrize("manner", [{"lies": True}, {"lag": 3600.0}], ids=str)
def test_a_cloud_that_says_yes_and_removes_nothing_is_unconfirmed_after_about_five_seconds(
    count: int, manner: dict[str, float]
) -> None:
    client = FakeClient(jobs_of(ids(count)), **manner)  # type: ignore[arg-type]

    async def timed() -> DeletionResult:
        result = await History(client).delete(ids(count), Person())
        assert 4.5 < virtual_time.now() < 7.0
        return result

    result = virtual_time.run(timed())
    assert outcomes(result) == ["unconfirmed"] * count
    assert whys(result) == {"accepted, but still listed"}
    assert not result.failed
    assert len(client.deletes) == -(-count // 100)


@FEW_AND_MANY
def test_when_looking_fails_after_deleting_it_is_unconfirmed_with_why_and_not_failed(count: int) -> None:
    client = FakeClient(jobs_of(ids(count)), blind=lambda sent: FAULT if sent else None)
    result = delete(client, count)
    assert outcomes(result) == ["unconfirmed"] * count
    assert whys(result) == {"accepted, but the list can’t be read"}
    assert result.errors == (FAULT,)
    assert FAULT.hint in deletion_report(result)
    assert not result.failed


@FEW_AND_MANY
def test_a_look_that_breaks_between_two_looks_forgets_nothing_that_was_seen(count: int) -> None:
    class Flaky(FakeClient):
        """Half is gone at the first look; no later look succeeds."""

        looks_after = 0

    client = Flaky(jobs_of(ids(count)), lag=0.0)
    stays = ids(count)[: count // 2]
    client._leaves = dict.fromkeys(stays, 3600.0)
    history = History(client)

    async def sleep(seconds: float) -> None:
        client.blind = lambda sent: FAULT
        await asyncio.sleep(seconds)

    history.sleep = sleep
    result = virtual_time.run(history.delete(ids(count), Person()))
    assert result.deleted == count - len(stays)
    assert result.ids(Outcome.UNCONFIRMED) == stays
    assert {result.jobs[each].why for each in stays} == {"accepted, but still listed"}


def test_half_of_the_requests_fail_and_each_job_has_its_own_outcome() -> None:
    client = FakeClient(
        jobs_of(ids(1000)), refuse=lambda number, chunk: ServerFault(500) if number % 2 else None
    )
    result = delete(client, 1000)
    assert len(client.deletes) == 10
    gone = {job_id for chunk in client.answered for job_id in chunk}
    assert set(result.ids(Outcome.DELETED)) == gone
    assert set(result.ids(Outcome.FAILED)) == set(ids(1000)) - gone
    assert len(gone) == 500
    assert result.failed


def test_a_server_fault_after_which_the_jobs_are_gone_has_deleted_them() -> None:
    client = FakeClient(jobs_of(ids(5)), refuse=lambda number, chunk: ServerFault(504), acts=True)
    result = delete(client, 5)
    assert result.deleted == 5
    assert not result.failed


def test_jobs_that_were_certainly_refused_are_looked_at_once_and_not_waited_for() -> None:
    client = FakeClient(jobs_of(ids(5)), refuse=lambda number, chunk: Unauthorized(401))

    async def timed() -> DeletionResult:
        result = await History(client).delete(ids(5), Person())
        assert virtual_time.now() < 1.0
        return result

    assert outcomes(virtual_time.run(timed())) == ["failed"] * 5


def test_jobs_refused_to_us_and_gone_all_the_same_were_removed_by_somebody_else() -> None:
    client = FakeClient(jobs_of(ids(5)), refuse=lambda number, chunk: Unauthorized(401), acts=True)
    result = delete(client, 5)
    assert outcomes(result) == ["already_gone"] * 5
    assert result.deleted == 0


def test_a_job_seen_gone_before_and_listed_afterwards_is_not_called_gone() -> None:
    client = FakeClient(jobs_of(ids(3)))
    del client.jobs[ids(3)[0]]
    client.refuse = lambda number, chunk: client.jobs.update(jobs_of(ids(3)[:1], "in_progress"))
    result = delete(client, 3, previewed=Observation(jobs_of(ids(3))))
    assert outcomes(result) == ["active", "deleted", "deleted"]


# Stopping, cancelling, sleeping


def test_a_stop_while_it_looks_before_sends_nothing() -> None:
    client = FakeClient(jobs_of(ids(300)), looking=5.0)
    with pytest.raises(OperationStopped):
        delete(client, 300, person=Person(lambda: virtual_time.now() > 1.0))
    assert client.deletes == []


def test_a_stop_while_it_waits_for_a_lagging_list_is_noticed_and_ends_in_a_result() -> None:
    client = FakeClient(jobs_of(ids(5)), lag=3600.0)

    async def timed() -> DeletionResult:
        result = await History(client).delete(ids(5), Person(lambda: virtual_time.now() > 2.0))
        assert virtual_time.now() < 2.5
        return result

    result = virtual_time.run(timed())
    assert result.stopped
    assert outcomes(result) == ["unconfirmed"] * 5
    assert not result.failed


@pytest.mark.parametrize("moment", [0.05, 1.2, 1.6, 3.0])
def test_cancelling_passes_through_at_every_moment_and_leaves_nothing_running(
    moment: float, caplog: pytest.LogCaptureFixture
) -> None:
    client = FakeClient(jobs_of(ids(300)), looking=0.1, seconds=1.0, lag=60.0)

    async def cancel() -> None:
        work = asyncio.ensure_future(History(client).delete(ids(300), Person()))
        await asyncio.sleep(moment)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    with caplog.at_level(logging.WARNING, logger="cloud_history"):
        virtual_time.run(cancel())
    assert bool(client.deletes) is bool(caplog.records), "what had been sent is in the log"
    for record in caplog.records:
        assert "300 unconfirmed" in record.getMessage()


def test_a_computer_that_sleeps_while_it_waits_still_tells_what_was_deleted() -> None:
    client = FakeClient(jobs_of(ids(5)), lag=100.0)

    async def oversleep(seconds: float) -> None:
        await asyncio.sleep(3600.0 + seconds)

    history = History(client, sleep=oversleep)
    result = virtual_time.run(history.delete(ids(5), Person()))
    assert outcomes(result) in (["unconfirmed"] * 5, ["deleted"] * 5)
    assert client.answered == [ids(5)]


def test_no_answer_and_no_way_to_look_is_unconfirmed_and_ends_a_node_in_an_error() -> None:
    lost: CloudError = CloudConnectionError("lost", sent=True)
    client = FakeClient(
        jobs_of(ids(5)), refuse=lambda number, chunk: lost, blind=lambda sent: lost if sent else None
    )
    result = delete(client, 5)
    assert outcomes(result) == ["unconfirmed"] * 5
    assert result.failed
