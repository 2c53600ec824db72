"""Stopping and cancelling a deletion: soon, with nothing left running, and with what had been sent told."""

from __future__ import annotations

import asyncio
import logging

import pytest

from cloud_history.deletion.clear import History
from cloud_history.deletion.outcomes import DeletionResult, Outcome
from cloud_history.deletion.report import deletion_report
from cloud_history.errors import CloudConnectionError, OperationStopped
from support import virtual_time
from support.fake_history_client import FakeClient, Person, ids, jobs_of

LOST = CloudConnectionError("The connection was lost before the answer came.", sent=True)
UNREACHABLE = CloudConnectionError("Can’t reach cloud.comfy.org.", sent=False)


def delete(client: FakeClient, count: int, person: Person | None = None, **options: float) -> DeletionResult:
    client.jobs = client.jobs or jobs_of(ids(count))
    history = History(client, **options)  # type: ignore[arg-type]
    return virtual_time.run(history.delete(ids(count), person or Person()))


def number_of(result: DeletionResult) -> dict[str, int]:
    return {outcome.value: len(result.ids(outcome)) for outcome in Outcome if result.ids(outcome)}


def test_stopping_midway_says_what_was_sent_what_is_unsure_and_what_was_not_tried() -> None:
    client = FakeClient(seconds=1.0)
    person = Person(lambda: len(client.deletes) == 10)
    result = delete(client, 1200, person)
    assert result.stopped
    assert len(client.deletes) == 10
    assert number_of(result) == {"deleted": 500, "unconfirmed": 500, "not_attempted": 200}
    assert result.failed, "what nobody answered is an error, though it may be gone a moment later"
    assert {each.why for each in result.jobs.values()} == {"", "you stopped it"}
    assert deletion_report(result).startswith("Stopped: 500 of 1,200 jobs removed.")


@pytest.mark.parametrize("looking", [0.01, 3.0, 3600.0])
def test_a_stop_has_an_answer_within_half_a_second_however_slowly_the_history_is_read(looking: float) -> None:
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
        result = await History(client).delete(ids(1200), Person(stops))
        assert virtual_time.now() - pressed[0] < 0.3  # and 0.2 until it is asked
        return result

    result = virtual_time.run(timed())
    assert result.stopped
    assert result.ids(Outcome.NOT_ATTEMPTED) == ids(1200)[1000:]
    if looking > 1:
        assert number_of(result) == {"unconfirmed": 1000, "not_attempted": 200}
        assert {result.jobs[each].why for each in ids(1200)[:500]} == {"accepted, but not read back"}
        assert result.errors == ()


def test_a_stop_before_the_first_request_sends_nothing() -> None:
    client = FakeClient()
    with pytest.raises(OperationStopped):
        delete(client, 300, Person(lambda: True))
    assert client.deletes == []


def test_a_stop_while_it_checks_ends_it_with_what_was_seen_by_then() -> None:
    client = FakeClient(lies=True)
    result = delete(client, 300, Person(lambda: len(client.answered) == 3 and virtual_time.now() > 1.5))
    assert result.stopped
    assert number_of(result) == {"unconfirmed": 300}
    assert {each.why for each in result.jobs.values()} == {"accepted, but still listed"}


def test_cancelling_passes_through_and_the_log_says_what_had_been_sent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = FakeClient(seconds=1.0)

    async def cancel_midway() -> None:
        client.jobs = jobs_of(ids(1200))
        work = asyncio.ensure_future(History(client).delete(ids(1200), Person()))
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


def test_a_fault_of_ours_in_one_request_leaves_no_other_request_running() -> None:
    client = FakeClient(seconds=1.0)

    def broken(phase: str, done: int, total: int) -> None:
        if done == 100:
            raise ValueError("the progress bar broke")

    person = Person()
    person.progress = broken  # type: ignore[method-assign]

    async def fail() -> None:
        client.jobs = jobs_of(ids(1000))
        with pytest.raises(ValueError, match="progress bar"):
            await History(client).delete(ids(1000), person)
        await asyncio.sleep(60.0)

    virtual_time.run(fail())
    assert len(client.deletes) == 5
