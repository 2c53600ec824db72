"""Counting jobs by status, with as few rows read as the server allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from .errors import UnreadableAnswer
from .models import ACTIVE, JobCounts, JobStatus
from .stopping import together

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
    groups = ((JobStatus.COMPLETED,), (JobStatus.FAILED,), (JobStatus.CANCELLED,), ACTIVE)
    pages = await together(client.list_jobs(statuses, limit=1) for statuses in groups)
    # A server that does not filter answers all four with the same newest job: no total of its is to be believed.
    filters = all(
        _status(row) in statuses for statuses, page in zip(groups, pages, strict=True) for row in page["jobs"]
    )
    completed, failed, cancelled, active = await together(
        _count(client, statuses, page if filters else None)
        for statuses, page in zip(groups, pages, strict=True)
    )
    return JobCounts(completed, failed, cancelled, active, now())


async def _count(client: JobLister, statuses: tuple[JobStatus, ...], page: Mapping[str, Any] | None) -> int:
    rows, pagination = (page["jobs"], _pagination(page)) if page else ([], {})
    total = pagination.get("total")
    credible = isinstance(total, int) and not isinstance(total, bool) and total >= len(rows)
    if credible and (total or (not rows and not _has_more(pagination, len(rows)))):
        return int(total or 0)
    return await _count_by_paging(client, statuses)


async def _count_by_paging(client: JobLister, statuses: tuple[JobStatus, ...]) -> int:
    """For servers that give no total (it may be 0 with a cursor), or that do not filter."""
    seen: dict[str, JobStatus] = {}
    cursors: set[str] = set()
    offset, after = 0, None
    for _ in range(MOST_PAGES):
        page = await client.list_jobs(statuses, limit=PAGE, offset=offset, after=after)
        rows, pagination = page["jobs"], _pagination(page)
        found = {str(row.get("id")): _status(row) for row in rows if isinstance(row, Mapping)}
        if rows and not set(found) - set(seen):
            break
        seen.update(found)
        offset += len(rows)
        cursor = pagination.get("next_cursor")
        after = cursor if isinstance(cursor, str) and cursor and cursor not in cursors else None
        more = _has_more(pagination, len(rows))
        if more and (not rows or (isinstance(cursor, str) and cursor and after is None)):
            break
        if not more:
            return sum(status in statuses for status in seen.values())
        if after is not None:
            cursors.add(after)
    raise UnreadableAnswer(200, cloud_says="The list of jobs has no end.")


def _pagination(page: Mapping[str, Any]) -> Mapping[str, Any]:
    found = page.get("pagination")
    return found if isinstance(found, Mapping) else {}


def _has_more(pagination: Mapping[str, Any], received: int) -> bool:
    if "has_more" not in pagination:
        return received >= PAGE or bool(pagination.get("next_cursor"))
    return pagination["has_more"] is True or bool(pagination.get("next_cursor"))


def _status(row: object) -> JobStatus:
    return JobStatus.from_api(row.get("status")) if isinstance(row, Mapping) else JobStatus.UNKNOWN
