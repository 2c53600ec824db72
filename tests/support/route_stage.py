"""The routes on an aiohttp application with real sockets, and raw requests that no browser or library would send."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Middleware

from cloud_history.approval.approval import ApprovalAnswers
from cloud_history.cloud.client import CloudClient
from cloud_history.config import BaseUrl
from cloud_history.deletion.holds import Holds
from cloud_history.outputs.progress import SaveProgress
from cloud_history.outputs.request import SaveRequest
from cloud_history.outputs.result import SaveResult
from cloud_history.outputs.saves import Saves
from cloud_history.routes.app import make_handlers
from cloud_history.routes.response import MAX_REQUEST_SECONDS
from cloud_history.routes.table import add_routes
from cloud_history.service import Operations
from cloud_history.state.credentials import ApiKey
from cloud_history.state.files import write_private
from cloud_history.state.in_flight import InFlightOperation
from cloud_history.state.locks import OwnerLock
from cloud_history.state.saves import InFlightSave
from cloud_history.tasks.stopping import Watch, check_stopped
from simulated_cloud import SimulatedCloud
from support.clocks import Gate as Gate
from support.clocks import Timer
from support.route_places import JOB as JOB
from support.route_places import WHERE

OTHER_KEY = "comfyui-another-key-fedcba9876543210-wxyz"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer with its raw bytes."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


RUNNING_SAVE = "abcdef0123456789" * 2
"""A save that goes on until it is stopped."""
QUESTION = {"kind": "delete", "removable": 3, "title": "Tidy up"}


@dataclass
class Stage:
    """The running routes, with one preview and one unresolved operation to attack."""

    cloud: SimulatedCloud
    operations: Operations
    folder: Path
    port: int
    events: list[tuple[str, dict[str, Any]]]
    heard: asyncio.Event
    holds: Holds
    timer: Timer
    reading: Timer
    """Says for how long a question has been read."""
    saves: Saves
    token: str = ""
    delete_token: str = ""
    hold: str = ""
    operation: str = "00" * 16
    lost_hold: str = "0123456789abcdef" * 2
    job: str = JOB
    file: str = "x.png"
    report: str = "00" * 16
    question: str = "fedcba9876543210" * 2
    question_token: str = ""
    ticket: str = "no-ticket"
    save_token: str = ""
    failed_save: str = "00" * 16
    interrupted_saves: Sequence[str] = ("00" * 16, "11" * 16)
    unresolved: InFlightOperation = field(default_factory=lambda: InFlightOperation("clear", "menu", "host", "abcd"))

    @property
    def own(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _known(self, path: str) -> str:
        path = path.replace("OPERATION", self.operation).replace("REPORT", self.report)
        path = path.replace("TICKET", self.ticket)
        return path.replace(JOB, self.job).replace("FILE", quote(self.file))

    def honest_body(self, route: str) -> bytes:
        """Return the body that the pack's own page sends to this route."""
        bodies: dict[str, object] = {
            "save_key": {"api_key": OTHER_KEY, "unchecked": True},
            "remove_key": {},
            "preview": {"clear": True},
            "clear": {"token": self.token},
            "dismiss": {"operation": self.unresolved.operation},
            "dismiss_hold": {"hold": self.lost_hold},
            "ask_question": {"question": self.question},
            "ask_seen": {"question": self.question, "token": self.question_token},
            "ask_answer": {
                "question": self.question,
                "token": self.question_token,
                "answer": "skip",
                "always": False,
            },
            "settings": {"hold_seconds": 0},
            "protect": {"protect": False, "ids": [self.job]},
            "start_empty": {},
            "start_anew": {},
            "delete_backup": {},
            "clean_up": {"policy": {"keep_last": 5}},
            "delete": {"token": self.delete_token},
            "undo": {"hold": self.hold},
            "stop": {"operation": self.hold},
            "open_media": {"job": self.job, "file": self.file},
            "jobs": {"filter": {"statuses": ["failed"]}},
            "cancel": {"ids": [self.job]},
            "preview_save": {"ids": [self.job]},
            "save_outputs": {"token": self.save_token},
            "stop_save": {"operation": RUNNING_SAVE},
            "continue_save": {"operation": self.interrupted_saves[0]},
            "dismiss_save": {"operation": self.interrupted_saves[1]},
            "retry_save": {"operation": self.failed_save},
            "output_facts": {"ids": [self.job]},
            "saved_outputs": {"ids": [self.job]},
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
        path: str = "",
    ) -> Answer:
        """Send a request as the pack's own page does, except for the given arguments.

        Args:
            body: bytes are sent unchanged, other values as JSON. The default is the honest body.
            headers: replace the usual ones; None leaves one out, a list repeats it. "{own}" is our host and port.
            path: replaces the usual path below /cloud_history/.
            wire: the bytes after the headers, instead of the body.
        """
        usual, known = WHERE[route]
        content = self.honest_body(route) if body is ... else body
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        kept: dict[str, str | Sequence[str] | None] = {
            "Host": self.own,
            "X-Cloud-History": "1",
            "Connection": "close",
        }
        if raw or usual != "GET":
            kept |= {"Content-Type": "application/json", "Content-Length": str(len(raw))}
        lines = [f"{method or usual} /cloud_history/{path or self._known(known)} HTTP/1.1"]
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
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode("latin-1")
            first, *rest = head.rstrip().split("\r\n")
            pairs = (line.partition(": ") for line in rest)
            headers = {name.lower(): value for name, _, value in pairs}
            if headers.get("transfer-encoding") == "chunked":
                content = await asyncio.wait_for(_chunks(reader), 10)
            else:
                # Not to the end of the connection, because a server may keep reading a body that it has refused.
                length = 0 if request.startswith(b"HEAD ") else int(headers.get("content-length", 0))
                content = await asyncio.wait_for(reader.readexactly(length), 10)
        finally:
            writer.close()
        return Answer(int(first.split()[1]), headers, content)

    def kept_files(self) -> dict[str, bytes]:
        """Return the content of every file in the state folder."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}

    def results(self) -> list[dict[str, Any]]:
        """Return the results in the announcements to all browsers."""
        told = dict(self.operations.queue.finished)
        ended = [event["operation"] for _, event in self.events if event.get("ended")]
        return [told[operation] for operation in ended if operation in told]

    async def until(self, state: Callable[[], object]) -> None:
        """Run the event loop until the condition is true."""
        for _ in range(2000):
            if state():
                return
            await asyncio.sleep(0.005)
        raise AssertionError("the condition did not become true")

    async def back_up(self, *job_ids: str) -> None:
        """Make a backup of these jobs under the name `operation`."""
        operations = self.operations
        writer = operations.backups.begin(self.operation, {})
        async with operations.open(await operations.find_connection()) as client:
            for job_id in job_ids:
                writer.add(job_id, await client.get_job_detail(job_id), self.cloud.api_key)
        writer.close()

    async def issue_ticket(self) -> None:
        """Let the routes issue a ticket for the file, as a page does before it shows a video."""
        self.ticket = (await self.ask("open_media")).json["ticket"]

    async def open_question(self) -> OwnerLock:
        """Open an approval request, fetch it as a page does, and return the lock that keeps it open."""
        path = self.operations.state.ensure("asking") / f"{self.question}.json"
        write_private(path, json.dumps({"about": QUESTION, "ends": time.time() + 600}))
        owner_lock = OwnerLock(path)
        answer = await self.ask("ask_question", {"question": self.question})
        self.question_token = answer.json["token"]
        self.reading.wait(1.0)
        return owner_lock

    async def prepare_saves(self, saved: str, unsaved: str) -> None:
        """Save the outputs of one job, and prepare a running, two interrupted and one incomplete save of another."""
        operations = self.operations
        connection = await operations.find_connection()
        folder = await operations.outputs.folder()
        shown = (await self.ask("preview_save", {"ids": [saved]})).json
        await self.ask("save_outputs", {"token": shown["token"]})
        for operation in self.interrupted_saves:
            entry = InFlightSave(
                [unsaved], connection.base_url.host, connection.key.secret.last4, "", "", "panel", operation
            )
            operations.outputs.running.begin(entry)
            operations.outputs.running.interrupt(operation)
        lost = self.cloud.jobs[unsaved].paths
        self.cloud.account.lost.update(lost)
        failed = await self.saves.start(SaveRequest([unsaved], connection, "panel"), folder)
        self.failed_save = failed.id
        await self.until(lambda: not any(each["state"] == "running" for each in self._own_saves()))
        # The note of a save is removed just after the save has ended.
        notes = self.folder / "saving"
        await self.until(lambda: {path.stem for path in notes.glob("*.json")} == {*self.interrupted_saves})
        self.cloud.account.lost.difference_update(lost)
        await self.saves.start(SaveRequest([unsaved], connection, "panel", operation=RUNNING_SAVE), folder)
        self.save_token = (await self.ask("preview_save", {"ids": [unsaved]})).json["token"]

    def _own_saves(self) -> list[dict[str, Any]]:
        return [each.payload() for each in self.saves.own]

    def answers(self) -> list[str]:
        """Return the answers to the approval request."""
        found = (self.folder / "asking").glob("*.answer")
        return [json.loads(path.read_text())["answer"] for path in found]

    def damage_protection(self) -> None:
        """Damage the list of protected jobs."""
        (self.folder / "protected.json").write_text("{")

    def lose_marker(self) -> None:
        """Remove the marker that identifies the state folder."""
        (self.folder / "state_folder.json").unlink()

    async def set_hold(self, seconds: int) -> None:
        assert (await self.ask("settings", {"hold_seconds": seconds})).status == 200

    async def preview(self, **selection: object) -> dict[str, Any]:
        answer = await self.ask("preview", selection or {"clear": True})
        assert answer.status == 200, answer
        return dict(answer.json)

    async def held(self, seconds: int = 10, **selection: object) -> dict[str, Any]:
        """Confirm a deletion of these jobs, which is then held."""
        await self.set_hold(seconds)
        shown = await self.preview(**selection)
        answer = await self.ask("delete" if selection else "clear", {"token": shown["token"]})
        assert answer.status == 202, answer
        return dict(answer.json["hold"])

    async def announced(self, most: float = 10.0) -> dict[str, Any]:
        """Wait for the first result to be announced."""
        await asyncio.wait_for(self.heard.wait(), most)
        return self.results()[0]


async def no_wait(seconds: float) -> None:
    await asyncio.sleep(0)


def impatient_client(base_url: BaseUrl, key: ApiKey) -> CloudClient:
    """Return a client that does not wait between tries."""
    return CloudClient(base_url, key.secret, sleep=no_wait)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    content = b""
    while length := int(await reader.readline(), 16):
        content += (await reader.readexactly(length + 2))[:-2]
    return content


@contextlib.asynccontextmanager
async def serving(
    cloud: SimulatedCloud,
    folder: Path,
    environ: Mapping[str, str],
    *,
    max_seconds: float = MAX_REQUEST_SECONDS,
    handler_cancellation: bool = False,
    many_users: bool = False,
    middlewares: Sequence[Middleware] = (),
) -> AsyncIterator[Stage]:
    """Serve the routes on a free port of 127.0.0.1, as ComfyUI's server would."""
    events: list[tuple[str, dict[str, Any]]] = []
    heard, loop = asyncio.Event(), asyncio.get_running_loop()

    def announce(name: str, payload: Mapping[str, Any]) -> None:
        events.append((name, dict(payload)))
        if payload.get("ended"):
            loop.call_soon_threadsafe(heard.set)

    output = folder.parent / "output"
    operations = Operations(
        folder, environ, announce, impatient_client, sleep=no_wait, many_users=many_users, output_folder=output
    )

    async def save(request: SaveRequest, watch: Watch, progress: SaveProgress) -> SaveResult:
        while request.operation == RUNNING_SAVE:
            check_stopped(watch)
            await asyncio.sleep(0.01)
        return await operations.save_outputs(request, watch, progress)

    table = web.RouteTableDef()
    timer, reading = Timer(), Timer()
    answers = ApprovalAnswers(folder, clock=reading)
    holds = Holds(operations, sleep=timer.sleep, clock=timer)
    saves = Saves(operations.outputs.running, save, operations.tell_of_save)
    handlers = make_handlers(operations, max_seconds=max_seconds, holds=holds, answers=answers, saves=saves)
    add_routes(table, lambda: handlers)
    app = web.Application(client_max_size=100 * 1024 * 1024, middlewares=middlewares)
    app.add_routes(table)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=handler_cancellation)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield Stage(cloud, operations, folder, runner.addresses[0][1], events, heard, holds, timer, reading, saves)
    finally:
        await holds.undo_all()
        saves.stop_all()
        await runner.cleanup()
