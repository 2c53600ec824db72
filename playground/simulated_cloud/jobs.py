"""Simulated jobs, and their form in the answers of the API."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from .samples import execution_error
from .workflows import outputs_of, preview_of, workflow_of

ACTIVE = ("pending", "in_progress")
FINISHED = ("completed", "failed", "cancelled")
STATUSES = (*ACTIVE, *FINISHED)

# The internal states that the service is known to use for each documented status.
RAW_STATES: dict[str, tuple[str, ...]] = {
    "pending": (
        "submitted",
        "queued_limited",
        "queued_waiting",
        "allocated",
        "preparing",
        "pending_execution",
    ),
    "in_progress": ("executing", "executed"),
    "completed": ("success",),
    "failed": ("error", "non_retryable_error", "erroring", "lost"),
    "cancelled": ("cancelled", "cancel_requested", "cancel_pending", "cancelling_preparing"),
}

ABSENT: Any = object()
"""A value in `SimulatedJob.overrides` that leaves the field out of the answers."""


@dataclass(slots=True)
class SimulatedJob:
    """One job of the account. Times are Unix milliseconds.

    Attributes:
        status: one of the documented statuses.
        files: the names of its outputs. The first one is the preview.
        subfolders: the subfolder of each of the `files`. Files beyond its length are in none.
        error_kind: the index of its error in `samples.FAILURES`. None: the job has no structured error.
        overrides: undocumented values of fields in the answers of the API. `ABSENT` leaves a field out.
    """

    id: str
    status: str
    create_time: int
    start_time: int | None = None
    end_time: int | None = None
    workflow_id: str | None = None
    workflow_name: str = ""
    files: tuple[str, ...] = ()
    media: str = "images"
    width: int = 1024
    height: int = 1024
    prompt: str = ""
    checkpoint: str = ""
    error_kind: int | None = None
    deleted: bool = False
    deleted_at: float | None = None
    overrides: dict[str, Any] = field(default_factory=dict)
    subfolders: tuple[str, ...] = ()
    _written: tuple[object, str] = field(default=(None, ""), init=False, repr=False, compare=False)

    @property
    def finished(self) -> bool:
        """Whether the job is completed, failed or cancelled, so that it can be deleted."""
        return self.status in FINISHED

    @property
    def places(self) -> list[tuple[str, str]]:
        """The subfolder and the name of each file."""
        rest = ("",) * max(0, len(self.files) - len(self.subfolders))
        return list(zip((*self.subfolders[: len(self.files)], *rest), self.files, strict=True))

    @property
    def paths(self) -> list[str]:
        """The path of each file, as `Account` knows it."""
        return [path_of(*place) for place in self.places]

    @property
    def update_time(self) -> int:
        """The time of the last change in Unix milliseconds."""
        return self.end_time or self.start_time or self.create_time

    @property
    def duration(self) -> int:
        """The running time in milliseconds. 0 for a job that has not started or not ended."""
        return (self.end_time - self.start_time) if self.end_time and self.start_time else 0

    @property
    def raw_state(self) -> str:
        """One of the service's internal states for this status, always the same one."""
        return random.Random(self.id).choice(RAW_STATES[self.status])

    @property
    def output_type(self) -> str | None:
        """`image`, `video`, `audio` or `3d` for a completed job with outputs, as in the filter of the list."""
        if self.status != "completed" or not self.files:
            return None
        return {"images": "image", "gifs": "video", "audio": "audio", "3d": "3d"}[self.media]

    def moved(self, by: int) -> SimulatedJob:
        """Return a fresh copy of the job with all times moved by this many milliseconds."""
        return SimulatedJob(
            self.id,
            self.status,
            self.create_time + by,
            None if self.start_time is None else self.start_time + by,
            None if self.end_time is None else self.end_time + by,
            self.workflow_id,
            self.workflow_name,
            self.files,
            self.media,
            self.width,
            self.height,
            self.prompt,
            self.checkpoint,
            self.error_kind,
            subfolders=self.subfolders,
        )

    def delete(self, at: float) -> None:
        """Remove the job from the history at this monotonic time. Its outputs stay."""
        self.deleted = True
        self.deleted_at = at

    def entry(self, *, seconds: bool = False, raw: bool = False) -> dict[str, Any]:
        """Build the JobEntry of a list, with `create_time` in `seconds` or milliseconds, and `raw` internal states."""
        return self._finish(self._common(seconds, raw))

    def written(self, *, seconds: bool = False, raw: bool = False) -> str:
        """Return the entry as JSON, cached until the job changes: tests read lists of 20,000 jobs repeatedly."""
        if self.overrides:
            return json.dumps(self.entry(seconds=seconds, raw=raw))
        state = (seconds, raw, *_SHOWN_IN_A_LIST(self))
        if self._written[0] != state:
            self._written = (state, json.dumps(self.entry(seconds=seconds, raw=raw)))
        return self._written[1]

    def detail(self, *, seconds: bool = False, raw: bool = False) -> dict[str, Any]:
        """Build the JobDetailResponse."""
        answer = self._common(seconds, raw)
        answer["update_time"] = self.update_time // 1000 if seconds else self.update_time
        answer["workflow"] = workflow_of(self)
        if self.finished:
            answer["outputs"] = outputs_of(self)
            answer["execution_status"] = {
                "status_str": "success" if self.status == "completed" else "error",
                "completed": self.status == "completed",
                "messages": [],
            }
            answer["execution_meta"] = {}
        elif self.status == "pending":
            answer["queue_reason"] = None
            answer["queue_position"] = None
        return self._finish(answer)

    def _common(self, seconds: bool, raw: bool) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "id": self.id,
            "status": self.raw_state if raw else self.status,
            "create_time": self.create_time // 1000 if seconds else self.create_time,
        }
        if self.workflow_id is not None:
            answer["workflow_id"] = self.workflow_id
        if self.finished:
            answer["outputs_count"] = len(self.files)
            # These two are milliseconds in every document, unlike create_time.
            if self.start_time is not None:
                answer["execution_start_time"] = self.start_time
            if self.end_time is not None:
                answer["execution_end_time"] = self.end_time
            preview = preview_of(self)
            if preview is not None:
                answer["preview_output"] = preview
        if self.status == "failed" and self.error_kind is not None:
            answer["execution_error"] = execution_error(self.error_kind, self.prompt)
        return answer

    def _finish(self, answer: dict[str, Any]) -> dict[str, Any]:
        answer.update(self.overrides)
        return {name: value for name, value in answer.items() if value is not ABSENT}


def path_of(subfolder: str, name: str) -> str:
    """Return the path of a file."""
    return sendable(f"{subfolder}/{name}" if subfolder else name)


def sendable(text: str) -> str:
    """Replace lone surrogates by question marks, as happens to a name in a URL."""
    return text.encode("utf-8", "replace").decode()


_SHOWN_IN_A_LIST = attrgetter(
    "id",
    "status",
    "create_time",
    "start_time",
    "end_time",
    "workflow_id",
    "files",
    "subfolders",
    "media",
    "error_kind",
    "prompt",
)
