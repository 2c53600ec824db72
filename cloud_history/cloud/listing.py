"""Listing all jobs of a history, or those that a filter matches, page by page."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Container, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol

from ..errors import BadRequest, CloudError, ListNotWhole
from ..jobs.filters import JobFilter
from ..jobs.job import Job
from ..jobs.status import JobStatus
from ..reasons import NO_REASON
from .evidence import Defect, DefectKind, is_whole
from .pages import NO_JOB, Page, RowMapper, ValueT

PAGE = 1000
MAX_CONCURRENT_REQUESTS = 6
MAX_PAGES = 1000
MAX_READINGS = 3


class JobLister(Protocol):
    """The part of a client that listing needs."""

    async def list_jobs(
        self,
        query: Mapping[str, str],
        mapper: RowMapper[ValueT],
        *,
        limit: int,
        offset: int = 0,
        after: str | None = None,
    ) -> Page[ValueT]: ...


@dataclass
class Reading:
    """The progress and the result of reading a list.

    Attributes:
        job_ids: ids of the matching jobs.
        received: number of all rows, including repeated rows and rows of jobs that do not match.
        unreadable: number of rows without a readable id.
        complete: whether the list is complete enough to be shown. Proof needs more; see `Listing.proof`.
        defects: why the list is no proof that a job is absent.
        error: the error that ended the reading early.
    """

    job_ids: set[str] = field(default_factory=set)
    received: int = 0
    unreadable: int = 0
    total: int | None = None
    complete: bool = False
    defects: tuple[Defect, ...] = ()
    error: CloudError | None = None


@dataclass(frozen=True)
class CompleteListing:
    """A list without defects: a job that is missing from it may count as absent. Only `Listing.proof` creates one.

    Attributes:
        seen: the ids of all listed jobs, whether they match or not.
        query: the filter; empty for jobs of all statuses.
        is_short: whether the list is a single page that is not full. A server that silently shortens pages also
            returns such a list.
    """

    seen: frozenset[str]
    query: Mapping[str, str]
    is_short: bool


@dataclass
class Listing(Reading):
    """A list that was read.

    Attributes:
        jobs: the matching jobs by id, in the order of the list.
        seen, query, is_short: as in `CompleteListing`.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    seen: frozenset[str] = frozenset()
    query: Mapping[str, str] = field(default_factory=dict)
    is_short: bool = False

    def not_whole(self) -> ListNotWhole:
        """Return the error that says why the list is not complete."""
        return ListNotWhole(next((each.reason for each in self.defects if not is_whole([each])), NO_REASON))

    def proof(self) -> CompleteListing | None:
        """Return the list as proof, or None if it has defects or an error."""
        if self.error is not None or self.defects or not self.complete:
            return None
        return CompleteListing(self.seen, self.query, self.is_short)


class _Reader(Generic[ValueT]):
    """Reads all pages of a list once and yields the new jobs of each page."""

    def __init__(
        self,
        client: JobLister,
        query: Mapping[str, str],
        mapper: RowMapper[ValueT],
        first: Awaitable[Page[ValueT]] | None = None,
    ) -> None:
        self._client = client
        self._query = query
        self._mapper = mapper
        self._first = first
        self._limit = PAGE
        self.seen: set[str] = set()
        self.received = 0
        self.unreadable = 0
        self.total: int | None = None
        self.ended = False
        self.is_short = False
        self._largest_total = 0
        self._defects: dict[DefectKind, Defect] = {}

    def defects(self) -> tuple[Defect, ...]:
        """Return why the list is no proof that a job is absent; empty if it is proof.

        The number of jobs is compared with the largest total, not with the last one. If a job disappears while pages
        are read, one of the following rows may be skipped, and the last total is smaller by one, so it would match.
        """
        if self.unreadable:
            self._defects[DefectKind.UNREADABLE_ROWS] = Defect(DefectKind.UNREADABLE_ROWS, self.unreadable)
        if not self.ended or len(self.seen) + self.unreadable < self._largest_total:
            self._add_defect(DefectKind.DOES_NOT_ADD_UP)
        return tuple(self._defects.values())

    async def pages(self) -> AsyncIterator[dict[str, ValueT]]:
        first = await (self._first or self._page())
        yield self._add_page(first, 0)
        if first.next_cursor:
            async for kept in self._read_by_cursor(first):
                yield kept
        elif first.received and (self._has_more_rows(first) or (first.total or 0) > first.received):
            async for kept in self._read_by_offset(first):
                yield kept
        else:
            self.ended = not self._has_more_rows(first)
            self.is_short = first.received < self._limit

    async def _page(self, *, offset: int = 0, after: str | None = None) -> Page[ValueT]:
        return await self._client.list_jobs(self._query, self._mapper, limit=self._limit, offset=offset, after=after)

    def _add_defect(self, kind: DefectKind) -> None:
        self._defects.setdefault(kind, Defect(kind))

    def _add_page(self, page: Page[ValueT], offset: int | None) -> dict[str, ValueT]:
        """Add a page to the list and return its new jobs. `offset` is None if the page was requested by cursor."""
        self.received += page.received
        self.unreadable += page.unreadable
        if page.total is not None and (page.total or not page.received):
            self.total = page.total
            self._largest_total = max(self._largest_total, page.total)
        if offset is not None and page.contradicts_itself(offset):
            self._add_defect(DefectKind.TOTALS_CONTRADICT)
        for defect in page.defects:
            self._defects.setdefault(defect.kind, defect)
        if not page.statuses <= _statuses(self._query):
            self._add_defect(DefectKind.FILTER_IGNORED)
        if page.limit is not None and page.limit < self._limit and page.has_more is None:
            self._add_defect(DefectKind.LOWER_LIMIT)
        new = {job_id: each for job_id, each in page.kept.items() if job_id not in self.seen}
        self.seen.update(page.job_ids)
        return new

    async def _read_by_cursor(self, page: Page[ValueT]) -> AsyncIterator[dict[str, ValueT]]:
        used: set[str] = set()
        for _ in range(MAX_PAGES):
            if not page.next_cursor or not page.received:
                self.ended = not page.has_more
                return
            following = None if page.next_cursor in used else await self._page_after(page.next_cursor)
            if following is None or (following.job_ids and self.seen.issuperset(following.job_ids)):
                # The cursor was used before, is refused, or leads to rows that were read before.
                async for kept in self._read_by_offset(page):
                    yield kept
                return
            used.add(page.next_cursor)
            page = following
            yield self._add_page(page, None)

    async def _page_after(self, cursor: str) -> Page[ValueT] | None:
        try:
            return await self._page(after=cursor)
        except BadRequest:
            return None

    async def _read_by_offset(self, page: Page[ValueT]) -> AsyncIterator[dict[str, ValueT]]:
        """Read the remaining pages by offset, several at once if the total says how many there are.

        Each page is requested so that it repeats the last row of the page before. If that row is missing, the list has
        changed and a row may have been skipped. The total does not change if one job disappears while another arrives.
        """
        overlap = 1 if page.received > 1 else 0
        # `self.received` is unsuitable: it also counts rows that were read twice because a cursor led back to them.
        step, offset, asked = page.received - overlap, len(self.seen) + self.unreadable - overlap, 0
        tasks: deque[tuple[asyncio.Future[Page[ValueT]], int]] = deque()
        try:
            while True:
                while not tasks or (len(tasks) < MAX_CONCURRENT_REQUESTS and (self.total or 0) > offset + overlap):
                    if asked >= MAX_PAGES:
                        break
                    asked += 1
                    tasks.append((asyncio.ensure_future(self._page(offset=offset)), offset))
                    offset += step
                if not tasks:
                    return
                task, at = tasks[0]
                page = await task
                tasks.popleft()
                known = self.seen.intersection(page.job_ids)
                if not known and len(page.job_ids) == page.received and (overlap or not self.total):
                    self._add_defect(DefectKind.DOES_NOT_ADD_UP)
                yield self._add_page(page, at)
                if not page.received or (not self._has_more_rows(page) and at + page.received >= (self.total or 0)):
                    self.ended = not self._has_more_rows(page)
                    return
                if page.job_ids and known.issuperset(page.job_ids) and page.received > overlap:
                    self._add_defect(DefectKind.REPEATS)
                    return  # the server ignores offsets
                if not tasks:
                    offset = at + max(1, page.received - overlap)
        finally:
            for task, _ in tasks:
                task.cancel()
            await asyncio.gather(*(task for task, _ in tasks), return_exceptions=True)

    def _has_more_rows(self, page: Page[ValueT]) -> bool:
        """Return whether more pages follow. If the server does not say so, a full page means that more follow."""
        full = min(self._limit, page.limit or self._limit)
        return page.received >= full if page.has_more is None else page.has_more


def _statuses(query: Mapping[str, str]) -> frozenset[JobStatus]:
    """Return the statuses that a query matches."""
    named = query.get("status", "")
    return frozenset(map(JobStatus, named.split(","))) if named else frozenset(JobStatus)


async def read_pages(
    client: JobLister,
    query: Mapping[str, str],
    mapper: RowMapper[ValueT],
    reading: Reading,
    first: Awaitable[Page[ValueT]] | None = None,
) -> AsyncIterator[dict[str, ValueT]]:
    """Read a list once, page by page. Yield what `mapper` returns for the new jobs, by job id, and update `reading`.

    A CloudError ends the reading and is stored in `reading.error`; `reading.complete` stays False.

    Args:
        first: the first page, if it was requested already.
    """
    reader = _Reader(client, query, mapper, first)
    reading.unreadable = 0
    try:
        async for kept in reader.pages():
            reading.received, reading.total, reading.unreadable = (reader.received, reader.total, reader.unreadable)
            new = {job_id: each for job_id, each in kept.items() if job_id not in reading.job_ids}
            reading.job_ids.update(new)
            yield new
    except CloudError as error:
        reading.error = error
        return
    reading.defects = reader.defects()
    reading.complete = is_whole(reading.defects)
    if isinstance(reading, Listing):
        reading.seen, reading.query, reading.is_short = frozenset(reader.seen), query, reader.is_short


async def has_more_jobs(
    client: JobLister, query: Mapping[str, str], seen: Container[str], end: int, *, counts: bool = False
) -> bool:
    """Return whether more jobs follow the claimed end of a list.

    A server that ignores offsets sends its first page again; those jobs are in `seen`, so they do not count.

    Args:
        seen: ids already read.
        end: number of rows already read.
        counts: whether the totals were consistent so far; if so, a wrong total on this page also counts as more jobs.

    Raises:
        BadRequest: the server refuses offsets.
        CloudError: the page could not be read.
    """
    last = max(0, end - 1)
    page = await client.list_jobs(query, NO_JOB, limit=2, offset=last)
    # Two rows mean that the server ignored the offset, so the total must not be compared with it.
    contradicts = counts and page.received < 2 and page.contradicts_itself(last)
    return contradicts or page.unreadable > 0 or any(job_id not in seen for job_id in page.job_ids)


async def first_page(client: JobLister, chosen: JobFilter, job_ids: Container[str] | None = None) -> Page[Job]:
    """Return the first page for `list_jobs`. Raise CloudError if the request fails."""
    return await client.list_jobs(chosen.query(), RowMapper(chosen.only, job_ids), limit=PAGE)


async def list_jobs(
    client: JobLister,
    chosen: JobFilter,
    job_ids: Container[str] | None = None,
    first: Awaitable[Page[Job]] | None = None,
) -> Listing:
    """Read all matching jobs, up to MAX_READINGS times if the pages do not add up.

    Jobs that arrive or disappear while pages are read shift the rows that follow, so that rows are repeated or skipped.
    `complete` is False if that happened in the last reading too, or if the list is empty although an earlier reading
    had jobs.

    Args:
        job_ids: return only these jobs; None for all that match.
        first: the first page of the first reading, if `first_page` has requested it already.
    """
    mapper = RowMapper(chosen.only, job_ids)
    listing = Listing()
    for _ in range(MAX_READINGS):
        had_rows = listing.received > 0
        listing = Listing()
        async for jobs in read_pages(client, chosen.query(), mapper, listing, first):
            listing.jobs.update(jobs)
        first = None
        if had_rows and not listing.received and listing.complete:
            # The history may have been cleared, or the service may be broken.
            listing.complete, listing.defects = False, (Defect(DefectKind.DOES_NOT_ADD_UP),)
            break
        if listing.complete or listing.error is not None:
            break
    return listing
