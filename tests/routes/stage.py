"""The routes on a bare aiohttp application and real sockets, and requests that no browser or library would make."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from cloud_history.client import CloudClient
from cloud_history.config import BaseUrl
from cloud_history.credentials import ApiKey
from cloud_history.history import History
from cloud_history.journal import Entry
from cloud_history.operations import Operations
from cloud_history.routes import LONGEST_HOLD, add_routes
from simulated_cloud import SimulatedCloud

OTHER_KEY = "comfyui-another-key-fedcba9876543210-wxyz"
CHANGING = ("save_key", "remove_key", "preview", "clear", "dismiss")
ROUTES = ("status", *CHANGING)

_WHERE = {
    "status": ("GET", "/cloud_history/status"),
    "save_key": ("POST", "/cloud_history/key"),
    "remove_key": ("DELETE", "/cloud_history/key"),
    "preview": ("POST", "/cloud_history/preview"),
    "clear": ("POST", "/cloud_history/clear"),
    "dismiss": ("POST", "/cloud_history/unresolved/dismiss"),
}


@dataclass(frozen=True)
class Answer:
    """An answer as it came over the wire."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


@dataclass
class Stage:
    """The routes, running, with one preview and one unresolved operation to attack."""

    cloud: SimulatedCloud
    operations: Operations
    folder: Path
    port: int
    events: list[tuple[str, dict[str, Any]]]
    heard: asyncio.Event
    token: str = ""
    unresolved: Entry = field(default_factory=lambda: Entry("clear", "menu", "host", "abcd"))

    @property
    def own(self) -> str:
        return f"127.0.0.1:{self.port}"

    def honest_body(self, route: str) -> bytes:
        """What the pack's own page sends to this route."""
        bodies: dict[str, object] = {
            "save_key": {"api_key": OTHER_KEY, "unchecked": True},
            "remove_key": {},
            "preview": {"clear": True},
            "clear": {"token": self.token},
            "dismiss": {"operation": self.unresolved.operation},
        }
        return json.dumps(bodies[route]).encode() if route in bodies else b""

    async def ask(
        self,
        route: str,
        body: object = ...,
        *,
        headers: Mapping[str, str | Sequence[str] | None] = {},
        method: str = "",
        wire: bytes | None = None,
    ) -> Answer:
        """Ask as the pack's own page does, but for what is given.

        Args:
            body: bytes as they are, anything else as JSON; left out: the honest body.
            headers: replace the usual ones; None leaves one out, a list repeats it. "{own}" is our host and port.
            wire: what follows the headers on the wire, where it is not the body.
        """
        usual, path = _WHERE[route]
        content = self.honest_body(route) if body is ... else body
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        kept: dict[str, str | Sequence[str] | None] = {
            "Host": self.own,
            "X-Cloud-History": "1",
            "Connection": "close",
        }
        if raw or usual != "GET":
            kept |= {"Content-Type": "application/json", "Content-Length": str(len(raw))}
        lines = [f"{method or usual} {path} HTTP/1.1"]
        for name, given in {**kept, **headers}.items():
            values = [given] if isinstance(given, str) else given or []
            lines += [f"{name}: {value.replace('{own}', self.own)}" for value in values]
        head = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
        return await self.exchange(head + (raw if wire is None else wire))

    async def exchange(self, request: bytes) -> Answer:
        """Send these bytes and read the answer to its end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(request)
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode("latin-1")
            first, *rest = head.rstrip().split("\r\n")
            pairs = (line.partition(": ") for line in rest)
            headers = {name.lower(): value for name, _, value in pairs}
            # Not to the end of the connection: a server may go on listening to a body it has already refused.
            length = 0 if request.startswith(b"HEAD ") else int(headers.get("content-length", 0))
            body = await asyncio.wait_for(reader.readexactly(length), 5)
        finally:
            writer.close()
        return Answer(int(first.split()[1]), headers, body.decode())

    def kept_files(self) -> dict[str, bytes]:
        """Every file of the state folder."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}

    def results(self) -> list[dict[str, Any]]:
        """The results that were announced to the browsers."""
        return [event["result"] for name, event in self.events if name == "cloud_history.changed"]

    async def announced(self, most: float = 10.0) -> dict[str, Any]:
        """Wait for the first result to be announced."""
        await asyncio.wait_for(self.heard.wait(), most)
        return self.results()[0]


class Gate:
    """Holds every answer of the simulated cloud back while it is closed; what was asked has been done by then."""

    def __init__(self, cloud: SimulatedCloud) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self.waiting = asyncio.Event()
        cloud.pause = self._pause  # type: ignore[method-assign]

    def close(self) -> None:
        self._open.clear()
        self.waiting.clear()

    def open(self) -> None:
        self._open.set()

    async def _pause(self, seconds: float) -> None:
        if not self._open.is_set():
            self.waiting.set()
            await self._open.wait()


async def _no_wait(seconds: float) -> None:
    await asyncio.sleep(0)


def impatient(client: CloudClient) -> History:
    """A history that waits for nothing between its looks."""
    return History(client, sleep=_no_wait)


def impatient_client(base_url: BaseUrl, key: ApiKey) -> CloudClient:
    """A client that waits for nothing between its tries."""
    return CloudClient(base_url, key.secret, sleep=_no_wait)


@contextlib.asynccontextmanager
async def serving(
    cloud: SimulatedCloud,
    folder: Path,
    environ: Mapping[str, str],
    *,
    longest_hold: float = LONGEST_HOLD,
    handler_cancellation: bool = False,
) -> AsyncIterator[Stage]:
    """Serve the routes on a free port of 127.0.0.1, as ComfyUI's server would."""
    events: list[tuple[str, dict[str, Any]]] = []
    heard = asyncio.Event()

    def announce(name: str, payload: Mapping[str, Any]) -> None:
        events.append((name, dict(payload)))
        if name == "cloud_history.changed":
            heard.set()

    operations = Operations(folder, environ, announce, open_client=impatient_client, history=impatient)
    table = web.RouteTableDef()
    add_routes(table, operations, longest_hold=longest_hold)
    app = web.Application(client_max_size=100 * 1024 * 1024)
    app.add_routes(table)
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=0.2, handler_cancellation=handler_cancellation
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Stage(cloud, operations, folder, runner.addresses[0][1], events, heard)
    finally:
        await runner.cleanup()
