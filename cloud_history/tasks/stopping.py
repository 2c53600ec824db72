"""Work that a person can stop, and that stops by itself when its time is up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

from ..errors import CloudConnectionError, CloudTimeoutError, OperationStopped

T = TypeVar("T")

ASKED_TO_WAIT = "asked_to_wait"
"""The phase of a wait that Comfy Cloud asks for; told as 0 of so many seconds, as the wait begins."""
STOP_CHECK_SECONDS = 0.2
"""Seconds between two looks at the person's wish to stop."""


WORK_SECONDS = 0.005
"""Seconds of work before a turn is given."""
PAUSE_SECONDS = 0.001
"""Seconds: long enough for a thread that waits to wake."""


class Watch(Protocol):
    """What an operation tells the person who waits, and asks them."""

    def stop_requested(self) -> bool:
        """Whether the person wants it to stop. Asked several times a second; must not block."""

    def progress(self, phase: str, done: int, total: int) -> None:
        """Told at each step. `phase` is "waiting", "backing_up", "sending", "checking" or ASKED_TO_WAIT."""


class Unwatched:
    """For work nobody looks at."""

    def stop_requested(self) -> bool:
        return False

    def progress(self, phase: str, done: int, total: int) -> None:
        pass


def check_stopped(watch: Watch) -> None:
    """Raises OperationStopped: a person wants it to stop."""
    if watch.stop_requested():
        raise OperationStopped()


class Deadline:
    """The seconds one operation may take in all, from now."""

    def __init__(self, seconds: float) -> None:
        self._clock = asyncio.get_running_loop().time
        self._end = self._clock() + seconds

    @contextmanager
    def paused(self) -> Iterator[None]:
        """What is done meanwhile takes nothing of it."""
        since = self._clock()
        try:
            yield
        finally:
            self._end += self._clock() - since

    def left(self, at_least: float = 0.0) -> float:
        """Seconds that are left, and never less than `at_least`."""
        return max(at_least, self._end - self._clock())


async def gather_all(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Do all of it at once. When one fails, the others have ended before its error is raised."""
    tasks = [asyncio.ensure_future(each) for each in work]
    results = asyncio.gather(*tasks)
    try:
        # Not awaited itself: it would pass each cancellation on, and so interrupt what they do when they end.
        await asyncio.wait({results})
        return results.result()
    finally:
        for task in tasks:
            task.cancel()
        await wait_until_ended(results, *tasks)


async def wait_until_ended(*work: asyncio.Future[Any]) -> None:
    """Wait until all of it has ended, however often the waiting is cancelled. What it raised is not raised here.

    Raises:
        asyncio.CancelledError: the waiting was cancelled; all of it has ended.
    """
    cancelled: asyncio.CancelledError | None = None
    while left := {each for each in work if not each.done()}:
        try:
            await asyncio.wait(left)
        except asyncio.CancelledError as exc:
            cancelled = exc
    for each in work:
        if not each.cancelled():
            each.exception()  # or asyncio would log that nobody has asked for it
    if cancelled is not None:
        raise cancelled


async def run_stoppable(work: Coroutine[Any, Any, T], watch: Watch, seconds: float) -> T:
    """Run `work`, cancelling it when the person stops it, when the time is up, or when we are cancelled.

    It has always ended when this returns or raises.

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
    """Lets other threads, and a person who wants to stop, have their turn in the middle of long work.

    A pause has to wait for real: after `asyncio.sleep(0)` this thread has Python's lock again before another one that
    wants it has woken, and as long as it goes from hand to hand Python does not take it away. So ComfyUI's event loop,
    in its own thread, stands still.

    Raises:
        OperationStopped: when called, if the person stopped it.
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
    """Wait. Raises OperationStopped."""

    async def wait() -> None:
        await sleep(seconds)

    # A computer that slept meanwhile is late; what was sent is looked at all the same.
    with suppress(CloudConnectionError):
        await run_stoppable(wait(), watch, seconds + 1)
