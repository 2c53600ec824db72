"""The outcome of each job of a deletion, the outcome of a clear, and how the outcome of a job is determined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ..errors import CloudError
from ..reasons import NO_REASON, Reason

if TYPE_CHECKING:
    # Not imported at run time, to keep ComfyUI’s start fast: it loads this file for the reports.
    from ..cloud.lookup import Observation
    from ..jobs.job import Job
    from ..jobs.status import JobCounts


class Outcome(str, Enum):
    """The outcome of one job of a deletion."""

    DELETED = "deleted"
    """The job was there before, its deletion was sent, and the job is gone."""
    ALREADY_GONE = "already_gone"
    ACTIVE = "active"
    """The job is pending or running, so it was left alone."""
    PROTECTED = "protected"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"
    """The request was accepted, but the job is still listed or was not read back; or the request was never answered."""
    NOT_ATTEMPTED = "not_attempted"
    ACCEPTED = "accepted"
    """Used only while a deletion runs: Comfy Cloud answered 200, which proves nothing. A lookup decides the outcome."""


@dataclass(frozen=True)
class JobOutcome:
    """The outcome of one job, and the reason if it was not deleted.

    Attributes:
        answered: whether Comfy Cloud answered the request. A node reports an unanswered, unconfirmed job as an error.
        may_have_worked: whether Comfy Cloud may have carried out a request that failed.
    """

    outcome: Outcome
    why: Reason = NO_REASON
    answered: bool = True
    may_have_worked: bool = False


class StayingJobs(NamedTuple):
    """How many jobs the history still has after a clear or a clean-up, by the reason, as a complete list showed.

    Jobs that were sent and are still listed do not count. `held`: jobs that another deletion is about to remove.
    `finished_meanwhile`: jobs that finished after the preview, and so were not sent.
    """

    active: int = 0
    protected: int = 0
    unknown: int = 0
    kept: int = 0
    held: int = 0
    finished_meanwhile: int = 0


@dataclass(frozen=True)
class DeletionResult:
    """The outcome of each job id of a deletion, in the order given."""

    jobs: Mapping[str, JobOutcome]
    stopped: bool = False
    errors: tuple[CloudError, ...] = field(default=(), compare=False)
    """The distinct errors in the order they occurred, for their hints."""
    backed_up: int = 0
    """How many workflows were backed up before sending."""
    found: Mapping[str, Job] = field(default_factory=dict, compare=False, repr=False)
    """The jobs that were there before sending, by id."""
    outputs_saved: int = 0
    """How many outputs are on this machine because the deletion had to save them before sending."""
    stay: StayingJobs | None = None
    """For a clear by ids and for a clean-up: the jobs that stay; None if that is not known."""

    @property
    def finished_meanwhile(self) -> int:
        """How many jobs finished after the preview of a clear or a clean-up; 0 if that is not known."""
        return self.stay.finished_meanwhile if self.stay else 0

    def ids(self, outcome: Outcome) -> list[str]:
        return [job_id for job_id, each in self.jobs.items() if each.outcome is outcome]

    @property
    def removed(self) -> int:
        """How many jobs were there before and are verified to be gone."""
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
    """The outcome of a clear, from counting the jobs before and after."""

    DELETED = "deleted"
    """The count afterwards shows that no finished job is left."""
    PARTIAL = "partial"
    """The request was accepted. Some jobs were removed; others are listed, and may have finished after the request."""
    UNCONFIRMED = "unconfirmed"
    """The request was accepted, but all jobs are still listed, or the list could not be read."""
    UNKNOWN = "unknown"
    """No answer came, and jobs are still listed or could not be counted."""
    FAILED = "failed"
    """Comfy Cloud refused the request, so nothing was removed."""


@dataclass(frozen=True)
class ClearResult:
    """A clear, with the finished jobs counted before and after it."""

    outcome: ClearOutcome
    before: JobCounts
    after: JobCounts | None = None
    """None if the list could not be read afterwards."""
    error: CloudError | None = None
    stopped: bool = False
    doubt: Reason = NO_REASON
    """Why the count afterwards does not prove that jobs are gone; NO_REASON if it does."""

    @property
    def removed(self) -> int | None:
        """How many jobs are certainly gone; None if there is no reliable count."""
        if self.outcome is ClearOutcome.FAILED:
            return 0
        return None if self.after is None or self.doubt else max(0, self.before.finished - self.after.finished)

    @property
    def failed(self) -> bool:
        """Whether a node has to end with an error."""
        return self.outcome in (ClearOutcome.FAILED, ClearOutcome.UNKNOWN)

    @property
    def listed(self) -> int | None:
        """How many finished jobs are still listed; None if they could not be counted."""
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
    """Return the outcome of a job.

    Args:
        sent: the outcome of sending: ACCEPTED, FAILED (refused, or never arrived), UNCONFIRMED (no answer came) or
            NOT_ATTEMPTED, each with the reason.
        before: the lookup before sending. A job that this lookup did not find never gets the outcome DELETED.
        after: the lookup after sending.
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
        # The job may be gone despite the error, and the lookup does not tell, so it is not reported as failed.
        return JobOutcome(Outcome.UNCONFIRMED, sent.why, answered=False)
    return sent


def _gone(job_id: str, sent: JobOutcome, before: Observation) -> JobOutcome:
    if job_id not in before.there:
        return JobOutcome(Outcome.UNCONFIRMED, NOT_SEEN_BEFORE, answered=sent.answered)
    if sent.outcome is Outcome.FAILED and not sent.may_have_worked:
        # Comfy Cloud refused this pack's request, so somebody else removed the job.
        return ALREADY_GONE
    return DELETED


def _still_there(sent: JobOutcome, *, listed: bool) -> JobOutcome:
    if sent.outcome is Outcome.ACCEPTED:
        return JobOutcome(Outcome.UNCONFIRMED, STILL_LISTED if listed else STILL_FOUND)
    # Comfy Cloud may carry out an unanswered request later, so a listed job does not mean that it was refused.
    return JobOutcome(Outcome.FAILED, sent.why) if sent.answered else sent


class Outcomes:
    """The outcomes of one deletion while it runs."""

    def __init__(self, job_ids: Sequence[str]) -> None:
        self.sent: dict[str, JobOutcome] = {}
        self.stopped = False
        self._order = list(job_ids)
        self._in_flight: set[str] = set()
        self._left_out: dict[str, JobOutcome] = {}
        self._backed_up = self._outputs_saved = 0
        self._errors: dict[str, CloudError] = {}
        self._common_reason = NO_REASON

    @property
    def ended_requests(self) -> int:
        """The number of jobs whose request has ended."""
        return len(self.sent)

    @property
    def to_verify(self) -> list[str]:
        """The jobs for which a request was sent."""
        return [job_id for job_id in self._order if job_id in self._in_flight or self._sent(job_id) is not None]

    def awaited(self, now: Observation) -> bool:
        """Return whether a later lookup may find a job gone that was sent, is not active and is not gone in `now`."""
        return any(
            (sent.outcome is Outcome.ACCEPTED or sent.may_have_worked)
            and job_id not in now.gone
            and not (job_id in now.there and now.there[job_id].active)
            for job_id, sent in self.sent.items()
        )

    def leave_out(self, outcomes: Mapping[str, JobOutcome]) -> None:
        """Exclude these jobs from sending, with these outcomes."""
        self._left_out.update(outcomes)

    def not_left_out(self, job_ids: Iterable[str]) -> list[str]:
        return [job_id for job_id in job_ids if job_id not in self._left_out]

    def kept(self, workflows: int, outputs: int) -> None:
        """Record how many workflows were backed up, and how many outputs are on this machine."""
        self._backed_up, self._outputs_saved = workflows, outputs

    def sending(self, chunk: Sequence[str]) -> None:
        self._in_flight.update(chunk)

    def accepted(self, chunk: Sequence[str]) -> None:
        self._set_outcome(chunk, JobOutcome(Outcome.ACCEPTED))

    def failed(self, chunk: Sequence[str], error: CloudError) -> None:
        self.note(error)
        if error.meets_all:
            self._common_reason = self._common_reason or error.reason
        worked = error.may_have_worked
        lost = worked and error.unanswered
        outcome = Outcome.UNCONFIRMED if lost else Outcome.FAILED
        self._set_outcome(chunk, JobOutcome(outcome, error.reason, answered=not lost, may_have_worked=worked))

    def note(self, error: CloudError) -> None:
        """Record an error, whose hint the report shows."""
        self._errors.setdefault(error.short, error)

    def end_sending(self, why: Reason, *, stopped: bool = False) -> None:
        """Set the outcome of all jobs that have none when sending ends: unanswered ones and unsent ones.

        Args:
            why: the reason why sending ended. An error that stops all requests takes precedence.
        """
        self.stopped = self.stopped or stopped
        unsent = JobOutcome(Outcome.NOT_ATTEMPTED, why if stopped else self._common_reason or why)
        lost = JobOutcome(Outcome.UNCONFIRMED, why, answered=False, may_have_worked=True)
        for job_id in self._order:
            self.sent.setdefault(job_id, lost if job_id in self._in_flight else unsent)

    def result(self, before: Observation, after: Observation) -> DeletionResult:
        """Return the outcome of every job."""
        jobs = {
            job_id: self._left_out.get(job_id) or job_outcome(job_id, self.sent[job_id], before, after)
            for job_id in self._order
        }
        return DeletionResult(
            jobs,
            self.stopped,
            tuple(self._errors.values()),
            self._backed_up,
            before.there,
            outputs_saved=self._outputs_saved,
        )

    def _sent(self, job_id: str) -> JobOutcome | None:
        found = self.sent.get(job_id)
        return None if found is None or found.outcome is Outcome.NOT_ATTEMPTED else found

    def _set_outcome(self, chunk: Sequence[str], outcome: JobOutcome) -> None:
        self._in_flight.difference_update(chunk)
        self.sent.update(dict.fromkeys(chunk, outcome))
