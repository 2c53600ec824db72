"""The cloud's own books: the account's jobs, and every request that was made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .jobs import SimulatedJob


@dataclass(slots=True)
class RecordedRequest:
    """One request as it arrived. `headers` ignores case; `at` is monotonic seconds.

    `status` is what was answered, None while no answer was made and when the connection was cut instead.
    `in_flight` counts the requests being served at its arrival, itself included. `answer` is the body that was
    answered, on a cloud that keeps answers.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    at: float
    in_flight: int = 1
    body: bytes = b""
    status: int | None = None
    answer: bytes = b""

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is none, or was not read."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass
class Books:
    """The jobs of the account by id, in the order they were made, and who owns which file.

    `signed` holds the names of files for which a signed URL was given out, by their digest.
    A deleted job stays in the books, marked: that is how a test knows what became of it.
    """

    jobs: dict[str, SimulatedJob] = field(default_factory=dict)
    owners: dict[str, SimulatedJob] = field(default_factory=dict)
    signed: dict[str, str] = field(default_factory=dict)

    def add(self, job: SimulatedJob) -> None:
        """Take a new job into the books."""
        if job.id in self.jobs:
            raise ValueError(f"there is a job {job.id} already")
        self.jobs[job.id] = job
        self.note_files(job)

    def note_files(self, job: SimulatedJob) -> None:
        """Remember whose these files are. Files outlive the removal of their job from the history."""
        for name in job.files:
            self.owners[name] = job

    def get(self, job_id: str) -> SimulatedJob | None:
        """The job with exactly this id, unless it has been deleted."""
        job = self.jobs.get(job_id)
        return None if job is None or job.deleted else job

    def listed(
        self, statuses: Iterable[str] | None, *, still: Callable[[SimulatedJob], bool]
    ) -> list[SimulatedJob]:
        """Jobs of these statuses (None: all) which are not deleted, or of which `still` says that they show."""
        wanted = None if statuses is None else frozenset(statuses)
        return [
            job
            for job in self.jobs.values()
            if (not job.deleted or still(job)) and (wanted is None or job.status in wanted)
        ]

    def delete(self, job_ids: Iterable[str], at: float) -> int:
        """Remove those of these jobs which are finished, and skip all others silently. Returns how many went."""
        removed = 0
        for job_id in job_ids:
            job = self.get(job_id)
            if job is not None and job.finished:
                job.delete(at)
                removed += 1
        return removed
