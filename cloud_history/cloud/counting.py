"""Counting jobs by status: from the server's totals if they are reliable, otherwise by reading all jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from ..errors import ListNotWhole
from ..jobs.filters import JobFilter
from ..jobs.job import Job, utc_now
from ..jobs.status import ACTIVE, FINISHED, JobCounts, JobStatus
from ..reasons import Reason
from ..sentence import Worded
from ..tasks.stopping import gather_all
from .evidence import SPOT_CHECK, Defect, DefectKind, sample_evenly
from .listing import JobLister, has_more_jobs, list_jobs
from .pages import EVERY_JOB, Page

_GROUPS = (*((status,) for status in FINISHED), ACTIVE)


DateRange = tuple[datetime | None, datetime | None]
"""The oldest and the newest time, each None if unknown."""


class CountedJobs(NamedTuple):
    """Number of jobs by status, and some of the jobs.

    Attributes:
        sample: up to SPOT_CHECK finished jobs. The check after a clear requests them by id.
        active: ids of some active jobs, which must still exist after a clear.
    """

    counts: JobCounts
    sample: Sequence[Job]
    active: frozenset[str] = frozenset()


async def count_jobs(client: JobLister, now: Callable[[], datetime] = utc_now) -> JobCounts:
    """Count the finished jobs by status, and the active jobs. Raise CloudError if they cannot be counted."""
    return (await count_and_sample(client, now)).counts


async def count_and_sample(client: JobLister, now: Callable[[], datetime] = utc_now) -> CountedJobs:
    """Count the jobs by status and return some of them too. Raise CloudError if one status cannot be counted."""
    asked = [JobFilter(group).query() for group in _GROUPS]
    *pages, whole = await gather_all(client.list_jobs(query, EVERY_JOB, limit=1) for query in (*asked, {}))
    # A server that ignores the filter returns the same job and the same total for all four queries.
    filters = all(job.status in group for group, page in zip(_GROUPS, pages, strict=True) for job in page.kept.values())
    # If the server does not recognise a status in the filter, its total leaves out jobs that a clear removes.
    adds_up = sum(page.total or 0 for page in pages) == whole.total
    credible = filters and adds_up and all(map(_has_credible_total, (*pages, whole)))
    ends = await _last_pages(client, pages) if credible else None
    if ends is not None:
        found = {job.id: job for page in (*pages, *ends) for job in page.kept.values()}
        return _counted([page.total or 0 for page in pages], now(), found.values())
    jobs = await _read_all(client)
    # If jobs disappear while they are counted, the service may be broken, and "no jobs are left" would be wrong.
    named = {job_id for page in (*pages, whole) for job_id in page.job_ids}
    if not named <= {job.id for job in jobs} or (not jobs and any(page.total for page in (*pages, whole))):
        raise ListNotWhole(Defect(DefectKind.DOES_NOT_ADD_UP).reason)
    return _counted([sum(job.status in group for job in jobs) for group in _GROUPS], now(), jobs)


def _counted(numbers: Sequence[int], taken_at: datetime, jobs: Iterable[Job]) -> CountedJobs:
    """Return the counts and a sample of `jobs`. `numbers` are the numbers of jobs in the groups of _GROUPS."""
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
    """Return all jobs.

    Raises:
        CloudError: the list is incomplete, or contains a job with an unknown status, which a clear may or may not
            remove.
    """
    listing = await list_jobs(client, JobFilter())
    if not listing.complete:
        raise listing.error or listing.not_whole()
    if listing.unreadable:
        raise ListNotWhole(Defect(DefectKind.UNREADABLE_ROWS, listing.unreadable).reason)
    jobs = list(listing.jobs.values())
    if unknown := sum(job.status is JobStatus.UNKNOWN for job in jobs):
        have = Worded(unknown, "1 job has" if unknown == 1 else f"{unknown:,} jobs have")
        raise ListNotWhole(Reason("jobs_of_unknown_status", {"jobs": have}))
    if await has_more_jobs(client, {}, listing.jobs, len(jobs)):
        raise ListNotWhole(Defect(DefectKind.ENDS_TOO_SOON).reason)
    return jobs


async def _last_pages(client: JobLister, pages: Sequence[Page[Job]]) -> list[Page[Job]] | None:
    """Return the last page of each list in `pages`, or None if a list does not end where its total says."""
    asked = [(group, page) for group, page in zip(_GROUPS, pages, strict=True) if page.total]
    ends = await gather_all(
        client.list_jobs(JobFilter(group).query(), EVERY_JOB, limit=2, offset=(page.total or 0) - 1)
        for group, page in asked
    )
    fit = all(_can_be_last_page(end, page) for end, (_, page) in zip(ends, asked, strict=True))
    return ends if fit else None


def _can_be_last_page(end: Page[Job], first: Page[Job]) -> bool:
    """Return whether `end` can be the last page of the list that begins with `first`.

    The last page has one row. A server that ignores offsets sends the first rows again, which is accepted too.
    """
    no_offset = (first.total or 0) > 1 and end.job_ids[:1] == first.job_ids
    return end.received == 1 or (no_offset and end.received > 1)


async def newest_jobs(client: JobLister, limit: int) -> Sequence[Job]:
    """Return up to `limit` of the newest finished jobs. Raise CloudError if the request fails."""
    page = await client.list_jobs(JobFilter(FINISHED).query(), EVERY_JOB, limit=limit)
    return [job for job in page.kept.values() if job.finished]


async def date_range(client: JobLister, counts: JobCounts) -> DateRange:
    """Return when the oldest and the newest finished jobs were created. Raise CloudError if a request fails."""
    pages = await gather_all(
        client.list_jobs(JobFilter((status,)).query(), EVERY_JOB, limit=1, offset=offset)
        for status, number in counts.by_status.items()
        for offset in sorted({0, number - 1})
        if number
    )
    jobs = [job for page in pages for job in page.kept.values() if job.finished]
    made = [job.created_at for job in jobs if job.created_at]
    return min(made, default=None), max(made, default=None)


def _has_credible_total(page: Page[Job]) -> bool:
    """Return whether a first page has a total and nothing on the page contradicts that total."""
    if page.total is None or page.defects or page.contradicts_itself():
        return False
    return bool(page.total) or not (page.received or page.has_more or page.next_cursor)
