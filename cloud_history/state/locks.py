"""File locks. The operating system frees them when their process ends, even after a crash.

A lock call may never return: on a network drive without a lock service it hangs even with LOCK_NB. So each call runs
in its own daemon thread with a time limit. If the call gets the lock after the limit, the thread frees the lock again.

A forked child shares its parent's locks. The child closes its copies at once, and the parent unlocks a file before
closing it. Otherwise the child process of another pack would hold the lock until the child ends.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import FileRefused, LockNotAnswering
from ..forks import ForkSafeLock, run_after_fork
from .files import open_private

LOCK_SECONDS = 3.0
"""Maximum wait for a lock. A lock is held only while a line is written."""
GRACE_SECONDS = 0.2
"""Extra time to wait for the last attempt to lock a file."""
FREE_SECONDS = 0.03
"""Maximum time for which `unlock` blocks its caller, which may be an event loop. Slow unlocking goes on in a thread."""
POLL_SECONDS = 0.003
MAX_STUCK_LOCKS = 32
"""If this many lock calls have not returned, the file system is dead and no further calls are made."""

if os.name == "nt":
    import msvcrt

    _LOCKED_BYTE = 1 << 30

    def _lock(descriptor: int, *, free: bool = False) -> None:
        # Windows refuses to read locked bytes, so the locked byte lies beyond the end of the file.
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        mode = msvcrt.LK_UNLCK if free else msvcrt.LK_NBLCK  # type: ignore[attr-defined,unused-ignore]
        msvcrt.locking(descriptor, mode, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def _lock(descriptor: int, *, free: bool = False) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN if free else fcntl.LOCK_EX | fcntl.LOCK_NB)


_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
"""Errors of a file system without locks. An error in neither set, such as that of a failing disk, is raised."""

_locked_files: set[BinaryIO] = set()
"""Files that a forked child closes."""
_pending_descriptors: set[int] = set()
"""Descriptors of lock calls in progress. A forked child closes them too."""


def try_lock(file: BinaryIO) -> bool:
    """Lock an open file without waiting. Return False if it is locked already. Free the lock with `unlock`.

    Raises:
        LockNotAnswering: the system did not answer in time.
    """
    return _LockCall(file).acquire(time.monotonic())


def unlock(file: BinaryIO) -> None:
    """Free the lock and close the file."""

    def free() -> None:
        with suppress(OSError, ValueError):
            _lock(file.fileno(), free=True)
        with suppress(OSError):
            file.close()
        _locked_files.discard(file)

    _start_thread(free).wait(FREE_SECONDS)


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Hold the lock of a file for a moment. Create the file if needed.

    This serialises `try_lock()` on another file, so that a probe is never mistaken for the holder of that file's lock.

    Raises:
        LockNotAnswering: the lock was not acquired in time.
        OSError: the file cannot be created.
    """
    file = open_private(path, "a+b", mend=True)
    try:
        if not _LockCall(file).acquire(time.monotonic() + LOCK_SECONDS):
            raise LockNotAnswering(path.name, LOCK_SECONDS)
        yield
    finally:
        unlock(file)


@contextmanager
def acquire_with_timeout(lock: ForkSafeLock, name: str) -> Iterator[None]:
    """Hold a lock of this process. Raise LockNotAnswering if it is not free within LOCK_SECONDS."""
    if not lock.acquire(timeout=LOCK_SECONDS):
        raise LockNotAnswering(name, LOCK_SECONDS)
    try:
        yield
    finally:
        lock.release()


class _LockCall:
    """Attempts to lock a file, in a separate thread."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        # A duplicate, because the file may be closed and its descriptor reused before the lock call is made.
        self._descriptor = os.dup(file.fileno())
        _pending_descriptors.add(self._descriptor)
        self._state_lock = threading.Lock()
        self._is_wanted = True
        self._taken: bool | None = None
        self._error: OSError | None = None

    def acquire(self, until: float) -> bool:
        """Try until the time `until` (of `time.monotonic`). Return whether the lock was acquired.

        Raises:
            LockNotAnswering: the lock call did not return.
            OSError: the disk failed.
        """
        seconds = max(0.0, until - time.monotonic())
        if len(_pending_descriptors) > MAX_STUCK_LOCKS:
            self._close()
            raise LockNotAnswering(_name(self._file), 0)
        seconds = max(LOCK_SECONDS, seconds + GRACE_SECONDS)
        _start_thread(lambda: self._run(until)).wait(seconds)
        with self._state_lock:
            self._is_wanted = False
            if self._error is not None:
                raise self._error
            if self._taken is None:
                raise LockNotAnswering(_name(self._file), seconds)
            if self._taken:
                _locked_files.add(self._file)
            return self._taken

    def _run(self, until: float) -> None:
        try:
            taken, error = self._try_until(until), None
        except OSError as exc:
            taken, error = False, exc
        with self._state_lock:
            self._taken, self._error = taken, error
            if taken and not self._is_wanted:
                with suppress(OSError):
                    _lock(self._descriptor, free=True)
        self._close()

    def _try_until(self, until: float) -> bool:
        while True:
            try:
                _lock(self._descriptor)
            except OSError as exc:
                if exc.errno in _NO_LOCKS:
                    return True  # without file locks, only locks within this process work
                if exc.errno not in _TAKEN:
                    raise
            else:
                return True
            if time.monotonic() >= until or not self._is_wanted:
                return False
            threading.Event().wait(POLL_SECONDS)

    def _close(self) -> None:
        _pending_descriptors.discard(self._descriptor)
        with suppress(OSError):
            os.close(self._descriptor)


def _name(file: BinaryIO) -> str:
    return Path(str(file.name)).name


def _start_thread(work: Callable[[], None]) -> threading.Event:
    """Run `work` in a daemon thread, or here if no thread can be started. The event is set when `work` has ended."""
    ended = threading.Event()

    def run() -> None:
        try:
            work()
        finally:
            ended.set()

    try:
        threading.Thread(target=run, name="cloud-history-lock", daemon=True).start()
    except RuntimeError:
        run()
    return ended


def _close_in_child() -> None:
    # The files are closed but not unlocked, because unlocking would free the parent's lock as well.
    for file in list(_locked_files):
        with suppress(OSError, ValueError):
            file.close()
    for descriptor in list(_pending_descriptors):
        with suppress(OSError):
            os.close(descriptor)
    _locked_files.clear()
    _pending_descriptors.clear()


run_after_fork(_close_in_child)


class OwnerLock:
    """A lock that a process holds on its own file while it uses the file. The lock is freed when the process ends."""

    def __init__(self, path: Path) -> None:
        """Lock the file. Raise OSError if it cannot be opened or locked."""
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
        """Return whether a process holds the lock, or may hold it."""
        try:
            return not _can_lock(path)
        except OSError as exc:
            return _may_be_locked(exc)

    @staticmethod
    def is_abandoned(path: Path) -> bool:
        """Return whether the process that locked the file has certainly ended. False if files cannot be locked."""
        try:
            file = open_private(path, "r+b")
        except OSError as exc:
            return not _may_be_locked(exc)
        try:
            # A second attempt to lock fails only on a file system with locks.
            return try_lock(file) and not _can_lock(path)
        except OSError as exc:
            return not _may_be_locked(exc)
        finally:
            unlock(file)


def _may_be_locked(exc: OSError) -> bool:
    """Return whether the file may exist and be locked, although opening or locking it has raised this error."""
    if isinstance(exc, LockNotAnswering):
        return True
    return not isinstance(exc, (FileNotFoundError, NotADirectoryError, FileRefused))


def _can_lock(path: Path) -> bool:
    """Lock the file and free it again. Return whether the lock was acquired. Raise OSError if the file is unusable."""
    file = open_private(path, "r+b")
    try:
        return try_lock(file)
    finally:
        unlock(file)
