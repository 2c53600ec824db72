"""No existing job is reported as gone by a cloud that lies in two ways at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from cloud_history.deletion.clear import Clear
from cloud_history.deletion.delete import Deletion
from cloud_history.deletion.outcomes import ClearResult, DeletionResult
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import Bend, SimulatedCloud
from support.cloud_fixtures import OpenClient
from support.safeguards import NoSafeguards

Delete = Callable[[list[str]], Awaitable[DeletionResult]]


async def no_time(seconds: float) -> None:
    """Return at once instead of sleeping."""


@pytest.fixture
def delete(open_client: OpenClient) -> Delete:
    async def delete(job_ids: list[str]) -> DeletionResult:
        async with open_client() as client:
            return await Deletion(client, NoSafeguards(), sleep=no_time).run(job_ids, Unwatched())

    return delete


@pytest.fixture
def clear(open_client: OpenClient) -> Callable[[], Awaitable[ClearResult]]:
    async def clear() -> ClearResult:
        async with open_client() as client:
            return await Clear(client, NoSafeguards(), sleep=no_time).run(Unwatched())

    return clear


def bend(cloud: SimulatedCloud, *bends: str) -> None:
    cloud.bends += [Bend.read(each) for each in bends]


def some(cloud: SimulatedCloud, count: int) -> list[str]:
    """Return `count` finished jobs, spread over the whole history."""
    finished = [job.id for job in cloud.finished]
    return finished[:: len(finished) // count][:count]


def outcome_counts(result: DeletionResult) -> Counter[str]:
    return Counter(each.outcome.value for each in result.jobs.values())


KEEPS_ALL = [
    "hides_jobs,rows=some,after_deletion=true",
    "hides_jobs,rows=all,after_deletion=true",
    "ids_of_others,after_deletion=true",
    "ids_null,after_deletion=true",
    "filters_wrongly,after_deletion=true",
    "filter_misses_jobs,after_deletion=true",
    "empty_list,after_deletion=true",
]


@pytest.mark.parametrize("count", [1, 10, 30])
@pytest.mark.parametrize("lie", KEEPS_ALL)
async def test_a_job_that_can_be_fetched_by_id_is_not_reported_as_removed_when_a_list_changes(
    cloud: SimulatedCloud, delete: Delete, lie: str, count: int
) -> None:
    bend(cloud, "keeps_jobs", lie)
    result = await delete(some(cloud, count))
    assert not cloud.deleted
    assert outcome_counts(result) == {"unconfirmed": count}


@pytest.mark.parametrize("lie", ["hides_jobs", "empty_list"])
async def test_an_empty_list_does_not_prove_removal_while_a_job_is_found_by_its_id(
    cloud: SimulatedCloud, delete: Delete, lie: str
) -> None:
    for when in ("", ",after_deletion=true"):
        cloud.bends.clear()
        bend(cloud, "keeps_jobs", lie + when, "details_not_found,rows=some" + when)
        assert outcome_counts(await delete(some(cloud, 30))) == {"unconfirmed": 30}


async def test_jobs_that_the_list_shows_in_upper_case_are_not_reported_as_removed(
    cloud: SimulatedCloud, delete: Delete
) -> None:
    bend(cloud, "ids_upper_case,where=both", "empty_list,after_deletion=true")
    assert outcome_counts(await delete(some(cloud, 30))) == {"unconfirmed": 30}
    assert not cloud.deleted, "the simulated cloud has no ids in upper case"


@pytest.mark.parametrize("count", [1, 10, 30])
async def test_a_404_does_not_prove_removal_while_a_listed_job_also_gets_404(
    cloud: SimulatedCloud, delete: Delete, count: int
) -> None:
    chosen = some(cloud, count)

    class OfThese(Bend):
        def hits(self, job_id: str) -> bool:
            return job_id in chosen

    bend(cloud, "keeps_jobs", "details_not_found,after_deletion=true")
    cloud.bends.append(OfThese("hides_jobs", after_deletion=True))
    result = await delete(chosen)
    assert outcome_counts(result) == {"unconfirmed": count}
    assert {str(each.why) for each in result.jobs.values()} == {
        "the list can’t be trusted (no job that is listed is found by its id)"
    }


@pytest.mark.parametrize("count", [1, 30])
async def test_a_silently_truncated_list_does_not_prove_the_removal_of_jobs_beyond_its_end(
    cloud: SimulatedCloud, delete: Delete, count: int
) -> None:
    beyond = sorted(cloud.finished, key=lambda job: job.create_time)[0].id
    chosen = [beyond, *[each for each in some(cloud, count) if each != beyond]][:count]
    bend(cloud, "keeps_jobs", "caps_limit_in_silence,size=40", "details_not_found,rows=one,times=1")
    result = await delete(chosen)
    assert result.jobs[beyond].outcome.value == "unconfirmed"


@pytest.mark.parametrize("count", [1, 10, 30])
async def test_a_complete_list_proves_removal_even_if_removed_jobs_can_be_fetched_by_id(
    cloud: SimulatedCloud, delete: Delete, count: int
) -> None:
    chosen = some(cloud, count)
    bend(cloud, "details_of_deleted_jobs")
    assert outcome_counts(await delete(chosen)) == {"deleted": count}
    active = [job.id for job in cloud.active]
    more = some(cloud, count)
    assert outcome_counts(await delete(more + active)) == {"deleted": count, "active": len(active)}


@pytest.mark.parametrize("lie", ["hides_jobs,rows=some", "hides_jobs,rows=one", "drops_rows,size=5"])
async def test_a_falling_count_does_not_prove_a_clear_that_removed_nothing(
    cloud: SimulatedCloud, clear: Callable[[], Awaitable[ClearResult]], lie: str
) -> None:
    bend(cloud, "keeps_jobs", f"{lie},after_deletion=true")
    result = await clear()
    assert not cloud.deleted
    assert (result.outcome.value, result.removed) in {("unconfirmed", None), ("unconfirmed", 0)}


@pytest.mark.parametrize("lie", ["total_too_large", "total_too_small", "total_of_page", "total_changes"])
async def test_a_clear_reports_the_exact_number_of_removed_jobs(
    cloud: SimulatedCloud, clear: Callable[[], Awaitable[ClearResult]], lie: str
) -> None:
    finished = len(cloud.finished)
    bend(cloud, f"{lie},times=4")
    result = await clear()
    assert (result.before.finished, result.removed, len(cloud.deleted)) == (finished, finished, finished)


LOST_ALL = ["empty_list,after_deletion=true", "hides_jobs,rows=all,after_deletion=true"]


@pytest.mark.parametrize("count", [1, 10, 30])
@pytest.mark.parametrize("lie", LOST_ALL)
async def test_a_deletion_is_not_proven_if_the_other_jobs_disappear_too(
    cloud: SimulatedCloud, delete: Delete, lie: str, count: int
) -> None:
    bend(cloud, "keeps_jobs", lie, "details_not_found,after_deletion=true")
    result = await delete(some(cloud, count))
    assert outcome_counts(result) == {"unconfirmed": count}
    assert {str(each.why) for each in result.jobs.values()} == {
        "the list can’t be trusted (the jobs that were to stay are missing too)"
    }


@pytest.mark.parametrize("lie", LOST_ALL)
async def test_a_clear_is_not_proven_if_the_active_jobs_disappear_too(
    cloud: SimulatedCloud, clear: Callable[[], Awaitable[ClearResult]], lie: str
) -> None:
    assert cloud.active
    bend(cloud, "keeps_jobs", lie, "details_not_found,after_deletion=true")
    result = await clear()
    assert (result.outcome.value, result.removed) == ("unconfirmed", None)
    assert "the jobs that were to stay are missing too" in str(result.doubt)


async def test_a_clear_of_a_history_without_active_jobs_is_reported_correctly(
    cloud: SimulatedCloud, clear: Callable[[], Awaitable[ClearResult]]
) -> None:
    for job in cloud.active:
        del cloud.jobs[job.id]
    finished = len(cloud.finished)
    assert ((await clear()).removed, len(cloud.deleted)) == (finished, finished)
