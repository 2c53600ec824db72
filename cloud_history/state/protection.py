"""Which jobs must not be deleted from here: by id, or with all jobs of a workflow.

One list for all keys: job ids are unique, and a new key must not unprotect anything. A list that cannot be read stops
deletions; it is never taken for "nothing is protected".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from ..errors import InputRefused, ProtectionDamaged, StateUnwritable
from ..jobs.filters import NOTHING_PROTECTED, ProtectedJobs
from .files import read_private, write_private
from .folder import PROTECTION, state_folder_at
from .locks import file_lock

MAX_PROTECTED = 200_000
"""Entries of the list: far more than anybody protects by hand, and still read in a moment."""
MAX_LIST_BYTES = 32_000_000
"""Bytes of its file, which is never written larger either."""


class ProtectionFile:
    """The list on disk. Blocking (a small file): call it off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._state = state_folder_at(folder)
        self._path = folder / PROTECTION
        self._lock_path = folder / "protected.gate"

    @property
    def name(self) -> str:
        """How a person finds the file."""
        return self._path.name

    def load(self) -> ProtectedJobs:
        """The list in force.

        Raises:
            ProtectionDamaged: there is one, and it cannot be read. StateFolderLost: there was one.
        """
        found = self._read()
        # After the reading: what was read from, or not found in, a folder that is lost counts for nothing.
        if PROTECTION in self._state.check() and found is None:
            found = self._read()  # it came back in this moment
            if found is None:
                raise ProtectionDamaged(self.name)
        return found or NOTHING_PROTECTED

    def _read(self) -> ProtectedJobs | None:
        try:
            found = json.loads(read_private(self._path, MAX_LIST_BYTES))
            return ProtectedJobs(_texts(found["jobs"]), _texts(found["workflows"]))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as exc:
            raise ProtectionDamaged(self.name, exc) from None

    def change(
        self, *, protect: bool, jobs: Iterable[str] = (), workflows: Iterable[str] = ()
    ) -> ProtectedJobs:
        """Protect these jobs and workflows, or protect them no longer.

        Raises:
            ProtectionDamaged: the list cannot be read, so it is not changed.
            InputRefused: it would grow too long. StateUnwritable, StateFolderLost: it cannot be kept.
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
        """Put a list that cannot be read aside and begin with an empty one. Returns the name it is kept under.

        Raises:
            InputRefused: the list can be read. StateUnwritable: it cannot be put aside.
        """
        self._must_be_damaged()
        with self._exclusive():
            self._must_be_damaged()
            moment = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S%f")
            aside = self._path.with_name(f"protected.damaged-{moment}.json")
            try:
                self._path.rename(aside)
            except OSError as exc:
                raise StateUnwritable("protection_not_put_aside", because=exc) from exc
            self._write(NOTHING_PROTECTED)
        return aside.name

    def _must_be_damaged(self) -> None:
        try:
            self.load()
        except ProtectionDamaged:
            return
        raise InputRefused("protection_not_damaged")

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """One change at a time, also of other processes: none may undo another's."""
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
        self._state.check()  # notes that there is a list from now on


def _texts(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("not a list of texts")
    return frozenset(value)
