"""Operations that began and have not ended, on disk before anything is sent, and the lock of the one that sends.

So a crash in between shows at the next start.

One small file for each running operation. It is removed when the outcome is known, so a file that nobody is
working on is an operation whose outcome nobody knows. Nothing here is ever sent again by itself.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO, Literal

from ..errors import LockSilent, StateUnreadable, StateUnwritable
from ..forks import ForkSafeLock, run_after_fork
from ..tasks.disk import disk_access
from .files import open_private, read_private, write_private
from .folder import state_folder_at
from .locks import file_lock, try_lock, unlock

Kind = Literal["delete", "clear"]

MAX_ENTRY_BYTES = 32_000_000

_NAME = re.compile(r"[0-9a-f]{32}")


def new_operation() -> str:
    """A name for an operation that nobody has."""
    return uuid.uuid4().hex


@dataclass(frozen=True)
class InFlightOperation:
    """One operation, as it is written down.

    Attributes:
        asked: how many jobs, or None for a clear whose number was not confirmed by anybody.
        origin: `panel`, `menu`, `clean_up`, or `node` and the node's id; then `title` is the node's name.
        what: what was asked for, in short, where it was not the jobs themselves.
    """

    kind: Kind
    origin: str
    host: str
    last4: str
    asked: int | None = None
    job_ids: Sequence[str] = ()
    title: str = ""
    what: str = ""
    operation: str = field(default_factory=new_operation)
    started_at: str = field(default_factory=lambda: datetime.now(timezone.utc).isoformat(timespec="seconds"))

    def summary(self) -> dict[str, object]:
        """What a person is told of it."""
        keys = ("operation", "kind", "asked", "origin", "started_at")
        return {key: value for key, value in asdict(self).items() if key in keys}


class InFlight:
    """The folder of entries. Blocking (small files): call it off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._state = state_folder_at(folder)
        self._folder = folder / "running"

    def begin(self, entry: InFlightOperation) -> None:
        """Write it down.

        Raises:
            StateUnwritable: it cannot be written, so nothing may be sent.
        """
        try:
            self._state.ensure(self._folder.name)
            write_private(self._path(entry.operation), json.dumps(asdict(entry)))
        except OSError as exc:
            raise StateUnwritable("deletion_not_noted", because=exc) from exc

    def resolve(self, operation: str) -> None:
        """Forget an entry: its outcome is known, or the person has seen that it is not.

        Raises:
            StateUnwritable, StateFolderLost: its file cannot be removed.
        """
        self._state.check()
        try:
            with disk_access(self._path(operation)):
                self._path(operation).unlink(missing_ok=True)
        except OSError as exc:
            raise StateUnwritable("note_not_removed", because=exc) from exc

    def entries(self) -> list[InFlightOperation]:
        """What is written down, oldest first: what is running now, and what was never resolved.

        Raises:
            StateUnreadable: the disk does not tell.
        """
        found = (self._read(path) for path in self._files())
        return sorted((each for each in found if each is not None), key=lambda each: each.started_at)

    def _files(self) -> list[Path]:
        try:
            return [
                path
                for path in self._folder.iterdir()
                if path.suffix == ".json" and _NAME.fullmatch(path.stem)
            ]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as exc:
            raise StateUnreadable("in_flight_unreadable", because=exc) from exc

    def _path(self, operation: str) -> Path:
        if not _NAME.fullmatch(operation):
            raise ValueError("not the name of an operation")
        return self._folder / f"{operation}.json"

    def _read(self, path: Path) -> InFlightOperation | None:
        try:
            found = json.loads(read_private(path, MAX_ENTRY_BYTES))
            entry = InFlightOperation(**{"title": "", "what": "", **found})
            if _is_whole(entry, path.stem):
                return entry
        except FileNotFoundError:
            return None  # resolved since the folder was read
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            pass
        # A file that cannot be read still says that something was running: it is never passed over.
        return InFlightOperation("delete", "unknown", "", "", operation=path.stem, started_at="")


def _is_whole(entry: InFlightOperation, name: str) -> bool:
    texts: list[object] = [
        *(entry.origin, entry.host, entry.last4, entry.started_at),
        *(entry.title, entry.what),
    ]
    job_ids: object = entry.job_ids
    return (
        entry.operation == name
        and entry.kind in ("delete", "clear")
        and all(isinstance(each, str) for each in texts)
        and (entry.asked is None or type(entry.asked) is int)
        and isinstance(job_ids, list)
        and all(isinstance(each, str) for each in job_ids)
    )


class SenderLock:
    """The lock of the one that sends, in a state folder. Blocking (a small file): call it off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._state = state_folder_at(folder)
        self._path = folder / "sending.lock"
        self._lock_path = folder / "sending.gate"
        self._here = ForkSafeLock()
        self._file: BinaryIO | None = None
        run_after_fork(self._forget)

    def take(self, operation: str) -> bool:
        """Take the lock for this operation; False where another one has it.

        Raises:
            StateUnwritable: the state folder cannot be written.
        """
        if not self._here.acquire(blocking=False):
            return False
        try:
            self._file = self._claim(operation)
        except OSError as exc:
            raise StateUnwritable("state_unwritable", because=exc) from exc
        finally:
            if self._file is None:
                self._here.release()
        return self._file is not None

    def free(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            unlock(self._file)
            self._file = None
        self._here.release()

    def holder(self) -> str | None:
        """The operation that has the lock now, wherever it runs, or None."""
        try:
            with file_lock(self._lock_path):
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
            with file_lock(self._lock_path):
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


def unresolved(in_flight: InFlight, lock: SenderLock) -> list[InFlightOperation]:
    """Operations whose outcome nobody knows: ComfyUI stopped, or they were cancelled. Blocking (small files)."""
    entries = in_flight.entries()
    holder = lock.holder() if entries else None
    return [entry for entry in entries if entry.operation != holder]
