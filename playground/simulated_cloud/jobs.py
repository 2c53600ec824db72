"""What a simulated job is, and how it looks in the answers of the API."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from .failures import execution_error
from .workflows import outputs_of, preview_of, workflow_of

STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")
ACTIVE = frozenset({"pending", "in_progress"})
FINISHED = frozenset({"completed", "failed", "cancelled"})

# The raw words the service is known to use inside for each documented status.
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
"""As a value in `SimulatedJob.overrides`: leave that field out of the answers."""


@dataclass(slots=True)
class SimulatedJob:
    """One job of the account. Times are Unix milliseconds; `status` is one of the five documented words.

    `files` are the names of its outputs, the first one being the preview. `error_kind` picks the failure from
    `failures`; None on a failed job means the service kept no structured error. `overrides` replaces or adds
    fields in the answers of the API (`ABSENT` removes one), for answers the documents do not promise.
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
    _written: tuple[object, str] = field(default=(None, ""), init=False, repr=False, compare=False)

    @property
    def finished(self) -> bool:
        """Completed, failed or cancelled: the only states a delete acts on."""
        return self.status in FINISHED

    @property
    def update_time(self) -> int:
        """When the job last changed, in Unix milliseconds."""
        return self.end_time or self.start_time or self.create_time

    @property
    def duration(self) -> int:
        """How long it ran, in milliseconds; 0 for a job which never started or has not ended."""
        return (self.end_time - self.start_time) if self.end_time and self.start_time else 0

    @property
    def raw_state(self) -> str:
        """One of the service's inner words for this status, the same one at each call."""
        return random.Random(self.id).choice(RAW_STATES[self.status])

    @property
    def output_type(self) -> str | None:
        """`image`, `video`, `audio` or `3d` for a completed job with outputs, as the list's filter has it."""
        if self.status != "completed" or not self.files:
            return None
        return {"images": "image", "gifs": "video", "audio": "audio", "3d": "3d"}[self.media]

    def moved(self, by: int) -> SimulatedJob:
        """The same job as it was made, with its times this many milliseconds later."""
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
        )

    def delete(self, at: float) -> None:
        """Remove it from the history at this monotonic time. Its outputs stay."""
        self.deleted = True
        self.deleted_at = at

    def entry(self, *, seconds: bool = False, raw: bool = False) -> dict[str, Any]:
        """The JobEntry of the list. `seconds`: create_time as the public document has it; `raw`: inner states."""
        return self._finish(self._common(seconds, raw))

    def written(self, *, seconds: bool = False, raw: bool = False) -> str:
        """The same as JSON, made anew only when the job has changed: a list of 20,000 is read again and again."""
        if self.overrides:
            return json.dumps(self.entry(seconds=seconds, raw=raw))
        state = (seconds, raw, *_SHOWN_IN_A_LIST(self))
        if self._written[0] != state:
            self._written = (state, json.dumps(self.entry(seconds=seconds, raw=raw)))
        return self._written[1]

    def detail(self, *, seconds: bool = False, raw: bool = False) -> dict[str, Any]:
        """The JobDetailResponse, with the workflow and outputs made on demand."""
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
            # These two are milliseconds in every document, whatever create_time is.
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


_SHOWN_IN_A_LIST = attrgetter(
    "id",
    "status",
    "create_time",
    "start_time",
    "end_time",
    "workflow_id",
    "files",
    "media",
    "error_kind",
    "prompt",
)
