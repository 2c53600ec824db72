"""A file of lines that only grows, and begins anew when it is long: whole lines, in the order written, on the disk.

`deletions.jsonl` is written to. When it is full it becomes `deletions.1.jsonl`, that one `deletions.2.jsonl`, and
so on.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import FileRefused
from ..secret import log
from ..tasks.disk import disk_access
from .files import open_private, sync_file, sync_folder, write_whole
from .locks import file_lock

MAX_READ_BYTES = 64 * 1024 * 1024
"""Of one file, from its end: far more than a whole one has, unless it is not ours."""


class AppendLog:
    """Blocking (files): call it off the event loop.

    Args:
        largest: bytes from which on a file is put aside. older: how many of those are kept.
    """

    def __init__(self, path: Path, *, largest: int, older: int) -> None:
        self._path = path
        self._lock_path = path.with_suffix(".gate")
        self._largest = largest
        self._older = older

    def append(self, line: bytes) -> None:
        """Add a line, and have it on the disk. The folder must be there.

        Raises:
            OSError: it is not there, nor any part of it that could be mistaken for a line.
        """
        with file_lock(self._lock_path):
            self._rotate(len(line))
            new = not self._path.exists()
            # Read as well, to see how it ends.
            with disk_access(self._path, len(line)), open_private(self._path, "a+b") as file:
                _append(file, line)
        if new:
            sync_folder(self._path.parent)

    def newest_first(self) -> Generator[bytes, None, None]:
        """All lines, whole or not, the last one first. Holds one file's at a time.

        Raises:
            OSError: the disk does not give one of the files, so what is not among the lines may still be there.
        """
        with closing(self.contents()) as contents:
            for content in contents:
                yield from (each for each in reversed(content.split(b"\n")) if each)

    def contents(self) -> Generator[bytes, None, None]:
        """What is in each file, the newest file first. Raises OSError."""
        with ExitStack() as stack:
            for file in self._opened(stack):
                with disk_access(Path(file.name), self._largest):
                    content = _end_of(file)
                yield content

    def _opened(self, stack: ExitStack) -> list[BinaryIO]:
        # All at once, so that no line is read twice or passed over when another process begins a new file meanwhile.
        with ExitStack() as waiting:
            with suppress(OSError):  # a folder that cannot be written: nobody else writes there either
                waiting.enter_context(file_lock(self._lock_path))
            files: list[BinaryIO] = []
            for number in range(self._older + 1):
                path = self._numbered(number)
                try:
                    file = open_private(path, "rb")
                except FileRefused as exc:
                    log.warning(
                        "A part of the record of deletions can’t be read: %s. %s", exc.strerror, exc.cure
                    )
                except (FileNotFoundError, NotADirectoryError):
                    pass
                else:
                    stack.callback(_close, file)
                    files.append(file)
        return files

    def _rotate(self, coming: int) -> None:
        """Begin a new file, where this one is full. One that cannot be put aside now grows until it can."""
        with suppress(OSError):
            size = self._path.lstat().st_size
            if not size or size + coming <= self._largest:
                return
            # From the oldest on, into the gap that an earlier crash may have left: at no moment is one of them lost.
            last = next((n for n in range(1, self._older) if not self._numbered(n).exists()), self._older)
            for number in range(last, 0, -1):
                os.replace(self._numbered(number - 1), self._numbered(number))
            sync_folder(self._path.parent)

    def _numbered(self, number: int) -> Path:
        return (
            self._path.with_name(f"{self._path.stem}.{number}{self._path.suffix}") if number else self._path
        )


def _end_of(file: BinaryIO) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MAX_READ_BYTES))
    return file.read(MAX_READ_BYTES)


def _close(file: BinaryIO) -> None:
    # It was read, whatever the disk says of it now.
    with suppress(OSError), disk_access(Path(file.name)):
        file.close()


def _append(file: BinaryIO, line: bytes) -> None:
    before = file.seek(0, os.SEEK_END)
    if before:
        file.seek(before - 1)
        if file.read(1) != b"\n":
            line = b"\n" + line  # after half a line, which a crash left
    try:
        write_whole(file, line + b"\n")
        sync_file(file)
    except BaseException:
        with suppress(OSError):
            file.truncate(before)
        raise
