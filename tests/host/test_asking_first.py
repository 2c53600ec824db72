"""A graph from somebody else asks before it deletes, in a host with default settings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest

from host.conftest import Comfy, Graph
from hosts import HostProcess, start_host
from simulated_cloud import SimulatedCloud

BORROWED: Graph = {"3": {"class_type": "CloudHistoryClear", "inputs": {"clear": True}, "_meta": {"title": "Tidy up"}}}
SKIPPED = "Nothing was deleted. The workflow was told to skip."
KEY = "api_key_comfy_org"


@pytest.fixture(scope="module")
def host(busy_cloud: SimulatedCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """A host with the pack and its default settings."""
    base = tmp_path_factory.mktemp("asking") / "comfyui"
    base.mkdir()
    started = start_host(base, cloud_url=busy_cloud.base_url, api_key=busy_cloud.api_key)
    yield started
    started.stop()


def delete(job_ids: list[str], **more: object) -> Graph:
    inputs = {"job_ids": "\n".join(job_ids), "dry_run": False, **more}
    return {"1": {"class_type": "CloudHistoryDeleteJobs", "inputs": inputs}}


async def test_without_a_browser_the_deletion_sends_nothing_and_its_error_names_the_setting(
    comfy: Comfy, cloud: SimulatedCloud
) -> None:
    for graph in (BORROWED, delete([cloud.finished[0].id])):
        entry = await comfy.run_headless(graph)
        assert entry["status"]["status_str"] == "error"
        said = str(entry["status"]["messages"])
        assert "Workflows may delete" in said
        assert "COMFY_CLOUD_HISTORY_NODES=allow" in said
    assert cloud.requests == []


async def test_answering_skip_sends_nothing_and_the_prompt_continues(comfy: Comfy, cloud: SimulatedCloud) -> None:
    comfy.answer = "skip"
    finished = len(cloud.finished)
    run = await comfy.run(BORROWED, extra_pnginfo={"workflow": {"id": "0123-borrowed"}})
    assert (run.ended, run.ui("3")) == ("execution_success", [SKIPPED])
    question = comfy.asked
    # With backups, which are on by default, a clear deletes exact jobs.
    assert (question["kind"], question["removable"]) == ("delete", finished)
    assert (question["node"], question["title"]) == ("3", "Tidy up")
    assert question["workflow_id"] == "0123-borrowed"
    assert question["last4"] == cloud.api_key[-4:]
    assert 115 <= question["seconds_left"] <= 120
    assert cloud.history_posts == []


async def test_answering_delete_deletes_exactly_the_jobs_in_the_question(comfy: Comfy, cloud: SimulatedCloud) -> None:
    comfy.answer = "delete"
    wanted, active = [job.id for job in cloud.finished[:3]], cloud.active[0].id
    run = await comfy.run(delete([*wanted, active]))
    assert run.ended == "execution_success"
    question = comfy.asked
    assert (question["removable"], question["skipped"]["active"]) == (3, 1)
    assert cloud.history_posts == [{"delete": wanted}]
    assert all(cloud.jobs[job_id].deleted for job_id in wanted)


async def test_interrupt_ends_the_question_and_sends_nothing(comfy: Comfy, cloud: SimulatedCloud) -> None:
    async with aiohttp.ClientSession() as session:

        class Pressing(Comfy):
            async def _answer(self, event: dict[str, Any]) -> None:
                if event["state"] == "open":
                    await self.post("/interrupt", {})

        run = await Pressing(comfy.host, session).run(BORROWED)
    assert run.ended == "execution_interrupted"
    assert cloud.history_posts == []


async def test_an_unknown_backup_value_is_refused_before_the_graph_runs(comfy: Comfy, cloud: SimulatedCloud) -> None:
    body = {"prompt": delete([cloud.finished[0].id], backup="everything")}
    async with comfy._session.post(f"{comfy.host.base_url}/prompt", json=body) as response:
        answer = await response.json()
    assert response.status == 400
    assert "backup" in str(answer["node_errors"])
    assert cloud.requests == []


@pytest.fixture(scope="module")
def shared_host(busy_cloud: SimulatedCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """A host with several users, and a key in its environment."""
    base = tmp_path_factory.mktemp("many") / "comfyui"
    base.mkdir()
    started = start_host(base, cloud_url=busy_cloud.base_url, api_key="comfyui-a-key-of-nobody-0123", multi_user=True)
    yield started
    started.stop()


@pytest.fixture
async def many(shared_host: HostProcess) -> AsyncIterator[Comfy]:
    async with aiohttp.ClientSession() as session:
        yield Comfy(shared_host, session)


async def test_with_several_users_a_shared_key_is_refused_with_the_reason(many: Comfy, cloud: SimulatedCloud) -> None:
    many.answer = "delete"
    run = await many.run(delete([cloud.finished[0].id]))
    assert run.ended == "execution_error"
    assert "--multi-user" in run.error
    assert "COMFY_CLOUD_HISTORY_SHARED=1" in run.error
    async with many._session.get(
        f"{many.host.base_url}/cloud_history/status", headers={"X-Cloud-History": "1"}
    ) as response:
        status = await response.json()
    assert (status["problem"]["code"], status["configured"]) == ("many_users", False)
    assert cloud.requests == []


async def test_with_several_users_the_key_that_came_with_the_prompt_works_and_is_shown_nowhere(
    many: Comfy, cloud: SimulatedCloud
) -> None:
    many.answer = "delete"
    wanted = cloud.finished[0].id
    run = await many.run(delete([wanted]), **{KEY: cloud.api_key})
    assert run.ended == "execution_success"
    assert cloud.history_posts == [{"delete": [wanted]}]
    failed = await many.run(delete([cloud.finished[0].id]), **{KEY: f"{cloud.api_key}-revoked"})
    assert failed.ended == "execution_error"
    everything = [str(run.messages), str(failed.messages), many.host.log()]
    # The queue is not checked, because older versions show a prompt's extra data there until it is done.
    everything += [str(await many.get(path)) for path in ("/history", "/object_info", "/system_stats")]
    assert not [text for text in everything if cloud.api_key in text]
