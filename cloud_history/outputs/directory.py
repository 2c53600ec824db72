"""An open folder, in which files are created and read without following links.

A name below the folder for outputs may have been replaced by a link at any moment, by another program or another
person. Where the system can open files relative to an open folder (POSIX), each folder is opened by its descriptor,
without following links, so no such replacement can lead elsewhere. On Windows, each folder is checked before
it is used, and an opened file is checked again afterwards.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from ..sentence import Worded
from ..state.files import sync_folder
from ..tasks.disk import disk_access
from .errors import OutputFileRefused
from .rename_new import rename_new

WINDOWS = os.name == "nt"
HAS_DIR_FD = {os.open, os.mkdir, os.stat, os.unlink, os.rename, os.link} <= os.supports_dir_fd and hasattr(
    os, "O_DIRECTORY"
)
_ALWAYS_FOLLOWS = os.link not in os.supports_follow_symlinks
_FLAGS = sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_NOINHERIT", "O_NOCTTY", "O_BINARY"))
# O_NONBLOCK: opening a pipe returns at once; regular files ignore it.
_NO_FOLLOW = sum(getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK"))
_NAME_SURROGATE = 0x20000000
"""Windows: the bit of a reparse tag that symbolic links and junctions have. Files in OneDrive have other tags."""
_NO_LINKS = {
    *(errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EINVAL, errno.EACCES),
    *(errno.EXDEV, errno.ENOTTY),
}
"""Errors of a file system that has no hard links, or of a system that does not allow them."""
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF}
_LINK_ERRORS = {errno.ELOOP, errno.EMLINK}  # FreeBSD raises EMLINK


class Directory:
    """An open folder below the folder for outputs. Its methods access the disk: call them in a thread.

    Every name that a method takes is one part of a path. All methods raise OSError if the disk fails.

    Attributes:
        path: the folder's path, for messages and for systems without directory descriptors.
    """

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def open(cls, path: Path, *, by_descriptor: bool = HAS_DIR_FD) -> Directory:
        """Open a folder by its path. Links in the path are followed: the caller trusts the path.

        Raises:
            OSError: the folder does not exist, or cannot be opened.
        """
        with disk_access(path):
            if by_descriptor:
                return cls(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY | _FLAGS))
            if not stat.S_ISDIR(os.stat(path).st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
            return cls(path, None)

    def duplicate(self) -> Directory:
        """Return another object for the same folder, which is closed by itself."""
        return Directory(self.path, None if self._descriptor is None else os.dup(self._descriptor))

    def close(self) -> None:
        """Close the folder. Do nothing if it is closed."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Directory:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def child(self, name: str, *, create: bool = False) -> Directory:
        """Open a folder in this folder.

        Args:
            create: whether to create it if it is missing.

        Raises:
            OutputFileRefused: the name is a link or a file.
            FileNotFoundError: the folder is missing and is not to be created.
        """
        check_part(name)
        path = self.path / name
        with disk_access(path):
            if create:
                self._make(name)
            if self._descriptor is None:
                self._check_is_folder(name)
                return Directory(path, None)
            try:
                flags = os.O_RDONLY | os.O_DIRECTORY | _FLAGS | _NO_FOLLOW
                return Directory(path, os.open(name, flags, dir_fd=self._descriptor))
            except OSError as exc:
                if exc.errno in _LINK_ERRORS or exc.errno == errno.ENOTDIR:
                    self._check_is_folder(name)
                raise

    def _make(self, name: str) -> None:
        try:
            # ComfyUI's own outputs have the usual permissions too.
            os.mkdir(self._at(name), dir_fd=self._descriptor)
        except FileExistsError:
            return
        self.sync()

    def _check_is_folder(self, name: str) -> None:
        found = self._stat(name)
        if is_link(found):
            raise OutputFileRefused("output_link_in_the_way", name=name)
        if not stat.S_ISDIR(found.st_mode):
            raise OutputFileRefused("output_other_file_in_the_way", name=name, expected=Worded("folder", "a folder"))

    def stat(self, name: str) -> os.stat_result | None:
        """Return what the system says about a name in this folder, or None if it does not exist. Follow no link."""
        check_part(name)
        with disk_access(self.path / name):
            try:
                return self._stat(name)
            except FileNotFoundError:
                return None

    def names(self) -> list[str]:
        """Return all names in this folder, in no order."""
        with disk_access(self.path):
            return os.listdir(self.path if self._descriptor is None else self._descriptor)

    def create_file(self, name: str) -> BinaryIO:
        """Create a file and return it, unbuffered, for reading and writing.

        Raises:
            FileExistsError: the name exists, if only as a broken link.
        """
        return self._open_file(name, os.O_RDWR | os.O_CREAT | os.O_EXCL)

    def open_file(self, name: str, *, writes: bool = False) -> BinaryIO:
        """Open an existing regular file, unbuffered.

        Raises:
            OutputFileRefused: the name is a link, a folder, a pipe or a device.
            FileNotFoundError: the name does not exist.
        """
        return self._open_file(name, os.O_RDWR if writes else os.O_RDONLY)

    def _open_file(self, name: str, flags: int) -> BinaryIO:
        check_part(name)
        with disk_access(self.path / name):
            try:
                if self._descriptor is None and not flags & os.O_CREAT:
                    self._check_is_file(name, self._stat(name))
                descriptor = os.open(self._at(name), flags | _FLAGS | _NO_FOLLOW, 0o666, dir_fd=self._descriptor)
            except OSError as exc:
                if exc.errno in _LINK_ERRORS:
                    raise OutputFileRefused("output_link_in_the_way", name=name) from exc
                if exc.errno in (errno.EISDIR, errno.ENXIO, errno.ENODEV):
                    raise OutputFileRefused(
                        "output_other_file_in_the_way", name=name, expected=Worded("file", "a file")
                    ) from exc
                raise
            try:
                found = os.fstat(descriptor)
                self._check_is_file(name, found)
                if self._descriptor is None and not os.path.samestat(found, self._stat(name)):
                    raise OutputFileRefused("output_changed_on_disk", name=name)
                mode = "rb" if flags & (os.O_RDWR | os.O_WRONLY) == 0 else "r+b"
                return cast(BinaryIO, open(descriptor, mode, buffering=0))
            except BaseException:
                with suppress(OSError):
                    os.close(descriptor)
                raise

    @staticmethod
    def _check_is_file(name: str, found: os.stat_result) -> None:
        if is_link(found):
            raise OutputFileRefused("output_link_in_the_way", name=name)
        if not stat.S_ISREG(found.st_mode):
            raise OutputFileRefused("output_other_file_in_the_way", name=name, expected=Worded("file", "a file"))

    def place(self, temporary: str, name: str) -> bool:
        """Give a file its final name. Return False, and change nothing, if the name exists already.

        No existing file is ever replaced, whoever creates it, and whenever. The file has its temporary name, its final
        name or, if the process ends in the middle, both.
        """
        check_part(name)
        with disk_access(self.path / name):
            if WINDOWS:
                return self._renamed(temporary, name)
            try:
                os.link(
                    self._at(temporary),
                    self._at(name),
                    src_dir_fd=self._descriptor,
                    dst_dir_fd=self._descriptor,
                    follow_symlinks=_ALWAYS_FOLLOWS,
                )
            except FileExistsError:
                return False
            except OSError as exc:
                if exc.errno not in _NO_LINKS:
                    raise
                return self._renamed(temporary, name)
            with suppress(OSError):  # a second name that stays is removed with the other unfinished files
                self._remove(temporary)
            return True

    def _renamed(self, temporary: str, name: str) -> bool:
        """Rename a file without a hard link. Return False if the new name exists."""
        try:
            if WINDOWS:
                os.rename(self._at(temporary), self._at(name))  # Windows refuses to replace a file
                return True
            if rename_new(self._at(temporary), self._at(name), self._descriptor):
                return True
        except FileExistsError:
            return False
        return self._renamed_over_own(temporary, name)

    def _renamed_over_own(self, temporary: str, name: str) -> bool:
        """Create an empty file with the new name, then replace that file. For file systems without any better way.

        If the process ends between the two, an empty file stays, which is never taken for the output.
        """
        try:
            with self.create_file(name) as file:
                own = os.fstat(file.fileno())
        except FileExistsError:
            return False
        found = self._stat(name)
        if not os.path.samestat(own, found) or found.st_size:
            return False
        self.replace(temporary, name)
        return True

    def replace(self, temporary: str, name: str) -> None:
        """Give a file a name that another file may have, which is removed."""
        with disk_access(self.path / name):
            here = self._descriptor
            os.replace(self._at(temporary), self._at(name), src_dir_fd=here, dst_dir_fd=here)

    def remove(self, name: str) -> None:
        """Remove a file. Do nothing if it does not exist."""
        check_part(name)
        with disk_access(self.path / name), suppress(FileNotFoundError):
            self._remove(name)

    def sync(self) -> None:
        """fsync the folder, so that its names survive a power cut (POSIX only)."""
        with disk_access(self.path):
            if self._descriptor is None:
                sync_folder(self.path)
                return
            try:
                os.fsync(self._descriptor)
            except OSError as exc:
                if exc.errno not in _NO_SYNC:
                    raise

    def free_bytes(self) -> int:
        """Return how many bytes this user can still write to the disk of the folder."""
        with disk_access(self.path):
            if self._descriptor is None:
                return shutil.disk_usage(self.path).free
            found = os.fstatvfs(self._descriptor)
            return found.f_bavail * found.f_frsize

    @contextmanager
    def opened(self, names: Sequence[str], *, create: bool = False) -> Iterator[Directory]:
        """Open a folder some levels below this folder, as `child` does, and close it at the end."""
        with ExitStack() as stack:
            here = self
            for name in names:
                here = stack.enter_context(here.child(name, create=create))
            yield here

    def _at(self, name: str) -> str:
        return name if self._descriptor is not None else extended(self.path / name)

    def _stat(self, name: str) -> os.stat_result:
        return os.stat(self._at(name), dir_fd=self._descriptor, follow_symlinks=False)

    def _remove(self, name: str) -> None:
        os.unlink(self._at(name), dir_fd=self._descriptor)


def is_link(found: os.stat_result) -> bool:
    """Return whether a name is a symbolic link or a junction. The lookup must not have followed links."""
    return stat.S_ISLNK(found.st_mode) or bool(getattr(found, "st_reparse_tag", 0) & _NAME_SURROGATE)


def check_part(name: str) -> None:
    """Raise ValueError if a name is not exactly one part of a path, on any system."""
    if name in ("", ".", "..") or any(each in name for each in "/\\\0") or (WINDOWS and ":" in name):
        raise ValueError("a name must be one part of a path")


def extended(path: Path) -> str:
    """Return the path as a text; on Windows in the form that may have more than 260 characters."""
    text = str(path)
    if not WINDOWS or text.startswith("\\\\?\\"):
        return text
    return "\\\\?\\UNC\\" + text[2:] if text.startswith("\\\\") else "\\\\?\\" + text
