"""Deleting and backing up many jobs is much faster than one at a time."""

from __future__ import annotations

import json
import time
import tracemalloc
from pathlib import Path

import pytest

from cloud_history.cloud.schema import check_request_body
from cloud_history.deletion.safeguards import BackingUp
from cloud_history.service import Operations
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import SimulatedCloud
from support.requests import delete_jobs

JOBS = 1000
SAMPLE = 40
LATENCY = 0.05
FASTER = 20
BACKED_UP_FASTER = 4
LARGE_JOBS = 200
MAX_MEGABYTES = 20
LARGE = "a large workflow " * 20_000


def many(cloud: SimulatedCloud, count: int) -> list[str]:
    """Return the ids of `count` finished jobs, and add SAMPLE more jobs for comparison."""
    for _ in range(count + SAMPLE - len(cloud.finished)):
        cloud.add_job("completed")
    return [job.id for job in cloud.finished[:count]]


@pytest.mark.timed
async def test_deleting_a_thousand_jobs_is_twenty_times_faster_than_one_at_a_time(
    cloud: SimulatedCloud, operations: Operations, tmp_path: Path
) -> None:
    await operations.find_connection()
    jobs, others = many(cloud, JOBS), [job.id for job in cloud.finished[-SAMPLE:]]
    cloud.switches.latency = LATENCY

    start = time.perf_counter()
    result = await delete_jobs(operations, jobs, "menu", Unwatched())
    together = time.perf_counter() - start
    posts = list(cloud.history_posts)

    connection = await operations.find_connection()
    async with operations.open(connection) as client:
        start = time.perf_counter()
        for job_id in others:
            await client.delete_history([job_id])
        singly = (time.perf_counter() - start) * JOBS / SAMPLE

    assert result.removed == JOBS
    assert len(posts) == 10
    for body in posts:
        assert len(body["delete"]) <= 100
        check_request_body(body)
    assert sorted(job_id for body in posts for job_id in body["delete"]) == sorted(jobs)
    assert len(cloud.history_posts) == len(posts) + SAMPLE
    assert singly / together >= FASTER, f"{singly:.2f} s one by one, {together:.2f} s together"


async def test_deleting_a_thousand_jobs_takes_ten_small_requests_over_few_connections(
    cloud: SimulatedCloud, operations: Operations
) -> None:
    await delete_jobs(operations, many(cloud, JOBS), "menu", Unwatched())
    assert len(cloud.history_posts) == 10
    for request in cloud.requests_to("POST", "/api/history"):
        assert request.headers["Content-Type"] == "application/json"
        assert int(request.headers["Content-Length"]) == len(request.body) < 4096
        assert list(json.loads(request.body)) == ["delete"]
    assert max(request.in_flight for request in cloud.requests_to("POST", "/api/history")) <= 4
    assert max(request.in_flight for request in cloud.requests) <= 6


@pytest.mark.timed
async def test_a_thousand_jobs_are_backed_up_four_times_faster_than_one_at_a_time(
    cloud: SimulatedCloud, operations: Operations
) -> None:
    jobs, others = many(cloud, JOBS), [job.id for job in cloud.finished[-SAMPLE:]]
    connection = await operations.find_connection()
    key = connection.key.secret
    cloud.switches.latency = LATENCY
    async with operations.open(connection) as client:
        back_up = BackingUp(client, operations.backups, "ab" * 16, {}, key)
        start = time.perf_counter()
        backed_up = await back_up(jobs, Unwatched())
        together = time.perf_counter() - start

        start = time.perf_counter()
        writer = operations.backups.begin("cd" * 16, {})
        for job_id in others:
            writer.add(job_id, await client.get_job_detail(job_id), key.reveal())
        writer.close()
        singly = (time.perf_counter() - start) * JOBS / SAMPLE

    assert (backed_up.workflows, dict(backed_up.without)) == (JOBS, {})
    assert {row["id"] for row in operations.backups.jobs("ab" * 16)} == set(jobs)
    assert singly / together >= BACKED_UP_FASTER, f"{singly:.2f} s one by one, {together:.2f} s together"


async def test_backing_up_many_large_jobs_takes_little_memory(cloud: SimulatedCloud, operations: Operations) -> None:
    jobs = many(cloud, LARGE_JOBS)
    for job_id in jobs:
        cloud.jobs[job_id].overrides = {"workflow": {"prompt": {"1": {"inputs": {"text": LARGE}}}}}
    connection = await operations.find_connection()
    async with operations.open(connection) as client:
        back_up = BackingUp(client, operations.backups, "ab" * 16, {}, connection.key.secret)
        tracemalloc.start()
        backed_up = await back_up(jobs, Unwatched())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert backed_up.workflows == LARGE_JOBS
    assert len(LARGE) * LARGE_JOBS > 3 * MAX_MEGABYTES * 1_000_000
    assert peak < MAX_MEGABYTES * 1_000_000, f"{peak / 1_000_000:.0f} MB"
