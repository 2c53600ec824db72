"""A stop takes effect within half a second, after the work has ended. The tests run in virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NoReturn

import pytest

from cloud_history.errors import CloudTimeoutError, OperationStopped, ServerFault
from cloud_history.tasks import stopping
from cloud_history.tasks.stopping import (
    STOP_CHECK_SECONDS,
    Deadline,
    LoopPauses,
    Unwatched,
    gather_all,
    run_stoppable,
)
from support import virtual_time
from support.fake_history_client import Person

PACK = Path(stopping.__file__).parent
SOON = 0.5
"""Seconds within which a stop must be noticed."""


class Work:
    """An hour of work that records whether it was cancelled."""

    def __init__(self, seconds: float = 3600.0, slow_end: float = 0.0) -> None:
        self.seconds, self.slow_end = seconds, slow_end
        self.started = self.ended = False

    async def do(self) -> str:
        self.started = True
        try:
            await asyncio.sleep(self.seconds)
            return "done"
        finally:
            if self.slow_end:
                await asyncio.sleep(self.slow_end)
            self.ended = True


async def _timed(work: Work, person: Person, seconds: float) -> tuple[float, BaseException | str]:
    try:
        return virtual_time.now(), await run_stoppable(work.do(), person, seconds)
    except (OperationStopped, CloudTimeoutError) as error:
        return virtual_time.now(), error


def stopped_at(moment: float) -> Person:
    """Return a person who wants to stop from this time on."""
    return Person(lambda: virtual_time.now() >= moment)


def test_stops_are_checked_often_enough_for_half_a_second() -> None:
    assert 0.05 <= STOP_CHECK_SECONDS < SOON


@pytest.mark.parametrize("moment", [0.0, 0.001, 0.1, 0.3, 0.75, 1.0, 59.9])
def test_a_stop_is_noticed_within_half_a_second(moment: float) -> None:
    work = Work()
    noticed, error = virtual_time.run(_timed(work, stopped_at(moment), 3600.0))
    assert isinstance(error, OperationStopped)
    assert moment <= noticed <= moment + SOON
    assert work.ended or not work.started


def test_a_stop_is_raised_only_after_slow_work_has_ended() -> None:
    work = Work(slow_end=2.0)
    noticed, error = virtual_time.run(_timed(work, stopped_at(1.0), 3600.0))
    assert isinstance(error, OperationStopped)
    assert work.ended
    assert noticed >= 3.0


def test_a_result_is_returned_without_delay() -> None:
    assert virtual_time.run(_timed(Work(seconds=0.05), Person(), 10.0)) == (0.0, "done")

    async def timed() -> float:
        await run_stoppable(Work(seconds=0.05).do(), Person(), 10.0)
        return virtual_time.now()

    assert virtual_time.run(timed()) == pytest.approx(0.05)


@pytest.mark.parametrize("seconds", [0.05, 1.0, 120.0])
def test_stoppable_work_ends_at_its_timeout(seconds: float) -> None:
    work = Work()
    noticed, error = virtual_time.run(_timed(work, Person(), seconds))
    assert isinstance(error, CloudTimeoutError)
    assert error.sent
    assert noticed == pytest.approx(seconds)
    assert work.ended


def test_an_error_of_stoppable_work_is_raised_unchanged() -> None:
    async def fail() -> NoReturn:
        raise ServerFault(500)

    with pytest.raises(ServerFault):
        virtual_time.run(run_stoppable(fail(), Unwatched(), 10.0))


def test_cancelling_the_caller_ends_the_work_before_it_raises() -> None:
    work = Work(slow_end=1.0)

    async def cancel() -> None:
        outer = asyncio.ensure_future(run_stoppable(work.do(), Unwatched(), 3600.0))
        await asyncio.sleep(5.0)
        outer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await outer
        assert work.ended

    virtual_time.run(cancel())


@pytest.mark.parametrize("way", ["stoppable", "together", "stopped first"])
def test_a_second_cancellation_does_not_leave_work_running(way: str) -> None:
    work, beside = Work(slow_end=1.0), Work(slow_end=2.0)
    person = stopped_at(4.0) if way == "stopped first" else Person()

    async def cancel_twice() -> None:
        both = gather_all([work.do(), beside.do()])
        outer = asyncio.ensure_future(both if way == "together" else run_stoppable(both, person, 3600.0))
        await asyncio.sleep(4.5)
        for _ in range(3):
            outer.cancel()
            await asyncio.sleep(0.1)
        with pytest.raises(asyncio.CancelledError):
            await outer
        assert work.ended
        assert beside.ended

    virtual_time.run(cancel_twice())


def test_an_error_in_the_stop_check_ends_the_work() -> None:
    work = Work()

    def broken() -> bool:
        if virtual_time.now() > 1.0:
            raise ValueError("no answer")
        return False

    with pytest.raises(ValueError, match="no answer"):
        virtual_time.run(run_stoppable(work.do(), Person(broken), 3600.0))
    assert work.ended


def test_the_seconds_to_a_deadline_never_fall_below_the_minimum() -> None:
    async def spend() -> None:
        deadline = Deadline(10.0)
        assert deadline.left() == 10.0
        await asyncio.sleep(4.0)
        assert deadline.left() == pytest.approx(6.0)
        assert deadline.left(at_least=15.0) == 15.0
        await asyncio.sleep(20.0)
        assert deadline.left() == 0.0
        assert deadline.left(at_least=2.5) == 2.5

    virtual_time.run(spend())


async def test_a_pause_waits_for_its_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(stopping, "WORK_SECONDS", 1000.0)
    await LoopPauses(Unwatched())()
    assert slept == [], "not after little work"
    monkeypatch.setattr(stopping, "WORK_SECONDS", 0.0)
    await LoopPauses(Unwatched())()
    assert slept == [0.001]


async def test_long_work_can_be_stopped_at_each_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "WORK_SECONDS", 0.0)
    with pytest.raises(OperationStopped):
        await LoopPauses(Person(lambda: True))()


def test_no_module_yields_with_a_sleep_of_zero() -> None:
    without = [path.name for path in PACK.rglob("*.py") if "await asyncio.sleep(0)" in path.read_text("utf-8")]
    assert without == []
