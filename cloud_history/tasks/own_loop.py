"""An event loop of our own, in a thread, for what the routes start.

A deletion of 30,000 jobs has steps that take long, and ComfyUI serves everything from one event loop. What runs here
holds that loop up for no longer than Python takes to switch between two threads, as what a node does.
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
"""Between two looks at whether our loop still lives."""
PAUSE_SECONDS = 0.001


class _OwnLoop:
    """The loop, once it was wanted. Its thread is a daemon that nobody joins."""

    def __init__(self) -> None:
        self._lock = ForkSafeLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        run_after_fork(self._start_anew)

    def get(self) -> asyncio.AbstractEventLoop:
        """Raises RuntimeError: the system starts no more threads."""
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
        """Whether this is our loop, and what it is given is done."""
        return loop is self._loop and self._thread is not None and self._thread.is_alive()

    def is_running_here(self) -> bool:
        return asyncio.get_running_loop() is self._loop

    def forget(self, loop: asyncio.AbstractEventLoop) -> None:
        """It takes no more work."""
        with self._lock:
            if self._loop is loop:
                self._loop = self._thread = None

    def _start_anew(self) -> None:
        # A child has no such thread, and must not close what it shares with its parent.
        self._loop = self._thread = None


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    stopped = False
    while not stopped:
        # Work that ends with these two would end the loop, and with it everybody else's work.
        with suppress(SystemExit, KeyboardInterrupt):
            loop.run_forever()
            stopped = True
    _own.forget(loop)
    loop.run_until_complete(_cancel_all())
    loop.close()


async def _cancel_all() -> None:
    await asyncio.sleep(PAUSE_SECONDS)  # what was given to the loop and has not begun begins
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


_own = _OwnLoop()


async def run_on_own_loop(work: Coroutine[Any, Any, T]) -> T:
    """Do it on our loop. It is cancelled with its caller, and has always ended when this returns or raises.

    Raises:
        RuntimeError: the loop has ended, and the work with it.
    """
    if _own.is_running_here():
        return await work
    try:
        loop = _own.get()
    except RuntimeError:  # the system starts no more threads
        return await work
    elsewhere = _Elsewhere(work, loop)
    try:
        loop.call_soon_threadsafe(elsewhere.start)
    except RuntimeError:  # it was closed in this moment
        return await work
    try:
        await _end_of(elsewhere, loop)
    except asyncio.CancelledError:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(elsewhere.cancel)
        while not elsewhere.ended.done() and _own.serves(loop):
            with suppress(asyncio.CancelledError):  # it ends soon, and the first one is passed on
                await _end_of(elsewhere, loop)
        raise
    return elsewhere.result()


async def _end_of(elsewhere: _Elsewhere[Any], loop: asyncio.AbstractEventLoop) -> None:
    """Wait until it has ended, or our loop has, which then never says so."""
    while not elsewhere.ended.done() and _own.serves(loop):
        await asyncio.wait({elsewhere.ended}, timeout=CHECK_SECONDS)


class PerLoop(Generic[T]):
    """One of something for each event loop, such as a lock: one of asyncio's belongs to the first loop that waits."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[asyncio.AbstractEventLoop, T] = {}

    def here(self) -> T:
        """That of the running loop."""
        for loop in list(self._made):
            if loop.is_closed():
                self._made.pop(loop, None)
        return self._made.setdefault(asyncio.get_running_loop(), self._make())


class _Elsewhere(Generic[T]):
    """One piece of work on our loop, and the caller on another who waits for it."""

    def __init__(self, work: Coroutine[Any, Any, T], loop: asyncio.AbstractEventLoop) -> None:
        self._work = work
        self._loop = loop
        self._here = asyncio.get_running_loop()
        self._task: asyncio.Task[T] | None = None
        self.ended: asyncio.Future[None] = self._here.create_future()

    def start(self) -> None:
        self._task = self._loop.create_task(self._work)
        self._task.add_done_callback(self._tell)

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def result(self) -> T:
        lost = self._task is None or self._task.cancelled() or not self._task.done()
        if self._task is None or (lost and not _own.serves(self._loop)):
            raise RuntimeError("The event loop of Comfy Cloud History has ended: the outcome is not known.")
        return self._task.result()

    def _tell(self, task: asyncio.Task[T]) -> None:
        if not task.cancelled():
            task.exception()  # looked at: where the caller's loop has ended nobody asks for it
        with suppress(RuntimeError):  # that loop was closed
            self._here.call_soon_threadsafe(self.ended.set_result, None)
