"""The list of protected jobs, by job id or by workflow id.

There is one list for all API keys: job ids are unique, and a new key must not unprotect anything. A list that cannot
be read stops deletions; it never counts as empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import InputRefused, ProtectionDamaged, StateUnwritable
from ..jobs.filters import NOTHING_PROTECTED, ProtectedJobs
from ..jobs.job import utc_now
from .files import read_json, write_private
from .folder import PROTECTION, state_folder_at
from .locks import file_lock

MAX_PROTECTED = 200_000
"""Maximum number of entries. A person protects far fewer by hand, and this many are still read quickly."""
MAX_LIST_BYTES = 32_000_000
"""Maximum size of the file, for reading and for writing."""


class ProtectionFile:
    """The list on disk. Its methods access a file: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self._state = state_folder_at(folder)
        self._path = folder / PROTECTION
        self._lock_path = folder / "protected.gate"

    @property
    def name(self) -> str:
        """The file's name, for error messages."""
        return self._path.name

    def load(self) -> ProtectedJobs:
        """Return the list.

        Raises:
            ProtectionDamaged: the list cannot be read.
            StateFolderLost: the state folder or the list is missing.
        """
        found = self._read()
        # The folder is checked after reading, so that a list from a lost folder is never used.
        if PROTECTION in self._state.check() and found is None:
            found = self._read()  # the file may have been created after the first read
            if found is None:
                raise ProtectionDamaged(self.name)
        return found or NOTHING_PROTECTED

    def _read(self) -> ProtectedJobs | None:
        try:
            found = read_json(self._path, MAX_LIST_BYTES)
            return ProtectedJobs(_texts(found["jobs"]), _texts(found["workflows"]))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, KeyError) as exc:
            raise ProtectionDamaged(self.name, exc) from None

    def change(self, *, protect: bool, jobs: Iterable[str] = (), workflows: Iterable[str] = ()) -> ProtectedJobs:
        """Add jobs and workflows to the list, or remove them. Return the new list.

        Raises:
            ProtectionDamaged: the list cannot be read. It is not changed.
            InputRefused: the new list would be too long.
            StateUnwritable, StateFolderLost: the new list cannot be saved.
        """
        with self._exclusive():
            now = self.load()
            if protect:
                changed = ProtectedJobs(now.jobs.union(jobs), now.workflows.union(workflows))
            else:
                changed = ProtectedJobs(now.jobs.difference(jobs), now.workflows.difference(workflows))
            if len(changed.jobs) + len(changed.workflows) > MAX_PROTECTED:
                raise InputRefused("too_many_protected", most=MAX_PROTECTED)
            if changed != now:
                self._write(changed)
        return changed

    def start_empty(self) -> str:
        """Rename a damaged list and start with an empty one. Return the new file name of the damaged list.

        Raises:
            InputRefused: the list is not damaged.
            StateUnwritable: the damaged list cannot be renamed.
        """
        self._check_damaged()
        with self._exclusive():
            self._check_damaged()
            moment = utc_now().strftime("%Y%m%dT%H%M%S%f")
            aside = self._path.with_name(f"protected.damaged-{moment}.json")
            try:
                self._path.rename(aside)
            except OSError as exc:
                raise StateUnwritable("protection_not_put_aside", because=exc) from exc
            self._write(NOTHING_PROTECTED)
        return aside.name

    def _check_damaged(self) -> None:
        """Raise InputRefused if the list can be read."""
        try:
            self.load()
        except ProtectionDamaged:
            return
        raise InputRefused("protection_not_damaged")

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Serialise the changes of all processes, so that no change is lost."""
        try:
            self._state.ensure()
            with file_lock(self._lock_path):
                yield
        except OSError as exc:
            raise StateUnwritable("protection_not_saved", because=exc) from exc

    def _write(self, protected: ProtectedJobs) -> None:
        kept = json.dumps({"jobs": sorted(protected.jobs), "workflows": sorted(protected.workflows)})
        if len(kept) > MAX_LIST_BYTES:
            raise InputRefused("protection_full")
        write_private(self._path, kept)
        # Note in the folder’s marker file that the list exists, so that its loss is noticed.
        self._state.check()


def _texts(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("not a list of texts")
    return frozenset(value)
