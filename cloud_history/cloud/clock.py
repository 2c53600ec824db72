"""The difference between this machine's clock and Comfy Cloud's, from the `Date` header of its answers.

If this machine's clock is ten days fast, "keep the last 30 days" deletes jobs that are only 20 days old.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from ..errors import ClockWrong
from ..jobs.job import utc_now
from ..secret import log

MAX_UNREPORTED_CLOCK_ERROR = timedelta(minutes=5)
"""The largest difference that is not reported."""
MAX_CLOCK_ERROR = timedelta(days=1)
"""If the difference is larger, operations with rules about the age of jobs are refused."""
NONE = timedelta(0)


class CloudClock:
    """This machine's clock, and how far it is off according to the last answer of Comfy Cloud.

    Attributes:
        ahead: how far this machine's clock is ahead of Comfy Cloud's; negative if it is behind, zero if unknown.
    """

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self.now = now
        self.ahead = NONE
        self._warned = False

    def earliest_now(self) -> datetime:
        """Return the time by this machine's clock or by Comfy Cloud's, whichever is earlier: either may be wrong."""
        return self.now() - max(NONE, self.ahead)

    def record_date(self, date: str | None, asked: datetime, answered: datetime) -> None:
        """Set `ahead` from the `Date` header of an answer.

        Args:
            date: the header, or None if the answer has none.
            asked: when the request was sent, by this machine's clock.
            answered: when the answer arrived, by this machine's clock.
        """
        try:
            theirs = parsedate_to_datetime(date or "")
        except (ValueError, TypeError, IndexError, OverflowError):
            return
        theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=timezone.utc)
        # The header has whole seconds, and the server may have set it at any moment between request and answer.
        if theirs + timedelta(seconds=1) < asked:
            self.ahead = asked - theirs
        else:
            self.ahead = min(NONE, answered - theirs)
        if self.warning and not self._warned:
            log.warning("%s", self.warning)
        self._warned = bool(self.warning)

    @property
    def warning(self) -> str:
        """The warning about the clock to show and log, or "" if the difference is small."""
        if abs(self.ahead) <= MAX_UNREPORTED_CLOCK_ERROR:
            return ""
        way = "ahead of" if self.ahead > NONE else "behind"
        off = f"{_describe_span(abs(self.ahead))} {way} Comfy Cloud’s"
        return f"This machine’s clock is {off}: rules about the age of jobs may delete the wrong jobs."

    def check(self) -> None:
        """Raise ClockWrong if the difference is so large that rules about age would delete the wrong jobs."""
        if abs(self.ahead) > MAX_CLOCK_ERROR:
            ours = self.now()
            raise ClockWrong(ours=ours, theirs=ours - self.ahead)


def _describe_span(span: timedelta) -> str:
    for name, unit in (("day", timedelta(days=1)), ("hour", timedelta(hours=1))):
        if span >= 2 * unit:
            return f"{span // unit:,} {name}s"
    return f"{span // timedelta(minutes=1)} minutes"
