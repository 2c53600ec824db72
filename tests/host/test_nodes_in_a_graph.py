"""The nodes in graphs that ComfyUI runs."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from host.conftest import Comfy, Graph
from simulated_cloud import Fault, SimulatedCloud
from simulated_cloud.error_shapes import error_response

EXAMPLES = Path(__file__).parent.parent.parent / "example_workflows"


def delete(job_ids: object, **more: object) -> dict[str, Any]:
    return {"class_type": "CloudHistoryDeleteJobs", "inputs": {"job_ids": job_ids, "dry_run": False, **more}}


def some_finished(cloud: SimulatedCloud, count: int) -> list[str]:
    return [job.id for job in cloud.finished[:count]]


async def until(happened: Callable[[], bool]) -> None:
    """Wait for an event in another thread, up to the test's own time limit."""
    while not happened():  # noqa: ASYNC110 - the cloud is in another thread, on another event loop
        await asyncio.sleep(0.02)


async def test_comfyui_offers_the_deleting_nodes_as_specified(comfy: Comfy) -> None:
    info = await comfy.get("/object_info")
    delete_node, clear_node = info["CloudHistoryDeleteJobs"], info["CloudHistoryClear"]
    assert list(delete_node["input"]["required"]) == ["job_ids", "dry_run"]
    assert list(clear_node["input"]["required"]) == ["clear"]
    for node in (delete_node, clear_node):
        assert list(node["input"]["optional"]) == ["after", "backup"]
        assert node["input"]["optional"]["backup"][0] == ["setting", "off", "workflows", "outputs"]
        assert node["category"] == "cloud history"
        assert node["output"] == ["*", "STRING", "INT"]
        assert node["output_name"] == ["after", "report", "deleted"]
        assert node["output_is_list"] == [True, False, False]
        assert node["output_node"] is True


async def test_a_delete_node_runs_each_time_and_is_never_cached_even_with_two_equal_nodes(
    comfy: Comfy, cloud: SimulatedCloud
) -> None:
    job_ids = some_finished(cloud, 2)
    graph: Graph = {"1": delete("\n".join(job_ids))}
    cloud.switches.lies = True
    for nodes in (graph, {**graph, "2": graph["1"]}):
        run = await comfy.run(nodes)
        assert run.ended == "execution_success"
        for node in nodes:
            assert "2 unconfirmed: accepted, but still listed" in run.ui(node)[0]
    assert cloud.history_posts == [{"delete": job_ids}] * 3


def listing(**inputs: object) -> dict[str, Any]:
    every = {"status": "failed", "older_than": "", "workflow_id": "", "limit": 0, **inputs}
    return {"class_type": "CloudHistoryListJobs", "inputs": every}


async def test_comfyui_offers_the_list_node_as_specified(comfy: Comfy) -> None:
    node = (await comfy.get("/object_info"))["CloudHistoryListJobs"]
    assert list(node["input"]["required"]) == ["status", "older_than", "workflow_id", "limit"]
    assert list(node["input"]["optional"]) == ["after"]
    assert node["output"] == ["*", "STRING", "STRING", "INT"]
    assert node["output_name"] == ["after", "job_ids", "report", "count"]
    assert node["output_is_list"] == [True, True, False, False]


async def test_list_then_delete_removes_exactly_what_was_listed_in_one_deletion(
    comfy: Comfy, cloud: SimulatedCloud
) -> None:
    edge = int(time.time() * 1000) - 7 * 24 * 3600 * 1000
    cloud.add_job("failed", create_time=edge - 3600_000)
    wanted = {job.id for job in cloud.listed("failed") if job.create_time < edge - 60_000}
    others = len(cloud.finished) - len(wanted)
    graph: Graph = {"1": listing(older_than="7d"), "2": delete(["1", 1])}
    run = await comfy.run(graph)
    assert run.ended == "execution_success"
    assert f"{len(wanted):,} job" in run.ui("1")[0]
    assert "removed from your cloud history" in run.ui("2")[0]
    assert {job_id for body in cloud.history_posts for job_id in body["delete"]} == wanted
    assert {cloud.jobs[job_id].deleted for job_id in wanted} == {True}
    assert len(cloud.finished) == others

    # A second run has nothing to delete, which is reported and is not an error.
    cloud.requests.clear()
    run = await comfy.run(graph)
    assert run.ended == "execution_success"
    assert run.ui("1")[0] == "No job matches."
    assert run.ui("2")[0].startswith("Nothing to delete")
    assert cloud.history_posts == []


async def test_list_then_save_then_delete_removes_jobs_whose_outputs_are_all_here(
    comfy: Comfy, cloud: SimulatedCloud
) -> None:
    cloud.switches.has_assets_route = False  # the cloud would draw the pictures of all its jobs to hash them
    before = {job.id for job in cloud.deleted}
    for number in range(3):
        cloud.add_job("completed", files=(f"n{number}_1.png", f"n{number}_2.png"))
    save = {"class_type": "CloudHistorySaveOutputs", "inputs": {"job_ids": ["1", 1]}}
    graph: Graph = {"1": listing(status="completed", limit=3), "2": save, "3": delete(["2", 1])}
    run = await comfy.run(graph)
    assert run.ended == "execution_success", run.error
    assert "are saved: " in run.ui("2")[0]
    gone = [job for job in cloud.deleted if job.id not in before]
    assert len(gone) == 3
    for job in gone:
        about = await comfy.get(f"/cloud_history/outputs/of/{job.id}")
        stored = [cloud.account.facts_of(path).sha256 for path in job.paths]
        assert [each["sha256"] for each in about["files"] if each["here"]] == stored
        assert about["folder"] is None or about["folder"].startswith("output/comfy-cloud/")


async def test_an_output_that_is_gone_ends_the_graph_before_anything_is_deleted(
    comfy: Comfy, cloud: SimulatedCloud
) -> None:
    job = cloud.add_job("completed", files=("gone.png",))
    cloud.account.lost.update(job.paths)
    cloud.switches.has_assets_route = False
    save = {"class_type": "CloudHistorySaveOutputs", "inputs": {"job_ids": job.id}}
    run = await comfy.run({"1": save, "2": delete(["1", 1])})
    assert run.ended == "execution_error"
    assert "gone.png: it is no longer on Comfy Cloud" in run.error
    assert cloud.history_posts == []


async def test_the_example_shows_the_old_failed_jobs_and_sends_nothing(comfy: Comfy, cloud: SimulatedCloud) -> None:
    example = json.loads((EXAMPLES / "clean_up_failed_jobs.json").read_text(encoding="utf-8"))
    found, remover = (
        next(each for each in example["nodes"] if each["type"] == name)
        for name in ("CloudHistoryListJobs", "CloudHistoryDeleteJobs")
    )
    assert example["links"] == [[1, found["id"], 1, remover["id"], 0, "STRING"]]
    assert [each["widget"]["name"] for each in found["inputs"][:4]] == list(listing()["inputs"])
    given = dict(zip(listing()["inputs"], found["widgets_values"], strict=True))
    assert given == {"status": "failed", "older_than": "30d", "workflow_id": "", "limit": 0}
    dry_run = remover["widgets_values"][1]
    assert dry_run is True
    old = cloud.add_job("failed", create_time=int(time.time() * 1000) - 31 * 24 * 3600 * 1000)
    run = await comfy.run({"1": listing(**given), "2": delete(["1", 1], dry_run=dry_run)})
    assert run.ended == "execution_success"
    assert run.ui("2")[0].startswith("Dry run: ")
    assert old.id in run.ui("2")[0]
    assert cloud.history_posts == []


async def test_a_duration_that_cannot_be_read_stops_the_graph_before_anything_is_sent(
    comfy: Comfy, cloud: SimulatedCloud
) -> None:
    run = await comfy.run({"1": listing(older_than="30 days"), "2": delete(["1", 1])})
    assert run.ended == "execution_error"
    assert "“30 days” is not a time." in run.error
    assert cloud.requests == []


async def test_a_clear_node_that_is_switched_off_sends_no_request(comfy: Comfy, cloud: SimulatedCloud) -> None:
    run = await comfy.run({"1": {"class_type": "CloudHistoryClear", "inputs": {"clear": False}}})
    assert run.ended == "execution_success"
    assert cloud.requests == []


async def test_a_linked_list_of_ids_is_deleted_in_one_deletion(comfy: Comfy, cloud: SimulatedCloud) -> None:
    job_ids = some_finished(cloud, 3)
    lines = {"class_type": "PlaygroundTextList", "inputs": {"lines": "\n".join(job_ids)}}
    run = await comfy.run({"1": lines, "2": delete(["1", 0])})
    assert run.ended == "execution_success"
    assert cloud.history_posts == [{"delete": job_ids}]


async def test_an_empty_list_of_ids_from_a_link_deletes_nothing(comfy: Comfy, cloud: SimulatedCloud) -> None:
    nothing = {"class_type": "PlaygroundTextList", "inputs": {"lines": ""}}
    run = await comfy.run({"1": nothing, "2": delete(["1", 0])})
    assert run.ended == "execution_success"
    assert run.ui("2")[0].startswith("Nothing to delete")
    assert cloud.requests == []


async def test_a_delete_node_does_not_run_after_a_failed_node(comfy: Comfy, cloud: SimulatedCloud) -> None:
    failing = {"class_type": "PlaygroundFail", "inputs": {"message": "the save failed"}}
    run = await comfy.run({"1": failing, "2": delete(some_finished(cloud, 1)[0], after=["1", 0])})
    assert run.ended == "execution_error"
    assert cloud.requests == []


async def test_an_invalid_job_id_is_refused_before_the_graph_runs(comfy: Comfy, cloud: SimulatedCloud) -> None:
    good = some_finished(cloud, 1)[0]
    async with comfy._session.post(
        f"{comfy.host.base_url}/prompt", json={"prompt": {"1": delete(f"{good}\nnot-an-id")}}
    ) as response:
        answer = await response.json()
    assert response.status == 400
    assert "item 2: “not-an-id”" in str(answer["node_errors"])
    assert cloud.requests == []


async def test_a_failed_deletion_fails_the_node_and_names_the_jobs(comfy: Comfy, cloud: SimulatedCloud) -> None:
    job_ids = some_finished(cloud, 2)
    cloud.faults.append(Fault(("POST", "/api/history"), "status", times=None, status=403, json={"message": "no"}))
    run = await comfy.run({"1": delete(",".join(job_ids))})
    assert run.ended == "execution_error"
    assert "No job was removed (0 of 2)." in run.error
    assert all(job_id in run.error for job_id in job_ids)
    assert "Use a key of the account or workspace" in run.error


async def test_websocket_events_contain_no_data_about_deleted_jobs(comfy: Comfy, cloud: SimulatedCloud) -> None:
    first, second, third = some_finished(cloud, 3)
    url = f"{comfy.host.base_url}/ws"
    async with comfy._session.get(url, headers={"Origin": "null"}) as answer:
        if answer.status == 500:
            pytest.skip("this edition of ComfyUI fails at a page without an origin before anything of ours is asked")
    async with comfy._session.ws_connect(url, headers={"Origin": "null"}) as listening:
        assert (await comfy.run({"1": delete(f"{first},{second}")})).ended == "execution_success"
        entry = await comfy.run_headless({"1": delete(third)})
        # A prompt that was queued without a page has the report in its outputs.
        assert "1 job removed from your cloud history" in str(entry["outputs"]["1"]["text"])
        heard: list[dict[str, Any]] = []
        while sum(each["type"] == "cloud_history.changed" for each in heard) < 2:
            heard.append(json.loads((await listening.receive()).data))
    ended = [each["data"] for each in heard if each["type"] == "cloud_history.changed"]
    assert [set(data) for data in ended] == [{"operation", "kind", "ended"}] * 2
    others = [each for each in heard if each["type"].startswith("cloud_history.") and each["data"] not in ended]
    assert {each["type"] for each in others} <= {"cloud_history.progress"}
    assert all(set(each["data"]) == {"operation", "kind"} for each in others)
    said = json.dumps(heard)
    assert not [word for word in (first, second, third, "removed", "[hidden]") if word in said]


async def test_comfyui_stores_the_key_nowhere_after_an_error(comfy: Comfy, cloud: SimulatedCloud) -> None:
    echo = error_response(401, "unauthorized", f"the key {cloud.api_key} is not known")
    cloud.faults.append(Fault(("POST", "/api/history"), "status", times=None, status=401, body=echo.body))
    run = await comfy.run({"1": delete(some_finished(cloud, 1)[0])})
    assert run.ended == "execution_error"
    assert "[hidden]" in run.error
    everything = [str(run.messages), comfy.host.log()]
    for path in ("/history", "/settings", "/queue", "/object_info", "/system_stats"):
        everything.append(str(await comfy.get(path)))
    assert not [text for text in everything if cloud.api_key in text]


@pytest.mark.timed
async def test_interrupting_a_delete_of_5000_jobs_stops_it_and_reports_the_sent_jobs(
    comfy: Comfy, cloud: SimulatedCloud
) -> None:
    job_ids = some_finished(cloud, 5000)
    assert len(job_ids) == 5000
    cloud.switches.latency = 0.5
    async with comfy.running({"1": delete("\n".join(job_ids), backup="off")}) as end:
        await until(lambda: len(cloud.history_posts) >= 6)
        pressed = time.monotonic()
        await comfy.post("/interrupt", {})
        run = await end()
    took = time.monotonic() - pressed
    assert run.ended == "execution_interrupted"
    assert took < 1.0
    assert len(cloud.history_posts) < 50
    sent = {job_id for body in cloud.history_posts for job_id in body["delete"]}
    assert {cloud.jobs[job_id].deleted for job_id in sent} == {True}
    told = [each["data"] for each in run.messages if each["type"] == "cloud_history.progress"]
    [name] = [data["operation"] for data in told if data.get("kind") == "node_report"]
    report = (await comfy.get(f"/cloud_history/node_reports/{name}"))["report"]
    assert report.startswith("Stopped: ")
    assert f"{5000 - len(sent):,} not tried: the deletion was stopped" in report
    assert "not tried: the deletion was stopped" in report
