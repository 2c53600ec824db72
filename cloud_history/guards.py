"""Who may use the routes. ComfyUI authenticates nobody, and any web page can send requests to it.

What core checks, and what it lets through, is why each of these is here: a page can reach a loopback server by
DNS rebinding (so `Host` is checked), by a sandboxed frame (`Origin: null`), or by a form (so a header that no
form can send is demanded, and JSON is only read when it is declared as JSON).
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from . import environment
from .errors import CloudError, InputRefused

HEADER = "X-Cloud-History"
HOSTS_VARIABLE = "COMFY_CLOUD_HISTORY_HOSTS"
LARGEST_BODY = 64 * 1024
LONGEST_TO_SEND = 20.0
"""Seconds a browser may take to send a body."""
LARGE_BODY = 8 * 1024 * 1024
"""Bytes of a body that names jobs: some 200,000 ids."""


class RequestRefused(CloudError):
    """The request is not from this ComfyUI's own page. `http_status` is what it is answered with."""

    code = "refused"

    def __init__(self, message: str, *, hint: str = "", http_status: int = 403) -> None:
        self.http_status = http_status
        super().__init__(message, hint=hint)


def check_request(request: web.Request, environ: Mapping[str, str] = environment.PROCESS) -> None:
    """Refuse a request that is not from this ComfyUI's own page.

    Raises:
        RequestRefused.
    """
    if request.headers.get(HEADER) != "1":
        raise RequestRefused(f"The header {HEADER}: 1 is missing.")
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or not _host_allowed(hosts[0], environ):
        raise RequestRefused(
            "This ComfyUI was reached under a name it does not know.",
            hint=f"Open it by its IP address or as localhost, or set {HOSTS_VARIABLE} to that name.",
        )
    origins = request.headers.getall("Origin", [])
    if any(not _same_origin(origin, hosts[0]) for origin in origins):
        raise RequestRefused("The request comes from another page.")
    sites = request.headers.getall("Sec-Fetch-Site", [])
    if any(site.lower() not in ("same-origin", "none") for site in sites):
        raise RequestRefused("The request comes from another page.")


# By hand: urlsplit also takes a path, a query or a user name for part of what a Host header says.
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+(?:%[0-9A-Za-z._%-]+)?\]|[0-9A-Za-z._-]+)(?::([0-9]{1,5}))?", re.ASCII)


def _host_allowed(host: str, environ: Mapping[str, str]) -> bool:
    match = _HOST.fullmatch(host)
    if match is None or int(match[2] or 1) not in range(1, 65536):
        return False
    name = match[1].strip("[]").lower()
    if name == "localhost" or _is_ip(name):
        return True
    named = {
        environment.trimmed(each).lower() for each in environment.variable(HOSTS_VARIABLE, environ).split(",")
    }
    return name in _own_names() or name in named - {""}


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


@cache
def _own_names() -> frozenset[str]:
    # gethostname, not getfqdn: the latter asks the network, and would hold up the event loop.
    name = socket.gethostname().lower()
    return frozenset({name, f"{name}.local"} if name else ())


def _same_origin(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or origin.lower() != f"{parts.scheme}://{parts.netloc}".lower():
        return False
    if port == 0 or not _HOST.fullmatch(parts.netloc):
        return False
    usual = 443 if parts.scheme == "https" else 80
    try:
        own = urlsplit(f"//{host}")
        return (parts.hostname, port or usual) == (own.hostname, own.port or usual)
    except ValueError:
        return False


async def read_body(
    request: web.Request,
    members: Mapping[str, type],
    required: tuple[str, ...] = (),
    *,
    largest: int = LARGEST_BODY,
) -> dict[str, Any]:
    """The JSON object a request carries, with these members and no others.

    Raises:
        RequestRefused: it is not declared as JSON, or is too large. InputRefused: it is something else.
    """
    if request.content_type != "application/json":
        raise RequestRefused("The body must be sent as application/json.", http_status=415)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RequestRefused("The body must not be compressed.", http_status=415)
    try:
        body = await asyncio.wait_for(_read(request, largest), LONGEST_TO_SEND)
    except (web.RequestPayloadError, ConnectionError, asyncio.TimeoutError):
        raise RequestRefused("The body can’t be read.", http_status=400) from None
    value: object = _NOTHING
    with suppress(ValueError, RecursionError):
        value = json.loads(body, object_pairs_hook=_no_doubles)
    # Raised out here, without a cause: what json raises holds the whole body, and a body may hold a key.
    if value is _NOTHING:
        raise InputRefused("The body is not JSON.")
    if not isinstance(value, dict):
        raise InputRefused("The body must be a JSON object.")
    if unknown := sorted(set(value) - set(members)):
        raise InputRefused(f"The body has members nobody knows: {len(unknown)}.")
    for name, kind in members.items():
        if name in value and type(value[name]) is not kind:
            raise InputRefused(f"“{name}” must be a {_JSON_NAMES[kind]}.")
        if name in required and name not in value:
            raise InputRefused(f"“{name}” is missing.")
    return value


async def _read(request: web.Request, largest: int) -> bytes:
    too_large = RequestRefused("The body is too large.", http_status=413)
    if (request.content_length or 0) > largest:
        raise too_large
    body = bytearray()
    async for chunk in request.content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > largest:
            raise too_large
    return bytes(body)


_NOTHING = object()
_JSON_NAMES = {str: "string", bool: "boolean", int: "whole number", list: "list", dict: "object"}


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a member stands twice")
    return value
