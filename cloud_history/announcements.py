"""What the browsers are told unasked, and what they fetch then.

Any web page may open ComfyUI's websocket, from a frame without an origin too. So an event says that something has
changed, of which kind and in which operation, and no more: what has changed is behind the guarded routes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from .stopping import ASKED_TO_WAIT

Payload = dict[str, Any]
Announce = Callable[[str, Mapping[str, Any]], None]
"""Sends a websocket event to all browsers; can be called from any thread."""

CHANGED = "cloud_history.changed"
PROGRESS = "cloud_history.progress"


class Announcements:
    """Tells the browsers of changes, and keeps how far each of their deletions has come."""

    def __init__(self, announce: Announce, clock: Callable[[], float] = time.monotonic) -> None:
        self._announce = announce
        self._clock = clock
        self._progress: dict[str, tuple[float, Payload]] = {}

    def changed(self, kind: str, operation: str | None = None, *, ended: bool = False) -> None:
        """Something has changed.

        Args:
            kind: "delete" or "clear" for a deletion; otherwise what has changed, such as "settings".
            ended: whether a deletion has ended, so that the history may be another.
        """
        self._announce(CHANGED, {"operation": operation, "kind": kind, "ended": ended})

    def progressed(
        self, operation: str, kind: str, phase: str, done: int, total: int, *, held: bool = False
    ) -> None:
        """A deletion that was confirmed in a browser has come so far."""
        self._progress[operation] = (
            self._clock(),
            {
                "operation": operation,
                "hold": operation if held else None,
                "kind": kind,
                "phase": phase,
                "done": done,
                "total": total,
            },
        )
        self._announce(PROGRESS, {"operation": operation, "kind": kind})

    def forget(self, operation: str) -> None:
        """It has ended: its result speaks for it."""
        self._progress.pop(operation, None)

    def progress(self) -> list[Payload]:
        """How far the running deletions of the browsers have come. Of a wait: the seconds that are left now."""
        now = self._clock()
        return [
            told | {"total": max(0, math.ceil(told["total"] - (now - since)))}
            if told["phase"] == ASKED_TO_WAIT
            else told
            for since, told in list(self._progress.values())
        ]
