"""Parsing and writing large JSON in small steps, so that no step holds the interpreter lock for long.

`json.loads` and `json.dumps` hold the interpreter lock until they are done, even in a thread: parsing 15 MB blocks all
of ComfyUI for a second. This module parses and writes small parts, and calls `pause` between them.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

Pause = Callable[[], None]

WINDOW = 64 * 1024
"""Number of characters decoded in one step."""
MAX_TAIL_CHARACTERS = 3
"""A number this close to the end of a window may be incomplete: "1e-5" may have been cut after "1e-"."""
MAX_SIZE_PER_STEP = 1000
"""Maximum size of a value that is encoded in one step: number of values in it, plus 1 for each 64 characters."""
WORK_SECONDS = 0.001
"""Time between two pauses: much shorter than the 20 ms for which the event loop may be blocked."""
PAUSE_SECONDS = 0.00005

_SPACES = frozenset(" \t\n\r")
_SPACE = re.compile(r"[ \t\n\r]*")
_STRICTLY = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_DECODER = json.JSONDecoder()


class ThreadPauses:
    """A `pause` for work in a thread: sleeps once in WORK_SECONDS, so that other threads get the interpreter lock."""

    def __init__(self) -> None:
        self._due = 0.0

    def __call__(self) -> None:
        if time.perf_counter() >= self._due:
            time.sleep(PAUSE_SECONDS)  # noqa: TID251  (in a thread of its own)
            self._due = time.perf_counter() + WORK_SECONDS


class NotJson(ValueError):
    """The text is not JSON, or is incomplete."""


class JsonTooDeep(NotJson):
    """The text is nested too deeply for Python's parser."""


def loads(text: str, pause: Pause, decoder: json.JSONDecoder = _DECODER) -> Any:
    """Return the value of a JSON text. Raise NotJson if the text is not valid JSON."""
    value, at = Reader(text, pause, decoder).value(skip(text, 0))
    if text[skip(text, at) :]:
        raise NotJson("text follows the JSON value")
    return value


def dumps(value: object, pause: Pause) -> str:
    """Return a value as JSON. NaN and infinity become null.

    Raises:
        TypeError: the value contains an object that JSON cannot represent.
        ValueError: the value contains an integer with more digits than Python converts.
    """
    return "".join(_pieces(value, pause))


class Reader:
    """Parses the values in a JSON text one after the other.

    Args:
        decoder: decodes values that fit into one window. Its `object_pairs_hook` also creates larger objects.
    """

    def __init__(self, text: str, pause: Pause, decoder: json.JSONDecoder = _DECODER) -> None:
        self._text = text
        self._pause = pause
        self._decoder = decoder
        self._start = 0
        self._window = text[:WINDOW]

    def value(self, at: int) -> tuple[Any, int]:
        """Return the value that begins at position `at`, and the position after it.

        Raises:
            JsonTooDeep: the value is nested too deeply.
            NotJson: there is no valid value at this position.
        """
        try:
            return self._value(at)
        except RecursionError as exc:
            raise JsonTooDeep("nested too deeply") from exc
        except ValueError as exc:
            raise NotJson("not JSON") from exc

    def _value(self, at: int) -> tuple[Any, int]:
        self._pause()
        return self._small(at) or self._large(at)

    def _small(self, at: int) -> tuple[Any, int] | None:
        """Return the value at `at` if it fits into a window, the current one or one that begins at `at`; else None."""
        if self._start <= at < self._start + len(self._window):
            found = self._within(at - self._start)
            if found is not None or at == self._start:
                return found
        self._start, self._window = at, self._text[at : at + WINDOW]
        return self._within(0)

    def _within(self, offset: int) -> tuple[Any, int] | None:
        try:
            value, end = self._decoder.raw_decode(self._window, offset)
        except (ValueError, RecursionError):
            return None
        # A number at the end of the window may be cut: "1." and "1e" are parsed as 1.
        may_go_on = isinstance(value, (int, float)) and len(self._window) - end < MAX_TAIL_CHARACTERS
        if may_go_on and self._start + len(self._window) < len(self._text):
            return None
        return value, self._start + end

    def _large(self, at: int) -> tuple[Any, int]:
        mark = self._text[at : at + 1]
        if mark == "[":
            return self._array(at)
        if mark == "{":
            return self._object(at)
        return self._decoder.raw_decode(self._text, at)

    def _array(self, at: int) -> tuple[list[Any], int]:
        text, values = self._text, list[Any]()
        at = skip(text, at + 1)
        if text[at : at + 1] == "]":
            return values, at + 1
        while True:
            value, at = self._value(at)
            values.append(value)
            at = skip(text, at)
            if text[at : at + 1] == "]":
                return values, at + 1
            at = expect(text, at, ",")

    def _object(self, at: int) -> tuple[Any, int]:
        text, pairs = self._text, list[tuple[str, Any]]()
        at = skip(text, at + 1)
        if text[at : at + 1] == "}":
            return self._build_object(pairs), at + 1
        while True:
            name, at = self._value(at)
            if not isinstance(name, str):
                raise NotJson("a member without a name")
            value, at = self._value(expect(text, skip(text, at), ":"))
            pairs.append((name, value))
            at = skip(text, at)
            if text[at : at + 1] == "}":
                return self._build_object(pairs), at + 1
            at = expect(text, at, ",")

    def _build_object(self, pairs: list[tuple[str, Any]]) -> Any:
        hook: Any = self._decoder.object_pairs_hook
        return dict(pairs) if hook is None else hook(pairs)


def skip(text: str, at: int) -> int:
    """Return the first position from `at` on that is not white space."""
    if text[at : at + 1] not in _SPACES:
        return at
    match = _SPACE.match(text, at)
    return match.end() if match else at


def expect(text: str, at: int, mark: str) -> int:
    """Return the position of the first character after `mark` and white space. Raise NotJson if `mark` is missing."""
    if text[at : at + 1] != mark:
        raise NotJson(f"{mark} is missing")
    return skip(text, at + 1)


def _pieces(value: object, pause: Pause) -> Iterator[str]:
    pause()
    if isinstance(value, str) and len(value) > MAX_SIZE_PER_STEP * 64:
        yield from _pieces_of_text(value, pause)
    elif isinstance(value, (list, tuple)) and not _fits_one_step(value):
        mark = "["
        for each in value:
            yield mark
            yield from _pieces(each, pause)
            mark = ","
        yield "]"
    elif isinstance(value, dict) and not _fits_one_step(value):
        mark = "{"
        for name, each in value.items():
            yield mark
            yield _encode(name if isinstance(name, str) else str(name))
            yield ":"
            yield from _pieces(each, pause)
            mark = ","
        yield "}"
    else:
        yield _encode(value)


def _encode(value: object) -> str:
    try:
        return _STRICTLY(value)
    except ValueError:
        return _STRICTLY(_finite(value))


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, (list, tuple)) else value


def _pieces_of_text(text: str, pause: Pause) -> Iterator[str]:
    yield '"'
    for at in range(0, len(text), MAX_SIZE_PER_STEP * 64):
        pause()
        yield _encode(text[at : at + MAX_SIZE_PER_STEP * 64])[1:-1]
    yield '"'


def _fits_one_step(value: object) -> bool:
    left, waiting = MAX_SIZE_PER_STEP, [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            left -= 1 + len(each) // 64
        elif isinstance(each, (list, tuple, dict)):
            left -= 1 + len(each)
            if left >= 0:
                waiting += each.values() if isinstance(each, dict) else each
        if left < 0:
            return False
    return True
