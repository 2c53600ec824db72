"""Reading and writing large JSON in pieces, so that no single step keeps Python's lock for long.

`json.loads` and `json.dumps` hold the lock from the first byte to the last, in whichever thread they run: 15 MB stop
all of ComfyUI for a second. Here both get small parts alone, and `pause` is called between two of them.
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
"""Characters that are decoded in one step."""
MAX_TAIL_CHARACTERS = 3
"""Characters that may follow a number and be a part of it: "e-" without its digits."""
LIGHT = 1000
"""Values, and 64 characters of text, that are encoded in one step."""
WORK_SECONDS = 0.001
"""Seconds of work before a pause: short beside the 20 ms that the event loop may wait."""
PAUSE_SECONDS = 0.00005
"""Seconds."""

_SPACES = frozenset(" \t\n\r")
_SPACE = re.compile(r"[ \t\n\r]*")
_STRICTLY = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_DECODER = json.JSONDecoder()


class ThreadPauses:
    """Lets go of Python's lock after each stretch of work, for long enough that a thread that waits for it gets it."""

    def __init__(self) -> None:
        self._due = 0.0

    def __call__(self) -> None:
        if time.perf_counter() >= self._due:
            time.sleep(PAUSE_SECONDS)  # noqa: TID251  (in a thread of its own)
            self._due = time.perf_counter() + WORK_SECONDS


class NotJson(ValueError):
    """The text is no JSON, or is cut short."""


class JsonTooDeep(NotJson):
    """The text is nested more deeply than Python can read it."""


def loads(text: str, pause: Pause, decoder: json.JSONDecoder = _DECODER) -> Any:
    """Read a text.

    Raises:
        NotJson: it is none.
    """
    value, at = Reader(text, pause, decoder).value(skip(text, 0))
    if text[skip(text, at) :]:
        raise NotJson("something follows")
    return value


def dumps(value: object, pause: Pause) -> str:
    """Write a value: strings for names, and what `json` knows. A number that is not finite is null: JSON has none.

    Raises:
        ValueError, TypeError: there is something in it that is no JSON.
    """
    return "".join(_pieces(value, pause))


class Reader:
    """Reads values out of a text.

    Args:
        decoder: how small values and the members of objects are made.
    """

    def __init__(self, text: str, pause: Pause, decoder: json.JSONDecoder = _DECODER) -> None:
        self._text = text
        self._pause = pause
        self._decoder = decoder
        self._start = 0
        self._window = text[:WINDOW]

    def value(self, at: int) -> tuple[Any, int]:
        """The value that begins here, and where it ends. Raises NotJson, JsonTooDeep."""
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
        """The value, where it ends within the window, or within one that begins with it."""
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
        # Near the end of the window a number may go on: "1." and "1e" read as 1.
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
            return self._made(pairs), at + 1
        while True:
            name, at = self._value(at)
            if not isinstance(name, str):
                raise NotJson("a member without a name")
            value, at = self._value(expect(text, skip(text, at), ":"))
            pairs.append((name, value))
            at = skip(text, at)
            if text[at : at + 1] == "}":
                return self._made(pairs), at + 1
            at = expect(text, at, ",")

    def _made(self, pairs: list[tuple[str, Any]]) -> Any:
        hook: Any = self._decoder.object_pairs_hook
        return dict(pairs) if hook is None else hook(pairs)


def skip(text: str, at: int) -> int:
    """Where the white space ends that may be here."""
    if text[at : at + 1] not in _SPACES:
        return at
    match = _SPACE.match(text, at)
    return match.end() if match else at


def expect(text: str, at: int, mark: str) -> int:
    """Where the next value begins, after this mark. Raises NotJson: there is another one."""
    if text[at : at + 1] != mark:
        raise NotJson(f"{mark} is missing")
    return skip(text, at + 1)


def _pieces(value: object, pause: Pause) -> Iterator[str]:
    pause()
    if isinstance(value, str) and len(value) > LIGHT * 64:
        yield from _pieces_of_text(value, pause)
    elif isinstance(value, (list, tuple)) and not _is_light(value):
        mark = "["
        for each in value:
            yield mark
            yield from _pieces(each, pause)
            mark = ","
        yield "]"
    elif isinstance(value, dict) and not _is_light(value):
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
    for at in range(0, len(text), LIGHT * 64):
        pause()
        yield _encode(text[at : at + LIGHT * 64])[1:-1]
    yield '"'


def _is_light(value: object) -> bool:
    left, waiting = LIGHT, [value]
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
