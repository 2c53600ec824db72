"""Reading a backup, whatever its file has become: what is damaged, or made to do harm, is an error and no more.

Nothing is ever unpacked to the disk, so no name in it can lead anywhere; and nothing is read beyond its limit, however
small it looks.
"""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any, cast

from ..cloud.protocol import LARGEST_JOB
from ..errors import BackupDamaged
from ..jobs.ids import is_job_id
from ..tasks.disk_steps import at_file
from .private_files import open_private

INDEX = "index.json"
FORMAT = 1
LARGEST_INDEX = 64 * 1024 * 1024

_END = b"PK\x05\x06"
_END_SIZE = 22
_LONGEST_TAIL = 1024
_KNOWN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# All that zipfile and json are known to raise over bytes they do not like.
_DAMAGE = (
    *(OSError, EOFError, ValueError, TypeError, KeyError, IndexError, OverflowError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)

Row = dict[str, Any]


def member_of(job_id: str) -> str:
    """The name of a job's file in a backup."""
    return f"jobs/{job_id.lower()}.json"


def read_rows(path: Path) -> list[Row]:
    """The rows of a backup's index.

    Raises:
        BackupDamaged.
    """
    rows = _read(path, INDEX, LARGEST_INDEX).get("jobs")
    if not isinstance(rows, list) or not all(_is_row(each) for each in rows):
        raise BackupDamaged(path.name)
    return rows


def read_job_detail(path: Path, job_id: str) -> dict[str, Any]:
    """What was kept of a job.

    Raises:
        BackupDamaged: it cannot be read, or is not in this backup.
    """
    return _read(path, member_of(job_id), LARGEST_JOB)


def read_summary(path: Path) -> tuple[str, int] | None:
    """When a backup was made, and how many jobs are in it; None where its end is damaged.

    It is the file's last line, so that a list of many large backups takes no time.
    """
    try:
        with at_file(path), _open(path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LONGEST_TAIL))
            tail = file.read(_LONGEST_TAIL)
        summary = json.loads(tail[tail.rindex(_END) + _END_SIZE :])
        created_at, jobs = summary["created_at"], summary["jobs"]
    except _DAMAGE:
        return None
    return (created_at, jobs) if isinstance(created_at, str) and type(jobs) is int and jobs >= 0 else None


def summary_line(created_at: str, jobs: int) -> bytes:
    """What `read_summary` reads."""
    return json.dumps({"created_at": created_at, "jobs": jobs}).encode("ascii")


def _read(path: Path, member: str, largest: int) -> dict[str, Any]:
    try:
        with at_file(path), _open(path) as file, zipfile.ZipFile(file) as archive:
            content = _bytes_of(path, archive, member, largest)
        value = json.loads(content)
        if isinstance(value, dict):
            return value
    except _DAMAGE:
        pass
    # Raised out here, without a cause: what json raises holds the whole text.
    raise BackupDamaged(path.name)


class _CappedReader(io.BufferedReader):
    """Reads no more at once than a backup of ours needs: zipfile reads a table of contents whole, whatever its size."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            here = self.tell()
            size = self.seek(0, os.SEEK_END) - here
            self.seek(here)
        if size > LARGEST_INDEX:
            raise ValueError("not one of ours")
        return super().read(size)


def _open(path: Path) -> _CappedReader:
    return _CappedReader(cast(io.BufferedReader, open_private(path, "rb")).detach())


def _bytes_of(path: Path, archive: zipfile.ZipFile, member: str, largest: int) -> bytes:
    info = archive.getinfo(member)
    # The other ways of packing cannot be unpacked piece by piece: a few bytes may become gigabytes at once.
    if info.compress_type not in _KNOWN or info.file_size > largest:
        raise ValueError("not one of ours")
    with at_file(path, info.compress_size), archive.open(info) as file:
        content = file.read(largest + 1)
    if len(content) != info.file_size:
        raise ValueError("cut short")
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
