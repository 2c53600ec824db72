"""Reading "30d", "12h", "2w" or a date: never as "everything"."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from .errors import InputRefused
from .secret import scrub

_DURATION = re.compile(r"([0-9]{1,6})\s*(h|d|w)", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_HOURS = {"h": 1, "d": 24, "w": 168}


def cutoff(text: str, now: datetime) -> datetime | None:
    """The moment before which a job is older than `text`; None where the text is blank: no limit.

    A date (2026-01-31) means its first moment, in UTC.

    Raises:
        InputRefused: it is neither a duration, nor a date.
    """
    given = text.strip()
    if not given:
        return None
    try:
        if match := _DURATION.fullmatch(given):
            return now - timedelta(hours=int(match[1]) * _HOURS[match[2].lower()])
        if _DATE.fullmatch(given):
            return datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        pass
    # Whole before it is cut: half a key would be recognised by nobody.
    given = "a text that looks like an API key (hidden)" if "comfyui-" in given.lower() else scrub(given)
    shown = given[:45].encode("unicode_escape").decode("ascii")
    raise InputRefused(
        f"“{shown}” is not a time.",
        hint="Use hours, days or weeks (12h, 30d, 2w) or a date (2026-01-31), or leave it blank for no limit.",
    )
