"""Fixtures for tests in a host without a browser: the embedded host, or the real ComfyUI in COMFYUI_DIR."""

from __future__ import annotations

import asyncio
import json
import os
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from hosts import HostProcess, start_host
from simulated_cloud import SimulatedCloud
from simulated_cloud.switches import Switches

LAST_WORDS = {"execution_success", "execution_error", "execution_interrupted"}
Graph = dict[str, dict[str, Any]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Raise the time limits of tests that run in a real ComfyUI."""
    for item in items:
        if item.path.parent.name == "host":
            item.add_marker(pytest.mark.timeout(300 if os.environ.get("COMFYUI_DIR") else 60))


@dataclass
class Run:
    """A finished run of a prompt: how it ended, and its websocket messages."""

    ended: str
    prompt_id: str
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def error(self) -> str:
        """Return the text of the error that ended the run."""
        return str(self.messages[-1]["data"].get("exception_message", ""))

    def ui(self, node_id: str) -> list[str]:
        """Return the output that a node shows after the run."""
        for message in self.messages:
            if message["type"] == "executed" and message["data"]["node"] == node_id:
                text: list[str] = message["data"]["output"]["text"]
                return text
        return []


class Comfy:
    """A client of a host that behaves as the host's page does."""

    def __init__(self, host: HostProcess, session: aiohttp.ClientSession) -> None:
        self.host = host
        self.answer = ""
        """What the page answers when a workflow asks whether it may delete."""
        self.asked: dict[str, Any] = {}
        """What the page was asked last."""
        self._session = session

    async def get(self, path: str) -> Any:
        headers = {"X-Cloud-History": "1"}
        async with self._session.get(self.host.base_url + path, headers=headers) as response:
            assert response.status == 200, path
            return await response.json()

    async def post(self, path: str, body: object) -> Any:
        headers = {"X-Cloud-History": "1"}
        async with self._session.post(self.host.base_url + path, json=body, headers=headers) as response:
            text = await response.text()
            assert response.status == 200, text
            return json.loads(text) if text else {}

    async def run(self, graph: Graph, **extra_data: Any) -> Run:
        """Queue a graph and wait for the end of its run."""
        async with self.running(graph, **extra_data) as run:
            return await run()

    async def run_headless(self, graph: Graph) -> dict[str, Any]:
        """Queue a graph without a websocket, as a script does, and return its history entry."""
        prompt_id = (await self.post("/prompt", {"prompt": graph}))["prompt_id"]
        while not (entries := await self.get(f"/history/{prompt_id}")):  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(0.02)
        entry: dict[str, Any] = entries[prompt_id]
        return entry

    async def _answer(self, event: dict[str, Any]) -> None:
        if event["state"] == "open" and self.answer:
            named = {"question": event["question"]}
            self.asked = await self.post("/cloud_history/ask/question", named)
            of = {**named, "token": self.asked["token"]}
            await self.post("/cloud_history/ask/seen", of)
            await self._decide({**of, "answer": self.answer, "always": False})

    async def _decide(self, answer: dict[str, Any]) -> None:
        """Answer the question as soon as the routes accept an answer, which is after one second."""
        url, headers = f"{self.host.base_url}/cloud_history/ask/answer", {"X-Cloud-History": "1"}
        while True:
            async with self._session.post(url, json=answer, headers=headers) as response:
                if response.status == 200:
                    return
                refused = await response.json()
            assert refused["error"]["code"] == "answered_too_soon", refused
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def running(self, graph: Graph, **extra_data: Any) -> AsyncIterator[Callable[[], Awaitable[Run]]]:
        """Queue a graph, and return a function that waits for the end of its run."""
        client = uuid.uuid4().hex
        async with self._session.ws_connect(f"{self.host.base_url}/ws?clientId={client}") as socket:
            body = {"prompt": graph, "client_id": client, "extra_data": extra_data}
            run = Run("", (await self.post("/prompt", body))["prompt_id"])

            async def end() -> Run:
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.TEXT:
                        run.messages.append(json.loads(message.data))
                        if run.messages[-1]["type"] == "cloud_history.ask":
                            await self._answer(run.messages[-1]["data"])
                        if run.messages[-1]["type"] in LAST_WORDS:
                            break
                run.ended = run.messages[-1]["type"]
                return run

            yield end


@pytest.fixture(scope="module")
def busy_cloud() -> Iterator[SimulatedCloud]:
    """One cloud for all tests of a module, because a host starts slowly."""
    cloud = SimulatedCloud(jobs=6000)
    with cloud.serving_in_thread():
        yield cloud


@pytest.fixture(scope="module")
def host(busy_cloud: SimulatedCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """A host with the pack, connected to the cloud by its environment, where workflows may delete."""
    base = tmp_path_factory.mktemp("host") / "comfyui"
    base.mkdir()
    allowed = {"COMFY_CLOUD_HISTORY_NODES": "allow"}
    started = start_host(base, cloud_url=busy_cloud.base_url, api_key=busy_cloud.api_key, env=allowed)
    yield started
    started.stop()


@pytest.fixture
def cloud(busy_cloud: SimulatedCloud) -> SimulatedCloud:
    """The cloud of the module, without faults and recorded requests."""
    busy_cloud.faults.clear()
    busy_cloud.switches = Switches()
    busy_cloud.requests.clear()
    return busy_cloud


@pytest.fixture
async def comfy(host: HostProcess) -> AsyncIterator[Comfy]:
    """Return a client of the host."""
    async with aiohttp.ClientSession() as session:
        yield Comfy(host, session)
