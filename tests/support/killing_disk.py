"""A process that is killed (SIGKILL) at one of its system calls on files."""

from __future__ import annotations

import fcntl
import os
import signal
import traceback
from collections.abc import Callable
from typing import Any

import pytest

CALLS = (
    "open",
    "write",
    "fsync",
    "link",
    "unlink",
    "rename",
    "replace",
    "mkdir",
    "stat",
    "listdir",
    "fstat",
    "truncate",
)


def killed_at(step: int, work: Callable[[], object], *, half: bool = False) -> bool:
    """Run `work` in a forked child that is killed just before its system call with this number, from 1.

    Args:
        half: whether a write that is the last call does half of its work first.

    Returns:
        False if the work ended before that call.

    Raises:
        AssertionError: the work raised.
    """
    child = os.fork()
    if not child:
        try:
            arm(step, half)
            work()
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the child must not return into the test
            traceback.print_exc()
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the work raised: see the output"
    if not os.WIFSIGNALED(status):
        return False
    assert os.WTERMSIG(status) == signal.SIGKILL
    return True


def calls_of(work: Callable[[], object]) -> list[str]:
    """Run `work` here and return the names of its system calls on files, in order."""
    trail: list[str] = []

    def noted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            trail.append(name)
            return real(*arguments, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for name in CALLS:
            patch.setattr(os, name, noted(name, getattr(os, name)))
        patch.setattr(fcntl, "flock", noted("flock", fcntl.flock))
        work()
    return trail


def arm(step: int, half: bool) -> None:
    """Let this process be killed at its system call with this number, as `killed_at` says."""
    left = step

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if not left:
                if half and real is write:
                    real(arguments[0], memoryview(arguments[1])[: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        return call

    write = os.write
    patch = pytest.MonkeyPatch()
    for name in CALLS:
        patch.setattr(os, name, counted(getattr(os, name)))
    patch.setattr(fcntl, "flock", counted(fcntl.flock))
