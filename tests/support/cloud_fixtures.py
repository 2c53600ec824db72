"""Fixtures: clients without waits, a second server that must get no request, a proxy, and a search for leaked keys."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import sys
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pytest
import pytest_asyncio
from aiohttp import web

from cloud_history.cloud import protocol
from cloud_history.cloud.client import CloudClient, Timeouts
from cloud_history.cloud.retry import RetryPolicy
from cloud_history.config import read_base_url
from cloud_history.deletion.outcomes import ClearResult
from cloud_history.deletion.report import (
    clear_payload,
    clear_report,
    deletion_payload,
    deletion_report,
    error_payload,
    listing_report,
)
from cloud_history.errors import CloudError
from cloud_history.jobs.filters import JobFilter, Selection
from cloud_history.jobs.rows import job_row, read_details
from cloud_history.routes.thumbnails import Thumbnails
from cloud_history.secret import Secret
from cloud_history.service import Operations
from cloud_history.state.credentials import Connection
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import SimulatedCloud
from support.kept_files import contents
from support.requests import clear_history, delete_jobs, list_jobs
from support.shown_error import exception_chain

OpenClient = Callable[..., CloudClient]


@pytest.fixture
def waits() -> list[float]:
    """The seconds that the client would have slept between its tries."""
    return []


@pytest.fixture
def open_client(cloud: SimulatedCloud, waits: list[float]) -> OpenClient:
    """Make clients of the simulated cloud, or of another server, that do not sleep between tries."""

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    def make(
        base_url: str | None = None,
        *,
        key: str = cloud.api_key,
        timeouts: Timeouts | None = None,
        sleep: Callable[[float], Awaitable[None]] = sleep,
    ) -> CloudClient:
        return CloudClient(
            read_base_url({"COMFY_CLOUD_BASE_URL": base_url or cloud.base_url}),
            Secret(key),
            timeouts=timeouts or Timeouts(connect=5.0, request=5.0),
            retries=RetryPolicy(rand=lambda: 1.0),
            sleep=sleep,
        )

    return make


@dataclass
class OtherServer:
    """A server on another port and host name. It answers every request with 200 and records it."""

    url: str = ""
    received: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.received.append((request.method, request.path_qs, dict(request.headers), body))
        return web.json_response({"jobs": [], "status": "active"})


@pytest_asyncio.fixture
async def other_server() -> AsyncIterator[OtherServer]:
    server = OtherServer()
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://localhost:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


@dataclass
class Proxy:
    """A proxy that records the requests and the bytes it receives, and never opens a connection.

    It refuses with a status, closes the connection, never answers, or accepts the tunnel and records its bytes.
    """

    port: int = 0
    manner: Literal["refuse", "hang up", "hang", "establish"] = "refuse"
    status: int = 502
    heads: list[str] = field(default_factory=list)
    in_tunnel: list[bytes] = field(default_factory=list)

    @property
    def asked_for(self) -> list[str]:
        """The first line of each request that the proxy received."""
        return [head.split("\r\n")[0] for head in self.heads]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
            if self.manner == "hang":
                await reader.read()
            elif self.manner == "refuse":
                writer.write(f"HTTP/1.1 {self.status} Refused\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
            elif self.manner == "establish":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await writer.drain()
                self.in_tunnel.append(await reader.read(65536))
        writer.close()


@pytest_asyncio.fixture
async def proxy() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    yield proxy
    server.close()


class Evidence:
    """Everything that an operation shows, logs or stores, to be searched for secrets."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.texts: list[tuple[str, str]] = []
        self.stream = io.StringIO()
        self._caplog = caplog

    def add(self, where: str, *things: object) -> None:
        """Add a value as text, and as its `repr` with everything in it."""
        for thing in things:
            self.texts += [(where, str(thing)), (where, repr(thing))]

    def add_error(self, where: str, error: BaseException) -> None:
        """Add an exception with its traceback, its causes and its contexts."""
        self.add(f"{where}: traceback", "".join(traceback.format_exception(error)))
        for each in exception_chain(error):
            self.add(f"{where}: {type(each).__name__}", each, each.args, vars(each))

    def event(self, name: str, payload: object, client: str | None = None) -> None:
        """Add a websocket event. The parameters are those of `announce` and of ComfyUI's `send_sync`."""
        self.add(f"event {name}", payload)

    def add_files(self, folder: Path) -> None:
        """Add the name and the unpacked content of each file in the state folder, except the key file."""
        for path in folder.rglob("*"):
            kept = path.is_file() and path.name != "api_key.json"
            self.add("file", path.name, *(contents(path) if kept else []))

    def find(self, *secrets: str) -> list[str]:
        """Return the places that contain a secret, plain or URL-encoded."""
        self.add("log", self.stream.getvalue())
        for record in self._caplog.records:
            self.add("log record", vars(record))
        forms = {form for each in secrets for form in (each, quote(each, safe=""))}
        return sorted({where for where, text in self.texts if any(form in text for form in forms)})


@pytest.fixture
def evidence(caplog: pytest.LogCaptureFixture) -> Iterator[Evidence]:
    found = Evidence(caplog)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "cloud_history")
    handler = logging.StreamHandler(found.stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    yield found
    logging.getLogger().removeHandler(handler)


def hurried(operations: Any, package: str = "cloud_history", request: float = 5.0, connect: float = 1.0) -> Any:
    """Return operations whose clients never sleep, built from the modules of this package."""
    client = sys.modules[f"{package}.cloud.client"]

    async def no_time(seconds: float) -> None:
        await asyncio.sleep(0)

    timeouts = client.Timeouts(connect=connect, request=request)
    operations._open_client = lambda base_url, key: client.CloudClient(
        base_url, key.secret, timeouts=timeouts, sleep=no_time
    )
    operations._sleep = no_time
    return operations


@dataclass
class Core:
    """One method for each operation of the core, which adds its results to the evidence."""

    evidence: Evidence
    operations: Operations
    cloud: SimulatedCloud
    connection: Connection
    ids: list[str]

    async def list_all(self) -> None:
        found = list((await list_jobs(self.operations)).jobs.values())
        self.evidence.add("list", json.dumps([job_row(job) for job in found]), listing_report(found, 1000))

    async def preview(self) -> None:
        for selection in (Selection(filter=JobFilter(search="e")), Selection(job_ids=self.ids)):
            found = await self.operations.preview(self.connection, selection, Unwatched())
            self.evidence.add("preview", found.skipped, json.dumps([job_row(job) for job in found.jobs]))

    async def details(self) -> None:
        async with self.operations.open(self.connection) as client:
            self.evidence.add("client", client)
            self.evidence.add("job", json.dumps(job_row(await client.get_job(self.ids[0]))))
            payload = read_details(await client.get_job_detail(self.ids[0]), datetime.now(timezone.utc))
            self.evidence.add("details", json.dumps({**payload, "workflow": None, "prompt": None}))

    async def thumbnail(self) -> None:
        thumbnails, owners = (
            Thumbnails(self.operations),
            [job for job in self.cloud.jobs.values() if job.files],
        )
        where = (owners[0].id, owners[0].files[0]) if owners else (self.ids[0], "x.png")
        self.evidence.add("thumbnail", thumbnails, await thumbnails.get(*where))

    async def delete(self) -> None:
        result = await delete_jobs(self.operations, self.ids, "menu", Unwatched())
        self.evidence.add("delete", result, deletion_report(result), json.dumps(deletion_payload(result)))
        for each in result.errors:
            self.evidence.add_error("delete", each)

    async def cancel(self) -> None:
        async with self.operations.open(self.connection) as client:
            active = [job.id for job in self.cloud.active]
            self.evidence.add("cancel", await client.cancel_jobs(active or self.ids))

    async def clear(self) -> None:
        result = await clear_history(self.operations, "menu", Unwatched())
        assert isinstance(result, ClearResult)
        self.evidence.add("clear", result, clear_report(result), json.dumps(clear_payload(result)))
        if result.error:
            self.evidence.add_error("clear", result.error)

    async def count(self) -> None:
        self.evidence.add("count", await self.operations.count(self.connection))

    async def check(self) -> None:
        await self.operations.check_key(self.connection.key)


async def run_core(evidence: Evidence, operations: Operations, cloud: SimulatedCloud) -> None:
    """Run every operation of the core and add its results to the evidence."""
    ids = [job.id for job in cloud.finished[:3]] or ["01234567-89ab-cdef-0123-456789abcdef"]
    try:
        connection = await operations.find_connection()
        evidence.add("connection", connection)
    except CloudError as error:
        evidence.add_error("connect", error)
        return
    do = Core(evidence, operations, cloud, connection, ids)
    reads = (do.list_all, do.preview, do.details, do.thumbnail)
    for work in (*reads, do.delete, do.cancel, do.clear, do.count, do.check):
        try:
            await work()
        except CloudError as error:
            evidence.add_error(work.__name__, error)
            evidence.add(work.__name__, json.dumps(error_payload(error)))


@pytest.fixture
def one_megabyte(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limit answers to one megabyte, so that huge answers are quick to build."""
    for name in ("MAX_PAGE_BYTES", "MAX_JOB_BYTES", "MAX_FILE_BYTES"):
        monkeypatch.setattr(protocol, name, protocol.MAX_ANSWER_BYTES)


@pytest.fixture(name="hurry")
def hurry_fixture() -> Callable[..., Any]:
    return hurried


@pytest.fixture(name="run_core")
def run_core_fixture() -> Callable[..., Any]:
    return run_core
