"""Counting jobs by status, with as few rows read as the server allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from ..errors import ListNotWhole
from ..jobs.filters import JobFilter
from ..jobs.job import Job, utc_now
from ..jobs.status import ACTIVE, FINISHED, JobCounts, JobStatus
from ..tasks.stopping import gather_all
from .evidence import SPOT_CHECK, Defect, DefectKind, sample_evenly
from .listing import JobLister, has_more_jobs, list_jobs
from .pages import EVERY_JOB, Page

_GROUPS = (*((status,) for status in FINISHED), ACTIVE)


DateRange = tuple[datetime | None, datetime | None]
"""The oldest and the newest moment; None where nobody knows."""


class CountedJobs(NamedTuple):
    """How many jobs there are, and some of them.

    Attributes:
        sample: finished jobs, to be asked for by their ids after a clear.
        active: the ids of active jobs, which have to be there after it.
    """

    counts: JobCounts
    sample: Sequence[Job]
    active: frozenset[str] = frozenset()


async def count_jobs(client: JobLister, now: Callable[[], datetime] = utc_now) -> JobCounts:
    """Count the finished jobs by status, and the active ones.

    Raises:
        CloudError: one of them could not be counted.
    """
    return (await count_and_sample(client, now)).counts


async def count_and_sample(client: JobLister, now: Callable[[], datetime] = utc_now) -> CountedJobs:
    """Count the jobs, and name up to five of the finished ones, and some of the active ones.

    Raises:
        CloudError: one status could not be counted.
    """
    asked = [JobFilter(group).query() for group in _GROUPS]
    *pages, whole = await gather_all(client.list_jobs(query, EVERY_JOB, limit=1) for query in (*asked, {}))
    # A server that does not filter answers all four with the same newest job: no total of its is to be believed.
    filters = all(
        job.status in group for group, page in zip(_GROUPS, pages, strict=True) for job in page.kept.values()
    )
    # A filter that knows a status by another word lists none of its jobs, and a clear takes them all the same.
    adds_up = sum(page.total or 0 for page in pages) == whole.total
    credible = filters and adds_up and all(map(_credible, (*pages, whole)))
    ends = await _ends(client, pages) if credible else None
    if ends is not None:
        found = {job.id: job for page in (*pages, *ends) for job in page.kept.values()}
        return _counted([page.total or 0 for page in pages], now(), found.values())
    # No total (it may be 0 with a cursor), a wrong one, or no true filter: then only reading the jobs tells.
    jobs = await _read_all(client)
    # A history that loses jobs while it is counted is the shape of a broken service, and "none are left" an untruth.
    named = {job_id for page in (*pages, whole) for job_id in page.job_ids}
    if not named <= {job.id for job in jobs} or (not jobs and any(page.total for page in (*pages, whole))):
        raise ListNotWhole(str(Defect(DefectKind.DOES_NOT_ADD_UP)))
    return _counted([sum(job.status in group for job in jobs) for group in _GROUPS], now(), jobs)


def _counted(numbers: Sequence[int], taken_at: datetime, jobs: Iterable[Job]) -> CountedJobs:
    """The number of jobs in each of the groups, with some of these jobs."""
    *by_status, active_jobs = numbers
    counts = JobCounts(dict(zip(FINISHED, by_status, strict=True)), active_jobs, taken_at)
    finished, active = [], set()
    for job in jobs:
        if job.finished:
            finished.append(job)
        elif job.active:
            active.add(job.id)
    return CountedJobs(counts, sample_evenly(finished, SPOT_CHECK), frozenset(active))


async def _read_all(client: JobLister) -> Sequence[Job]:
    """All jobs of a list in which each job can be counted.

    Raises:
        CloudError: the list could not be read whole, or has jobs of which nobody knows whether a clear removes them.
    """
    listing = await list_jobs(client, JobFilter())
    if not listing.complete:
        raise listing.error or listing.not_whole()
    if listing.unreadable:
        raise ListNotWhole(str(Defect(DefectKind.UNREADABLE_ROWS, listing.unreadable)))
    jobs = list(listing.jobs.values())
    if unknown := sum(job.status is JobStatus.UNKNOWN for job in jobs):
        have = "1 job has" if unknown == 1 else f"{unknown:,} jobs have"
        raise ListNotWhole(f"{have} a status that is not known")
    if await has_more_jobs(client, {}, listing.jobs, len(jobs)):
        raise ListNotWhole(str(Defect(DefectKind.ENDS_TOO_SOON)))
    return jobs


async def _ends(client: JobLister, pages: Sequence[Page[Job]]) -> list[Page[Job]] | None:
    """The ends of the lists that these pages begin; None where one does not end where its total says."""
    asked = [(group, page) for group, page in zip(_GROUPS, pages, strict=True) if page.total]
    ends = await gather_all(
        client.list_jobs(JobFilter(group).query(), EVERY_JOB, limit=2, offset=(page.total or 0) - 1)
        for group, page in asked
    )
    fit = all(_is_end(end, page) for end, (_, page) in zip(ends, asked, strict=True))
    return ends if fit else None


def _is_end(end: Page[Job], first: Page[Job]) -> bool:
    """Whether a list has one row from its last on. A server that knows no offset answers with its first ones."""
    no_offset = (first.total or 0) > 1 and end.job_ids[:1] == first.job_ids
    return end.received == 1 or (no_offset and end.received > 1)


async def date_range(client: JobLister, counts: JobCounts) -> DateRange:
    """When the oldest and the newest of the finished jobs were made, by reading the ends of each list.

    Raises:
        CloudError: one of them could not be read.
    """
    pages = await gather_all(
        client.list_jobs(JobFilter((status,)).query(), EVERY_JOB, limit=1, offset=offset)
        for status, number in counts.by_status.items()
        for offset in sorted({0, number - 1})
        if number
    )
    jobs = [job for page in pages for job in page.kept.values() if job.finished]
    made = [job.created_at for job in jobs if job.created_at]
    return min(made, default=None), max(made, default=None)


def _credible(page: Page[Job]) -> bool:
    """Whether the total of a first page can be believed: it is there, and nothing on the page contradicts it."""
    if page.total is None or page.defects or page.contradicts_itself():
        return False
    return bool(page.total) or not (page.received or page.has_more or page.next_cursor)
