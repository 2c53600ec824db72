"""Work that a person can stop, and that has a time limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

from ..errors import CloudConnectionError, CloudTimeoutError, OperationStopped

T = TypeVar("T")

ASKED_TO_WAIT = "asked_to_wait"
"""Phase of a wait that Comfy Cloud asks for. Reported once, as it begins, as 0 of its number of seconds."""
STOP_CHECK_SECONDS = 0.2
"""Interval at which work checks whether the person wants to stop it."""
WORK_SECONDS = 0.005
"""Work between two pauses."""
PAUSE_SECONDS = 0.001
"""Long enough for a waiting thread to wake up."""


class Watch(Protocol):
    """How an operation reports progress to a person, and learns that they want to stop it."""

    def stop_requested(self) -> bool:
        """Return whether to stop. Called several times a second; must not block."""

    def progress(self, phase: str, done: int, total: int) -> None:
        """Called at each step. `phase` is "waiting", "backing_up", "sending", "checking" or ASKED_TO_WAIT."""


class Unwatched:
    """A Watch for work without a person: never stops, reports nothing."""

    def stop_requested(self) -> bool:
        return False

    def progress(self, phase: str, done: int, total: int) -> None:
        pass


def check_stopped(watch: Watch) -> None:
    """Raises OperationStopped: a person wants it to stop."""
    if watch.stop_requested():
        raise OperationStopped()


class Deadline:
    """The moment by which an operation must end: this many seconds from now."""

    def __init__(self, seconds: float) -> None:
        self._clock = asyncio.get_running_loop().time
        self._end = self._clock() + seconds

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Extend the deadline by the time spent inside."""
        since = self._clock()
        try:
            yield
        finally:
            self._end += self._clock() - since

    def left(self, at_least: float = 0.0) -> float:
        """Return the seconds left, but never less than `at_least`."""
        return max(at_least, self._end - self._clock())


async def gather_all(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run coroutines concurrently. If one fails, the others are cancelled and have ended before its error is raised."""
    tasks = [asyncio.ensure_future(each) for each in work]
    results = asyncio.gather(*tasks)
    try:
        # Not awaited directly: that would pass on every cancellation, and interrupt the tasks' own cleanup.
        await asyncio.wait({results})
        return results.result()
    finally:
        for task in tasks:
            task.cancel()
        await wait_until_ended(results, *tasks)


async def wait_until_ended(*work: asyncio.Future[Any]) -> None:
    """Wait until all futures have ended, even if the wait is cancelled. Their exceptions are not raised.

    Raises:
        asyncio.CancelledError: the wait was cancelled. All futures have ended.
    """
    cancelled: asyncio.CancelledError | None = None
    while left := {each for each in work if not each.done()}:
        try:
            await asyncio.wait(left)
        except asyncio.CancelledError as exc:
            cancelled = exc
    for each in work:
        if not each.cancelled():
            each.exception()  # otherwise asyncio logs that it was never retrieved
    if cancelled is not None:
        raise cancelled


async def run_stoppable(work: Coroutine[Any, Any, T], watch: Watch, seconds: float) -> T:
    """Run `work`. Cancel it if the person stops it, its time is up, or the caller is cancelled.

    The work has always ended when this returns or raises.

    Raises:
        OperationStopped: the person stopped it.
        CloudTimeoutError: it took longer than `seconds`.
        asyncio.CancelledError: passed through.
    """
    deadline = Deadline(seconds)
    task = asyncio.get_running_loop().create_task(work)
    try:
        while not task.done():
            check_stopped(watch)
            left = deadline.left()
            if not left:
                raise CloudTimeoutError("took_too_long", sent=True)
            await asyncio.wait({task}, timeout=min(STOP_CHECK_SECONDS, left))
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await wait_until_ended(task)


class LoopPauses:
    """Pauses in long work on an event loop, for other threads and for a person who wants to stop it.

    `asyncio.sleep(0)` is not enough: this thread takes the interpreter lock again before another thread has woken up,
    so that ComfyUI's event loop, in its own thread, would stand still.

    Raises:
        OperationStopped: when called, if the person stopped the work.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._due = time.perf_counter() + WORK_SECONDS

    async def __call__(self) -> None:
        if time.perf_counter() < self._due:
            return
        check_stopped(self._watch)
        await asyncio.sleep(PAUSE_SECONDS)
        self._due = time.perf_counter() + WORK_SECONDS


async def sleep_stoppable(sleep: Callable[[float], Awaitable[None]], seconds: float, watch: Watch) -> None:
    """Sleep. Raises OperationStopped if the person stops the operation."""

    async def wait() -> None:
        await sleep(seconds)

    # The limit is exceeded if the computer was suspended meanwhile. That is no error.
    with suppress(CloudConnectionError):
        await run_stoppable(wait(), watch, seconds + 1)
