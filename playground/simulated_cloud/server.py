"""Serve the API and the storage on real sockets: record requests, apply faults, delay answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.typedefs import Handler

from .faults import answer_with, choose
from .routes import api_app
from .storage import storage_app

if TYPE_CHECKING:
    from .cloud import SimulatedCloud

# aiohttp would wait a minute for handlers that still run.
SHUTDOWN_SECONDS = 0.2
MAX_ADDRESS_BYTES = 64 * 1024


@dataclass(slots=True)
class RecordedRequest:
    """One request as it arrived.

    Attributes:
        headers: ignores the case of names.
        at: monotonic seconds.
        in_flight: the number of requests being served at its arrival, itself included.
        status: None before the answer, and when the connection was cut instead.
        answer: the body of the answer, if `SimulatedCloud.keeps_answers`.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    at: float
    in_flight: int = 1
    body: bytes = b""
    status: int | None = None
    answer: bytes = b""

    @property
    def json(self) -> Any:
        """The body as JSON. None if it is not JSON or was not read."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@contextlib.asynccontextmanager
async def running_servers(cloud: SimulatedCloud, port: int) -> AsyncIterator[tuple[str, str]]:
    """Serve the API on this port, or on any free one for 0, and the storage on a free one. Yields both base URLs."""
    storage = storage_app(cloud, Observer(cloud, cloud.storage_requests).observe)
    api = api_app(cloud, Observer(cloud, cloud.requests).observe)
    async with _running(storage, 0) as storage_url, _running(api, port) as api_url:
        yield api_url, storage_url


@contextlib.asynccontextmanager
async def _running(app: web.Application, port: int) -> AsyncIterator[str]:
    # Storages accept longer addresses than the 8 kB of aiohttp, because of their signatures.
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, max_line_size=MAX_ADDRESS_BYTES)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


class Observer:
    """Records the requests to one origin, applies faults to them and delays answers."""

    def __init__(self, cloud: SimulatedCloud, records: list[RecordedRequest]) -> None:
        self._cloud = cloud
        self._records = records
        self._in_flight = 0

    @web.middleware
    async def observe(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Wrap every route of the origin."""
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

    async def _answer(self, request: web.Request, record: RecordedRequest, handler: Handler) -> web.StreamResponse:
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

        fault = await choose(self._cloud.faults, request.method, request.path, request.query_string, read_json)
        if fault is not None:
            record.status, response = await answer_with(fault, request, act, read_json, self._cloud)
            return response
        response = await act()
        # The time that this process takes counts as latency, because a real cloud is faster.
        taken = asyncio.get_running_loop().time() - arrived
        await self._cloud.pause(max(0.0, self._cloud.switches.latency - taken))
        record.status = response.status
        if self._cloud.keeps_answers and isinstance(response, web.Response):
            record.answer = response.body if isinstance(response.body, bytes) else b""
        return response
