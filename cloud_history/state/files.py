"""Small files that must survive a crash: private, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from pathlib import Path
from typing import BinaryIO

from ..errors import FileRefused, LockSilent
from ..tasks.disk_steps import at_file
from .locks import try_lock, unlock
from .private_files import open_private, sync_file


def private_folder(folder: Path) -> Path:
    """Make the folder, readable by its owner alone.

    Raises:
        OSError: it cannot be made.
    """
    missing = [each for each in (folder, *folder.parents) if not each.is_dir()]
    for each in reversed(missing):
        # One by one: `parents=True` would make the others readable by everybody. What is there already is left as
        # it is: it may be somebody's shared folder, and the files are private anyway.
        each.mkdir(mode=0o700, exist_ok=True)
    return folder


def write_private(path: Path, content: str) -> None:
    """Write the file so that a crash leaves either the old one or the new one, readable by its owner alone.

    Its folder is not made here: a state folder that was lost must not be made again by whatever is written next.

    Raises:
        OSError: it cannot be written; what was there before is still there.
    """
    draft = draft_name(path)
    try:
        with at_file(path, len(content)):
            with open_private(draft, "xb") as file:
                write_whole(file, content.encode("utf-8"))
                sync_file(file)
            _put_in_place(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    with at_file(path.parent):
        sync_folder(path.parent)


def write_whole(file: BinaryIO, content: bytes) -> None:
    """Write all of it to a file without a buffer. Raises OSError."""
    left = memoryview(content)
    while left:
        written = os.write(file.fileno(), left)
        if not written:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        left = left[written:]


def _put_in_place(draft: Path, path: Path) -> None:
    try:
        os.replace(draft, path)
    except OSError as exc:
        if exc.errno != errno.EBUSY:
            raise
        problem = "is mounted by itself (a bind mount), so it can’t be replaced"
        raise FileRefused(path.name, problem, "Mount its whole folder instead.") from exc


def draft_name(path: Path) -> Path:
    """What the file is called until it is whole: hidden, and unlike any other draft."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}")


def sync_folder(folder: Path) -> None:
    """Have the names in the folder on the disk, where the system can be told to."""
    # Without it a power cut can undo the rename on some file systems. Windows cannot open a folder.
    if os.name != "posix":
        return
    # The file is in place by now: a folder that cannot be synced must not turn that into a failure.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class Claim:
    """A file that a living process holds on to: an unclaimed one was left by a process that has ended."""

    def __init__(self, path: Path) -> None:
        """Raises OSError: the file cannot be opened, or locked."""
        self._file = open_private(path, "r+b")
        try:
            try_lock(self._file)
        except BaseException:
            self._file.close()
            raise

    def release(self) -> None:
        unlock(self._file)

    @staticmethod
    def is_held(path: Path) -> bool:
        """Whether some process holds on to it now."""
        try:
            return not _had(path)
        except OSError as exc:
            return _may_be_there(exc)

    @staticmethod
    def is_abandoned(path: Path) -> bool:
        """Whether the process that held on to it has ended, for sure: where locks mean nothing, nobody can tell."""
        try:
            file = open_private(path, "r+b")
        except OSError as exc:
            return not _may_be_there(exc)
        try:
            return try_lock(file) and not _had(path)
        except OSError as exc:
            return not _may_be_there(exc)
        finally:
            unlock(file)


def _may_be_there(exc: OSError) -> bool:
    """Whether a file that could not be opened or locked may be held all the same: then nothing is taken for lost."""
    if isinstance(exc, LockSilent):
        return True
    return not isinstance(exc, (FileNotFoundError, NotADirectoryError, FileRefused))


def _had(path: Path) -> bool:
    """Whether its lock could be had just now; it is free again. Raises OSError."""
    file = open_private(path, "r+b")
    try:
        return try_lock(file)
    finally:
        unlock(file)
