"""Running blocking work in this pack's own threads, so that the work never blocks an event loop.

asyncio's executor is unsuitable: other packs may keep it busy, and `asyncio.run` joins its threads, so a call that
never returns would block ComfyUI's queue. The threads here are daemons that are never joined, and every wait has a
limit.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar

from ..errors import StateNotAnswering
from ..forks import ForkSafeLock, run_after_fork
from ..secret import log
from .disk import DiskAccess, current

P = ParamSpec("P")
T = TypeVar("T")

REMOVAL_SECONDS = 1.0
"""How long to wait for the removal of a file that is no longer needed. The removal may go on after that time."""
FILE_SECONDS = 5.0
"""Limit for work with a small file."""
MAX_SECONDS_OF_LONG_WORK = 120.0
"""Limit for work with large files and for computations."""
UNANSWERED_SECONDS = 1.0
"""Limit for file work while earlier file work is overdue, so that a dead disk does not cost FILE_SECONDS each time."""
CANCELLED_SECONDS = 0.2
"""How long to wait until a cancelled write is completed or undone. Both may go on after that time."""
CHECK_SECONDS = 0.2
IDLE_SECONDS = 10.0
"""A thread ends after this time without work."""


class Pool:
    """A pool of daemon threads.

    Args:
        most: maximum number of threads.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self.start_anew()
        run_after_fork(self.start_anew)

    def start_anew(self) -> None:
        """Reset the pool to no threads and no work, because a forked child has none of its parent's threads."""
        self._changed = threading.Condition()
        self._waiting: deque[Callable[[], None]] = deque()
        self._threads = 0
        self._idle = 0

    def submit(self, work: Callable[[], None]) -> None:
        """Run `work`, which must not raise, in a thread. Raise RuntimeError if no thread exists or can be started."""
        with self._changed:
            self._waiting.append(work)
            self._changed.notify()
            if self._idle >= len(self._waiting) or self._threads >= self._most:
                return
            self._threads += 1
        try:
            threading.Thread(target=self._work, name=f"cloud-history-{self._name}", daemon=True).start()
        except RuntimeError:
            with self._changed:
                self._threads -= 1
                if not self._threads:
                    self._waiting.remove(work)
                    raise

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
                has_work = self._changed.wait_for(lambda: self._waiting, IDLE_SECONDS)
                self._idle -= 1
                if not has_work:
                    self._threads -= 1
                    return
                work = self._waiting.popleft()
            work()
            del work  # frees the objects that it refers to before the next wait


class InTurn:
    """Runs work in a pool, one piece after the other, and occupies one of its threads at most.

    A lock in the work would do the same, but work that waits for a lock occupies a thread. If one piece never
    returned, those that wait for it would soon take all threads of the pool.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lock = ForkSafeLock()
        self._start_anew()
        run_after_fork(self._start_anew)

    def _start_anew(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._runs = False

    def submit(self, work: Callable[[], None]) -> None:
        """Run `work`, which must not raise, after the others. Raise RuntimeError if no thread can be started."""
        with self._lock:
            if not self._runs:
                self._pool.submit(self._work)
                self._runs = True
            self._waiting.append(work)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._runs = False
                    return
                work = self._waiting.popleft()
            work()
            del work  # frees the objects that it refers to


_file_pool = Pool("files", 8)
_large_file_pool = Pool("large", 4)
_compute_pool = Pool("work", 4)
resolver_pool = Pool("names", 4)
"""The pool for DNS lookups, which can hang for a long time."""


_unanswered: set[_Task[Any]] = set()
"""File work that has exceeded its limit and is still running."""


def _forget_unanswered() -> None:
    _unanswered.clear()


run_after_fork(_forget_unanswered)


async def run_in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run work with small files in a thread and return its result.

    If the caller is cancelled, the work is skipped if it has not begun, otherwise its result is ignored.

    Raises:
        StateNotAnswering: the work did not end within FILE_SECONDS.
    """
    return await run_in_pool(partial(work, *args, **kwargs), _file_pool, FILE_SECONDS)


async def compute_in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a computation in a thread and return its result. Raise StateNotAnswering after MAX_SECONDS_OF_LONG_WORK."""
    return await run_in_pool(partial(work, *args, **kwargs), _compute_pool, MAX_SECONDS_OF_LONG_WORK)


async def run_large_in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run work with large or many files in a thread and return its result.

    Raises:
        StateNotAnswering: one file took longer than FILE_SECONDS (plus time for its size), or the whole work took
            longer than MAX_SECONDS_OF_LONG_WORK.
    """
    return await run_in_pool(partial(work, *args, **kwargs), _large_file_pool, MAX_SECONDS_OF_LONG_WORK)


async def write_in_thread(
    write: Callable[[], T],
    undo: Callable[[T], object] | None = None,
    *,
    meanwhile: Callable[[], object] | None = None,
    seconds: float | None = None,
) -> T:
    """Write in a thread and return the result of `write`.

    The write is always completed, even if the caller is cancelled or gives up. In that case it is undone afterwards.

    Args:
        undo: gets the result of `write` and undoes the write, in a thread. Called if the caller was cancelled, gave up
            or lost its event loop before it got the result.
        meanwhile: called several times a second while waiting. An exception from it ends the wait.
        seconds: the limit; None means FILE_SECONDS.

    Raises:
        StateNotAnswering: the write did not end within the limit.
        asyncio.CancelledError: the caller was cancelled. Raised when the write has ended, or after CANCELLED_SECONDS.
    """
    seconds = FILE_SECONDS if seconds is None else seconds
    task = _Task(write, undo or _nothing, _file_pool, asyncio.get_running_loop(), can_drop=False)
    try:
        return await task.result(seconds, meanwhile)
    except (Exception, asyncio.CancelledError):
        await asyncio.wait({task.abandon()}, timeout=CANCELLED_SECONDS)
        raise


async def run_in_pool(work: Callable[[], T], pool: Pool | InTurn, seconds: float) -> T:
    """Run work in a thread of this pool and return its result. Raise StateNotAnswering after `seconds`."""
    return await _Task(work, _nothing, pool, asyncio.get_running_loop(), can_drop=True).result(seconds)


def run_in_background(work: Callable[[], None]) -> None:
    """Run work in a thread without waiting for it. Exceptions are logged."""

    def logged() -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - there is no caller to pass it to
            log.exception("A background task failed.")

    context = contextvars.copy_context()
    try:
        _file_pool.submit(lambda: context.run(logged))
    except RuntimeError:
        log.warning("A background task was skipped, because the system cannot start another thread.")


def _nothing(result: object) -> None:
    pass


class _Task(Generic[T]):
    """Work in a thread, with the caller that waits for it. The result is either returned to the caller or undone.

    Args:
        can_drop: whether work that has not begun is skipped if the caller gives up.
    """

    def __init__(
        self,
        work: Callable[[], T],
        undo: Callable[[T], object],
        pool: Pool | InTurn,
        loop: asyncio.AbstractEventLoop,
        *,
        can_drop: bool,
    ) -> None:
        self._work = work
        self._step = DiskAccess()
        self._began = 0.0
        self._context = contextvars.copy_context()
        self._context.run(current.set, self._step)
        self._undo = undo
        self._pool = pool
        self._can_drop = can_drop
        self._loop = loop
        self._ended: asyncio.Future[None] = loop.create_future()
        self._undone_or_ended = self._ended
        self._lock = threading.Lock()
        self._wanted = True
        self._results: list[T] = []
        self._error: BaseException | None = None

    async def result(self, seconds: float, meanwhile: Callable[[], object] | None = None) -> T:
        """Start the work, wait for it and return its result. Exceptions of the work are passed through.

        Raises:
            StateNotAnswering: the work did not end in time, or the system cannot start a thread.
        """
        ends, self._began = self._loop.time() + seconds, time.monotonic()
        try:
            self._pool.submit(self._run)
        except RuntimeError:
            raise StateNotAnswering("no_threads") from None
        try:
            # Unlike `asyncio.wait_for`, `asyncio.wait` does not cancel the future after the timeout.
            while not self._ended.done() and (left := self._seconds_left(ends)) > 0:
                await asyncio.wait({self._ended}, timeout=min(left, CHECK_SECONDS))
                if meanwhile and not self._ended.done():
                    meanwhile()
            if self._error is not None:
                raise self._error
            with self._lock:
                if self._results:
                    return self._results.pop()
                if not self._ended.done() and self._pool in (_file_pool, _large_file_pool):
                    _unanswered.add(self)
        finally:
            self.abandon()
            self._error = None  # breaks the reference cycle between the error and this frame
        raise self._timed_out(seconds)

    def _seconds_left(self, ends: float) -> float:
        """Return the number of seconds until the next limit is reached."""
        left = ends - self._loop.time()
        if _unanswered and self._pool is _file_pool:
            left = min(left, self._began + UNANSWERED_SECONDS - time.monotonic())
        if self._step.path is None or self._pool is _compute_pool:
            return left
        most = UNANSWERED_SECONDS if _unanswered else FILE_SECONDS
        return min(left, self._step.since + most + self._step.extra - time.monotonic())

    def _timed_out(self, seconds: float) -> StateNotAnswering:
        path = self._step.path
        if path is None:
            return StateNotAnswering("not_answering", seconds=seconds)
        silent = time.monotonic() - self._step.since
        return StateNotAnswering("not_answering_at", seconds=silent, file=path.name)

    def abandon(self) -> asyncio.Future[None]:
        """Undo the result, now or as soon as it exists, unless the caller has got it.

        Return a future that is done as soon as the work, or the undoing of its result, has ended.
        """
        with self._lock:
            self._wanted = False
            results, self._results = self._results, []
        if results:
            undoing = _Task(lambda: self._undo_safely(results[0]), _nothing, self._pool, self._loop, can_drop=False)
            self._undone_or_ended = undoing._ended
            # If no thread can be started, the write is not undone; this pack reports that at the next start of ComfyUI.
            with suppress(RuntimeError):
                self._pool.submit(undoing._run)
        return self._undone_or_ended

    def _run(self) -> None:
        if self._can_drop and not self._wanted:
            return
        try:
            result = self._context.run(self._work)
        except BaseException as exc:  # noqa: BLE001 - raised again in the caller
            self._error = exc
        else:
            with self._lock:
                wanted = self._wanted
                if wanted:
                    self._results.append(result)
            if not wanted:
                self._undo_safely(result)
        _unanswered.discard(self)
        try:
            self._loop.call_soon_threadsafe(self._set_ended)
        except RuntimeError:  # the caller's loop was closed, so the result is not wanted
            with self._lock:
                results, self._results = self._results, []
            for each in results:
                self._undo_safely(each)

    def _undo_safely(self, result: T) -> None:
        def undo() -> None:
            try:
                self._undo(result)
            except Exception as exc:  # noqa: BLE001 - there is no caller to pass it to
                log.warning("A cancelled write of a file could not be undone: %s", exc)

        self._context.copy().run(undo)

    def _set_ended(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
