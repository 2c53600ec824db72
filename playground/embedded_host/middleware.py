"""ComfyUI's default protection, no more: packs must stand on their own guards (seen on ComfyUI 0.3.64)."""

from __future__ import annotations

import ipaddress
import logging
import re
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

logger = logging.getLogger("embedded_host")

HASHED = re.compile(r"/assets/[^/]+-[\w-]{8}\.\w+$")


def _is_loopback(host: str | None) -> bool:
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


@web.middleware
async def origin_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse another origin, but only where Host is loopback and Origin names a host."""
    host = urlsplit("//" + request.headers.get("Host", "").lower())
    origin = urlsplit(request.headers.get("Origin", "").lower())
    if origin.netloc and _is_loopback(host.hostname):
        same = host.netloc == origin.netloc
        if origin.port is None or host.port is None:
            same = host.hostname == origin.hostname
        if not same:
            logger.warning("request with non matching host and origin %s != %s", host.netloc, origin.netloc)
            return web.Response(status=403)
    return web.Response() if request.method == "OPTIONS" else await handler(request)


@web.middleware
async def only_hashed_files_are_kept(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let browsers ask for scripts and styles each time, so that an update of a pack is seen.

    Other than with ComfyUI, a browser keeps those files of the frontend whose names carry a hash of what is in them:
    it starts sooner.
    """
    response = await handler(request)
    if HASHED.match(request.path):
        response.headers.setdefault("Cache-Control", "max-age=86400, immutable")
    elif request.path.endswith((".js", ".css")) or request.path == "/":
        response.headers.setdefault("Cache-Control", "no-cache")
    return response
