"""Videos and sounds at an address of this ComfyUI, because its content security policy may refuse `blob:` for them.

A video element can't send the header that the routes require. So a route with all checks issues a ticket for one file,
and the address contains the ticket. The file is streamed, also in ranges, as a video element asks for them.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from ..cloud.client import CloudClient
from ..cloud.downloads import WHOLE, open_file
from ..cloud.media_types import content_type_of
from ..errors import CloudTimeoutError, InputRefused, OperationRefused, UnreadableAnswer
from ..jobs.job import OutputFile
from ..jobs.rows import MAX_OUTPUTS
from ..state.credentials import Connection
from .outputs import (
    MAX_OUTPUT_BYTES,
    MAX_OUTPUT_SECONDS,
    OUTPUT_HEADERS,
    FileFinder,
    WantedOutput,
    first_bytes,
    read_filename,
    send_while_connected,
    write_pieces,
)

MAX_TICKETS = 200
TICKET_SECONDS = 600.0
"""How long a ticket is valid after it was last used."""
MAX_PAUSE_SECONDS = 600.0
"""Time limit for the browser to read on. A paused video is not read."""

_HEADERS = {**OUTPUT_HEADERS, "Content-Disposition": "inline"}
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)


@dataclass(frozen=True)
class Media:
    """A picture, video or sound that the browser may show.

    Attributes:
        size: number of bytes; None if the storage does not say.
    """

    connection: Connection
    file: OutputFile
    content_type: str
    size: int | None
    most: int


class MediaTickets:
    """Issues tickets, each for one file, and keeps the newest MAX_TICKETS of them in memory."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tickets: OrderedDict[str, tuple[float, Media]] = OrderedDict()

    def issue(self, media: Media) -> str:
        """Return a new ticket for a file."""
        ticket = secrets.token_urlsafe(32)
        self._tickets[ticket] = self._clock(), media
        while len(self._tickets) > MAX_TICKETS:
            self._tickets.popitem(last=False)
        return ticket

    def find(self, ticket: str, connection: Connection) -> Media:
        """Return the file of a ticket, which is then valid for another TICKET_SECONDS.

        Raises:
            OperationRefused: the ticket is unknown or too old, or the key or the server has changed.
        """
        used, media = self._tickets.pop(ticket, (0.0, None))
        if media is None or media.connection != connection or self._clock() - used > TICKET_SECONDS:
            raise OperationRefused("ticket_expired")
        self._tickets[ticket] = self._clock(), media
        return media


def read_wanted_media(job_id: str, body: Mapping[str, Any]) -> WantedOutput:
    """Read the body of a request for a ticket.

    Raises:
        InputRefused: a member is invalid.
    """
    number, most = body.get("number"), body.get("most", MAX_OUTPUT_BYTES)
    for name, value, limit in (("number", number or 0, MAX_OUTPUTS), ("most", most, MAX_OUTPUT_BYTES)):
        if not 0 <= value <= limit:
            raise InputRefused("out_of_range", name=name, most=limit)
    return WantedOutput(job_id, read_filename(body), number, most)


async def look_at_media(
    client: CloudClient, connection: Connection, find: FileFinder, wanted: WantedOutput, max_seconds: float
) -> Media:
    """Find out the type and the size of a file from its first bytes.

    Raises:
        CloudError: the file cannot be sent.
    """

    async def look() -> Media:
        file = await find()
        async with open_file(client, file, most=wanted.most, seconds=max_seconds) as download:
            content_type = content_type_of(await first_bytes(download.pieces), wanted.filename)
            return Media(connection, file, content_type, download.size, wanted.most)

    try:
        return await asyncio.wait_for(look(), max_seconds)
    except asyncio.TimeoutError:
        raise CloudTimeoutError(sent=True) from None


def is_media(content_type: str) -> bool:
    """Return whether a browser can show a file of this type at an address."""
    return content_type.partition("/")[0] in ("image", "video", "audio")


def read_range(header: str, size: int) -> tuple[int, int] | None:
    """Return the first and the last byte that a Range header asks for; None for the whole file.

    A header with several ranges or of another form is ignored, as HTTP allows.

    Raises:
        ValueError: the file has no byte in the range.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or not (match[1] or match[2]):
        return None
    if match[1]:
        first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
        if match[2] and int(match[2]) < first:
            return None
    else:
        first, last = max(0, size - int(match[2])), size - 1
    if first > last:
        raise ValueError("no byte in the range")
    return first, last


async def send_media(request: web.Request, client: CloudClient, media: Media, max_seconds: float) -> web.StreamResponse:
    """Stream a file, or the range of it that the browser asks for, until the browser disconnects.

    Args:
        max_seconds: time limit until the download begins.

    Raises:
        CloudError: the file cannot be sent. Nothing of it was sent.
    """
    chosen = None
    if media.size is not None:
        try:
            chosen = read_range(request.headers.get("Range", ""), media.size)
        except ValueError:
            return web.Response(status=416, headers={**_HEADERS, "Content-Range": f"bytes */{media.size}"})
    return await send_while_connected(request, _send(request, client, media, chosen, max_seconds))


async def _send(
    request: web.Request, client: CloudClient, media: Media, chosen: tuple[int, int] | None, max_seconds: float
) -> web.StreamResponse:
    async with AsyncExitStack() as stack:
        opening = open_file(client, media.file, most=media.most, seconds=MAX_OUTPUT_SECONDS, wanted=chosen or WHOLE)
        try:
            download = await asyncio.wait_for(stack.enter_async_context(opening), max_seconds)
        except asyncio.TimeoutError:
            raise CloudTimeoutError(sent=True) from None
        if media.size is not None and download.size not in (None, media.size):
            raise UnreadableAnswer(200)
        response = web.StreamResponse(status=206 if chosen else 200, headers=_HEADERS)
        response.content_type = media.content_type
        response.content_length = download.size
        if media.size is not None:
            response.headers["Accept-Ranges"] = "bytes"
        if chosen:
            first, last = chosen
            response.content_length = last + 1 - first
            response.headers["Content-Range"] = f"bytes {first}-{last}/{media.size}"
        await response.prepare(request)
        await write_pieces(request, response, download.pieces, MAX_PAUSE_SECONDS)
        return response
