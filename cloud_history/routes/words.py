"""The words of the panel in one language, compressed. ComfyUI serves the same files uncompressed."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from .. import __version__
from ..errors import InputRefused
from ..tasks.threads import compute_in_thread
from .response import HEADERS, write_in_time

LANGUAGES = ("en", "zh", "zh-TW", "ru", "ja", "ko", "fr", "es", "ar", "tr", "pt-BR", "fa", "he", "it")
FOLDER = Path(__file__).parents[2] / "js" / f"ui-{__version__}" / "words"


@dataclass(frozen=True)
class Words:
    """A catalogue as it is sent.

    Attributes:
        etag: changes with the content. The same for both forms, so it is a weak one.
    """

    plain: bytes
    compressed: bytes
    etag: str


def read_words(language: str) -> Words:
    """Read the catalogue of one of LANGUAGES. Raise OSError if it cannot be read."""
    plain = (FOLDER / f"{language}.json").read_bytes()
    return Words(plain, gzip.compress(plain, mtime=0), hashlib.sha256(plain).hexdigest()[:16])


class WordRoutes:
    def __init__(self) -> None:
        self._read: dict[str, Words] = {}

    async def words(self, request: web.Request) -> web.StreamResponse:
        """Return a catalogue: a JSON object with a message for each key.

        Only pages of this version get it, because words of one version do not fit the code of another. Browsers may
        keep it, but ask each time whether it is still the same.

        Raises:
            InputRefused: the language is none of LANGUAGES, or the page has another version.
        """
        language = request.match_info["language"]
        if language not in LANGUAGES or request.query.get("version") != __version__:
            raise InputRefused("no_such_words")
        if language not in self._read:
            self._read[language] = await compute_in_thread(read_words, language)
        words = self._read[language]
        headers = {**HEADERS, "Cache-Control": "no-cache", "ETag": f'W/"{words.etag}"', "Vary": "Accept-Encoding"}
        if any(each.value == words.etag for each in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return await _send(request, words, headers)


async def _send(request: web.Request, words: Words, headers: dict[str, str]) -> web.StreamResponse:
    # Not a `web.Response`: ComfyUI's --enable-compress-response-body would compress its body once more.
    answer = web.StreamResponse(headers={**headers, "Content-Type": "application/json; charset=utf-8"})
    body = words.plain
    if _accepts_gzip(request.headers.get("Accept-Encoding", "")):
        body = words.compressed
        answer.headers["Content-Encoding"] = "gzip"
    answer.content_length = len(body)
    await answer.prepare(request)
    await write_in_time(request, answer.write(body))
    await write_in_time(request, answer.write_eof())
    return answer


def _accepts_gzip(header: str) -> bool:
    for each in header.lower().split(","):
        coding, _, weight = each.partition(";")
        if coding.strip() == "gzip":
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False
