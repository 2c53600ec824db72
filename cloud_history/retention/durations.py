"""Parse durations such as "30d", "12h" and "2w", and dates."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from ..errors import InputRefused
from ..secret import scrub

_DURATION = re.compile(r"([0-9]{1,6})\s*(h|d|w)", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_HOURS = {"h": 1, "d": 24, "w": 168}


def span(text: str) -> timedelta | None:
    """Parse a number of hours, days or weeks; return None for a blank text. Raise InputRefused for other texts."""
    given = text.strip()
    if not given:
        return None
    found = _span(given)
    if found is None:
        raise InputRefused("not_a_duration", given=_shown(given))
    return found


def is_duration(text: str) -> bool:
    """Return whether the text is a duration, whose cutoff depends on the current time. A date does not."""
    return _span(text.strip()) is not None


def cutoff(text: str, now: datetime) -> datetime | None:
    """Return the time before which a job counts as older than `text`; None if the text is blank, for no limit.

    A date (2026-01-31) means the start of that day in UTC.

    Raises:
        InputRefused: the text is neither a duration nor a date.
    """
    given = text.strip()
    if not given:
        return None
    try:
        if (length := _span(given)) is not None:
            return now - length
        if _DATE.fullmatch(given):
            return datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        pass
    raise InputRefused("not_a_time", given=_shown(given))


def _span(given: str) -> timedelta | None:
    match = _DURATION.fullmatch(given)
    return timedelta(hours=int(match[1]) * _HOURS[match[2].lower()]) if match else None


def _shown(given: str) -> str:
    # Scrub before cutting, because scrub() does not recognise a part of a key.
    given = "a text that looks like an API key (hidden)" if "comfyui-" in given.lower() else scrub(given)
    return given[:45].encode("unicode_escape").decode("ascii")
