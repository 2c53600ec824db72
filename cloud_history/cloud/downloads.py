"""Downloading an output file. Follows one redirect, to a public address only, and does not send the API key there."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import urlsplit

import aiohttp
import yarl

from ..config import is_loopback
from ..errors import FileTooLarge, NotComfyCloud, NotFound, UnreadableAnswer
from ..jobs.job import OutputFile, read_job
from ..jobs.rows import files_of
from .bodies import body_pieces, is_compressed
from .client import CloudClient, connection_failure, raise_without_context
from .locations import PublicResolver, check_location, check_through_proxy
from .protocol import MAX_FILE_BYTES
from .sessions import ThreadResolver, open_session

DOWNLOAD_SECONDS = 30.0

WHOLE = (0, None)
"""The range of a whole file: its first byte, and its last byte or None for the end."""
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", re.ASCII)


@dataclass(frozen=True)
class Download:
    """An output file that is being downloaded.

    Attributes:
        size: number of bytes of the whole file; None if the storage does not say.
        pieces: the content of the wanted range, in order. It raises CloudError if the download fails or the file is too
            large.
    """

    size: int | None
    pieces: AsyncGenerator[bytes, None]


async def find_file(client: CloudClient, job_id: str, filename: str, number: int | None = None) -> OutputFile:
    """Return an output file of a job. Only files that the job owns can be found.

    Args:
        number: the file's place among the outputs in the job's details, from 0. Two outputs can have the same name.

    Raises:
        NotFound: the job has no such file, or does not exist.
    """
    detail = await client.get_job_detail(job_id)
    job = read_job(detail, datetime.now(timezone.utc))
    if job is not None and job.id == job_id:
        owned = files_of(detail)
        if number is None:
            owned = [*owned, *([job.preview] if job.preview else [])]
        else:
            owned = owned[number : number + 1]
        for file in owned:
            if file.filename == filename:
                return file
    raise NotFound(404, "no_such_file")


async def fetch_file(client: CloudClient, file: OutputFile) -> bytes:
    """Return the content of an output file, at most MAX_FILE_BYTES.

    Raises:
        CloudError: the file cannot be downloaded, is too large, or is at an address that is not allowed.
    """
    async with open_file(client, file, most=MAX_FILE_BYTES, seconds=DOWNLOAD_SECONDS) as download:
        return b"".join([piece async for piece in download.pieces])


@asynccontextmanager
async def open_file(
    client: CloudClient, file: OutputFile, *, most: int, seconds: float, wanted: tuple[int, int | None] = WHOLE
) -> AsyncGenerator[Download, None]:
    """Begin to download an output file. Leaving the context ends the download.

    A storage that does not know ranges sends the whole file, of which only the range is passed on.

    Args:
        most: maximum size of the file in bytes. A file that the service sends itself, instead of redirecting to a
            storage, can have at most MAX_FILE_BYTES.
        seconds: time limit for the whole download.
        wanted: the first and the last byte of the range to download.

    Raises:
        FileTooLarge: the file is larger than `most`.
        CloudError: the file cannot be downloaded, or is at an address that is not allowed.
    """
    found = await client.view_file(file)
    async with AsyncExitStack() as stack:
        if isinstance(found, bytes):
            download = Download(len(found), _one_piece(found))
            start = 0
        else:
            response = await _open_location(client, found, seconds, stack, wanted)
            size, start = _size_and_start(response, wanted)
            download = Download(size, _pieces(response, most))
        if download.size is not None and download.size > most:
            raise FileTooLarge(most)
        await stack.enter_async_context(aclosing(download.pieces))
        if wanted != WHOLE:
            download = Download(download.size, _part(download.pieces, start, wanted))
            await stack.enter_async_context(aclosing(download.pieces))
        yield download


def _size_and_start(response: aiohttp.ClientResponse, wanted: tuple[int, int | None]) -> tuple[int | None, int]:
    """Return the size of the whole file, None if unknown, and the number of the first byte that the storage sends.

    Raises:
        UnreadableAnswer: the storage sends another range.
    """
    if response.status == 200:
        return None if is_compressed(response) else response.content_length, 0
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None or is_compressed(response) or int(match[1]) != wanted[0]:
        raise UnreadableAnswer(response.status)
    return int(match[3]), wanted[0]


async def _part(
    pieces: AsyncGenerator[bytes, None], start: int, wanted: tuple[int, int | None]
) -> AsyncGenerator[bytes, None]:
    """Return only the bytes of the wanted range. `start` is the number of the first byte in `pieces`."""
    at, (first, last) = start, wanted
    async for piece in pieces:
        part = piece[max(0, first - at) : None if last is None else max(0, last + 1 - at)]
        at += len(piece)
        if part:
            yield part
        if last is not None and at > last:
            return


async def _one_piece(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content


async def _pieces(response: aiohttp.ClientResponse, most: int) -> AsyncGenerator[bytes, None]:
    received = 0
    try:
        async with aclosing(body_pieces(response)) as pieces:
            async for piece in pieces:
                received += len(piece)
                if received > most:
                    raise FileTooLarge(most)
                yield piece
        return
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as exc:
        failure = connection_failure(exc, "the storage")
    except zlib.error:
        failure = UnreadableAnswer(200)
    raise_without_context(failure)


async def _open_location(
    client: CloudClient, location: str, seconds: float, stack: AsyncExitStack, wanted: tuple[int, int | None]
) -> aiohttp.ClientResponse:
    """Request the file from the storage to which the service redirects.

    Args:
        stack: closes the response and its session.
    """
    url = check_location(location, client.base_url.loopback)
    here = is_loopback(urlsplit(url).hostname or "")
    resolver = ThreadResolver() if here or client.proxy else PublicResolver()
    if (proxy := None if here else client.proxy) is not None:
        await check_through_proxy(url)
    session = open_session(connector=aiohttp.TCPConnector(resolver=resolver), total_seconds=seconds, connect_seconds=10)
    await stack.enter_async_context(session)
    try:
        response = await stack.enter_async_context(
            session.get(yarl.URL(url, encoded=True), headers=_headers(wanted), allow_redirects=False, proxy=proxy)
        )
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as exc:
        failure = connection_failure(exc, "the storage")
    except ValueError:
        raise NotComfyCloud(302) from None  # an invalid host name
    else:
        if response.status != 200 and (response.status != 206 or wanted == WHOLE):
            raise (NotFound if response.status in (403, 404, 410) else NotComfyCloud)(response.status)
        return response
    return raise_without_context(failure)


def _headers(wanted: tuple[int, int | None]) -> dict[str, str]:
    if wanted == WHOLE:
        return {"Accept-Encoding": "gzip"}
    first, last = wanted
    # A range of a compressed file would be a range of its compressed bytes.
    return {"Accept-Encoding": "identity", "Range": f"bytes={first}-{'' if last is None else last}"}
