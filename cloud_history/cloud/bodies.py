"""Reading the bodies of answers with limits: decompressed in small steps, because a small body can become gigabytes."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

import aiohttp

CHUNK_BYTES = 64 * 1024
STEP = 1024 * 1024
"""Maximum number of bytes decompressed at once. 64 kB can become 64 MB, which would block the event loop."""
PAUSE_SECONDS = 0.001
"""Pause after decompressing STEP bytes. `sleep(0)` would not let other threads run."""
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


async def read_capped(response: aiohttp.ClientResponse, largest: int) -> tuple[bytes, bool]:
    """Return the body and whether it is complete. The body is cut at `largest` bytes, counted after decompression.

    If the connection breaks after an error status, the incomplete body is returned: the status alone is enough.

    Raises:
        aiohttp.ClientError: the connection broke after a status below 400.
        asyncio.TimeoutError: the body took too long after a status below 400.
        OSError: the connection broke after a status below 400.
    """
    body = bytearray()
    try:
        async with aclosing(body_pieces(response)) as pieces:
            async for piece in pieces:
                body += piece
                if len(body) > largest:
                    response.close()
                    return bytes(body[:largest]), False
    except zlib.error:
        response.close()
        return bytes(body), False
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
        if response.status < 400:
            raise
        return bytes(body), False
    return bytes(body), True


async def body_pieces(response: aiohttp.ClientResponse, chunk_bytes: int = CHUNK_BYTES) -> AsyncGenerator[bytes, None]:
    """Yield the body of a response, decompressed, in pieces of at most STEP bytes.

    Args:
        chunk_bytes: maximum size of what is taken at once from what has arrived.

    Raises:
        zlib.error: the compressed body is damaged or incomplete.
        aiohttp.ClientError: the connection broke.
        asyncio.TimeoutError: the body took too long.
        OSError: the connection broke.
    """
    decoder = _Decoder() if is_compressed(response) else None
    empty = True
    async for chunk in response.content.iter_chunked(chunk_bytes):
        for piece in decoder.pieces(chunk) if decoder else (chunk,):
            empty = empty and not piece
            yield piece
            if len(piece) >= STEP:
                await asyncio.sleep(PAUSE_SECONDS)
    if decoder is not None and not decoder.ended and not empty:
        raise zlib.error("incomplete")


def is_compressed(response: aiohttp.ClientResponse) -> bool:
    """Return whether the body of a response is compressed with gzip or deflate.

    Storage servers also send values that are no compression, such as `aws-chunked` or `UTF-8`.
    """
    encodings = response.headers.get("Content-Encoding", "").lower().split(",")
    return any(each.strip() in _COMPRESSED for each in encodings)


class _Decoder:
    """Decompresses gzip and zlib data, which may consist of several members."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_OR_ZLIB)

    @property
    def ended(self) -> bool:
        """Whether the last member is complete."""
        return self._member.eof

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Decompress a chunk into pieces of at most STEP bytes. Raise zlib.error if the data is damaged."""
        while chunk:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP_OR_ZLIB)
            yield from _inflated(self._member, chunk)
            chunk = self._member.unused_data


def _inflated(member: Any, chunk: bytes) -> Iterator[bytes]:
    while True:
        piece = member.decompress(chunk, STEP)
        yield piece
        chunk = member.unconsumed_tail
        if len(piece) < STEP and not chunk:
            return
