"""Downloading output files to be saved: of any size, piece by piece, and continued where a connection broke.

The rules of `downloads` hold: one redirect, to a public address only, and the API key is never sent there.
"""

from __future__ import annotations

import asyncio
import re
import socket
import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
import yarl
from aiohttp.abc import ResolveResult

from ..config import is_loopback
from ..errors import (
    CloudConnectionError,
    CloudError,
    CloudResponseError,
    FileTooLarge,
    NotComfyCloud,
    NotFound,
    RateLimited,
    ServerFault,
    UnreadableAnswer,
)
from ..jobs.job import OutputFile, utc_now
from .bodies import body_pieces, is_compressed
from .client import MAX_CONNECTIONS, CloudClient, connection_failure, raise_without_context
from .locations import PublicResolver, check_location, check_through_proxy
from .protocol import Repeat
from .retry import parse_retry_after
from .sessions import Session, ThreadResolver, open_session

IDLE_SECONDS = 30.0
CONNECT_SECONDS = 10.0
PIECE_BYTES = 1024 * 1024
"""Minimum size of the pieces that are passed on, except for the last one: each costs a change of threads."""
READ_AHEAD_BYTES = 512 * 1024
"""Maximum size of what is taken at once from what has arrived. A piece is less than this larger than PIECE_BYTES."""
MIN_PROGRESS_BYTES = 1024 * 1024
"""After a try that received at least this much, the following failures are counted anew."""
MAX_BEGINNINGS = 4
"""How often a file may be begun at its first byte: a storage without ranges sends all of it each time."""
MAX_CHANGES = 3
"""How often in a row the storage may send something else than what was asked for."""

_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15})", re.ASCII)
_STRONG_TAG = re.compile(r'"[\x21\x23-\x7e]{1,500}"', re.ASCII)
_NAME_OF_THE_STORAGE = "the storage"
_URL_REFUSED = frozenset({400, 401, 403, 410})
"""What storages answer to a signed URL that has expired: Google 400, Amazon and Azure 403."""
_GONE = frozenset({403, 404, 410})


class Sink(Protocol):
    """Takes the content of one file."""

    async def begin(self, at: int, size: int | None, etag: str) -> None:
        """Keep the first `at` bytes and drop what follows. Called before the first piece of each try.

        Args:
            at: never more than what was kept so far.
            size: number of bytes of the whole file; None if the server does not say.
            etag: identifies the content, for a later resumption; "" if it cannot be resumed.
        """

    async def write(self, piece: bytes) -> None:
        """Append a piece of at most PIECE_BYTES + READ_AHEAD_BYTES."""


@dataclass(frozen=True)
class Received:
    """A file that was received completely, as far as the server lets that be known.

    Attributes:
        size: number of bytes.
        announced: the number that the server announced; None if it did not, so that a cut file looks complete.
    """

    size: int
    announced: int | None


class FileReceiver:
    """Downloads any number of output files. Belongs to one client; use it with `async with`.

    Connections to the storage are kept between files.
    """

    def __init__(self, client: CloudClient, *, most: int, idle_seconds: float = IDLE_SECONDS) -> None:
        """Make a receiver.

        Args:
            most: maximum size of a file in bytes.
            idle_seconds: a download is broken off when nothing has arrived for this time. There is no other time limit.
        """
        self._client = client
        self._most = most
        self._idle_seconds = idle_seconds
        self._session: Session | None = None

    async def __aenter__(self) -> FileReceiver:
        client = self._client
        # A proxy resolves the names of the storage itself, and its own name may have a private address.
        resolver = ThreadResolver() if client.proxy else StorageResolver(client.base_url.loopback)
        self._session = open_session(
            connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, resolver=resolver),
            total_seconds=None,
            connect_seconds=CONNECT_SECONDS,
            idle_seconds=self._idle_seconds,
            buffer_bytes=READ_AHEAD_BYTES,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def receive(self, file: OutputFile, sink: Sink, *, start: int = 0, etag: str = "") -> Received:
        """Download a file into a sink, in several tries if connections break.

        Every try asks Comfy Cloud for the file again, so a signed URL that has expired meanwhile does not matter.

        Args:
            start: number of bytes that the sink has already. Begun anew if the content may have changed since.
            etag: what `Sink.begin` was given with these bytes.

        Raises:
            FileTooLarge: the file is larger than the limit.
            NotFound: the file does not exist any more.
            CloudError: the file cannot be downloaded, or is at an address that is not allowed.
            Exception: whatever the sink raises.
        """
        try:
            return await self._receive(file, _Transfer(sink, self._most, start, etag))
        except NotFound as error:
            status = error.status or 404
        return raise_without_context(NotFound(status, "output_gone"))

    async def _receive(self, file: OutputFile, transfer: _Transfer) -> Received:
        failures = 0
        failure: CloudError | _Unexpected | None = None
        while True:
            before, last = transfer.at, failure
            # The client has its own retries, so its errors are final.
            async with self._client.open_file(file, transfer.headers, self._idle_seconds) as found:
                try:
                    return await self._receive_from(found, transfer)
                except (CloudError, _Unexpected) as error:
                    failure = error
            failures = 1 if transfer.at - before >= MIN_PROGRESS_BYTES else failures + 1
            wait = self._wait(failure, last, failures)
            if wait is None or (transfer.beginnings >= MAX_BEGINNINGS and not transfer.resumes):
                raise_without_context(failure.final if isinstance(failure, _Unexpected) else failure)
            await self._client.sleep(wait)

    def _wait(
        self, failure: CloudError | _Unexpected, last: CloudError | _Unexpected | None, failures: int
    ) -> float | None:
        """Return the seconds to wait before the next try, or None to give up.

        Args:
            last: the failure of the try before.
            failures: number of failures since the last progress.
        """
        if isinstance(failure, _UrlRefused):
            # The URL was new, so a second refusal means that the file is gone.
            return None if isinstance(last, _UrlRefused) else 0.0
        if isinstance(failure, _Unexpected):
            return 0.0 if failures <= MAX_CHANGES else None
        return self._client.retries.wait(Repeat.READ, failure, failures)

    async def _receive_from(self, found: str | aiohttp.ClientResponse, transfer: _Transfer) -> Received:
        """Receive from Comfy Cloud itself, or from the storage to which it redirects."""
        if isinstance(found, aiohttp.ClientResponse):
            return await transfer.receive(found)
        async with AsyncExitStack() as stack:
            return await transfer.receive(await self._open_location(found, transfer.headers, stack))

    async def _open_location(
        self, location: str, headers: Mapping[str, str], stack: AsyncExitStack
    ) -> aiohttp.ClientResponse:
        assert self._session is not None, "FileReceiver must be used with `async with`"
        url = check_location(location, self._client.base_url.loopback)
        proxy = None if is_loopback(urlsplit(url).hostname or "") else self._client.proxy
        if proxy is not None:
            await check_through_proxy(url)
        try:
            response = await stack.enter_async_context(
                self._session.get(yarl.URL(url, encoded=True), headers=headers, allow_redirects=False, proxy=proxy)
            )
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as exc:
            failure = connection_failure(exc, _NAME_OF_THE_STORAGE)
        except ValueError:
            raise NotComfyCloud(302) from None  # an invalid host name
        else:
            if response.status not in (200, 206, 416):
                raise _storage_error(response)
            return response
        return raise_without_context(failure)


class StorageResolver(PublicResolver):
    """Resolves names of storages to public addresses, and the names of this machine if Comfy Cloud itself is there."""

    def __init__(self, loopback_allowed: bool) -> None:
        self._loopback_allowed = loopback_allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self._loopback_allowed and is_loopback(host):
            return await ThreadResolver.resolve(self, host, port, family)
        return await super().resolve(host, port, family)


class _Unexpected(Exception):
    """The server sends something else than the rest of the file. `final` is the error if it does so again."""

    def __init__(self, final: CloudResponseError) -> None:
        super().__init__()
        self.final = final


class _UrlRefused(_Unexpected):
    """The storage refuses the signed URL, which may have expired."""


def _storage_error(response: aiohttp.ClientResponse) -> CloudResponseError | _UrlRefused:
    """Return the exception for the status of a storage. Its text is not quoted: it may repeat the signed URL."""
    status = response.status
    if status in _URL_REFUSED:
        return _UrlRefused((NotFound if status in _GONE else UnreadableAnswer)(status))
    if status in _GONE:
        return NotFound(status)
    if status == 429 or status >= 500:
        wait = parse_retry_after(response.headers.get("Retry-After"), utc_now())
        return (RateLimited if status == 429 else ServerFault)(status, retry_after=wait)
    return (NotComfyCloud if 300 <= status < 400 else UnreadableAnswer)(status)


class _Transfer:
    """The tries to download one file.

    Attributes:
        at: number of bytes that the sink has.
        beginnings: how often the file was begun at its first byte.
    """

    def __init__(self, sink: Sink, most: int, start: int, etag: str) -> None:
        self._sink = sink
        self._most = most
        self._etag = etag if _STRONG_TAG.fullmatch(etag) else ""
        self.at = max(0, start)
        self.beginnings = 0
        self._announced: int | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the next request."""
        # A range of a compressed file would be a range of its compressed bytes.
        headers = {"Accept-Encoding": "identity"}
        if self.resumes:
            # From the last byte that is there: a range that begins behind a complete file would be refused.
            headers.update({"Range": f"bytes={self.at - 1}-", "If-Range": self._etag})
        return headers

    @property
    def resumes(self) -> bool:
        """Whether the next try continues behind what the sink has."""
        return self.at > 0 and bool(self._etag)

    async def receive(self, response: aiohttp.ClientResponse) -> Received:
        """Pass the body of a response to the sink.

        Raises:
            CloudError: the file is not complete.
        """
        skip = await self._begin(response)
        piece = bytearray()
        async with aclosing(_pieces(response)) as pieces:
            try:
                async for part in pieces:
                    piece += part[skip:]
                    skip = max(0, skip - len(part))
                    if self.at + len(piece) > self._most:
                        raise FileTooLarge(self._most, "output_too_large")
                    if len(piece) >= PIECE_BYTES:
                        await self._write(piece)
            except CloudConnectionError:
                # What has arrived need not arrive again.
                await self._write(piece)
                raise
        await self._write(piece)
        if self._announced is not None and self.at != self._announced:
            raise CloudConnectionError("connection_lost", sent=True)
        return Received(self.at, self._announced)

    async def _write(self, piece: bytearray) -> None:
        if piece:
            content = bytes(piece)
            piece.clear()
            await self._sink.write(content)
            self.at += len(content)

    async def _begin(self, response: aiohttp.ClientResponse) -> int:
        """Tell the sink where the body begins. Return how many bytes of the body the sink has already."""
        resumes, etag = self.resumes, response.headers.get("ETag", "")
        size = None if is_compressed(response) else response.content_length
        if response.status == 200:
            self._etag = etag if size is not None and _STRONG_TAG.fullmatch(etag) else ""
            self.at = 0
            self.beginnings += 1
        else:
            size = self._size_of_range(response, etag) if resumes else None
            if size is None:
                # Without a range in the next request, only a whole file can follow.
                self._etag = ""
                raise _Unexpected(UnreadableAnswer(response.status))
        self._announced = size
        if size is not None and size > self._most:
            raise FileTooLarge(self._most, "output_too_large")
        await self._sink.begin(self.at, size, self._etag)
        return 1 if resumes and response.status == 206 else 0

    def _size_of_range(self, response: aiohttp.ClientResponse, etag: str) -> int | None:
        """Return the size of the whole file, or None if the body is not the rest of the same content."""
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        # aiohttp's own server, and so ComfyUI, sends a range without regard to an entity tag in `If-Range`.
        if response.status != 206 or match is None or is_compressed(response) or etag != self._etag:
            return None
        first, last, size = (int(each) for each in match.groups())
        is_rest = first == self.at - 1 and last == size - 1 and response.content_length in (None, size - first)
        return size if is_rest and self._announced in (None, size) else None


async def _pieces(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    """Yield the body. Raise CloudError if it breaks off."""
    try:
        async with aclosing(body_pieces(response, READ_AHEAD_BYTES)) as pieces:
            async for piece in pieces:
                yield piece
        return
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as exc:
        failure = connection_failure(exc, _NAME_OF_THE_STORAGE)
    except zlib.error:
        failure = UnreadableAnswer(200)
    raise_without_context(failure)
