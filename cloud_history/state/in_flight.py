"""Operations that have begun and not ended, and the lock of the operation that is sending.

Each operation has a small file, written before anything is sent and removed when its outcome is known. Just before the
first request that may remove jobs, the file is written again, so that it says whether one may have been sent. If no
process works on an operation, for example after a crash, its outcome is unknown, unless nothing can have been sent. It
is never sent again automatically.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Literal

from ..errors import LockNotAnswering, StateUnwritable
from ..forks import ForkSafeLock, run_after_fork
from ..jobs.ids import check_hex_id, new_hex_id
from ..jobs.job import utc_now
from ..tasks.disk import disk_access
from .files import files_named_by_id, open_private, read_json, write_private
from .folder import state_folder_at
from .locks import file_lock, try_lock, unlock

Kind = Literal["delete", "clear"]

MAX_ENTRY_BYTES = 32_000_000


@dataclass(frozen=True)
class InFlightOperation:
    """One operation, as its file describes it.

    Attributes:
        asked: number of jobs; None for a clear that was not confirmed with a number.
        origin: `panel`, `menu`, `clean_up`, or `node` and the node's id.
        title: the node's title, if a node began the operation.
        what: a short text about the filter or the policy, if jobs were selected by one.
        may_have_sent: whether a request that removes jobs may have been sent.
    """

    kind: Kind
    origin: str
    host: str
    last4: str
    asked: int | None = None
    job_ids: Sequence[str] = ()
    title: str = ""
    what: str = ""
    operation: str = field(default_factory=new_hex_id)
    started_at: str = field(default_factory=lambda: utc_now().isoformat(timespec="seconds"))
    may_have_sent: bool = False

    def summary(self) -> dict[str, object]:
        """Return the members that are shown to a person."""
        keys = ("operation", "kind", "asked", "origin", "started_at", "may_have_sent")
        return {key: value for key, value in asdict(self).items() if key in keys}


class InFlight:
    """The folder `running`. Its methods access files: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self._state = state_folder_at(folder)
        self._folder = folder / "running"

    def begin(self, entry: InFlightOperation) -> None:
        """Write the file of an operation. Raise StateUnwritable if that fails: nothing may be sent then."""
        self._write(entry)

    def begin_sending(self, entry: InFlightOperation) -> None:
        """Write that a request may have been sent. Raise StateUnwritable if that fails: nothing may be sent then."""
        self._write(replace(entry, may_have_sent=True))

    def _write(self, entry: InFlightOperation) -> None:
        try:
            self._state.ensure(self._folder.name)
            write_private(self._path(entry.operation), json.dumps(asdict(entry)))
        except OSError as exc:
            raise StateUnwritable("deletion_not_noted", because=exc) from exc

    def resolve(self, operation: str) -> None:
        """Remove the file of an operation whose outcome is known, or that the person has dismissed.

        Raises:
            StateUnwritable: the file cannot be removed.
            StateFolderLost: the state folder is missing.
        """
        self._state.check()
        try:
            with disk_access(self._path(operation)):
                self._path(operation).unlink(missing_ok=True)
        except OSError as exc:
            raise StateUnwritable("note_not_removed", because=exc) from exc

    def entries(self) -> list[InFlightOperation]:
        """Return all operations, running or unresolved, oldest first. Raise StateUnreadable if that fails."""
        files = files_named_by_id(self._folder, ".json", "in_flight_unreadable")
        found = (self._read(path) for path in files)
        return sorted((each for each in found if each is not None), key=lambda each: each.started_at)

    def _path(self, operation: str) -> Path:
        check_hex_id(operation)
        return self._folder / f"{operation}.json"

    def _read(self, path: Path) -> InFlightOperation | None:
        try:
            found = read_json(path, MAX_ENTRY_BYTES)
            # Version 1.2.0 did not write whether anything may have been sent.
            entry = InFlightOperation(**{"title": "", "what": "", "may_have_sent": True, **found})
            if _is_valid(entry, path.stem):
                return entry
        except FileNotFoundError:
            return None  # removed since the folder was listed
        except (OSError, ValueError, TypeError):
            pass
        # An unreadable file is not skipped, because it still shows that an operation was running.
        return InFlightOperation("delete", "unknown", "", "", operation=path.stem, started_at="", may_have_sent=True)


def _is_valid(entry: InFlightOperation, name: str) -> bool:
    texts: list[object] = [
        *(entry.origin, entry.host, entry.last4, entry.started_at),
        *(entry.title, entry.what),
    ]
    job_ids: object = entry.job_ids
    may_have_sent: object = entry.may_have_sent
    return (
        entry.operation == name
        and entry.kind in ("delete", "clear")
        and all(isinstance(each, str) for each in texts)
        and (entry.asked is None or type(entry.asked) is int)
        and isinstance(may_have_sent, bool)
        and isinstance(job_ids, list)
        and all(isinstance(each, str) for each in job_ids)
    )


class SenderLock:
    """The lock of the operation that is sending. Its methods access a file: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self._state = state_folder_at(folder)
        self._path = folder / "sending.lock"
        self._lock_path = folder / "sending.gate"
        self._process_lock = ForkSafeLock()
        self._file: BinaryIO | None = None
        run_after_fork(self._drop_in_child)

    def take(self, operation: str) -> bool:
        """Acquire the lock. Return False if another operation holds it. Raise StateUnwritable if the disk fails."""
        if not self._process_lock.acquire(blocking=False):
            return False
        try:
            self._file = self._open_and_lock(operation)
        except OSError as exc:
            raise StateUnwritable("state_unwritable", because=exc) from exc
        finally:
            if self._file is None:
                self._process_lock.release()
        return self._file is not None

    def free(self) -> None:
        """Free the lock."""
        if self._file is not None:
            unlock(self._file)
            self._file = None
        self._process_lock.release()

    def holder(self) -> str | None:
        """Return the operation that holds the lock now, in any process, or None."""
        try:
            with file_lock(self._lock_path):
                file = open_private(self._path, "r+b")
                try:
                    free = self._file is None and try_lock(file)
                    return None if free else _operation_in(file)
                finally:
                    unlock(file)
        except LockNotAnswering:
            return self._last_holder()
        except OSError:
            return None

    def _last_holder(self) -> str | None:
        """Return the last operation that held the lock. Used if the lock does not answer, so it may still be held."""
        with suppress(OSError), open_private(self._path, "rb") as file:
            return _operation_in(file) or None
        return None

    def _drop_in_child(self) -> None:
        # A forked child does not hold the lock. The module `locks` closes the child's copy of the file.
        self._file = None

    def _open_and_lock(self, operation: str) -> BinaryIO | None:
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


def _operation_in(file: BinaryIO) -> str:
    return file.read(64).decode("ascii", "replace")


def unresolved(in_flight: InFlight, lock: SenderLock) -> list[InFlightOperation]:
    """Return the operations that no process works on, because ComfyUI stopped or they were cancelled. Reads files."""
    entries = in_flight.entries()
    holder = lock.holder() if entries else None
    return [entry for entry in entries if entry.operation != holder]
