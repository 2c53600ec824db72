"""The storage origin: signed URLs lead here, and no API key ever should."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Middleware

from .pictures import content_of

if TYPE_CHECKING:
    from .cloud import SimulatedCloud

NO_ACCESS = b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code></Error>"


def storage_app(cloud: SimulatedCloud, observer: Middleware) -> web.Application:
    """The storage as an application. `observer` sees every request first."""

    async def serve(request: web.Request) -> web.Response:
        digest = request.match_info["digest"]
        if digest not in cloud.books.signed or request.query.get("X-Goog-Signature") != _signature(digest):
            return web.Response(status=403, body=NO_ACCESS, content_type="application/xml")
        name = cloud.books.signed[digest]
        owner = cloud.books.owners[name]
        body, content_type = content_of(name, owner.width, owner.height)
        return web.Response(body=body, content_type=content_type)

    app = web.Application(middlewares=[observer])
    app.router.add_get("/comfy-outputs/{digest}", serve, allow_head=False)
    return app


def signed_url(cloud: SimulatedCloud, name: str) -> str:
    """Where this file can be fetched, and the proof that one may: files are stored by hash, not by name."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    cloud.books.signed[digest] = name
    proof = {
        "X-Goog-Algorithm": "GOOG4-RSA-SHA256",
        "X-Goog-Expires": "3600",
        "X-Goog-Signature": _signature(digest),
    }
    return f"{cloud.storage_url}/comfy-outputs/{digest}?{urlencode(proof)}"


def _signature(digest: str) -> str:
    return hashlib.sha256(f"signed {digest}".encode()).hexdigest()
