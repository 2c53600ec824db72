"""Deleting jobs: chunks, failures, stopping, deadlines. In virtual time, with an in-memory client."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

import virtual_time
from cloud_history.errors import (
    CloudConnectionError,
    CloudError,
    CloudTimeoutError,
    Forbidden,
    InsufficientCredits,
    NotComfyCloud,
    RateLimited,
    SchemaMismatch,
    ServerFault,
    SubscriptionInactive,
    Unauthorized,
    UnreadableAnswer,
)
from cloud_history.history import History
from cloud_history.models import DeletionResult, Outcome
from cloud_history.report import deletion_report
from fake_history_client import FakeClient, Person, ids

LOST = CloudConnectionError("The connection was lost before the answer came.", sent=True)
UNREACHABLE = CloudConnectionError("Can’t reach cloud.comfy.org.", sent=False)


def delete(client: FakeClient, count: int, person: Person | None = None, **options: float) -> DeletionResult:
    history = History(client, **options)  # type: ignore[arg-type]
    return virtual_time.run(history.delete(ids(count), person or Person()))


def number_of(result: DeletionResult) -> dict[str, int]:
    return {outcome.value: len(result.ids(outcome)) for outcome in Outcome if result.ids(outcome)}


def on(number: int, error: CloudError) -> Callable[[int, list[str]], CloudError | None]:
    return lambda request, chunk: error if request == number else None


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(1, [1]), (99, [99]), (100, [100]), (101, [100, 1]), (250, [100, 100, 50]), (1000, [100] * 10)],
)
def test_ids_are_sent_once_each_in_order_in_chunks_of_100(count: int, sizes: list[int]) -> None:
    client = FakeClient()
    result = delete(client, count)
    assert [len(chunk) for chunk in client.deletes] == sizes
    assert [job_id for chunk in client.deletes for job_id in chunk] == ids(count)
    assert result.complete
    assert list(result.jobs) == ids(count)
    assert number_of(result) == {"accepted": count}


def test_at_most_four_requests_are_under_way_at_once_and_four_are() -> None:
    client = FakeClient()
    delete(client, 1000)
    assert client.most_at_once == 4


def test_an_empty_list_sends_nothing() -> None:
    client = FakeClient()
    assert delete(client, 0).jobs == {}
    assert client.deletes == []


def test_progress_is_told_from_nothing_to_all_in_ids_and_never_goes_back() -> None:
    person = Person()
    delete(FakeClient(), 250, person)
    assert person.told[0] == ("sending", 0, 250)
    assert person.told[-1] == ("sending", 250, 250)
    assert [done for _, done, _ in person.told] == sorted(done for _, done, _ in person.told)


@pytest.mark.parametrize("error", [ServerFault(500), ServerFault(503)])
def test_a_chunk_that_fails_does_not_stop_the_others(error: CloudError) -> None:
    client = FakeClient(refuse=on(2, error))
    result = delete(client, 1000)
    assert len(client.deletes) == 10
    assert number_of(result) == {"accepted": 900, "failed": 100}
    assert result.ids(Outcome.FAILED) == ids(1000)[100:200]
    assert {each.why for each in result.jobs.values()} == {"", f"server error ({error.status})"}
    assert result.errors == (error,)
    assert not result.complete


@pytest.mark.parametrize(
    "error",
    [
        Unauthorized(401),
        InsufficientCredits(402),
        Forbidden(403),
        SubscriptionInactive(429),
        RateLimited(429, retry_after=60.0),
        NotComfyCloud(302),
        UNREACHABLE,
    ],
)
def test_a_reason_that_would_meet_all_stops_the_rest_which_are_not_attempted(error: CloudError) -> None:
    client = FakeClient(refuse=lambda number, chunk: error)
    result = delete(client, 1000)
    assert len(client.deletes) == 4
    assert number_of(result) == {"failed": 400, "not_attempted": 600}
    assert result.ids(Outcome.NOT_ATTEMPTED) == ids(1000)[400:]
    assert {each.why for each in result.jobs.values()} == {error.short}


def test_a_connection_lost_after_sending_leaves_the_chunk_unconfirmed_and_stops_the_rest() -> None:
    client = FakeClient(refuse=on(5, LOST))
    result = delete(client, 1000)
    # When the fifth is lost, four are accepted already and three others are on their way: those still end.
    assert len(client.deletes) == 8
    assert result.ids(Outcome.UNCONFIRMED) == ids(1000)[400:500]
    assert number_of(result) == {"accepted": 700, "unconfirmed": 100, "not_attempted": 200}


def test_a_success_that_could_not_be_read_is_unconfirmed_and_not_failed() -> None:
    result = delete(FakeClient(refuse=on(1, UnreadableAnswer(200))), 150)
    assert number_of(result) == {"accepted": 50, "unconfirmed": 100}


def test_the_distinct_errors_are_kept_once_each_first_come_first() -> None:
    errors = {1: ServerFault(500), 2: ServerFault(503), 3: ServerFault(500)}
    result = delete(FakeClient(refuse=lambda number, chunk: errors.get(number)), 500)
    assert [error.status for error in result.errors] == [500, 503]


@pytest.mark.parametrize(
    "wrong", ["", "x", "ABCDEF01-0000-4000-8000-000000000001", f"{{{ids(1)[0]}}}", "*", 7, None]
)
def test_nothing_is_sent_when_one_id_in_a_thousand_is_malformed(wrong: object) -> None:
    client = FakeClient()
    given = [*ids(999), wrong]
    with pytest.raises(SchemaMismatch):
        virtual_time.run(History(client).delete(given, Person()))  # type: ignore[arg-type]
    assert client.deletes == []


def test_nothing_is_sent_when_an_id_comes_twice_in_a_request() -> None:
    client = FakeClient()
    with pytest.raises(SchemaMismatch):
        virtual_time.run(History(client).delete(ids(3) + ids(1), Person()))
    assert client.deletes == []


def test_running_out_of_time_ends_it_and_says_what_was_sent() -> None:
    client = FakeClient(seconds=50.0)
    result = delete(client, 1000, seconds=120.0)
    # Two waves of four were answered at 50 and 100 seconds; the last two requests were on their way at 120.
    assert number_of(result) == {"accepted": 800, "unconfirmed": 200}
    assert {each.why for each in result.jobs.values()} == {"", "it took too long"}
    assert [type(error) for error in result.errors] == [CloudTimeoutError]
    assert not result.stopped


def test_requests_never_sent_for_lack_of_time_are_not_attempted() -> None:
    result = delete(FakeClient(seconds=100.0), 1000, seconds=120.0)
    assert number_of(result) == {"accepted": 400, "unconfirmed": 400, "not_attempted": 200}


def test_more_jobs_get_more_time_in_proportion() -> None:
    client = FakeClient(seconds=9.0)
    # 5,000 ids are 50 requests, 13 waves of 9 seconds: more than 100 seconds, less than five times that.
    assert delete(client, 5000, seconds=100.0).complete


def test_stopping_midway_says_what_was_sent_what_is_unsure_and_what_was_not_tried() -> None:
    client = FakeClient(seconds=1.0)
    person = Person(lambda: len(client.deletes) == 8)
    result = delete(client, 1000, person)
    assert result.stopped
    assert len(client.deletes) == 8
    assert number_of(result) == {"accepted": 400, "unconfirmed": 400, "not_attempted": 200}
    assert deletion_report(result).startswith("Stopped: 400 of 1,000 jobs accepted for removal.")


def test_a_stop_before_the_first_request_sends_nothing() -> None:
    client = FakeClient()
    result = delete(client, 300, Person(lambda: True))
    assert client.deletes == []
    assert number_of(result) == {"not_attempted": 300}


def test_cancelling_passes_through_and_the_log_says_what_had_been_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = FakeClient(seconds=1.0)

    async def cancel_midway() -> None:
        work = asyncio.ensure_future(History(client).delete(ids(1000), Person()))
        await asyncio.sleep(1.5)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert work.cancelled()

    with caplog.at_level(logging.WARNING, logger="cloud_history"):
        virtual_time.run(cancel_midway())
    assert len(client.deletes) == 8
    [record] = caplog.records
    said = record.getMessage()
    assert "400 of 1,000 jobs accepted for removal" in said
    assert "400 unconfirmed: it was cancelled" in said
    assert "200 not tried" in said
    assert ids(1000)[799] in said


def test_a_fault_of_ours_in_one_request_leaves_no_other_request_running() -> None:
    client = FakeClient(seconds=1.0)

    def broken(phase: str, done: int, total: int) -> None:
        if done == 100:
            raise ValueError("the progress bar broke")

    person = Person()
    person.progress = broken  # type: ignore[method-assign]

    async def fail() -> None:
        with pytest.raises(ValueError, match="progress bar"):
            await History(client).delete(ids(1000), person)
        await asyncio.sleep(60.0)

    virtual_time.run(fail())
    assert len(client.deletes) == 4
