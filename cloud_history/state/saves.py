"""Saves of outputs that have begun and not ended, so that a person can continue them after a restart of ComfyUI.

Each save has a small file, which its process locks while it runs. A save whose file no process locks was interrupted.
It is never continued by itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..errors import InputRefused, StateUnwritable
from ..forks import ForkSafeLock
from ..jobs.ids import check_hex_id, is_job_id, new_hex_id
from ..jobs.job import utc_now
from ..secret import scrub
from ..tasks.disk import disk_access
from .files import files_named_by_id, read_json, write_private
from .folder import state_folder_at
from .locks import OwnerLock, acquire_with_timeout

MAX_ENTRY_BYTES = 32_000_000


@dataclass(frozen=True)
class InFlightSave:
    """One save, as its file describes it.

    Attributes:
        job_ids: the jobs whose outputs are saved; empty if the file is damaged.
        host, last4: the host of Comfy Cloud and the last four characters of the API key.
        root: absolute path of the folder for outputs.
        place: the folder for outputs, as it is shown.
        origin: `panel`, or `node` and the node's id.
        begun: ISO time; "" if the file is damaged.
    """

    job_ids: Sequence[str]
    host: str
    last4: str
    root: str
    place: str
    origin: str
    operation: str = field(default_factory=new_hex_id)
    begun: str = field(default_factory=lambda: utc_now().isoformat(timespec="seconds"))


class InFlightSaves:
    """The folder `saving`. Its methods access files: call them in a thread. A process needs one object only."""

    def __init__(self, folder: Path) -> None:
        self._state = state_folder_at(folder)
        self._folder = folder / "saving"
        self._locks: dict[str, OwnerLock] = {}
        self._lock = ForkSafeLock()

    def begin(self, entry: InFlightSave) -> None:
        """Write the file of a save, and hold it until `end` or `interrupt`.

        Raises:
            StateUnwritable: that failed. The save must not begin then.
            StateFolderLost: the state folder is missing.
        """
        path = self._path(entry.operation)
        try:
            self._state.ensure(self._folder.name)
            about = asdict(entry) | {"origin": scrub(entry.origin), "job_ids": list(entry.job_ids)}
            write_private(path, json.dumps(about))
            with acquire_with_timeout(self._lock, path.name):
                self._locks[entry.operation] = OwnerLock(path)
        except OSError as exc:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise StateUnwritable("save_not_noted", because=exc) from exc

    def take(self, operation: str) -> InFlightSave:
        """Return an interrupted save and hold it, so that it can be continued.

        Raises:
            InputRefused: there is no such save, it is running in some process, or its file is damaged.
            StateUnwritable: its file cannot be locked.
        """
        path = self._path(operation)
        entry = self._read(path)
        if entry is None or not entry.job_ids:
            raise InputRefused("no_such_save")
        try:
            with acquire_with_timeout(self._lock, path.name):
                if operation in self._locks or OwnerLock.is_held(path):
                    raise InputRefused("no_such_save")
                self._locks[operation] = OwnerLock(path)
        except OSError as exc:
            raise StateUnwritable("save_not_noted", because=exc) from exc
        return entry

    def interrupt(self, operation: str) -> None:
        """Stop holding a save. Its file stays, so that the save can be continued."""
        with acquire_with_timeout(self._lock, operation):
            lock = self._locks.pop(operation, None)
        if lock is not None:
            lock.release()

    def end(self, operation: str) -> None:
        """Remove the file of a save that has ended, or that the person has dismissed.

        Raises:
            StateUnwritable: the file cannot be removed.
            StateFolderLost: the state folder is missing.
        """
        path = self._path(operation)
        self._state.check()
        try:
            self.interrupt(operation)  # Windows cannot remove an open file
            with disk_access(path):
                path.unlink(missing_ok=True)
        except OSError as exc:
            raise StateUnwritable("save_note_not_removed", because=exc) from exc

    def interrupted(self) -> list[InFlightSave]:
        """Return the saves that no process carries out, the oldest first. Raise StateUnreadable if that fails."""
        found = []
        for path in files_named_by_id(self._folder, ".json", "saves_unreadable"):
            with acquire_with_timeout(self._lock, path.name):
                is_ours = path.stem in self._locks
            if not is_ours and not OwnerLock.is_held(path) and (entry := self._read(path)) is not None:
                found.append(entry)
        return sorted(found, key=lambda each: each.begun)

    def _path(self, operation: str) -> Path:
        check_hex_id(operation)
        return self._folder / f"{operation}.json"

    @staticmethod
    def _read(path: Path) -> InFlightSave | None:
        try:
            entry = InFlightSave(**read_json(path, MAX_ENTRY_BYTES))
            if _is_valid(entry, path.stem):
                return entry
        except FileNotFoundError:
            return None  # removed since the folder was listed
        except (OSError, ValueError, TypeError):
            pass
        # A damaged file is not skipped, so that the person can dismiss it.
        return InFlightSave((), "", "", "", "", "unknown", operation=path.stem, begun="")


def _is_valid(entry: InFlightSave, name: str) -> bool:
    texts: list[object] = [entry.host, entry.last4, entry.root, entry.place, entry.origin, entry.begun]
    job_ids: object = entry.job_ids
    return (
        entry.operation == name
        and all(isinstance(each, str) for each in texts)
        and isinstance(job_ids, list)
        and bool(job_ids)
        and all(isinstance(each, str) and is_job_id(each) for each in job_ids)
    )
