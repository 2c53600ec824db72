"""A sink for downloads that keeps everything in memory, and remembers how often it was begun."""

from __future__ import annotations


class MemorySink:
    """Keeps a file in memory.

    Attributes:
        content: the bytes so far.
        begun: the arguments of each `begin`.
        largest: the size of the largest piece.
    """

    def __init__(self, content: bytes = b"") -> None:
        self.content = bytearray(content)
        self.begun: list[tuple[int, int | None, str]] = []
        self.largest = 0

    async def begin(self, at: int, size: int | None, etag: str) -> None:
        assert at <= len(self.content), "more was to be kept than there is"
        self.begun.append((at, size, etag))
        del self.content[at:]

    async def write(self, piece: bytes) -> None:
        assert self.begun, "a piece came before the beginning"
        assert piece
        self.largest = max(self.largest, len(piece))
        self.content += piece
