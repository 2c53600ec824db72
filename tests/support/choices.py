"""Random values derived from bytes. Letting Hypothesis draw each part of a value is ten times slower.

Zero or missing bytes choose the simplest value, so that failing examples still shrink.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from hypothesis import strategies as st

T = TypeVar("T")


class Choices:
    """Derives choices from bytes, one after the other."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        at, self._at = self._at, self._at + size
        return self._raw[at : self._at].ljust(size, b"\0")

    def below(self, end: int) -> int:
        """Return a number from 0 to `end` - 1."""
        return int.from_bytes(self.take(1 if end <= 32 else 2), "big") % end

    def one_of(self, values: Sequence[T]) -> T:
        """Return one of the values."""
        return values[self.below(len(values))]

    def several(self, make: Callable[[], T], most: int, least: int = 0) -> list[T]:
        """Return a list of values that `make` returns."""
        return [make() for _ in range(least + self.below(most - least + 1))]

    def order(self, values: Sequence[T]) -> list[T]:
        """Return the values in any order."""
        left = list(values)
        return [left.pop(self.below(len(left))) for _ in values]

    def uuid(self) -> str:
        """Return any UUID."""
        return str(UUID(bytes=self.take(16)))

    def tree(self, leaf: Callable[[], T], grow: Callable[[Callable[[], T]], T], levels: int) -> T:
        """Return a leaf, or a container of trees with a limited depth."""
        if self.below(256) < 256 - 48 * levels:
            return leaf()
        return grow(lambda: self.tree(leaf, grow, levels - 1))


def made_of(make: Callable[[Choices], T], size: int) -> st.SearchStrategy[T]:
    """Return a strategy of the values that `make` derives from bytes."""
    return st.binary(min_size=size, max_size=size).map(lambda raw: make(Choices(raw)))
