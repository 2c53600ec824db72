"""comfy_host, the only module that imports ComfyUI, with stand-ins for ComfyUI's modules."""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from cloud_history.config import state_folder
from cloud_history.state.node_reports import NodeReports
from simulated_cloud import Fault, SimulatedCloud
from support.fake_comfyui import FakeComfyUI, InterruptProcessingException

CLOUD_JOBS = 1600
pytestmark = pytest.mark.timed

HISTORY = ("POST", "/api/history")
MAX_STOP_SECONDS = 0.5
MAX_LOOKUP_SECONDS = 3.0
"""Seconds that the lookup after a stop may take on a busy machine."""
STOPPED = "cloud_history.progress"


def some(cloud: SimulatedCloud, count: int) -> list[str]:
    return [job.id for job in cloud.finished[:count]]


@pytest.fixture
def delete_node(comfyui: FakeComfyUI, connected: None, pack: Any) -> Any:
    return pack.NODE_CLASS_MAPPINGS["CloudHistoryDeleteJobs"]()


@pytest.fixture
def clear_node(comfyui: FakeComfyUI, connected: None, pack: Any) -> Any:
    return pack.NODE_CLASS_MAPPINGS["CloudHistoryClear"]()


async def until(happened: Callable[[], bool]) -> None:
    """Let other tasks run until `happened` returns true. The timeout of the test limits the wait."""
    while not happened():  # noqa: ASYNC110 - what is waited for is on the other side of a socket
        await asyncio.sleep(0.001)


async def press_stop_when(happened: Callable[[], bool], comfyui: FakeComfyUI, work: Any) -> tuple[float, float]:
    """Press stop once `happened` returns true. Return that time, and the seconds until the node ended."""
    task = asyncio.ensure_future(work)
    await until(lambda: happened() or task.done())
    assert not task.done(), "the node ended before the test could stop it"
    comfyui.interrupted = True
    pressed = time.monotonic()
    with pytest.raises(InterruptProcessingException):
        await task
    return pressed, time.monotonic() - pressed


def noticed(cloud: SimulatedCloud, pressed: float) -> float:
    """Return the seconds from the press of stop until the first lookup of the sent jobs."""
    return next(each.at for each in cloud.requests if each.at >= pressed and each.method == "GET") - pressed


def reports(comfyui: FakeComfyUI) -> list[str]:
    """Return the reports that browsers were notified about."""
    kept = NodeReports(state_folder())
    return [
        kept.fetch(data["operation"])["report"]
        for event, data, _ in comfyui.sent
        if event == STOPPED and data.get("kind") == "node_report"
    ]


async def test_stopping_a_node_during_a_request_takes_effect_within_half_a_second(
    comfyui: FakeComfyUI, delete_node: Any, cloud: SimulatedCloud
) -> None:
    cloud.faults.append(Fault(HISTORY, "slow", seconds=25.0, times=None, acted=False))
    work = delete_node.run(job_ids=some(cloud, 300), dry_run=[False])
    pressed, took = await press_stop_when(lambda: len(cloud.history_posts) == 3, comfyui, work)
    assert noticed(cloud, pressed) < MAX_STOP_SECONDS
    assert took < MAX_LOOKUP_SECONDS
    [report] = reports(comfyui)
    assert report.startswith("Stopped: ")
    # The lookup after a stop is short. Jobs that it does not reach in time are unconfirmed.
    assert re.search("^300 (not removed|unconfirmed): the deletion was stopped$", report, re.MULTILINE)
    assert cloud.deleted == []


async def test_the_report_of_a_stopped_node_counts_jobs_that_were_removed_after_all(
    comfyui: FakeComfyUI, delete_node: Any, cloud: SimulatedCloud
) -> None:
    cloud.faults.append(Fault(HISTORY, "slow", seconds=25.0, times=None))
    work = delete_node.run(job_ids=some(cloud, 2), dry_run=[False])
    pressed, _ = await press_stop_when(lambda: bool(cloud.history_posts), comfyui, work)
    assert noticed(cloud, pressed) < MAX_STOP_SECONDS
    assert len(cloud.deleted) == 2
    assert reports(comfyui)[0].startswith("2 jobs removed from your cloud history.")


async def test_the_report_of_a_node_stopped_between_requests_counts_the_sent_jobs(
    comfyui: FakeComfyUI, delete_node: Any, cloud: SimulatedCloud
) -> None:
    cloud.switches.latency = 0.1
    work = delete_node.run(job_ids=some(cloud, 1500), dry_run=[False])
    pressed, took = await press_stop_when(lambda: len(comfyui.progress) > 2, comfyui, work)
    assert noticed(cloud, pressed) < MAX_STOP_SECONDS
    assert took < MAX_LOOKUP_SECONDS
    [report] = reports(comfyui)
    sent = {job_id for body in cloud.history_posts for job_id in body["delete"]}
    assert 0 < len(sent) < 1500
    assert sent == {job.id for job in cloud.deleted}
    assert report.startswith("Stopped: ")
    told = re.findall(r"^([0-9,]+) (?:removed|unconfirmed)\b", report, re.MULTILINE)
    assert sum(int(each.replace(",", "")) for each in told) == len(sent)
    assert f"{1500 - len(sent):,} not tried: the deletion was stopped" in report
    posts = len(cloud.history_posts)
    await asyncio.sleep(0)
    assert len(cloud.history_posts) == posts


async def test_the_report_of_a_stopped_node_goes_only_to_its_browser_and_contains_no_key(
    comfyui: FakeComfyUI, delete_node: Any, cloud: SimulatedCloud
) -> None:
    cloud.faults.append(Fault(HISTORY, "slow", seconds=25.0))
    work = delete_node.run(job_ids=some(cloud, 1), dry_run=[False])
    await press_stop_when(lambda: bool(cloud.history_posts), comfyui, work)
    told = [(data, client) for event, data, client in comfyui.sent if event == STOPPED]
    # Every page learns that a deletion goes on, and its kind; the rest is for the page that queued the run.
    own = [(data, client) for data, client in told if data.get("kind") != "delete"]
    assert {client for _, client in own} == {"browser-1"}
    assert {client for data, client in told if data.get("kind") == "delete"} == {None}
    [data] = [data for data, _ in own if "operation" in data]
    assert data == {"kind": "node_report", "operation": data["operation"]}
    kept = NodeReports(state_folder()).fetch(data["operation"])
    assert kept["node"] == "12"
    assert cloud.api_key not in json.dumps([comfyui.sent, kept])


async def test_no_browser_is_notified_of_a_prompt_that_no_browser_queued(
    comfyui: FakeComfyUI, delete_node: Any, cloud: SimulatedCloud
) -> None:
    sys.modules["server"].PromptServer.instance.client_id = None
    cloud.faults.append(Fault(HISTORY, "slow", seconds=25.0))
    work = delete_node.run(job_ids=some(cloud, 250), dry_run=[False])
    await press_stop_when(lambda: bool(cloud.history_posts), comfyui, work)
    assert comfyui.sent[-1][0] == "cloud_history.changed"
    for _, data, client in comfyui.sent:
        assert client is None
        assert set(data) <= {"operation", "kind", "ended"}
        assert data["kind"] == "delete"
    assert comfyui.progress == []


async def test_a_node_is_stopped_even_if_its_report_cannot_be_saved(
    comfyui: FakeComfyUI, delete_node: Any, cloud: SimulatedCloud
) -> None:
    state_folder().mkdir(parents=True, exist_ok=True)
    (state_folder() / "node_reports").write_text("in the way")
    cloud.faults.append(Fault(HISTORY, "slow", seconds=25.0))
    work = delete_node.run(job_ids=some(cloud, 1), dry_run=[False])
    await press_stop_when(lambda: bool(cloud.history_posts), comfyui, work)
    assert reports(comfyui) == []


async def test_stopping_a_node_during_a_clear_request_is_reported(
    comfyui: FakeComfyUI, clear_node: Any, cloud: SimulatedCloud
) -> None:
    cloud.faults.append(Fault(HISTORY, "slow", seconds=25.0))
    finished = len(cloud.finished)
    work = clear_node.run(clear=[True])
    _, took = await press_stop_when(lambda: bool(cloud.history_posts), comfyui, work)
    assert took < MAX_STOP_SECONDS
    # The clear got no answer, but the last count shows that the cloud carried it out.
    assert reports(comfyui)[0].startswith(f"{finished:,} jobs removed from your cloud history.")


async def test_stopping_a_node_before_its_first_delete_request_sends_none(
    comfyui: FakeComfyUI, delete_node: Any, clear_node: Any, cloud: SimulatedCloud
) -> None:
    for work in (delete_node.run(job_ids=some(cloud, 300), dry_run=[False]), clear_node.run(clear=[True])):
        comfyui.interrupted = True
        with pytest.raises(InterruptProcessingException):
            await work
    assert cloud.history_posts == []


async def test_a_stop_noticed_by_the_progress_bar_after_the_deletion_still_stops_the_prompt(
    comfyui: FakeComfyUI, delete_node: Any, cloud: SimulatedCloud
) -> None:
    comfyui.interrupt_at = 2
    with pytest.raises(InterruptProcessingException):
        await delete_node.run(job_ids=some(cloud, 2), dry_run=[False])
    assert len(cloud.history_posts) == 1
    assert len(cloud.deleted) == 2
    [report] = reports(comfyui)
    assert "2 jobs removed from your cloud history." in report or "2 unconfirmed: " in report


async def test_a_stop_noticed_by_the_last_interrupt_check_still_stops_the_prompt(
    comfyui: FakeComfyUI, pack_module: Any
) -> None:
    watch = pack_module("comfy_host").NodeWatch()
    comfyui.interrupted = True
    assert watch.stop_requested()
    assert not comfyui.interrupted
    assert watch.stop_requested()
    with pytest.raises(InterruptProcessingException):
        watch.raise_if_stopped()


async def test_an_error_in_the_interrupt_check_is_not_mistaken_for_an_interrupt(
    comfyui: FakeComfyUI, pack_module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise OSError("no such device")

    management = sys.modules["comfy.model_management"]
    monkeypatch.setattr(management, "throw_exception_if_processing_interrupted", broken)
    with pytest.raises(OSError, match="no such device"):
        pack_module("comfy_host").NodeWatch().stop_requested()


async def test_an_interrupt_exception_derived_from_base_exception_stops_a_node(
    comfyui: FakeComfyUI, pack_module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = type("InterruptProcessingException", (BaseException,), {})

    def throw() -> None:
        raise kind

    monkeypatch.setattr(sys.modules["comfy.model_management"], "throw_exception_if_processing_interrupted", throw)
    watch = pack_module("comfy_host").NodeWatch()
    assert watch.stop_requested()
    with pytest.raises(kind):
        watch.raise_if_stopped()


async def test_a_node_cancelled_during_its_request_leaves_an_unresolved_operation(
    comfyui: FakeComfyUI, delete_node: Any, cloud: SimulatedCloud, pack_module: Any
) -> None:
    cloud.faults.append(Fault(HISTORY, "slow", seconds=25.0))
    task = asyncio.ensure_future(delete_node.run(job_ids=some(cloud, 2), dry_run=[False]))
    await until(lambda: bool(cloud.history_posts))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [entry] = pack_module("comfy_host").operations().queue.unresolved()
    assert (entry.kind, entry.asked, entry.origin) == ("delete", 2, "node 12")


async def test_the_progress_of_a_deletion_goes_from_zero_to_the_number_of_jobs(
    comfyui: FakeComfyUI, delete_node: Any, cloud: SimulatedCloud
) -> None:
    await delete_node.run(job_ids=some(cloud, 250), dry_run=[False])
    assert comfyui.progress[0] == (0, 250)
    assert comfyui.progress[-1] == (250, 250)


async def test_progress_is_shown_for_the_backup_and_then_for_the_deletion(
    comfyui: FakeComfyUI, delete_node: Any, cloud: SimulatedCloud
) -> None:
    await delete_node.run(job_ids=some(cloud, 30), dry_run=[False], backup=["workflows"])
    begun = [at for at, done in enumerate(comfyui.progress) if done == (0, 30)]
    assert len(begun) == 2
    assert comfyui.progress[begun[1] - 1] == comfyui.progress[-1] == (30, 30)


async def test_a_wait_for_the_service_is_shown_on_the_node_only_in_the_browser_that_queued_it(
    comfyui: FakeComfyUI, pack_module: Any
) -> None:
    watch = pack_module("comfy_host").NodeWatch()
    watch.progress("backing_up", 0, 1)
    watch.progress("asked_to_wait", 0, 12)
    assert {client for _, _, client in comfyui.sent} == {comfyui.client_id}
    event, data, _ = comfyui.sent[-1]
    assert event == "cloud_history.progress"
    assert data == {"node": comfyui.node_id, "phase": "asked_to_wait", "done": 0, "total": 12, "during": "backing_up"}
    assert comfyui.progress == []


def test_a_node_says_what_it_does_at_most_four_times_a_second_and_only_to_its_own_page(
    comfyui: FakeComfyUI, pack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = sys.modules[f"{pack.__name__}.comfy_host"]
    now = 100.0
    monkeypatch.setattr(host.time, "monotonic", lambda: now)
    watch = host.NodeWatch()
    watch.progress("checking", 0, 1)  # a node that lists jobs does this too
    for done in range(100):
        watch.progress("backing_up", done, 231)
        now += 0.01
    watch.progress("sending", 0, 231)
    watch.progress("sending", 100, 231)
    watch.progress("checking", 0, 231)
    assert {client for _, _, client in comfyui.sent} == {comfyui.client_id}
    told = [(data["phase"], data["done"], data["total"]) for _, data, _ in comfyui.sent]
    assert [each for each in told if each[0] == "backing_up"] == [("backing_up", n, 231) for n in (0, 25, 50, 75)]
    assert told[-2:] == [("sending", 0, 231), ("checking", 0, 231)]
    assert len(told) == 6


async def test_a_finished_operation_is_announced_to_all_browsers(
    comfyui: FakeComfyUI, clear_node: Any, cloud: SimulatedCloud
) -> None:
    await clear_node.run(clear=[True])
    [(data, client)] = [(data, client) for event, data, client in comfyui.sent if event == "cloud_history.changed"]
    assert client is None
    assert (data["kind"], data["ended"], set(data)) == ("clear", True, {"operation", "kind", "ended"})
    assert cloud.finished == []


async def test_a_finished_deletion_succeeds_even_if_the_browser_cannot_be_notified(
    comfyui: FakeComfyUI, delete_node: Any, cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*arguments: Any) -> None:
        raise RuntimeError("Event loop is closed")

    monkeypatch.setattr(sys.modules["server"].PromptServer.instance, "send_sync", closed)
    made = await delete_node.run(job_ids=some(cloud, 2), dry_run=[False])
    assert made["result"][2] == 2
