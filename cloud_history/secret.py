"""Keeping the API key out of sight.

`Secret` never shows what it holds. `scrub` is what every text from outside goes through before anybody
sees it, and `ScrubbingFilter` the last line of defence on the log.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterable
from urllib.parse import quote, unquote

HIDDEN = "[hidden]"

_SHORTEST_TO_HINT = 16
_SHORTEST_TO_SCRUB = 4
_literals: tuple[str, ...] = ()
"""What `scrub` removes, the longest first."""
_one_at_a_time = threading.Lock()


class Secret:
    """A text that is never shown. `reveal()` is for the request header alone."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        remember(text)

    def reveal(self) -> str:
        return self._text

    @property
    def last4(self) -> str:
        """The last four characters, or "" for a text shorter than 16: a larger part of it would show."""
        return self._text[-4:] if len(self._text) >= _SHORTEST_TO_HINT else ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return HIDDEN

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not written anywhere")


def forms(text: str) -> list[str]:
    """The secret plain and as it stands in a URL, the longest first; none that is too short to be one."""
    found = {text, quote(text, safe=""), unquote(text)}
    return sorted((each for each in found if len(each) >= _SHORTEST_TO_SCRUB), key=len, reverse=True)


def remember(text: str) -> None:
    """Have `scrub` remove this text, in all its forms, from now on."""
    global _literals
    with _one_at_a_time:
        _literals = tuple(sorted({*_literals, *forms(text)}, key=len, reverse=True))


def hide(text: str, literals: Iterable[str]) -> str:
    """`text` without these literals, of which the longest come first."""
    for literal in literals:
        if literal in text:
            text = text.replace(literal, HIDDEN)
    return text


def scrub(text: str) -> str:
    """`text` without any secret this process has held."""
    return hide(text, _literals)


class ScrubbingFilter(logging.Filter):
    """Rewrites each record of the logger it is attached to, its traceback included."""

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # A log call with the wrong arguments: a fault of ours that must not become the caller's.
            message = f"{record.msg} {record.args!r}"
        record.msg, record.args = scrub(message), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = scrub("".join(traceback.format_exception(*record.exc_info)).rstrip())
            record.exc_info = None
        return True


def make_logger() -> logging.Logger:
    """The pack's logger, `cloud_history`, with the filter attached once."""
    logger = logging.getLogger("cloud_history")
    if not any(isinstance(each, ScrubbingFilter) for each in logger.filters):
        logger.addFilter(ScrubbingFilter())
    return logger


log = make_logger()
