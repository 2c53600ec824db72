"""When to send a request again, and after how long. No I/O. The tests contain the whole table of cases."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from ..errors import CloudConnectionError, CloudError, RateLimited, ServerFault, Unauthorized
from .protocol import Repeat

BeforeSend = Callable[[], Awaitable[None]]
"""A function that is called after a wait, before the request is sent. Raises CloudError to prevent the sending."""


@dataclass(frozen=True)
class RetryPolicy:
    """Number of attempts, and the waits between them in seconds: exponential, with full jitter.

    After a rate limit there are more attempts and longer waits: together always more than 30 seconds.
    """

    tries: int = 4
    base: float = 0.5
    cap: float = 8.0
    rate_limit_tries: int = 8
    rate_limit_base: float = 1.0
    rate_limit_cap: float = 20.0
    longest_retry_after: float = 60.0
    rand: Callable[[], float] = random.random

    def wait(self, repeat: Repeat, error: CloudError, tried: int, *, key_worked: bool = False) -> float | None:
        """Return the seconds to wait after `tried` attempts, or None to give up.

        Args:
            tried: number of attempts so far.
            key_worked: whether the key was accepted earlier in this operation, and this 401 is the first one for this
                request.
        """
        limited = isinstance(error, RateLimited)
        if tried >= (self.rate_limit_tries if limited else self.tries):
            return None
        # Comfy Cloud was observed to refuse a valid key with 401 once in a hundred times, so one 401 is not final.
        may_be_mistaken = key_worked and isinstance(error, Unauthorized) and repeat is not Repeat.CLEAR
        if not (may_be_mistaken or _may_repeat(repeat, error, tried)):
            return None
        asked = getattr(error, "retry_after", None)
        if isinstance(asked, float):
            return asked if asked <= self.longest_retry_after else None
        if limited:
            longest = min(self.rate_limit_cap, self.rate_limit_base * 2.0 ** (tried - 1))
            # At least half of `longest`: a very short wait would meet the same rate limit again.
            return longest * (1 + self.rand()) / 2
        return self.rand() * min(self.cap, self.base * 2.0 ** (tried - 1))


def _may_repeat(repeat: Repeat, error: CloudError, tried: int) -> bool:
    if isinstance(error, CloudConnectionError):
        return not error.sent or repeat is not Repeat.CLEAR
    if isinstance(error, RateLimited):
        # A clear is repeated only if the server asks for that with a `Retry-After` header.
        return repeat is not Repeat.CLEAR or error.retry_after is not None
    if not isinstance(error, ServerFault):
        return False
    if repeat is Repeat.CLEAR:
        # A 503 with `Retry-After` is the only server error after which the clear has certainly not begun.
        return error.status == 503 and error.retry_after is not None
    if error.status == 500:
        return repeat is Repeat.READ or tried == 1
    return error.status in (502, 503, 504)


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds of a `Retry-After` header (a number or an HTTP date), or None if it is neither."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9]) if len(text) < 10 else 1e9
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return max(0.0, (aware - now).total_seconds())
