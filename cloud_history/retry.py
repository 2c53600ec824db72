"""When to send a request again, and after how long. Pure: the table is in the tests, row by row."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from .errors import CloudConnectionError, CloudError, RateLimited, ServerFault, SubscriptionInactive
from .protocol import Repeat

Again = Callable[[], Awaitable[None]]
"""Asked before a request is sent once more. Raises CloudError where it may not be: much can happen in a wait."""


@dataclass(frozen=True)
class RetryPolicy:
    """At most `tries` tries in all; waits are exponential with full jitter, in seconds."""

    tries: int = 4
    base: float = 0.5
    cap: float = 8.0
    longest_retry_after: float = 30.0
    rand: Callable[[], float] = random.random

    def wait(self, repeat: Repeat, error: CloudError, tried: int) -> float | None:
        """Seconds to wait before the next try after `tried` of them, or None to give up."""
        if tried >= self.tries or not _may_repeat(repeat, error, tried):
            return None
        asked = getattr(error, "retry_after", None)
        if isinstance(asked, float):
            return asked if asked <= self.longest_retry_after else None
        return self.rand() * min(self.cap, self.base * 2.0 ** (tried - 1))


def _may_repeat(repeat: Repeat, error: CloudError, tried: int) -> bool:
    if isinstance(error, CloudConnectionError):
        return not error.sent or repeat is not Repeat.CLEAR
    if isinstance(error, SubscriptionInactive):
        return False
    if isinstance(error, RateLimited):
        return True
    if not isinstance(error, ServerFault):
        return False
    if repeat is Repeat.CLEAR:
        # The server's own word that it did nothing yet: only then is a second clear the first.
        return error.status == 503 and error.retry_after is not None
    if error.status == 500:
        return repeat is Repeat.READ or tried == 1
    return error.status in (502, 503, 504)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds in a `Retry-After` header, given as a number or as an HTTP date; None where it is neither."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9]) if len(text) < 10 else 1e9
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return max(0.0, (aware - now).total_seconds())
