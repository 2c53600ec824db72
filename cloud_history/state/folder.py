"""The state folder, and how to distinguish a lost state folder from a new one, which has no protected jobs yet.

The marker `state_folder.json` is created together with the folder. It contains an id and the names of the safeguards
(files such as the list of protected jobs) that were ever written to the folder. The rules:

- The folder is missing or empty, and this process has not used it before: the folder is new. The mount point of a
  missing disk looks the same after a restart, so a warning is logged. If the environment names a folder outside
  ComfyUI, `keep_id_copy_in` copies the id to ComfyUI's folder, so that a restart without the disk is noticed.
- The folder has files but no marker: version 1.2.0 or earlier created the folder. A marker is written.
- A safeguard that the marker lists is missing: the folder is lost, also after a restart.
- This process has read a marker or files, but now the marker is missing or has another id: the folder is lost.
- The marker or the folder can't be read: the folder counts as lost.

While the folder is lost, no deletion begins, unless a person chooses `start_anew`.
"""

from __future__ import annotations

import json
import os
import stat
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..errors import InputRefused, StateFolderLost, StateUnwritable
from ..forks import ForkSafeLock
from ..secret import log
from ..sentence import Worded
from ..tasks.disk import disk_access
from .files import private_folder, read_json, write_private
from .locks import LOCK_SECONDS, file_lock

MARKER = "state_folder.json"
ID_COPY = "state_is_elsewhere.json"
MAX_MARKER_BYTES = 64_000
THREAD_LOCK_SECONDS = 2 * LOCK_SECONDS
"""Longer than LOCK_SECONDS, because the thread that holds the lock may be waiting for another process."""
PROTECTION, SETTINGS = "protected.json", "settings.json"
# A file in the folder `backups`, because an empty folder may be the mount point of a missing disk.
BACKUPS = "backups/.gate"
# Written when the list of saved outputs has its first line. The list itself is missing for a moment when it is rotated.
SAVED_OUTPUTS = "saved_outputs.begun"
SAFEGUARDS: dict[str, str | Worded] = {
    PROTECTION: PROTECTION,
    SETTINGS: SETTINGS,
    BACKUPS: Worded("backups", "the content of the folder backups"),
    SAVED_OUTPUTS: SAVED_OUTPUTS,
}
"""Files that must not go missing after they were written, and their names in error messages."""

_UNMARKED_FILES = {
    *SAFEGUARDS,
    "api_key.json",
    "deletions.jsonl",
    "sending.lock",
    "running",
    "holds",
    "asking",
    "backups",
}
"""Files and folders of version 1.2.0, which did not write a marker."""
_UNMARKED = ""


@dataclass(frozen=True)
class _Marker:
    id: str
    safeguards: frozenset[str]


class StateFolder:
    """One state folder. Its methods access files: call them in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_path = path / "state_folder.gate"
        self._known_id: str | None = None
        """The id that this process has read or written; `_UNMARKED` if the marker could not be written."""
        self._id_copy: Path | None = None
        self._lock = ForkSafeLock(reentrant=True)

    def keep_id_copy_in(self, folder: Path) -> None:
        """Keep a copy of the id in `folder`, so that a restart notices that the state folder is lost."""
        if os.path.realpath(folder) == str(self.path):
            return
        with self._exclusive(), suppress(OSError, ValueError, KeyError):
            self._id_copy = folder / ID_COPY
            kept = read_json(self._id_copy, MAX_MARKER_BYTES)
            if kept["folder"] == str(self.path) and kept["id"] and self._known_id is None:
                self._known_id = str(kept["id"])

    def check(self) -> frozenset[str]:
        """Return the existing safeguards. Raise StateFolderLost if the folder or a safeguard is missing or broken."""
        with self._exclusive():
            marker = self._read_marker()
            if marker is None:
                self._check_unmarked()
                return frozenset()
            if self._known_id not in (None, _UNMARKED, marker.id):
                raise StateFolderLost("state_replaced", folder=self.path)
            self._remember_id(marker.id)
            there = self._existing_safeguards()
            for each in sorted(marker.safeguards - there):
                raise StateFolderLost("state_without_safeguard", folder=self.path, part=SAFEGUARDS[each])
            if self._safeguard_files() - marker.safeguards:
                self._update_marker(marker.id)
            return there

    def ensure(self, below: str = "") -> Path:
        """Return the state folder, or its subfolder `below`. Create them if they are new.

        Raises:
            StateFolderLost: the folder existed and is missing now.
            OSError: the folder cannot be created.
        """
        with self._exclusive():
            self.check()
            if self._known_id is None:
                self._create()
            return self._create_subfolder(below) if below else self.path

    def start_anew(self) -> None:
        """Accept the folder as it is now, at a person's request. Create it if it is missing.

        Raises:
            InputRefused: nothing is missing from the folder.
            StateUnwritable: the folder or its marker cannot be written.
        """
        with self._exclusive():
            with suppress(StateFolderLost):
                self.check()
                raise InputRefused("state_folder_not_lost")
            try:
                private_folder(self.path)
                with file_lock(self._lock_path):
                    self._write_marker(self._marker_id() or uuid.uuid4().hex, self._safeguard_files())
            except OSError as exc:
                raise StateUnwritable(
                    "state_not_begun_anew", because=exc, folder=self.path, cause=exc.strerror
                ) from exc
            log.warning("The state folder %s was started anew at a person’s request.", self.path)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with disk_access(self.path):
            if not self._lock.acquire(timeout=THREAD_LOCK_SECONDS):
                raise StateFolderLost("state_disk_silent", folder=self.path)
            try:
                yield
            finally:
                self._lock.release()

    def _create_subfolder(self, name: str) -> Path:
        # With `parents=True`, `mkdir` would create the state folder again if it is lost at this moment.
        folder = self.path / name
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        return folder

    def _check_unmarked(self) -> None:
        """Check a folder without a marker. Raise StateFolderLost unless it is new or was made by version 1.2.0."""
        names = self._list_names()
        if self._known_id is None and not names & _UNMARKED_FILES:
            return  # the folder is new
        if self._known_id in (None, _UNMARKED) and names & _UNMARKED_FILES:
            try:
                with file_lock(self._lock_path):
                    self._write_current_marker()
            except OSError:
                self._known_id = _UNMARKED  # in a read-only folder, no deletion can begin
            return
        if not os.path.isdir(self.path):
            raise StateFolderLost("state_gone", folder=self.path)
        raise StateFolderLost("state_without_marker" if names else "state_empty", folder=self.path, part=MARKER)

    def _create(self) -> None:
        was_there = os.path.isdir(self.path)
        private_folder(self.path)
        with file_lock(self._lock_path):
            self._write_current_marker()
        if was_there:
            log.warning(
                "The state folder %s was empty, so it counts as new: no job is protected. If it should not be empty, "
                "stop ComfyUI, mount its disk, and start again.",
                self.path,
            )

    def _update_marker(self, seen: str) -> None:
        # If the marker can't be written now, the next `check` writes it.
        with suppress(OSError), file_lock(self._lock_path):
            if self._marker_id() == seen:
                self._write_current_marker()

    def _write_current_marker(self) -> None:
        """Write the marker, and keep what another process may have written to it. The file lock must be held."""
        marker = None
        with suppress(StateFolderLost):
            marker = self._read_marker()
        known = marker.safeguards if marker else frozenset[str]()
        self._write_marker(marker.id if marker else uuid.uuid4().hex, self._safeguard_files() | known)

    def _write_marker(self, name: str, safeguards: frozenset[str]) -> None:
        kept = {
            "id": name,
            "safeguards": sorted(safeguards),
            "about": "Comfy Cloud History recognises this folder by this file. Do not remove it.",
        }
        write_private(self.path / MARKER, json.dumps(kept, indent=1))
        self._remember_id(name)

    def _remember_id(self, name: str) -> None:
        if self._known_id == name:
            return
        self._known_id = name
        if self._id_copy is not None:
            # The copy only lets a restart notice a lost folder, so an error here is ignored.
            with suppress(OSError):
                private_folder(self._id_copy.parent)
                write_private(self._id_copy, json.dumps({"folder": str(self.path), "id": name}))

    def _marker_id(self) -> str | None:
        with suppress(StateFolderLost):
            marker = self._read_marker()
            return marker.id if marker else None
        return None

    def _read_marker(self) -> _Marker | None:
        """Return the marker, or None if it is missing. Raise StateFolderLost if it can't be read."""
        try:
            kept = read_json(self.path / MARKER, MAX_MARKER_BYTES)
            name, safeguards = kept["id"], kept["safeguards"]
            if name and isinstance(name, str) and isinstance(safeguards, list):
                return _Marker(name, frozenset(each for each in SAFEGUARDS if each in safeguards))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as exc:
            raise StateFolderLost("state_refused", folder=self.path, cause=exc.strerror) from None
        except (ValueError, KeyError):
            pass
        raise StateFolderLost("state_marker_damaged", folder=self.path, part=MARKER)

    def _list_names(self) -> set[str]:
        try:
            return set(os.listdir(self.path)) - {self._lock_path.name}
        except (FileNotFoundError, NotADirectoryError):
            return set()
        except OSError as exc:
            raise StateFolderLost("state_refused", folder=self.path, cause=exc.strerror) from None

    def _existing_safeguards(self) -> frozenset[str]:
        return frozenset(each for each in SAFEGUARDS if os.path.lexists(self.path / each))

    def _safeguard_files(self) -> frozenset[str]:
        # Only regular files count. If a folder or a link with such a name is removed, no safeguard is missing.
        return frozenset(each for each in self._existing_safeguards() if _is_file(self.path / each))


def _is_file(path: Path) -> bool:
    with suppress(OSError):
        return stat.S_ISREG(path.lstat().st_mode)
    return False


@cache
def state_folder_at(path: Path) -> StateFolder:
    """Return the state folder at this path. The whole process shares one object for each path."""
    return StateFolder(path)
