"""The difference between this machine's clock and Comfy Cloud's, from the `Date` header of its answers.

If the clock is ten days fast, "keep the last 30 days" deletes jobs of the last 30 days.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from ..errors import ClockWrong
from ..jobs.job import utc_now
from ..secret import log

MAX_CLOCK_ERROR_UNTOLD = timedelta(minutes=5)
"""Differences up to this one are not reported."""
MAX_CLOCK_ERROR = timedelta(days=1)
"""With a larger difference, rules about the age of jobs are refused."""
NONE = timedelta(0)


class CloudClock:
    """This machine's clock, compared with the last answer.

    Attributes:
        ahead: how far this clock is ahead of Comfy Cloud's; negative if it is behind, zero if unknown.
    """

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now
        self.ahead = NONE
        self._said = False

    def earliest_now(self) -> datetime:
        """Return the time by this clock or by Comfy Cloud's, whichever is earlier: either may be wrong."""
        return self.now() - max(NONE, self.ahead)

    def record_date(self, date: str | None, asked: datetime, answered: datetime) -> None:
        """Compare the `Date` of an answer with this clock's time of the request and of the answer."""
        try:
            theirs = parsedate_to_datetime(date or "")
        except (ValueError, TypeError, IndexError, OverflowError):
            return
        theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=timezone.utc)
        # The header has whole seconds, and any moment between request and answer is possible.
        if theirs + timedelta(seconds=1) < asked:
            self.ahead = asked - theirs
        else:
            self.ahead = min(NONE, answered - theirs)
        if self.warning and not self._said:
            log.warning("%s", self.warning)
        self._said = bool(self.warning)

    @property
    def warning(self) -> str:
        """What a person is told of it; "" for nothing."""
        if abs(self.ahead) <= MAX_CLOCK_ERROR_UNTOLD:
            return ""
        way = "ahead of" if self.ahead > NONE else "behind"
        off = f"{_in_words(abs(self.ahead))} {way} Comfy Cloud’s"
        return f"This machine’s clock is {off}: rules about the age of jobs may take the wrong ones."

    def check(self) -> None:
        """Raises ClockWrong if rules about the age of jobs would delete the wrong ones."""
        if abs(self.ahead) > MAX_CLOCK_ERROR:
            ours = self.now()
            raise ClockWrong(ours=ours, theirs=ours - self.ahead)


def _in_words(span: timedelta) -> str:
    for name, unit in (("day", timedelta(days=1)), ("hour", timedelta(hours=1))):
        if span >= 2 * unit:
            return f"{span // unit:,} {name}s"
    return f"{span // timedelta(minutes=1)} minutes"
