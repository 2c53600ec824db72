"""Large histories never block the event loop and take little memory."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import subprocess
import sys
import tracemalloc
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cloud_history.cloud.client import CloudClient
from cloud_history.deletion.outcomes import DeletionResult, JobOutcome, Outcome
from cloud_history.deletion.report import deletion_payload
from cloud_history.deletion.request import DeletionRequest
from cloud_history.jobs.filters import JobFilter, Selection
from cloud_history.jobs.rows import read_details
from cloud_history.outputs.request import SaveRequest
from cloud_history.routes.response import large_json_answer
from cloud_history.service import Operations
from cloud_history.tasks.own_loop import run_on_own_loop
from cloud_history.tasks.stopping import Unwatched
from cloud_history.tasks.threads import compute_in_thread
from simulated_cloud.cloud import DEFAULT_API_KEY
from support.event_loop_pulse import check_loop_not_blocked
from support.reasons import reason
from support.requests import delete_jobs, list_jobs


def beside_others(test: Callable[..., Any]) -> Any:
    """Mark a test that measures time and starts large simulated clouds."""
    return pytest.mark.timed(pytest.mark.timeout(300)(test))


PLAYGROUND = Path(__file__).parent.parent / "playground"
JOB = "11111111-1111-4111-8111-111111111111"
SERVE = """
import asyncio, sys
from simulated_cloud import SimulatedCloud

async def serve(jobs):
    async with SimulatedCloud(jobs=jobs).serving() as url:
        print(url, flush=True)
        await asyncio.Event().wait()

asyncio.run(serve(int(sys.argv[1])))
"""
SERVE_DETAIL = """
import asyncio, json, sys
from aiohttp import web

nodes = [
    {"id": n, "type": "KSampler", "pos": [n, n], "widgets_values": [n, "fixed", 20, 8.0, "euler " * 4]}
    for n in range(int(sys.argv[1]) // 120)
]
job = {"id": sys.argv[2], "status": "completed", "create_time": 1764000000000, "workflow": {"nodes": nodes}}

async def serve():
    app = web.Application()
    body = json.dumps(job).encode()
    app.router.add_get("/api/jobs/{id}", lambda request: answer(body))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()

async def answer(body):
    return web.Response(body=body, content_type="application/json")

asyncio.run(serve())
"""


@contextmanager
def served(code: str, *arguments: object) -> Iterator[str]:
    """Run a simulated cloud in another process, so that its work is not measured. Yield its URL."""
    child = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
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


@pytest.fixture
def _one_processor() -> Iterator[None]:
    """Run the test on a machine where only one processor is free, which is worse than an idle one."""
    with ExitStack() as stack:
        for _ in range(max(1, (os.cpu_count() or 1) - 1)):
            stack.enter_context(served("print(1, flush=True)\nwhile True: pass"))
        yield


@pytest.fixture(autouse=True)
def _only_our_own(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Exclude objects of other tests from garbage collection, and keep no log of 50,000 lines."""
    caplog.set_level(logging.WARNING, "cloud_history")
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def made(tmp_path: Path, url: str) -> Operations:
    return Operations(tmp_path / "state", {"COMFY_CLOUD_BASE_URL": url, "COMFY_CLOUD_API_KEY": DEFAULT_API_KEY})


@beside_others
@pytest.mark.usefixtures("_one_processor")
async def test_a_node_with_50000_ids_never_blocks_the_event_loop(tmp_path: Path) -> None:
    ids = [str(uuid.UUID(int=number, version=4)) for number in range(50_000)]
    with served(SERVE, 100) as url:
        operations = made(tmp_path, url)
        await operations.find_connection()

        def as_a_node_does() -> None:
            result = asyncio.run(delete_jobs(operations, ids, "node 1", Unwatched()))
            assert len(result.jobs) == 50_000

        await check_loop_not_blocked(lambda: asyncio.get_running_loop().run_in_executor(None, as_a_node_does))


@beside_others
@pytest.mark.usefixtures("_one_processor")
async def test_deleting_30000_jobs_from_the_panel_never_blocks_the_event_loop(
    tmp_path: Path,
) -> None:
    with ExitStack() as stack:

        async def delete_all() -> None:
            url = stack.enter_context(served(SERVE, 30_000))
            operations = made(tmp_path, url)
            connection = await operations.find_connection()
            chosen = Selection(filter=JobFilter())
            preview = await run_on_own_loop(operations.preview(connection, chosen, Unwatched()))
            request = DeletionRequest(preview.job_ids, connection, "panel", backup="off", preview=preview)
            result = await run_on_own_loop(operations.carry_out(request, Unwatched()))
            assert isinstance(result, DeletionResult)
            assert result.removed == len(preview.jobs) > 25_000

        await check_loop_not_blocked(delete_all)


@beside_others
async def test_reporting_30000_jobs_that_were_not_deleted_never_blocks_the_event_loop() -> None:
    lost = JobOutcome(Outcome.UNCONFIRMED, reason("accepted, but still listed"))
    result = DeletionResult({str(uuid.UUID(int=number, version=4)): lost for number in range(30_000)})

    async def answer() -> dict[str, Any]:
        return deletion_payload(result)

    async def whole() -> None:
        answered = await large_json_answer(await run_on_own_loop(answer()))
        assert isinstance(answered.body, bytes)
        assert len(answered.body) > 2_000_000

    await check_loop_not_blocked(whole)


@beside_others
async def test_a_job_detail_of_4_mb_never_blocks_the_event_loop(tmp_path: Path) -> None:
    size = 4_000_000
    with served(SERVE_DETAIL, size, JOB) as url:
        operations = made(tmp_path, url)
        connection = await operations.find_connection()

        async def read() -> dict[str, Any]:
            async with operations.open(connection) as client:
                return await client.get_job_detail(JOB)

        async def show() -> None:
            detail = await run_on_own_loop(read())
            payload = await compute_in_thread(read_details, detail, datetime.now(timezone.utc))
            answered = await large_json_answer(payload)
            assert isinstance(answered.body, bytes)
            assert answered.body.count(b'"KSampler"') == size // 120

        await check_loop_not_blocked(show)


# Listing


JOBS = 20_000
FAILED = 1_000
MAX_MEMORY_BYTES = 60 * 1024 * 1024

# Runs in another process, so that its work is not measured. The newest page has 1,000 failed jobs with long errors.
SERVE_ERRORS = """
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


log = logging.getLogger(__name__)


@pytest.mark.timed
@pytest.mark.timeout(120)
@pytest.mark.parametrize("failed", [0, FAILED], ids=["20,000 jobs", "with a page of 1,000 long errors"])
async def test_listing_20000_jobs_never_blocks_the_event_loop(tmp_path: Path, failed: int) -> None:
    with served(SERVE_ERRORS, JOBS, failed) as url:
        operations = made(tmp_path, url)
        await operations.find_connection()

        async def list_all() -> None:
            listing = await list_jobs(operations)
            assert (listing.complete, len(listing.jobs)) == (True, JOBS)

        await check_loop_not_blocked(list_all)


@pytest.mark.timeout(120)
async def test_listing_20000_jobs_takes_less_than_60_mb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    exchange = CloudClient._exchange

    async def weigh(client: CloudClient, *request: Any) -> Any:
        answer = await exchange(client, *request)
        sizes.append(len(answer.body))
        return answer

    monkeypatch.setattr(CloudClient, "_exchange", weigh)
    with served(SERVE_ERRORS, JOBS, FAILED) as url:
        operations = made(tmp_path, url)
        await operations.find_connection()
        tracemalloc.start()
        try:
            listing = await list_jobs(operations)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (len(listing.jobs), max(sizes) > 3_000_000) == (JOBS, True), "one page contains long errors"
    log.info("at most %.1f MB traced", peak / 1024 / 1024)
    assert peak < MAX_MEMORY_BYTES


# Saving outputs


SERVE_OUTPUTS = """
import asyncio, sys
from simulated_cloud import Periodic, SimulatedCloud

async def serve(jobs, files, size):
    cloud = SimulatedCloud(jobs=0)
    for number in range(jobs):
        names = tuple(f"clip_{number}_{file}.mp4" for file in range(files))
        job = cloud.add_job(files=names)
        for name in names:
            cloud.account.contents[name] = Periodic("clip", size)
    cloud.facts(name)
    async with cloud.serving() as url:
        print(url, ",".join(cloud.jobs), flush=True)
        await asyncio.Event().wait()

asyncio.run(serve(*map(int, sys.argv[1:])))
"""
MAX_SAVING_BYTES = 80_000_000


@contextmanager
def outputs_to_save(tmp_path: Path, jobs: int, files: int, size: int) -> Iterator[Callable[[], Awaitable[None]]]:
    """Serve jobs with outputs of this size. Yield a function that saves them all to a new folder."""
    folders = (tmp_path / str(number) for number in count())
    with served(SERVE_OUTPUTS, jobs, files, size) as told:
        url, ids = told.split()

        async def save() -> None:
            folder = next(folders)
            (folder / "output").mkdir(parents=True)
            environ = {"COMFY_CLOUD_BASE_URL": url, "COMFY_CLOUD_API_KEY": DEFAULT_API_KEY}
            operations = Operations(folder / "state", environ, output_folder=folder / "output")
            request = SaveRequest(ids.split(","), await operations.find_connection(), "panel")
            result = await operations.save_outputs(request, Unwatched())
            assert len(result.whole_ids) == jobs
            assert sum(len(each.files) for each in result.jobs.values()) == jobs * files

        yield save


@beside_others
@pytest.mark.parametrize(("jobs", "files", "size"), [(40, 5, 500_000), (1, 1, 300_000_000)])
async def test_saving_outputs_never_blocks_the_event_loop(tmp_path: Path, jobs: int, files: int, size: int) -> None:
    with outputs_to_save(tmp_path, jobs, files, size) as save:
        await check_loop_not_blocked(save)


@pytest.mark.timeout(300)
async def test_saving_large_outputs_takes_less_than_80_mb(tmp_path: Path) -> None:
    with outputs_to_save(tmp_path, 2, 4, 40_000_000) as save:
        tracemalloc.start()
        try:
            await save()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    log.info("at most %.1f MB traced", peak / 1e6)
    assert peak < MAX_SAVING_BYTES
