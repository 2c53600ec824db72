"""When to send a request again, and after how long. Pure: the table is in the tests, row by row."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from ..errors import CloudConnectionError, CloudError, RateLimited, ServerFault, Unauthorized
from .protocol import Repeat

BeforeSend = Callable[[], Awaitable[None]]
"""Asked before a request that had to wait is sent, once more or for the first time. Raises CloudError where it may not
be: much can happen in a wait."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often a request is sent, and how long to wait between two tries, in seconds.

    Waits grow exponentially, with full jitter. A rate limit is no fault: it has more tries and longer waits, which
    together outlast a limit that counts by the minute half of the time, and one of 30 seconds always.
    """

    tries: int = 4
    base: float = 0.5
    cap: float = 8.0
    rate_limit_tries: int = 8
    rate_limit_base: float = 1.0
    rate_limit_cap: float = 20.0
    longest_retry_after: float = 60.0
    rand: Callable[[], float] = random.random

    def wait(
        self, repeat: Repeat, error: CloudError, tried: int, *, key_worked: bool = False
    ) -> float | None:
        """Seconds to wait before the next try after `tried` of them, or None to give up.

        Args:
            key_worked: whether the key was accepted earlier in this operation, and this is the request's first 401.
        """
        limited = isinstance(error, RateLimited)
        if tried >= (self.rate_limit_tries if limited else self.tries):
            return None
        if not (_may_repeat(repeat, error, tried) or (key_worked and _may_be_false(repeat, error))):
            return None
        asked = getattr(error, "retry_after", None)
        if isinstance(asked, float):
            return asked if asked <= self.longest_retry_after else None
        if limited:
            longest = min(self.rate_limit_cap, self.rate_limit_base * 2.0 ** (tried - 1))
            # Never at once: the server has just said that there were too many.
            return longest * (1 + self.rand()) / 2
        return self.rand() * min(self.cap, self.base * 2.0 ** (tried - 1))


def _may_be_false(repeat: Repeat, error: CloudError) -> bool:
    """Whether a refusal of the key may be a slip of the server's: a valid key was seen to get one 401 in a hundred."""
    return isinstance(error, Unauthorized) and repeat is not Repeat.CLEAR


def _may_repeat(repeat: Repeat, error: CloudError, tried: int) -> bool:
    if isinstance(error, CloudConnectionError):
        return not error.sent or repeat is not Repeat.CLEAR
    if isinstance(error, RateLimited):
        # A clear is sent again only on the server's own word that it can be.
        return repeat is not Repeat.CLEAR or error.retry_after is not None
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
