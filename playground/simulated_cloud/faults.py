"""Faults: what may go wrong with one request, and which requests it happens to."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from .error_shapes import ErrorShape, html_page, json_shape

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
]

ACTS_BY_DEFAULT = frozenset({"reset_after_body", "slow", "truncated"})


@dataclass
class Fault:
    """One thing that goes wrong, for the requests it matches.

    Matching: `match` is (method or "*", path). A path is a prefix, or a pattern which is tried from the start of the
    path, alone and with its query string. `predicate` also looks at the JSON body (None when there is none). The first
    `after` matching requests pass; then it happens `times` times (None: always). Of several due faults the first in the
    list wins; each counts every request it matches.

    Kinds:
        status: answers `status` with `headers` and `json` or `body`.
        reset_before_body: cuts the connection as soon as the headers are here.
        reset_after_body: reads the body, acts on it (unless `acted` is False), then cuts the connection.
        slow: waits `seconds`. Acts at once, or with `acted=False` acts afterwards and only if the client still waits.
        truncated: announces the whole answer, sends half of it and hangs up.
        huge: `mebibytes` of JSON text.
        html: a web page with `status` (200 unless given).
        empty: `status` (200 unless given) and no body.
        redirect: `status` 301 to 308 (302 unless given) to `location`.

    `acted` says whether the request takes effect before the fault; by default only where the kind implies it.
    Afterwards `seen` and `fired` tell how many requests matched and how many were hit.
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
            raise ValueError("nothing can be acted on before its body is read")

    @classmethod
    def shaped(cls, match: tuple[str, str | re.Pattern[str]], shape: ErrorShape, **options: Any) -> Fault:
        """A fault which answers with one of the known error shapes."""
        return cls(match, "status", status=shape.status, headers=shape.headers, body=shape.body, **options)

    @property
    def acts(self) -> bool:
        """Whether the request takes effect all the same."""
        return self.kind in ACTS_BY_DEFAULT if self.acted is None else self.acted

    def matches(self, method: str, path: str, query: str) -> bool:
        """Whether this method and path (alone, or with the query string) are meant."""
        wanted, pattern = self.match
        if wanted not in ("*", method):
            return False
        if re.match(pattern, path):
            return True
        return bool(query) and re.match(pattern, f"{path}?{query}") is not None

    def take(self, *, free: bool) -> bool:
        """Count a matching request, and say whether this fault happens to it; `free`: no other fault does."""
        self.seen += 1
        due = free and self.seen > self.after and (self.times is None or self.fired < self.times)
        self.fired += due
        return due

    def shape(self) -> ErrorShape:
        """The answer of the kinds which are a plain answer: status, html, empty, redirect."""
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
    """The fault which happens to this request, if any. The body is read only when a predicate asks for it."""
    chosen: Fault | None = None
    for fault in list(faults):
        if not fault.matches(method, path, query):
            continue
        if fault.predicate is not None and not fault.predicate(await read_json()):
            continue
        if fault.take(free=chosen is None):
            chosen = fault
    return chosen
