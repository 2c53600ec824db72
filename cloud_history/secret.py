"""Keeping the API key out of sight.

`Secret` never shows what it holds. `scrub` is what every text from outside goes through before anybody
sees it, and `ScrubbingFilter` the last line of defence on the log.
"""

from __future__ import annotations

import hmac
import json
import logging
import re
import secrets
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from html import escape
from typing import NamedTuple
from urllib.parse import quote, unquote

from .forks import ForkSafeLock

HIDDEN = "[hidden]"
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Characters that move the cursor, break a line or turn the direction, and halves of characters."""
_SET_IN = "    "

_MIN_CHARACTERS_TO_HINT = 16
_MIN_CHARACTERS_TO_SCRUB = 4
_MIN_PART_CHARACTERS = 16
"""Characters of a long secret that are hidden where they stand alone: a server may have cut its text in a key."""
_BLOCK = 8
_literals: tuple[Literal, ...] = ()
"""What `scrub` removes, the longest first."""
_shortest = _MIN_CHARACTERS_TO_SCRUB
"""No shorter text can hold any of it."""
_one_at_a_time = ForkSafeLock()


_DIGEST_KEY = secrets.token_bytes(32)


class Secret:
    """A text that is never shown. `reveal()` is for the request header alone."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        remember(text)

    def reveal(self) -> str:
        return self._text

    def digest(self, about: str) -> str:
        """A name for this text and another one that tells nothing of this one, and is good in this process alone."""
        named = f"{about}\n{self._text}".encode("utf-8", "surrogatepass")
        return hmac.new(_DIGEST_KEY, named, "sha256").hexdigest()[:32]

    @property
    def last4(self) -> str:
        """The last four characters, or "" for a text shorter than 16: a larger part of it would show."""
        return self._text[-4:] if len(self._text) >= _MIN_CHARACTERS_TO_HINT else ""

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


class Literal(NamedTuple):
    """A text that is hidden wherever it stands, in any case.

    Attributes:
        text: in lower case.
        shortest_part: a part of it that is this long is hidden too.
        blocks: at least one of these is in every such part.
    """

    text: str
    shortest_part: int
    blocks: tuple[str, ...]


def literals_of(text: str) -> list[Literal]:
    """The secret plain, and as it stands in a URL, in JSON, in HTML or in a `repr`; none too short to be one."""
    urls = (quote(text, safe=""), unquote(text))
    quoted = (json.dumps(text)[1:-1], escape(text), repr(text)[1:-1])
    found = {_folded(each) for each in (text, *urls, *quoted)}
    return [_literal(each) for each in found if len(each) >= _MIN_CHARACTERS_TO_SCRUB]


def _literal(text: str) -> Literal:
    if len(text) < 2 * _MIN_PART_CHARACTERS:
        return Literal(text, len(text), (text,))
    # A run of 16 characters holds one of these whole, wherever it begins.
    blocks = dict.fromkeys(text[at : at + _BLOCK] for at in range(0, len(text) - _BLOCK + 1, _BLOCK))
    return Literal(text, _MIN_PART_CHARACTERS, tuple(blocks))


def remember(text: str) -> None:
    """Have `scrub` remove this text, in all its forms, from now on."""
    global _literals, _shortest
    with _one_at_a_time:
        found = {*_literals, *literals_of(text)}
        _literals = tuple(sorted(found, key=lambda each: (-len(each.text), each.text)))
        _shortest = min((each.shortest_part for each in _literals), default=_MIN_CHARACTERS_TO_SCRUB)


def scrub(text: str) -> str:
    """Return `text` without any secret that this process has held, nor a long part of one.

    Scrub a text before it is cut, or half a secret remains that nobody recognises.
    """
    if len(text) < _shortest:
        return text
    folded = _folded(text)
    for literal in _literals:
        if literal.text in folded:
            text = _without(text, literal, len(literal.text))
            folded = _folded(text)
    for literal in _literals:
        if any(block in folded for block in literal.blocks):
            text = _without(text, literal, literal.shortest_part)
            folded = _folded(text)
    return text


def holds(text: str, secret: str) -> bool:
    """Return whether the secret stands in `text`, whole, in any of its forms."""
    folded = _folded(text)
    return any(literal.text in folded for literal in literals_of(secret))


def _without(text: str, literal: Literal, shortest: int) -> str:
    """`text` with each part of `literal` that is this long replaced."""
    folded = _folded(text)
    kept: list[str] = []
    done = at = 0
    # One search for all of them: one each would read the rest of the text again and again.
    blocks = re.compile("|".join(map(re.escape, literal.blocks)))
    while match := blocks.search(folded, at):
        start, end = max(_parts(folded, literal.text, match, done), key=lambda each: each[1] - each[0])
        if end - start >= shortest:
            kept += (text[done:start], HIDDEN)
            done = at = end
        else:
            at = match.start() + 1
    return "".join((*kept, text[done:]))


def _parts(folded: str, whole: str, block: re.Match[str], done: int) -> Iterator[tuple[int, int]]:
    """Where the parts of `whole` begin and end that this block belongs to; none begins before `done`."""
    for number in range(0, len(whole), _BLOCK):
        if not whole.startswith(block[0], number):
            continue
        first = last = block.start()
        shift = number - first
        while first > max(done, -shift) and folded[first - 1] == whole[first - 1 + shift]:
            first -= 1
        while last < min(len(folded), len(whole) - shift) and folded[last] == whole[last + shift]:
            last += 1
        yield first, last


def _folded(text: str) -> str:
    """`text` in lower case, each character where it was."""
    folded = text.lower()
    if len(folded) == len(text):
        return folded
    return "".join(low if len(low := each.lower()) == 1 else each for each in text)


_operation: ContextVar[str] = ContextVar("operation", default="")
SHORT_ID_CHARACTERS = 8


@contextmanager
def log_about(operation: str) -> Iterator[None]:
    """Begin the log lines that are written within, also in our threads, with the start of this operation's id."""
    token = _operation.set(operation)
    try:
        yield
    finally:
        _operation.reset(token)


class ScrubbingFilter(logging.Filter):
    """Rewrites each record of the logger it is attached to, its traceback included.

    A text that came from elsewhere can hold a line break and then what looks like another entry of the log, or
    commands for a terminal. So each further line is set in, and control characters are written out.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # A log call with the wrong arguments: a fault of ours that must not become the caller's.
            message = f"{record.msg} {record.args!r}"
        operation = _operation.get()
        about = f"[{operation[:SHORT_ID_CHARACTERS]}] " if operation else ""
        record.msg, record.args = about + _fit_for_a_log(message), None
        if record.exc_info and record.exc_info[0] is not None:
            text = "".join(traceback.format_exception(*record.exc_info))
            record.exc_text = _SET_IN + _fit_for_a_log(text.rstrip())
            record.exc_info = None
        return True


def visible_controls(text: str) -> str:
    """`text` with control and direction characters, line breaks among them, written out as `\\x1b` or `\\u202e`."""
    return CONTROL.sub(lambda each: each[0].encode("unicode_escape").decode("ascii"), text)


def _fit_for_a_log(text: str) -> str:
    first, *others = map(visible_controls, scrub(text).replace("\r\n", "\n").split("\n"))
    # Those that are set in stay as they are: where the pack is imported twice, each import has its filter here.
    return "\n".join([first, *(line if line.startswith(_SET_IN) else _SET_IN + line for line in others)])


def make_logger() -> logging.Logger:
    """The pack's logger, `cloud_history`, with the filter attached once."""
    logger = logging.getLogger("cloud_history")
    if not any(isinstance(each, ScrubbingFilter) for each in logger.filters):
        logger.addFilter(ScrubbingFilter())
    return logger


log = make_logger()
