"""Write and read one backup file, a zip.

The file has a temporary name until it is complete and synced. Its content is not trusted when it is read: no member is
unpacked to the disk, and every read has a limit, so that a damaged or malicious file can only raise an error.
"""

from __future__ import annotations

import errno
import io
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

from ..errors import BackupDamaged, NotBackedUp
from ..forks import ForkSafeLock, run_after_fork
from ..jobs.ids import is_job_id
from ..jobs.job import read_job, utc_now
from ..jobs.redact import MAX_JOB_BYTES, clean_detail, clean_json
from ..jobs.rows import job_row, read_workflow
from ..tasks.disk import disk_access
from .files import open_private, sync_file, sync_folder, temporary_path
from .locks import OwnerLock, file_lock

INDEX = "index.json"
FORMAT = 1
MAX_INDEX_BYTES = 64 * 1024 * 1024

_END = b"PK\x05\x06"
_END_SIZE = 22
_MAX_TAIL_BYTES = 1024
_KNOWN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# The errors that zipfile and json raise for damaged files.
_DAMAGE = (
    *(OSError, EOFError, ValueError, TypeError, KeyError, IndexError, OverflowError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)

Row = dict[str, Any]


def member_of(job_id: str) -> str:
    """Return the name of a job's member in the zip."""
    return f"jobs/{job_id.lower()}.json"


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a backup's index. Raise BackupDamaged if they cannot be read."""
    rows = _read(path, INDEX, MAX_INDEX_BYTES).get("jobs")
    if not isinstance(rows, list) or not all(_is_row(each) for each in rows):
        raise BackupDamaged(name=path.name)
    return rows


def read_job_detail(path: Path, job_id: str) -> dict[str, Any]:
    """Return a job's detail. Raise BackupDamaged if the backup cannot be read or does not contain the job."""
    return _read(path, member_of(job_id), MAX_JOB_BYTES)


def read_summary(path: Path) -> tuple[str, int] | None:
    """Return the time of a backup and its number of jobs, or None if the end of the file is damaged.

    Both are stored in the zip comment at the end of the file, so that listing large backups is fast.
    """
    try:
        with disk_access(path), _open(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _MAX_TAIL_BYTES))
            tail = file.read(_MAX_TAIL_BYTES)
        summary = json.loads(tail[tail.rindex(_END) + _END_SIZE :])
        created_at, jobs = summary["created_at"], summary["jobs"]
    except _DAMAGE:
        return None
    return (created_at, jobs) if isinstance(created_at, str) and type(jobs) is int and jobs >= 0 else None


def _read(path: Path, member: str, largest: int) -> dict[str, Any]:
    try:
        with disk_access(path), _open(path) as file, zipfile.ZipFile(file) as archive:
            content = _read_member(path, archive, member, largest)
        value = json.loads(content)
        if isinstance(value, dict):
            return value
    except _DAMAGE:
        pass
    # Raised outside `except`, because json's own error contains the whole text.
    raise BackupDamaged(name=path.name)


class _CappedReader(io.BufferedReader):
    """Refuses reads larger than MAX_INDEX_BYTES, because zipfile reads the whole central directory at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            here = self.tell()
            size = self.seek(0, os.SEEK_END) - here
            self.seek(here)
        if size > MAX_INDEX_BYTES:
            raise ValueError("not written by this pack")
        return super().read(size)


def _open(path: Path) -> _CappedReader:
    return _CappedReader(cast(io.BufferedReader, open_private(path, "rb")).detach())


def _read_member(path: Path, archive: zipfile.ZipFile, member: str, largest: int) -> bytes:
    info = archive.getinfo(member)
    # Other compression methods cannot be decompressed in steps, so a few bytes could expand to gigabytes at once.
    if info.compress_type not in _KNOWN or info.file_size > largest:
        raise ValueError("not written by this pack")
    with disk_access(path, info.compress_size), archive.open(info) as file:
        content = file.read(largest + 1)
    if len(content) != info.file_size:
        raise ValueError("truncated")
    return content


def _is_row(row: object) -> bool:
    if not isinstance(row, dict):
        return False
    texts = (row.get("status"), row.get("name"), row.get("workflow_id"))
    times = (row.get("created"), row.get("finished"))
    job_id = row.get("id")
    return (
        isinstance(job_id, str)
        and is_job_id(job_id)
        and all(isinstance(each, str) for each in texts)
        and all(each is None or type(each) is int for each in times)
        and isinstance(row.get("has_workflow"), bool)
    )


MAX_NAME_CHARACTERS = 300


class BackupWriter:
    """Writes one backup. Its methods access files: call them in a thread. Several threads may add jobs.

    The caller must call `close` or `discard`. If the disk fails, the file is discarded at once to free its space. Then
    no job counts as backed up, and all further calls raise OSError.
    """

    def __init__(self, path: Path, lock_path: Path, header: Mapping[str, object]) -> None:
        self._path = path
        self._lock_path = lock_path
        self._header = header
        self._temporary = temporary_path(path)
        self._rows: dict[str, Row] = {}
        self._lock = ForkSafeLock()
        self._open = True
        with ExitStack() as undo:
            self._file = io.BufferedWriter(cast(io.RawIOBase, open_private(self._temporary, "xb")))
            undo.callback(self._temporary.unlink, missing_ok=True)
            undo.callback(self._file.close)
            self._owner_lock = OwnerLock(self._temporary)
            self._archive = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED)
            undo.pop_all()
        run_after_fork(self._drop_in_child)

    def __len__(self) -> int:
        """Return the number of jobs in the backup."""
        return len(self._rows)

    def add(self, job_id: str, detail: Mapping[str, Any], key: str) -> None:
        """Add a job's detail. Do nothing if the job was already added.

        Args:
            detail: the job's detail after `clean_detail`.
            key: the API key in use, which must not be in the detail.

        Raises:
            NotBackedUp: this job cannot be added. The file is unchanged.
            OSError: the disk failed. The file is discarded.
        """
        row = _index_row(job_id, detail)
        content = clean_json(detail, key)
        if len(content) > MAX_JOB_BYTES:
            raise NotBackedUp("backup_too_large")
        with self._writing():
            if row["id"] in self._rows:
                return
            self._write(member_of(job_id), content)
            self._rows[row["id"]] = row

    def close(self) -> Path:
        """Complete the file, sync it and rename it to its final name. Return its path.

        Raises:
            OSError: the disk failed. The file is discarded.
            NotBackedUp: the index is too large. The file is discarded.
        """
        with self._writing():
            self._write(INDEX, self._index())
            summary = {"created_at": str(self._header["created_at"]), "jobs": len(self._rows)}
            self._archive.comment = json.dumps(summary).encode("ascii")
            with disk_access(self._path, self._file.tell()):
                self._archive.close()
                self._file.flush()
                sync_file(self._file)
                self._file.close()
            with disk_access(self._path), file_lock(self._lock_path):
                self._owner_lock.release()  # Windows cannot rename an open file
                os.replace(self._temporary, self._path)
            self._open = False
        with disk_access(self._path.parent):
            sync_folder(self._path.parent)
        return self._path

    def discard(self) -> None:
        """Remove the file. Do nothing after `close` or `discard`."""
        with self._lock:
            self._remove()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            if not self._open:
                raise OSError(errno.EBADF, "this backup is closed, or could not be written")
            try:
                yield
            except BaseException:
                self._remove()
                raise

    def _remove(self) -> None:
        if not self._open:
            return
        self._open = False
        self._archive.fp = None  # otherwise the finaliser would write the central directory
        with suppress(OSError):
            self._file.close()
        self._owner_lock.release()
        with suppress(OSError), disk_access(self._temporary):
            self._temporary.unlink(missing_ok=True)

    def _drop_in_child(self) -> None:
        # Runs in a forked child: at exit, the child would flush its buffer into the parent's file.
        self._open = False
        self._archive.fp = None
        self._file.raw.close()

    def _write(self, member: str, content: bytes) -> None:
        info = zipfile.ZipInfo(member)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        with disk_access(self._path, len(content)):
            self._archive.writestr(info, content)

    def _index(self) -> bytes:
        header = clean_detail(self._header)  # a node's title may contain the key
        content = json.dumps({**header, "jobs": list(self._rows.values())}).encode("ascii")
        if len(content) > MAX_INDEX_BYTES:
            raise NotBackedUp("backup_too_many_jobs")
        return content


def _index_row(job_id: str, cleaned: Mapping[str, Any]) -> Row:
    job = read_job(cleaned, utc_now())
    if job is None or job.id != job_id.lower():
        raise NotBackedUp("backup_answer_unusable")
    row = job_row(job)
    canvas, _ = read_workflow(cleaned.get("workflow"))
    kept = {name: row[name] for name in ("id", "status", "created", "finished", "workflow_id")}
    return {**kept, "name": row["name"][:MAX_NAME_CHARACTERS], "has_workflow": canvas is not None}
