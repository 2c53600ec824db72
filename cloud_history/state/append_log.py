"""A log file to which lines are only ever appended, with rotation.

When `deletions.jsonl` is full it is renamed to `deletions.1.jsonl`, that one to `deletions.2.jsonl`, and so on.
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
"""Read from the end of each file: far more than a file of this pack has."""


class AppendLog:
    """A log with rotation. Blocking (files): call it off the event loop.

    Args:
        largest: size in bytes at which a file is rotated. older: number of rotated files to keep.
    """

    def __init__(self, path: Path, *, largest: int, older: int) -> None:
        self._path = path
        self._lock_path = path.with_suffix(".gate")
        self._largest = largest
        self._older = older

    def append(self, line: bytes) -> None:
        """Append a line and sync it to the disk. The folder must exist.

        Raises:
            OSError: the line was not written, and no part of it is left.
        """
        with file_lock(self._lock_path):
            self._rotate(len(line))
            new = not self._path.exists()
            # Mode "a+": the last byte is read before the line is written.
            with disk_access(self._path, len(line)), open_private(self._path, "a+b") as file:
                _append(file, line)
        if new:
            sync_folder(self._path.parent)

    def newest_first(self) -> Generator[bytes, None, None]:
        """Yield all lines, complete or not, the newest first. Keeps one file in memory at a time.

        Raises:
            OSError: one of the files cannot be read, so lines may be missing.
        """
        with closing(self.contents()) as contents:
            for content in contents:
                yield from (each for each in reversed(content.split(b"\n")) if each)

    def contents(self) -> Generator[bytes, None, None]:
        """Yield the content of each file, the newest first. Raises OSError."""
        with ExitStack() as stack:
            for file in self._opened(stack):
                with disk_access(Path(file.name), self._largest):
                    size = file.seek(0, os.SEEK_END)
                    file.seek(max(0, size - MAX_READ_BYTES))
                    content = file.read(MAX_READ_BYTES)
                yield content

    def _opened(self, stack: ExitStack) -> list[BinaryIO]:
        # All are opened at once, so that no line is read twice or missed if another process rotates meanwhile.
        with ExitStack() as locked:
            with suppress(OSError):  # in a folder that cannot be written, no process rotates
                locked.enter_context(file_lock(self._lock_path))
            files: list[BinaryIO] = []
            for number in range(self._older + 1):
                path = self._numbered(number)
                try:
                    file = open_private(path, "rb")
                except FileRefused as exc:
                    log.warning("A part of the record of deletions can’t be read: %s. %s", exc.strerror, exc.cure)
                except (FileNotFoundError, NotADirectoryError):
                    pass
                else:
                    stack.callback(_close, file)
                    files.append(file)
        return files

    def _rotate(self, coming: int) -> None:
        """Rotate the files if the current one is full. If that fails, it goes on growing."""
        with suppress(OSError):
            size = self._path.lstat().st_size
            if not size or size + coming <= self._largest:
                return
            # From the oldest, or into a gap that a crash has left, so that no file is ever overwritten too early.
            last = next((n for n in range(1, self._older) if not self._numbered(n).exists()), self._older)
            for number in range(last, 0, -1):
                os.replace(self._numbered(number - 1), self._numbered(number))
            sync_folder(self._path.parent)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.stem}.{number}{self._path.suffix}") if number else self._path


def _close(file: BinaryIO) -> None:
    # An error here does not matter: the file has been read.
    with suppress(OSError), disk_access(Path(file.name)):
        file.close()


def _append(file: BinaryIO, line: bytes) -> None:
    before = file.seek(0, os.SEEK_END)
    if before:
        file.seek(before - 1)
        if file.read(1) != b"\n":
            line = b"\n" + line  # a crash left an incomplete line
    try:
        write_whole(file, line + b"\n")
        sync_file(file)
    except BaseException:
        with suppress(OSError):
            file.truncate(before)
        raise
