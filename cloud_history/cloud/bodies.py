"""Reading the body of an answer up to a cap, compressed or not."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator
from typing import Any

import aiohttp

_CHUNK = 64 * 1024
STEP = 1024 * 1024
"""Bytes that are decompressed at a time: 64 kB can become 64 MB, for which the event loop would wait."""
TURN = 0.001
"""Seconds between two steps. A sleep of none lets nothing in another thread run."""
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


async def read_capped(response: aiohttp.ClientResponse, largest: int) -> tuple[bytes, bool]:
    """The body, and whether it is whole: it is cut at `largest` bytes, counted after decompression.

    Raises:
        aiohttp.ClientError, OSError: the connection broke during a success. Half an error body is returned:
            it still says what its status says.
    """
    decoder = _Decoder() if _is_compressed(response.headers.get("Content-Encoding", "")) else None
    body = bytearray()
    try:
        async for chunk in response.content.iter_chunked(_CHUNK):
            for piece in decoder.pieces(chunk) if decoder else (chunk,):
                body += piece
                if len(body) > largest:
                    response.close()
                    return bytes(body[:largest]), False
                if len(piece) >= STEP:
                    await asyncio.sleep(TURN)
    except zlib.error:
        response.close()
        return bytes(body), False
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
        if response.status < 400:
            raise
        return bytes(body), False
    return bytes(body), decoder is None or decoder.ended or not body


def _is_compressed(content_encoding: str) -> bool:
    """Whether a body is compressed the way we ask for.

    Whatever else a storage keeps in that header, such as `aws-chunked` of an upload or `UTF-8`, says nothing of what it
    sends: the body is taken as it is, and looked at by whoever reads it.
    """
    return any(each.strip() in _COMPRESSED for each in content_encoding.lower().split(","))


class _Decoder:
    """Decompresses gzip and zlib, in several members too."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_OR_ZLIB)

    @property
    def ended(self) -> bool:
        """Whether the last member has come whole."""
        return self._member.eof

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """What a chunk becomes, in pieces of at most STEP bytes. Raises zlib.error."""
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
