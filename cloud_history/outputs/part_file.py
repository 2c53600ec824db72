"""One output that is being written, under a hidden temporary name until it is whole.

The file gets its final name in one step, only when all its bytes are on the disk, and never replaces another file.

A part of a file that an earlier run left can be continued. After a power cut, the end of a file may be zeros. So the
file is synced every SYNC_BYTES, and only bytes before the last such step are kept.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, Protocol, cast

from ..secret import scrub
from ..state.files import sync_file, write_whole
from ..tasks.disk import disk_access
from .directory import WINDOWS, Directory
from .errors import OutputFileRefused, disk_errors
from .names import numbered, safe_name, same_on_disk
from .unfinished import is_part_name, open_temporary, read_tag, release, tag_of, take_over, temporary_name, write_tag

SYNC_BYTES = 32 * 1024 * 1024
"""The file is synced whenever its size is a multiple of this. After a crash, at most so many bytes are lost."""
READ_BYTES = 1024 * 1024
MAX_SAME_NAMES = 10_000
"""Number of files with the same name in one folder, told apart by numbers."""


class Hash(Protocol):
    """A running hash."""

    def update(self, data: bytes | memoryview, /) -> object: ...
    def hexdigest(self) -> str: ...


@dataclass(frozen=True)
class PlacedFile:
    """An output on the disk.

    Attributes:
        name: its name in its folder.
        size: number of bytes.
        sha256: hex digest.
        blake3: hex digest, or None if the package blake3 is not installed.
        modified_ns: its modification time in nanoseconds.
        already_here: whether a file with the same content was there before, so that no file was added.
    """

    name: str
    size: int
    sha256: str
    blake3: str | None
    modified_ns: int
    already_here: bool


class PartFile:
    """One output that is being written. Its methods access the disk: call them in a thread, one at a time.

    After `begin`, call `rehash` or `restart` if there are `kept_bytes`. End with `finish`, `keep` or `discard`. If the
    disk fails, all methods raise OutputsUnwritable, or its subclass OutputsDiskFull if the disk is full.

    Attributes:
        size: number of bytes that are written and hashed. After `begin`, 0 until `rehash`.
        kept_bytes: number of bytes that an earlier run left and that can be kept.
        validator: the storage's strong ETag of what was downloaded, or "". It is kept for the next run.
    """

    def __init__(self, directory: Directory, name: str, temporary: str, file: BinaryIO) -> None:
        self._directory = directory
        self._name = name
        self._temporary = temporary
        self._file = file
        self._own = os.fstat(file.fileno())
        self._is_open = True
        self._has_ended = False
        self._is_broken = False
        self._has_tag = False
        self.size = 0
        self.kept_bytes = 0
        self.validator = ""
        self._begin_hashes()

    @classmethod
    def begin(cls, directory: Directory, name: str, source: str) -> PartFile:
        """Create the unfinished file, or take what an earlier run left of it.

        Args:
            name: the output's name at the server. It is made safe here.
            source: a text that identifies the output, such as its job id, path and number, the same in each run.

        Raises:
            OutputsUnwritable: the disk refuses.
        """
        name = safe_name(scrub(name))
        key = hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        with disk_errors():
            found = take_over(directory, temporary_name(name, key))
            if found is None:
                # Another save is writing the same output, or the name is taken by something else.
                found = open_temporary(directory, name)
            part = cls(directory, name, *found)
            try:
                part._find_kept_bytes()
            except BaseException:
                part._end()
                raise
            return part

    def _find_kept_bytes(self) -> None:
        size = os.fstat(self._file.fileno()).st_size
        # The last step counts as not synced, because the process may have ended just before that.
        kept = max(0, size - 1) // SYNC_BYTES * SYNC_BYTES
        if kept and (validator := read_tag(self._directory, self._tag)):
            self.validator, self.kept_bytes, self._has_tag = validator, kept, True
        else:
            self._clear()

    def rehash(self, pause: Callable[[], object] = lambda: None) -> None:
        """Read and hash the bytes that an earlier run left, so that they can be kept. `size` is their number then.

        Args:
            pause: called after each piece of the file. If it raises, the exception is passed on. End with `keep` then.
        """
        self._begin_hashes()
        self.size = 0
        with disk_errors(reads=True):
            self._file.seek(0)
            for piece in _pieces(self._file, self.kept_bytes, self._directory, self._temporary):
                self._hash(piece)
                self.size += len(piece)
                pause()

    def restart(self) -> None:
        """Drop all bytes, because the download begins anew."""
        with disk_errors():
            self._clear()
        self._begin_hashes()
        self.size = self.kept_bytes = 0
        self.validator = ""
        self._is_broken = False

    def _clear(self) -> None:
        # The tag goes first, so that it never belongs to other bytes.
        self._directory.remove(self._tag)
        self._has_tag = False
        self._truncate(0)

    def write(self, piece: bytes) -> None:
        """Append bytes. If the disk fails, `size` says how many bytes were written in all."""
        left = memoryview(piece)
        with disk_errors():
            while left:
                step = left[: SYNC_BYTES - self.size % SYNC_BYTES]
                self._write_step(step)
                left = left[len(step) :]
                if self.size % SYNC_BYTES == 0:
                    self._write_tag()
                    self._sync()

    def _write_step(self, step: memoryview) -> None:
        with disk_access(self._directory.path / self._temporary, len(step)):
            try:
                self._file.seek(self.size)
                write_whole(self._file, step)
            except BaseException:
                with suppress(OSError):
                    self._file.truncate(self.size)
                raise
        self._hash(step)
        self.size += len(step)

    def _sync(self) -> None:
        with disk_access(self._directory.path / self._temporary, SYNC_BYTES):
            try:
                sync_file(self._file)
            except OSError:
                # After a failed fsync, the system may forget which bytes it has not written, and the next one succeeds.
                self._is_broken = True
                raise

    def finish(self) -> PlacedFile:
        """Sync the file and give it its final name, or the first free number of that name.

        If a file with that name, or with one of its numbers, has the same content, that file is returned, and the new
        file is removed.

        Raises:
            OutputFileRefused: another program changed or replaced the file, or there is no free name.
        """
        with disk_errors():
            if self._is_broken:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            if self.kept_bytes:
                self._truncate(self.size)  # a shorter file may have followed a longer one
            self._sync()
            self._check_unchanged()
            placed = self._place()
            self._directory.sync()
        # The output is whole and in its place, so an error here changes nothing.
        self.discard()
        return placed

    def _check_unchanged(self) -> None:
        """Raise OutputFileRefused unless the temporary name is this file's, as this object has written it."""
        own, found = os.fstat(self._file.fileno()), self._directory.stat(self._temporary)
        if found is None or not os.path.samestat(own, found) or own.st_size != self.size or own.st_nlink != 1:
            raise OutputFileRefused("output_changed_on_disk", name=self._name)

    def _place(self) -> PlacedFile:
        """Give the file its final name, or find a file with the same content."""
        taken = [each for each in self._directory.names() if not is_part_name(each)]
        for number in range(1, MAX_SAME_NAMES + 1):
            name = numbered(self._name, number)
            clashes = [each for each in taken if same_on_disk(each, name)]
            for each in clashes:
                if (modified := self._modified_if_same(each)) is not None:
                    return self._placed(each, modified, already_here=True)
            if clashes:
                continue
            if WINDOWS:
                self._close()  # Windows cannot rename an open file
            if self._directory.place(self._temporary, name):
                return self._placed(name, self._modified_of_own(name), already_here=False)
            # Another program has created the name since the folder was listed.
            if (modified := self._modified_if_same(name)) is not None:
                return self._placed(name, modified, already_here=True)
        raise OutputFileRefused("outputs_no_free_name", name=self._name)

    def _modified_of_own(self, name: str) -> int:
        found = self._directory.stat(name)
        if found is None or not os.path.samestat(self._own, found) or found.st_size != self.size:
            raise OutputFileRefused("output_changed_on_disk", name=name)
        return found.st_mtime_ns

    def _modified_if_same(self, name: str) -> int | None:
        """Return the modification time of a file, or None unless it is a regular file with the same content."""
        found = self._directory.stat(name)
        if found is None or not stat.S_ISREG(found.st_mode) or found.st_size != self.size:
            return None
        try:
            file = self._directory.open_file(name)
        except (OSError, OutputFileRefused):
            return None  # a file that cannot be read is another file
        with file:
            own, digest = os.fstat(file.fileno()), hashlib.sha256()
            for piece in _pieces(file, self.size, self._directory, name):
                digest.update(piece)
            same = digest.hexdigest() == self._sha256.hexdigest() and not file.read(1)
            if same and not WINDOWS:  # Windows syncs only files that are open for writing
                sync_file(file)
        return own.st_mtime_ns if same else None

    def _placed(self, name: str, modified_ns: int, *, already_here: bool) -> PlacedFile:
        return PlacedFile(name, self.size, self.sha256, self.blake3, modified_ns, already_here)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes so far, as a hex digest."""
        return self._sha256.hexdigest()

    @property
    def blake3(self) -> str | None:
        """The BLAKE3 of the bytes so far, as a hex digest, or None if the package blake3 is not installed."""
        return self._blake3.hexdigest() if self._blake3 is not None else None

    def keep(self) -> None:
        """Close the file and keep it for the next run, or remove it if no bytes of it can be kept."""
        if max(self.size, self.kept_bytes) <= SYNC_BYTES or not self._has_tag or self._is_broken:
            self.discard()
        else:
            self._end()

    def discard(self) -> None:
        """Remove the file. Do nothing after `finish`, `keep` or `discard`. An error of the disk is ignored."""
        if self._has_ended:
            return
        if WINDOWS:
            self._close()  # Windows cannot remove an open file
        with suppress(OSError):
            found = self._directory.stat(self._temporary)
            if found is not None and os.path.samestat(self._own, found):
                self._directory.remove(self._temporary)
        with suppress(OSError):
            if self._has_tag:
                self._directory.remove(self._tag)
        self._end()

    def _end(self) -> None:
        self._has_ended = True
        self._close()

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            release(self._file)

    @property
    def _tag(self) -> str:
        return tag_of(self._temporary)

    def _write_tag(self) -> None:
        # The tag is on the disk before the first step counts as synced.
        if not self._has_tag:
            self._has_tag = write_tag(self._directory, self._tag, self.validator)

    def _truncate(self, size: int) -> None:
        with disk_access(self._directory.path / self._temporary):
            self._file.truncate(size)

    def _begin_hashes(self) -> None:
        self._sha256: Hash = hashlib.sha256()
        new = blake3_function()
        self._blake3: Hash | None = None if new is None else new()

    def _hash(self, piece: bytes | memoryview) -> None:
        self._sha256.update(piece)
        if self._blake3 is not None:
            self._blake3.update(piece)


def _pieces(file: BinaryIO, size: int, directory: Directory, name: str) -> Iterator[bytes]:
    """Yield the first `size` bytes of a file, from where it stands. Raise OSError if there are fewer."""
    left = size
    while left:
        with disk_access(directory.path / name, READ_BYTES):
            piece = file.read(min(left, READ_BYTES))
        if not piece:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        left -= len(piece)
        yield piece


@cache
def blake3_function() -> Callable[[], Hash] | None:
    """Return the function that begins a BLAKE3 hash, or None if the package blake3 is not installed or unusable."""
    try:
        from blake3 import blake3

        return cast("Callable[[], Hash]", blake3)
    except Exception:  # noqa: BLE001 - another pack may have installed a broken build of it
        return None
