"""Websocket events, and the progress that browsers fetch after an event.

Any web page may open ComfyUI's websocket, even from a frame without an origin. So an event names only the kind of
change and the operation; the details are fetched through guarded routes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from ..tasks.stopping import ASKED_TO_WAIT

Payload = dict[str, Any]
Announce = Callable[[str, Mapping[str, Any]], None]
"""Sends a websocket event to all browsers; can be called from any thread."""

Event = tuple[str, Payload]
"""The name of a websocket event, and what it says."""


def changed(kind: str, operation: str | None = None, *, ended: bool = False) -> Event:
    """Something has changed.

    Args:
        kind: "delete" or "clear" for a deletion; otherwise what has changed, such as "settings".
        ended: whether a deletion has ended, so that the history may be another.
    """
    return "cloud_history.changed", {"operation": operation, "kind": kind, "ended": ended}


def progress(operation: str, kind: str) -> Event:
    """A deletion has come further, or the report of a stopped node can be fetched (kind "node_report")."""
    return "cloud_history.progress", {"operation": operation, "kind": kind}


def node_progress(node: str | None, phase: str, done: int, total: int) -> Event:
    """How far a node has come: for the page that queued it alone."""
    return "cloud_history.progress", {"node": node, "phase": phase, "done": done, "total": total}


def approval(question: str, state: str, **more: str) -> Event:
    """A workflow asks for approval ("open"), or no longer does ("closed"): for the page that queued it alone."""
    return "cloud_history.ask", {"question": question, "state": state, **more}


class Events:
    """Tells the browsers of changes, and keeps how far each of their deletions has come."""

    def __init__(self, announce: Announce, clock: Callable[[], float] = time.monotonic) -> None:
        self._announce = announce
        self._clock = clock
        self._progress: dict[str, Payload] = {}
        self._waits: dict[str, tuple[float, Payload]] = {}
        """Waits that Comfy Cloud asked for: when each ends, on the clock, and its progress payload."""

    def changed(self, kind: str, operation: str | None = None, *, ended: bool = False) -> None:
        """Send the event `changed` to all browsers."""
        self._announce(*changed(kind, operation, ended=ended))

    def progressed(self, operation: str, kind: str, phase: str, done: int, total: int, *, held: bool = False) -> None:
        """Store the progress of a deletion that was confirmed in a browser, and tell all browsers to fetch it."""
        told = {
            "operation": operation,
            "hold": operation if held else None,
            "kind": kind,
            "phase": phase,
            "done": done,
            "total": total,
        }
        if phase == ASKED_TO_WAIT:
            # Kept apart from the progress, because requests under way still end during a wait.
            ends, _ = self._waits.get(operation, (0.0, None))
            self._waits[operation] = max(ends, self._clock() + total), told
        else:
            self._progress[operation] = told
        self._announce(*progress(operation, kind))

    def forget(self, operation: str) -> None:
        """Drop the progress of an operation that has ended."""
        self._progress.pop(operation, None)
        self._waits.pop(operation, None)

    def progress(self) -> list[Payload]:
        """The progress of running deletions, and the seconds left of the waits that Comfy Cloud asked for."""
        now = self._clock()
        waits = [told | {"total": math.ceil(ends - now)} for ends, told in list(self._waits.values()) if ends > now]
        return [*list(self._progress.values()), *waits]
