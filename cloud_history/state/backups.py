"""Backups of jobs, made before the jobs are deleted.

Each deletion has one zip file, with the detail of each job as `jobs/<id>.json` and an `index.json`. A backup can
restore workflows, but not the history of the Cloud.
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

from ..errors import StateUnwritable
from ..jobs.ids import HEX_ID_PATTERN, check_hex_id
from ..jobs.job import utc_now
from ..jobs.redact import clean_detail
from ..secret import scrub
from ..tasks.disk import disk_access
from .backup_file import FORMAT, BackupWriter, Row, read_job_detail, read_rows, read_summary
from .files import files_named_by_id
from .folder import BACKUPS, state_folder_at
from .locks import OwnerLock, file_lock

MIN_BACKUPS = 10
"""Number of the newest backups that are always kept, even beyond the limits in the settings."""

MAX_CLOCK_STEP = timedelta(minutes=5)
"""How far in the future a backup may be dated, because the clocks of machines differ."""

_UNFINISHED = re.compile(rf"\.{HEX_ID_PATTERN}\.zip\.{HEX_ID_PATTERN}")
_MEGABYTE = 1_000_000

# Aliases, because inside BackupFolder the name `list` means its method.
Backups = list["BackupInfo"]
Rows = list[Row]
Names = list[str]
Paths = list[Path]


@dataclass(frozen=True)
class BackupInfo:
    """One backup in the list.

    Attributes:
        created_at: ISO time; the file's modification time if the backup is damaged.
        jobs: number of jobs; None if the backup is damaged.
        size: size of the file in bytes.
    """

    operation: str
    created_at: str
    jobs: int | None
    size: int


class BackupFolder:
    """The backups of a state folder. Its methods access files: call them in a thread."""

    def __init__(self, folder: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self._state = state_folder_at(folder)
        self._folder = folder / "backups"
        self._lock_path = folder / BACKUPS
        self._clock = clock

    def begin(self, operation: str, about: Mapping[str, object]) -> BackupWriter:
        """Begin the backup of an operation.

        Args:
            about: members of the index: `version`, `host`, `last4`, `origin`, and optionally `created_at`.

        Raises:
            OSError: the backup cannot be written, or exists already.
            StateFolderLost: earlier backups are missing.
        """
        path = self._path(operation)
        header = {"format": FORMAT, "created_at": self._clock().isoformat(timespec="seconds"), **about}
        json.dumps(header)  # raises an error before jobs are added if `about` is not JSON
        self._state.ensure(self._folder.name)
        with file_lock(self._lock_path):
            # Note in the folder’s marker file that backups exist, so that their loss is noticed.
            self._state.check()
            self._remove_unfinished()
            if path.exists():
                raise FileExistsError(errno.EEXIST, "this operation has a backup already")
            return BackupWriter(path, self._lock_path, header)

    def list(self) -> Backups:
        """Return all backups, the newest first. Raise StateFolderLost or StateUnreadable if they cannot be listed."""
        self._state.check()
        with disk_access(self._folder):
            paths = files_named_by_id(self._folder, ".zip", "backups_unreadable")
            paths = [path for path in paths if _may_be_file(path)]
        found = [info for path in paths if (info := _describe(path)) is not None]
        return sorted(found, key=lambda each: (_moment(each), each.operation), reverse=True)

    def has(self, operation: str) -> bool:
        """Return whether this operation has a backup, or False if the disk fails."""
        try:
            return self._path(operation).is_file()
        except OSError:
            return False

    def jobs(self, operation: str) -> Rows:
        """Return the rows of a backup's index: id, status, created, finished, name, workflow_id, has_workflow.

        The rows are scrubbed again, because the API key may have changed since the backup was made.

        Raises:
            BackupDamaged: the backup is missing or cannot be read.
        """
        texts = ("status", "name", "workflow_id")
        rows = read_rows(self._path(operation))
        return [{**row, **{name: scrub(row[name]) for name in texts}} for row in rows]

    def job(self, operation: str, job_id: str) -> dict[str, Any]:
        """Return the detail of a job in a backup, cleaned.

        Raises:
            BackupDamaged: the backup is missing, cannot be read, or does not have this job.
            NestedTooDeeply: the detail is nested too deeply.
        """
        return clean_detail(read_job_detail(self._path(operation), job_id))

    def delete(self, operation: str) -> None:
        """Delete a backup if it exists. Raise StateUnwritable or StateFolderLost if that fails."""
        self._state.check()
        try:
            with disk_access(self._path(operation)):
                self._path(operation).unlink(missing_ok=True)
        except OSError as exc:
            raise StateUnwritable("backup_not_deleted", because=exc) from exc

    def delete_old(self, days: int, megabytes: int, now: datetime) -> Names:
        """Delete backups older than `days`, and the oldest backups until the rest fits into `megabytes`.

        The newest MIN_BACKUPS are always kept. A backup dated in the future was made while the clock was wrong, so it
        counts as the oldest. A backup that cannot be deleted is skipped.

        Args:
            now: the time from which ages are counted; must not be later than the real time.

        Returns:
            The operations whose backups were deleted.
        """
        removed: Names = []
        latest = self._clock() + MAX_CLOCK_STEP
        try:
            backups = sorted(self.list(), key=lambda each: _moment(each) > latest)
        except StateUnwritable:
            return removed  # the folder cannot be read
        with suppress(OSError), file_lock(self._lock_path):
            self._remove_unfinished()
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
        check_hex_id(operation)
        return self._folder / f"{operation}.zip"

    def _remove_unfinished(self) -> None:
        """Remove unfinished backups of processes that have ended.

        The caller must hold the file lock, because a new file does not have its owner lock yet.
        """
        with disk_access(self._folder):
            for path in self._folder.iterdir():
                if _UNFINISHED.fullmatch(path.name) and not OwnerLock.is_held(path):
                    with suppress(OSError):
                        path.unlink()


def _may_be_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return True  # `_describe` lists a file that the disk cannot describe without its details


def _describe(path: Path) -> BackupInfo | None:
    try:
        with disk_access(path):
            stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None  # deleted since the folder was listed
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
