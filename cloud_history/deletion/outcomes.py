"""The outcome of each job of a deletion, and of a clear, and how it is determined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from ..errors import CloudError
from ..reasons import NO_REASON, Reason

if TYPE_CHECKING:
    # ComfyUI’s start loads this file for the reports, and needs no lookup.
    from ..cloud.lookup import Observation
    from ..jobs.status import JobCounts


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
    """Accepted, but still listed or not read back; or never answered, and the lookup failed."""
    NOT_ATTEMPTED = "not_attempted"
    ACCEPTED = "accepted"
    """Only while a deletion runs: answered with 200, whose empty body proves nothing. A lookup decides."""


@dataclass(frozen=True)
class JobOutcome:
    """The outcome of one job, and the reason if it was not deleted.

    Attributes:
        answered: whether Comfy Cloud answered the request with something that settles it. What was never answered
            is an error even when nobody could look.
        may_have_worked: whether a request that failed may have been carried out all the same.
    """

    outcome: Outcome
    why: Reason = NO_REASON
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
    def removed(self) -> int:
        """How many jobs are verified to be gone, and were there before."""
        return len(self.ids(Outcome.DELETED))

    @property
    def failed(self) -> bool:
        """Whether a node has to end with an error."""
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
    doubt: Reason = NO_REASON
    """Why the count afterwards proves nothing; NO_REASON if it proves something."""

    @property
    def removed(self) -> int | None:
        """How many jobs are certainly gone; None if they could not be counted, or the count proves nothing."""
        if self.outcome is ClearOutcome.FAILED:
            return 0
        return None if self.after is None or self.doubt else max(0, self.before.finished - self.after.finished)

    @property
    def failed(self) -> bool:
        """Whether a node has to end with an error."""
        return self.outcome in (ClearOutcome.FAILED, ClearOutcome.UNKNOWN)

    @property
    def listed(self) -> int | None:
        """How many finished jobs are still listed; None where nothing could be counted."""
        return None if self.after is None else self.after.finished


@dataclass(frozen=True)
class Skipped:
    """The person did not approve a workflow's deletion. Nothing was sent."""


ALREADY_GONE = JobOutcome(Outcome.ALREADY_GONE)
ACTIVE = JobOutcome(Outcome.ACTIVE)
DELETED = JobOutcome(Outcome.DELETED)
NOT_READ_BACK, LIST_UNREAD = Reason("not_read_back"), Reason("list_unread")
STILL_LISTED, STILL_FOUND = Reason("still_listed"), Reason("still_found")
NOT_SEEN_BEFORE = Reason("not_seen_before")


def job_outcome(job_id: str, sent: JobOutcome, before: Observation, after: Observation) -> JobOutcome:
    """What became of a job.

    Args:
        sent: how sending ended: ACCEPTED, FAILED (refused, or never arrived), UNCONFIRMED (no answer came) or
            NOT_ATTEMPTED, each with why.
        before: seen before sending. What was not seen then is claimed neither as deleted nor as already gone.
    """
    if job_id in before.gone and job_id not in after.there:
        return ALREADY_GONE
    job = after.there.get(job_id) or (before.there.get(job_id) if sent.outcome is Outcome.NOT_ATTEMPTED else None)
    if job is not None and job.active:
        return ACTIVE
    if sent.outcome is Outcome.NOT_ATTEMPTED:
        return sent
    if job_id in after.gone:
        return _gone(job_id, sent, before)
    if job_id in after.there:
        return _still_there(sent, listed=job_id in after.listed)
    if sent.outcome is Outcome.ACCEPTED:
        unread = NOT_READ_BACK if after.error is None else LIST_UNREAD
        return JobOutcome(Outcome.UNCONFIRMED, after.doubt or unread)
    if sent.outcome is Outcome.FAILED and sent.may_have_worked:
        # The job may be gone despite the error, and the lookup failed: not known, so not `failed`.
        return JobOutcome(Outcome.UNCONFIRMED, sent.why, answered=False)
    return sent


def _gone(job_id: str, sent: JobOutcome, before: Observation) -> JobOutcome:
    if job_id not in before.there:
        return JobOutcome(Outcome.UNCONFIRMED, NOT_SEEN_BEFORE, answered=sent.answered)
    if sent.outcome is Outcome.FAILED and not sent.may_have_worked:
        # Our request was refused, so somebody else removed it.
        return ALREADY_GONE
    return DELETED


def _still_there(sent: JobOutcome, *, listed: bool) -> JobOutcome:
    if sent.outcome is Outcome.ACCEPTED:
        return JobOutcome(Outcome.UNCONFIRMED, STILL_LISTED if listed else STILL_FOUND)
    # An unanswered request may still be carried out, so a listed job does not prove a refusal.
    return JobOutcome(Outcome.FAILED, sent.why) if sent.answered else sent


class Outcomes:
    """The outcomes of one deletion while it runs."""

    def __init__(self, job_ids: Sequence[str]) -> None:
        self.sent: dict[str, JobOutcome] = {}
        self.stopped = False
        self._order = list(job_ids)
        self._in_flight: set[str] = set()
        self._left_out: dict[str, JobOutcome] = {}
        self._backed_up = 0
        self._errors: dict[str, CloudError] = {}
        self._met_all = NO_REASON

    @property
    def settled(self) -> int:
        """How many jobs' requests have ended."""
        return len(self.sent)

    @property
    def to_verify(self) -> list[str]:
        """The jobs a request was sent for."""
        return [job_id for job_id in self._order if job_id in self._in_flight or self._sent(job_id) is not None]

    def awaited(self, now: Observation) -> bool:
        """Whether a further lookup may show a job to be gone: sent, not certainly refused, not active, not gone."""
        return any(
            (sent.outcome is Outcome.ACCEPTED or sent.may_have_worked)
            and job_id not in now.gone
            and not (job_id in now.there and now.there[job_id].active)
            for job_id, sent in self.sent.items()
        )

    def leave_out(self, outcomes: Mapping[str, JobOutcome]) -> None:
        """These are not sent; their outcomes are known already."""
        self._left_out.update(outcomes)

    def not_left_out(self, job_ids: Iterable[str]) -> list[str]:
        return [job_id for job_id in job_ids if job_id not in self._left_out]

    def backed_up(self, workflows: int) -> None:
        """Note how many workflows were backed up."""
        self._backed_up = workflows

    def sending(self, chunk: Sequence[str]) -> None:
        self._in_flight.update(chunk)

    def accepted(self, chunk: Sequence[str]) -> None:
        self._settle(chunk, JobOutcome(Outcome.ACCEPTED))

    def failed(self, chunk: Sequence[str], error: CloudError) -> None:
        self.note(error)
        if error.meets_all:
            self._met_all = self._met_all or error.reason
        worked = error.may_have_worked
        lost = worked and error.unanswered
        outcome = Outcome.UNCONFIRMED if lost else Outcome.FAILED
        self._settle(chunk, JobOutcome(outcome, error.reason, answered=not lost, may_have_worked=worked))

    def note(self, error: CloudError) -> None:
        """Remember an error, for its hint."""
        self._errors.setdefault(error.short, error)

    def end_sending(self, why: Reason, *, stopped: bool = False) -> None:
        """Settle all jobs when sending has ended: unanswered ones, and those that were not sent.

        Args:
            why: it ended; an error that would have met all requests says it better.
        """
        self.stopped = self.stopped or stopped
        unsent = JobOutcome(Outcome.NOT_ATTEMPTED, why if stopped else self._met_all or why)
        lost = JobOutcome(Outcome.UNCONFIRMED, why, answered=False, may_have_worked=True)
        for job_id in self._order:
            self.sent.setdefault(job_id, lost if job_id in self._in_flight else unsent)

    def result(self, before: Observation, after: Observation) -> DeletionResult:
        """The outcome of every job."""
        jobs = {
            job_id: self._left_out.get(job_id) or job_outcome(job_id, self.sent[job_id], before, after)
            for job_id in self._order
        }
        return DeletionResult(jobs, self.stopped, tuple(self._errors.values()), self._backed_up)

    def _sent(self, job_id: str) -> JobOutcome | None:
        found = self.sent.get(job_id)
        return None if found is None or found.outcome is Outcome.NOT_ATTEMPTED else found

    def _settle(self, chunk: Sequence[str], outcome: JobOutcome) -> None:
        self._in_flight.difference_update(chunk)
        self.sent.update(dict.fromkeys(chunk, outcome))
