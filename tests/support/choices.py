"""Random values made of bytes that Hypothesis draws at once: drawing every part of a value takes ten times as long.

Bytes that are zero or used up choose what is simplest, so that what fails still shrinks to something small.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from hypothesis import strategies as st

T = TypeVar("T")


class Choices:
    """Reads choices from bytes, one after the other."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def take(self, size: int) -> bytes:
        """The next bytes."""
        at, self._at = self._at, self._at + size
        return self._raw[at : self._at].ljust(size, b"\0")

    def below(self, end: int) -> int:
        """A number from 0 up to this one, without it."""
        return int.from_bytes(self.take(1 if end <= 32 else 2), "big") % end

    def one_of(self, values: Sequence[T]) -> T:
        """One of these."""
        return values[self.below(len(values))]

    def several(self, make: Callable[[], T], most: int, least: int = 0) -> list[T]:
        """So many of what is made."""
        return [make() for _ in range(least + self.below(most - least + 1))]

    def order(self, values: Sequence[T]) -> list[T]:
        """The values in any order."""
        left = list(values)
        return [left.pop(self.below(len(left))) for _ in values]

    def uuid(self) -> str:
        """Any UUID."""
        return str(UUID(bytes=self.take(16)))

    def tree(self, leaf: Callable[[], T], grow: Callable[[Callable[[], T]], T], levels: int) -> T:
        """A leaf, or what grows from more of the same, up to so many levels deep."""
        if self.below(256) < 256 - 48 * levels:
            return leaf()
        return grow(lambda: self.tree(leaf, grow, levels - 1))


def made_of(make: Callable[[Choices], T], size: int) -> st.SearchStrategy[T]:
    """Whatever `make` makes of so many bytes."""
    return st.binary(min_size=size, max_size=size).map(lambda raw: make(Choices(raw)))
