"""Recording which file a thread accesses, so that the caller can detect a disk that has stopped answering."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

MIN_BYTES_PER_SECOND = 1_000_000
"""A disk that is slower than this counts as not answering."""


@dataclass
class DiskAccess:
    """The current file access of one thread.

    Attributes:
        path: the file that the thread accesses, or None if it does not access a file.
        since: when the access began or ended, by `time.monotonic`.
        extra: seconds allowed in addition to the usual limit, because the file is large.
    """

    path: Path | None = None
    since: float = 0.0
    extra: float = 0.0


current: ContextVar[DiskAccess | None] = ContextVar("current", default=None)
"""The file access of the work that runs in this thread, or None if no caller waits for the work."""


@contextmanager
def disk_access(path: Path, size: int = 0) -> Iterator[None]:
    """Record that the code inside the `with` block accesses this file.

    Args:
        size: number of bytes to read or write. More bytes may take more time.

    Raises:
        OSError: passed through from the code inside. The file's name is added, because the system omits it for files
            that are open.
    """
    step = current.get()
    before = (step.path, step.extra) if step else (None, 0.0)
    if step:
        step.path, step.since, step.extra = path, time.monotonic(), size / MIN_BYTES_PER_SECOND
    try:
        yield
    except OSError as exc:
        # The message of an error with a `cure` contains the file's name already.
        if exc.filename is None and not hasattr(exc, "cure"):
            exc.filename = str(path)
        raise
    finally:
        if step:
            (step.path, step.extra), step.since = before, time.monotonic()
