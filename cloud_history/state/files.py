"""Private files of the state folder: opened safely, and written atomically.

Anyone who can write to the folder could put a link to another file, a pipe, a device or a huge file there. This module
opens all state files: it refuses links, pipes and devices, and does not read huge files.
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

# Flags that this system lacks are left out. O_NONBLOCK: opening a pipe returns at once; regular files ignore it.
_SAFE = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_NOINHERIT"))
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_LINK = ("is a symbolic link, which is not followed", "Replace the link with the file itself.")


def files_named_by_id(folder: Path, suffix: str, sentence: str) -> list[Path]:
    """Return the files of a folder whose names are a hex id and this suffix, sorted by name.

    Args:
        sentence: the code of the error's sentence.

    Raises:
        StateUnreadable: the folder can't be read. A missing folder counts as empty.
    """
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == suffix and is_hex_id(path.stem))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as exc:
        raise StateUnreadable(sentence, because=exc) from exc


def open_private(path: Path, mode: Mode, *, create: bool = False, mend: bool = False) -> BinaryIO:
    """Open a file, without a buffer if for writing. Only its owner can read or write a new file.

    Args:
        create: whether mode `r+b` creates a missing file.
        mend: whether to remove other users' permissions instead of refusing the file. Only for files without content.

    Raises:
        FileRefused: the file is a link or not a regular file, belongs to another user, or others can change it.
        OSError: the file cannot be opened.
    """

    def opener(name: str, flags: int) -> int:
        more = os.O_CREAT if create else 0
        try:
            descriptor = os.open(name, flags | more | _SAFE, 0o600)
        except OSError as exc:
            raise _file_refused_or(path, exc) from exc
        try:
            _check(path, descriptor, writes=mode != "rb", mend=mend)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    with disk_access(path):
        return _open(path, mode, opener)


def _open(path: Path, mode: Mode, opener: Callable[[str, int], int]) -> BinaryIO:
    if not hasattr(os, "O_NOFOLLOW") and path.is_symlink():
        raise FileRefused(path.name, *_LINK)
    return open(path, mode, buffering=-1 if mode == "rb" else 0, opener=opener)


def read_private(path: Path, most: int) -> bytes:
    """Read a file of at most `most` bytes.

    Raises:
        FileRefused: the file is larger, or `open_private` refuses it.
        OSError: the file cannot be read.
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
        FileRefused: `read_private` refuses the file.
        OSError: the file cannot be read.
        ValueError: the file is not a JSON object, or is nested too deeply. The message never quotes the file.
    """
    content = read_private(path, max_bytes)
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(content)
        if isinstance(found, dict):
            return found
    # Raised outside `except`, because json's own error contains the whole text.
    raise ValueError("not a JSON object")


def sync_file(file: BinaryIO) -> None:
    """fsync the file, if its file system supports that. Raise OSError if the disk fails."""
    try:
        os.fsync(file.fileno())
    except OSError as exc:
        if exc.errno not in _NO_SYNC:
            raise


def _file_refused_or(path: Path, exc: OSError) -> OSError:
    """Return a FileRefused if this error of `os.open` means that the path is no regular file, else the error."""
    if exc.errno == errno.ELOOP or (exc.errno == errno.EMLINK and path.is_symlink()):  # FreeBSD raises EMLINK
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
            "Replace the file with a copy of it.",
        )
    if os.name == "posix":
        _check_owner(path, found)
        _check_mode(path, descriptor, found, mend=mend)


def _check_owner(path: Path, found: os.stat_result) -> None:
    # Root and the folder's owner could replace any file in the folder anyway. Network file systems and containers often
    # show one owner for all files.
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
        # Another user with read permission could lock the file.
        _try_chmod(descriptor, 0o600)
        return
    reachable = path.parent.stat().st_mode & (stat.S_IXGRP | stat.S_IXOTH)
    if not mode & _OTHERS_WRITE or not reachable:
        return
    # File systems that do not store permissions (Windows drives in WSL, network shares) show one mode for all files.
    if _try_chmod(descriptor, mode & ~_OTHERS_WRITE):
        stores_permissions = not os.fstat(descriptor).st_mode & _OTHERS_WRITE
        _try_chmod(descriptor, mode)
    else:
        # If chmod fails even for the owner or root, the file system does not store permissions.
        stores_permissions = os.geteuid() not in (0, found.st_uid)
    if stores_permissions:
        raise FileRefused(
            path.name,
            "can be changed by other users of this machine",
            "Check that its content is yours, then run “chmod go-w” on the file.",
        )


def _try_chmod(descriptor: int, mode: int) -> bool:
    try:
        os.fchmod(descriptor, mode)
    except OSError:
        return False
    return True


def private_folder(folder: Path) -> Path:
    """Create the folder and its missing parents, accessible to their owner only. Raise OSError if that fails."""
    missing = [each for each in (folder, *folder.parents) if not each.is_dir()]
    for each in reversed(missing):
        # Created one by one, because `parents=True` gives parents the default mode. An existing folder keeps its mode,
        # because it may be shared on purpose, and the files in it are private anyway.
        each.mkdir(mode=0o700, exist_ok=True)
    return folder


def write_private(path: Path, content: str) -> None:
    """Replace the file atomically: a crash leaves the old or the new content, an OSError the old content.

    The folder must exist: creating it here would hide that the state folder was lost.
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


def write_whole(file: BinaryIO, content: bytes | memoryview) -> None:
    """Write all of `content` to an unbuffered file. Raise OSError if the disk fails."""
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
    """Return a hidden, unique name for a file that is not complete yet."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}")


def sync_folder(folder: Path) -> None:
    """fsync the directory, so that a rename survives a power cut (POSIX only)."""
    if os.name != "posix":
        return
    # The file is already in place, so an error here does not mean that it could not be written.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
