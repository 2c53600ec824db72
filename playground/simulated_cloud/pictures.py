"""Small pictures for thumbnails, drawn with the standard library: two colours parted by a ridge."""

from __future__ import annotations

import colorsys
import math
import random
import struct
import zlib

LONGEST_SIDE = 160

# The first bytes of files which are no pictures, enough to be told apart by.
OTHER_FILES = {
    "mp4": (b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2", "video/mp4"),
    "mp3": (b"ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x64", "audio/mpeg"),
    "glb": (b"glTF\x02\x00\x00\x00\x0c\x00\x00\x00", "model/gltf-binary"),
}


def content_of(name: str, width: int, height: int) -> tuple[bytes, str]:
    """The bytes and content type of an output with this name and these pixels."""
    extension = name.rsplit(".", 1)[-1]
    return OTHER_FILES.get(extension) or (picture_of(name, width, height), "image/png")


def picture_of(name: str, width: int, height: int) -> bytes:
    """A PNG in the proportions asked for, its longest side at most 160 pixels; each name has its own picture."""
    scale = min(1.0, LONGEST_SIDE / max(width, height, 1))
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
    # Each row starts with the number of its filter: 0, none.
    pixels = zlib.compress(b"".join(b"\x00" + row for row in rows), 6)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
