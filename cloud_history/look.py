"""Looking whether jobs are there: before a deletion, to know what is ours to claim, and after it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .errors import CloudConnectionError, CloudError, NotFound
from .jobs import Job
from .listing import JobLister, list_jobs
from .pages import EVERY_JOB
from .selection import JobFilter
from .stopping import Watch, run_stoppable

MOST_ONE_BY_ONE = 20
MOST_AT_ONCE = 6


class JobReader(JobLister, Protocol):
    """What looking needs of a client."""

    async def get_job(self, job_id: str) -> Job: ...


@dataclass(frozen=True)
class Look:
    """What was seen of some jobs.

    Attributes:
        there: those that are listed.
        gone: those that are certainly not: absent from a complete listing, or a 404 from a server that lists jobs.
        error: why some are neither.
    """

    there: Mapping[str, Job] = field(default_factory=dict)
    gone: frozenset[str] = frozenset()
    error: CloudError | None = None

    def saw(self, job_id: str) -> bool:
        """Whether it is known to be there, or known to be gone."""
        return job_id in self.there or job_id in self.gone


UNSEEN = Look()


async def look_at(client: JobReader, job_ids: Sequence[str]) -> Look:
    """Look at these jobs: up to 20 one by one, more by reading the list once. Never raises CloudError."""
    try:
        return await (_one_by_one if len(job_ids) <= MOST_ONE_BY_ONE else by_list)(client, job_ids)
    except CloudError as error:
        return Look(error=error)


async def look_in_time(client: JobReader, job_ids: Sequence[str], watch: Watch, seconds: float) -> Look:
    """Look at these jobs, for at most so long. Raises OperationStopped."""
    try:
        return await run_stoppable(look_at(client, job_ids), watch, seconds)
    except CloudConnectionError as error:
        return Look(error=error)


async def by_list(client: JobReader, job_ids: Sequence[str]) -> Look:
    """Look at these jobs by reading the list once. What could not be read of it is said in the look."""
    wanted = frozenset(job_ids)
    listing = await list_jobs(client, JobFilter(), wanted)
    there = {job_id: listing.jobs[job_id] for job_id in job_ids if job_id in listing.jobs}
    gone = wanted.difference(there) if listing.complete else frozenset()
    return Look(there, gone, listing.error)


async def _one_by_one(client: JobReader, job_ids: Sequence[str]) -> Look:
    # A server without the route answers 404 to everything: its list must have answered before a 404 counts.
    await client.list_jobs({}, EVERY_JOB, limit=1)
    gate = asyncio.Semaphore(MOST_AT_ONCE)

    async def get(job_id: str) -> Job | None:
        async with gate:
            try:
                return await client.get_job(job_id)
            except NotFound:
                return None

    found = await asyncio.gather(*(get(job_id) for job_id in job_ids), return_exceptions=True)
    there: dict[str, Job] = {}
    gone: set[str] = set()
    error: CloudError | None = None
    for job_id, job in zip(job_ids, found, strict=True):
        if isinstance(job, CloudError):
            error = error or job
        elif isinstance(job, BaseException):
            raise job
        elif job is None:
            gone.add(job_id)
        else:
            there[job_id] = job
    return Look(there, frozenset(gone), error)
