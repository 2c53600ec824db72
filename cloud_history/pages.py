"""A page of jobs, and what is kept of the jobs on it."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Generic, TypeVar

from .jobs import Job

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Pick(Generic[Kept]):
    """What is kept of the jobs on a page. Of a row nobody wants only the id is read: it is by far the least of it.

    Attributes:
        make: what is kept of a job; None for nothing. It may be called in a thread.
        job_ids: of these jobs alone; None: of any.
    """

    make: Callable[[Job], Kept | None]
    job_ids: Container[str] | None = None

    def wants(self, job_id: str) -> bool:
        """Whether anything of this job may be kept."""
        return self.job_ids is None or job_id in self.job_ids


EVERY_JOB: Pick[Job] = Pick(lambda job: job)


@dataclass(frozen=True)
class Page(Generic[Kept]):
    """One page of jobs.

    Attributes:
        job_ids: of the rows that can be read, in order.
        kept: by job id, in order.
        received: rows in the answer, readable or not; offsets step by it.
        total: what the server says matches, or None where it says nothing that can be believed.
    """

    job_ids: list[str]
    kept: dict[str, Kept]
    received: int
    total: int | None
    has_more: bool | None
    next_cursor: str
