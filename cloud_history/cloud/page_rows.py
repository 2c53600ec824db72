"""Reading a page of jobs row by row, so that what is not wanted of it never has to be kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..json_pieces import NotJson, Pause, Reader, expect, skip


def read_page(
    text: str, take: Callable[[Any], None], pause: Pause = lambda: None, rows_at: str = "jobs"
) -> dict[str, Any]:
    """The members of a JSON object. The rows in the array `rows_at` are given to `take` one by one, and it is empty.

    Args:
        pause: called between two steps, to let others work.

    Raises:
        NotJson: when the text turns out to be something else; what was given before stands.
    """
    members: dict[str, Any] = {}
    reader = Reader(text, pause)
    at = expect(text, skip(text, 0), "{")
    if text[at : at + 1] == "}":
        _end(text, at + 1)
        return members
    while True:
        name, at = reader.value(at)
        if not isinstance(name, str):
            raise NotJson("a member without a name")
        at = expect(text, skip(text, at), ":")
        if name != rows_at or text[at : at + 1] != "[":
            members[name], at = reader.value(at)
        elif name in members:
            raise NotJson("the rows twice")
        else:
            members[name] = []
            at = _rows(reader, text, at + 1, take)
        at = skip(text, at)
        if text[at : at + 1] == "}":
            _end(text, at + 1)
            return members
        at = expect(text, at, ",")


def _rows(reader: Reader, text: str, at: int, take: Callable[[Any], None]) -> int:
    at = skip(text, at)
    if text[at : at + 1] == "]":
        return at + 1
    while True:
        row, at = reader.value(at)
        take(row)
        at = skip(text, at)
        if text[at : at + 1] == "]":
            return at + 1
        at = expect(text, at, ",")


def _end(text: str, at: int) -> None:
    if text[skip(text, at) :]:
        raise NotJson("something follows the page")
