"""A workflow asks the person who queued it for approval before any delete request is sent."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from cloud_history.approval.approval import ApprovalAnswers
from cloud_history.config import state_folder
from cloud_history.state.node_reports import NodeReports
from simulated_cloud import SimulatedCloud
from support.fake_comfyui import FakeComfyUI, InterruptProcessingException

CLOUD_JOBS = 60
pytestmark = pytest.mark.usefixtures("at_once")

ASK = "cloud_history.ask"
SKIPPED = "Nothing was deleted. The workflow was told to skip."


class Page:
    """The browser page that queued the workflow, and the clock of the request for approval.

    The page answers through another copy of the package than the one that asks, because some editions of ComfyUI
    import a pack twice: for its routes and for its nodes.
    """

    def __init__(self, comfyui: FakeComfyUI) -> None:
        self.heard: list[dict[str, Any]] = []
        self.shown: list[dict[str, Any]] = []
        self.clients: set[str | None] = set()
        self.answer = ""
        self.sees = True
        self.now = 0.0
        self.meanwhile: Callable[[], None] = lambda: None
        comfyui.when_sent = self._hear

    def _hear(self, event: str, data: dict[str, Any], sid: str | None) -> None:
        if event != ASK:
            return
        self.clients.add(sid)
        if data["state"] != "open":
            return
        self.heard.append(data)
        answers = ApprovalAnswers(state_folder(), clock=self.clock)
        shown = answers.fetch(data["question"])
        self.shown.append(shown)
        if self.sees:
            answers.mark_seen(shown["question"], shown["token"])
        if self.answer:
            self.now += 1.0
            answers.answer(shown["question"], shown["token"], self.answer)

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.meanwhile()
        await asyncio.sleep(0)


@pytest.fixture
def asks(connected: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the setting for deletions by nodes, so that nodes ask for approval by default."""
    monkeypatch.delenv("COMFY_CLOUD_HISTORY_NODES")


@pytest.fixture
def page(comfyui: FakeComfyUI, asks: None, at_once: None, pack_module: Any, monkeypatch: pytest.MonkeyPatch) -> Page:
    made = Page(comfyui)
    host, asking = pack_module("comfy_host"), pack_module("cloud_history.approval.approval")

    def questions(*arguments: Any) -> Any:
        return real(*arguments, sleep=made.sleep, clock=made.clock)

    real = asking.ApprovalRequests
    monkeypatch.setattr(asking, "ApprovalRequests", questions)
    assert host.graph_deletions() is host.graph_deletions()
    return made


@pytest.fixture
def delete_node(comfyui: FakeComfyUI, pack: Any) -> Any:
    return pack.NODE_CLASS_MAPPINGS["CloudHistoryDeleteJobs"]()


@pytest.fixture
def clear_node(comfyui: FakeComfyUI, pack: Any) -> Any:
    return pack.NODE_CLASS_MAPPINGS["CloudHistoryClear"]()


async def test_after_approval_exactly_the_shown_jobs_are_deleted(
    page: Page, delete_node: Any, cloud: SimulatedCloud
) -> None:
    page.answer = "delete"
    finished, active = [job.id for job in cloud.finished[:3]], cloud.active[0].id
    made = await delete_node.run(job_ids=[*finished, active], dry_run=[False])
    assert (page.shown[0]["removable"], page.shown[0]["skipped"]["active"]) == (3, 1)
    assert page.clients == {"browser-1"}
    assert page.heard == [{"question": page.shown[0]["question"], "state": "open"}]
    assert cloud.history_posts == [{"delete": finished}]
    assert made["result"][2] == 3
    assert "1 active, left alone" in made["result"][1]


async def test_a_node_whose_deletion_was_skipped_succeeds_and_reports_the_skip(
    page: Page, delete_node: Any, clear_node: Any, cloud: SimulatedCloud
) -> None:
    page.answer = "skip"
    for run in (
        delete_node.run(job_ids=[cloud.finished[0].id], dry_run=[False], after=["saved"]),
        clear_node.run(clear=[True], after=["saved"]),
    ):
        assert await run == {"ui": {"text": [SKIPPED]}, "result": (["saved"], SKIPPED, 0)}
    assert cloud.history_posts == []


def runs(delete_node: Any, clear_node: Any, cloud: SimulatedCloud) -> list[Any]:
    return [
        lambda: delete_node.run(job_ids=[cloud.finished[0].id], dry_run=[False]),
        lambda: clear_node.run(clear=[True]),
    ]


@pytest.mark.parametrize("away", ["disconnected", "nobody queued it"])
async def test_without_a_browser_a_node_fails_with_an_error_that_names_the_setting(
    comfyui: FakeComfyUI,
    page: Page,
    delete_node: Any,
    clear_node: Any,
    cloud: SimulatedCloud,
    errors: Any,
    away: str,
) -> None:
    if away == "disconnected":
        comfyui.sockets.clear()
    else:
        sys.modules["server"].PromptServer.instance.client_id = None
    for run in runs(delete_node, clear_node, cloud):
        with pytest.raises(errors.NoBrowserConnected) as ended:
            await run()
        assert "“Workflows may delete”" in str(ended.value)
        assert "COMFY_CLOUD_HISTORY_NODES=allow" in str(ended.value)
    assert cloud.requests == []
    assert comfyui.sent == []


async def test_stopping_a_node_that_waits_for_approval_interrupts_the_prompt(
    comfyui: FakeComfyUI, page: Page, delete_node: Any, clear_node: Any, cloud: SimulatedCloud
) -> None:
    for run in runs(delete_node, clear_node, cloud):
        start = page.now

        def press(begin: float = start) -> None:
            comfyui.interrupted = page.now - begin >= 30

        page.meanwhile = press
        with pytest.raises(InterruptProcessingException):
            await run()
        assert page.now - start < 30.5
        comfyui.interrupted, page.meanwhile = False, lambda: None
        kind, told, _ = comfyui.sent[-1]
        assert (kind, told["kind"]) == ("cloud_history.progress", "node_report")
        report = NodeReports(state_folder()).fetch(told["operation"])["report"]
        assert report.startswith("Stopped: nothing was sent to Comfy Cloud, and ")
    assert cloud.history_posts == []
    assert [told["state"] for kind, told, _ in comfyui.sent if kind == "cloud_history.ask"][-1] == "closed"


async def test_a_delete_node_that_is_stopped_before_it_sends_names_the_jobs_that_it_left(
    comfyui: FakeComfyUI, page: Page, delete_node: Any, cloud: SimulatedCloud
) -> None:
    job_ids = [job.id for job in cloud.finished[:2]]

    def press() -> None:
        comfyui.interrupted = True

    page.meanwhile = press
    with pytest.raises(InterruptProcessingException):
        await delete_node.run(job_ids=["\n".join(job_ids)], dry_run=[False])
    report = NodeReports(state_folder()).fetch(comfyui.sent[-1][1]["operation"])["report"]
    assert report.splitlines()[1:] == ["2 not tried: the deletion was stopped", *(f"  {job_id}" for job_id in job_ids)]


async def test_nodes_that_delete_no_job_never_ask_for_approval(
    page: Page, delete_node: Any, clear_node: Any, pack: Any, cloud: SimulatedCloud
) -> None:
    await delete_node.run(job_ids=[cloud.finished[0].id], dry_run=[True])
    await delete_node.run(job_ids=[], dry_run=[False])
    await clear_node.run(clear=[False])
    listing = pack.NODE_CLASS_MAPPINGS["CloudHistoryListJobs"]()
    await listing.run(status=["any"], older_than=[""], workflow_id=[""], limit=[0])
    assert page.shown == []


async def test_the_request_for_approval_names_the_node_and_its_workflow(
    comfyui: FakeComfyUI, page: Page, clear_node: Any
) -> None:
    page.answer = "skip"
    await clear_node.run(clear=[True])
    graph = {"12": {"class_type": "CloudHistoryClear", "inputs": {}, "_meta": {"title": "Tidy up"}}}
    extra = {"extra_pnginfo": {"workflow": {"id": "0123-workflow", "name": "Portraits", "nodes": []}}}
    comfyui.running[4] = (1.0, "p", graph, extra, ["12"])
    await clear_node.run(clear=[True])
    told = [[each[name] for name in ("node", "title", "workflow", "workflow_id")] for each in page.shown]
    assert told == [["12", "Clear Cloud History", "", ""], ["12", "Tidy up", "Portraits", "0123-workflow"]]


async def test_the_request_for_approval_hides_an_api_key_in_the_title_of_a_node(
    comfyui: FakeComfyUI, page: Page, clear_node: Any, cloud: SimulatedCloud, pack_module: Any
) -> None:
    key = cloud.api_key
    secret = pack_module("cloud_history.secret")
    assert key in secret.scrub(key)
    graph = {"12": {"class_type": "CloudHistoryClear", "inputs": {}, "_meta": {"title": f"Clear {key}"}}}
    extra = {"extra_pnginfo": {"workflow": {"id": key, "name": f"{key} flow", "nodes": []}}}
    comfyui.running[4] = (1.0, "p", graph, extra, ["12"])
    page.answer = "skip"
    await clear_node.run(clear=[True])
    (told,) = page.shown
    assert (told["title"], told["workflow"], told["workflow_id"]) == (
        "Clear [hidden]",
        "[hidden] flow",
        "[hidden]",
    )


@pytest.mark.parametrize("odd", [None, [], "text", 5, {"12": None}, {"12": {"_meta": 7}}], ids=repr)
async def test_an_unknown_queue_format_only_removes_the_names_from_the_request_for_approval(
    comfyui: FakeComfyUI, page: Page, clear_node: Any, odd: Any
) -> None:
    page.answer = "skip"
    for item in (odd, (1.0, "p"), (1.0, "p", odd, odd), (1.0, "p", odd, {"extra_pnginfo": odd}, odd, odd)):
        comfyui.running[1] = item
        assert (await clear_node.run(clear=[True]))["result"][1] == SKIPPED
    assert {each["title"] for each in page.shown} == {"Clear Cloud History"}


@pytest.mark.parametrize("wrong", [["on"], [""], [None], ["off", "off"], [True], [["off"]], "off", []], ids=repr)
async def test_an_unknown_backup_option_is_refused_before_approval_is_asked_for(
    page: Page, delete_node: Any, clear_node: Any, cloud: SimulatedCloud, errors: Any, wrong: Any
) -> None:
    for run in (
        delete_node.run(job_ids=[cloud.finished[0].id], dry_run=[False], backup=wrong),
        clear_node.run(clear=[True], backup=wrong),
    ):
        with pytest.raises(errors.InputRefused, match="backup"):
            await run
    assert (cloud.requests, page.shown) == ([], [])


async def test_with_backup_a_clear_asks_about_exact_jobs_and_backs_them_up_first(
    page: Page, clear_node: Any, cloud: SimulatedCloud
) -> None:
    page.answer = "delete"
    finished = {job.id for job in cloud.finished}
    made = await clear_node.run(clear=[True], backup=["workflows"])
    assert (page.shown[0]["kind"], page.shown[0]["removable"]) == ("delete", len(finished))
    assert {job_id for body in cloud.history_posts for job_id in body["delete"]} == finished
    assert made["result"][2] == len(finished)
    assert list((state_folder() / "backups").glob("*.zip"))


async def test_the_backup_input_of_a_node_overrides_the_setting(
    page: Page, delete_node: Any, pack_module: Any, cloud: SimulatedCloud
) -> None:
    page.answer = "delete"
    backups = state_folder() / "backups"
    first, second, third = [job.id for job in cloud.finished[:3]]
    await delete_node.run(job_ids=[first], dry_run=[False], backup=["workflows"])
    assert len(list(backups.glob("*.zip"))) == 1
    pack_module("comfy_host").operations().settings.change(backup="workflows")
    await delete_node.run(job_ids=[second], dry_run=[False], backup=["off"])
    assert len(list(backups.glob("*.zip"))) == 1
    await delete_node.run(job_ids=[third], dry_run=[False], backup=["setting"])
    assert len(list(backups.glob("*.zip"))) == 2
