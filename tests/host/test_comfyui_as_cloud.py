"""A real ComfyUI answers the same `POST /api/history`, so it can stand in for the cloud: a check of the client."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest

from cloud_history.deletion.outcomes import DeletionResult
from cloud_history.jobs.filters import Selection
from cloud_history.jobs.status import JobStatus
from cloud_history.service import Operations
from cloud_history.tasks.stopping import Unwatched
from host.conftest import Comfy, Graph
from hosts import HostProcess, start_embedded, start_host
from support.requests import delete_jobs, list_jobs

pytestmark = pytest.mark.skipif("COMFYUI_DIR" not in os.environ, reason="needs a real ComfyUI in COMFYUI_DIR")


@pytest.fixture(scope="module")
def comfyui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    base = tmp_path_factory.mktemp("cloud") / "comfyui"
    base.mkdir()
    started = start_host(base, cloud_url="http://127.0.0.1:9")
    yield started
    started.stop()


def small_graph(seed: int) -> Graph:
    return {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": seed},
        },
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "small"}},
    }


async def test_deleting_one_job_from_comfyui_removes_only_that_job(
    comfyui: HostProcess, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("host") / "comfyui"
    base.mkdir()
    allowed = {"COMFY_CLOUD_HISTORY_NODES": "allow"}
    host = start_embedded(base, cloud_url=comfyui.base_url, api_key="comfyui-any-key-will-do-here", env=allowed)
    try:
        async with aiohttp.ClientSession() as session:
            cloud = Comfy(comfyui, session)
            jobs = [(await cloud.run(small_graph(seed))).prompt_id for seed in range(3)]
            await history_has(cloud, jobs)
            node = {
                "class_type": "CloudHistoryDeleteJobs",
                "inputs": {"job_ids": jobs[1], "dry_run": False, "backup": "off"},
            }
            run = await Comfy(host, session).run({"1": node})
            assert run.ended == "execution_success"
            assert set(await cloud.get("/history")) == {jobs[0], jobs[2]}
    finally:
        host.stop()


async def history_has(cloud: Comfy, jobs: list[str]) -> None:
    """Wait until the history has exactly these jobs. Older versions add a job just after they say that it ended."""
    for _ in range(100):
        if set(await cloud.get("/history")) == set(jobs):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"ComfyUI's history has not {jobs}")


def failing_graph() -> Graph:
    inputs = {"status": "any", "older_than": "no time at all", "workflow_id": "", "limit": 0}
    return {"1": {"class_type": "CloudHistoryListJobs", "inputs": inputs}}


async def test_list_preview_delete_and_verify_give_each_job_its_outcome(comfyui: HostProcess, tmp_path: Path) -> None:
    environ = {
        "COMFY_CLOUD_BASE_URL": comfyui.base_url,
        "COMFY_CLOUD_API_KEY": "comfyui-any-key-will-do-here",
    }
    operations = Operations(tmp_path / "state", environ)
    async with aiohttp.ClientSession() as session:
        async with session.get(comfyui.base_url + "/api/jobs") as response:
            if response.status == 404:
                pytest.skip("this ComfyUI has no /api/jobs")
        cloud = Comfy(comfyui, session)
        runs = [await cloud.run(small_graph(seed)) for seed in range(100, 105)]
        broken = (await cloud.run(failing_graph())).prompt_id
        gone, kept, *asked = [run.prompt_id for run in runs]
        await cloud.post("/history", {"delete": [gone]})
        operations.protection.change(protect=True, jobs=[kept])
        listed = (await list_jobs(operations)).jobs
        assert gone not in listed
        assert {listed[each].status for each in (kept, *asked)} == {JobStatus.COMPLETED}
        assert listed[broken].status is JobStatus.FAILED
        ids = [*asked, broken, gone, str(uuid.uuid4()), kept]
        result = await preview_and_delete(operations, ids, lambda: cloud.post("/history", {"delete": asked[:1]}))
        words = [each.outcome.value for each in result.jobs.values()]
        assert words == ["already_gone", "deleted", "deleted", "deleted", *["already_gone"] * 2, "protected"]
        left = set(await cloud.get("/history"))
        assert kept in left
        assert left.isdisjoint({*asked, broken})
        (backup,) = operations.backups.list()
        assert backup.jobs == 3


async def preview_and_delete(
    operations: Operations, ids: list[str], meanwhile: Callable[[], Awaitable[object]]
) -> DeletionResult:
    """Preview and confirm a deletion as the panel does, with a change between the two steps."""
    connection = await operations.find_connection()
    preview = await operations.preview(connection, Selection(job_ids=ids), Unwatched())
    assert preview.skipped == {"active": 0, "unknown": 0, "already_gone": 2, "protected": 1}
    await meanwhile()
    return await delete_jobs(operations, ids, "panel", preview=preview, backup="workflows")
