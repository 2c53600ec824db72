"""An answer that sends a stored file piece by piece, and may break off on its way."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Literal

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from .stored_files import Content, Fixed, pieces

End = Literal["whole", "reset", "closed", "silent"]
LOOK_SECONDS = 0.02


class StoredAnswer(web.StreamResponse):
    """Sends the bytes from `first` up to `end`, which is not included.

    Attributes:
        breaks_at: the number of bytes that are sent, if `ending` is not "whole".
        ending: what follows: a reset or closed connection, or silence until the client leaves.
        rate: bytes per second; 0 for as fast as possible.
    """

    def __init__(self, content: Content, first: int, end: int, *, status: int, headers: dict[str, str]) -> None:
        super().__init__(status=status, headers=headers)
        self.content_length = end - first
        self.breaks_at = 0
        self.ending: End = "whole"
        self.rate = 0
        self._content, self._first, self._end = content, first, end
        self._request: web.BaseRequest | None = None

    def break_off(self, at: int, ending: End) -> None:
        """Send only `at` bytes."""
        self.breaks_at, self.ending = min(at, self._end - self._first), ending

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        self._request = request
        return await super().prepare(request)

    async def write_eof(self, data: bytes = b"") -> None:
        """Send the content, which aiohttp asks for after the headers."""
        end = self._end if self.ending == "whole" else self._first + self.breaks_at
        try:
            for piece in pieces(self._content, self._first, end):
                await self.write(piece)
                if self.rate:
                    await asyncio.sleep(len(piece) / self.rate)
            if self.ending == "whole":
                await super().write_eof()
            else:
                await self._break()
        except ConnectionError:
            pass  # the client has left

    async def _break(self) -> None:
        while (transport := self._transport()) and (self.ending == "silent" or transport.get_write_buffer_size()):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)
        if transport is None:
            return
        if self.ending == "reset":
            # Without lingering, the system sends a reset instead of an orderly end.
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()

    def _transport(self) -> asyncio.WriteTransport | None:
        return None if self._request is None else self._request.transport


def as_stored(answer: web.StreamResponse) -> StoredAnswer:
    """Return an answer that can break off, with the same status, headers and body."""
    if isinstance(answer, StoredAnswer):
        return answer
    body = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
    return StoredAnswer(Fixed(body), 0, len(body), status=answer.status, headers=dict(answer.headers))
