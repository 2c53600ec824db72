"""Makes a fault happen on the connection of one request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .faults import Fault

if TYPE_CHECKING:
    from .cloud import SimulatedCloud

Act = Callable[[], Awaitable[web.StreamResponse]]
Outcome = tuple["int | None", web.StreamResponse]

MEBIBYTE = 1024 * 1024
CHUNK = b"x" * (64 * 1024)


async def answer_with(
    fault: Fault, request: web.Request, act: Act, read: Callable[[], Awaitable[Any]], cloud: SimulatedCloud
) -> Outcome:
    """Answer a request, or fail to, as this fault says. Gives the status that was sent (None: none) and the answer."""
    if fault.kind == "reset_before_body":
        return _cut(request)
    if fault.kind == "slow" and not fault.acts:
        await read()
        await cloud.pause(fault.seconds)
        if request.transport is None or request.transport.is_closing():
            return _cut(request)
        response = await act()
        return response.status, response
    real = await act() if fault.acts else None
    if real is None:
        await read()
    if fault.kind == "reset_after_body":
        return _cut(request)
    await cloud.pause(cloud.switches.latency + (fault.seconds if fault.kind == "slow" else 0))
    if fault.kind == "slow" and real is not None:
        return real.status, real
    if fault.kind == "truncated":
        return _truncate(request, real)
    if fault.kind == "huge":
        return await _flood(request, fault)
    response = fault.shape().response()
    return response.status, response


def _cut(request: web.Request) -> Outcome:
    # An abort and not a close: the client sees a reset, and nothing buffered is flushed.
    if request.transport is not None:
        request.transport.abort()
    return None, web.Response()


def _truncate(request: web.Request, real: web.StreamResponse | None) -> Outcome:
    body = real.body if isinstance(real, web.Response) and isinstance(real.body, bytes) else b""
    body = body or b'{"jobs": [], "pagination": {"offset": 0, "limit": 100, "total": 0, "has_more": false}}'
    status = 200 if real is None else real.status
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    if request.transport is not None:
        request.transport.write(head.encode() + body[: len(body) // 2])
        request.transport.close()
    return status, web.Response()


async def _flood(request: web.Request, fault: Fault) -> Outcome:
    response = web.StreamResponse(status=fault.status or 200, headers={"Content-Type": "application/json"})
    await response.prepare(request)
    left = int(fault.mebibytes * MEBIBYTE)
    try:
        await response.write(b'{"padding": "')
        while left > 0:
            await response.write(CHUNK[:left])
            left -= len(CHUNK)
        await response.write(b'"}')
    except ConnectionError:
        # The client had enough: that is what a cap on answers is for.
        return response.status, response
    return response.status, response
