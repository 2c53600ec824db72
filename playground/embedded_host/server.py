"""The stand-in for ComfyUI's `PromptServer`: the prompt queue, the websockets, and messages from any thread."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import threading
import uuid
from collections.abc import Callable, Container
from typing import Any, ClassVar

from aiohttp import WSMsgType, web

logger = logging.getLogger("embedded_host")
FEATURES = {"supports_preview_metadata": True, "max_upload_size": 104857600}

# Number, prompt id, prompt, extra data, ids of the output nodes to run.
QueueItem = tuple[int, str, dict[str, Any], dict[str, Any], list[str]]
SECRETS_IN_EXTRA_DATA = ("auth_token_comfy_org", "api_key_comfy_org")


class PromptQueue:
    """The waiting, running and finished prompts. Every method is safe from any thread.

    As in ComfyUI, packs read `currently_running`, whose extra data holds the API keys that came with the prompt.
    """

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._changed = threading.Condition()
        self._waiting: list[QueueItem] = []
        self.currently_running: dict[int, QueueItem] = {}
        self._history: dict[str, dict[str, Any]] = {}
        self._closed = False

    def close(self) -> None:
        """Let the worker end when it next asks for a prompt."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def put(self, item: QueueItem) -> None:
        """Queue a prompt."""
        with self._changed:
            self._waiting.append(item)
            self._changed.notify()
        self._on_change()

    def take(self) -> QueueItem | None:
        """Wait for the next prompt and mark it as running. Returns None once the queue is closed.

        The queue keeps a copy, so that changes made by the run do not reach the history.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            item = self._waiting.pop(0)
            self.currently_running[item[0]] = copy.deepcopy(item)
        self._on_change()
        return item

    def done(self, result: dict[str, Any]) -> None:
        """Move the running prompt to the history."""
        with self._changed:
            _, item = self.currently_running.popitem()
            for secret in SECRETS_IN_EXTRA_DATA:
                item[3].pop(secret, None)
            self._history[item[1]] = {"prompt": item, **result}
        self._on_change()

    def remove_waiting(self, prompt_ids: Container[str] | None) -> None:
        """Take these prompts, or all if None, out of the queue before they run."""
        with self._changed:
            self._waiting = [item for item in self._waiting if prompt_ids is not None and item[1] not in prompt_ids]
        self._on_change()

    def remove_finished(self, prompt_ids: Container[str] | None) -> None:
        """Remove these prompts, or all if None, from the history."""
        with self._changed:
            gone = self._history if prompt_ids is None else prompt_ids
            self._history = {id: entry for id, entry in self._history.items() if id not in gone}

    def state(self) -> dict[str, list[QueueItem]]:
        """Build the answer of `GET /queue`."""
        with self._changed:
            running, waiting = list(self.currently_running.values()), list(self._waiting)
        return {"queue_running": running, "queue_pending": waiting}

    def history(self) -> dict[str, dict[str, Any]]:
        """Return the entries of all finished prompts, oldest first."""
        with self._changed:
            return dict(self._history)


class PromptServer:
    """What packs reach as `server.PromptServer.instance`."""

    instance: ClassVar[PromptServer]

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        PromptServer.instance = self
        self.loop = loop
        self.routes = web.RouteTableDef()
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.client_id: str | None = None
        self.prompt_queue = PromptQueue(self._queue_changed)
        self._messages: asyncio.Queue[tuple[str, Any, str | None]] = asyncio.Queue()

    def send_sync(self, event: str, data: Any, sid: str | None = None) -> None:
        """Send an event to one client, or to all when `sid` is None. Safe from any thread."""
        self.loop.call_soon_threadsafe(self._messages.put_nowait, (event, data, sid))

    async def publish(self) -> None:
        """Deliver messages in the order in which they were sent, until cancelled."""
        while True:
            event, data, sid = await self._messages.get()
            for socket in list(self.sockets.values()) if sid is None else [self.sockets.get(sid)]:
                if socket is not None:
                    await self._deliver(socket, event, data)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Serve `GET /ws` for one client, until the client disconnects."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        sid = request.query.get("clientId") or uuid.uuid4().hex
        self.sockets[sid] = socket
        await self._deliver(socket, "status", {"status": self._queue_info(), "sid": sid})
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT and json.loads(message.data).get("type") == "feature_flags":
                    await self._deliver(socket, "feature_flags", FEATURES)
        finally:
            if self.sockets.get(sid) is socket:
                del self.sockets[sid]
        return socket

    def _queue_info(self) -> dict[str, Any]:
        return {"exec_info": {"queue_remaining": sum(map(len, self.prompt_queue.state().values()))}}

    def _queue_changed(self) -> None:
        self.send_sync("status", {"status": self._queue_info()})

    async def _deliver(self, socket: web.WebSocketResponse, event: str, data: Any) -> None:
        try:
            await socket.send_json({"type": event, "data": data})
        except (ConnectionError, RuntimeError) as fault:
            logger.debug("A client went away: %s", fault)
