"""What is known of each job while its deletion runs, and at the end of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..cloud.lookup import Look
from ..errors import CloudError
from ..jobs.models import DeletionResult, JobOutcome, Outcome
from .verdicts import verdict


class Ledger:
    """The books of one deletion."""

    def __init__(self, job_ids: Sequence[str]) -> None:
        self.sent: dict[str, JobOutcome] = {}
        self.stopped = False
        self._order = list(job_ids)
        self._in_flight: set[str] = set()
        self._kept_back: dict[str, JobOutcome] = {}
        self._backed_up = 0
        self._errors: dict[str, CloudError] = {}
        self._met_all = ""

    @property
    def settled(self) -> int:
        """How many jobs' requests have ended."""
        return len(self.sent)

    @property
    def to_verify(self) -> list[str]:
        """The jobs a request was sent for."""
        return [
            job_id for job_id in self._order if job_id in self._in_flight or self._sent(job_id) is not None
        ]

    def awaited(self, look: Look) -> bool:
        """Whether a job may be on its way out: sent, not certainly refused, not active, and not seen to be gone."""
        return any(
            (sent.outcome is Outcome.ACCEPTED or sent.may_have_worked)
            and job_id not in look.gone
            and not (job_id in look.there and look.there[job_id].active)
            for job_id, sent in self.sent.items()
        )

    def keep_back(self, outcomes: Mapping[str, JobOutcome]) -> None:
        """These are not sent; what that is called is known already."""
        self._kept_back.update(outcomes)

    def not_kept_back(self, job_ids: Iterable[str]) -> list[str]:
        return [job_id for job_id in job_ids if job_id not in self._kept_back]

    def backed_up(self, workflows: int) -> None:
        """So many workflows were saved first."""
        self._backed_up = workflows

    def sending(self, chunk: Sequence[str]) -> None:
        self._in_flight.update(chunk)

    def accepted(self, chunk: Sequence[str]) -> None:
        self._settle(chunk, JobOutcome(Outcome.ACCEPTED))

    def failed(self, chunk: Sequence[str], error: CloudError) -> None:
        self.note(error)
        if error.meets_all:
            self._met_all = self._met_all or error.short
        worked = error.may_have_worked
        lost = worked and error.unanswered
        outcome = Outcome.UNCONFIRMED if lost else Outcome.FAILED
        self._settle(chunk, JobOutcome(outcome, error.short, answered=not lost, may_have_worked=worked))

    def note(self, error: CloudError) -> None:
        """Remember an error, for its hint."""
        self._errors.setdefault(error.short, error)

    def end_sending(self, why: str, *, stopped: bool = False) -> None:
        """Close the books on sending: what was in flight got no answer, what was not sent was not attempted.

        Args:
            why: it ended; an error that would have met all requests says it better.
        """
        self.stopped = self.stopped or stopped
        unsent = JobOutcome(Outcome.NOT_ATTEMPTED, why if stopped else self._met_all or why)
        lost = JobOutcome(Outcome.UNCONFIRMED, why, answered=False, may_have_worked=True)
        for job_id in self._order:
            self.sent.setdefault(job_id, lost if job_id in self._in_flight else unsent)

    def result(self, before: Look, after: Look) -> DeletionResult:
        """The outcome of every job."""
        jobs = {
            job_id: self._kept_back.get(job_id) or verdict(job_id, self.sent[job_id], before, after)
            for job_id in self._order
        }
        return DeletionResult(jobs, self.stopped, tuple(self._errors.values()), self._backed_up)

    def _sent(self, job_id: str) -> JobOutcome | None:
        found = self.sent.get(job_id)
        return None if found is None or found.outcome is Outcome.NOT_ATTEMPTED else found

    def _settle(self, chunk: Sequence[str], outcome: JobOutcome) -> None:
        self._in_flight.difference_update(chunk)
        self.sent.update(dict.fromkeys(chunk, outcome))
