"""Copies of the jobs that are to be deleted, made before they are.

One zip a deletion: each job's detail as `jobs/<id>.json`, and `index.json`. It is a draft, with a name of its own,
until it is whole and on the disk: a backup that has its name is one. It restores workflows, not the Cloud's record.
"""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ..errors import StateUnreadable, StateUnwritable
from ..jobs.redact import clean_detail
from ..secret import scrub
from ..tasks.disk import disk_access
from .backup_file import FORMAT, BackupWriter, Row, read_job_detail, read_rows, read_summary
from .folder import BACKUPS, state_folder_at
from .locks import OwnerLock, file_lock

MIN_BACKUPS = 10
"""So many are kept whatever the limits say: a limit set too low must not take the last way back."""

MAX_CLOCK_STEP = timedelta(minutes=5)
"""So much later than now a backup may have been made: by another machine, or before a clock was set right."""

_NAME = re.compile(r"[0-9a-f]{32}")
_DRAFT = re.compile(r"\.[0-9a-f]{32}\.zip\.[0-9a-f]{32}")
_MEGABYTE = 1_000_000

Clock = Callable[[], datetime]


# Inside the class, `list` is its method.
Backups = list["BackupInfo"]
Rows = list[Row]
Names = list[str]
Paths = list[Path]


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class BackupInfo:
    """One backup, as a list shows it.

    Attributes:
        created_at: ISO time; the file's own where it is damaged.
        jobs: how many are in it; None where it is damaged.
        size: of the file, in bytes.
    """

    operation: str
    created_at: str
    jobs: int | None
    size: int


class BackupFolder:
    """The backups of a state folder. Blocking (files): call it off the event loop."""

    def __init__(self, folder: Path, clock: Clock = _now) -> None:
        self._state = state_folder_at(folder)
        self._folder = folder / "backups"
        self._lock_path = folder / BACKUPS
        self._clock = clock

    def begin(self, operation: str, about: Mapping[str, object]) -> BackupWriter:
        """Begin the backup of an operation.

        Args:
            about: what the index says of it: `version`, `host`, `last4`, `origin`; `created_at` if it is not now.

        Raises:
            OSError: it cannot be written, or there is one already. StateFolderLost: the backups are gone.
        """
        path = self._path(operation)
        header = {"format": FORMAT, "created_at": self._clock().isoformat(timespec="seconds"), **about}
        json.dumps(header)  # what cannot be written is found now, and not when all jobs are in
        self._state.ensure(self._folder.name)
        with file_lock(self._lock_path):
            self._state.check()  # notes that there are backups from now on
            self._remove_leftovers()
            if path.exists():
                raise FileExistsError(errno.EEXIST, "this operation has a backup already")
            return BackupWriter(path, self._lock_path, header)

    def list(self) -> Backups:
        """All backups, the newest first. Raises StateFolderLost, StateUnreadable: nobody knows them."""
        self._state.check()
        with disk_access(self._folder):
            paths = self._files()
        found = [info for path in paths if (info := _describe(path)) is not None]
        return sorted(found, key=lambda each: (_moment(each), each.operation), reverse=True)

    def has(self, operation: str) -> bool:
        """Whether there is a backup of this operation; not where its disk can't tell."""
        try:
            return self._path(operation).is_file()
        except OSError:
            return False

    def jobs(self, operation: str) -> Rows:
        """The rows of a backup's index: id, status, created, finished, name, workflow_id, has_workflow.

        Scrubbed, as the jobs are: the key in use now may be another one than when the backup was made.

        Raises:
            BackupDamaged: it cannot be read, or is gone.
        """
        texts = ("status", "name", "workflow_id")
        rows = read_rows(self._path(operation))
        return [{**row, **{name: scrub(row[name]) for name in texts}} for row in rows]

    def job(self, operation: str, job_id: str) -> dict[str, Any]:
        """The detail that was kept of a job, cleaned.

        Raises:
            BackupDamaged: it cannot be read, is gone, or never was in this backup. NestedTooDeeply.
        """
        return clean_detail(read_job_detail(self._path(operation), job_id))

    def delete(self, operation: str) -> None:
        """Delete a backup, if it is there.

        Raises:
            StateUnwritable, StateFolderLost.
        """
        self._state.check()
        try:
            with disk_access(self._path(operation)):
                self._path(operation).unlink(missing_ok=True)
        except OSError as exc:
            raise StateUnwritable("backup_not_deleted", because=exc) from exc

    def delete_old(self, days: int, megabytes: int, now: datetime) -> Names:
        """Delete backups older than so many days, and the oldest while all together take more room than that.

        Never the newest ten. One that is dated later than now was made before the clock was set right, so it is older
        than all others. One that cannot be deleted now is left for the next time.

        Args:
            now: what the age is counted from; not later than the real time.

        Returns the operations whose backups are gone.
        """
        removed: Names = []
        latest = self._clock() + MAX_CLOCK_STEP
        try:
            backups = sorted(self.list(), key=lambda each: _moment(each) > latest)
        except StateUnwritable:
            return removed  # which there are is not known
        with suppress(OSError), file_lock(self._lock_path):
            self._remove_leftovers()
        room = megabytes * _MEGABYTE
        for position, each in enumerate(backups):
            room -= each.size
            too_old = now - _moment(each) > timedelta(days=days)
            if position >= MIN_BACKUPS and (too_old or room < 0):
                with suppress(StateUnwritable):
                    self.delete(each.operation)
                    removed.append(each.operation)
        return removed

    def _path(self, operation: str) -> Path:
        if not _NAME.fullmatch(operation):
            raise ValueError("not the name of an operation")
        return self._folder / f"{operation}.zip"

    def _files(self) -> Paths:
        try:
            return [
                path
                for path in self._folder.iterdir()
                if path.suffix == ".zip" and _NAME.fullmatch(path.stem) and path.is_file()
            ]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as exc:
            raise StateUnreadable("backups_unreadable", because=exc) from exc

    def _remove_leftovers(self) -> None:
        """Remove the drafts of processes that have ended. Inside the gate: a draft just made is not claimed yet."""
        with disk_access(self._folder):
            for path in self._folder.iterdir():
                if _DRAFT.fullmatch(path.name) and not OwnerLock.is_held(path):
                    with suppress(OSError):
                        path.unlink()


def _describe(path: Path) -> BackupInfo | None:
    try:
        with disk_access(path):
            stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None  # deleted since the folder was read
    except OSError:
        return BackupInfo(path.stem, "", None, 0)
    created_at, jobs = read_summary(path) or ("", None)
    if _read_moment(created_at) is None:
        created_at = datetime.fromtimestamp(stat.st_mtime, timezone.utc).isoformat(timespec="seconds")
    return BackupInfo(path.stem, created_at, jobs, stat.st_size)


def _moment(info: BackupInfo) -> datetime:
    return _read_moment(info.created_at) or datetime.fromtimestamp(0, timezone.utc)


def _read_moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
