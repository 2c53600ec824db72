"""Locks on files, which the system frees when their process ends, however it ends.

Any lock call may never return: on a network drive without a lock service it hangs even when told not to wait. So each
is made in a thread of its own that nobody joins, and has a limit. A lock that comes too late is given back there.

A forked child shares the locks of its parent. It closes its copies at once, and the parent frees a lock before it
closes the file: a child of another pack would else keep it for as long as it lives.
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

from ..errors import FileRefused, LockSilent
from ..forks import ForkSafeLock, run_after_fork
from .files import open_private

LOCK_SECONDS = 3.0
"""How long a lock may be waited for: they are held for the moment that it takes to write a line."""
GRACE_SECONDS = 0.2
"""For the last of several tries."""
FREE_SECONDS = 0.03
"""How long freeing one may hold up its caller, who may be an event loop. It is freed all the same."""
POLL_SECONDS = 0.003
MAX_STUCK_LOCKS = 32
"""Calls that have not returned. With so many the file system is dead, and no more are made."""

if os.name == "nt":
    import msvcrt

    _FAR_BEYOND_THE_TEXT = 1 << 30

    def _lock(descriptor: int, *, free: bool = False) -> None:
        # Windows refuses even reading what is locked, so the locked byte is not one of the text's.
        os.lseek(descriptor, _FAR_BEYOND_THE_TEXT, os.SEEK_SET)
        mode = msvcrt.LK_UNLCK if free else msvcrt.LK_NBLCK  # type: ignore[attr-defined,unused-ignore]
        msvcrt.locking(descriptor, mode, 1)  # type: ignore[attr-defined,unused-ignore]

else:
    import fcntl

    def _lock(descriptor: int, *, free: bool = False) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN if free else fcntl.LOCK_EX | fcntl.LOCK_NB)


_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK, errno.EDEADLK}
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL}
"""What a file system says that knows no locks. A disk that fails says something else: then nobody has the lock."""

_held: set[BinaryIO] = set()
"""Files with a lock, which a forked child closes."""
_pending_descriptors: set[int] = set()
"""Descriptors of lock calls under way, which it closes too."""


def try_lock(file: BinaryIO) -> bool:
    """Lock an open file; False where somebody else has. `unlock` gives it back.

    Raises:
        LockSilent: the system has not said in time whether it can be had.
    """
    return _Attempt(file).made(time.monotonic())


def unlock(file: BinaryIO) -> None:
    """Free the lock, and close the file."""

    def free() -> None:
        with suppress(OSError, ValueError):
            _lock(file.fileno(), free=True)
        with suppress(OSError):
            file.close()
        _held.discard(file)

    _aside(free).wait(FREE_SECONDS)


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """One at a time through here, for a moment, so that who tries a lock is never mistaken for who has it.

    Raises:
        LockSilent: it was not had in time. OSError: the file cannot be made.
    """
    file = open_private(path, "a+b", mend=True)
    try:
        if not _Attempt(file).made(time.monotonic() + LOCK_SECONDS):
            raise LockSilent(path.name, LOCK_SECONDS)
        yield
    finally:
        unlock(file)


@contextmanager
def acquire_with_timeout(lock: ForkSafeLock, name: str) -> Iterator[None]:
    """Hold a lock of this process. Raises LockSilent: who has it does not come to an end."""
    if not lock.acquire(timeout=LOCK_SECONDS):
        raise LockSilent(name, LOCK_SECONDS)
    try:
        yield
    finally:
        lock.release()


class _Attempt:
    """One lock call, or several until a moment, in a thread of its own."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        # A copy of its own: the file may be closed, and its number be another file's, before the call is made.
        self._descriptor = os.dup(file.fileno())
        _pending_descriptors.add(self._descriptor)
        self._one_at_a_time = threading.Lock()
        self._wanted = True
        self._taken: bool | None = None
        self._error: OSError | None = None

    def made(self, until: float) -> bool:
        """Whether the lock was had by then. Raises LockSilent, OSError."""
        seconds = max(0.0, until - time.monotonic())
        if len(_pending_descriptors) > MAX_STUCK_LOCKS:
            self._close()
            raise LockSilent(_name(self._file), 0)
        seconds = max(LOCK_SECONDS, seconds + GRACE_SECONDS)
        _aside(lambda: self._run(until)).wait(seconds)
        with self._one_at_a_time:
            self._wanted = False
            if self._error is not None:
                raise self._error
            if self._taken is None:
                raise LockSilent(_name(self._file), seconds)
            if self._taken:
                _held.add(self._file)
            return self._taken

    def _run(self, until: float) -> None:
        try:
            taken, error = self._taken_by(until), None
        except OSError as exc:
            taken, error = False, exc
        with self._one_at_a_time:
            self._taken, self._error = taken, error
            if taken and not self._wanted:
                with suppress(OSError):
                    _lock(self._descriptor, free=True)
        self._close()

    def _taken_by(self, until: float) -> bool:
        while True:
            try:
                _lock(self._descriptor)
            except OSError as exc:
                if exc.errno in _NO_LOCKS:
                    return True  # what the process itself knows has to do
                if exc.errno not in _TAKEN:
                    raise
            else:
                return True
            if time.monotonic() >= until or not self._wanted:
                return False
            threading.Event().wait(POLL_SECONDS)

    def _close(self) -> None:
        _pending_descriptors.discard(self._descriptor)
        with suppress(OSError):
            os.close(self._descriptor)


def _name(file: BinaryIO) -> str:
    return Path(str(file.name)).name


def _aside(work: Callable[[], None]) -> threading.Event:
    """Do it in a daemon thread; here, where the system starts none. Tells when it has ended."""
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


def _forked() -> None:
    # Closed and not freed: it is the parent's lock too.
    for file in list(_held):
        with suppress(OSError, ValueError):
            file.close()
    for descriptor in list(_pending_descriptors):
        with suppress(OSError):
            os.close(descriptor)
    _held.clear()
    _pending_descriptors.clear()


run_after_fork(_forked)


class OwnerLock:
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
