"""Listing a large history holds up nobody: how long the event loop stands still, and how much memory it takes."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cloud_history.cloud.pages import EVERY_JOB
from cloud_history.service import Operations
from simulated_cloud.cloud import DEFAULT_API_KEY
from support.event_loop_pulse import never_held_up
from support.requests import list_jobs

PLAYGROUND = Path(__file__).parent.parent / "playground"
JOBS = 20_000
FAILED = 1_000
MAX_MEMORY_BYTES = 60 * 1024 * 1024

# A process of its own: what the stand-in does must not count. Its newest page is 1,000 failed jobs with long errors.
SERVE = """
import asyncio, sys
from simulated_cloud import SimulatedCloud

async def serve(jobs, failed):
    cloud = SimulatedCloud(jobs=jobs - failed)
    now = int(cloud.now() * 1000)
    for number in range(failed):
        error = {
            "exception_message": f"out of memory {number} " + "x" * 700,
            "exception_type": "torch.OutOfMemoryError", "node_id": "7", "node_type": "KSampler",
            "traceback": ["  File sampling.py, line 1, in sample\\\\n"] * 60,
            "current_inputs": {}, "current_outputs": {},
        }
        cloud.add_job("failed", create_time=now + number, overrides={"execution_error": error})
    async with cloud.serving() as url:
        print(url, flush=True)
        await asyncio.Event().wait()

asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
"""


@contextmanager
def served(failed: int) -> Iterator[str]:
    """A large history in another process."""
    child = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(JOBS), str(failed)],
        env={**os.environ, "PYTHONPATH": str(PLAYGROUND)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        yield child.stdout.readline().strip()
    finally:
        child.kill()
        child.communicate()


def made(tmp_path: Path, url: str) -> Operations:
    return Operations(
        tmp_path / "state", {"COMFY_CLOUD_BASE_URL": url, "COMFY_CLOUD_API_KEY": DEFAULT_API_KEY}
    )


log = logging.getLogger(__name__)


@pytest.fixture(autouse=True)
def _only_our_garbage() -> Iterator[None]:
    """Leave what other tests have made to no garbage collection: walking it would be charged to us."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.timed
@pytest.mark.timeout(120)
@pytest.mark.parametrize("failed", [0, FAILED], ids=["20,000 jobs", "with a page of 1,000 long errors"])
async def test_listing_20000_jobs_never_holds_the_event_loop_up(tmp_path: Path, failed: int) -> None:
    with served(failed) as url:
        operations = made(tmp_path, url)
        await operations.find_connection()

        async def list_all() -> None:
            listing = await list_jobs(operations)
            assert (listing.complete, len(listing.jobs)) == (True, JOBS)

        await never_held_up(list_all)


@pytest.mark.timeout(120)
async def test_the_page_of_errors_is_as_large_as_it_says(tmp_path: Path) -> None:
    with served(FAILED) as url:
        operations = made(tmp_path, url)
        async with operations.open(await operations.find_connection()) as client:
            sizes: list[int] = []
            exchange = client._exchange

            async def weigh(request: object) -> object:
                answer = await exchange(request)  # type: ignore[arg-type]
                sizes.append(len(answer.body))
                return answer

            client._exchange = weigh  # type: ignore[method-assign, assignment]
            page = await client.list_jobs({}, EVERY_JOB, limit=1000)
    assert {job.status.value for job in page.kept.values()} == {"failed"}
    assert sizes[0] > 3_000_000


@pytest.mark.timeout(120)
async def test_listing_20000_jobs_takes_less_than_60_mb(tmp_path: Path) -> None:
    with served(FAILED) as url:
        operations = made(tmp_path, url)
        await operations.find_connection()
        tracemalloc.start()
        try:
            listing = await list_jobs(operations)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert len(listing.jobs) == JOBS
    log.info("at most %.1f MB traced", peak / 1024 / 1024)
    assert peak < MAX_MEMORY_BYTES
