"""An event loop of our own, in a thread, for what the routes start.

A deletion of 30,000 jobs has steps that take long, and ComfyUI serves everything from one event loop. What runs here
holds that loop up for no longer than Python takes to switch between two threads, as what a node does.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _OwnLoop:
    """The loop, once it was wanted. Its thread is a daemon that nobody joins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def get(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                loop = asyncio.new_event_loop()
                try:
                    threading.Thread(target=loop.run_forever, name="cloud-history-loop", daemon=True).start()
                except RuntimeError:
                    loop.close()
                    raise
                self._loop = loop
            return self._loop

    def is_running_here(self) -> bool:
        return asyncio.get_running_loop() is self._loop


_own = _OwnLoop()


def _forked() -> None:
    # A child has no such thread, and must not close what it shares with its parent.
    _own.__init__()  # type: ignore[misc]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


async def on_own_loop(work: Coroutine[Any, Any, T]) -> T:
    """Do it on our loop. It is cancelled with its caller, and has always ended when this returns or raises."""
    if _own.is_running_here():
        return await work
    try:
        loop = _own.get()
    except RuntimeError:  # the system starts no more threads
        return await work
    elsewhere = _Elsewhere(work, loop)
    loop.call_soon_threadsafe(elsewhere.start)
    try:
        await asyncio.wait({elsewhere.ended})
    except asyncio.CancelledError:
        loop.call_soon_threadsafe(elsewhere.cancel)
        while not elsewhere.ended.done():
            with suppress(asyncio.CancelledError):  # it ends soon, and the first one is passed on
                await asyncio.wait({elsewhere.ended})
        raise
    return elsewhere.result()


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
        assert self._task is not None, "it has ended, so it began"
        return self._task.result()

    def _tell(self, task: asyncio.Task[T]) -> None:
        if not task.cancelled():
            task.exception()  # looked at: where the caller's loop has ended nobody asks for it
        with suppress(RuntimeError):  # that loop was closed
            self._here.call_soon_threadsafe(self.ended.set_result, None)
