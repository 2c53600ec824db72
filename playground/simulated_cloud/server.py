"""The two origins on real sockets: what is done with every request before and after its route."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.typedefs import Handler

from .books import RecordedRequest
from .faults import choose
from .routes import api_app
from .storage import storage_app
from .wire import answer_with

if TYPE_CHECKING:
    from .cloud import SimulatedCloud

# aiohttp would wait a minute for handlers that still run; a stand-in has nothing to lose.
SHUTDOWN_SECONDS = 0.2
LONGEST_ADDRESS = 64 * 1024


@contextlib.asynccontextmanager
async def running_servers(cloud: SimulatedCloud, port: int) -> AsyncIterator[tuple[str, str]]:
    """Serve the API on this port (0: any free one) and the storage on a free one. Gives both base URLs."""
    storage = storage_app(cloud, Observer(cloud, cloud.storage_requests).observe)
    api = api_app(cloud, Observer(cloud, cloud.requests).observe)
    async with _running(storage, 0) as storage_url, _running(api, port) as api_url:
        yield api_url, storage_url


@contextlib.asynccontextmanager
async def _running(app: web.Application, port: int) -> AsyncIterator[str]:
    # Storages take longer addresses than aiohttp's usual 8 kB: a signature in them may be long.
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, max_line_size=LONGEST_ADDRESS
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Observer:
    """Writes down each request, lets faults happen to it, and holds back answers."""

    def __init__(self, cloud: SimulatedCloud, records: list[RecordedRequest]) -> None:
        self._cloud = cloud
        self._records = records
        self._in_flight = 0

    @web.middleware
    async def observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Around every route of an origin."""
        self._in_flight += 1
        record = self._record(request)
        try:
            return await self._answer(request, record, handler)
        finally:
            self._in_flight -= 1

    def _record(self, request: web.Request) -> RecordedRequest:
        record = RecordedRequest(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers=request.headers,
            at=self._cloud.clock(),
            in_flight=self._in_flight,
        )
        self._records.append(record)
        return record

    async def _answer(
        self, request: web.Request, record: RecordedRequest, handler: Handler
    ) -> web.StreamResponse:
        arrived = asyncio.get_running_loop().time()

        async def read_json() -> Any:
            record.body = await request.read()
            try:
                return json.loads(record.body)
            except ValueError:
                return None

        async def act() -> web.StreamResponse:
            record.body = await request.read()
            return await handler(request)

        fault = await choose(
            self._cloud.faults, request.method, request.path, request.query_string, read_json
        )
        if fault is not None:
            record.status, response = await answer_with(fault, request, act, read_json, self._cloud)
            return response
        response = await act()
        # What the stand-in itself takes is part of it: a real cloud is more than one thread of Python.
        taken = asyncio.get_running_loop().time() - arrived
        await self._cloud.pause(max(0.0, self._cloud.switches.latency - taken))
        record.status = response.status
        if self._cloud.keeps_answers and isinstance(response, web.Response):
            record.answer = response.body if isinstance(response.body, bytes) else b""
        return response
