"""Which file a thread is accessing, so that its caller can tell when the disk has stopped answering."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

MIN_BYTES_PER_SECOND = 1_000_000
"""Bytes a second of a disk that still counts as answering."""


@dataclass
class DiskAccess:
    """What one thread is doing with the disk.

    Attributes:
        path: the file it is accessing, or None while it computes.
        since: when it began, by `time.monotonic`.
        extra: seconds allowed beyond the usual limit, because the file is large.
    """

    path: Path | None = None
    since: float = 0.0
    extra: float = 0.0


current: ContextVar[DiskAccess | None] = ContextVar("current", default=None)
"""The access of the work that runs in this thread, if a caller waits for it."""


@contextmanager
def disk_access(path: Path, size: int = 0) -> Iterator[None]:
    """Note that the code inside accesses this file.

    Args:
        size: bytes that are read or written, which set how long it may take.

    Raises:
        OSError: passed through, with the file's name added: the system omits it for files that are open.
    """
    step = current.get()
    before = (step.path, step.extra) if step else (None, 0.0)
    if step:
        step.path, step.since, step.extra = path, time.monotonic(), size / MIN_BYTES_PER_SECOND
    try:
        yield
    except OSError as exc:
        # An error with a `cure` names the file already.
        if exc.filename is None and not hasattr(exc, "cure"):
            exc.filename = str(path)
        raise
    finally:
        if step:
            (step.path, step.extra), step.since = before, time.monotonic()
