"""Blocking work, done in a few threads of our own, so that no event loop waits for it.

Not in asyncio's executor: other packs fill that one, and `asyncio.run` joins its threads when a loop ends, so a single
call that never returns would hold up ComfyUI's queue. Ours are daemons that nobody joins, and each wait has a limit.
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

from ..errors import StateSilent
from ..forks import run_after_fork
from ..secret import log
from .disk import DiskAccess, current

P = ParamSpec("P")
T = TypeVar("T")

REMOVAL_SECONDS = 1.0
"""How long the removal of a file that has served is waited for. It is removed whether somebody waits or not."""
FILE_SECONDS = 5.0
"""How long a small file may take."""
MAX_SECONDS_OF_LONG_WORK = 120.0
"""How long large files, and work of the processor, may take."""
UNANSWERED_SECONDS = 1.0
"""How long a file may take while the disk has left earlier work without an answer: a dead one is not waited for in full
again, at each step of what still has to be done."""
CANCELLED_SECONDS = 0.2
"""How long a cancelled write is waited for. It ends, or is undone, whether somebody waits for it or not."""
CHECK_SECONDS = 0.2
IDLE_SECONDS = 10.0
"""After so long without work a thread ends."""


class Pool:
    """Daemon threads that work one after the other on what they are given.

    Args:
        most: threads at once.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self.start_anew()
        run_after_fork(self.start_anew)

    def start_anew(self) -> None:
        """Forget all threads and all work: in a forked child there are none of them."""
        self._changed = threading.Condition()
        self._waiting: deque[Callable[[], None]] = deque()
        self._threads = 0
        self._idle = 0

    def submit(self, work: Callable[[], None]) -> None:
        """Have it done in a thread. It must not raise.

        Raises:
            RuntimeError: there is no thread, and the system starts none.
        """
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
            del work  # what it holds is not kept until the next one comes


_files = Pool("files", 8)
_large = Pool("large", 4)
_long = Pool("work", 4)
names = Pool("names", 4)
"""For the system's resolver, which can hang for long."""


_silent: set[_Job[Any]] = set()
"""Work with files that has not ended in its time, and may yet."""


def _forked() -> None:
    _silent.clear()


run_after_fork(_forked)


async def run_in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Read or write small files in a thread.

    When the caller is cancelled, work that has not begun is dropped, and the result of any other is.

    Raises:
        StateSilent: it did not end in 5 seconds.
    """
    return await result_of(partial(work, *args, **kwargs), _files, FILE_SECONDS)


async def compute_in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same, for work of the processor.

    Raises:
        StateSilent: it did not end in 2 minutes.
    """
    return await result_of(partial(work, *args, **kwargs), _long, MAX_SECONDS_OF_LONG_WORK)


async def run_large_in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The same, for files that are large or many.

    Raises:
        StateSilent: the disk has given no answer about one of them for 5 seconds, or it did not end in 2 minutes.
    """
    return await result_of(partial(work, *args, **kwargs), _large, MAX_SECONDS_OF_LONG_WORK)


async def write_in_thread(
    write: Callable[[], T],
    undo: Callable[[T], object] | None = None,
    *,
    meanwhile: Callable[[], object] | None = None,
    seconds: float | None = None,
) -> T:
    """Write in a thread. Once asked for, it is done, or done and undone, however its caller ends.

    Args:
        undo: takes back what was written, in a thread, where the caller was cancelled, lost its event loop or gave up
            before it got the result. It is given that result.
        meanwhile: called several times a second while it waits. What it raises ends the waiting.
        seconds: how long it is waited for; None for the 5 of a small file.

    Raises:
        StateSilent: it did not end in so many seconds.
        asyncio.CancelledError: passed through, after a moment in which the write usually ends.
    """
    seconds = FILE_SECONDS if seconds is None else seconds
    job = _Job(write, undo or _nothing, _files, asyncio.get_running_loop(), drops=False)
    try:
        return await job.result(seconds, meanwhile)
    except (Exception, asyncio.CancelledError):
        await asyncio.wait({job.abandon()}, timeout=CANCELLED_SECONDS)
        raise


async def result_of(work: Callable[[], T], pool: Pool, seconds: float) -> T:
    """Do it in a thread of this pool. Raises StateSilent."""
    return await _Job(work, _nothing, pool, asyncio.get_running_loop(), drops=True).result(seconds)


def run_in_background(work: Callable[[], None]) -> None:
    """Do it in a thread, some time. Nobody waits for it; a failure is logged."""

    def logged() -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - the edge: nobody waits for it
            log.exception("Something in the background failed.")

    context = contextvars.copy_context()
    try:
        _files.submit(lambda: context.run(logged))
    except RuntimeError:
        log.warning("The system starts no more threads, so some work was left out.")


def _nothing(result: object) -> None:
    pass


class _Job(Generic[T]):
    """One piece of work, and whoever waits for it. Its result is either taken by the waiter or undone."""

    def __init__(
        self,
        work: Callable[[], T],
        undo: Callable[[T], object],
        pool: Pool,
        loop: asyncio.AbstractEventLoop,
        *,
        drops: bool,
    ) -> None:
        self._work = work
        self._step = DiskAccess()
        self._began = 0.0
        self._context = contextvars.copy_context()
        self._context.run(current.set, self._step)
        self._undo = undo
        self._pool = pool
        self._drops = drops
        self._loop = loop
        self._ended: asyncio.Future[None] = loop.create_future()
        self._settled = self._ended
        self._lock = threading.Lock()
        self._wanted = True
        self._results: list[T] = []
        self._error: BaseException | None = None

    async def result(self, seconds: float, meanwhile: Callable[[], object] | None = None) -> T:
        """Do it, and wait for it. Raises what the work raises; StateSilent."""
        ends, self._began = self._loop.time() + seconds, time.monotonic()
        try:
            self._pool.submit(self._run)
        except RuntimeError:
            raise StateSilent("no_threads") from None
        try:
            # It cancels nothing: what is told a moment later finds that nobody waits.
            while not self._ended.done() and (left := self._patience(ends)) > 0:
                await asyncio.wait({self._ended}, timeout=min(left, CHECK_SECONDS))
                if meanwhile and not self._ended.done():
                    meanwhile()
            if self._error is not None:
                raise self._error
            with self._lock:
                if self._results:
                    return self._results.pop()
                if not self._ended.done() and self._pool in (_files, _large):
                    _silent.add(self)
        finally:
            self.abandon()
            self._error = None  # it knows this frame, which knows it
        raise self._gave_up(seconds)

    def _patience(self, ends: float) -> float:
        """For how many seconds more it is worth waiting."""
        left = ends - self._loop.time()
        if _silent and self._pool is _files:
            left = min(left, self._began + UNANSWERED_SECONDS - time.monotonic())
        if self._step.path is None or self._pool is _long:
            return left
        most = UNANSWERED_SECONDS if _silent else FILE_SECONDS
        return min(left, self._step.since + most + self._step.extra - time.monotonic())

    def _gave_up(self, seconds: float) -> StateSilent:
        path = self._step.path
        if path is None:
            return StateSilent("not_answering", seconds=seconds)
        silent = time.monotonic() - self._step.since
        return StateSilent("not_answering_at", seconds=silent, file=path.name)

    def abandon(self) -> asyncio.Future[None]:
        """Nobody wants the result any more: it is undone, as soon as it is there. Tells when that is so."""
        with self._lock:
            self._wanted = False
            results, self._results = self._results, []
        if results:
            undoing = _Job(lambda: self._take_back(results[0]), _nothing, self._pool, self._loop, drops=False)
            self._settled = undoing._ended
            # Where no thread can be started either, it stays as it is, and the next start tells of it.
            with suppress(RuntimeError):
                self._pool.submit(undoing._run)
        return self._settled

    def _run(self) -> None:
        if self._drops and not self._wanted:
            return
        try:
            result = self._context.run(self._work)
        except BaseException as exc:  # noqa: BLE001 - whatever it is, it is raised where somebody waits for it
            self._error = exc
        else:
            with self._lock:
                wanted = self._wanted
                if wanted:
                    self._results.append(result)
            if not wanted:
                self._take_back(result)
        _silent.discard(self)
        try:
            self._loop.call_soon_threadsafe(self._tell)
        except RuntimeError:  # its loop was closed meanwhile: nobody comes for the result
            with self._lock:
                results, self._results = self._results, []
            for each in results:
                self._take_back(each)

    def _take_back(self, result: T) -> None:
        def undo() -> None:
            try:
                self._undo(result)
            except Exception as exc:  # noqa: BLE001 - nobody waits for it
                log.warning("What was cancelled could not be taken back: %s", exc)

        self._context.copy().run(undo)

    def _tell(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
