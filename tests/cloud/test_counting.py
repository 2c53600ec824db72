"""Counting gives the right numbers for every kind of list, or raises an error."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from cloud_history.cloud.counting import count_and_sample, count_jobs
from cloud_history.cloud.pages import Page, RowMapper, ValueT
from cloud_history.errors import ListNotWhole, ServerFault
from cloud_history.jobs.status import JobCounts
from support import virtual_time
from support.fake_history_client import NOON, counts_of, ids
from support.fake_job_list import JobList, decode, rows_of

TRUTH = {"completed": 2300, "failed": 30, "cancelled": 10, "pending": 2, "in_progress": 1}


def lister(truth: dict[str, int] | None = None, **manners: Any) -> JobList:
    return JobList(rows_of(TRUTH if truth is None else truth), **manners)


def count(jobs: Any) -> JobCounts:
    return virtual_time.run(count_jobs(jobs, lambda: NOON))


RIGHT = counts_of(2300, 30, 10, active=3)


def test_counting_reads_only_both_ends_of_each_list_if_the_server_gives_totals() -> None:
    jobs = lister()
    assert count(jobs) == RIGHT
    assert jobs.asked == [(1, 0, None)] * 5 + [(2, last, None) for last in (2299, 29, 9, 2)]


def test_the_sample_of_a_count_has_jobs_from_both_ends_of_the_lists() -> None:
    jobs = lister({"completed": 20, "failed": 10, "in_progress": 4})
    named = virtual_time.run(count_and_sample(jobs, lambda: NOON)).sample
    assert [each.id for each in named] == [ids(30)[at] for at in (0, 20, 19, 29)], "the sample has only finished jobs"
    assert virtual_time.run(count_and_sample(lister({"failed": 1}), lambda: NOON)).sample[0].id == ids(1)[0]


@pytest.mark.parametrize("wrong_by", [-3, 3])
def test_a_total_that_contradicts_the_end_of_the_list_is_ignored(wrong_by: int) -> None:
    class Wrong(JobList):
        """Gives a wrong total on pages of one row, which nothing on the page contradicts."""

        def _answer(self, *asked: Any) -> dict[str, Any]:
            answer = super()._answer(*asked)
            if len(answer["jobs"]) == 1 and answer["pagination"]["total"] > 4:
                answer["pagination"]["total"] += wrong_by
            return answer

    assert count(Wrong(rows_of(TRUTH))) == RIGHT


def test_a_total_is_ignored_if_the_last_row_it_promises_is_missing() -> None:
    class NoFirstRow(JobList):
        """Leaves the newest job out of a filtered list and of its total."""

        def _answer(self, *asked: Any) -> dict[str, Any]:
            answer = super()._answer(*asked)
            if len(answer["jobs"]) == 1:
                answer = {"jobs": [], "pagination": {**answer["pagination"], "total": 5}}
            return answer

    assert count(NoFirstRow(rows_of(TRUTH))) == RIGHT


@pytest.mark.parametrize("cursors", [False, True])
def test_a_total_of_one_is_ignored_if_more_jobs_follow(cursors: bool) -> None:
    class OneInAll(JobList):
        def _answer(self, *asked: Any) -> dict[str, Any]:
            answer = super()._answer(*asked)
            if len(answer["jobs"]) == 1:
                answer["pagination"]["total"] = 1
            return answer

    assert count(OneInAll(rows_of(TRUTH), cursors=cursors)) == RIGHT


def test_counting_fails_if_a_list_ends_before_its_last_job() -> None:
    class Capped(JobList):
        """Gives at most two rows, and says that no more follow."""

        def _answer(self, *asked: Any) -> dict[str, Any]:
            answer = super()._answer(*asked)
            rows = answer["jobs"][:2]
            return {
                "jobs": rows,
                "pagination": {**answer["pagination"], "has_more": False, "total": len(rows)},
            }

    with pytest.raises(ListNotWhole, match="more jobs follow where it says that it ends"):
        count(Capped(rows_of(TRUTH)))


@pytest.mark.parametrize("unknown", [["completed"], ["failed"], ["completed", "failed", "cancelled"]])
def test_jobs_are_counted_even_if_the_server_uses_another_word_for_a_status(unknown: list[str]) -> None:
    class Renamed(JobList):
        """Lists no job with these statuses, and gives a total of 0."""

        def _answer(self, query: Mapping[str, str], *asked: Any) -> dict[str, Any]:
            word = query.get("status", "")
            return super()._answer({"status": "success"} if word in unknown else query, *asked)

    assert count(Renamed(rows_of(TRUTH))) == RIGHT


@pytest.mark.parametrize("total", ["exact", "absent"])
@pytest.mark.parametrize("kept", [0, 1])
def test_counting_fails_if_jobs_disappear_while_they_are_counted(total: str, kept: int) -> None:
    jobs = lister({"completed": 3, "failed": 1}, total=total)

    def lose(number: int) -> None:
        if number == 6:  # after the pages that give the totals
            jobs.rows[:] = jobs.rows[-1:] if kept else []

    jobs.before = lose
    with pytest.raises(ListNotWhole, match="its pages do not add up"):
        count(jobs)


def test_an_empty_history_is_counted_with_five_requests() -> None:
    jobs = lister({})
    assert count(jobs) == counts_of()
    assert len(jobs.asked) == 5


@pytest.mark.parametrize("cursors", [False, True])
@pytest.mark.parametrize("total", ["zero", "absent", "text", "true"])
def test_jobs_are_counted_by_paging_if_the_total_is_missing_or_wrong(total: str, cursors: bool) -> None:
    jobs = lister(total=total, cursors=cursors)
    assert count(jobs) == RIGHT
    assert max(limit for limit, _, _ in jobs.asked) == 1000


@pytest.mark.parametrize("truth", [{}, {"completed": 700, "failed": 3}, TRUTH], ids=["none", "a page", "many"])
def test_counting_fails_without_has_more(
    truth: dict[str, int],
) -> None:
    # A server may silently limit its pages, and the other jobs would not be counted.
    with pytest.raises(ListNotWhole, match="does not say whether more jobs follow"):
        count(lister(truth, pagination=False))


@pytest.mark.parametrize("total", ["exact", "zero", "absent"])
@pytest.mark.parametrize("newest", ["completed", "failed", "cancelled", "pending", "in_progress"])
def test_jobs_are_counted_correctly_if_the_server_ignores_the_filter(newest: str, total: str) -> None:
    truth = {newest: TRUTH[newest], **TRUTH}
    assert count(lister(truth, filters=False, total=total)) == RIGHT


def test_counting_sends_cursors_back_unchanged() -> None:
    jobs = lister({"completed": 2300}, total="absent", cursors=True)
    assert count(jobs) == counts_of(2300)
    followed = [after for limit, _, after in jobs.asked if limit == 1000 and after]
    assert followed == [ids(2300)[999], ids(2300)[1999]]


@dataclass
class Odd:
    """Answers every request with the same page."""

    answer: dict[str, Any]
    asked: int = 0

    async def list_jobs(self, query: Mapping[str, str], mapper: RowMapper[ValueT], **_: Any) -> Page[ValueT]:
        self.asked += 1
        await asyncio.sleep(0)
        none = {"jobs": [], "pagination": {"has_more": False, "total": 0}}
        shown = self.answer if query.get("status", "completed") == "completed" else none
        return decode(shown, mapper)


ROWS = [{"id": each, "status": "completed"} for each in ids(3)]


def test_counting_fails_if_a_cursor_repeats() -> None:
    jobs = Odd({"jobs": ROWS, "pagination": {"has_more": True, "next_cursor": "same"}})
    with pytest.raises(ListNotWhole):
        count(jobs)
    assert jobs.asked < 20


def test_counting_fails_if_a_list_never_ends() -> None:
    jobs = Odd({"jobs": ROWS, "pagination": {"has_more": True}})
    with pytest.raises(ListNotWhole):
        count(jobs)
    assert jobs.asked < 20


END = {"pagination": {"has_more": False}}


@pytest.mark.parametrize("total", [{}, {"total": None}, {"total": -1}, {"total": 2}, {"total": 2.0}])
def test_rows_beyond_the_total_are_counted(total: dict[str, Any]) -> None:
    assert count(Odd({"jobs": ROWS, "pagination": {"has_more": False, **total}})) == counts_of(3)


NO_JOBS: list[object] = [7, None, "x", {}, {"id": "1", "status": "completed"}]


@pytest.mark.parametrize("odd", NO_JOBS, ids=str)
def test_counting_fails_if_a_row_is_unreadable(odd: object) -> None:
    # The row may be a finished job, and a clear would delete more jobs than the preview says.
    with pytest.raises(ListNotWhole, match="1 row could not be read"):
        count(Odd({"jobs": [*ROWS, odd], **END}))


@pytest.mark.parametrize("status", ["enchanted", ["completed"], None])
def test_counting_fails_if_a_status_is_unknown(status: object) -> None:
    with pytest.raises(ListNotWhole, match="1 job has a status that is not known"):
        count(Odd({"jobs": [*ROWS, {"id": ids(5)[4], "status": status}], **END}))


def test_a_job_listed_on_two_pages_is_counted_once() -> None:
    assert count(Odd({"jobs": ROWS + ROWS, **END})) == counts_of(3)


def test_internal_states_are_counted_as_their_documented_status() -> None:
    rows = [
        {"id": job_id, "status": word} for job_id, word in zip(ids(3), ("success", "completed", "error"), strict=True)
    ]
    assert count(Odd({"jobs": rows, **END})) == counts_of(2, 1)


def test_no_request_is_left_running_if_counting_one_status_fails() -> None:
    fault = ServerFault(500)
    jobs = lister(slow=lambda number: 0.0 if number == 2 else 30.0, fails=lambda number: fault if number == 2 else None)

    async def fail() -> None:
        with pytest.raises(ServerFault):
            await count_jobs(jobs, lambda: NOON)

    virtual_time.run(fail())
