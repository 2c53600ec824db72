"""The requests of a client that Comfy Cloud has not answered yet, and for how long it has been silent."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class OpenRequests:
    """Counts the open requests of one client, and measures Comfy Cloud's silence.

    Attributes:
        count: number of requests that are under way. Waits between two tries do not count.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.count = 0
        self._clock = clock
        self._silent_since: float | None = None

    @property
    def silent_seconds(self) -> float:
        """Seconds since Comfy Cloud's last sign of life, or since the first request without one; 0 if none is open.

        A request that fails without an answer does not end the silence. Can be called from any thread.
        """
        since = self._silent_since
        return 0.0 if since is None else self._clock() - since

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Callable[[], None]]:
        """Count one request inside `async with`. Call the yielded function when its answer begins to arrive."""
        self.count += 1
        if self._silent_since is None:
            self._silent_since = self._clock()
        try:
            yield self._heard
            self._heard()
            if self.count == 1:
                self._silent_since = None
        finally:
            self.count -= 1

    def _heard(self) -> None:
        self._silent_since = self._clock()
