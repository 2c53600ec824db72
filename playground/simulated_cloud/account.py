"""The jobs of the account and its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from .jobs import SimulatedJob


@dataclass
class Account:
    """The jobs of an account and its files.

    Attributes:
        jobs: all jobs by id, in the order of their creation. Deleted jobs stay, marked as deleted, for tests to read.
        owners: the job of each file, by the file's name. Files outlive the removal of their job from the history.
        contents: the bytes of files that have others than those drawn for their name.
        signed: the names of files for which a signed URL was given out, by their digest.
    """

    jobs: dict[str, SimulatedJob] = field(default_factory=dict)
    owners: dict[str, SimulatedJob] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    signed: dict[str, str] = field(default_factory=dict)

    def add(self, job: SimulatedJob) -> None:
        """Add a new job."""
        if job.id in self.jobs:
            raise ValueError(f"job {job.id} exists already")
        self.jobs[job.id] = job
        self.note_files(job)

    def note_files(self, job: SimulatedJob) -> None:
        """Record the job as the owner of its files."""
        for name in job.files:
            self.owners[name] = job

    def get(self, job_id: str) -> SimulatedJob | None:
        """Return the job with this id, or None if it does not exist or has been deleted."""
        job = self.jobs.get(job_id)
        return None if job is None or job.deleted else job

    def listed(self, statuses: Iterable[str] | None, *, still: Callable[[SimulatedJob], bool]) -> list[SimulatedJob]:
        """Return the jobs of these statuses (None: all), without deleted ones unless `still` is true for them."""
        wanted = None if statuses is None else frozenset(statuses)
        return [
            job
            for job in self.jobs.values()
            if (not job.deleted or still(job)) and (wanted is None or job.status in wanted)
        ]

    def delete(self, job_ids: Iterable[str], at: float) -> int:
        """Delete the jobs that are finished, skip the others, and return how many were deleted."""
        removed = 0
        for job_id in job_ids:
            job = self.get(job_id)
            if job is not None and job.finished:
                job.delete(at)
                removed += 1
        return removed
