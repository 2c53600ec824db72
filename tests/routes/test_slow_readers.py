"""A browser that stops reading an answer is disconnected, and a slow browser is not."""

from __future__ import annotations

import asyncio

from aiohttp import web

from cloud_history.routes.response import PIECE, in_pieces

BODY = b"x" * (40 * PIECE)
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Server:
    """A server with one large answer. `ended` records how sending the answer ended."""

    def __init__(self, seconds: float) -> None:
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.request: web.Request | None = None
        self._seconds = seconds

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.request = request
        try:
            whole = web.Response(body=BODY, headers={"Content-Type": "application/json", "X-Own": "kept"})
            response = await in_pieces(request, whole, self._seconds)
        except ConnectionResetError as error:
            self.ended.set_result(str(error))
            raise
        self.ended.set_result("")
        return response

    async def start(self) -> tuple[web.AppRunner, int]:
        app = web.Application()
        app.router.add_get("/", self.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, int(runner.addresses[0][1])


async def test_a_browser_that_stops_reading_is_disconnected() -> None:
    server = Server(seconds=0.2)
    runner, port = await server.start()
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(REQUEST)
        assert await asyncio.wait_for(server.ended, 10) == "the browser stopped reading"
        assert server.request is not None
        while server.request.transport is not None:  # noqa: ASYNC110 - its end rings no bell
            await asyncio.sleep(0.005)
        writer.close()
    finally:
        await runner.cleanup()


async def test_a_slow_browser_gets_all_of_a_large_answer() -> None:
    server = Server(seconds=10)
    runner, port = await server.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(REQUEST)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        got = 0
        while piece := await reader.read(200_000):
            got += len(piece)
            await asyncio.sleep(0)
        assert (got, await server.ended) == (len(BODY), "")
        assert f"content-length: {len(BODY)}" in head
        assert "content-type: application/json" in head
        assert "x-own: kept" in head
        writer.close()
    finally:
        await runner.cleanup()
