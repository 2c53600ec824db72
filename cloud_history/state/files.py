"""Private files of the state folder: opened safely, and written atomically.

Anyone who can write to the folder could leave a link to another file, a pipe that never answers, a device or a huge
file there. All state files are opened here, so that none of those is followed, waited for, changed or read whole.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Literal

from ..errors import FileRefused, StateUnreadable
from ..jobs.ids import is_hex_id
from ..tasks.disk import disk_access

Mode = Literal["rb", "r+b", "a+b", "xb"]

# Windows has none of these. O_NONBLOCK: opening a pipe returns at once; for regular files it means nothing.
_SAFE = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_NOINHERIT"))
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_LINK = ("is a symbolic link, which is not followed", "Put the file itself in its place.")


def files_named_by_id(folder: Path, suffix: str, sentence: str) -> list[Path]:
    """Return the files of a folder whose names are a hex id and this suffix, sorted by name.

    Args:
        sentence: the code of the error's sentence.

    Raises:
        StateUnreadable: the folder can't be read. A folder that does not exist has no files.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == suffix and is_hex_id(path.stem))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as exc:
        raise StateUnreadable(sentence, because=exc) from exc


def open_private(path: Path, mode: Mode, *, create: bool = False, mend: bool = False) -> BinaryIO:
    """Open a file; for writing, without a buffer. New files can be read and written by their owner only.

    Args:
        create: whether mode `r+b` creates a missing file.
        mend: whether to remove other users' permissions instead of refusing the file. For files without content.

    Raises:
        FileRefused: it is a link or not a regular file, belongs to another user, or others can change it.
        OSError: it cannot be opened.
    """

    def opener(name: str, flags: int) -> int:
        more = os.O_CREAT if create else 0
        try:
            descriptor = os.open(name, flags | more | _SAFE, 0o600)
        except OSError as exc:
            raise _explained(path, exc) from exc
        try:
            _check(path, descriptor, writes=mode != "rb", mend=mend)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    with disk_access(path):
        return _opened(path, mode, opener)


def _opened(path: Path, mode: Mode, opener: Callable[[str, int], int]) -> BinaryIO:
    if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
        raise FileRefused(path.name, *_LINK)
    return open(path, mode, buffering=-1 if mode == "rb" else 0, opener=opener)


def read_private(path: Path, most: int) -> bytes:
    """Read a file of at most this many bytes.

    Raises:
        FileRefused: as `open_private` does, or it is larger.
        OSError: it cannot be read.
    """
    with disk_access(path), open_private(path, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        size = f"{most // 1_000_000} MB" if most >= 1_000_000 else f"{most // 1000} kB"
        raise FileRefused(path.name, f"is larger than {size}", "Put a good copy in its place.")
    return content


def read_json(path: Path, max_bytes: int) -> dict[str, Any]:
    """Read a file that holds one JSON object.

    Raises:
        FileRefused, OSError: as `read_private` does.
        ValueError: it is not a JSON object, or is nested too deeply. Its message never quotes the file.
    """
    content = read_private(path, max_bytes)
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(content)
        if isinstance(found, dict):
            return found
    # Raised outside `except`: json's own error holds the whole text.
    raise ValueError("not a JSON object")


def sync_file(file: BinaryIO) -> None:
    """fsync the file, if its file system supports that. Raises OSError if the disk fails."""
    try:
        os.fsync(file.fileno())
    except OSError as exc:
        if exc.errno not in _NO_SYNC:
            raise


def _explained(path: Path, exc: OSError) -> OSError:
    """Return the error to raise for one of `os.open`: a FileRefused where it means what kind of file this is."""
    if exc.errno == errno.ELOOP or (exc.errno == errno.EMLINK and path.is_symlink()):  # FreeBSD says EMLINK
        return FileRefused(path.name, *_LINK)
    if exc.errno == errno.EISDIR:
        return _not_a_file(path, stat.S_IFDIR)
    if exc.errno in (errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP):
        return _not_a_file(path, 0)
    return exc


def _not_a_file(path: Path, mode: int) -> FileRefused:
    names = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    kind = names.get(stat.S_IFMT(mode), "a device or a pipe")
    return FileRefused(path.name, f"is {kind} and not a file", "Remove it.")


def _check(path: Path, descriptor: int, *, writes: bool, mend: bool) -> None:
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        raise _not_a_file(path, found.st_mode)
    # A link count of 0 means that the file was replaced after it was opened.
    if writes and found.st_nlink > 1:
        raise FileRefused(
            path.name,
            "has a second name (a hard link), so a change would change another file as well",
            "Put a copy of it in its place.",
        )
    if os.name == "posix":
        _check_owner(path, found)
        _check_mode(path, descriptor, found, mend=mend)


def _check_owner(path: Path, found: os.stat_result) -> None:
    # Root and the folder's owner could replace any file in it anyway. Network file systems and containers often show
    # one owner for everything.
    if found.st_uid in (os.geteuid(), 0) or found.st_uid == path.parent.stat().st_uid:
        return
    raise FileRefused(
        path.name,
        f"belongs to another user (number {found.st_uid})",
        "Make it belong to the user that runs ComfyUI, or remove it.",
    )


def _check_mode(path: Path, descriptor: int, found: os.stat_result, *, mend: bool) -> None:
    mode = stat.S_IMODE(found.st_mode)
    if mend and mode & 0o077:
        # Another user could lock a file that they can only read.
        _try_chmod(descriptor, 0o600)
        return
    reachable = path.parent.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH)
    if not mode & _OTHERS_WRITE or not reachable:
        return
    # Some file systems (Windows drives in WSL, network shares) show the same permissions for every file.
    if _try_chmod(descriptor, mode & ~_OTHERS_WRITE):
        keeps = not os.fstat(descriptor).st_mode & _OTHERS_WRITE
        _try_chmod(descriptor, mode)
    else:
        keeps = os.geteuid() not in (0, found.st_uid)  # refused even for the owner: it stores no permissions
    if keeps:
        raise FileRefused(
            path.name,
            "can be changed by other users of this machine",
            "Look whether its content is yours, then run “chmod go-w” on it.",
        )


def _try_chmod(descriptor: int, mode: int) -> bool:
    try:
        os.fchmod(descriptor, mode)
    except OSError:
        return False
    return True


def private_folder(folder: Path) -> Path:
    """Create the folder and its missing parents, accessible to their owner only. Raises OSError."""
    missing = [each for each in (folder, *folder.parents) if not each.is_dir()]
    for each in reversed(missing):
        # One by one: `parents=True` would give the parents the default mode. An existing folder keeps its mode: it
        # may be shared on purpose, and the files in it are private anyway.
        each.mkdir(mode=0o700, exist_ok=True)
    return folder


def write_private(path: Path, content: str) -> None:
    """Replace the file atomically: a crash leaves either the old or the new content.

    The folder must exist: creating it here would hide that the state folder was lost.

    Raises:
        OSError: it cannot be written; the old content is kept.
    """
    temporary = temporary_path(path)
    try:
        with disk_access(path, len(content)):
            with open_private(temporary, "xb") as file:
                write_whole(file, content.encode("utf-8"))
                sync_file(file)
            _replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    with disk_access(path.parent):
        sync_folder(path.parent)


def write_whole(file: BinaryIO, content: bytes) -> None:
    """Write all of `content` to an unbuffered file. Raises OSError."""
    left = memoryview(content)
    while left:
        written = os.write(file.fileno(), left)
        if not written:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        left = left[written:]


def _replace(temporary: Path, path: Path) -> None:
    try:
        os.replace(temporary, path)
    except OSError as exc:
        if exc.errno != errno.EBUSY:
            raise
        problem = "is mounted by itself (a bind mount), so it can’t be replaced"
        raise FileRefused(path.name, problem, "Mount its whole folder instead.") from exc


def temporary_path(path: Path) -> Path:
    """Return the hidden, unique name that a file has until it is complete."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}")


def sync_folder(folder: Path) -> None:
    """fsync the directory, so that a rename survives a power cut (POSIX only)."""
    if os.name != "posix":
        return
    # The file is in place by now, so an error here must not count as a failure to write it.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
