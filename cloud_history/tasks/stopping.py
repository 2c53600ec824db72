"""Running work that a person can stop and that has a time limit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

from ..errors import CloudConnectionError, CloudTimeoutError, OperationStopped

T = TypeVar("T")

PREPARING = "preparing"
"""Phase of a deletion that does not wait for another one, and has not begun to look at its jobs."""
ASKED_TO_WAIT = "asked_to_wait"
"""Phase of a wait that Comfy Cloud asks for. Reported once, at its start, with `done` 0 and `total` in seconds."""
STOP_CHECK_SECONDS = 0.2
"""Seconds between two checks of whether the person wants to stop the work."""
WORK_SECONDS = 0.005
"""Seconds of work between two pauses."""
PAUSE_SECONDS = 0.001
"""Seconds of a pause: long enough for a waiting thread to wake up."""


class Watch(Protocol):
    """How an operation reports progress to a person, and asks whether the person wants to stop it."""

    def stop_requested(self) -> bool:
        """Return whether the person wants to stop the operation. Called several times a second; must not block."""

    def progress(self, phase: str, done: int, total: int) -> None:
        """Report a step. `phase` is "waiting", PREPARING, "backing_up", "sending", "checking" or ASKED_TO_WAIT."""


class Unwatched:
    """A Watch for work that no person watches: it never stops the work and reports nothing."""

    def stop_requested(self) -> bool:
        return False

    def progress(self, phase: str, done: int, total: int) -> None:
        pass


class PatientWatch:
    """A Watch that passes on a stop some seconds later, so that running requests can end with a known outcome."""

    def __init__(
        self,
        watch: Watch,
        seconds: float,
        on_stop: Callable[[], None] = lambda: None,
        is_busy: Callable[[], bool] = lambda: True,
    ) -> None:
        """Make a watch.

        Args:
            seconds: passes on the stop after this time at the latest.
            on_stop: called at the stop itself, so that no further work begins.
            is_busy: whether a request awaits its answer. If not, the stop is passed on at the next check.
        """
        self._watch = watch
        self._seconds = seconds
        self._on_stop = on_stop
        self._is_busy = is_busy
        self._clock = asyncio.get_running_loop().time
        self._stopped_at: float | None = None
        self._idle_checks = 0

    @property
    def stopped(self) -> bool:
        """Whether the person has stopped the work."""
        return self._stopped_at is not None

    def stop_requested(self) -> bool:
        if self._stopped_at is None and self._watch.stop_requested():
            self._stopped_at = self._clock()
            self._on_stop()
        if self._stopped_at is None:
            return False
        # Once is not enough: a request may have ended just now, and its work may be about to end as well.
        self._idle_checks = 0 if self._is_busy() else self._idle_checks + 1
        return self._clock() - self._stopped_at >= self._seconds or self._idle_checks > 1

    def progress(self, phase: str, done: int, total: int) -> None:
        self._watch.progress(phase, done, total)


def check_stopped(watch: Watch) -> None:
    """Raise OperationStopped if the person wants to stop the operation."""
    if watch.stop_requested():
        raise OperationStopped()


class Deadline:
    """The moment by which an operation must end, `seconds` after this object is created."""

    def __init__(self, seconds: float) -> None:
        self._clock = asyncio.get_running_loop().time
        self._end = self._clock() + seconds

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Extend the deadline by the time that the `with` block takes."""
        since = self._clock()
        try:
            yield
        finally:
            self._end += self._clock() - since

    def left(self, at_least: float = 0.0) -> float:
        """Return the number of seconds left, at least `at_least`."""
        return max(at_least, self._end - self._clock())


async def gather_all(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run coroutines concurrently and return their results.

    If one coroutine fails, the other coroutines are cancelled. All have ended when its exception is raised.
    """
    tasks = [asyncio.ensure_future(each) for each in work]
    results = asyncio.gather(*tasks)
    try:
        # Awaiting `results` directly would pass on every cancellation to the tasks, even while they clean up.
        await asyncio.wait({results})
        return results.result()
    finally:
        for task in tasks:
            task.cancel()
        await wait_until_ended(results, *tasks)


async def wait_until_ended(*work: asyncio.Future[Any]) -> None:
    """Wait until all futures have ended, even if the caller is cancelled. The exceptions of the futures are not raised.

    Raises:
        asyncio.CancelledError: the caller was cancelled meanwhile. All futures have ended.
    """
    cancelled: asyncio.CancelledError | None = None
    while left := {each for each in work if not each.done()}:
        try:
            await asyncio.wait(left)
        except asyncio.CancelledError as exc:
            cancelled = exc
    for each in work:
        if not each.cancelled():
            each.exception()  # otherwise asyncio logs that the exception was never retrieved
    if cancelled is not None:
        raise cancelled


async def run_stoppable(work: Coroutine[Any, Any, T], watch: Watch, seconds: float) -> T:
    """Run `work` and return its result. Cancel the work if the person stops it, after `seconds`, or with the caller.

    The work has always ended when this function returns or raises.

    Raises:
        OperationStopped: the person stopped the work.
        CloudTimeoutError: the work took longer than `seconds`.
        asyncio.CancelledError: the caller was cancelled.
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
    """Pauses long work on an event loop, so that other threads can run and the person can stop the work.

    Call it often; it sleeps once in WORK_SECONDS. `asyncio.sleep(0)` is not enough: this thread would take the
    interpreter lock again before another thread, such as that of ComfyUI's event loop, has woken up.

    Raises:
        OperationStopped: the person stopped the work. Raised by a call.
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
    """Sleep for `seconds`. Raise OperationStopped as soon as the person stops the operation."""

    async def wait() -> None:
        await sleep(seconds)

    # The limit is exceeded if the computer was suspended meanwhile, which is no error.
    with suppress(CloudConnectionError):
        await run_stoppable(wait(), watch, seconds + 1)
