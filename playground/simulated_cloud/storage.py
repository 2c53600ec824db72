"""The storage origin, which serves files to signed URLs and must never see an API key, and the files themselves."""

from __future__ import annotations

import colorsys
import hashlib
import math
import random
import struct
import zlib
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Middleware

if TYPE_CHECKING:
    from .cloud import SimulatedCloud

MAX_SIDE_PIXELS = 160

# The first bytes of other files, enough to tell them apart, and their content types.
OTHER_FILES = {
    "mp4": (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2", "video/mp4"),
    "mp3": (b"ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x64", "audio/mpeg"),
    "glb": (b"glTF\x02\x00\x00\x00\x0c\x00\x00\x00", "model/gltf-binary"),
}
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
        return web.Response(body=body, content_type=content_type)

    app = web.Application(middlewares=[observer])
    app.router.add_get("/comfy-outputs/{digest}", serve, allow_head=False)
    return app


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


def content_of(name: str, width: int, height: int) -> tuple[bytes, str]:
    """Return the bytes and the content type of an output."""
    extension = name.rsplit(".", 1)[-1]
    return OTHER_FILES.get(extension) or (picture_of(name, width, height), "image/png")


def picture_of(name: str, width: int, height: int) -> bytes:
    """Draw a PNG in these proportions, with sides of at most 160 pixels. Each name has its own picture."""
    scale = min(1.0, MAX_SIDE_PIXELS / max(width, height, 1))
    return _png(_rows(random.Random(name), max(1, round(width * scale)), max(1, round(height * scale))))


def _rows(source: random.Random, width: int, height: int) -> list[bytes]:
    hue, waves, tilt = source.random(), source.uniform(1.5, 5), source.uniform(-0.4, 0.4)
    rows = []
    for y in range(height):
        down = y / height
        left = _colour(hue, 0.45, 0.35 + 0.5 * down)
        right = _colour(hue + 0.12, 0.6, 0.75 - 0.5 * down)
        ridge = 0.5 + 0.18 * math.sin(waves * math.tau * down) + tilt * (down - 0.5)
        edge = round(width * min(1.0, max(0.0, ridge)))
        rows.append(left * edge + right * (width - edge))
    return rows


def _colour(hue: float, saturation: float, value: float) -> bytes:
    return bytes(round(255 * part) for part in colorsys.hsv_to_rgb(hue % 1, saturation, value))


def _png(rows: list[bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    # Each row starts with the number of its filter, 0 for none.
    pixels = zlib.compress(b"".join(b"\x00" + row for row in rows), 6)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
