"""Hiding the API key and other secrets.

`Secret` never shows its text. Every text from outside this process goes through `scrub`, which removes secrets, before
it is used. `ScrubbingFilter` removes secrets from every log record.
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
"""Control characters, line separators, direction marks and lone surrogates."""
_INDENT = "    "

_MIN_CHARACTERS_TO_HINT = 16
_MIN_CHARACTERS_TO_SCRUB = 4
_MIN_PART_CHARACTERS = 16
"""A part of a secret of at least this length is hidden too, because a server may cut a text in the middle of a key."""
_BLOCK = 8
_literals: tuple[Literal, ...] = ()
"""The texts that `scrub` removes, longest first."""
_shortest = _MIN_CHARACTERS_TO_SCRUB
"""A text with fewer characters cannot contain a secret."""
_literals_lock = ForkSafeLock()


_DIGEST_KEY = secrets.token_bytes(32)


class Secret:
    """A text that is never shown. Call `reveal()` only to build the request header."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        remember(text)

    def reveal(self) -> str:
        return self._text

    def digest(self, about: str) -> str:
        """Return an id for the pair of `about` and the secret.

        The id does not reveal the secret, and is different in each process.
        """
        named = f"{about}\n{self._text}".encode("utf-8", "surrogatepass")
        return hmac.new(_DIGEST_KEY, named, "sha256").hexdigest()[:32]

    @property
    def last4(self) -> str:
        """The last four characters, or "" for a text of less than 16 characters: four would reveal too much of it."""
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
        raise TypeError("a Secret cannot be pickled")


class Literal(NamedTuple):
    """One form of a secret, such as the form in a URL. It is hidden in upper and lower case.

    Attributes:
        text: the form, in lower case.
        shortest_part: a part of `text` with at least this length is hidden too.
        blocks: pieces of `text`; every part of that length contains at least one of them.
    """

    text: str
    shortest_part: int
    blocks: tuple[str, ...]


def literals_of(text: str) -> list[Literal]:
    """Return the forms of a secret: unchanged, and as escaped in a URL, in JSON, in HTML and by `repr`."""
    urls = (quote(text, safe=""), unquote(text))
    quoted = (json.dumps(text)[1:-1], escape(text), repr(text)[1:-1])
    found = {_folded(each) for each in (text, *urls, *quoted)}
    return [_literal(each) for each in found if len(each) >= _MIN_CHARACTERS_TO_SCRUB]


def _literal(text: str) -> Literal:
    if len(text) < 2 * _MIN_PART_CHARACTERS:
        return Literal(text, len(text), (text,))
    # Any 16 consecutive characters of the text contain at least one whole block of 8.
    blocks = dict.fromkeys(text[at : at + _BLOCK] for at in range(0, len(text) - _BLOCK + 1, _BLOCK))
    return Literal(text, _MIN_PART_CHARACTERS, tuple(blocks))


def remember(text: str) -> None:
    """Make `scrub` remove this text, in all forms from `literals_of`, from now on."""
    global _literals, _shortest
    with _literals_lock:
        found = {*_literals, *literals_of(text)}
        _literals = tuple(sorted(found, key=lambda each: (-len(each.text), each.text)))
        _shortest = min((each.shortest_part for each in _literals), default=_MIN_CHARACTERS_TO_SCRUB)


def scrub(text: str) -> str:
    """Return `text` with each secret of this process, and each long part of a secret, replaced by "[hidden]".

    Call it before a text is cut, because a short part of a secret is not recognised.
    """
    if len(text) < _shortest:
        return text
    folded = _folded(text)
    for literal in _literals:
        if literal.text in folded:
            text = _hide_parts(text, literal, len(literal.text))
            folded = _folded(text)
    for literal in _literals:
        if any(block in folded for block in literal.blocks):
            text = _hide_parts(text, literal, literal.shortest_part)
            folded = _folded(text)
    return text


def holds(text: str, secret: str) -> bool:
    """Return whether `text` contains the whole secret in any of its forms."""
    folded = _folded(text)
    return any(literal.text in folded for literal in literals_of(secret))


def _hide_parts(text: str, literal: Literal, shortest: int) -> str:
    """Return `text` with each part of `literal` of at least `shortest` characters replaced."""
    folded = _folded(text)
    kept: list[str] = []
    done = at = 0
    # One regular expression for all blocks, so that the text is searched only once.
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
    """Yield the start and end of each part of `whole` in `folded` around this block that begins at `done` or later."""
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
    """Return `text` in lower case. Characters whose lower case is longer stay unchanged, so that positions match."""
    folded = text.lower()
    if len(folded) == len(text):
        return folded
    return "".join(low if len(low := each.lower()) == 1 else each for each in text)


_operation: ContextVar[str] = ContextVar("operation", default="")
SHORT_ID_CHARACTERS = 8


@contextmanager
def log_about(operation: str) -> Iterator[None]:
    """Prefix each log line written in the `with` block with the start of the operation's id.

    Also applies to lines that this pack's threads write for the operation.
    """
    token = _operation.set(operation)
    try:
        yield
    finally:
        _operation.reset(token)


class ScrubbingFilter(logging.Filter):
    """Removes secrets from each record of a logger, including its traceback.

    A text from a server can contain a line break followed by a fake log entry, or escape codes for a terminal. So all
    lines after the first are indented, and control characters are escaped.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):
            # A log call whose arguments do not fit its message must not raise in the caller.
            message = f"{record.msg} {record.args!r}"
        operation = _operation.get()
        about = f"[{operation[:SHORT_ID_CHARACTERS]}] " if operation else ""
        record.msg, record.args = about + _format_for_log(message), None
        if record.exc_info and record.exc_info[0] is not None:
            text = "".join(traceback.format_exception(*record.exc_info))
            record.exc_text = _INDENT + _format_for_log(text.rstrip())
            record.exc_info = None
        return True


def visible_controls(text: str) -> str:
    """Return `text` with control characters, line breaks included, escaped as `\\x1b` or `\\u202e`."""
    return CONTROL.sub(lambda each: each[0].encode("unicode_escape").decode("ascii"), text)


def _format_for_log(text: str) -> str:
    first, *others = map(visible_controls, scrub(text).replace("\r\n", "\n").split("\n"))
    # If the pack is imported twice, the logger has two filters, and the second one must not indent lines again.
    return "\n".join([first, *(line if line.startswith(_INDENT) else _INDENT + line for line in others)])


log = logging.getLogger("cloud_history")
"""The pack's logger."""
log.addFilter(ScrubbingFilter())
