"""Locks on files, which the system frees when their process ends, however it ends."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from .private_files import open_private

if os.name == "nt":
    import msvcrt

    _FAR_BEYOND_THE_TEXT = 1 << 30

    def _lock(file: BinaryIO, wait: bool) -> None:
        # Windows refuses even reading what is locked, so the locked byte is not one of the text's.
        file.seek(_FAR_BEYOND_THE_TEXT)
        mode = msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK  # type: ignore[attr-defined,unused-ignore]
        msvcrt.locking(file.fileno(), mode, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def _lock(file: BinaryIO, wait: bool) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}


def try_lock(file: BinaryIO) -> bool:
    """Lock an open file; False where somebody else has. The lock goes when the file is closed."""
    try:
        _lock(file, wait=False)
    except OSError as exc:
        # A file system without locks: what the process itself knows has to do.
        return exc.errno not in _TAKEN
    return True


@contextmanager
def gate(path: Path) -> Iterator[None]:
    """One at a time through here, for the moment it takes to try a lock: looking at one must not look like having it.

    Raises:
        OSError: the file cannot be made.
    """
    with open_private(path, "a+b", mend=True) as file:
        try:
            _lock(file, wait=True)
        except OSError as exc:
            if exc.errno in _TAKEN:
                raise
        yield
