"""Websocket events, and the progress that browsers fetch after an event.

Any web page may open ComfyUI's websocket, even from a frame without an origin. So an event has only the kind of change
and the operation id. Browsers fetch the details through guarded routes.
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

MIN_MEASURED_SECONDS = 3.0
MIN_MEASURED_STEPS = 10
"""The speed of a phase is measured over at least this many seconds, and jobs or files."""
MEASURED_PHASES = ("backing_up", "saving")
"""The phases before anything is sent, which may take long: workflows are backed up, outputs are saved."""

Event = tuple[str, Payload]
"""The name and the payload of a websocket event."""


def changed(kind: str, operation: str | None = None, *, ended: bool = False) -> Event:
    """Return the event for a change of the history or of the state folder.

    Args:
        kind: "delete" or "clear" for a deletion; otherwise what has changed, such as "settings".
        ended: whether a deletion has ended, so that the history may have changed.
    """
    return "cloud_history.changed", {"operation": operation, "kind": kind, "ended": ended}


def progress(operation: str, kind: str) -> Event:
    """Return the event for new progress of a deletion, or for a node report to fetch (kind "node_report")."""
    return "cloud_history.progress", {"operation": operation, "kind": kind}


def node_progress(node: str | None, phase: str, done: int, total: int, during: str = "") -> Event:
    """Return the event for the progress of a node. Send it only to the page that queued the workflow.

    Args:
        during: the phase that goes on after a wait; "" if unknown.
    """
    return "cloud_history.progress", {"node": node, "phase": phase, "done": done, "total": total, "during": during}


def approval(question: str, state: str, **more: str) -> Event:
    """Return the event for an approval that is now "open" or "closed". Send it only to the page of the workflow."""
    return "cloud_history.ask", {"question": question, "state": state, **more}


class Events:
    """Sends events to the browsers, and stores the progress of running deletions."""

    def __init__(self, announce: Announce, clock: Callable[[], float] = time.monotonic) -> None:
        self.announce = announce
        self._clock = clock
        self._progress: dict[str, Payload] = {}
        self._sent: set[str] = set()
        """The operations that have begun to send."""
        self._began: dict[tuple[str, str], tuple[float, int]] = {}
        """When a measured phase of an operation began, on `clock`, and how much was done then."""
        self._waits: dict[str, tuple[float, Payload]] = {}
        """Waits that Comfy Cloud asked for, by operation: the end on `clock`, and the progress payload."""
        self._silence: dict[str, Callable[[], float]] = {}

    def changed(self, kind: str, operation: str | None = None, *, ended: bool = False) -> None:
        """Send the event `changed` to all browsers."""
        self.announce(*changed(kind, operation, ended=ended))

    def progressed(
        self,
        operation: str,
        kind: str,
        phase: str,
        done: int,
        total: int,
        *,
        held: bool = False,
        workflow_jobs: int | None = None,
    ) -> None:
        """Store the progress of a deletion, and tell all browsers to fetch it.

        Args:
            held: whether it was held first, so that it could be undone.
            workflow_jobs: for a deletion by a workflow, the number of its jobs.
        """
        if phase == "sending":
            self._sent.add(operation)
        if phase in MEASURED_PHASES:
            self._began.setdefault((operation, phase), (self._clock(), done))
        payload = {
            "operation": operation,
            "hold": operation if held else None,
            "kind": kind,
            "phase": phase,
            "done": done,
            "total": total,
            "sent": operation in self._sent,
            "seconds_left": None,
            "silent_seconds": 0,
            "workflow_jobs": workflow_jobs,
        }
        if phase == ASKED_TO_WAIT:
            # Stored separately, because other requests still report progress during a wait.
            ends, _ = self._waits.get(operation, (0.0, None))
            self._waits[operation] = max(ends, self._clock() + total), payload
        else:
            self._progress[operation] = payload
        self.announce(*progress(operation, kind))

    def follow_silence(self, operation: str, silent_seconds: Callable[[], float]) -> None:
        """Tell browsers for how long Comfy Cloud has not answered the requests of an operation.

        Args:
            silent_seconds: returns the seconds; 0 if no request waits. Can be called from any thread.
        """
        self._silence[operation] = silent_seconds

    def forget(self, operation: str) -> None:
        """Drop the progress of an operation that has ended."""
        self._silence.pop(operation, None)
        self._progress.pop(operation, None)
        self._waits.pop(operation, None)
        for phase in MEASURED_PHASES:
            self._began.pop((operation, phase), None)
        self._sent.discard(operation)

    def progress(self) -> list[Payload]:
        """Return the progress of running deletions, and the seconds left of the waits that Comfy Cloud asked for.

        `sent` is whether a deletion has begun to send; `seconds_left` is how long its backup, or the saving of its
        outputs, will still take by its speed so far; None until that can be said. `silent_seconds` is for how long
        Comfy Cloud has left the requests of a deletion unanswered.
        """
        now = self._clock()
        waits = [wait | {"total": math.ceil(ends - now)} for ends, wait in list(self._waits.values()) if ends > now]
        running = [each | self._measured(each, now) for each in list(self._progress.values())]
        return [*running, *waits]

    def _measured(self, progress: Payload, now: float) -> Payload:
        silent_seconds = self._silence.get(progress["operation"])
        return {
            "seconds_left": self._seconds_left(progress, now),
            "silent_seconds": math.floor(silent_seconds()) if silent_seconds else 0,
        }

    def _seconds_left(self, progress: Payload, now: float) -> int | None:
        began = self._began.get((progress["operation"], progress["phase"]))
        if began is None:
            return None
        (since, before), done = began, progress["done"]
        seconds, measured = now - since, done - before
        if measured < MIN_MEASURED_STEPS or seconds < MIN_MEASURED_SECONDS:
            return None
        # Waits that Comfy Cloud has asked for count too: it will ask for more.
        left: float = seconds / measured * (progress["total"] - done)
        return math.ceil(left)
