"""Jobs appear and vanish while pages are read. The list has no duplicate and no gap, or is incomplete."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cloud_history.cloud.listing import Listing, first_page, list_jobs
from cloud_history.jobs.filters import JobFilter
from support import virtual_time
from support.fake_history_client import ids
from support.fake_job_list import JobList, rows_of


def completed(count: int, **manners: Any) -> JobList:
    return JobList(rows_of({"completed": count}), **manners)


def read(jobs: JobList) -> Listing:
    return virtual_time.run(list_jobs(jobs, JobFilter()))


def arriving(count: int) -> list[dict[str, Any]]:
    return [{"id": each.replace("0000", "ffff", 1), "status": "pending"} for each in ids(count)]


@pytest.mark.parametrize("total", ["exact", "absent"])
def test_jobs_that_arrive_while_listing_cause_no_duplicate_or_missing_job(total: str) -> None:
    jobs = completed(5000, total=total)

    def arrive(number: int) -> None:
        if number == 3:
            jobs.rows[:0] = arriving(30)

    jobs.before = arrive
    found = read(jobs)
    assert found.complete
    assert set(found.jobs) >= set(ids(5000))
    if total == "exact":
        assert len(found.jobs) == 5030


@pytest.mark.parametrize("total", ["exact", "zero", "absent"])
@pytest.mark.parametrize("says_more", [True, False])
@pytest.mark.parametrize("gone", [1, 30, 400])
def test_the_list_is_read_again_if_a_job_vanishes_while_listing(total: str, says_more: bool, gone: int) -> None:
    jobs = completed(5000, total=total, says_more=says_more)

    def vanish(number: int) -> None:
        if number == 3:
            del jobs.rows[5 : 5 + gone]  # they vanish from the first page, so all later jobs move up

    jobs.before = vanish
    found = read(jobs)
    assert found.complete == (says_more or total == "exact")
    assert list(found.jobs) == [row["id"] for row in jobs.rows]


@pytest.mark.parametrize("number", [2, 3, 4])
def test_no_job_is_missed_if_one_job_vanishes_and_another_appears_while_listing(number: int) -> None:
    # The total does not change, so only the row at the border of two pages shows the change.
    jobs = completed(5000)
    late = {"id": ids(5001)[-1], "status": "completed"}

    def change(asked: int) -> None:
        if asked == number:
            del jobs.rows[5]
            jobs.rows.insert(4500, late)

    jobs.before = change
    found = read(jobs)
    assert found.complete
    assert set(found.jobs) >= {row["id"] for row in jobs.rows}


@pytest.mark.parametrize("total", ["exact", "absent"])
def test_a_list_of_a_history_that_keeps_changing_is_incomplete(total: str) -> None:
    jobs = completed(5000, total=total)

    def vanish(number: int) -> None:
        if number > 1:
            del jobs.rows[0]

    jobs.before = vanish
    found = read(jobs)
    assert not found.complete
    assert found.error is None
    assert len(jobs.asked) <= 3 * 7


def test_listing_with_cursors_misses_no_job_if_another_job_vanishes() -> None:
    jobs = completed(5000, cursors=True, total="absent")

    def vanish(number: int) -> None:
        if number == 3:
            del jobs.rows[0]

    jobs.before = vanish
    found = read(jobs)
    assert found.complete
    assert set(found.jobs) == set(ids(5000))
    assert len(jobs.asked) == 5


@pytest.mark.parametrize("cursors", [False, True])
@pytest.mark.parametrize("at", [2, 3])
def test_a_list_that_is_suddenly_empty_is_incomplete(at: int, cursors: bool) -> None:
    jobs = completed(2500, cursors=cursors)

    def lose(number: int) -> None:
        if number == at:
            jobs.rows.clear()

    jobs.before = lose
    found = read(jobs)
    assert not found.complete
    assert found.proof() is None


def test_a_page_requested_in_advance_is_not_used_when_the_list_is_read_again() -> None:
    jobs = completed(5000)

    def vanish(number: int) -> None:
        if number == 3:
            del jobs.rows[5:35]  # the first page was read before they vanished

    async def begun_early() -> Listing:
        first = asyncio.ensure_future(first_page(jobs, JobFilter()))
        return await list_jobs(jobs, JobFilter(), first=first)

    jobs.before = vanish
    found = virtual_time.run(begun_early())
    assert found.complete
    assert list(found.jobs) == [row["id"] for row in jobs.rows]
    readings = [offset for _, offset, _ in jobs.asked if not offset]
    assert len(readings) == 2, "the page requested earlier, and the first page of the second reading"
