"""Work on our own event loop ends with its caller, and does not block the caller's loop."""

from __future__ import annotations

import asyncio
import threading

import pytest

from cloud_history.tasks import own_loop
from cloud_history.tasks.own_loop import run_on_own_loop
from cloud_history.tasks.threads import run_in_thread


async def thread() -> str:
    return threading.current_thread().name


async def test_work_runs_in_another_thread_and_returns_its_result() -> None:
    assert await run_on_own_loop(thread()) == "cloud-history-loop"

    async def inside() -> str:
        return await run_on_own_loop(thread())

    assert await run_on_own_loop(inside()) == "cloud-history-loop"


async def test_errors_of_the_work_are_raised_in_the_caller() -> None:
    async def fails() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await run_on_own_loop(fails())


@pytest.mark.parametrize("cancels", [1, 3])
async def test_a_cancelled_caller_continues_only_after_its_work_has_ended(cancels: int) -> None:
    began, ended = threading.Event(), threading.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            ended.set()

    caller = asyncio.ensure_future(run_on_own_loop(work()))
    assert await run_in_thread(began.wait, 5)
    for _ in range(cancels):
        caller.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert ended.is_set()


async def test_work_of_an_immediately_cancelled_caller_is_not_started_or_is_cancelled() -> None:
    went_on = threading.Event()

    async def work() -> None:
        await asyncio.sleep(0.01)
        went_on.set()

    caller = asyncio.ensure_future(run_on_own_loop(work()))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert not await run_in_thread(went_on.wait, 0.1)


async def test_a_loop_that_ends_cancels_its_tasks() -> None:
    began, cancelled = threading.Event(), threading.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def ends() -> None:
        left.append(asyncio.ensure_future(run_on_own_loop(work())))
        await run_in_thread(began.wait, 5)

    left: list[asyncio.Task[None]] = []
    await run_in_thread(lambda: asyncio.run(ends()))
    assert await run_in_thread(cancelled.wait, 5)


async def test_systemexit_raised_by_work_does_not_end_other_work() -> None:
    began, go_on = threading.Event(), threading.Event()

    async def other() -> str:
        began.set()
        await run_in_thread(go_on.wait, 5)
        return await thread()

    async def exits() -> None:
        raise SystemExit(3)

    beside = asyncio.ensure_future(run_on_own_loop(other()))
    assert await run_in_thread(began.wait, 5)
    with pytest.raises(SystemExit):
        await run_on_own_loop(exits())
    go_on.set()
    assert await asyncio.wait_for(beside, 5) == "cloud-history-loop"
    assert await asyncio.wait_for(run_on_own_loop(thread()), 5) == "cloud-history-loop"


async def test_a_stopped_loop_is_replaced_and_its_waiters_get_an_error() -> None:
    began, ended = threading.Event(), threading.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def stop() -> None:
        asyncio.get_running_loop().stop()

    waiting = asyncio.ensure_future(run_on_own_loop(work()))
    assert await run_in_thread(began.wait, 5)
    await run_on_own_loop(stop())
    with pytest.raises(RuntimeError, match="has ended: the outcome is not known"):
        await asyncio.wait_for(waiting, 5)
    assert ended.is_set()
    assert await asyncio.wait_for(run_on_own_loop(thread()), 5) == "cloud-history-loop"


async def test_a_loop_whose_thread_died_is_replaced_and_its_waiters_get_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_loop, "CHECK_SECONDS", 0.05)
    real = own_loop._serve
    monkeypatch.setattr(own_loop, "_own", own_loop._OwnLoop())
    died: list[asyncio.AbstractEventLoop] = []

    def dies(loop: asyncio.AbstractEventLoop) -> None:
        died.append(loop)

    monkeypatch.setattr(own_loop, "_serve", dies)
    with pytest.raises(RuntimeError, match="has ended: the outcome is not known"):
        await asyncio.wait_for(run_on_own_loop(unstarted := thread()), 5)
    unstarted.close()
    monkeypatch.setattr(own_loop, "_serve", real)
    assert await asyncio.wait_for(run_on_own_loop(thread()), 5) == "cloud-history-loop"
    died[0].close()
