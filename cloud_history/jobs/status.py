"""The states of a job, and which words of the service mean them. Nothing else knows those words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class JobStatus(str, Enum):
    """The five states of the API, and one for anything it may add."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @classmethod
    def from_api(cls, word: object) -> JobStatus:
        """The state an API word means. A word nobody knows is UNKNOWN, and is never taken for finished."""
        return _STATUS_OF_WORD.get(word, cls.UNKNOWN) if isinstance(word, str) else cls.UNKNOWN


FINISHED = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)
ACTIVE = (JobStatus.PENDING, JobStatus.IN_PROGRESS)

# Behind the five documented words stand others, listed in CLOUD_API_RECOMMENDATIONS.md of Comfy-Org/docs.
_STATUS_OF_WORD: Mapping[str, JobStatus] = {
    word: status
    for status, words in {
        JobStatus.PENDING: "pending submitted queued_limited queued_waiting allocated preparing pending_execution"
        " waiting_to_dispatch",
        JobStatus.IN_PROGRESS: "in_progress executing executed",
        JobStatus.COMPLETED: "completed success",
        JobStatus.FAILED: "failed error non_retryable_error retryable_error erroring lost",
        JobStatus.CANCELLED: "cancelled canceled cancel_requested cancel_pending cancelling_preparing",
    }.items()
    for word in words.split()
}


@dataclass(frozen=True)
class JobCounts:
    """How many jobs the history has, by what can happen to them."""

    completed: int
    failed: int
    cancelled: int
    active: int
    taken_at: datetime

    @property
    def finished(self) -> int:
        """The jobs a clear removes."""
        return self.completed + self.failed + self.cancelled
