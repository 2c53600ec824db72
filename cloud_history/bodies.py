"""Reading the body of an answer up to a cap, compressed or not."""

from __future__ import annotations

import asyncio
import zlib

import aiohttp

_CHUNK = 64 * 1024
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


async def read_capped(response: aiohttp.ClientResponse, largest: int) -> tuple[bytes, bool]:
    """The body, and whether it is whole: it is cut at `largest` bytes, counted after decompression.

    Raises:
        aiohttp.ClientError, OSError: the connection broke during a success. Half an error body is returned:
            it still says what its status says.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    decoder = None if encoding in ("", "identity") else zlib.decompressobj(_GZIP_OR_ZLIB)
    body = bytearray()
    try:
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += decoder.decompress(chunk, largest + 1 - len(body)) if decoder else chunk
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
    return bytes(body), decoder is None or decoder.eof or not body
