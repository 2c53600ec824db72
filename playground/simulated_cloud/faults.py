"""Faults: what goes wrong with one request, and which requests are affected."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from aiohttp import web

from .error_shapes import ErrorShape, html_page, json_shape
from .stored_answer import End, StoredAnswer, as_stored

if TYPE_CHECKING:
    from .cloud import SimulatedCloud

Act = Callable[[], Awaitable[web.StreamResponse]]
Outcome = tuple["int | None", web.StreamResponse]

MEBIBYTE = 1024 * 1024
CHUNK = b"x" * (64 * 1024)

Kind = Literal[
    "status",
    "reset_before_body",
    "reset_after_body",
    "slow",
    "truncated",
    "huge",
    "html",
    "empty",
    "redirect",
    "cut",
    "stall",
]

ACTS_BY_DEFAULT = frozenset({"reset_after_body", "slow", "truncated", "cut", "stall"})
ENDINGS: dict[Kind, End] = {"cut": "reset", "stall": "silent"}


@dataclass
class Fault:
    """One thing that goes wrong with the requests that match.

    `match` is a method, or "*", and a path. The path is a prefix, or a pattern that must match from the start of the
    path, with or without the query string. `predicate` gets the JSON body, or None. The first `after` matching
    requests pass, and the next `times` are hit, or all others if `times` is None. If several faults match, only the
    first in the list is applied, but all of them count the request.

    Kinds:
        status: answers `status` with `headers` and `json` or `body`.
        reset_before_body: cuts the connection when the headers have arrived.
        reset_after_body: reads the body, acts on it unless `acted` is False, and cuts the connection.
        slow: acts and answers after `seconds`. With `acted=False`, acts afterwards if the client still waits.
        truncated: announces the whole answer, sends half of it and closes the connection.
        huge: answers with `mebibytes` of JSON text.
        html: answers with a web page and `status`, by default 200.
        empty: answers with `status`, by default 200, and no body.
        redirect: answers with `status`, by default 302, and `location`.
        cut: sends the headers and the first `sent` bytes of the body, and resets the connection.
        stall: sends as much, and then nothing until the client leaves.

    `acted` says whether the request takes effect in spite of the fault. None means the default of the kind.
    `seen` and `fired` count the requests that matched and those that were hit.
    """

    match: tuple[str, str | re.Pattern[str]]
    kind: Kind
    times: int | None = 1
    after: int = 0
    predicate: Callable[[Any], bool] | None = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    json: Any = None
    seconds: float = 0.0
    mebibytes: float = 32
    sent: int = 0
    location: str = ""
    acted: bool | None = None
    seen: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"unknown kind of fault: {self.kind!r}")
        if self.kind == "status" and self.status is None:
            raise ValueError("a fault of kind 'status' needs a status")
        if self.kind == "reset_before_body" and self.acted:
            raise ValueError("a request cannot take effect before its body is read")

    @classmethod
    def shaped(cls, match: tuple[str, str | re.Pattern[str]], shape: ErrorShape, **options: Any) -> Fault:
        """Make a fault that answers with an error shape."""
        return cls(match, "status", status=shape.status, headers=shape.headers, body=shape.body, **options)

    @property
    def acts(self) -> bool:
        """Whether the request takes effect."""
        return self.kind in ACTS_BY_DEFAULT if self.acted is None else self.acted

    def matches(self, method: str, path: str, query: str) -> bool:
        """Whether this fault applies to the method and the path, with or without the query string."""
        wanted, pattern = self.match
        if wanted not in ("*", method):
            return False
        if re.match(pattern, path):
            return True
        return bool(query) and re.match(pattern, f"{path}?{query}") is not None

    def take(self, *, free: bool) -> bool:
        """Count a matching request, and return whether it is hit. `free` means that no other fault hits it."""
        self.seen += 1
        due = free and self.seen > self.after and (self.times is None or self.fired < self.times)
        self.fired += due
        return due

    def shape(self) -> ErrorShape:
        """Return the answer of the kinds status, html, empty and redirect."""
        if self.kind == "html":
            page = html_page(self.status or 200, "Just a moment...")
            return ErrorShape(page.status, self.body or page.body, {**page.headers, **self.headers})
        if self.kind == "redirect":
            return ErrorShape(self.status or 302, self.body, {"Location": self.location, **self.headers})
        if self.kind == "status" and self.json is not None:
            return json_shape(self.status or 500, self.json, **self.headers)
        return ErrorShape(self.status or 200, self.body, dict(self.headers))


async def choose(
    faults: Sequence[Fault], method: str, path: str, query: str, read_json: Callable[[], Awaitable[Any]]
) -> Fault | None:
    """Return the fault that hits this request, if any. The body is read only for a predicate."""
    chosen: Fault | None = None
    for fault in list(faults):
        if not fault.matches(method, path, query):
            continue
        if fault.predicate is not None and not fault.predicate(await read_json()):
            continue
        if fault.take(free=chosen is None):
            chosen = fault
    return chosen


async def answer_with(
    fault: Fault, request: web.Request, act: Act, read: Callable[[], Awaitable[Any]], cloud: SimulatedCloud
) -> Outcome:
    """Answer a request as this fault says. Returns the status that was sent, None if none was, and the answer."""
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
    if real is not None and fault.kind in ENDINGS:
        return _break_off(fault, real)
    if fault.kind == "truncated":
        return _truncate(request, real)
    if fault.kind == "huge":
        return await _flood(request, fault)
    response = fault.shape().response()
    return response.status, response


def _break_off(fault: Fault, real: web.StreamResponse) -> Outcome:
    answer = as_stored(real)
    answer.break_off(fault.sent, ENDINGS[fault.kind])
    return answer.status, answer


def _cut(request: web.Request) -> Outcome:
    # Unlike close(), abort() makes the client see a reset, and flushes nothing.
    if request.transport is not None:
        request.transport.abort()
    return None, web.Response()


def _truncate(request: web.Request, real: web.StreamResponse | None) -> Outcome:
    if isinstance(real, StoredAnswer):
        real.break_off((real.content_length or 0) // 2, "closed")
        return real.status, real
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
        # The client closed the connection, as it should when an answer exceeds its size limit.
        return response.status, response
    return response.status, response
