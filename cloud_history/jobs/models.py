"""What the rest of the package talks about. Values of the API are normalised here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from ..errors import CloudError


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


class Outcome(str, Enum):
    """What became of a job that was to be deleted."""

    DELETED = "deleted"
    """It was there before, was sent, and is gone."""
    ALREADY_GONE = "already_gone"
    ACTIVE = "active"
    """Pending or running: left alone."""
    PROTECTED = "protected"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    """Accepted and still listed, or not read back; or no answer came and nobody could look."""
    NOT_ATTEMPTED = "not_attempted"
    ACCEPTED = "accepted"
    """Only while a deletion runs: answered with 200, which has no body and proves no more. Then somebody looks."""


@dataclass(frozen=True)
class JobOutcome:
    """The outcome of one job, with why where it is not the good one.

    Attributes:
        answered: whether Comfy Cloud answered the request with something that settles it. What was never answered
            is an error even when nobody could look.
        may_have_worked: whether a request that failed may have been carried out all the same.
    """

    outcome: Outcome
    why: str = ""
    answered: bool = True
    may_have_worked: bool = False


@dataclass(frozen=True)
class DeletionResult:
    """The outcome of each job id of a deletion, in the order given."""

    jobs: Mapping[str, JobOutcome]
    stopped: bool = False
    errors: tuple[CloudError, ...] = field(default=(), compare=False)
    """The distinct errors met, first come first: they carry the hints."""
    backed_up: int = 0
    """How many workflows were backed up first."""

    def ids(self, outcome: Outcome) -> list[str]:
        return [job_id for job_id, each in self.jobs.items() if each.outcome is outcome]

    @property
    def deleted(self) -> int:
        """How many are gone, verified, and were there before."""
        return len(self.ids(Outcome.DELETED))

    @property
    def gone(self) -> list[str]:
        """The ids of those."""
        return self.ids(Outcome.DELETED)

    @property
    def removed(self) -> int:
        """The same, by the name a clear has for it."""
        return self.deleted

    @property
    def failed(self) -> bool:
        """Whether something did not work that should have: what a node ends in an error for."""
        return any(
            each.outcome in (Outcome.FAILED, Outcome.NOT_ATTEMPTED)
            or (each.outcome is Outcome.UNCONFIRMED and not each.answered)
            for each in self.jobs.values()
        )


class ClearOutcome(str, Enum):
    """What became of a clear, as far as counting before and after can tell."""

    DELETED = "deleted"
    """Counted afterwards: no finished job is left."""
    PARTIAL = "partial"
    """Accepted; some were removed, some are listed (they may have finished meanwhile)."""
    UNCONFIRMED = "unconfirmed"
    """Accepted, but all are still listed, or the list could not be read."""
    UNKNOWN = "unknown"
    """The answer was lost, and jobs are still listed or could not be counted."""
    FAILED = "failed"
    """Not accepted: nothing was removed."""


@dataclass(frozen=True)
class ClearResult:
    """A clear, with the finished jobs counted before and after it."""

    outcome: ClearOutcome
    before: JobCounts
    after: JobCounts | None = None
    """None where the list could not be read afterwards."""
    error: CloudError | None = None
    stopped: bool = False
    doubt: str = ""
    """Why the count afterwards proves nothing, in words."""

    @property
    def removed(self) -> int | None:
        """How many are certainly gone; None where nothing could be counted, or the count proves nothing."""
        if self.outcome is ClearOutcome.FAILED:
            return 0
        return (
            None if self.after is None or self.doubt else max(0, self.before.finished - self.after.finished)
        )

    @property
    def failed(self) -> bool:
        """Whether it did not work, or nobody knows: what a node ends in an error for."""
        return self.outcome in (ClearOutcome.FAILED, ClearOutcome.UNKNOWN)

    @property
    def listed(self) -> int | None:
        """How many finished jobs are still listed; None where nothing could be counted."""
        return None if self.after is None else self.after.finished


@dataclass(frozen=True)
class Skipped:
    """A workflow asked whether it may delete, and the person said no. Nothing was sent."""
