"""A real ComfyUI answers the same `POST /api/history`, so it can stand in for the cloud: a check of the client."""

from __future__ import annotations

import os
from collections.abc import Iterator

import aiohttp
import pytest

from host.conftest import Comfy, Graph
from hosts import HostProcess, start_embedded, start_host

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


async def test_exactly_the_one_job_asked_for_leaves_its_history(
    comfyui: HostProcess, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("host") / "comfyui"
    base.mkdir()
    host = start_embedded(base, cloud_url=comfyui.base_url, api_key="comfyui-any-key-will-do-here")
    try:
        async with aiohttp.ClientSession() as session:
            cloud = Comfy(comfyui, session)
            jobs = [(await cloud.run(small_graph(seed))).prompt_id for seed in range(3)]
            assert set(await cloud.get("/history")) == set(jobs)
            node = {"class_type": "CloudHistoryDeleteJobs", "inputs": {"job_ids": jobs[1], "dry_run": False}}
            run = await Comfy(host, session).run({"1": node})
            assert run.ended == "execution_success"
            assert set(await cloud.get("/history")) == {jobs[0], jobs[2]}
    finally:
        host.stop()
