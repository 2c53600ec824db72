"""Reading the whole history, or all that a filter matches, page by page and as fast as the server allows."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Container, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol

from .errors import BadRequest, CloudError
from .jobs import Job
from .pages import Kept, Page, Pick
from .selection import JobFilter

PAGE = 1000
MOST_AT_ONCE = 6
MOST_PAGES = 1000
MOST_READINGS = 3


class JobLister(Protocol):
    """What listing needs of a client."""

    async def list_jobs(
        self,
        query: Mapping[str, str],
        pick: Pick[Kept],
        *,
        limit: int,
        offset: int = 0,
        after: str | None = None,
    ) -> Page[Kept]: ...


@dataclass
class Reading:
    """How reading goes, and how it ended.

    Attributes:
        job_ids: of the jobs of which something was kept.
        received: rows seen, other jobs and repeated ones too.
        complete: whether it is certain that nothing is missing: only then does absence mean anything.
        error: why it is not complete.
    """

    job_ids: set[str] = field(default_factory=set)
    received: int = 0
    total: int | None = None
    complete: bool = False
    error: CloudError | None = None


@dataclass
class Listing(Reading):
    """What was read.

    Attributes:
        jobs: those that were asked for, by id, in the order read.
    """

    jobs: dict[str, Job] = field(default_factory=dict)


class _Reader(Generic[Kept]):
    """One reading of all pages. Gives what is new on each."""

    def __init__(self, client: JobLister, query: Mapping[str, str], pick: Pick[Kept]) -> None:
        self._client = client
        self._query = query
        self._pick = pick
        self._seen: set[str] = set()
        self.received = 0
        self.unreadable = 0
        self.total: int | None = None
        self.ended = False
        self._most = 0
        self._shifted = False

    @property
    def adds_up(self) -> bool:
        """Whether the end was reached, and as many jobs were seen as the server ever said there are.

        The largest total counts: when a job goes while pages are read, the rest moves up, and a row that nobody
        saw is missing by as many as the last total has fallen.
        """
        return self.ended and not self._shifted and len(self._seen) + self.unreadable >= self._most

    async def pages(self) -> AsyncIterator[dict[str, Kept]]:
        first = await self._page()
        yield self._take(first)
        if first.next_cursor:
            async for kept in self._by_cursor(first):
                yield kept
        elif first.received and (_more(first) or (first.total or 0) > first.received):
            async for kept in self._by_offset(first):
                yield kept
        else:
            self.ended = not _more(first)

    async def _page(self, *, offset: int = 0, after: str | None = None) -> Page[Kept]:
        return await self._client.list_jobs(self._query, self._pick, limit=PAGE, offset=offset, after=after)

    def _take(self, page: Page[Kept]) -> dict[str, Kept]:
        self.received += page.received
        self.unreadable += page.received - len(page.job_ids)
        if page.total is not None and (page.total or not page.received):
            self.total = page.total
            self._most = max(self._most, page.total)
        new = {job_id: each for job_id, each in page.kept.items() if job_id not in self._seen}
        self._seen.update(page.job_ids)
        return new

    async def _by_cursor(self, page: Page[Kept]) -> AsyncIterator[dict[str, Kept]]:
        used: set[str] = set()
        for _ in range(MOST_PAGES):
            if not page.next_cursor or not page.received:
                self.ended = not page.has_more
                return
            following = None if page.next_cursor in used else await self._after(page.next_cursor)
            if following is None:
                # A cursor that came before, or that it does not take back: what is left is read by offset.
                async for kept in self._by_offset(page):
                    yield kept
                return
            used.add(page.next_cursor)
            page = following
            yield self._take(page)

    async def _after(self, cursor: str) -> Page[Kept] | None:
        try:
            return await self._page(after=cursor)
        except BadRequest:
            return None

    async def _by_offset(self, page: Page[Kept]) -> AsyncIterator[dict[str, Kept]]:
        """The rest, several pages at once as far as the total tells how many there are.

        Without a usable total nobody could tell that a job has gone meanwhile and the rest has moved up: then each
        page begins with the last row of the one before.
        """
        # Not as many rows as came: a cursor that repeats may have led back to rows seen before.
        step, offset, asked = page.received, len(self._seen) + self.unreadable, 0
        tasks: deque[tuple[asyncio.Future[Page[Kept]], int]] = deque()
        try:
            while True:
                while not tasks or (len(tasks) < MOST_AT_ONCE and (self.total or 0) > offset):
                    if asked >= MOST_PAGES:
                        break
                    asked += 1
                    overlap = 0 if (self.total or 0) > offset else 1
                    tasks.append((asyncio.ensure_future(self._page(offset=offset - overlap)), overlap))
                    offset += step
                if not tasks:
                    return
                task, overlap = tasks[0]
                page = await task
                tasks.popleft()
                known = self._seen.intersection(page.job_ids)
                self._shifted |= bool(overlap) and not known and len(page.job_ids) == page.received
                yield self._take(page)
                if not page.received or (not _more(page) and self.received >= (self.total or 0)):
                    self.ended = not _more(page)
                    return
                if page.job_ids and known.issuperset(page.job_ids):
                    return  # the same page again and again: a server that knows no offset
                if not tasks:
                    offset += page.received - overlap - step
        finally:
            for task, _ in tasks:
                task.cancel()
            await asyncio.gather(*(task for task, _ in tasks), return_exceptions=True)


def _more(page: Page[Kept]) -> bool:
    """Whether more pages follow: a full page has to be taken for that where the server does not say."""
    return page.received >= PAGE if page.has_more is None else page.has_more


async def read_pages(
    client: JobLister, query: Mapping[str, str], pick: Pick[Kept], reading: Reading
) -> AsyncIterator[dict[str, Kept]]:
    """Read once, keeping the books in `reading`, and give what is kept of each new job, page by page.

    A failure ends the reading, with the error in `reading`; a list with an error or that does not add up is not
    `complete`.
    """
    reader = _Reader(client, query, pick)
    try:
        async for kept in reader.pages():
            reading.received, reading.total = reader.received, reader.total
            new = {job_id: each for job_id, each in kept.items() if job_id not in reading.job_ids}
            reading.job_ids.update(new)
            yield new
    except CloudError as error:
        reading.error = error
        return
    reading.complete = reader.adds_up


async def list_jobs(client: JobLister, chosen: JobFilter, job_ids: Container[str] | None = None) -> Listing:
    """Read all that matches; again, up to three times in all, where the pages do not add up.

    Jobs that arrive or go while pages are read shift the rest: rows come twice, or are skipped. What is missing
    after the last reading is said by `complete` being False.

    Args:
        job_ids: keep these jobs alone.
    """
    pick = Pick(chosen.only, job_ids)
    listing = Listing()
    for _ in range(MOST_READINGS):
        listing = Listing()
        async for jobs in read_pages(client, chosen.query(), pick, listing):
            listing.jobs.update(jobs)
        if listing.complete or listing.error is not None:
            break
    return listing
