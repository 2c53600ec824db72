"""Send one saved output from the disk to the browser."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import BinaryIO

from aiohttp import web

from ..cloud.media_types import HEAD_BYTES, content_type_of
from ..errors import InputRefused
from ..outputs.disk import on_disk
from ..outputs.outputs import Outputs
from .outputs import OUTPUT_HEADERS, send_while_connected, write_pieces

PIECE_BYTES = 256 * 1024
MAX_NUMBER_DIGITS = 6


async def send_saved_file(request: web.Request, outputs: Outputs, job_id: str, number: str) -> web.StreamResponse:
    """Stream a saved output of a job. The headers are those of outputs that come from the Cloud.

    Args:
        number: its place among the saved outputs of the job, from 0, as in the address.

    Raises:
        InputRefused: there is no such output, or it is not here as it was saved.
        SetupProblem: the list of saved outputs can't be read, or the disk fails.
    """
    if not (number.isascii() and number.isdecimal() and len(number) <= MAX_NUMBER_DIGITS):
        raise InputRefused("no_such_saved_output")
    saved, file = await outputs.open_saved(job_id, int(number))
    try:
        return await send_while_connected(request, _send(request, file, saved.name, saved.size))
    finally:
        await on_disk(file.close)


async def _send(request: web.Request, file: BinaryIO, name: str, size: int) -> web.StreamResponse:
    head = await on_disk(lambda: _head(file))
    response = web.StreamResponse(headers=OUTPUT_HEADERS)
    response.content_type, _, _ = (content_type := content_type_of(head, name)).partition(";")
    if "charset=" in content_type:
        response.charset = "utf-8"
    response.content_length = size
    await response.prepare(request)
    async with aclosing(_pieces(file, size)) as pieces:
        await write_pieces(request, response, pieces)
    return response


def _head(file: BinaryIO) -> bytes:
    head = file.read(HEAD_BYTES)
    file.seek(0)
    return head


async def _pieces(file: BinaryIO, size: int) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of a file, at most `size`: the length that was announced, even if the file grows."""
    left = size
    while left:
        piece = await on_disk(lambda: file.read(min(PIECE_BYTES, left)))  # noqa: B023 - read before `left` changes
        if not piece:
            return
        left -= len(piece)
        yield piece
