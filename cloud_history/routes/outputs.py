"""Send one output of a job in full size to the browser, while it is being downloaded.

The file is never in memory as a whole. The browser gets a content type derived from the first bytes, and headers with
which it runs nothing that the file contains.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Any, NamedTuple, TypeVar

from aiohttp import web

from ..cloud.client import CloudClient
from ..cloud.downloads import Download, open_file
from ..cloud.media_types import HEAD_BYTES, content_type_of
from ..errors import CloudError, CloudTimeoutError, InputRefused
from ..jobs.job import OutputFile
from ..jobs.rows import MAX_OUTPUTS
from .request import MAX_SEND_SECONDS
from .response import HEADERS, write_in_time

MAX_OUTPUT_BYTES = 64 * 1024 * 1024
MAX_OUTPUT_SECONDS = 600.0
MAX_NAME_CHARACTERS = 1000
DISCONNECT_CHECK_SECONDS = 0.25
"""How often to check whether the browser is still there while the storage sends nothing."""

OUTPUT_HEADERS = {
    **HEADERS,
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Content-Disposition": "attachment",
    "Cross-Origin-Resource-Policy": "same-origin",
}

FileFinder = Callable[[], Awaitable[OutputFile]]

T = TypeVar("T")


class WantedOutput(NamedTuple):
    """The output that a browser asks for.

    Attributes:
        number: its place among the outputs of the job, from 0; None if only its name is known.
        most: maximum size in bytes.
    """

    job_id: str
    filename: str
    number: int | None
    most: int

    @property
    def place(self) -> tuple[str, str, int | None]:
        """The job, the name and the number."""
        return self.job_id, self.filename, self.number


def read_wanted_output(job_id: str, query: Mapping[str, str]) -> WantedOutput:
    """Read the query of a request for an output.

    Raises:
        InputRefused: a parameter is missing or invalid.
    """
    number = read_number(query)
    most = _count(query, "most", MAX_OUTPUT_BYTES)
    return WantedOutput(job_id, read_filename(query), number, MAX_OUTPUT_BYTES if most is None else most)


def read_filename(query: Mapping[str, str]) -> str:
    """Return the name of the wanted file. Raise InputRefused if it is missing or too long."""
    filename = query.get("file", "")
    if not filename or len(filename) > MAX_NAME_CHARACTERS:
        raise InputRefused("file_missing")
    return filename


def read_number(query: Mapping[str, str]) -> int | None:
    """Return the place of the wanted file among the outputs of its job; None if only its name is known.

    Raises:
        InputRefused: the number is invalid.
    """
    return _count(query, "number", MAX_OUTPUTS)


def _count(query: Mapping[str, str], name: str, most: int) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and int(text) <= most):
        raise InputRefused("out_of_range", name=name, most=most)
    return int(text)


async def send_output(
    request: web.Request, client: CloudClient, find: FileFinder, wanted: WantedOutput, max_seconds: float
) -> web.StreamResponse:
    """Stream an output to the browser. The download ends as soon as the browser disconnects.

    Args:
        find: returns the wanted file.
        max_seconds: time limit until the first bytes of the file are there.

    Raises:
        CloudError: the file cannot be sent. Nothing of it was sent.
    """
    return await send_while_connected(request, _send(request, client, find, wanted, max_seconds))


async def _send(
    request: web.Request, client: CloudClient, find: FileFinder, wanted: WantedOutput, max_seconds: float
) -> web.StreamResponse:
    async with AsyncExitStack() as stack:
        try:
            download, head = await asyncio.wait_for(_begin(client, find, wanted.most, stack), max_seconds)
        except asyncio.TimeoutError:
            raise CloudTimeoutError(sent=True) from None
        response = web.StreamResponse(headers=OUTPUT_HEADERS)
        response.content_type, _, _ = (content_type := content_type_of(head, wanted.filename)).partition(";")
        if "charset=" in content_type:
            response.charset = "utf-8"
        response.content_length = download.size
        await response.prepare(request)
        await write_in_time(request, response.write(head))
        await write_pieces(request, response, download.pieces)
        return response


async def write_pieces(
    request: web.Request,
    response: web.StreamResponse,
    pieces: AsyncGenerator[bytes, None],
    seconds: float = MAX_SEND_SECONDS,
) -> None:
    """Send the rest of a prepared answer.

    Args:
        seconds: time limit for each piece.

    Raises:
        ConnectionResetError: the browser disconnected, or the download failed.
    """
    try:
        async for piece in pieces:
            await write_in_time(request, response.write(piece), seconds)
    except CloudError:
        # A part is sent already. A broken connection is the only way to tell the browser that the rest is missing.
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the download failed") from None
    await write_in_time(request, response.write_eof(), seconds)


async def _begin(client: CloudClient, find: FileFinder, most: int, stack: AsyncExitStack) -> tuple[Download, bytes]:
    """Open the download. Return it with its first bytes, which its pieces then no longer contain."""
    opening = open_file(client, await find(), most=most, seconds=MAX_OUTPUT_SECONDS)
    download = await stack.enter_async_context(opening)
    return download, await first_bytes(download.pieces)


async def first_bytes(pieces: AsyncGenerator[bytes, None]) -> bytes:
    """Take at least HEAD_BYTES bytes, or all if there are fewer."""
    head = b""
    async for piece in pieces:
        head += piece
        if len(head) >= HEAD_BYTES:
            break
    return head


async def send_while_connected(
    request: web.Request, sending: Coroutine[Any, Any, web.StreamResponse]
) -> web.StreamResponse:
    """Wait until an answer is sent. Cancel it and return an empty answer when the browser disconnects."""
    try:
        return await _while_connected(request, sending)
    except ConnectionResetError:
        # Browsers often disconnect before a file is complete. aiohttp would log an error with a traceback each time.
        return web.Response()


async def _while_connected(request: web.Request, work: Coroutine[Any, Any, T]) -> T:
    """Wait for `work`. Cancel it and raise ConnectionResetError when the browser disconnects."""
    task = asyncio.ensure_future(work)
    try:
        while not task.done():
            if request.transport is None or request.transport.is_closing():
                raise ConnectionResetError("the browser disconnected")
            await asyncio.wait({task}, timeout=DISCONNECT_CHECK_SECONDS)
        return task.result()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
