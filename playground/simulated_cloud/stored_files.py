"""The files in the storage: their bytes, of which gigabytes need no memory, and the facts that tests compare with."""

from __future__ import annotations

import functools
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from .media import content_of

try:
    import blake3
except ImportError:  # without the package, assets have no hash
    blake3 = None  # type: ignore[assignment]

PERIOD_BYTES = 1_048_573
"""A prime number, so that no piece of a download equals the next one."""
PIECE_BYTES = 64 * 1024


class Content(Protocol):
    """The bytes of one file."""

    @property
    def size(self) -> int:
        """The number of bytes."""

    def part(self, first: int, length: int) -> bytes:
        """Return at most `length` bytes from byte `first` on. Fewer only at the end."""


@dataclass(frozen=True)
class Fixed:
    """A content in memory."""

    body: bytes

    @property
    def size(self) -> int:
        return len(self.body)

    def part(self, first: int, length: int) -> bytes:
        return self.body[first : first + length]


@dataclass(frozen=True)
class Periodic:
    """A content of any size that repeats a megabyte of noise, for videos of gigabytes.

    Attributes:
        seed: another seed gives other bytes.
        size: the number of bytes.
    """

    seed: str
    size: int

    def part(self, first: int, length: int) -> bytes:
        length = min(length, self.size - first)
        block = _noise(self.seed)
        at = first % PERIOD_BYTES
        found = block[at : at + length]
        while len(found) < length:
            found += block[: length - len(found)]
        return found


@functools.lru_cache(maxsize=8)
def _noise(seed: str) -> bytes:
    return random.Random(seed).randbytes(PERIOD_BYTES)


@dataclass(frozen=True)
class FileFacts:
    """What is true of a file, in the books of the cloud. Hashes are lower-case hexadecimal.

    Attributes:
        blake3: None if the `blake3` package is not installed.
    """

    size: int
    sha256: str
    blake3: str | None


def drawn(name: str, width: int, height: int) -> Fixed:
    """Return the content that is drawn for this name."""
    return Fixed(content_of(name, width, height))


@functools.lru_cache(maxsize=4096)
def facts_of_drawn(name: str, width: int, height: int) -> FileFacts:
    """Return the facts of a drawn file. Takes some milliseconds for a picture, the first time."""
    return _computed(drawn(name, width, height))


def facts_of(content: Fixed | Periodic) -> FileFacts:
    """Return the facts of any content. Takes seconds for gigabytes, the first time."""
    return _facts_of_fixed(content) if isinstance(content, Fixed) else _facts_of_periodic(content)


# Contents in memory stay there as long as their facts, so only a few are kept.
_facts_of_fixed = functools.lru_cache(maxsize=64)(lambda content: _computed(content))
_facts_of_periodic = functools.lru_cache(maxsize=65536)(lambda content: _computed(content))


def _computed(content: Content) -> FileFacts:
    sha256, other = hashlib.sha256(), _new_blake3()
    for piece in pieces(content, 0, content.size):
        sha256.update(piece)
        if other is not None:
            other.update(piece)
    return FileFacts(content.size, sha256.hexdigest(), None if other is None else other.hexdigest())


def _new_blake3() -> Any:
    # Without a type, because the checks may run where the package has no stubs.
    package: Any = blake3
    return None if package is None else package.blake3()


def pieces(content: Content, first: int, end: int) -> Iterator[bytes]:
    """Yield the bytes from `first` up to `end`, which is not included, in pieces of PIECE_BYTES."""
    for at in range(first, end, PIECE_BYTES):
        yield content.part(at, min(PIECE_BYTES, end - at))


def tag_of(content: Content) -> str:
    """Return a text that differs between contents, for an entity tag. Reads only the edges of a periodic content."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(str(content.size).encode())
    if isinstance(content, Periodic):
        digest.update(repr(content.seed).encode())
    else:
        digest.update(content.part(0, content.size))
    return digest.hexdigest()
