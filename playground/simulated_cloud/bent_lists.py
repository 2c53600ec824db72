"""Lists that can't be trusted: their pages, their totals, their filter, their order."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .listing import ListQuery
from .ways import Route, Way

if TYPE_CHECKING:
    from .bends import Bend
    from .cloud import SimulatedCloud
    from .jobs import SimulatedJob

Content = dict[str, Any]

_WRONG_STATUS = {
    "completed": "failed",
    "failed": "cancelled",
    "cancelled": "completed",
    "pending": "in_progress",
    "in_progress": "pending",
}


def _capped(query: ListQuery, bend: Bend) -> ListQuery:
    return replace(query, limit=min(query.limit, bend.amount))


def _first_page(query: ListQuery, bend: Bend) -> ListQuery:
    return replace(query, offset=0, after=None)


def _unfiltered(query: ListQuery, bend: Bend) -> ListQuery:
    return replace(query, statuses=None)


def _wrongly_filtered(query: ListQuery, bend: Bend) -> ListQuery:
    if query.statuses is None:
        return query
    return replace(query, statuses=frozenset(_WRONG_STATUS[word] for word in query.statuses))


def _hide(jobs: list[SimulatedJob], cloud: SimulatedCloud, bend: Bend) -> list[SimulatedJob]:
    return [job for job in jobs if not bend.hits(job.id)]


def _show_deleted(jobs: list[SimulatedJob], cloud: SimulatedCloud, bend: Bend) -> list[SimulatedJob]:
    return jobs + [job for job in cloud.deleted if bend.hits(job.id)]


def _shuffle(jobs: list[SimulatedJob], cloud: SimulatedCloud, bend: Bend) -> list[SimulatedJob]:
    return random.Random(bend.fired).sample(jobs, len(jobs))


def _repeat(jobs: list[SimulatedJob], cloud: SimulatedCloud, bend: Bend) -> list[SimulatedJob]:
    return [each for job in jobs for each in ([job, job] if bend.hits(job.id) else [job])]


def _nothing_said(content: Content, asked: ListQuery, bend: Bend) -> Content:
    """As if the page were all there is, in the words of the request."""
    told = {"offset": asked.offset, "limit": asked.limit, "has_more": False, "total": len(content["jobs"])}
    return {**content, "pagination": told}


def _no_pagination(content: Content, asked: ListQuery, bend: Bend) -> Content:
    return {"jobs": content["jobs"]}


def _empty(content: Content, asked: ListQuery, bend: Bend) -> Content:
    return {"jobs": [], "pagination": {**content["pagination"], "total": 0, "has_more": False}}


def _bare_and_empty(content: Content, asked: ListQuery, bend: Bend) -> Content:
    return {"jobs": []}


def _null(content: Content, asked: ListQuery, bend: Bend) -> Content:
    return {**_empty(content, asked, bend), "jobs": None}


def _no_jobs(content: Content, asked: ListQuery, bend: Bend) -> Content:
    return {"pagination": content["pagination"]}


def _drop(content: Content, asked: ListQuery, bend: Bend) -> Content:
    return {**content, "jobs": content["jobs"][: -bend.amount]}


def _drop_under_a_filter(content: Content, asked: ListQuery, bend: Bend) -> Content:
    if asked.statuses is None:
        return content
    told = {**content["pagination"], "total": max(0, _count(content) - bend.amount)}
    return {"jobs": content["jobs"][bend.amount :], "pagination": told}


def _told(**members: Any) -> Any:
    """Other members of `pagination`; None leaves one out."""

    def change(content: Content, asked: ListQuery, bend: Bend) -> Content:
        told = {**content["pagination"], **members}
        return {**content, "pagination": {name: each for name, each in told.items() if each is not None}}

    return change


def _count(content: Content) -> int:
    """The total, as far as it is a number still."""
    total = content["pagination"].get("total", 0)
    return total if isinstance(total, int) else 0


def _total(content: Content, total: Any) -> Content:
    return {**content, "pagination": {**content["pagination"], "total": total}}


def _total_beside(content: Content, asked: ListQuery, bend: Bend) -> Content:
    return _total(content, max(0, _count(content) + bend.amount))


def _total_changes(content: Content, asked: ListQuery, bend: Bend) -> Content:
    return _total(content, _count(content) + bend.amount * (bend.fired % 3 - 1))


def _total_of_page(content: Content, asked: ListQuery, bend: Bend) -> Content:
    return _total(content, len(content["jobs"]))


def _total_as_text(content: Content, asked: ListQuery, bend: Bend) -> Content:
    return _total(content, str(_count(content)))


def _same_cursor(content: Content, asked: ListQuery, bend: Bend) -> Content:
    """The first cursor that was ever given, at every page."""
    told = content["pagination"]
    bend.memory = bend.memory or told.get("next_cursor") or "eyJsb29wIjogMX0"
    return {**content, "pagination": {**told, "next_cursor": bend.memory, "has_more": True}}


def _endless_cursors(content: Content, asked: ListQuery, bend: Bend) -> Content:
    told = {**content["pagination"], "next_cursor": f"page-{bend.fired}", "has_more": True}
    return {**content, "pagination": told}


def _more_members(content: Content, asked: ListQuery, bend: Bend) -> Content:
    told = {**content["pagination"], "page": 1, "links": {"next": None}}
    rows = [
        {**row, "labels": ["a"], "job_id": None} if isinstance(row, dict) else row for row in content["jobs"]
    ]
    return {"object": "list", "data": [], "jobs": rows, "pagination": told, "warnings": None}


_LIST: tuple[Route, ...] = ("list",)
WAYS: dict[str, Way] = {
    "caps_limit": Way("pages hold at most `size` jobs, and say so", _LIST, size=100, query=_capped),
    "caps_limit_in_silence": Way(
        "pages hold at most `size` jobs, and each says that it is all",
        _LIST,
        100,
        query=_capped,
        page=_nothing_said,
    ),
    "caps_limit_without_a_word": Way(
        "pages hold at most `size` jobs, and do not say what follows",
        _LIST,
        100,
        query=_capped,
        page=_told(has_more=None, total=None, limit=None),
    ),
    "ignores_offset": Way("every page is the first one", _LIST, query=_first_page),
    "ignores_filter": Way("the list takes no notice of `status`", _LIST, query=_unfiltered),
    "filters_wrongly": Way("the list filters by another status", _LIST, query=_wrongly_filtered),
    "filter_misses_jobs": Way(
        "a filtered list lacks its first `size` jobs", _LIST, 1, page=_drop_under_a_filter
    ),
    "hides_jobs": Way("jobs are missing from the list, and its totals agree", _LIST, jobs=_hide),
    "lists_deleted_jobs": Way("the list shows jobs that were removed", _LIST, jobs=_show_deleted),
    "shuffles_jobs": Way("each page has another order", _LIST, jobs=_shuffle),
    "repeats_jobs": Way("jobs come twice", _LIST, jobs=_repeat),
    "no_pagination": Way("lists have no `pagination`", _LIST, page=_no_pagination),
    "empty_list": Way("lists are empty: total 0, no more", _LIST, page=_empty),
    "bare_empty_list": Way("lists are empty, without `pagination`", _LIST, page=_bare_and_empty),
    "null_list": Way("`jobs` is null, total 0", _LIST, page=_null),
    "no_jobs": Way("lists have no `jobs`", _LIST, page=_no_jobs),
    "drops_rows": Way("a page lacks its last `size` rows, its totals do not", _LIST, 1, page=_drop),
    "total_too_small": Way("`total` is too small by -`size`", _LIST, -3, page=_total_beside),
    "total_too_large": Way("`total` is too large by `size`", _LIST, 3, page=_total_beside),
    "total_negative": Way("`total` is -1", _LIST, page=_told(total=-1)),
    "total_zero": Way("`total` is 0", _LIST, page=_told(total=0)),
    "total_as_text": Way("`total` is a text", _LIST, page=_total_as_text),
    "total_changes": Way("`total` goes up and down by `size`", _LIST, 2, page=_total_changes),
    "total_of_page": Way("`total` is the number of rows on the page", _LIST, page=_total_of_page),
    "no_total": Way("there is no `total`", _LIST, page=_told(total=None)),
    "never_more": Way("`has_more` is always false", _LIST, page=_told(has_more=False)),
    "always_more": Way("`has_more` is always true", _LIST, page=_told(has_more=True)),
    "more_not_told": Way("there is no `has_more`", _LIST, page=_told(has_more=None)),
    "more_as_text": Way('`has_more` is "false"', _LIST, page=_told(has_more="false")),
    "same_cursor": Way("every page has the same `next_cursor`", _LIST, page=_same_cursor),
    "endless_cursors": Way("every page has a new `next_cursor`, also the last", _LIST, page=_endless_cursors),
    "more_members": Way("lists have members that nobody knows", _LIST, page=_more_members),
}
