"""The state folder: known again by a marker, so that one that was lost is never taken for a new one.

In a new one nothing is protected.

The marker, `state_folder.json`, is made together with the folder. It has an id, and the names of the safeguards that
were ever written there. What can be known from it:

- There is no folder, or an empty one, and this process has never seen it: it is new. After a restart nobody can tell
  it from the mount point of a disk that is away, so the log says that an empty folder was taken for a new one. Where
  the environment names a folder outside ComfyUI's, its id is also kept in ComfyUI's (`keep_id_copy_in`): then a restart
  while the disk is away is noticed.
- There are files and no marker: version 1.2.0 or an earlier one made the folder. It is marked as it is.
- The marker says that a safeguard was written, and it is gone: it is lost. This is known after a restart too.
- This process has seen a marker or files, and there is no marker now, or another one: the folder is lost or replaced.
- The marker, or the folder, can't be read: whatever is in it can't be relied on.

A lost folder stops all deletions. It goes on by itself when the folder is back. Otherwise a person says `start_anew`.
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
from .files import private_folder, read_private, write_private
from .locks import LOCK_SECONDS, file_lock

MARKER = "state_folder.json"
ID_COPY = "state_is_elsewhere.json"
MAX_MARKER_BYTES = 64_000
PATIENCE = 2 * LOCK_SECONDS
"""Seconds to wait for another thread that looks at the folder: more than it waits for another process."""
PROTECTION, SETTINGS = "protected.json", "settings.json"
# The folder alone would say nothing: the mount point of a disk that is away is a folder too.
BACKUPS = "backups/.gate"
SAFEGUARDS = {PROTECTION: PROTECTION, SETTINGS: SETTINGS, BACKUPS: "the content of the folder backups"}
"""What is never taken for empty once it was there, with how a person knows it."""

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
"""What version 1.2.0 left in a folder that has no marker."""
_UNMARKED = ""


@dataclass(frozen=True)
class _Marker:
    id: str
    safeguards: frozenset[str]


class StateFolder:
    """One state folder, as far as this process knows it. Blocking (small files): call it off the event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock_path = path / "state_folder.gate"
        self._known_id: str | None = None
        """The id of the folder that this process knows; "" for one that could not be marked."""
        self._id_copy: Path | None = None
        self._lock = ForkSafeLock(reentrant=True)

    def keep_id_copy_in(self, folder: Path) -> None:
        """Know the folder again after a restart, by a note in another one. Does nothing where it is the same."""
        if os.path.realpath(folder) == str(self.path):
            return
        with self._exclusive(), suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            self._id_copy = folder / ID_COPY
            kept = json.loads(read_private(self._id_copy, MAX_MARKER_BYTES))
            if kept["folder"] == str(self.path) and kept["id"] and self._known_id is None:
                self._known_id = str(kept["id"])

    def check(self) -> frozenset[str]:
        """The safeguards that are there.

        Raises:
            StateFolderLost: the folder, or a safeguard that was in it, is not there any more or can't be read.
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
        """The folder, or one in it, made and marked where it is new.

        Raises:
            StateFolderLost: it was there, and is not there any more. OSError: it cannot be made.
        """
        with self._exclusive():
            self.check()
            if self._known_id is None:
                self._make()
            return self._below(below) if below else self.path

    def start_anew(self) -> None:
        """Take the folder as it is now, after a person has said so; made and marked where it is not there.

        Raises:
            InputRefused: it is not lost. StateUnwritable: it cannot be made.
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
            log.warning("The state folder %s was begun anew, as a person has asked for.", self.path)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with disk_access(self.path):
            if not self._lock.acquire(timeout=PATIENCE):
                raise StateFolderLost("state_disk_silent", folder=self.path)
            try:
                yield
            finally:
                self._lock.release()

    def _below(self, name: str) -> Path:
        # One level alone: should the folder be lost in this moment, nothing may make it again.
        folder = self.path / name
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        return folder

    def _check_unmarked(self) -> None:
        """There is no marker. Raises StateFolderLost."""
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
        raise StateFolderLost(
            "state_without_marker" if names else "state_empty", folder=self.path, part=MARKER
        )

    def _make(self) -> None:
        was_there = os.path.isdir(self.path)
        private_folder(self.path)
        with file_lock(self._lock_path):
            self._mark_current_state()
        if was_there:
            log.warning(
                "The state folder %s was empty, so it is taken for a new one: no job is protected. If it should not be "
                "empty, stop ComfyUI, mount its disk, and start again.",
                self.path,
            )

    def _update_marker(self, seen: str) -> None:
        # What can't be written now is noted the next time.
        with suppress(OSError), file_lock(self._lock_path):
            if self._marker_id() == seen:
                self._mark_current_state()

    def _mark_current_state(self) -> None:
        """Mark it, inside the gate. Another process may have made it, or noted other safeguards, a moment ago."""
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
            # Where it can't be kept, a restart knows less.
            with suppress(OSError):
                private_folder(self._id_copy.parent)
                write_private(self._id_copy, json.dumps({"folder": str(self.path), "id": name}))

    def _marker_id(self) -> str | None:
        with suppress(StateFolderLost):
            marker = self._read()
            return marker.id if marker else None
        return None

    def _read(self) -> _Marker | None:
        """The marker, or None where there is none. Raises StateFolderLost: it can't be read."""
        name, known, whole = "", frozenset[str](), False
        try:
            kept = json.loads(read_private(self.path / MARKER, MAX_MARKER_BYTES))
            name, safeguards = kept["id"], kept["safeguards"]
            known = frozenset(each for each in SAFEGUARDS if each in safeguards)
            whole = isinstance(name, str) and name != "" and isinstance(safeguards, list)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as exc:
            raise StateFolderLost("state_refused", folder=self.path, cause=exc.strerror) from None
        except (ValueError, TypeError, KeyError, RecursionError):
            pass
        if not whole:
            raise StateFolderLost("state_marker_damaged", folder=self.path, part=MARKER)
        return _Marker(name, known)

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
        # Something else in the place of one may be removed again, and then nothing is missing.
        return frozenset(each for each in self._existing_safeguards() if _is_file(self.path / each))


def _is_file(path: Path) -> bool:
    with suppress(OSError):
        return stat.S_ISREG(path.lstat().st_mode)
    return False


@cache
def state_folder_at(path: Path) -> StateFolder:
    """The state folder of this path: one for the whole process, so that whoever has seen it has seen it for all."""
    return StateFolder(path)
