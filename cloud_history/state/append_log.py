"""A log file to which lines are only ever appended, with rotation.

A full `deletions.jsonl` is renamed to `deletions.1.jsonl`; an older `deletions.1.jsonl` becomes `deletions.2.jsonl`.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import FileRefused
from ..secret import log
from ..tasks.disk import disk_access
from .files import open_private, sync_file, sync_folder, write_whole
from .locks import file_lock

MAX_READ_BYTES = 64 * 1024 * 1024
"""Only this many bytes at the end of each file are read. The files of this pack are far smaller."""


class AppendLog:
    """A log with rotation. Its methods access files: call them in a thread.

    Args:
        largest: size in bytes at which a file is rotated.
        older: number of rotated files to keep.
    """

    def __init__(self, path: Path, *, largest: int, older: int) -> None:
        self._path = path
        self._lock_path = path.with_suffix(".gate")
        self._largest = largest
        self._older = older

    def append(self, lines: Sequence[bytes]) -> None:
        """Append lines to one file and sync them to the disk. The folder must exist.

        Raises:
            OSError: the lines could not be written. Any written part of them was removed.
        """
        content = b"\n".join(lines)
        with file_lock(self._lock_path):
            self._rotate(len(content))
            new = not self._path.exists()
            # Mode "a+", because `_append` reads the last byte before it writes.
            with disk_access(self._path, len(content)), open_private(self._path, "a+b") as file:
                _append(file, content)
        if new:
            sync_folder(self._path.parent)

    def newest_first(self) -> Generator[bytes, None, None]:
        """Yield all lines, including incomplete ones, the newest first. Only one file is in memory at a time.

        Raises:
            OSError: a file cannot be read, so lines may be missing.
        """
        with closing(self.contents()) as contents:
            for content in contents:
                yield from (each for each in reversed(content.split(b"\n")) if each)

    def contents(self) -> Generator[bytes, None, None]:
        """Yield the content of each file, the newest first. Raise OSError if a file cannot be read."""
        with ExitStack() as stack:
            for file in self.open_all(stack):
                with disk_access(Path(file.name), self._largest):
                    size = file.seek(0, os.SEEK_END)
                    file.seek(max(0, size - MAX_READ_BYTES))
                    content = file.read(MAX_READ_BYTES)
                yield content

    def open_all(self, stack: ExitStack) -> list[BinaryIO]:
        """Return all files of the log, open for reading, the newest first. `stack` closes them.

        Raises:
            OSError: a file cannot be read.
        """
        # All files are opened before one is read, so that a rotation by another process cannot hide or repeat lines.
        with ExitStack() as locked:
            with suppress(OSError):  # no process can rotate files in a read-only folder
                locked.enter_context(file_lock(self._lock_path))
            files: list[BinaryIO] = []
            for number in range(self._older + 1):
                path = self._numbered(number)
                try:
                    file = open_private(path, "rb")
                except FileRefused as exc:
                    log.warning("A file of a log can’t be read: %s. %s", exc.strerror, exc.cure)
                except (FileNotFoundError, NotADirectoryError):
                    pass
                else:
                    stack.callback(_close, file)
                    files.append(file)
        return files

    def _rotate(self, coming: int) -> None:
        """Rotate the files if the current file is full. If that fails, the current file goes on growing."""
        with suppress(OSError):
            size = self._path.lstat().st_size
            if not size or size + coming <= self._largest:
                return
            # Start with the oldest file, or at a gap that a crash left, so that only the oldest file is overwritten.
            last = next((n for n in range(1, self._older) if not self._numbered(n).exists()), self._older)
            for number in range(last, 0, -1):
                os.replace(self._numbered(number - 1), self._numbered(number))
            sync_folder(self._path.parent)

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.stem}.{number}{self._path.suffix}") if number else self._path


def _close(file: BinaryIO) -> None:
    # An error while closing is harmless, because the file was only read.
    with suppress(OSError), disk_access(Path(file.name)):
        file.close()


def _append(file: BinaryIO, content: bytes) -> None:
    before = file.seek(0, os.SEEK_END)
    if before:
        file.seek(before - 1)
        if file.read(1) != b"\n":
            content = b"\n" + content  # end an incomplete line that a crash left
    try:
        write_whole(file, content + b"\n")
        sync_file(file)
    except BaseException:
        with suppress(OSError):
            file.truncate(before)
        raise
