"""Looking at jobs: gone is what is certainly gone, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

import virtual_time
from cloud_history.errors import CloudError, NotFound, ServerFault, Unauthorized, UnreadableAnswer
from cloud_history.jobs import Job
from cloud_history.look import MOST_ONE_BY_ONE, UNSEEN, Look, look_at
from cloud_history.pages import Kept, Page, Pick
from fake_history_client import FakeClient, ids, jobs_of


def look(client: FakeClient, count: int) -> Look:
    return virtual_time.run(look_at(client, ids(count)))


@pytest.mark.parametrize("count", [0, 1, 20])
def test_up_to_twenty_are_looked_at_one_by_one_after_one_row_of_the_list(count: int) -> None:
    client = FakeClient(jobs_of(ids(1000)[::2]))
    found = look(client, count)
    assert client.pages == [({}, 1, 0)]
    assert sorted(client.asked) == sorted(ids(count))
    assert list(found.there) == ids(count)[::2]
    assert found.gone == frozenset(ids(count)[1::2])
    assert found.error is None


@pytest.mark.parametrize("count", [21, 1000, 2500])
def test_more_than_twenty_are_looked_for_by_reading_the_list_once(count: int) -> None:
    client = FakeClient(jobs_of(ids(2500)[::2]))
    found = look(client, count)
    assert client.asked == []
    assert {limit for _, limit, _ in client.pages} == {1000}
    assert [offset for _, _, offset in client.pages] == [0, 1000]
    assert list(found.there) == ids(count)[::2]
    assert found.gone == frozenset(ids(count)[1::2])
    assert MOST_ONE_BY_ONE == 20


def test_at_most_six_are_looked_at_at_once_and_six_are() -> None:
    client = FakeClient(jobs_of(ids(20)))
    look(client, 20)
    assert client.most_looking == 6


@pytest.mark.parametrize("count", [1, 20, 21])
def test_a_server_that_answers_404_to_everything_has_no_job_gone(count: int) -> None:
    client = FakeClient(jobs_of(ids(30)), blind=lambda sent: NotFound(404))
    found = look(client, count)
    assert (found.there, found.gone) == ({}, frozenset())
    assert isinstance(found.error, NotFound)
    assert not found.saw(ids(1)[0])


@pytest.mark.parametrize("count", [5, 30])
@pytest.mark.parametrize("error", [ServerFault(500), Unauthorized(401), UnreadableAnswer(200)])
def test_a_look_that_fails_has_seen_nothing_and_says_why(count: int, error: CloudError) -> None:
    assert look(FakeClient(jobs_of(ids(3)), blind=lambda sent: error), count) == Look(error=error)


def test_one_job_that_cannot_be_read_leaves_the_others_seen() -> None:
    class Partly(FakeClient):
        async def get_job(self, job_id: str) -> Job:
            found = await super().get_job(job_id)
            if job_id == ids(2)[1]:
                raise ServerFault(503)
            return found

    found = look(Partly(jobs_of(ids(3))), 5)
    assert list(found.there) == [ids(3)[0], ids(3)[2]]
    assert found.gone == frozenset(ids(5)[3:])
    assert isinstance(found.error, ServerFault)
    assert not found.saw(ids(2)[1])


class Endless(FakeClient):
    """A list that never says that it ends."""

    async def list_jobs(self, query: Mapping[str, str], pick: Pick[Kept], **place: Any) -> Page[Kept]:
        page = await super().list_jobs(query, pick, **place)
        return replace(page, total=None, has_more=True)


def test_an_incomplete_list_proves_nothing_gone() -> None:
    found = look(Endless(jobs_of(ids(25))), 40)
    assert list(found.there) == ids(25)
    assert found.gone == frozenset()
    assert not found.saw(ids(40)[39])


def test_a_list_that_breaks_half_way_proves_nothing_gone() -> None:
    class Breaking(FakeClient):
        async def list_jobs(self, query: Mapping[str, str], pick: Pick[Kept], **place: Any) -> Page[Kept]:
            if place.get("offset"):
                raise ServerFault(500)
            return await super().list_jobs(query, pick, **place)

    found = look(Breaking(jobs_of(ids(1500))), 1500)
    assert list(found.there) == ids(1000)
    assert found.gone == frozenset()
    assert isinstance(found.error, ServerFault)


def test_a_fault_of_ours_is_not_taken_for_a_job_that_is_gone() -> None:
    class Broken(FakeClient):
        async def get_job(self, job_id: str) -> Job:
            raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        look(Broken(), 3)


@pytest.mark.parametrize("count", [20, 3000])
def test_cancelling_a_look_leaves_no_request_behind(count: int) -> None:
    client = FakeClient(jobs_of(ids(3000)), looking=10.0)

    async def cancel() -> None:
        work = asyncio.ensure_future(look_at(client, ids(count)))
        await asyncio.sleep(15.0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        asked = len(client.asked) + len(client.pages)
        await asyncio.sleep(100.0)
        assert len(client.asked) + len(client.pages) == asked

    virtual_time.run(cancel())


def test_nothing_was_seen_where_nobody_looked() -> None:
    assert (UNSEEN.there, UNSEEN.gone, UNSEEN.error) == ({}, frozenset(), None)
