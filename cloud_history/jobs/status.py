"""The table of all job statuses, with the service's words for each status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

_FINISHED, _ACTIVE, _NEITHER = "finished", "active", ""


class JobStatus(str, Enum):
    """The five statuses of the API, in the order used by reports, and UNKNOWN for any other status.

    Attributes:
        group: "finished", "active" or "". A deletion can remove only jobs with a finished status.
        words: the service's words for the status, from CLOUD_API_RECOMMENDATIONS.md of Comfy-Org/docs.
    """

    group: str
    words: tuple[str, ...]

    PENDING = (
        "pending",
        _ACTIVE,
        "submitted queued_limited queued_waiting allocated preparing pending_execution waiting_to_dispatch",
    )
    IN_PROGRESS = "in_progress", _ACTIVE, "executing executed"
    COMPLETED = "completed", _FINISHED, "success"
    FAILED = "failed", _FINISHED, "error non_retryable_error retryable_error erroring lost"
    CANCELLED = "cancelled", _FINISHED, "canceled cancel_requested cancel_pending cancelling_preparing"
    UNKNOWN = "unknown", _NEITHER, ""

    def __new__(cls, name: str, group: str = "", words: str = "") -> JobStatus:
        status = str.__new__(cls, name)
        status._value_, status.group, status.words = name, group, (name, *words.split())
        return status

    @classmethod
    def from_api(cls, word: object) -> JobStatus:
        """Return the status for the service's word, or UNKNOWN if the word is not in the table."""
        return _STATUS_OF_WORD.get(word, cls.UNKNOWN) if isinstance(word, str) else cls.UNKNOWN


FINISHED = tuple(status for status in JobStatus if status.group == _FINISHED)
ACTIVE = tuple(status for status in JobStatus if status.group == _ACTIVE)
_STATUS_OF_WORD = {word: status for status in JobStatus for word in status.words}

STATUSES_OF_CHOICE: Mapping[str, tuple[JobStatus, ...]] = {
    _FINISHED: FINISHED,
    **{status.value: (status,) for status in FINISHED},
    _ACTIVE: ACTIVE,
    "any": (),
}
"""The choices of a node's input “status”, and the statuses that each choice selects. An empty tuple selects all."""


def listed(statuses: Iterable[JobStatus], last: str) -> str:
    """Return the statuses as a list in words, such as "completed, failed or cancelled". `last` is "or" or "and"."""
    *others, final = (status.value for status in statuses)
    return f"{', '.join(others)} {last} {final}" if others else final


@dataclass(frozen=True)
class JobCounts:
    """The number of jobs in the history.

    Attributes:
        by_status: numbers of finished jobs, which a clear removes, by status.
        active: number of pending and running jobs.
        taken_at: when the jobs were counted.
    """

    by_status: Mapping[JobStatus, int]
    active: int
    taken_at: datetime

    @property
    def finished(self) -> int:
        return sum(self.by_status.values())
