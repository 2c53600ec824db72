"""Listing reads all jobs from every kind of page, and sets `complete` only if it has all of them."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from cloud_history.cloud.evidence import Defect, DefectKind
from cloud_history.cloud.listing import (
    MAX_CONCURRENT_REQUESTS,
    MAX_PAGES,
    Listing,
    Reading,
    list_jobs,
    read_pages,
)
from cloud_history.cloud.pages import EVERY_JOB, Page, RowMapper
from cloud_history.errors import BadRequest, ServerFault
from cloud_history.jobs.filters import JobFilter
from cloud_history.jobs.job import Job
from cloud_history.jobs.status import JobStatus
from support import virtual_time
from support.fake_history_client import ids
from support.fake_job_list import JobList, rows_of

ALL = JobFilter()
FAILED = JobFilter((JobStatus.FAILED,))


def completed(count: int, **manners: Any) -> JobList:
    return JobList(rows_of({"completed": count}), **manners)


def read(jobs: JobList, chosen: JobFilter = ALL) -> Listing:
    return virtual_time.run(list_jobs(jobs, chosen))


def offsets(jobs: JobList) -> list[int]:
    return [offset for _, offset, _ in jobs.asked]


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2000, 4500])
@pytest.mark.parametrize("cursors", [False, True])
@pytest.mark.parametrize("total", ["exact", "zero", "absent", "text", "true"])
def test_all_jobs_are_read_in_order_and_the_list_is_complete(count: int, cursors: bool, total: str) -> None:
    jobs = completed(count, cursors=cursors, total=total)
    found = read(jobs)
    assert list(found.jobs) == ids(count)
    assert found.complete
    assert found.error is None
    assert {limit for limit, _, _ in jobs.asked} == {1000}
    assert len(jobs.asked) <= count // 1000 + 2


@pytest.mark.parametrize("count", [0, 999, 1000, 1001, 2000, 2300])
@pytest.mark.parametrize("manners", [{"pagination": False}, {"says_more": False, "total": "absent"}], ids=str)
def test_without_has_more_all_jobs_are_read_but_the_list_is_not_complete(count: int, manners: dict[str, Any]) -> None:
    # The client cannot know whether the server has silently limited its pages.
    found = read(completed(count, **manners))
    assert list(found.jobs) == ids(count)
    assert not found.complete
    assert Defect(DefectKind.NO_PAGINATION) in found.defects


@pytest.mark.parametrize("total", ["exact", "absent"])
@pytest.mark.parametrize(("largest", "count"), [(2, 51), (7, 351), (100, 1001), (999, 3500)])
def test_offsets_follow_the_page_size_of_a_server_with_smaller_pages(largest: int, count: int, total: str) -> None:
    found = read(completed(count, largest=largest, total=total))
    assert list(found.jobs) == ids(count)
    assert found.complete


def test_a_list_read_one_row_per_page_without_a_total_is_incomplete() -> None:
    # A server that ignores offsets gives the same pages.
    assert read(completed(50, largest=1)).complete
    assert not read(completed(50, largest=1, total="absent")).complete


def test_after_the_first_page_six_pages_are_requested_at_once() -> None:
    jobs = completed(20_000, slow=lambda number: 1.0)
    assert len(read(jobs).jobs) == 20_000
    assert jobs.most_at_once == 6
    assert offsets(jobs) == list(range(0, 20_000, 999)), "each page begins with the last row of the previous page"


def test_pages_that_arrive_out_of_order_are_read_in_order() -> None:
    jobs = completed(7000, slow=lambda number: 10.0 - number)
    assert list(read(jobs).jobs) == ids(7000)


@pytest.mark.parametrize("count", [1000, 1500, 5000])
def test_a_list_with_a_total_that_is_too_large_is_incomplete(count: int) -> None:
    jobs = completed(count, total=count + 1)
    found = read(jobs)
    assert list(found.jobs) == ids(count)
    assert not found.complete
    assert found.error is None


@pytest.mark.parametrize("total", [1, 999, 1000, 1001])
def test_reading_continues_past_a_total_that_is_too_small(total: int) -> None:
    found = read(completed(3500, total=total))
    assert list(found.jobs) == ids(3500)
    assert found.complete


@pytest.mark.parametrize(
    ("manners", "doubt"),
    [
        ({"total": 8}, DefectKind.TOTALS_CONTRADICT),
        ({"total": 31}, DefectKind.TOTALS_CONTRADICT),
        ({"total": "text"}, DefectKind.TOTALS_CONTRADICT),
        ({"says_more": False}, DefectKind.NO_HAS_MORE),
        ({"pagination": False}, DefectKind.NO_PAGINATION),
    ],
    ids=str,
)
def test_a_list_that_contradicts_itself_does_not_prove_absence_and_gives_the_defect(
    manners: dict[str, Any], doubt: DefectKind
) -> None:
    assert read(completed(30)).proof() is not None
    found = read(completed(30, **manners))
    assert found.proof() is None
    assert doubt in {defect.kind for defect in found.defects}


class Capped(JobList):
    """Limits its pages, and says so in `limit`."""

    def _answer(self, *asked: Any) -> dict[str, Any]:
        answer = super()._answer(*asked)
        answer["pagination"]["limit"] = self.largest
        return answer


def test_a_list_of_smaller_pages_than_requested_is_complete_only_with_has_more() -> None:
    rows = rows_of({"completed": 30})
    assert read(Capped(rows, largest=20)).proof() is not None
    found = read(Capped(rows, largest=20, says_more=False))
    assert Defect(DefectKind.LOWER_LIMIT) in found.defects
    assert not found.complete


def test_unreadable_rows_are_counted_over_all_pages() -> None:
    rows = rows_of({"completed": 30})
    rows[5]["id"] = rows[25]["id"] = None
    found = read(JobList(rows, largest=20))
    assert found.defects == (Defect(DefectKind.UNREADABLE_ROWS, 2),)
    assert found.complete
    assert found.proof() is None


def test_a_list_that_ends_early_does_not_prove_absence() -> None:
    found = read(completed(3000, fails=lambda number: ServerFault(500) if number == 2 else None))
    assert found.proof() is None


# Cursors


def test_a_cursor_is_sent_back_unchanged_and_without_an_offset() -> None:
    jobs = completed(2300, cursors=True)
    read(jobs)
    assert jobs.asked == [(1000, 0, None), (1000, 0, ids(2300)[999]), (1000, 0, ids(2300)[1999])]


def test_offsets_replace_a_cursor_that_the_server_refuses() -> None:
    jobs = completed(4300, cursors=True, takes_cursors=False)
    found = read(jobs)
    assert list(found.jobs) == ids(4300)
    assert found.complete
    assert offsets(jobs) == [0, 0, 999, 1998, 2997, 3996]


class Stuck(JobList):
    """Gives the same cursor on every page."""

    def _answer(self, *asked: Any) -> dict[str, Any]:
        answer = super()._answer(*asked)
        answer["pagination"]["next_cursor"] = ids(1)[0]
        return answer


def test_a_repeated_cursor_is_followed_once_and_then_replaced_by_offsets() -> None:
    jobs = Stuck(rows_of({"completed": 2300}), cursors=True)
    found = read(jobs)
    assert set(found.jobs) == set(ids(2300))
    assert found.complete
    assert len([after for _, _, after in jobs.asked if after]) == 1


def test_a_bad_request_unrelated_to_the_cursor_is_an_error() -> None:
    jobs = completed(4300, fails=lambda number: BadRequest(400) if number == 3 else None)
    found = read(jobs)
    assert isinstance(found.error, BadRequest)
    assert not found.complete


# Servers that ignore parameters


@pytest.mark.parametrize("filters", [True, False])
def test_a_filter_that_the_server_ignores_is_applied_locally(filters: bool) -> None:
    jobs = JobList(rows_of({"completed": 1500, "failed": 700}), filters=filters)
    found = read(jobs, FAILED)
    assert list(found.jobs) == ids(2200)[1500:]
    assert found.complete
    assert {query.get("status") for query in jobs.queries} == {"failed"}
    assert found.received == (700 if filters else 2202), "two rows are on two pages each"
    assert (Defect(DefectKind.FILTER_IGNORED) in found.defects) is not filters


@pytest.mark.parametrize("total", ["exact", "zero", "absent"])
@pytest.mark.parametrize("says_more", [True, False])
def test_only_the_first_page_is_read_from_a_server_that_ignores_offsets(total: str, says_more: bool) -> None:
    jobs = completed(2300, offsets=False, total=total, says_more=says_more)
    found = read(jobs)
    assert list(found.jobs) == ids(1000)
    assert not found.complete
    assert len(jobs.asked) <= 3 * 3


class Endless(JobList):
    """Always says that more jobs follow, and gives another job on each page."""

    def _answer(self, *asked: Any) -> dict[str, Any]:
        answer = super()._answer(*asked)
        answer["pagination"]["has_more"] = True
        return answer


@pytest.mark.parametrize("total", ["exact", "absent"])
def test_an_endless_list_is_read_up_to_a_limit_and_is_incomplete(total: str) -> None:
    jobs = Endless(rows_of({"completed": MAX_PAGES * 2 + 10}), largest=2, total=total)
    found = read(jobs)
    assert not found.complete
    assert len(found.jobs) <= 2 * MAX_PAGES + 2
    assert len(jobs.asked) <= 3 * (MAX_PAGES + 1)


def test_endless_cursors_are_followed_up_to_a_limit() -> None:
    jobs = completed(MAX_PAGES + 50, largest=1, cursors=True, total="absent")
    found = read(jobs)
    assert not found.complete
    assert len(found.jobs) == MAX_PAGES + 1


def test_offsets_replace_cursors_that_lead_back_to_the_first_page() -> None:
    class NewCursors(JobList):
        """Gives a new cursor on each page, and ignores the cursors in requests."""

        def _answer(self, *asked: Any) -> dict[str, Any]:
            answer = super()._answer(*asked)
            answer["pagination"] |= {"next_cursor": f"page {len(self.asked)}", "has_more": True}
            return answer

        async def list_jobs(self, *args: Any, after: str | None = None, **place: Any) -> Page[Any]:
            return await super().list_jobs(*args, **place)

    jobs = NewCursors(rows_of({"completed": 2500}))
    assert len(read(jobs).jobs) == 2500
    assert len(jobs.asked) < 20


def test_rows_without_a_job_id_are_counted_and_do_not_make_a_list_incomplete() -> None:
    jobs = completed(30)
    jobs.rows[3:3] = [{"id": "no job id"}, {}]
    found = read(jobs)
    assert list(found.jobs) == ids(30)
    assert (found.received, found.complete) == (32, True)
    assert (found.unreadable, found.proof()) == (2, None)
    assert str(found.defects[0]) == "2 rows could not be read"


def test_a_job_in_two_rows_is_listed_once() -> None:
    jobs = completed(30, total="absent")
    jobs.rows += jobs.rows[:4]
    found = read(jobs)
    assert list(found.jobs) == ids(30)
    assert found.received == 34


# Errors and cancellation


@pytest.mark.parametrize("cursors", [False, True])
@pytest.mark.parametrize("number", [1, 2, 4])
def test_an_error_on_a_later_page_keeps_the_jobs_read_before_and_the_reason(number: int, cursors: bool) -> None:
    fault = ServerFault(502)
    jobs = completed(20_000, cursors=cursors, fails=lambda asked: fault if asked == number else None)
    found = read(jobs)
    assert found.error is fault
    assert not found.complete
    pages = number - 1
    assert list(found.jobs) == ids(1000 * pages if cursors or not pages else 1 + 999 * pages)


def test_an_error_on_one_page_leaves_no_other_request_running() -> None:
    fault = ServerFault(502)
    jobs = completed(
        20_000,
        slow=lambda number: 1.0 if number < 3 else 60.0,
        fails=lambda number: fault if number == 2 else None,
    )

    async def timed() -> float:
        assert (await list_jobs(jobs, ALL)).error is fault
        assert jobs.at_once == 0
        return virtual_time.now()

    assert virtual_time.run(timed()) < 3.0


def test_cancelling_a_listing_leaves_no_request_running() -> None:
    jobs = completed(20_000, slow=lambda number: 10.0)

    async def cancel() -> None:
        work = asyncio.ensure_future(list_jobs(jobs, ALL))
        await asyncio.sleep(15.0)
        assert jobs.at_once == 6
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert jobs.at_once == 0

    virtual_time.run(cancel())


def test_each_page_is_yielded_as_it_is_read_with_only_the_matching_jobs() -> None:
    jobs = JobList(rows_of({"completed": 1500, "failed": 700}), filters=False)
    reading = Reading()

    async def read_all() -> list[tuple[int, int, bool]]:
        return [
            (len(each), reading.received, reading.complete)
            async for each in read_pages(jobs, FAILED.query(), RowMapper(FAILED.only), reading)
        ]

    assert virtual_time.run(read_all()) == [(0, 1000, False), (499, 2000, False), (201, 2202, False)]
    assert reading.complete
    assert reading.total == 2200


def test_reading_page_by_page_keeps_ids_in_memory_but_frees_the_jobs() -> None:
    jobs = JobList(rows_of({"completed": 15_000}))
    reading = Reading()
    gc.collect()
    others = _jobs_alive()

    async def most_alive() -> int:
        return max([_jobs_alive() async for _ in read_pages(jobs, {}, EVERY_JOB, reading)]) - others

    pages_alive = MAX_CONCURRENT_REQUESTS + 2  # the pages read ahead, the current page and the page before
    assert virtual_time.run(most_alive()) <= 1000 * pages_alive
    assert len(reading.job_ids) == 15_000


def _jobs_alive() -> int:
    return sum(isinstance(each, Job) for each in gc.get_objects())
