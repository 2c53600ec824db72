"""A disk that refuses: the system's own calls fail, for files below one folder, at the call that a test names.

Opening, renaming, removing and making folders are caught by an audit hook, which sees each such call of any code in the
process; `os.write` and `os.fsync` are wrapped. What Python's own files write is refused by the system: `small_disk`.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_ID = re.compile(r"[0-9a-f]{32}")
_OPEN = "open"
_CALLS = {_OPEN: 0, "os.rename": 1, "os.remove": 0, "os.mkdir": 0}
"""Which argument of the audited call says whose it is."""
_active: list[FaultyDisk] = []


@dataclass
class FaultyDisk:
    """
    Attributes:
        call: which call fails: "open", "os.rename", "os.remove", "os.mkdir", "write" or "fsync".
        name: on which file: its path in the folder, with "*" for the name of an operation or of a draft.
        nth: which of those calls fails.
        stays: whether all that would take room on the disk fails from then on.
        trail: all calls, as "call name".
    """

    folder: Path
    call: str = ""
    name: str = ""
    nth: int = 1
    number: int = errno.ENOSPC
    stays: bool = False
    trail: list[str] = field(default_factory=list)
    fired: int = 0

    def meets(self, call: str, path: object, *, writes: bool = True) -> None:
        """Raises OSError where this call is to fail."""
        name = self._name_of(path)
        if name is None:
            return
        self.trail.append(f"{call} {name}")
        due = self.trail[-1] == f"{self.call} {self.name}" and self.trail.count(self.trail[-1]) == self.nth
        full = self.stays and self.fired > 0 and writes
        if due or full:
            self.fired += 1
            raise OSError(self.number, os.strerror(self.number))

    def _name_of(self, path: object) -> str | None:
        if not isinstance(path, (str, os.PathLike)):
            return None
        try:
            inside = Path(path).relative_to(self.folder)
        except ValueError:
            return None
        return _ID.sub("*", str(inside))

    def path_of(self, descriptor: int) -> Path | None:
        """Whose descriptor it is, by the file itself."""
        own = os.fstat(descriptor)
        for path in (self.folder, *self.folder.rglob("*")):
            found = path.stat()
            if (found.st_dev, found.st_ino) == (own.st_dev, own.st_ino):
                return path
        return None


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _active or event not in _CALLS:
        return
    # `open` tells its flags; without them it is Python's own, which asks the system, and that is heard of as well.
    writes = True
    if event == _OPEN:
        flags = arguments[2]
        writes = bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    for disk in _active:
        disk.meets(event, arguments[_CALLS[event]], writes=writes and event != "os.remove")


_hooked: list[bool] = []


@contextmanager
def in_place(disk: FaultyDisk) -> Iterator[FaultyDisk]:
    """The disk, while entered."""
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(
            _audit
        )  # for good: it cannot be taken away, and does nothing while no disk is faulty
    write, fsync = os.write, os.fsync

    def faulty_write(descriptor: int, content: Any) -> int:
        _meet("write", descriptor)
        return write(descriptor, content)

    def faulty_fsync(descriptor: int) -> None:
        _meet("fsync", descriptor)
        fsync(descriptor)

    def _meet(call: str, descriptor: int) -> None:
        path = disk.path_of(descriptor)
        if path is not None:
            disk.meets(call, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "write", faulty_write)
        patch.setattr(os, "fsync", faulty_fsync)
        _active.append(disk)
        try:
            yield disk
        finally:
            _active.remove(disk)
