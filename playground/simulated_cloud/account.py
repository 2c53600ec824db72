"""The jobs of the account and its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from .jobs import SimulatedJob, path_of, sendable
from .stored_files import Content, FileFacts, Fixed, Periodic, drawn, facts_of, facts_of_drawn


@dataclass
class Account:
    """The jobs of an account and its files.

    Files are known by their path: the subfolder, a slash and the name, or the name alone.

    Attributes:
        jobs: all jobs by id, in the order of their creation. Deleted jobs stay, marked as deleted, for tests to read.
        owners: the job of each file, by the file's path. Files outlive the removal of their job from the history.
        contents: the content of files that have another than the one drawn for their name.
        lost: the paths of files that are neither found any more nor listed as assets.
        told: what the asset of a file says instead of the truth, by path: `{"size": 1, "asset_hash": ABSENT}`.
        signed: the paths of files for which a signed URL was given out, by their digest.
    """

    jobs: dict[str, SimulatedJob] = field(default_factory=dict)
    owners: dict[str, SimulatedJob] = field(default_factory=dict)
    contents: dict[str, bytes | Periodic] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    signed: dict[str, str] = field(default_factory=dict)

    def add(self, job: SimulatedJob) -> None:
        """Add a new job."""
        if job.id in self.jobs:
            raise ValueError(f"job {job.id} exists already")
        self.jobs[job.id] = job
        self.note_files(job)

    def note_files(self, job: SimulatedJob) -> None:
        """Record the job as the owner of its files."""
        for path in job.paths:
            self.owners[path] = job

    def locate(self, subfolder: str, name: str) -> str:
        """Return the path of a file. One that is in no subfolder is found by its name alone."""
        path = path_of(subfolder, name)
        return path if path in self.owners else sendable(name)

    def find(self, path: str) -> SimulatedJob | None:
        """Return the owner of a file that the storage still has, or None."""
        path = sendable(path)
        return None if path in self.lost else self.owners.get(path)

    def content_of(self, path: str) -> Content:
        """Return the content of a file of a job."""
        path = sendable(path)
        own = self.contents.get(path)
        if own is None:
            owner = self.owners[path]
            return drawn(path, owner.width, owner.height)
        return Fixed(own) if isinstance(own, bytes) else own

    def facts_of(self, path: str) -> FileFacts:
        """Return the size and the hashes of a file of a job, as it is stored now."""
        path = sendable(path)
        own = self.contents.get(path)
        if own is None:
            owner = self.owners[path]
            return facts_of_drawn(path, owner.width, owner.height)
        return facts_of(Fixed(own) if isinstance(own, bytes) else own)

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
