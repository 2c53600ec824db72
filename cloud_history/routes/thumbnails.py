"""Pictures of outputs. The server fetches them for the browser, because the browser must not get the API key.

`GET /api/view` redirects to a signed address of a storage service. The redirect is followed once, without the key, and
only to a public address.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from ..cloud.downloads import fetch_file
from ..cloud.media_types import HEAD_BYTES, content_type_of, is_picture
from ..errors import UnreadableAnswer
from ..service import Operations
from ..state.credentials import Connection
from ..tasks.own_loop import PerLoop
from .output_files import OutputFiles

MAX_CONCURRENT_REQUESTS = 6
MAX_CACHE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Picture:
    """An image. Its content type is derived from its first bytes, because headers of a server are not trusted."""

    content: bytes
    content_type: str


def picture_of(content: bytes) -> Picture:
    """Return the picture in `content`.

    Raises:
        UnreadableAnswer: `content` is not a PNG, JPEG, WebP, GIF or AVIF. SVG can contain scripts.
    """
    content_type = content_type_of(content[:HEAD_BYTES], "")
    if not is_picture(content_type):
        raise UnreadableAnswer(200, "not_a_picture")
    return Picture(content, content_type)


class Thumbnails:
    """Fetches pictures of jobs' files, at most 6 at once, and caches up to 64 MB of them.

    Attributes:
        files: the files that jobs are known to own.
    """

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self.files = OutputFiles()
        self._cached: OrderedDict[tuple[Connection, str, str, int | None], Picture] = OrderedDict()
        self._bytes = 0
        self._limit = PerLoop(lambda: asyncio.Semaphore(MAX_CONCURRENT_REQUESTS))

    async def get(self, job_id: str, filename: str, number: int | None = None) -> Picture:
        """Return the picture of a file of this job.

        Args:
            number: the file's place among the outputs of the job, from 0. Two outputs can have the same name.

        Raises:
            NotFound: the job has no such file.
            UnreadableAnswer: the file is not a picture.
            CloudError: the file cannot be fetched.
        """
        connection = await self._operations.find_connection()
        place = (connection, job_id, filename, number)
        if place in self._cached:
            self._cached.move_to_end(place)
            return self._cached[place]
        async with self._limit.here(), self._operations.open(connection) as client:
            file = await self.files.find(client, connection, job_id, filename, number)
            picture = picture_of(await fetch_file(client, file))
        self._cache(place, picture)
        return picture

    def _cache(self, place: tuple[Connection, str, str, int | None], picture: Picture) -> None:
        replaced = self._cached.pop(place, None)
        self._bytes += len(picture.content) - (len(replaced.content) if replaced else 0)
        self._cached[place] = picture
        while self._bytes > MAX_CACHE_BYTES:
            _, oldest = self._cached.popitem(last=False)
            self._bytes -= len(oldest.content)
