"""Resetting state in a forked child, which has none of its parent's threads: a lock that one held is never freed."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

_restarts: list[weakref.ref[Any]] = []


def run_after_fork(restart: Callable[[], object]) -> None:
    """Call `restart` in each forked child, as long as its object or module lives.

    Args:
        restart: a method, or a function of a module. It must neither raise nor block.
    """
    _restarts[:] = [each for each in _restarts if each() is not None]
    _restarts.append(weakref.WeakMethod(restart) if hasattr(restart, "__self__") else weakref.ref(restart))


class ForkSafeLock:
    """A lock for the threads of this process that is free again in a forked child.

    Args:
        reentrant: whether the thread that holds it may acquire it again.
    """

    def __init__(self, *, reentrant: bool = False) -> None:
        self._reentrant = reentrant
        self._renew()
        run_after_fork(self._renew)

    def acquire(self, *, blocking: bool = True, timeout: float = -1) -> bool:
        """Return whether the lock was acquired. `timeout` is in seconds; -1 waits without a limit."""
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        """Release the lock. Raises RuntimeError if it is not held."""
        self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _renew(self) -> None:
        self._lock = threading.RLock() if self._reentrant else threading.Lock()


def _forked() -> None:
    for each in _restarts:
        if (restart := each()) is not None:
            restart()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
