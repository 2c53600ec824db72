"""A job list whose behaviour a test sets. The real decoder reads its answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cloud_history.cloud.pages import Page, RowMapper, ValueT
from cloud_history.cloud.protocol import Answer, read_jobs_page
from cloud_history.errors import BadRequest, CloudError
from support.fake_history_client import NOON, ids

Row = dict[str, Any]
Asked = tuple[int, int, "str | None"]


def rows_of(truth: Mapping[str, int]) -> list[Row]:
    """Return rows with the given number of jobs in each state."""
    words = [word for word, count in truth.items() for _ in range(count)]
    return [{"id": job_id, "status": word} for job_id, word in zip(ids(len(words)), words, strict=True)]


def decode(answer: object, mapper: RowMapper[ValueT]) -> Page[ValueT]:
    return read_jobs_page(Answer(200, json.dumps(answer).encode()), mapper, NOON)


@dataclass
class JobList:
    """A server's list of jobs, newest first.

    Attributes:
        total: "exact", "zero", "absent", "text", "true", or the number it always claims.
        filters: whether it applies the status filter; offsets: whether it applies the offset.
        cursors: whether its pages have cursors; takes_cursors: whether it accepts them, or answers 400.
        pagination: whether pages have `pagination`; says_more: whether they have `has_more`.
        largest: the maximum number of rows on a page.
        before: called with the number of the request (from 1) before its answer, to add or remove jobs.
        fails: returns the error of a request, or None.
        slow: returns the seconds that a request takes, by its number.
    """

    rows: list[Row] = field(default_factory=list)
    total: str | int = "exact"
    filters: bool = True
    offsets: bool = True
    cursors: bool = False
    takes_cursors: bool = True
    pagination: bool = True
    says_more: bool = True
    largest: int = 1000
    before: Callable[[int], None] = lambda number: None
    fails: Callable[[int], CloudError | None] = lambda number: None
    slow: Callable[[int], float] = lambda number: 0.0
    asked: list[Asked] = field(default_factory=list)
    queries: list[Mapping[str, str]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def list_jobs(
        self,
        query: Mapping[str, str],
        mapper: RowMapper[ValueT],
        *,
        limit: int,
        offset: int = 0,
        after: str | None = None,
    ) -> Page[ValueT]:
        self.asked.append((limit, offset, after))
        self.queries.append(dict(query))
        number = len(self.asked)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self.slow(number))
        finally:
            self.at_once -= 1
        self.before(number)
        error = self.fails(number)
        if after is not None and not self.takes_cursors:
            error = error or BadRequest(400)
        if error is not None:
            raise error
        return decode(self._answer(query, limit, offset, after), mapper)

    def _answer(self, query: Mapping[str, str], limit: int, offset: int, after: str | None) -> Row:
        wanted = query.get("status", "").split(",") if self.filters else [""]
        rows = self.rows if wanted == [""] else [row for row in self.rows if row["status"] in wanted]
        start = offset if self.offsets else 0
        if after is not None:
            # A real cursor refers to an id and not to a position, so new and removed jobs shift nothing.
            start = next((at for at, row in enumerate(rows) if row["id"] > after), len(rows))
        shown = rows[start : start + min(limit, self.largest)]
        if not self.pagination:
            return {"jobs": shown}
        more = start + len(shown) < len(rows)
        pagination: Row = {"offset": offset, "limit": None}
        if self.says_more:
            pagination["has_more"] = more
        if self.total != "absent":
            words: dict[str | int, Any] = {
                "exact": len(rows),
                "zero": 0,
                "text": str(len(rows)),
                "true": True,
            }
            pagination["total"] = words.get(self.total, self.total)
        if self.cursors:
            pagination["next_cursor"] = shown[-1]["id"] if more and shown else ""
        return {"jobs": shown, "pagination": pagination}
