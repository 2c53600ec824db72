"""An event loop with a virtual clock: tests do not wait, and time limits can be checked exactly."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _JumpingSelector(selectors.DefaultSelector):  # type: ignore[misc, valid-type, unused-ignore]
    """Advances the clock instead of waiting."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("everybody waits, and nothing will ever happen")
            self.now += max(0.0, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time()` starts at 0 and advances only when every task waits."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return float(self._jumping.now)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` in virtual time. Fail if it leaves tasks running."""
    loop = VirtualLoop()
    try:
        result = loop.run_until_complete(work)
        left = [task for task in asyncio.all_tasks(loop) if not task.done()]
        assert not left, f"still running afterwards: {left}"
        return result
    finally:
        behind = asyncio.all_tasks(loop)
        for task in behind:
            task.cancel()
        if behind:
            loop.run_until_complete(asyncio.wait(behind))
        loop.close()


def now() -> float:
    """Return the virtual seconds since the start."""
    return asyncio.get_running_loop().time()
