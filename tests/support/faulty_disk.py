"""A disk that fails: system calls on files in one folder fail at the call that a test names.

The calls of `os` are wrapped, and so are the files that `open_private` returns, whose reading and writing Python's
own code does. A call can fail, do a part of its work, or not return until the test lets it go. What the disk has no
room for is refused by the system itself: see `small_disk`.
"""

from __future__ import annotations

import asyncio
import errno
import io
import os
import pathlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import pytest

from cloud_history.outputs import directory
from cloud_history.state import files, locks

How = Literal["fails", "blocks", "short"]
FAILS: Final = "fails"
BLOCKS: Final = "blocks"
SHORT: Final = "short"
STUCK = 60.0
"""Seconds after which a blocked call returns even when nobody lets it go, so that no test hangs for good."""

_ID = re.compile(r"[0-9a-f]{32}|\d{4}-\d\d-\d\d(?=/|$)|(?<= )[0-9a-f]{8}(?=/|$)")
_BY_PATH = {
    "open": "open",
    "rename": "rename",
    "replace": "rename",
    "remove": "remove",
    "unlink": "remove",
    "mkdir": "mkdir",
    "link": "link",
    "stat": "stat",
    "lstat": "stat",
    "listdir": "list",
    "scandir": "list",
}
"""The functions of `os` by what a test calls them."""
_BY_DESCRIPTOR = {"fsync": "fsync", "fstat": "stat", "fchmod": "chmod", "close": "close"}
_OF_PATHLIB = getattr(pathlib, "_normal_accessor", None)
"""Python 3.10's pathlib keeps the functions of `os` that it found when it was loaded."""
_TAKES_ROOM = {"open", "rename", "link", "mkdir", "write", "fsync", "chmod"}
REFUSABLE = {"open", "rename", "link", "remove", "mkdir", "write", "fsync"}
"""What a full or read-only disk refuses."""


@dataclass
class FaultyDisk:
    """
    Attributes:
        call: the failing call: "open", "rename", "link", "remove", "mkdir", "write", "fsync", "stat", "list", "read",
            "close", "truncate", "chmod" or "lock".
        name: on which file: its path in the folder, with "*" for a date, an operation id, the beginning of a job id or
            a temporary name. "rename" and "link" are named by the new name.
        nth: the number of the matching call that fails.
        how: whether it fails, blocks, or reads or writes less than asked.
        stays: whether all later calls that need space on the disk fail too; if the call blocks, all later calls block.
        trail: all calls, as "call name".
        on_a_loop: the calls that were made on the thread of an event loop, which a slow disk would block.
    """

    folder: Path
    call: str = ""
    name: str = ""
    nth: int = 1
    number: int = errno.ENOSPC
    stays: bool = False
    how: How = FAILS
    trail: list[str] = field(default_factory=list)
    on_a_loop: list[str] = field(default_factory=list)
    fired: int = 0
    _one_at_a_time: threading.RLock = field(default_factory=threading.RLock)
    _released: threading.Event = field(default_factory=threading.Event)
    _looking: threading.local = field(default_factory=threading.local)

    def meets(self, call: str, path: object, *, writes: bool = True) -> bool:
        """Return whether this call does only a part of its work.

        Raises:
            OSError: the test makes this call fail.
        """
        name = self._name_of(path)
        if name is None or getattr(self._looking, "now", False):
            return False
        if not self._is_due(call, name, writes):
            return False
        if self.how == BLOCKS:
            self._released.wait(STUCK)
            return False
        if self.how == SHORT:
            return True
        raise OSError(self.number, os.strerror(self.number))

    def _is_due(self, call: str, name: str, writes: bool) -> bool:
        with self._one_at_a_time:
            step = f"{call} {name}"
            self.trail.append(step)
            on_a_loop = asyncio._get_running_loop() is not None
            if on_a_loop:
                self.on_a_loop.append(step)
            due = step == f"{self.call} {self.name}" and self.trail.count(step) == self.nth
            if self.stays and self.fired:
                due = due or self.how == BLOCKS or (writes and call in _TAKES_ROOM)
            # A call that blocks an event loop's thread would block the test too. It is only recorded.
            if not due or (self.how == BLOCKS and (on_a_loop or self._released.is_set())):
                return False
            self.fired += 1
            return True

    def release(self) -> None:
        """Release every blocked call, and block no later call."""
        self._released.set()

    @contextmanager
    def unseen(self) -> Iterator[None]:
        """Exempt the calls of this thread from faults and from the trail while entered."""
        self._looking.now = True
        try:
            yield
        finally:
            self._looking.now = False

    def _name_of(self, path: object) -> str | None:
        if isinstance(path, int):
            path = path_of(path)
        if not isinstance(path, (str, os.PathLike)):
            return None
        text, top = os.fspath(path), str(self.folder)
        if text == top:
            return "."
        if not isinstance(text, str) or not text.startswith(top + os.sep):
            return None
        return _ID.sub("*", text[len(top) + 1 :])


def path_of(descriptor: int) -> str | None:
    """Return the current path of an open file descriptor."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}").removesuffix(" (deleted)")
    except OSError:
        return None


class _File(io.FileIO):
    """A file whose reading and writing can fail. Python's own file reads and writes in C, which cannot be wrapped."""

    disk: FaultyDisk

    def _meets(self, call: str) -> bool:
        return self.disk.meets(call, self.fileno())

    def readinto(self, buffer: Any) -> int | None:
        view = memoryview(buffer)
        return super().readinto(view[: max(1, len(view) // 2)] if self._meets("read") else view)

    def readall(self) -> bytes:
        return (super().read(1) or b"") + super().readall() if self._meets("read") else super().readall()

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return self.readall()
        return super().read(max(1, size // 2) if self._meets("read") and size else size) or b""

    def write(self, content: Any) -> int | None:  # type: ignore[override]
        view = memoryview(content)
        return super().write(view[: max(1, len(view) // 2)] if self._meets("write") else view)

    def truncate(self, size: int | None = None) -> int:
        self._meets("truncate")
        return super().truncate(size)

    def close(self) -> None:
        path = None if self.closed else path_of(self.fileno())
        super().close()  # the descriptor is closed even if the fault raises
        self.disk.meets("close", path)


@contextmanager
def in_place(disk: FaultyDisk) -> Iterator[FaultyDisk]:
    """Install the faulty disk while entered."""

    class File(_File):
        pass

    File.disk = disk

    def opened_descriptor(descriptor: int, mode: str, buffering: int) -> Any:
        return File(descriptor, mode.replace("b", ""))

    def opened(path: Path, mode: str, buffering: int, opener: Callable[[str, int], int]) -> Any:
        raw = File(str(path), mode.replace("b", ""), opener=opener)
        return io.BufferedReader(raw) if buffering else raw

    write, lock = os.write, locks._lock

    def faulty_write(descriptor: int, content: Any) -> int:
        half = disk.meets("write", descriptor)
        return write(descriptor, memoryview(content)[: max(1, len(content) // 2)] if half else content)

    def faulty_lock(descriptor: int, *, free: bool = False) -> None:
        if not free:
            disk.meets("lock", descriptor)
        lock(descriptor, free=free)

    with pytest.MonkeyPatch.context() as patch:
        for name, call in (_BY_PATH | _BY_DESCRIPTOR).items():
            wrapped = _wrapped(disk, call, getattr(os, name))
            patch.setattr(os, name, wrapped)
            if name != "open" and hasattr(_OF_PATHLIB, name):  # the "open" of this module is wrapped separately
                patch.setattr(_OF_PATHLIB, name, wrapped)
        patch.setattr(os, "write", faulty_write)
        patch.setattr(locks, "_lock", faulty_lock)
        patch.setattr(files, "open", opened, raising=False)
        patch.setattr(directory, "open", opened_descriptor, raising=False)
        try:
            yield disk
        finally:
            disk.release()


def _wrapped(disk: FaultyDisk, call: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def faulty(*arguments: Any, **named: Any) -> Any:
        # A rename is matched by the new name, because the old one is temporary.
        path = arguments[1] if call in ("rename", "link") else arguments[0] if arguments else "."
        above = named.get("dst_dir_fd", named.get("dir_fd"))
        if above is not None and (folder := path_of(above)) is not None:
            path = os.path.join(folder, path)
        if call == "close":
            path = path_of(int(path))
            real(*arguments, **named)
            return disk.meets(call, path) and None
        writes = call != "open" or bool(arguments[1] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        disk.meets(call, path, writes=writes)
        return real(*arguments, **named)

    return faulty
