"""The stand-in for ComfyUI's `PromptServer`: the route table, the sockets, and messages from any thread."""

from __future__ import annotations

import asyncio
import json
import logging
import struct
import uuid
from typing import Any, ClassVar

from aiohttp import WSMsgType, web

from .middleware import only_hashed_files_are_kept, origin_only
from .prompt_queue import PromptQueue

logger = logging.getLogger("embedded_host")
TEXT_EVENT = 3
MAX_BODY = 100 * 1024 * 1024


class PromptServer:
    """What packs reach as `server.PromptServer.instance`.

    As in ComfyUI, `address` and `port` exist only once the server listens, so not while packs are imported.
    """

    instance: ClassVar[PromptServer]

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        PromptServer.instance = self
        self.loop = loop
        # Packs add middlewares of their own to it while they are imported.
        self.app = web.Application(
            client_max_size=MAX_BODY, middlewares=[only_hashed_files_are_kept, origin_only]
        )
        self.routes = web.RouteTableDef()
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.client_id: str | None = None
        self.prompt_queue = PromptQueue(self._queue_changed)
        self._messages: asyncio.Queue[tuple[str | int, Any, str | None]] = asyncio.Queue()
        self.address: str
        self.port: int

    def send_sync(self, event: str | int, data: Any, sid: str | None = None) -> None:
        """Send an event to one client, or to all when `sid` is None. Safe from any thread."""
        self.loop.call_soon_threadsafe(self._messages.put_nowait, (event, data, sid))

    def send_progress_text(self, text: str | bytes, node_id: str, sid: str | None = None) -> None:
        """Show a text on a node while it runs."""
        body = text.encode() if isinstance(text, str) else text
        name = str(node_id).encode()
        self.send_sync(TEXT_EVENT, struct.pack(">I", len(name)) + name + body, sid)

    async def publish(self) -> None:
        """Deliver messages for ever, in the order in which they were sent."""
        while True:
            event, data, sid = await self._messages.get()
            for socket in list(self.sockets.values()) if sid is None else [self.sockets.get(sid)]:
                if socket is not None:
                    await self._deliver(socket, event, data)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """`GET /ws`: one client for as long as it stays."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        sid = request.query.get("clientId") or uuid.uuid4().hex
        self.sockets[sid] = socket
        await self._deliver(socket, "status", {"status": self.queue_info(), "sid": sid})
        try:
            async for message in socket:
                if message.type == WSMsgType.TEXT and json.loads(message.data).get("type") == "feature_flags":
                    await self._deliver(socket, "feature_flags", FEATURES)
        finally:
            if self.sockets.get(sid) is socket:
                del self.sockets[sid]
        return socket

    def queue_info(self) -> dict[str, Any]:
        """The answer of `GET /prompt` and the body of `status` events."""
        return {"exec_info": {"queue_remaining": self.prompt_queue.remaining()}}

    def _queue_changed(self) -> None:
        self.send_sync("status", {"status": self.queue_info()})

    async def _deliver(self, socket: web.WebSocketResponse, event: str | int, data: Any) -> None:
        try:
            if isinstance(event, int):
                await socket.send_bytes(struct.pack(">I", event) + data)
            else:
                await socket.send_json({"type": event, "data": data})
        except (ConnectionError, RuntimeError) as fault:
            logger.debug("a client went away: %s", fault)


FEATURES = {"supports_preview_metadata": True, "max_upload_size": 104857600}
