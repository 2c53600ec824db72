"""Backing up 1,000 jobs before a deletion, compared with reading and storing them one at a time."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from cloud_history.deletion.safeguards import BackingUp
from cloud_history.jobs.ids import new_hex_id
from cloud_history.service import Operations
from cloud_history.tasks.stopping import Unwatched

from .cloud import Cloud, running_cloud
from .table import Figure, seconds, spread

JOBS = 1000
SAMPLE = 100
MIN_SPEEDUP = 4.0


def measure(runs: int) -> Iterator[Figure]:
    with running_cloud(JOBS) as cloud:
        ours = [_run(cloud, cloud.job_ids) for _ in range(runs)]
        base = statistics.median(_run(cloud, cloud.job_ids[:SAMPLE], singly=True) for _ in range(runs))
    base *= JOBS / SAMPLE
    yield Figure(
        "back up",
        f"{JOBS:,} jobs, {runs} runs",
        spread(ours),
        f"one at a time: {seconds(base)} (from {SAMPLE})",
        base / statistics.median(ours),
        "×",
        MIN_SPEEDUP,
        "at least",
    )


def _run(cloud: Cloud, job_ids: Sequence[str], *, singly: bool = False) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_back_up(Operations(Path(folder), cloud.environ), job_ids, singly=singly))


async def _back_up(operations: Operations, job_ids: Sequence[str], *, singly: bool) -> float:
    connection = await operations.find_connection()
    key, operation = connection.key.secret, new_hex_id()
    async with operations.open(connection) as client:
        start = time.perf_counter()
        if singly:
            writer = operations.backups.begin(operation, {})
            for job_id in job_ids:
                writer.add(job_id, await client.get_job_detail(job_id), key.reveal())
            writer.close()
        else:
            await BackingUp(client, operations.backups, operation, {}, key)(job_ids, Unwatched())
        took = time.perf_counter() - start
    if len(operations.backups.jobs(operation)) != len(job_ids):
        raise AssertionError("some jobs are missing from the backup")
    return took
