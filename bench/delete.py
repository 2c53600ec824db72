"""Deleting 1,000 jobs, lookups before and after included, compared with one request for each job.

ComfyUI's own panel sends one `POST /api/history` for each job, one at a time or six at once, which is as many
connections as a browser opens. It looks nothing up, so the baseline has no lookups either.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import aiohttp

from cloud_history.deletion.outcomes import DeletionResult, Outcome
from cloud_history.deletion.request import DeletionRequest
from cloud_history.jobs.filters import Selection
from cloud_history.service import Operations
from cloud_history.tasks.stopping import Unwatched

from .cloud import Cloud, running_cloud
from .table import Figure, seconds, spread

JOBS = 1000
HISTORIES = ((1000, "any"), (20_000, "any"), (20_000, "failed"))
MIN_SPEEDUPS = {
    (1000, "any"): {1: 80.0, 6: 15.0},
    (20_000, "any"): {1: 30.0, 6: 5.0},
    (20_000, "failed"): {1: 80.0, 6: 13.0},
}
SAMPLES = {1: 200, 6: JOBS}
"""How many of the 1,000 requests are really sent: all of them one at a time would take a minute for each run."""
BASE_RUNS = 3


def measure(runs: int) -> Iterator[Figure]:
    for history, kind in HISTORIES:
        yield from _of_history(history, kind, runs)


def _of_history(history: int, kind: str, runs: int) -> Iterator[Figure]:
    with running_cloud(history) as cloud:
        # Choose jobs from the whole history, because the newest jobs are all on the first page of the list.
        chosen = cloud.job_ids if kind == "any" else cloud.failed_ids
        job_ids = chosen[:: len(chosen) // JOBS][:JOBS]
        _delete(cloud, job_ids)
        ours: list[float] = []
        singly: dict[int, list[float]] = {at_once: [] for at_once in SAMPLES}
        # Measure the variants in turn, so that other load on the machine affects all of them alike.
        for turn in range(max(runs, BASE_RUNS)):
            if turn < runs:
                ours.append(_delete(cloud, job_ids))
            if turn < BASE_RUNS:
                for at_once, sample in SAMPLES.items():
                    singly[at_once].append(_singly(cloud, job_ids, sample, at_once))
        took = statistics.median(ours)
        what = "" if kind == "any" else f"{kind} "
        data = f"{JOBS:,} {what}of {len(cloud.job_ids):,} jobs, {runs} runs"
        for at_once, words in ((1, "one job for each request"), (6, "the same, six at once")):
            sample = SAMPLES[at_once]
            base = statistics.median(singly[at_once])
            against = f"{words}: {seconds(base)}" + (f" (from {sample})" if sample < JOBS else "")
            target = MIN_SPEEDUPS[history, kind][at_once]
            yield Figure(
                "delete, lookups included",
                data,
                spread(ours),
                against,
                base / took,
                "×",
                target,
                "at least",
            )


def _delete(cloud: Cloud, job_ids: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        took = asyncio.run(_preview_and_delete(cloud, job_ids, Path(folder)))
    if cloud.restore() != len(job_ids):
        raise AssertionError("the cloud did not delete exactly these jobs")
    return took


async def _preview_and_delete(cloud: Cloud, job_ids: Sequence[str], folder: Path) -> float:
    operations = Operations(folder, cloud.environ)
    start = time.perf_counter()
    connection = await operations.find_connection()
    preview = await operations.preview(connection, Selection(job_ids=job_ids), Unwatched())
    request = DeletionRequest(preview.job_ids, connection, "panel", preview=preview)
    result = await operations.carry_out(request, Unwatched())
    took = time.perf_counter() - start
    if not isinstance(result, DeletionResult) or len(result.ids(Outcome.DELETED)) != len(job_ids):
        raise AssertionError(f"only {result.removed} are deleted")
    return took


def _singly(cloud: Cloud, job_ids: Sequence[str], sample: int, at_once: int) -> float:
    took = asyncio.run(_send_singly(cloud, job_ids[:sample], at_once)) * len(job_ids) / sample
    if cloud.restore() != sample:
        raise AssertionError("the cloud did not delete exactly these jobs")
    return took


async def _send_singly(cloud: Cloud, job_ids: Sequence[str], at_once: int) -> float:
    waiting = iter(job_ids)
    connector = aiohttp.TCPConnector(limit=at_once)
    async with aiohttp.ClientSession(cloud.base_url, connector=connector) as session:

        async def worker() -> None:
            for job_id in waiting:
                headers = {"X-API-Key": cloud.api_key}
                async with session.post("/api/history", json={"delete": [job_id]}, headers=headers) as response:
                    response.raise_for_status()

        start = time.perf_counter()
        await asyncio.gather(*(worker() for _ in range(at_once)))
        return time.perf_counter() - start
