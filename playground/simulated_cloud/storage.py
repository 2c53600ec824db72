"""The storage origin, which serves files to signed URLs and must never see an API key."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Middleware

from .jobs import sendable
from .media import content_type_of
from .stored_answer import StoredAnswer
from .stored_files import Content, tag_of

if TYPE_CHECKING:
    from .cloud import SimulatedCloud

NO_ACCESS = b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code></Error>"
EXPIRED = b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>ExpiredToken</Code></Error>"


def storage_app(cloud: SimulatedCloud, observer: Middleware) -> web.Application:
    """Build the application of the storage. `observer` wraps every request."""

    async def serve(request: web.Request) -> web.StreamResponse:
        digest, signed = request.match_info["digest"], request.query
        path = cloud.account.signed.get(digest)
        issued, valid = signed.get("X-Goog-Date", ""), signed.get("X-Goog-Expires", "")
        if path is None or signed.get("X-Goog-Signature") != _signature(digest, issued, valid):
            return _refusal(403, NO_ACCESS)
        if cloud.clock() >= float(issued) + float(valid):
            return _refusal(cloud.switches.expired_status, EXPIRED)
        if cloud.account.find(path) is None:
            return _refusal(404, b"<Error><Code>NoSuchKey</Code></Error>")
        answer = _answer(cloud, cloud.account.content_of(path), content_type_of(path), request)
        if isinstance(answer, StoredAnswer):
            answer.rate = cloud.switches.storage_rate
        return answer

    app = web.Application(middlewares=[observer])
    app.router.add_get("/comfy-outputs/{digest}", serve, allow_head=False)
    return app


def _refusal(status: int, body: bytes) -> web.Response:
    return web.Response(status=status, body=body, content_type="application/xml")


def _answer(cloud: SimulatedCloud, content: Content, content_type: str, request: web.Request) -> web.StreamResponse:
    """Return the file, or the range of it that is wanted, as storage services do."""
    tag, switches, size = "", cloud.switches, content.size
    headers = {"Content-Type": content_type}
    if switches.etags != "none":
        tag = f'"{tag_of(content)}"'
        headers["ETag"] = tag if switches.etags == "strong" else f"W/{tag}"
    match = None
    if switches.ranges:
        headers["Accept-Ranges"] = "bytes"
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
    condition = request.headers.get("If-Range")
    if match is None or (condition is not None and (condition != tag or switches.etags != "strong")):
        return StoredAnswer(content, 0, size, status=200, headers=headers)
    first, last = int(match[1]), min(int(match[2] or size), size - 1)
    if first > last:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return StoredAnswer(content, first, last + 1, status=206, headers=headers)


def signed_url(cloud: SimulatedCloud, path: str) -> str:
    """Return the signed URL of a file. Files are stored by hash, not by name."""
    path = sendable(path)
    digest = hashlib.sha256(path.encode()).hexdigest()
    cloud.account.signed[digest] = path
    issued, valid = repr(cloud.clock()), repr(cloud.switches.url_seconds)
    proof = {
        "X-Goog-Algorithm": "GOOG4-RSA-SHA256",
        "X-Goog-Date": issued,
        "X-Goog-Expires": valid,
        "X-Goog-Signature": _signature(digest, issued, valid),
    }
    return f"{cloud.storage_url}/comfy-outputs/{digest}?{urlencode(proof)}"


def _signature(digest: str, issued: str, valid: str) -> str:
    return hashlib.sha256(f"signed {digest} {issued} {valid}".encode()).hexdigest()
