"""The storage origin, which serves files to signed URLs and must never see an API key."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Middleware

from .media import content_of

if TYPE_CHECKING:
    from .cloud import SimulatedCloud

NO_ACCESS = b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code></Error>"


def storage_app(cloud: SimulatedCloud, observer: Middleware) -> web.Application:
    """Build the application of the storage. `observer` wraps every request."""

    async def serve(request: web.Request) -> web.Response:
        digest = request.match_info["digest"]
        if digest not in cloud.account.signed or request.query.get("X-Goog-Signature") != _signature(digest):
            return web.Response(status=403, body=NO_ACCESS, content_type="application/xml")
        name = cloud.account.signed[digest]
        owner = cloud.account.owners[name]
        body, content_type = content_of(name, owner.width, owner.height)
        body = cloud.account.contents.get(name, body)
        return _answer(body, content_type, request.headers.get("Range", ""))

    app = web.Application(middlewares=[observer])
    app.router.add_get("/comfy-outputs/{digest}", serve, allow_head=False)
    return app


def _answer(body: bytes, content_type: str, wanted: str) -> web.Response:
    """Return the file, or the range of it that is wanted, as storage services do."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
    if match is None:
        return web.Response(body=body, content_type=content_type, headers={"Accept-Ranges": "bytes"})
    first, last = int(match[1]), min(int(match[2] or len(body)), len(body) - 1)
    if first > last:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{len(body)}"})
    headers = {"Content-Range": f"bytes {first}-{last}/{len(body)}", "Accept-Ranges": "bytes"}
    return web.Response(status=206, body=body[first : last + 1], content_type=content_type, headers=headers)


def signed_url(cloud: SimulatedCloud, name: str) -> str:
    """Return the signed URL of a file. Files are stored by hash, not by name."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    cloud.account.signed[digest] = name
    proof = {
        "X-Goog-Algorithm": "GOOG4-RSA-SHA256",
        "X-Goog-Expires": "3600",
        "X-Goog-Signature": _signature(digest),
    }
    return f"{cloud.storage_url}/comfy-outputs/{digest}?{urlencode(proof)}"


def _signature(digest: str) -> str:
    return hashlib.sha256(f"signed {digest}".encode()).hexdigest()
