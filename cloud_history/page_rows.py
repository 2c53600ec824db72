"""Reading a page of jobs row by row, so that no single step holds up the event loop.

A page of 1,000 failed jobs is 3.4 MB of JSON. `json.loads` would hold Python's lock for all of it; row by row, in a
thread, the lock is free between two rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from typing import Any

_DECODER = json.JSONDecoder()
_SPACES = frozenset(" \t\n\r")
_SPACE = re.compile(r"[ \t\n\r]*")


class NotAPage(ValueError):
    """The text is no JSON object, or is cut short."""


Member = tuple[str, Any]


def read_page(text: str, rows_at: str = "jobs") -> Generator[Member, None, None]:
    """The members of a JSON object, in order; those of the array `rows_at` one by one, as ("jobs[]", row).

    Raises:
        NotAPage: when the text turns out to be something else; what was given before stands.
    """
    try:
        at = _expect(text, _skip(text, 0), "{")
        if text[at : at + 1] == "}":
            _end(text, at + 1)
            return
        while True:
            name, at = _value(text, at)
            if not isinstance(name, str):
                raise NotAPage("a member without a name")
            at = _expect(text, _skip(text, at), ":")
            if name == rows_at and text[at : at + 1] == "[":
                yield name, []
                at = yield from _rows(text, at + 1, f"{name}[]")
            else:
                value, at = _value(text, at)
                if name != f"{rows_at}[]":  # or it would be taken for a row
                    yield name, value
            at = _skip(text, at)
            if text[at : at + 1] == "}":
                _end(text, at + 1)
                return
            at = _expect(text, at, ",")
    except (ValueError, RecursionError) as exc:
        raise NotAPage("not a page of jobs") from exc


def _rows(text: str, at: int, name: str) -> Generator[Member, None, int]:
    at = _skip(text, at)
    if text[at : at + 1] == "]":
        return at + 1
    while True:
        row, at = _value(text, at)
        yield name, row
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            return at + 1
        at = _expect(text, at, ",")


def _value(text: str, at: int) -> tuple[Any, int]:
    value, end = _DECODER.raw_decode(text, _skip(text, at))
    return value, end


def _skip(text: str, at: int) -> int:
    if text[at : at + 1] not in _SPACES:
        return at
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _expect(text: str, at: int, mark: str) -> int:
    if text[at : at + 1] != mark:
        raise NotAPage(f"{mark} is missing")
    return _skip(text, at + 1)


def _end(text: str, at: int) -> None:
    if text[_skip(text, at) :]:
        raise NotAPage("something follows the page")
