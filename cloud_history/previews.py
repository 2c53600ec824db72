"""What a person was shown before they confirmed, kept under a token that works once."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from .errors import PreviewExpired
from .models import JobCounts
from .operations import Connection

VALID_SECONDS = 300
MOST_KEPT = 100


@dataclass(frozen=True)
class Preview:
    """The counts that were shown, and for which server and key."""

    counts: JobCounts
    connection: Connection
    expires: float


class Previews:
    """The previews nobody has confirmed yet, in memory: none outlives the process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, Preview] = {}

    def keep(self, counts: JobCounts, connection: Connection) -> str:
        """Keep a preview for five minutes and return its token."""
        now = self._clock()
        self._kept = {token: each for token, each in self._kept.items() if each.expires > now}
        while len(self._kept) >= MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        token = secrets.token_urlsafe(32)
        self._kept[token] = Preview(counts, connection, now + VALID_SECONDS)
        return token

    def redeem(self, token: str, connection: Connection) -> Preview:
        """The preview under this token, which is used up.

        Raises:
            PreviewExpired: there is none, it is too old, or the key or the server is another one by now.
        """
        preview = self._kept.pop(token, None)
        if preview is None or preview.expires <= self._clock():
            raise PreviewExpired("This preview is more than 5 minutes old, or was used already.")
        if preview.connection != connection:
            raise PreviewExpired("The key or the server has changed since this preview.")
        return preview
