"""Listing a history of 20,000 jobs, compared with reading it page by page."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cloud_history.cloud.listing import PAGE
from cloud_history.cloud.pages import EVERY_JOB
from cloud_history.jobs.filters import JobFilter
from cloud_history.service import Operations
from cloud_history.tasks.stopping import Unwatched

from .cloud import Cloud, running_cloud
from .table import Figure, spread

JOBS = 20_000
MIN_SPEEDUP = 2.0


def measure(runs: int) -> Iterator[Figure]:
    with running_cloud(JOBS) as cloud, tempfile.TemporaryDirectory() as folder:
        operations = Operations(Path(folder), cloud.environ)
        asyncio.run(_at_once(operations))
        ours, base = [], []
        # Measure both in turn, so that other load on the machine affects both alike.
        for _ in range(runs):
            ours.append(asyncio.run(_at_once(operations)))
            base.append(asyncio.run(_page_by_page(operations, cloud)))
        yield Figure(
            "list all jobs",
            f"{JOBS:,} jobs, {runs} runs",
            spread(ours),
            f"page by page: {spread(base)}",
            statistics.median(base) / statistics.median(ours),
            "×",
            MIN_SPEEDUP,
            "at least",
        )


async def _at_once(operations: Operations) -> float:
    start = time.perf_counter()
    listing = await operations.list_jobs(await operations.find_connection(), JobFilter(), Unwatched())
    took = time.perf_counter() - start
    assert len(listing.jobs) == JOBS
    return took


async def _page_by_page(operations: Operations, cloud: Cloud) -> float:
    """Read each page only after the one before has arrived."""
    start = time.perf_counter()
    found: set[str] = set()
    async with operations.open(await operations.find_connection()) as client:
        while True:
            page = await client.list_jobs({}, EVERY_JOB, limit=PAGE, offset=len(found))
            found.update(page.kept)
            if not page.has_more:
                break
    took = time.perf_counter() - start
    assert len(found) == len(cloud.job_ids)
    return took
