"""Job ids are sent back in the case in which the server wrote them."""

from __future__ import annotations

import pytest

from cloud_history.cloud.lookup import look_up
from cloud_history.jobs.ids import MAX_SPELLINGS, JobIdSpellings
from cloud_history.service import Operations
from cloud_history.state.settings import SettingsFile
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import SimulatedCloud
from support.requests import delete_jobs, list_jobs


def in_upper_case(cloud: SimulatedCloud) -> list[str]:
    """Change every other job id to upper case. Return the ids of 20 finished jobs of either case."""
    for job in list(cloud.jobs.values())[::2]:
        del cloud.jobs[job.id]
        job.id = job.id.upper()
        cloud.jobs[job.id] = job
    upper = [job.id for job in cloud.finished if job.id != job.id.lower()]
    lower = [job.id for job in cloud.finished if job.id == job.id.lower()]
    return [*upper[:20], *lower[:20]]


@pytest.mark.parametrize("backup", [False, True])
@pytest.mark.parametrize("count", [3, 40])
async def test_jobs_with_upper_case_ids_are_backed_up_and_deleted(
    cloud: SimulatedCloud, operations: Operations, count: int, backup: bool
) -> None:
    written = in_upper_case(cloud)[:count]
    SettingsFile(operations.folder).change(backup="workflows" if backup else "off")
    job_ids = [job_id.lower() for job_id in written]
    result = await delete_jobs(operations, job_ids, "node 1", Unwatched())
    assert (result.removed, result.backed_up) == (count, count if backup else 0)
    assert sorted(job.id for job in cloud.deleted) == sorted(written)
    assert [set(body["delete"]) for body in cloud.history_posts] == [set(written)]


async def test_upper_case_ids_read_by_one_client_are_sent_unchanged_by_the_next(
    cloud: SimulatedCloud, operations: Operations
) -> None:
    written = in_upper_case(cloud)[0]
    running = cloud.active[0]
    del cloud.jobs[running.id]
    running.id = running.id.upper()
    cloud.jobs[running.id] = running
    await list_jobs(operations)
    async with operations.open(await operations.find_connection()) as client:
        assert (await client.get_job_detail(written.lower()))["id"] == written
        assert (await client.get_job(written.lower())).id == written.lower()
        assert await client.cancel_jobs([running.id.lower()]) == [running.id.lower()]


async def test_job_ids_are_sent_in_the_case_in_which_the_server_last_listed_them(
    cloud: SimulatedCloud, operations: Operations
) -> None:
    written = in_upper_case(cloud)[0]
    await list_jobs(operations)
    job = cloud.jobs.pop(written)
    job.id = written.lower()
    cloud.jobs[job.id] = job
    async with operations.open(await operations.find_connection()) as client:
        assert list((await look_up(client, [job.id])).there) == [job.id]
        assert (await client.get_job(job.id)).id == job.id


def test_the_number_of_cached_id_spellings_is_limited() -> None:
    ids = JobIdSpellings()
    ids.learn(["a"], {"a": "A"})
    ids.learn([], {str(number): "B" for number in range(MAX_SPELLINGS)})
    assert (ids.of("a"), ids.of("1"), ids.of("b")) == ("A", "1", "b")
