"""How far this machine's clock is from Comfy Cloud's, by the `Date` header of its answers.

With a clock that is ten days fast, "keep the last 30 days" takes jobs of the last 30 days.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from ..errors import ClockWrong
from ..jobs.job import utc_now
from ..secret import log

MAX_CLOCK_ERROR_UNTOLD = timedelta(minutes=5)
"""A difference that nobody is told of."""
MAX_CLOCK_ERROR = timedelta(days=1)
"""A difference with which rules of time are still carried out."""
NONE = timedelta(0)


class CloudClock:
    """This machine's clock, and what the last answer says of it.

    Attributes:
        ahead: how far it is ahead of Comfy Cloud's, as far as is known; negative where it is behind.
    """

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now
        self.ahead = NONE
        self._said = False

    def earliest_now(self) -> datetime:
        """What time it is by this clock or by Comfy Cloud's, whichever is behind: either may be wrong."""
        return self.now() - max(NONE, self.ahead)

    def record_date(self, date: str | None, asked: datetime, answered: datetime) -> None:
        """Take note of the `Date` of an answer that was asked for and came at these moments, by our clock."""
        try:
            theirs = parsedate_to_datetime(date or "")
        except (ValueError, TypeError, IndexError, OverflowError):
            return
        theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=timezone.utc)
        # The header has whole seconds, and was made at some moment of the exchange.
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
        """Raises ClockWrong: a rule about the age of jobs would take the wrong ones."""
        if abs(self.ahead) > MAX_CLOCK_ERROR:
            ours = self.now()
            raise ClockWrong(ours=ours, theirs=ours - self.ahead)


def _in_words(span: timedelta) -> str:
    for name, unit in (("day", timedelta(days=1)), ("hour", timedelta(hours=1))):
        if span >= 2 * unit:
            return f"{span // unit:,} {name}s"
    return f"{span // timedelta(minutes=1)} minutes"
