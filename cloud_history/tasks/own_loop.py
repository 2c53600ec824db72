"""An event loop in a thread of its own, for the work that routes start.

Some steps of a deletion of 30,000 jobs take long. ComfyUI handles all requests in one event loop, which these steps
would block. On the pack's own loop, they delay ComfyUI only by a switch between threads.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

from ..forks import ForkSafeLock, run_after_fork

T = TypeVar("T")

CHECK_SECONDS = 1.0
"""Seconds between two checks by a waiting caller that the loop is still running."""
PAUSE_SECONDS = 0.001


class _OwnLoop:
    """The event loop of this pack. It starts at first use, in a daemon thread that is never joined."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        run_after_fork(self._start_anew)

    def get(self) -> asyncio.AbstractEventLoop:
        """Return the loop. Raise RuntimeError if the system cannot start a thread for it."""
        with self._lock:
            if self._loop is None or not self.serves(self._loop):
                loop = asyncio.new_event_loop()
                thread = threading.Thread(target=_serve, args=(loop,), name="cloud-history-loop", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    loop.close()
                    raise
                self._loop, self._thread = loop, thread
            return self._loop

    def serves(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Return whether `loop` is the loop of this object and is running."""
        return loop is self._loop and self._thread is not None and self._thread.is_alive()

    def forget(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let the next `get` start a new loop if `loop` is the current one."""
        with self._lock:
            if self._loop is loop:
                self._loop = self._thread = None

    def _start_anew(self) -> None:
        # A forked child does not have the thread. It must not close the loop, whose descriptors the parent still uses.
        self._loop = self._thread = None


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    stopped = False
    while not stopped:
        # If a task raises one of these, `run_forever` raises it too, which would end all other tasks.
        with suppress(SystemExit, KeyboardInterrupt):
            loop.run_forever()
            stopped = True
    _own.forget(loop)
    loop.run_until_complete(_cancel_all())
    loop.close()


async def _cancel_all() -> None:
    await asyncio.sleep(PAUSE_SECONDS)  # lets pending callbacks create their tasks
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


_own = _OwnLoop()


async def run_on_own_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run work on the pack's own loop and return its result. If the caller is cancelled, the work is cancelled.

    The work has ended when this function returns or raises.

    Raises:
        RuntimeError: the loop has ended before the work had a result.
    """
    if _own.serves(asyncio.get_running_loop()):
        return await work
    try:
        loop = _own.get()
    except RuntimeError:  # the system cannot start another thread
        return await work
    task = _LoopTask(work, loop)
    try:
        loop.call_soon_threadsafe(task.start)
    except RuntimeError:  # the loop was closed at this moment
        return await work
    try:
        await _wait_for(task, loop)
    except asyncio.CancelledError:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(task.cancel)
        while not task.ended.done() and _own.serves(loop):
            with suppress(asyncio.CancelledError):  # the first cancellation is passed on below
                await _wait_for(task, loop)
        raise
    return task.result()


async def _wait_for(task: _LoopTask[Any], loop: asyncio.AbstractEventLoop) -> None:
    """Wait until the task has ended, or until the loop has ended, which then never reports the task's end."""
    while not task.ended.done() and _own.serves(loop):
        await asyncio.wait({task.ended}, timeout=CHECK_SECONDS)


class PerLoop(Generic[T]):
    """Creates one object for each event loop, such as an asyncio lock, which works on one loop only."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._objects: dict[asyncio.AbstractEventLoop, T] = {}

    def here(self) -> T:
        """Return the object for the running loop."""
        for loop in list(self._objects):
            if loop.is_closed():
                self._objects.pop(loop, None)
        return self._objects.setdefault(asyncio.get_running_loop(), self._make())


class _LoopTask(Generic[T]):
    """A task on the pack's own loop, started by a caller on another loop."""

    def __init__(self, work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> None:
        self._work = work
        self._loop = loop
        self._here = asyncio.get_running_loop()
        self._task: asyncio.Task[T] | None = None
        self.ended: asyncio.Future[None] = self._here.create_future()

    def start(self) -> None:
        self._task = self._loop.create_task(self._work)
        self._task.add_done_callback(self._set_ended)

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def result(self) -> T:
        lost = self._task is None or self._task.cancelled() or not self._task.done()
        if self._task is None or (lost and not _own.serves(self._loop)):
            raise RuntimeError("The event loop of Comfy Cloud History has ended: the outcome is not known.")
        return self._task.result()

    def _set_ended(self, task: asyncio.Task[T]) -> None:
        if not task.cancelled():
            task.exception()  # otherwise asyncio logs that the exception was never retrieved
        with suppress(RuntimeError):  # the caller's loop was closed
            self._here.call_soon_threadsafe(self.ended.set_result, None)
