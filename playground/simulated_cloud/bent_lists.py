"""Bends of lists: their pages, totals, filters and order, and how the jobs in them are written."""

from __future__ import annotations

import random
import uuid
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .jobs import ACTIVE, FINISHED
from .listing import ListQuery
from .way import Way

if TYPE_CHECKING:
    from .bends import Bend

Content = dict[str, Any]
TIMES = ("create_time", "update_time", "execution_start_time", "execution_end_time")
DAY_MS = 86_400_000
OTHER_STATUS = {status: group[(at + 1) % len(group)] for group in (FINISHED, ACTIVE) for at, status in enumerate(group)}


def _list(what: str, size: int = 0, **changes: Any) -> Way:
    return Way(what, ("list",), size, **changes)


def _wrongly_filtered(query: ListQuery, bend: Bend) -> ListQuery:
    if query.statuses is None:
        return query
    return replace(query, statuses=frozenset(OTHER_STATUS[word] for word in query.statuses))


def _only_page(content: Content, asked: ListQuery, bend: Bend) -> Content:
    """Claim in `pagination` that this page is the whole list, and repeat the requested limit."""
    pagination = {"offset": asked.offset, "limit": asked.limit, "has_more": False, "total": len(content["jobs"])}
    return {**content, "pagination": pagination}


def _empty(content: Content, asked: ListQuery, bend: Bend) -> Content:
    return {"jobs": [], "pagination": {**content["pagination"], "total": 0, "has_more": False}}


def _filter_misses_jobs(content: Content, asked: ListQuery, bend: Bend) -> Content:
    if asked.statuses is None:
        return content
    pagination = {**content["pagination"], "total": max(0, _count(content) - bend.amount)}
    return {"jobs": content["jobs"][bend.amount :], "pagination": pagination}


def _count(content: Content) -> int:
    """Return the total, or 0 if another bend has made it invalid."""
    total = content["pagination"].get("total", 0)
    return total if isinstance(total, int) else 0


def _pagination_with(
    change: Callable[[Content, Bend], dict[str, Any]],
) -> Callable[[Content, ListQuery, Bend], Content]:
    """Return a change of the members of `pagination`. The value None removes a member."""

    def page(content: Content, asked: ListQuery, bend: Bend) -> Content:
        pagination = {**content["pagination"], **change(content, bend)}
        return {**content, "pagination": {name: each for name, each in pagination.items() if each is not None}}

    return page


def _always(**members: Any) -> Callable[[Content, ListQuery, Bend], Content]:
    return _pagination_with(lambda content, bend: members)


def _same_cursor(content: Content, bend: Bend) -> dict[str, Any]:
    bend.memory = bend.memory or content["pagination"].get("next_cursor") or "eyJsb29wIjogMX0"
    return {"next_cursor": bend.memory, "has_more": True}


def _more_members(content: Content, asked: ListQuery, bend: Bend) -> Content:
    pagination = {**content["pagination"], "page": 1, "links": {"next": None}}
    more = {"labels": ["a"], "job_id": None}
    rows = [{**row, **more} if isinstance(row, dict) else row for row in content["jobs"]]
    return {"object": "list", "data": [], "jobs": rows, "pagination": pagination, "warnings": None}


LISTS: dict[str, Way] = {
    "caps_limit": _list(
        "pages hold at most `size` jobs, and say so",
        100,
        query=lambda query, bend: replace(query, limit=min(query.limit, bend.amount)),
    ),
    "caps_limit_in_silence": _list(
        "pages hold at most `size` jobs, and each says that it is the only one",
        100,
        query=lambda query, bend: replace(query, limit=min(query.limit, bend.amount)),
        page=_only_page,
    ),
    "caps_limit_without_a_word": _list(
        "pages hold at most `size` jobs, and do not say what follows",
        100,
        query=lambda query, bend: replace(query, limit=min(query.limit, bend.amount)),
        page=_always(has_more=None, total=None, limit=None),
    ),
    "ignores_offset": _list(
        "every page is the first one", query=lambda query, bend: replace(query, offset=0, after=None)
    ),
    "ignores_filter": _list("`status` is ignored", query=lambda query, bend: replace(query, statuses=None)),
    "filters_wrongly": _list("the list filters by another status", query=_wrongly_filtered),
    "filter_misses_jobs": _list("a filtered list lacks its first `size` jobs", 1, page=_filter_misses_jobs),
    "hides_jobs": _list(
        "jobs are missing from the list, and its totals agree",
        jobs=lambda jobs, cloud, bend: [job for job in jobs if not bend.hits(job.id)],
    ),
    "lists_deleted_jobs": _list(
        "the list contains deleted jobs",
        jobs=lambda jobs, cloud, bend: jobs + [job for job in cloud.deleted if bend.hits(job.id)],
    ),
    "shuffles_jobs": _list(
        "each page has another order",
        jobs=lambda jobs, cloud, bend: random.Random(bend.fired).sample(jobs, len(jobs)),
    ),
    "repeats_jobs": _list(
        "jobs are listed twice",
        jobs=lambda jobs, cloud, bend: [job for job in jobs for _ in range(1 + bend.hits(job.id))],
    ),
    "no_pagination": _list("lists have no `pagination`", page=lambda content, asked, bend: {"jobs": content["jobs"]}),
    "empty_list": _list("lists are empty: total 0, no more", page=_empty),
    "bare_empty_list": _list(
        "lists are empty and have no `pagination`", page=lambda content, asked, bend: {"jobs": []}
    ),
    "null_list": _list(
        "`jobs` is null, total 0",
        page=lambda content, asked, bend: {**_empty(content, asked, bend), "jobs": None},
    ),
    "no_jobs": _list("lists have no `jobs`", page=lambda content, asked, bend: {"pagination": content["pagination"]}),
    "drops_rows": _list(
        "a page lacks its last `size` jobs, and its totals count them",
        1,
        page=lambda content, asked, bend: {**content, "jobs": content["jobs"][: -bend.amount]},
    ),
    "total_too_small": _list(
        "`total` is too small by -`size`",
        -3,
        page=_pagination_with(lambda content, bend: {"total": max(0, _count(content) + bend.amount)}),
    ),
    "total_too_large": _list(
        "`total` is too large by `size`",
        3,
        page=_pagination_with(lambda content, bend: {"total": max(0, _count(content) + bend.amount)}),
    ),
    "total_negative": _list("`total` is -1", page=_always(total=-1)),
    "total_zero": _list("`total` is 0", page=_always(total=0)),
    "total_as_text": _list(
        "`total` is a string", page=_pagination_with(lambda content, bend: {"total": str(_count(content))})
    ),
    "total_changes": _list(
        "`total` goes up and down by `size`",
        2,
        page=_pagination_with(lambda content, bend: {"total": _count(content) + bend.amount * (bend.fired % 3 - 1)}),
    ),
    "total_of_page": _list(
        "`total` is the number of jobs on the page",
        page=_pagination_with(lambda content, bend: {"total": len(content["jobs"])}),
    ),
    "no_total": _list("`total` is missing", page=_always(total=None)),
    "never_more": _list("`has_more` is always false", page=_always(has_more=False)),
    "always_more": _list("`has_more` is always true", page=_always(has_more=True)),
    "more_not_told": _list("`has_more` is missing", page=_always(has_more=None)),
    "more_as_text": _list('`has_more` is "false"', page=_always(has_more="false")),
    "same_cursor": _list("every page has the first `next_cursor`", page=_pagination_with(_same_cursor)),
    "endless_cursors": _list(
        "every page has a new `next_cursor`, the last one too",
        page=_pagination_with(lambda content, bend: {"next_cursor": f"page-{bend.fired}", "has_more": True}),
    ),
    "more_members": _list("lists and jobs have undocumented members", page=_more_members),
}
"""Bends of whole lists."""


def _row(what: str, name: str, write: Callable[[str], Any]) -> Way:
    return Way(what, (), row=lambda row, bend: {**row, name: write(str(row.get(name)))})


def _times(what: str, write: Callable[[int, int], Any], size: int = 0) -> Way:
    def row(row: Any, bend: Bend) -> Any:
        known = {name: row[name] for name in TIMES if isinstance(row.get(name), int)}
        return {**row, **{name: write(time, bend.amount) for name, time in known.items()}}

    return Way(what, (), size, row=row)


def _without(name: str) -> Way:
    return Way(
        f"jobs have no {name}",
        (),
        row=lambda row, bend: {key: each for key, each in row.items() if key != name},
    )


def _huge(row: Any, bend: Bend) -> Any:
    error = {"exception_message": "x" * bend.amount * 1000, "exception_type": "RuntimeError", "node_id": "3"}
    return {**row, "execution_error": error}


ROWS: dict[str, Way] = {
    "ids_without_dashes": _row("ids have no dashes", "id", lambda text: text.replace("-", "")),
    "ids_with_prefix": _row("ids begin with job_", "id", lambda text: f"job_{text}"),
    "ids_in_braces": _row("ids are in braces", "id", lambda text: f"{{{text}}}"),
    "ids_as_urn": _row("ids begin with urn:uuid:", "id", lambda text: f"urn:uuid:{text}"),
    "ids_padded": _row("ids have a space on either side", "id", lambda text: f" {text} "),
    "ids_upper_case": _row("ids are in upper case, which the cloud treats as other ids", "id", str.upper),
    "ids_null": _row("ids are null", "id", lambda text: None),
    "ids_as_number": _row("ids are numbers", "id", lambda text: zlib.crc32(text.encode())),
    "ids_of_others": _row(
        "ids are those of jobs that do not exist",
        "id",
        lambda text: str(uuid.uuid5(uuid.NAMESPACE_OID, text)),
    ),
    "no_ids": _without("id"),
    "null_rows": Way("jobs are null", (), row=lambda row, bend: None),
    "text_rows": Way("jobs are strings", (), row=lambda row, bend: str(row.get("id"))),
    "status_unknown": _row("statuses are undocumented", "status", lambda word: "archived"),
    "status_upper_case": _row("statuses are in upper case", "status", str.upper),
    "status_as_number": _row("statuses are numbers", "status", len),
    "status_wrong": _row(
        "finished jobs are called running, and active ones completed",
        "status",
        lambda word: "completed" if word in ACTIVE else "in_progress",
    ),
    "no_status": _without("status"),
    "times_in_microseconds": _times("times are in microseconds", lambda time, size: time * 1000),
    "times_in_nanoseconds": _times("times are in nanoseconds", lambda time, size: time * 1_000_000),
    "times_later": _times("times are `size` days later", lambda time, size: time + size * DAY_MS, 400),
    "times_nan": _times("times are NaN", lambda time, size: float("nan")),
    "times_infinite": _times("times are infinite", lambda time, size: float("inf")),
    "times_negative": _times("times are negative", lambda time, size: -time),
    "times_null": _times("times are null", lambda time, size: None),
    "times_as_text": _times("times are strings", lambda time, size: str(time)),
    "times_zero": _times("times are 0", lambda time, size: 0),
    "huge_jobs": Way("jobs have errors of `size` kilobytes", (), 200, row=_huge),
}
"""Bends of single jobs, in lists and in details."""
