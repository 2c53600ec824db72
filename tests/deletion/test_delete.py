"""Deletions in virtual time with an in-memory client: chunks, failures, time limits and stopping."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from cloud_history.deletion.delete import PATIENCE_SECONDS, Deletion
from cloud_history.deletion.outcomes import DeletionResult, Outcome
from cloud_history.deletion.report import deletion_report
from cloud_history.errors import (
    CloudConnectionError,
    CloudError,
    CloudTimeoutError,
    Forbidden,
    InsufficientCredits,
    NotComfyCloud,
    OperationStopped,
    PlanRefused,
    RateLimited,
    SchemaMismatch,
    ServerFault,
    Unauthorized,
    UnreadableAnswer,
)
from support import virtual_time
from support.fake_history_client import FakeClient, Person, ids, jobs_of
from support.safeguards import NoSafeguards

LOST = CloudConnectionError("connection_lost", sent=True)
UNREACHABLE = CloudConnectionError("not_reached", host="cloud.comfy.org", sent=False)


def delete(client: FakeClient, count: int, person: Person | None = None, **options: float) -> DeletionResult:
    client.jobs = client.jobs or jobs_of(ids(count))
    deletion = Deletion(client, NoSafeguards(), **options)  # type: ignore[arg-type]
    return virtual_time.run(deletion.run(ids(count), person or Person()))


def number_of(result: DeletionResult) -> dict[str, int]:
    return {outcome.value: len(result.ids(outcome)) for outcome in Outcome if result.ids(outcome)}


def on(number: int, error: CloudError) -> Callable[[int, list[str]], CloudError | None]:
    return lambda request, chunk: error if request == number else None


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(1, [1]), (99, [99]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50]), (1000, [100] * 10)],
)
def test_job_ids_are_sent_once_each_in_order_in_requests_of_100(count: int, sizes: list[int]) -> None:
    client = FakeClient()
    result = delete(client, count)
    assert [len(chunk) for chunk in client.deletes] == sizes
    assert [job_id for chunk in client.deletes for job_id in chunk] == ids(count)
    assert not result.failed
    assert list(result.jobs) == ids(count)
    assert number_of(result) == {"deleted": count}
    assert result.removed == count


def test_at_most_five_delete_requests_run_at_once() -> None:
    client = FakeClient()
    delete(client, 1000)
    assert client.most_at_once == 5


def test_deleting_an_empty_list_of_jobs_sends_no_request() -> None:
    client = FakeClient()
    assert delete(client, 0).jobs == {}
    assert client.deletes == []


def test_progress_rises_from_zero_to_the_number_of_jobs() -> None:
    person = Person()
    delete(FakeClient(), 250, person)
    sending = [each for each in person.told if each[0] == "sending"]
    assert sending[0] == ("sending", 0, 250)
    assert sending[-1] == ("sending", 250, 250)
    assert [done for _, done, _ in sending] == sorted(done for _, done, _ in sending)


def test_a_deletion_reports_checking_then_sending_then_checking() -> None:
    person = Person()
    delete(FakeClient(), 250, person)
    phases = [phase for phase, _, _ in person.told]
    assert [phase for at, phase in enumerate(phases) if phases[at - 1 : at] != [phase]] == [
        "checking",
        "sending",
        "checking",
    ]


@pytest.mark.parametrize("error", [ServerFault(500), ServerFault(503)])
def test_a_failed_delete_request_does_not_stop_other_requests(error: CloudError) -> None:
    client = FakeClient(refuse=on(2, error))
    result = delete(client, 1000)
    assert len(client.deletes) == 10
    assert number_of(result) == {"deleted": 900, "failed": 100}
    assert result.ids(Outcome.FAILED) == ids(1000)[100:200]
    assert {str(each.why) for each in result.jobs.values()} == {"", f"server error ({error.status})"}
    assert result.errors == (error,)
    assert result.failed


@pytest.mark.parametrize(
    "error",
    [
        Unauthorized(401),
        InsufficientCredits(402),
        Forbidden(403),
        PlanRefused(429),
        RateLimited(429, retry_after=60.0),
        NotComfyCloud(302),
        UNREACHABLE,
    ],
)
def test_an_error_that_affects_every_request_stops_the_remaining_requests(error: CloudError) -> None:
    client = FakeClient(refuse=lambda number, chunk: error)
    result = delete(client, 1000)
    assert len(client.deletes) == 5
    assert number_of(result) == {"failed": 500, "not_attempted": 500}
    assert result.ids(Outcome.NOT_ATTEMPTED) == ids(1000)[500:]
    assert {str(each.why) for each in result.jobs.values()} == {error.short}


@pytest.mark.parametrize(
    ("acts", "blind", "outcome"),
    [(True, False, "deleted"), (False, False, "unconfirmed"), (True, True, "unconfirmed")],
    ids=["gone", "still listed", "list unreadable"],
)
def test_a_lost_connection_stops_the_remaining_requests_and_its_jobs_are_looked_up(
    acts: bool, blind: bool, outcome: str
) -> None:
    fault = ServerFault(500)
    client = FakeClient(refuse=on(6, LOST), acts=acts, blind=lambda sent: fault if blind and sent >= 10 else None)
    result = delete(client, 1500)
    # When the answer to the sixth request is lost, five requests have ended and four are in flight and may end.
    assert len(client.deletes) == 10
    assert {result.jobs[each].outcome.value for each in ids(1500)[500:600]} == {outcome}
    assert result.ids(Outcome.NOT_ATTEMPTED) == ids(1500)[1000:]
    assert {str(result.jobs[each].why) for each in ids(1500)[1000:]} == {LOST.short}
    assert result.failed


@pytest.mark.parametrize("error", [UnreadableAnswer(200), ServerFault(504)])
@pytest.mark.parametrize(("acts", "outcome"), [(True, "deleted"), (False, "unconfirmed")])
def test_an_unreadable_answer_or_a_gateway_timeout_leads_to_a_lookup(
    error: CloudError, acts: bool, outcome: str
) -> None:
    result = delete(FakeClient(refuse=on(1, error), acts=acts), 150)
    assert {result.jobs[each].outcome.value for each in ids(150)[:100]} == {outcome}
    assert {result.jobs[each].outcome.value for each in ids(150)[100:]} == {"deleted"}


def test_jobs_that_were_not_attempted_have_the_error_that_stopped_the_deletion_as_reason() -> None:
    errors: dict[int, CloudError] = {1: ServerFault(500), 6: Unauthorized(401)}
    result = delete(FakeClient(refuse=lambda number, chunk: errors.get(number)), 1500)
    assert result.ids(Outcome.NOT_ATTEMPTED)
    assert {str(result.jobs[each].why) for each in result.ids(Outcome.NOT_ATTEMPTED)} == {"the key was refused"}


def test_each_distinct_error_is_reported_once_in_order_of_occurrence() -> None:
    errors = {1: ServerFault(500), 2: ServerFault(503), 3: ServerFault(500)}
    result = delete(FakeClient(refuse=lambda number, chunk: errors.get(number)), 500)
    assert [error.status for error in result.errors] == [500, 503]


@pytest.mark.parametrize("wrong", ["", "x", f"{{{ids(1)[0]}}}", "*", 7, None])
def test_no_request_is_sent_if_one_of_a_thousand_ids_is_malformed(wrong: object) -> None:
    client = FakeClient()
    given = [*ids(999), wrong]
    with pytest.raises(SchemaMismatch):
        virtual_time.run(Deletion(client, NoSafeguards()).run(given, Person()))  # type: ignore[arg-type]
    assert client.deletes == []


def test_no_request_is_sent_if_a_request_contains_an_id_twice() -> None:
    client = FakeClient()
    with pytest.raises(SchemaMismatch):
        virtual_time.run(Deletion(client, NoSafeguards()).run(ids(3) + ids(1), Person()))
    assert client.deletes == []


def test_a_deletion_that_exceeds_its_time_limit_ends_and_reports_the_sent_jobs() -> None:
    client = FakeClient(seconds=50.0)
    result = delete(client, 1200, seconds=100.0)
    # The cloud answers five requests at 50 and five at 100 seconds. The last two are in flight at the time limit
    # of 120 seconds, so their jobs are still listed and unconfirmed.
    assert number_of(result) == {"deleted": 1000, "unconfirmed": 200}
    assert {str(each.why) for each in result.jobs.values()} == {"", "it took too long"}
    assert [type(error) for error in result.errors] == [CloudTimeoutError]
    assert not result.stopped


def test_jobs_whose_request_was_not_sent_in_time_are_reported_as_not_attempted() -> None:
    client = FakeClient(seconds=100.0, refuse=on(1, ServerFault(500)))
    result = delete(client, 1200, seconds=100.0)
    # The first request is refused at 50 seconds, so the sixth starts then and is in flight at the time limit.
    assert number_of(result) == {"deleted": 400, "failed": 100, "unconfirmed": 500, "not_attempted": 200}
    assert {str(result.jobs[each].why) for each in result.ids(Outcome.NOT_ATTEMPTED)} == {"it took too long"}


def test_the_time_limit_of_a_deletion_grows_with_the_number_of_jobs() -> None:
    client = FakeClient(seconds=11.0)
    # 5,000 ids take 50 requests, five at a time, so 110 seconds. The limit of 100 seconds grows with the ids.
    assert delete(client, 5000, seconds=100.0).removed == 5000


# Stopping and cancelling


def test_stopping_a_deletion_midway_reports_deleted_unconfirmed_and_not_attempted_jobs() -> None:
    client = FakeClient(seconds=1.0)
    person = Person(lambda: len(client.deletes) == 10)
    result = delete(client, 1200, person)
    assert result.stopped
    assert len(client.deletes) == 10
    assert number_of(result) == {"deleted": 500, "unconfirmed": 500, "not_attempted": 200}
    assert result.failed, "jobs whose request got no answer make the deletion fail"
    assert {str(each.why) for each in result.jobs.values()} == {"", "the deletion was stopped"}
    assert deletion_report(result).startswith("Stopped: 500 of 1,200 jobs removed.")


@pytest.mark.parametrize("looking", [0.01, 3.0, 3600.0])
def test_a_stopped_deletion_ends_within_half_a_second_however_slow_the_lookup_is(looking: float) -> None:
    client = FakeClient(seconds=1.0)
    pressed: list[float] = []

    def stops() -> bool:
        if len(client.deletes) < 10:
            return False
        pressed.append(virtual_time.now())
        client.looking = looking
        return True

    async def timed() -> DeletionResult:
        client.jobs = jobs_of(ids(1200))
        result = await Deletion(client, NoSafeguards()).run(ids(1200), Person(stops))
        assert virtual_time.now() - pressed[0] < 0.3  # the deletion asks every 0.2 seconds whether to stop
        return result

    result = virtual_time.run(timed())
    assert result.stopped
    assert result.ids(Outcome.NOT_ATTEMPTED) == ids(1200)[1000:]
    if looking > 1:
        assert number_of(result) == {"unconfirmed": 1000, "not_attempted": 200}
        assert {str(result.jobs[each].why) for each in ids(1200)[:500]} == {"accepted, but not read back"}
        assert result.errors == ()


def patient(client: FakeClient, count: int, person: Person) -> DeletionResult:
    """Delete as a browser does, which waits for the running requests after a stop."""

    async def run() -> DeletionResult:
        client.jobs = jobs_of(ids(count))
        return await Deletion(client, NoSafeguards(), patience=PATIENCE_SECONDS).run(ids(count), person)

    return virtual_time.run(run())


def test_a_patient_deletion_lets_running_requests_end_and_sees_what_is_gone_however_slow_the_lookup_is() -> None:
    client = FakeClient(seconds=3.0, looking=3.0)
    result = patient(client, 1200, Person(lambda: len(client.deletes) == 10))
    assert result.stopped
    assert len(client.deletes) == 10
    assert number_of(result) == {"deleted": 1000, "not_attempted": 200}
    assert deletion_report(result).startswith("Stopped: 1,000 of 1,200 jobs removed.")


def test_a_patient_deletion_gives_up_requests_that_do_not_end() -> None:
    client = FakeClient(seconds=3600.0)
    result = patient(client, 1200, Person(lambda: len(client.deletes) == 5))
    assert result.stopped
    assert number_of(result) == {"unconfirmed": 500, "not_attempted": 700}


def test_a_stop_after_the_last_request_was_sent_stops_nothing() -> None:
    client = FakeClient(seconds=3.0)
    result = patient(client, 300, Person(lambda: len(client.deletes) == 3))
    assert not result.stopped
    assert number_of(result) == {"deleted": 300}


@pytest.mark.parametrize("moment", [0.0, 1.0], ids=["at once", "during the lookup"])
def test_stopping_a_deletion_before_its_first_request_sends_no_request(moment: float) -> None:
    client = FakeClient(looking=5.0)
    with pytest.raises(OperationStopped):
        delete(client, 300, Person(lambda: virtual_time.now() >= moment))
    assert client.deletes == []


def test_stopping_a_deletion_during_its_last_lookup_reports_the_results_so_far() -> None:
    client = FakeClient(lies=True)

    async def timed() -> DeletionResult:
        client.jobs = jobs_of(ids(300))
        stops = Person(lambda: len(client.answered) == 3 and virtual_time.now() > 1.5)
        result = await Deletion(client, NoSafeguards()).run(ids(300), stops)
        assert virtual_time.now() < 1.8
        return result

    result = virtual_time.run(timed())
    assert result.stopped
    assert number_of(result) == {"unconfirmed": 300}
    assert {str(each.why) for each in result.jobs.values()} == {"accepted, but still listed"}


def test_cancelling_a_deletion_raises_cancelled_error_and_logs_the_sent_jobs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = FakeClient(seconds=1.0)

    async def cancel_midway() -> None:
        client.jobs = jobs_of(ids(1200))
        work = asyncio.ensure_future(Deletion(client, NoSafeguards()).run(ids(1200), Person()))
        await asyncio.sleep(1.5)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert work.cancelled()

    with caplog.at_level(logging.WARNING, logger="cloud_history"):
        virtual_time.run(cancel_midway())
    assert len(client.deletes) == 10
    [record] = caplog.records
    said = record.getMessage()
    assert "500 unconfirmed: accepted, but not read back" in said
    assert "500 unconfirmed: it was cancelled" in said
    assert "200 not tried" in said
    assert ids(1200)[999] in said


def test_an_internal_error_in_one_request_cancels_the_other_requests() -> None:
    client = FakeClient(seconds=1.0)

    def broken(phase: str, done: int, total: int) -> None:
        if done == 100:
            raise ValueError("the progress bar broke")

    person = Person()
    person.progress = broken  # type: ignore[method-assign]

    async def fail() -> None:
        client.jobs = jobs_of(ids(1000))
        with pytest.raises(ValueError, match="progress bar"):
            await Deletion(client, NoSafeguards()).run(ids(1000), person)
        await asyncio.sleep(60.0)

    virtual_time.run(fail())
    assert len(client.deletes) == 5
