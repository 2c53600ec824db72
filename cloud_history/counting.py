"""Counting jobs by status, with as few rows read as the server allows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from .errors import UnreadableAnswer
from .models import ACTIVE, JobCounts, JobStatus

PAGE = 1000
MOST_PAGES = 1000


class JobLister(Protocol):
    """What counting needs of a client."""

    async def list_jobs(
        self, statuses: tuple[JobStatus, ...], *, limit: int, offset: int = 0, after: str | None = None
    ) -> dict[str, Any]: ...


async def count_jobs(client: JobLister, now: Callable[[], datetime]) -> JobCounts:
    """Count completed, failed, cancelled and active jobs.

    Raises:
        CloudError: one of them could not be counted.
    """
    completed, failed, cancelled, active = await asyncio.gather(
        _count(client, (JobStatus.COMPLETED,)),
        _count(client, (JobStatus.FAILED,)),
        _count(client, (JobStatus.CANCELLED,)),
        _count(client, ACTIVE),
    )
    return JobCounts(completed, failed, cancelled, active, now())


async def _count(client: JobLister, statuses: tuple[JobStatus, ...]) -> int:
    page = await client.list_jobs(statuses, limit=1)
    rows, pagination = page["jobs"], _pagination(page)
    total = pagination.get("total")
    filtered = all(_status(row) in statuses for row in rows)
    credible = isinstance(total, int) and not isinstance(total, bool) and total >= len(rows)
    if credible and filtered and (total or (not rows and not _has_more(pagination))):
        return int(total or 0)
    return await _count_by_paging(client, statuses)


async def _count_by_paging(client: JobLister, statuses: tuple[JobStatus, ...]) -> int:
    """For servers that give no total (it may be 0 with a cursor), or that do not filter."""
    seen: set[str] = set()
    cursors: set[str] = set()
    offset, after = 0, None
    for _ in range(MOST_PAGES):
        page = await client.list_jobs(statuses, limit=PAGE, offset=offset, after=after)
        rows, pagination = page["jobs"], _pagination(page)
        seen.update(
            str(row.get("id")) for row in rows if isinstance(row, Mapping) and _status(row) in statuses
        )
        offset += len(rows)
        cursor = pagination.get("next_cursor")
        after = cursor if isinstance(cursor, str) and cursor and cursor not in cursors else None
        if not rows or not _has_more(pagination) or (isinstance(cursor, str) and cursor and after is None):
            return len(seen)
        if after is not None:
            cursors.add(after)
    raise UnreadableAnswer(200, cloud_says="The list of jobs has no end.")


def _pagination(page: Mapping[str, Any]) -> Mapping[str, Any]:
    found = page.get("pagination")
    return found if isinstance(found, Mapping) else {}


def _has_more(pagination: Mapping[str, Any]) -> bool:
    return pagination.get("has_more") is True or bool(pagination.get("next_cursor"))


def _status(row: object) -> JobStatus:
    return JobStatus.from_api(row.get("status")) if isinstance(row, Mapping) else JobStatus.UNKNOWN
