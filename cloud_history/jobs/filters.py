"""Selecting jobs by id or by a filter. The list, the preview and the deletion use the same filter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .job import Job
from .status import JobStatus

_WHITE_SPACE = re.compile(r"[\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+")
"""The white space that separates the words of a search: exactly what `\\s` matches in JavaScript."""


@dataclass(frozen=True)
class ProtectedJobs:
    """What the person has protected: the ids of single jobs, and the ids of workflows with all their jobs."""

    jobs: frozenset[str] = frozenset()
    workflows: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.jobs or self.workflows)

    def covers(self, job: Job) -> bool:
        """Return whether the job is protected."""
        return job.id in self.jobs or (bool(job.workflow_id) and job.workflow_id in self.workflows)


NOTHING_PROTECTED = ProtectedJobs()


@dataclass(frozen=True)
class JobFilter:
    """A filter for jobs. Attributes that are empty or None match every job.

    Attributes:
        statuses: the job has one of these.
        search: each word of this text is in the name, id, workflow id, status or error, in any case. js/ has the same
            rule, and also finds what only the browser knows.
        after: the job was created at this time or later. A job without a valid time does not match.
        before: the job was created before this time. A job without a valid time does not match.
        protected: True matches only jobs that `protection` covers, False only other jobs.
        saved: True matches only jobs in `saved_ids`, False only other jobs that have outputs.
        saved_ids: the jobs whose outputs are all on this machine.
    """

    statuses: tuple[JobStatus, ...] = ()
    search: str = ""
    after: datetime | None = None
    before: datetime | None = None
    workflow_id: str = ""
    output_type: str = ""
    protected: bool | None = None
    protection: ProtectedJobs = field(default=NOTHING_PROTECTED, repr=False)
    saved: bool | None = None
    saved_ids: frozenset[str] = field(default=frozenset(), repr=False)
    _words: tuple[str, ...] = field(init=False, default=(), repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_words", tuple(filter(None, _WHITE_SPACE.split(self.search.lower()))))

    def matches(self, job: Job) -> bool:
        """Return whether the job matches. Every listed job is tested, because a server may ignore the filter."""
        return (
            (not self.statuses or job.status in self.statuses)
            and (not self.workflow_id or job.workflow_id == self.workflow_id)
            and (not self.output_type or job.output_type == self.output_type)
            and (self.protected is None or self.protection.covers(job) is self.protected)
            and (self.saved is None or self._matches_saved(job))
            and self._matches_time(job)
            and (not self._words or job.mentions(self._words))
        )

    def _matches_saved(self, job: Job) -> bool:
        has_outputs = bool(job.outputs_count) or job.preview is not None
        return (job.id in self.saved_ids) is self.saved and (has_outputs or self.saved is True)

    def only(self, job: Job) -> Job | None:
        """Return the job if it matches, otherwise None."""
        return job if self.matches(job) else None

    def query(self) -> dict[str, str]:
        """Return the part of the filter that the service can apply (operation listJobs)."""
        # The service filters by output type too, but knows the output type of completed jobs only.
        asked = {"workflow_id": self.workflow_id}
        if self.statuses and JobStatus.UNKNOWN not in self.statuses:
            asked["status"] = ",".join(each.value for each in self.statuses)
        return {name: value for name, value in asked.items() if value}

    def _matches_time(self, job: Job) -> bool:
        if self.after is None and self.before is None:
            return True
        if job.created_at is None:
            return False
        return (self.after is None or job.created_at >= self.after) and (
            self.before is None or job.created_at < self.before
        )


@dataclass(frozen=True)
class Selection:
    """The jobs that a person selected: either job ids, in order and without duplicates, or a filter."""

    job_ids: Sequence[str] = ()
    filter: JobFilter | None = None
