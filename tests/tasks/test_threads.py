"""Blocking work in our own threads does not block an event loop, and releases its resources."""

from __future__ import annotations

import asyncio
import concurrent.futures
import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from cloud_history.errors import OperationStopped, StateNotAnswering
from cloud_history.secret import log_about
from cloud_history.tasks import threads
from cloud_history.tasks.threads import InTurn, Pool, compute_in_thread, run_in_pool, run_in_thread, write_in_thread

PACK = Path(__file__).parent.parent.parent


class Slow:
    """Work that acquires a resource when the test allows it."""

    def __init__(self) -> None:
        self.began, self.go_on = threading.Event(), threading.Event()
        self.took, self.gave_back = threading.Event(), threading.Event()

    def take(self) -> str:
        self.began.set()
        self.go_on.wait(10)
        self.took.set()
        return "it"

    def give_back(self, taken: str) -> None:
        assert taken == "it"
        self.gave_back.set()


@pytest.fixture
def slow() -> Iterator[Slow]:
    slow = Slow()
    yield slow
    slow.go_on.set()


async def test_the_result_and_the_errors_of_work_are_passed_on() -> None:
    def divide(by: int, *, top: int = 6) -> float:
        return top / by

    assert await run_in_thread(divide, 2) == 3
    assert await compute_in_thread(divide, 2, top=8) == 4
    with pytest.raises(ZeroDivisionError):
        await run_in_thread(divide, 0)


async def test_work_is_not_delayed_by_another_pack_that_fills_the_default_executor() -> None:
    loop, leave = asyncio.get_running_loop(), threading.Event()
    executor = concurrent.futures.ThreadPoolExecutor(1)
    loop.set_default_executor(executor)
    theirs = loop.run_in_executor(None, leave.wait, 10)
    assert await asyncio.wait_for(run_in_thread(str, 5), 2) == "5"
    assert not theirs.done()
    leave.set()
    await theirs


def test_an_event_loop_closes_even_if_its_threads_never_return(slow: Slow) -> None:
    async def gives_up() -> None:
        work = asyncio.ensure_future(run_in_thread(slow.take))
        while not slow.began.is_set():  # noqa: ASYNC110 - a thread sets it
            await asyncio.sleep(0.005)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(work, 0.05)

    begin = time.monotonic()
    asyncio.run(gives_up())
    assert not slow.took.is_set()
    assert time.monotonic() - begin < 5


def test_a_process_ends_even_if_its_threads_never_return() -> None:
    code = (
        "import asyncio, threading\n"
        "from cloud_history.tasks.threads import run_in_background\n"
        "begun = threading.Event()\n"
        "run_in_background(lambda: (begun.set(), threading.Event().wait()))\n"
        "begun.wait(10)"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=PACK, timeout=20, check=False)
    assert ended.returncode == 0


async def test_work_that_waits_for_its_turn_leaves_the_threads_of_a_pool_to_others(slow: Slow) -> None:
    pool = Pool("few", 2)
    in_turn = InTurn(pool)
    done: list[int] = []
    hangs = asyncio.ensure_future(run_in_pool(slow.take, in_turn, 10))
    waiting = [asyncio.ensure_future(run_in_pool(partial(done.append, n), in_turn, 10)) for n in range(4)]
    assert await run_in_pool(lambda: "other work", pool, 2) == "other work"
    with pytest.raises(StateNotAnswering):
        await run_in_pool(lambda: done.append(9), in_turn, 0.1)
    assert done == []
    slow.go_on.set()
    assert await hangs == "it"
    await asyncio.gather(*waiting)
    assert done == [0, 1, 2, 3]
    assert await run_in_pool(lambda: "again", in_turn, 2) == "again"


async def test_work_that_exceeds_its_timeout_raises_an_error(slow: Slow) -> None:
    with pytest.raises(StateNotAnswering, match=r"has not answered for 0 seconds"):
        await run_in_pool(slow.take, Pool("test", 1), 0.01)


@pytest.mark.parametrize("seconds", [None, 0.3], ids=["usual", "named"])
async def test_a_write_that_exceeds_its_timeout_raises_an_error_and_is_undone_when_it_ends(
    slow: Slow, monkeypatch: pytest.MonkeyPatch, seconds: float | None
) -> None:
    if seconds is None:
        monkeypatch.setattr(threads, "FILE_SECONDS", 0.3)
    with pytest.raises(StateNotAnswering):
        await asyncio.wait_for(write_in_thread(slow.take, slow.give_back, seconds=seconds), 3)
    assert not slow.took.is_set()
    slow.go_on.set()
    assert await run_in_thread(slow.gave_back.wait, 5)


async def test_work_that_was_cancelled_before_it_started_never_runs(slow: Slow) -> None:
    pool, done = Pool("test", 1), threading.Event()
    first = asyncio.ensure_future(run_in_pool(slow.take, pool, 10))
    await run_in_thread(slow.began.wait, 5)
    with pytest.raises(StateNotAnswering):
        await run_in_pool(done.set, pool, 0.01)
    slow.go_on.set()
    assert await first == "it"
    await run_in_pool(lambda: None, pool, 5)
    assert not done.is_set()


@pytest.mark.parametrize("cancels", [1, 2, 5])
async def test_a_resource_acquired_for_a_cancelled_caller_is_released(slow: Slow, cancels: int) -> None:
    waiting = asyncio.ensure_future(write_in_thread(slow.take, slow.give_back))
    await run_in_thread(slow.began.wait, 5)
    for _ in range(cancels):
        waiting.cancel()
        await asyncio.sleep(0)
    slow.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await run_in_thread(slow.gave_back.wait, 5)


async def test_cancelling_waits_until_a_short_write_has_been_undone(
    slow: Slow,
) -> None:
    waiting = asyncio.ensure_future(write_in_thread(slow.take, slow.give_back))
    await run_in_thread(slow.began.wait, 5)
    waiting.cancel()
    asyncio.get_running_loop().call_later(0.02, slow.go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert slow.gave_back.is_set()


async def test_the_effect_of_work_is_undone_if_its_caller_was_cancelled(slow: Slow) -> None:
    waiting = asyncio.ensure_future(write_in_thread(slow.take, slow.give_back))
    await run_in_thread(slow.began.wait, 5)
    slow.go_on.set()
    assert slow.took.wait(5)  # the loop is blocked here, so it has not processed the result yet
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await run_in_thread(slow.gave_back.wait, 5)


def test_closing_an_event_loop_releases_acquired_resources(slow: Slow) -> None:
    async def left() -> None:
        task = asyncio.ensure_future(write_in_thread(slow.take, slow.give_back))
        await run_in_thread(slow.began.wait, 5)
        _left.append(task)

    _left: list[asyncio.Task[str]] = []
    loop = asyncio.new_event_loop()
    loop.run_until_complete(left())
    loop.close()  # without cancelling the waiting task
    slow.go_on.set()
    assert slow.gave_back.wait(5)
    _left.clear()
    gc.collect()


async def test_a_stop_is_noticed_while_a_write_hangs(slow: Slow) -> None:
    def stop() -> None:
        raise OperationStopped()

    begin = time.monotonic()
    with pytest.raises(OperationStopped):
        await write_in_thread(slow.take, slow.give_back, meanwhile=stop)
    assert time.monotonic() - begin < 2
    slow.go_on.set()
    assert await run_in_thread(slow.gave_back.wait, 5)


async def test_an_error_in_a_thread_is_logged_with_the_operation_id(
    slow: Slow, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*taken: str) -> None:
        raise PermissionError("Permission denied")

    with log_about("0123456789abcdef" * 2):
        threads.run_in_background(refuse)
        writing = asyncio.ensure_future(write_in_thread(slow.take, refuse))
    await run_in_thread(slow.began.wait, 10)
    writing.cancel()
    slow.go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    for _ in range(1000):
        if len(caplog.messages) == 2:
            break
        await asyncio.sleep(0.005)
    background, undo = sorted(caplog.messages)
    assert background.startswith("[01234567] A background task failed.")
    assert undo.startswith("[01234567] A cancelled write of a file could not be undone")
