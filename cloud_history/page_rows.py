"""Reading a page of jobs row by row, so that no single step holds up the event loop.

A page of 1,000 failed jobs is 3.4 MB of JSON. `json.loads` would hold Python's lock for all of it; row by row, in a
thread, the lock is free between two rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

_DECODER = json.JSONDecoder()
_SPACES = frozenset(" \t\n\r")
_SPACE = re.compile(r"[ \t\n\r]*")


class NotAPage(ValueError):
    """The text is no JSON object, or is cut short."""


def read_page(text: str, take: Callable[[Any], None], rows_at: str = "jobs") -> dict[str, Any]:
    """The members of a JSON object. The rows in the array `rows_at` are given to `take` one by one, and it is empty.

    Raises:
        NotAPage: when the text turns out to be something else; what was given before stands.
    """
    members: dict[str, Any] = {}
    at = _expect(text, _skip(text, 0), "{")
    if text[at : at + 1] == "}":
        _end(text, at + 1)
        return members
    while True:
        name, at = _value(text, at)
        if not isinstance(name, str):
            raise NotAPage("a member without a name")
        at = _expect(text, _skip(text, at), ":")
        if name != rows_at or text[at : at + 1] != "[":
            members[name], at = _value(text, at)
        elif name in members:
            raise NotAPage("the rows twice")
        else:
            members[name] = []
            at = _rows(text, at + 1, take)
        at = _skip(text, at)
        if text[at : at + 1] == "}":
            _end(text, at + 1)
            return members
        at = _expect(text, at, ",")


def _rows(text: str, at: int, take: Callable[[Any], None]) -> int:
    at = _skip(text, at)
    if text[at : at + 1] == "]":
        return at + 1
    while True:
        row, at = _value(text, at)
        take(row)
        at = _skip(text, at)
        if text[at : at + 1] == "]":
            return at + 1
        at = _expect(text, at, ",")


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError) as exc:
        raise NotAPage("not a page of jobs") from exc


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
