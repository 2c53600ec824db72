"""A clock and a gate for answers that tests control."""

from __future__ import annotations

import asyncio

from simulated_cloud import SimulatedCloud


class Timer:
    """The clock of the holds, set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._waiting: list[tuple[float, asyncio.Future[None]]] = []

    def __call__(self) -> float:
        return self.now

    @property
    def awaited(self) -> bool:
        """Whether a task sleeps. A task ignores the time that passes before it sleeps."""
        return bool(self._waiting)

    async def sleep(self, seconds: float) -> None:
        ends: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((self.now + seconds, ends))
        await ends

    def wait(self, seconds: float) -> None:
        """Advance the clock."""
        self.now += seconds
        for end, future in self._waiting:
            if end <= self.now and not future.done():
                future.set_result(None)


class Gate:
    """Delays every answer of the simulated cloud while closed. The requests still take effect."""

    def __init__(self, cloud: SimulatedCloud) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self.waiting = asyncio.Event()
        cloud.pause = self._pause  # type: ignore[method-assign]

    def close(self) -> None:
        self._open.clear()
        self.waiting.clear()

    def open(self) -> None:
        self._open.set()

    async def stay(self) -> None:
        """Wait until the gate is opened."""
        self.close()
        await self._open.wait()

    async def _pause(self, seconds: float) -> None:
        if not self._open.is_set():
            self.waiting.set()
            await self._open.wait()
