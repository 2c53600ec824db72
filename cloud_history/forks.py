"""Resetting state in a forked child. The child has none of its parent's threads, so locks they held stay locked."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

_resets: list[weakref.ref[Any]] = []


def run_after_fork(reset: Callable[[], object]) -> None:
    """Call `reset` in each child process that is forked from now on.

    Args:
        reset: a method, or a function of a module. It must neither raise nor block. Only a weak reference to it is
            stored, so it is no longer called after its object has been freed.
    """
    _resets[:] = [each for each in _resets if each() is not None]
    _resets.append(weakref.WeakMethod(reset) if hasattr(reset, "__self__") else weakref.ref(reset))


class ForkSafeLock:
    """A lock for the threads of a process. In a forked child the lock is unlocked.

    Args:
        reentrant: whether the thread that holds the lock may acquire it again.
    """

    def __init__(self, *, reentrant: bool = False) -> None:
        self._reentrant = reentrant
        self._renew()
        run_after_fork(self._renew)

    def acquire(self, *, blocking: bool = True, timeout: float = -1) -> bool:
        """Return whether the lock was acquired. `timeout` is in seconds; -1 waits without a limit."""
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        """Release the lock. Raise RuntimeError if the lock is not held."""
        self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _renew(self) -> None:
        self._lock = threading.RLock() if self._reentrant else threading.Lock()


def _forked() -> None:
    for each in _resets:
        if (reset := each()) is not None:
            reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
