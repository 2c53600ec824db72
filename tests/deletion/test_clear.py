"""A clear counts jobs, sends one request, counts again and reports only what the counts show."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from cloud_history.deletion.clear import Clear
from cloud_history.deletion.delete import PATIENCE_SECONDS
from cloud_history.deletion.outcomes import ClearOutcome, ClearResult
from cloud_history.deletion.report import clear_report
from cloud_history.errors import (
    ApiMovedOn,
    CloudConnectionError,
    CloudError,
    CloudTimeoutError,
    HistoryGrew,
    NotFound,
    OperationStopped,
    PreviewExpired,
    RateLimited,
    ServerFault,
    Unauthorized,
    UnreadableAnswer,
)
from cloud_history.jobs.job import Job
from support import virtual_time
from support.fake_history_client import FakeClient, Person, job
from support.requests import clear_preview_of
from support.safeguards import NoSafeguards

LOST = CloudConnectionError("connection_lost", sent=True)
UNREACHABLE = CloudConnectionError("not_reached", host="cloud.comfy.org", sent=False)
LOOKS_AGAIN = 5


def clear(client: FakeClient, person: Person | None = None, confirmed: int | None = None) -> ClearResult:
    preview = None if confirmed is None else clear_preview_of(confirmed)
    return virtual_time.run(Clear(client, NoSafeguards()).run(person or Person(), preview))


def test_clearing_a_history_without_finished_jobs_sends_no_request() -> None:
    client = FakeClient(looks=[0], active=3)
    result = clear(client)
    assert client.clears == 0
    assert (result.outcome, result.removed, result.listed) == (ClearOutcome.DELETED, 0, 0)
    assert result.before.active == 3


def test_a_successful_clear_reports_the_number_of_removed_jobs() -> None:
    client = FakeClient(looks=[240, 0], active=2)
    result = clear(client)
    assert client.clears == 1
    assert (result.outcome, result.removed, result.listed) == (ClearOutcome.DELETED, 240, 0)
    assert result.error is None


def test_a_clear_stops_counting_once_no_finished_job_is_left() -> None:
    client = FakeClient(looks=[240, 0, 7])
    assert clear(client).outcome is ClearOutcome.DELETED
    assert client.looked == 2


@pytest.mark.parametrize("looks", [[240, 240, 0], [240, 240, 240, 100, 0], [240] * 6 + [0]])
def test_jobs_are_counted_again_while_the_list_lags_behind_a_clear(looks: list[int]) -> None:
    client = FakeClient(looks=looks)
    result = clear(client)
    assert (result.outcome, result.removed) == (ClearOutcome.DELETED, 240)
    assert client.clears == 1


def test_jobs_are_counted_for_about_five_seconds_after_a_clear() -> None:
    async def timed() -> float:
        await Clear(client, NoSafeguards(), seconds=120.0).run(Person())
        return virtual_time.now()

    client = FakeClient(looks=[240])
    assert 4.5 < virtual_time.run(timed()) < 6.0
    assert client.looked == 1 + 1 + LOOKS_AGAIN


@pytest.mark.parametrize(
    ("looks", "clear_error", "outcome", "removed", "listed"),
    [
        ([240, 40], None, ClearOutcome.PARTIAL, 200, 40),
        ([240, 240], None, ClearOutcome.UNCONFIRMED, 0, 240),
        ([240, 245], None, ClearOutcome.UNCONFIRMED, 0, 245),
        ([240, ServerFault(500)], None, ClearOutcome.UNCONFIRMED, None, None),
        ([240, 0], LOST, ClearOutcome.DELETED, 240, 0),
        ([240, 40], LOST, ClearOutcome.UNKNOWN, 200, 40),
        ([240, 240], LOST, ClearOutcome.UNKNOWN, 0, 240),
        ([240, ServerFault(500)], LOST, ClearOutcome.UNKNOWN, None, None),
        ([240, 0], UnreadableAnswer(200), ClearOutcome.DELETED, 240, 0),
        ([240, 240], UnreadableAnswer(200), ClearOutcome.UNKNOWN, 0, 240),
        ([240, 0], CloudTimeoutError(sent=True), ClearOutcome.DELETED, 240, 0),
        ([240], UNREACHABLE, ClearOutcome.FAILED, 0, 240),
        ([240], Unauthorized(401), ClearOutcome.FAILED, 0, 240),
        ([240], ApiMovedOn(410), ClearOutcome.FAILED, 0, 240),
        ([240, 0], ServerFault(504), ClearOutcome.DELETED, 240, 0),
        ([240, 240], ServerFault(500), ClearOutcome.UNKNOWN, 0, 240),
        ([240], RateLimited(429, retry_after=60.0), ClearOutcome.FAILED, 0, 240),
    ],
)
def test_each_combination_of_counts_and_error_gives_the_expected_outcome_of_a_clear(
    looks: Sequence[int | CloudError],
    clear_error: CloudError | None,
    outcome: ClearOutcome,
    removed: int | None,
    listed: int | None,
) -> None:
    client = FakeClient(looks=looks, clear_error=clear_error)
    result = clear(client)
    assert (result.outcome, result.removed, result.listed) == (outcome, removed, listed)
    assert client.clears == 1
    if outcome in (ClearOutcome.FAILED, ClearOutcome.UNKNOWN):
        assert result.error is clear_error


def test_a_refused_clear_is_not_counted_again() -> None:
    client = FakeClient(looks=[240], clear_error=Unauthorized(401))
    clear(client)
    assert client.looked == 1


def test_a_clear_reports_why_the_list_could_not_be_read() -> None:
    why = ServerFault(502)
    assert clear(FakeClient(looks=[240, why])).error is why
    assert clear(FakeClient(looks=[240, why], clear_error=LOST)).error is LOST


def test_a_clear_keeps_its_last_count_if_a_later_count_fails() -> None:
    result = clear(FakeClient(looks=[240, 40, ServerFault(500)]))
    assert (result.outcome, result.listed) == (ClearOutcome.UNCONFIRMED, 40)


def test_no_clear_is_sent_if_the_history_cannot_be_counted_before() -> None:
    client = FakeClient(looks=[ServerFault(500)])
    with pytest.raises(ServerFault):
        clear(client)
    assert client.clears == 0


def test_no_clear_is_sent_if_more_jobs_have_finished_than_were_confirmed() -> None:
    client = FakeClient(looks=[1243])
    with pytest.raises(HistoryGrew) as rose:
        clear(client, confirmed=3)
    assert client.clears == 0
    assert rose.value.message == "1,240 more jobs have finished since you looked."
    assert rose.value.counts.finished == 1243


def test_the_error_about_one_more_finished_job_uses_the_singular() -> None:
    with pytest.raises(HistoryGrew) as rose:
        clear(FakeClient(looks=[4]), confirmed=3)
    assert rose.value.message == "1 more job has finished since you looked."


def test_a_clear_fails_if_the_list_is_empty_although_the_preview_had_jobs() -> None:
    client = FakeClient(looks=[0])
    with pytest.raises(PreviewExpired, match="There were 240 when you looked"):
        clear(client, confirmed=240)
    assert client.clears == 0


@pytest.mark.parametrize("confirmed", [240, 241, None])
def test_a_clear_is_sent_if_the_history_has_at_most_the_confirmed_number_of_jobs(confirmed: int | None) -> None:
    client = FakeClient(looks=[240, 0])
    assert clear(client, confirmed=confirmed).outcome is ClearOutcome.DELETED
    assert client.clears == 1


def test_jobs_that_arrive_during_a_clear_are_listed_and_never_counted_as_removed() -> None:
    result = clear(FakeClient(looks=[10, 12]))
    assert (result.outcome, result.removed, result.listed) == (ClearOutcome.UNCONFIRMED, 0, 12)
    result = clear(FakeClient(looks=[10, 2]))
    assert (result.outcome, result.removed, result.listed) == (ClearOutcome.PARTIAL, 8, 2)


def test_stopping_a_clear_during_its_count_sends_no_request() -> None:
    client = FakeClient(looks=[240])
    with pytest.raises(OperationStopped):
        clear(client, Person(lambda: True))
    assert client.clears == 0


def test_stopping_a_clear_between_its_count_and_its_request_sends_no_request() -> None:
    client = FakeClient(looks=[240])

    async def stopped_at_the_last_moment() -> None:
        looks = iter([False, True])
        await Clear(client, NoSafeguards()).run(Person(lambda: next(looks, True)))

    with pytest.raises(OperationStopped):
        virtual_time.run(stopped_at_the_last_moment())
    assert client.clears == 0


@pytest.mark.parametrize(
    ("looks", "outcome", "removed"),
    [
        ([240, 240], ClearOutcome.UNKNOWN, 0),
        ([240, 0], ClearOutcome.DELETED, 240),
        ([240, ServerFault(500)], ClearOutcome.UNKNOWN, None),
    ],
)
def test_stopping_a_clear_during_its_request_still_counts_the_jobs_once_more(
    looks: list[int | CloudError], outcome: ClearOutcome, removed: int | None
) -> None:
    client = FakeClient(looks=looks, seconds=30.0)
    result = clear(client, Person(lambda: client.clears > 0))
    assert (result.outcome, result.stopped, result.removed) == (outcome, True, removed)
    assert client.clears == 1
    # Without an error, the report would say that the cloud accepted the request.
    assert isinstance(result.error, OperationStopped) is (outcome is ClearOutcome.UNKNOWN)


def test_a_patient_clear_lets_its_request_end_and_sees_what_is_gone() -> None:
    client = FakeClient(looks=[240, 0], seconds=3.0)

    async def stopped() -> ClearResult:
        clear = Clear(client, NoSafeguards(), patience=PATIENCE_SECONDS)
        return await clear.run(Person(lambda: client.clears > 0))

    result = virtual_time.run(stopped())
    assert (result.outcome, result.stopped, result.removed) == (ClearOutcome.DELETED, False, 240)


def test_a_stopped_clear_does_not_wait_for_a_slow_count() -> None:
    client = FakeClient(looks=[240], seconds=30.0)

    async def stopped() -> tuple[ClearResult, float]:
        loop = asyncio.get_running_loop()
        result = await Clear(client, NoSafeguards()).run(Person(slow))
        return result, loop.time() - began

    began = 0.0

    def slow() -> bool:
        nonlocal began
        if client.clears and not began:
            client.looking, began = 60.0, asyncio.get_running_loop().time()
        return client.clears > 0

    result, took = virtual_time.run(stopped())
    assert (result.outcome, result.listed) == (ClearOutcome.UNKNOWN, None)
    assert took < 0.5


def test_stopping_a_clear_while_it_counts_again_reports_the_last_count() -> None:
    client = FakeClient(looks=[240])
    result = clear(client, Person(lambda: client.looked >= 3))
    assert (result.outcome, result.stopped, result.listed) == (ClearOutcome.UNCONFIRMED, True, 240)


def test_cancelling_a_clear_raises_cancelled_error() -> None:
    async def cancel() -> None:
        work = asyncio.ensure_future(Clear(FakeClient(looks=[9], seconds=60.0), NoSafeguards()).run(Person()))
        await asyncio.sleep(1.0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    virtual_time.run(cancel())


def test_jobs_are_counted_after_a_clear_even_if_its_time_limit_has_passed() -> None:
    client = FakeClient(looks=[240, 0], seconds=500.0)
    result = clear(client)
    assert (result.outcome, result.removed) == (ClearOutcome.DELETED, 240)


def test_a_clear_reports_its_phases_in_order() -> None:
    person = Person()
    clear(FakeClient(looks=[240, 0]), person)
    assert [phase for phase, _, _ in person.told] == ["sending", "checking"]


def test_counts_are_repeated_only_until_the_time_limit_of_the_clear() -> None:
    client = FakeClient(looks=[240], looking=1.5)

    async def took() -> float:
        begun = asyncio.get_running_loop().time()
        await Clear(client, NoSafeguards(), seconds=10).run(Person())
        return asyncio.get_running_loop().time() - begun

    assert virtual_time.run(took()) < 15


class StillFound(FakeClient):
    """Returns an empty list after the clear, but still returns each job by its id."""

    async def get_job(self, job_id: str) -> Job:
        return job(job_id)


class NoRoute(FakeClient):
    """Answers 404 to every request for a job by id, even before the clear."""

    async def get_job(self, job_id: str) -> Job:
        raise NotFound(404)


@pytest.mark.parametrize(
    ("client", "doubt"),
    [
        (StillFound, "a job that is not listed is still found by its id"),
        (NoRoute, "no job that is listed is found by its id"),
    ],
)
def test_an_empty_list_proves_no_removal_if_a_lookup_by_id_disagrees(client: type[FakeClient], doubt: str) -> None:
    result = virtual_time.run(Clear(client(looks=[240, 0]), NoSafeguards()).run(Person()))
    assert (result.outcome, result.removed) == (ClearOutcome.UNCONFIRMED, None)
    assert doubt in str(result.doubt)
    assert doubt in clear_report(result)
    assert "removed from" not in clear_report(result)
