"""A lookup reports only jobs as gone that are certainly gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from cloud_history.cloud.evidence import SPOT_CHECK, Defect, DefectKind
from cloud_history.cloud.lookup import MAX_ONE_BY_ONE, NOTHING_OBSERVED, Observation, look_up
from cloud_history.cloud.pages import Page, RowMapper, ValueT
from cloud_history.errors import CloudError, NotFound, ServerFault, Unauthorized, UnreadableAnswer
from cloud_history.jobs.job import Job
from support import virtual_time
from support.fake_history_client import ACTIVE_QUERY, NOON, FakeClient, by_status, cut, ids, job, jobs_of


def look(client: FakeClient, count: int) -> Observation:
    return virtual_time.run(look_up(client, ids(count)))


def test_looking_up_no_jobs_sends_no_request() -> None:
    client = FakeClient(jobs_of(ids(10)))
    assert look(client, 0) is NOTHING_OBSERVED
    assert (client.pages, client.asked) == ([], [])


@pytest.mark.parametrize("count", [2, 20])
def test_up_to_twenty_jobs_are_fetched_by_id_and_looked_up_in_the_list(count: int) -> None:
    client = FakeClient(jobs_of(ids(1000)[::2]))
    found = look(client, count)
    assert client.pages == [({}, 1000, 0), ({}, 2, 499)], "the list, and a check that no jobs follow"
    listed_already = set(ids(1000)[::2]) - set(ids(count))
    assert set(ids(count)) < set(client.asked) < set(ids(count)) | listed_already, (
        "the requested jobs and one listed job"
    )
    assert list(found.there) == ids(count)[::2]
    assert found.gone == frozenset(ids(count)[1::2])
    assert (found.error, found.defects) == (None, ())


@pytest.mark.parametrize("count", [21, 1000, 2500])
def test_more_than_twenty_jobs_are_looked_up_in_the_list_with_a_spot_check_of_five(count: int) -> None:
    client = FakeClient(jobs_of(ids(2500)[::2]))
    found = look(client, count)
    assert MAX_ONE_BY_ONE == 20
    assert len(client.asked) <= 2 * SPOT_CHECK
    assert [offset for _, _, offset in client.pages] == [0, 999], "a list of several pages ends at its total"
    assert list(found.there) == ids(count)[::2]
    assert found.gone == frozenset(ids(count)[1::2])


def settled(job_ids: Iterable[str], word: str, ended: timedelta = timedelta(days=3)) -> dict[str, Job]:
    return {each: job(each, word)._replace(finished_at=NOON - ended) for each in job_ids}


def look_after(client: FakeClient, known: Observation, count: int) -> Observation:
    client.moment = NOON
    return virtual_time.run(look_up(client, ids(count), known))


KNOWN_AS = settled(ids(30), "failed")


def known(jobs: Mapping[str, Job] = KNOWN_AS) -> Observation:
    return Observation(jobs, listed=frozenset(jobs), answered=frozenset(ids(5)))


def test_old_jobs_are_looked_up_in_the_list_of_their_status_and_of_active_jobs() -> None:
    client = FakeClient(settled(ids(1000)[500:], "completed") | settled(ids(1000)[900:], "failed"))
    found = look_after(client, known(), 30)
    assert {query.get("status") for query, _, _ in client.pages} == {f"{ACTIVE_QUERY},failed"}
    assert found.gone == frozenset(ids(30))


def test_a_job_that_runs_again_is_found_in_the_list_without_fetching_it() -> None:
    again = ids(30)[10]
    client = FakeClient({**settled(ids(60)[30:], "failed"), again: job(again, "in_progress")})
    found = look_after(client, known(), 30)
    assert again not in client.asked
    assert found.there[again].active
    assert found.gone == frozenset(ids(30)) - {again}


@pytest.mark.parametrize(
    "odd",
    [
        job(ids(1)[0], "failed"),
        job(ids(1)[0], "failed")._replace(finished_at=NOON - timedelta(minutes=9)),
        job(ids(1)[0], "in_progress")._replace(finished_at=NOON - timedelta(days=3)),
    ],
    ids=["no end is known", "nine minutes ago", "still running"],
)
def test_if_one_status_may_still_change_every_status_is_listed(odd: Job) -> None:
    client = FakeClient(settled(ids(1000)[500:], "failed"))
    assert look_after(client, known({**KNOWN_AS, odd.id: odd}), 30).gone == frozenset(ids(30))
    assert [query for query, limit, _ in client.pages if limit > 2] == [{}]


def test_a_job_whose_status_changed_is_found_in_the_whole_list() -> None:
    moved = settled(ids(1), "completed")
    found = look_after(FakeClient({**settled(ids(60)[30:], "failed"), **moved}), Observation({}), 30)
    assert list(found.there) == ids(1)
    assert found.gone == frozenset(ids(30)[1:])


@pytest.mark.parametrize("count", [1, 20, 30])
def test_an_empty_list_does_not_prove_removal_while_jobs_are_found_by_id(
    count: int,
) -> None:
    class Emptied(FakeClient):
        async def list_jobs(self, query: Mapping[str, str], mapper: RowMapper[ValueT], **place: Any) -> Page[ValueT]:
            return Page([], {}, 0, 0, False, "")

    found = look_after(Emptied(settled(ids(30), "failed")), known(), count)
    assert found.gone == frozenset()
    assert str(found.doubt) == "the list can’t be trusted (a job that is not listed is still found by its id)"


@pytest.mark.parametrize("count", [1, 20, 30])
def test_a_list_with_other_jobs_proves_removal_even_if_deleted_jobs_can_be_fetched_by_id(
    count: int,
) -> None:
    class Soft(FakeClient):
        async def get_job(self, job_id: str) -> Job:
            return KNOWN_AS.get(job_id) or await super().get_job(job_id)

    others = settled(ids(60)[30:], "failed")
    assert look_after(Soft(others), known(), count).gone == frozenset(ids(count))
    assert look_after(Soft(others), Observation(KNOWN_AS), count).gone == frozenset(), "the jobs were not listed before"
    assert look_after(Soft({}), known(), count).gone == frozenset(), "the list is empty"


@pytest.mark.parametrize("count", [1, 20, 30])
def test_a_list_that_lost_all_other_jobs_does_not_prove_removal(count: int) -> None:
    before = replace(known(), others=frozenset(ids(60)[30:]))
    anothers = settled(ids(90)[60:], "failed")
    found = look_after(FakeClient(anothers), before, count)
    assert found.gone == frozenset()
    assert str(found.doubt) == "the list can’t be trusted (the jobs that were to stay are missing too)"
    one_left = settled(ids(60)[59:], "failed")
    assert look_after(FakeClient({**anothers, **one_left}), before, count).gone == frozenset(ids(count))


@pytest.mark.parametrize(("word", "proves"), [("completed", True), ("failed", False)])
def test_a_list_without_the_other_jobs_proves_absence_only_if_their_status_was_not_listed(
    word: str, proves: bool
) -> None:
    class Hiding(FakeClient):
        async def list_jobs(self, query: Mapping[str, str], mapper: RowMapper[ValueT], **place: Any) -> Page[ValueT]:
            shown = [each for each in self.jobs.values() if each.id not in others]
            return cut(by_status(query, shown), mapper, place["limit"], place.get("offset", 0))

    others = frozenset(ids(60)[30:])
    jobs = settled(others, word) | settled(ids(90)[60:], "failed")
    found = look_after(Hiding(jobs), replace(known(), others=others), 30)
    assert found.gone == (frozenset(ids(30)) if proves else frozenset())


@dataclass
class Narrated(FakeClient):
    """Records the order of requests: the ids of jobs and the offsets of pages."""

    told: list[str | int] = field(default_factory=list)

    async def list_jobs(self, query: Mapping[str, str], mapper: RowMapper[ValueT], **place: Any) -> Page[ValueT]:
        self.told.append(place.get("offset", 0))
        return await super().list_jobs(query, mapper, **place)

    async def get_job(self, job_id: str) -> Job:
        self.told.append(job_id)
        return await super().get_job(job_id)


def test_a_listed_job_is_fetched_after_the_spot_check_and_before_the_list_is_complete() -> None:
    others = ids(9000)[30:]
    client = Narrated(settled(others, "failed"))
    before = replace(known(), others=frozenset(others))
    assert look_after(client, before, 30).gone == frozenset(ids(30))
    [asked] = [each for each in client.told if each in before.others]
    at = client.told.index(asked)
    assert {each for each in client.told[:at] if isinstance(each, str)} == set(client.asked) - {asked}
    assert any(isinstance(each, int) for each in client.told[at:]), "some pages have not been requested yet"


def test_no_listed_job_is_fetched_unless_a_requested_job_is_missing() -> None:
    client = FakeClient(settled(ids(1500), "failed"))
    look_after(client, replace(known(), others=frozenset(ids(1500)[30:])), 30)
    assert set(client.asked) <= set(ids(30))


def test_a_404_does_not_prove_absence_if_a_listed_job_also_gets_404() -> None:
    class NoRoute(FakeClient):
        async def get_job(self, job_id: str) -> Job:
            raise NotFound(404)

    others = ids(2000)[30:]
    found = look_after(NoRoute(settled(others, "failed")), replace(known(), others=frozenset(others)), 30)
    assert found.gone == frozenset()
    assert "no job that is listed is found by its id" in str(found.doubt)


def test_a_404_does_not_prove_removal_if_only_unlisted_jobs_are_found_by_id() -> None:
    class OnlyUnlisted(FakeClient):
        async def get_job(self, job_id: str) -> Job:
            if job_id in others:
                return job(job_id, "completed")
            raise NotFound(404)

    others, listed = ids(60)[30:], settled(ids(90)[60:], "failed")
    found = look_after(OnlyUnlisted(listed), replace(known(), others=frozenset(others)), 30)
    assert found.gone == frozenset()
    assert "no job that is listed is found by its id" in str(found.doubt)


def test_no_other_jobs_are_taken_from_a_list_that_proves_no_absence() -> None:
    class Unsaid(FakeClient):
        async def list_jobs(self, query: Mapping[str, str], mapper: RowMapper[ValueT], **place: Any) -> Page[ValueT]:
            page = await super().list_jobs(query, mapper, **place)
            return replace(page, defects=(Defect(DefectKind.NO_HAS_MORE),))

    assert look(FakeClient(jobs_of(ids(60))), 30).others == frozenset(ids(60)[30:])
    assert look(Unsaid(jobs_of(ids(60))), 30).others == frozenset()


@pytest.mark.parametrize("count", [1, 20, 30])
def test_a_404_proves_absence_only_if_the_server_returns_another_job_by_id(count: int) -> None:
    class NoRoute(FakeClient):
        async def get_job(self, job_id: str) -> Job:
            raise NotFound(404)

    found = look(NoRoute(jobs_of(ids(60)[40:])), count)
    assert found.gone == frozenset()
    assert "no job that is listed is found by its id" in str(found.doubt)


def test_every_job_is_fetched_by_id_if_the_spot_check_finds_one() -> None:
    class Hiding(FakeClient):
        async def list_jobs(self, query: Mapping[str, str], mapper: RowMapper[ValueT], **place: Any) -> Page[ValueT]:
            return cut([each for each in self.jobs.values() if each.id not in hidden], mapper, place["limit"])

    hidden = ids(30)[29:]
    found = look_after(Hiding(settled(ids(60)[29:], "failed")), known(), 30)
    assert found.gone == frozenset(ids(29))
    assert not found.doubt or list(found.there) == hidden


def test_exactly_six_jobs_are_looked_up_at_once() -> None:
    client = FakeClient(jobs_of(ids(20)))
    look(client, 20)
    assert client.most_looking == 6


@pytest.mark.parametrize("count", [1, 20, 21])
def test_no_job_is_reported_gone_if_the_server_answers_404_to_everything(count: int) -> None:
    client = FakeClient(jobs_of(ids(30)), blind=lambda sent: NotFound(404))
    found = look(client, count)
    assert (found.there, found.gone) == ({}, frozenset())
    assert isinstance(found.error, NotFound)
    assert not found.is_known(ids(1)[0])


@pytest.mark.parametrize("count", [5, 30])
@pytest.mark.parametrize("error", [ServerFault(500), Unauthorized(401), UnreadableAnswer(200)])
def test_a_failed_lookup_returns_only_its_error(count: int, error: CloudError) -> None:
    assert look(FakeClient(jobs_of(ids(3)), blind=lambda sent: error), count) == Observation(error=error)


def test_an_error_for_one_job_does_not_hide_the_other_jobs() -> None:
    class Partly(FakeClient):
        async def get_job(self, job_id: str) -> Job:
            found = await super().get_job(job_id)
            if job_id == ids(2)[1]:
                raise ServerFault(503)
            return found

    class Hiding(Partly):
        async def list_jobs(self, query: Mapping[str, str], mapper: RowMapper[ValueT], **place: Any) -> Page[ValueT]:
            return cut(list(jobs_of([ids(3)[0], ids(3)[2]]).values()), mapper, place["limit"])

    found = look(Hiding(jobs_of(ids(3))), 5)
    assert list(found.there) == [ids(3)[0], ids(3)[2]]
    assert found.gone == frozenset(ids(5)[3:])
    assert isinstance(found.error, ServerFault)
    assert not found.is_known(ids(2)[1])


@pytest.mark.parametrize("error", [None, ServerFault(500)])
@pytest.mark.parametrize("slow", [0.0, 50.0])
def test_a_lookup_ignores_a_slow_or_failing_list_that_it_does_not_need(error: CloudError | None, slow: float) -> None:
    class Whole(FakeClient):
        async def list_jobs(self, query: Mapping[str, str], mapper: RowMapper[ValueT], **place: Any) -> Page[ValueT]:
            if not query:
                await asyncio.sleep(slow)
                if error is not None:
                    raise error
            return await super().list_jobs(query, mapper, **place)

    async def timed() -> tuple[Observation, float]:
        return await look_up(client, ids(60)), virtual_time.now()

    client = Whole(settled(ids(100), "failed"), moment=NOON)
    found, took = virtual_time.run(timed())
    assert (list(found.there), found.error) == (ids(60), None)
    assert took < 1.0


class Endless(FakeClient):
    """A list that always says that more jobs follow."""

    async def list_jobs(self, query: Mapping[str, str], mapper: RowMapper[ValueT], **place: Any) -> Page[ValueT]:
        page = await super().list_jobs(query, mapper, **place)
        return replace(page, total=None, has_more=True)


def test_an_incomplete_list_does_not_prove_absence() -> None:
    found = look(Endless(jobs_of(ids(25))), 40)
    assert list(found.there) == ids(25)
    assert found.gone == frozenset()
    assert not found.is_known(ids(40)[39])


def test_a_list_that_fails_half_way_does_not_prove_absence() -> None:
    class Breaking(FakeClient):
        async def list_jobs(self, query: Mapping[str, str], mapper: RowMapper[ValueT], **place: Any) -> Page[ValueT]:
            if place.get("offset"):
                raise ServerFault(500)
            return await super().list_jobs(query, mapper, **place)

    found = look(Breaking(jobs_of(ids(1500))), 1500)
    assert set(found.there) >= set(ids(1000))
    assert found.gone == frozenset()
    assert isinstance(found.error, ServerFault)


def test_an_internal_error_is_not_mistaken_for_a_missing_job() -> None:
    class Broken(FakeClient):
        async def get_job(self, job_id: str) -> Job:
            raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        look(Broken(), 3)


@pytest.mark.parametrize(
    ("count", "known"),
    [
        (20, NOTHING_OBSERVED),
        (3000, NOTHING_OBSERVED),
        (30, replace(known(), others=frozenset(ids(3000)[30:]))),
    ],
    ids=["few", "many", "while a listed job is fetched"],
)
def test_cancelling_a_lookup_leaves_no_request_running(count: int, known: Observation) -> None:
    client = FakeClient(settled(ids(3000)[0 if known is NOTHING_OBSERVED else 30 :], "failed"), looking=10.0)

    async def cancel() -> None:
        work = asyncio.ensure_future(look_up(client, ids(count), known))
        await asyncio.sleep(15.0)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert len(asyncio.all_tasks()) == 1
        asked = len(client.asked) + len(client.pages)
        await asyncio.sleep(100.0)
        assert len(client.asked) + len(client.pages) == asked

    virtual_time.run(cancel())


def test_an_observation_without_a_lookup_is_empty() -> None:
    assert (NOTHING_OBSERVED.there, NOTHING_OBSERVED.gone, NOTHING_OBSERVED.error) == ({}, frozenset(), None)


def test_the_type_checker_refuses_a_plain_id_as_proven_absent() -> None:
    # mypy is the test: it reports the comment below as unused if a plain id is accepted.
    assert Observation(gone=frozenset({"an id"})).gone  # type: ignore[arg-type]
