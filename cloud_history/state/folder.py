"""The state folder, and how a lost one is told from a new one, in which nothing is protected yet.

The marker `state_folder.json` is created together with the folder. It holds an id and the names of the safeguards
that were ever written there. The rules:

- No folder or an empty one, never seen by this process: it is new. After a restart it looks the same as the mount
  point of a missing disk, so a warning is logged. If the environment names a folder outside ComfyUI's, a copy of the
  id is kept in ComfyUI's folder (`keep_id_copy_in`), so that a restart without the disk is noticed.
- Files but no marker: version 1.2.0 or earlier created the folder. It gets a marker.
- A safeguard that the marker lists is missing: the folder has lost it. This holds after a restart too.
- This process has seen a marker or files, and the marker is missing or has another id: the folder is lost.
- The marker or the folder can't be read: the folder counts as lost.

A lost folder stops all deletions until it is back, or until a person chooses `start_anew`.
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
from ..tasks.disk import disk_access
from .files import private_folder, read_json, write_private
from .locks import LOCK_SECONDS, file_lock

MARKER = "state_folder.json"
ID_COPY = "state_is_elsewhere.json"
MAX_MARKER_BYTES = 64_000
THREAD_LOCK_SECONDS = 2 * LOCK_SECONDS
"""Longer than the wait for another process, which a thread that holds the lock may be in."""
PROTECTION, SETTINGS = "protected.json", "settings.json"
# Not the folder itself: the mount point of a missing disk is a folder too.
BACKUPS = "backups/.gate"
SAFEGUARDS = {PROTECTION: PROTECTION, SETTINGS: SETTINGS, BACKUPS: "the content of the folder backups"}
"""Files that must not go missing once they were written, with their names in error messages."""

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
"""Files and folders of version 1.2.0, which made no marker."""
_UNMARKED = ""


@dataclass(frozen=True)
class _Marker:
    id: str
    safeguards: frozenset[str]


class StateFolder:
    """One state folder. Blocking (small files): call it off the event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_path = path / "state_folder.gate"
        self._known_id: str | None = None
        """The id seen by this process; `_UNMARKED` if the marker could not be written."""
        self._id_copy: Path | None = None
        self._lock = ForkSafeLock(reentrant=True)

    def keep_id_copy_in(self, folder: Path) -> None:
        """Keep a copy of the id in another folder, so that a restart notices when this one is lost."""
        if os.path.realpath(folder) == str(self.path):
            return
        with self._exclusive(), suppress(OSError, ValueError, KeyError):
            self._id_copy = folder / ID_COPY
            kept = read_json(self._id_copy, MAX_MARKER_BYTES)
            if kept["folder"] == str(self.path) and kept["id"] and self._known_id is None:
                self._known_id = str(kept["id"])

    def check(self) -> frozenset[str]:
        """Return the safeguards that exist.

        Raises:
            StateFolderLost: the folder, or a safeguard that was in it, is missing or can't be read.
        """
        with self._exclusive():
            marker = self._read()
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
        """Return the folder, or the folder `below` in it, after creating it if it is new.

        Raises:
            StateFolderLost: it existed and is missing now. OSError: it cannot be created.
        """
        with self._exclusive():
            self.check()
            if self._known_id is None:
                self._make()
            return self._below(below) if below else self.path

    def start_anew(self) -> None:
        """Accept the folder as it is now, because a person chose to. Creates it if it is missing.

        Raises:
            InputRefused: it is not lost. StateUnwritable: it cannot be created.
        """
        with self._exclusive():
            with suppress(StateFolderLost):
                self.check()
                raise InputRefused("state_folder_not_lost")
            try:
                private_folder(self.path)
                with file_lock(self._lock_path):
                    self._mark(self._marker_id() or uuid.uuid4().hex, self._safeguard_files())
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

    def _below(self, name: str) -> Path:
        # Not `parents=True`: if the state folder is lost at this moment, it must not be created again.
        folder = self.path / name
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        return folder

    def _check_unmarked(self) -> None:
        """Handle a folder without a marker: new, made by 1.2.0, or lost. Raises StateFolderLost."""
        names = self._names()
        if self._known_id is None and not names & _UNMARKED_FILES:
            return  # new
        if self._known_id in (None, _UNMARKED) and names & _UNMARKED_FILES:
            try:
                with file_lock(self._lock_path):
                    self._mark_current_state()
            except OSError:
                self._known_id = _UNMARKED  # it can't be written, so nothing can be deleted either
            return
        if not os.path.isdir(self.path):
            raise StateFolderLost("state_gone", folder=self.path)
        raise StateFolderLost("state_without_marker" if names else "state_empty", folder=self.path, part=MARKER)

    def _make(self) -> None:
        was_there = os.path.isdir(self.path)
        private_folder(self.path)
        with file_lock(self._lock_path):
            self._mark_current_state()
        if was_there:
            log.warning(
                "The state folder %s was empty, so it counts as new: no job is protected. If it should not be empty, "
                "stop ComfyUI, mount its disk, and start again.",
                self.path,
            )

    def _update_marker(self, seen: str) -> None:
        # If the marker can't be written now, the next check does it.
        with suppress(OSError), file_lock(self._lock_path):
            if self._marker_id() == seen:
                self._mark_current_state()

    def _mark_current_state(self) -> None:
        """Write the marker, with the file lock held. Keeps what another process may have just written to it."""
        marker = None
        with suppress(StateFolderLost):
            marker = self._read()
        known = marker.safeguards if marker else frozenset[str]()
        self._mark(marker.id if marker else uuid.uuid4().hex, self._safeguard_files() | known)

    def _mark(self, name: str, safeguards: frozenset[str]) -> None:
        kept = {
            "id": name,
            "safeguards": sorted(safeguards),
            "about": "Comfy Cloud History knows this folder by this file. Keep it with the others.",
        }
        write_private(self.path / MARKER, json.dumps(kept, indent=1))
        self._remember_id(name)

    def _remember_id(self, name: str) -> None:
        if self._known_id == name:
            return
        self._known_id = name
        if self._id_copy is not None:
            # Without the copy, a restart cannot notice a lost folder. That stops nothing now.
            with suppress(OSError):
                private_folder(self._id_copy.parent)
                write_private(self._id_copy, json.dumps({"folder": str(self.path), "id": name}))

    def _marker_id(self) -> str | None:
        with suppress(StateFolderLost):
            marker = self._read()
            return marker.id if marker else None
        return None

    def _read(self) -> _Marker | None:
        """Return the marker, or None if there is none. Raises StateFolderLost if it can't be read."""
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

    def _names(self) -> set[str]:
        try:
            return set(os.listdir(self.path)) - {self._lock_path.name}
        except (FileNotFoundError, NotADirectoryError):
            return set()
        except OSError as exc:
            raise StateFolderLost("state_refused", folder=self.path, cause=exc.strerror) from None

    def _existing_safeguards(self) -> frozenset[str]:
        return frozenset(each for each in SAFEGUARDS if os.path.lexists(self.path / each))

    def _safeguard_files(self) -> frozenset[str]:
        # Only regular files: if something else is in the place of one and is removed again, nothing is missing.
        return frozenset(each for each in self._existing_safeguards() if _is_file(self.path / each))


def _is_file(path: Path) -> bool:
    with suppress(OSError):
        return stat.S_ISREG(path.lstat().st_mode)
    return False


@cache
def state_folder_at(path: Path) -> StateFolder:
    """Return the state folder of this path: one object for the whole process, which shares what it has seen."""
    return StateFolder(path)
