"""One sending operation at a time: in this process, in its copies of this package, and in other processes.

A lock on a file in the state folder, because a module's own lock is not enough: some editions of ComfyUI import a
pack twice (once for its routes, once for its nodes), and two ComfyUIs may share a user folder. The system frees the
lock when its process ends, however it ends, so it also tells what is running from what was cut short.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import LockSilent, StateUnwritable
from ..forks import Lock, restart_in_child
from .folder import state_folder_at
from .locks import gate, try_lock, unlock
from .private_files import open_private


class SendingSlot:
    """The one slot of a state folder. Blocking (a small file): call it off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._state = state_folder_at(folder)
        self._path = folder / "sending.lock"
        self._gate = folder / "sending.gate"
        self._here = Lock()
        self._file: BinaryIO | None = None
        restart_in_child(self._forget)

    def take(self, operation: str) -> bool:
        """Take the slot for this operation; False where another one has it.

        Raises:
            StateUnwritable: the state folder cannot be written.
        """
        if not self._here.acquire(blocking=False):
            return False
        try:
            self._file = self._claim(operation)
        except OSError as exc:
            raise StateUnwritable(
                "Deletions are stopped: the state folder can’t be written.", because=exc
            ) from exc
        finally:
            if self._file is None:
                self._here.release()
        return self._file is not None

    def free(self) -> None:
        """Give the slot back."""
        if self._file is not None:
            unlock(self._file)
            self._file = None
        self._here.release()

    def holder(self) -> str | None:
        """The operation that has the slot now, wherever it runs, or None."""
        try:
            with gate(self._gate):
                file = open_private(self._path, "r+b")
                try:
                    free = self._file is None and try_lock(file)
                    return None if free else _name_in(file)
                finally:
                    unlock(file)
        except LockSilent:
            return self._last()
        except OSError:
            return None

    def _last(self) -> str | None:
        """The last operation that had it, where nobody can tell whether it still has."""
        with suppress(OSError), open_private(self._path, "rb") as file:
            return _name_in(file) or None
        return None

    def _forget(self) -> None:
        # A forked child holds nothing: its copy of the locked file is closed.
        self._file = None

    def _claim(self, operation: str) -> BinaryIO | None:
        self._state.ensure()
        file, taken = open_private(self._path, "r+b", create=True, mend=True), False
        try:
            with gate(self._gate):
                if not try_lock(file):
                    return None
                file.seek(0)
                file.truncate()
                file.write(operation.encode("ascii"))
                file.flush()
            taken = True
        finally:
            if not taken:
                unlock(file)
        return file


def _name_in(file: BinaryIO) -> str:
    return file.read(64).decode("ascii", "replace")
