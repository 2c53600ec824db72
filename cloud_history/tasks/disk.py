"""Which file a thread is at, so that whoever waits for the thread knows when the disk has stopped answering."""

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
    """What one thread does with the disk.

    Attributes:
        path: the file that it is at, None while it computes.
        since: when it came there, of a clock that never goes back.
        extra: seconds that it may take there beyond the usual ones, as it is large.
    """

    path: Path | None = None
    since: float = 0.0
    extra: float = 0.0

    def went_on(self, path: Path | None, extra: float) -> None:
        self.path, self.since, self.extra = path, time.monotonic(), extra


current: ContextVar[DiskAccess | None] = ContextVar("current", default=None)
"""That of the work that is done in this thread, where somebody waits for it."""


@contextmanager
def disk_access(path: Path, size: int = 0) -> Iterator[None]:
    """The disk is asked for this file in here, or is given so many bytes of it.

    Raises:
        OSError: as the disk says, with the name of the file: the system leaves it out of what it says of open files.
    """
    step = current.get()
    before = (step.path, step.extra) if step else (None, 0.0)
    if step:
        step.went_on(path, size / MIN_BYTES_PER_SECOND)
    try:
        yield
    except OSError as exc:
        # One with a cure of its own names the file already.
        if exc.filename is None and not hasattr(exc, "cure"):
            exc.filename = str(path)
        raise
    finally:
        if step:
            step.went_on(*before)
