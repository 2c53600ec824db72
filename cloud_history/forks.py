"""What a forked child starts anew. It has none of its parent's threads, so nobody in it frees a lock that one held."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

_restarts: list[weakref.ref[Any]] = []


def run_after_fork(restart: Callable[[], object]) -> None:
    """Have this called in each forked child before anything else runs there, as long as its object or module lives.

    Args:
        restart: a method, or a function of a module. It must neither raise nor wait.
    """
    _restarts[:] = [each for each in _restarts if each() is not None]
    _restarts.append(weakref.WeakMethod(restart) if hasattr(restart, "__self__") else weakref.ref(restart))


class ForkSafeLock:
    """A lock of this process's threads, which a forked child finds free.

    Args:
        reentrant: whether the thread that has it may take it again.
    """

    def __init__(self, *, reentrant: bool = False) -> None:
        self._reentrant = reentrant
        self._renew()
        run_after_fork(self._renew)

    def acquire(self, *, blocking: bool = True, timeout: float = -1) -> bool:
        """Whether it was had, in so many seconds where it is not waited for without a limit."""
        return self._lock.acquire(blocking, timeout)

    def release(self) -> None:
        """Raises RuntimeError: nobody has it."""
        self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _renew(self) -> None:
        self._lock = threading.RLock() if self._reentrant else threading.Lock()


def _forked() -> None:
    for each in _restarts:
        restart = each()
        if restart is not None:
            restart()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
