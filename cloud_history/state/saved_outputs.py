"""The list of saved outputs: which files of which jobs were saved, where, and how they were checked.

Each save of a job appends one line. The newest line of a job counts. A line says where files were put, not that they
are still there: whoever relies on them looks at the files.

`saved_outputs.begun` is written after the first line, and the marker of the state folder lists it. So the loss of the
list is noticed, and an empty list is never mistaken for a list of a person who has saved nothing.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

from ..errors import StateUnreadable, StateUnwritable
from ..forks import ForkSafeLock
from ..jobs.ids import check_hex_id, is_hex_id, is_job_id
from ..jobs.job import utc_now
from ..secret import scrub
from ..tasks.disk import disk_access
from .append_log import AppendLog
from .files import write_private
from .folder import SAVED_OUTPUTS, state_folder_at
from .locks import acquire_with_timeout

Checked = Literal["blake3", "size", "none"]
"""How an output was checked: by Comfy Cloud's hash, by its size alone, or not at all."""

LOG = "saved_outputs.jsonl"
MAX_FILE_BYTES = 8 * 1024 * 1024
OLDER_FILES = 40
"""The oldest of more than this number of full files is dropped. Its jobs count as not saved then."""

_LINE = re.compile(rb'^\{"job_id": "([0-9a-f-]{36})", "whole": (true|false), .*$', re.MULTILINE)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CHECKS: tuple[Checked, ...] = ("blake3", "size", "none")


class SavedFile(NamedTuple):
    """One saved output.

    Attributes:
        name: its file name at Comfy Cloud, scrubbed.
        path: its path relative to the root, with "/" between the parts.
        size: number of bytes.
        sha256: hex digest.
        checked: how it was checked when it was saved.
        modified_ns: its modification time in nanoseconds.
        subfolder, kind: as in `OutputFile`, because two outputs of a job can have the same name.
    """

    name: str
    path: str
    size: int
    sha256: str
    checked: Checked
    modified_ns: int
    subfolder: str = ""
    kind: str = "output"


@dataclass(frozen=True)
class SavedJob:
    """The saved outputs of one job.

    Attributes:
        operation: the save that wrote this.
        root: absolute path of the folder to which all paths are relative.
        folder: path of the job's folder, relative to the root.
        whole: whether all outputs of the job were saved.
        at: ISO time; "" means now.
    """

    job_id: str
    operation: str
    root: str
    folder: str
    files: tuple[SavedFile, ...] = ()
    whole: bool = False
    at: str = ""


class _Line(NamedTuple):
    """Where a line is in its file: the positions of its first byte and behind its last byte."""

    start: int
    end: int
    whole: bool


class _Index:
    """The newest line of each job in one file of the log."""

    def __init__(self) -> None:
        self.lines: dict[str, _Line] = {}
        self._size = self._done = self._modified_ns = 0

    def read(self, file: BinaryIO) -> None:
        """Read what was appended to the file since the last call, or all of it if it was changed otherwise."""
        found = os.fstat(file.fileno())
        if (found.st_size, found.st_mtime_ns) == (self._size, self._modified_ns):
            return
        if found.st_size <= self._size:
            self.lines, self._done = {}, 0
        with disk_access(Path(file.name), found.st_size - self._done):
            file.seek(self._done)
            content = file.read(found.st_size - self._done)
        for match in _LINE.finditer(content):
            start, end = match.span()
            self.lines[match[1].decode("ascii")] = _Line(self._done + start, self._done + end, match[2] == b"true")
        self._done += content.rfind(b"\n") + 1
        self._size, self._modified_ns = found.st_size, found.st_mtime_ns


class SavedOutputs:
    """The list of a state folder. Its methods access files: call them in a thread.

    Args:
        largest: size in bytes at which a file of the list is full.
        older: number of full files to keep.
    """

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], datetime] = utc_now,
        *,
        largest: int = MAX_FILE_BYTES,
        older: int = OLDER_FILES,
    ) -> None:
        self._state = state_folder_at(folder)
        self._log = AppendLog(folder / LOG, largest=largest, older=older)
        self._begun = folder / SAVED_OUTPUTS
        self._clock = clock
        self._indexes: dict[tuple[int, int], _Index] = {}
        self._lock = ForkSafeLock()

    def append(self, job: SavedJob) -> None:
        """Add the outcome of saving one job.

        Raises:
            StateUnwritable: the line cannot be written. The job does not count as saved then.
            StateFolderLost: the state folder is missing.
        """
        line = _line(replace(job, at=job.at or self._clock().isoformat(timespec="seconds")))
        try:
            self._state.ensure()
            self._log.append([line])
            if not os.path.lexists(self._begun):
                about = "Comfy Cloud History notices by this file if saved_outputs.jsonl is lost."
                write_private(self._begun, json.dumps({"about": about}))
        except OSError as exc:
            raise StateUnwritable("saved_outputs_unwritable", because=exc) from exc

    def whole_ids(self) -> dict[str, bool]:
        """Return the ids of all jobs in the list, and whether all outputs of the job were saved.

        Raises:
            StateUnreadable: the list cannot be read.
            StateFolderLost: the state folder, or the list in it, is missing.
        """
        found: dict[str, bool] = {}
        with ExitStack() as stack:
            for _, index in self._read(stack):
                for job_id, line in index.lines.items():
                    found.setdefault(job_id, line.whole)
        return found

    def jobs(self, job_ids: Iterable[str]) -> dict[str, SavedJob]:
        """Return what was saved of these jobs. Jobs that are not in the list, or whose line is damaged, are left out.

        Raises:
            StateUnreadable: the list cannot be read.
            StateFolderLost: the state folder, or the list in it, is missing.
        """
        found: dict[str, SavedJob] = {}
        with ExitStack() as stack:
            files = self._read(stack)
            for job_id in job_ids:
                for file, index in files:
                    if (line := index.lines.get(job_id.lower())) is not None:
                        if (job := _read_job(_content(file, line), job_id.lower())) is not None:
                            found[job_id] = job
                        break
        return found

    def _read(self, stack: ExitStack) -> list[tuple[BinaryIO, _Index]]:
        """Return the open files of the log with their indexes, the newest first."""
        safeguards = self._state.check()
        try:
            files = self._log.open_all(stack)
            if not files and SAVED_OUTPUTS in safeguards:
                raise StateUnreadable("saved_outputs_lost")
            with acquire_with_timeout(self._lock, LOG):
                indexes = {_identity(file): self._indexes.get(_identity(file)) or _Index() for file in files}
                for file in files:
                    indexes[_identity(file)].read(file)
                self._indexes = indexes
                return [(file, indexes[_identity(file)]) for file in files]
        except OSError as exc:
            raise StateUnreadable("saved_outputs_unreadable", because=exc) from exc


def _identity(file: BinaryIO) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino


def _content(file: BinaryIO, line: _Line) -> bytes:
    try:
        with disk_access(Path(file.name), line.end - line.start):
            file.seek(line.start)
            return file.read(line.end - line.start)
    except OSError as exc:
        raise StateUnreadable("saved_outputs_unreadable", because=exc) from exc


def _line(job: SavedJob) -> bytes:
    check_hex_id(job.operation)
    if not is_job_id(job.job_id):
        raise ValueError("not a job id")
    members = {
        # These two come first: see _LINE.
        "job_id": job.job_id.lower(),
        "whole": job.whole,
        "operation": job.operation,
        "at": job.at,
        "root": scrub(job.root),
        "folder": scrub(job.folder),
        "files": [_scrubbed(file)._asdict() for file in job.files],
    }
    return json.dumps(members).encode("ascii")


def _scrubbed(file: SavedFile) -> SavedFile:
    return file._replace(name=scrub(file.name), path=scrub(file.path), subfolder=scrub(file.subfolder))


def _read_job(line: bytes, job_id: str) -> SavedJob | None:
    """Return the job in a line, or None if the line is damaged or belongs to another job."""
    try:
        found = json.loads(line)
        job = SavedJob(**found | {"files": tuple(_read_file(each) for each in found["files"])})
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    texts: list[object] = [job.root, job.folder, job.at, job.operation]
    whole: object = job.whole
    is_valid = all(isinstance(each, str) for each in texts) and isinstance(whole, bool)
    return job if is_valid and is_hex_id(job.operation) and job.job_id == job_id else None


def _read_file(value: dict[str, Any]) -> SavedFile:
    """Return the file that an object describes. Raise TypeError, KeyError or ValueError if it is damaged."""
    file = SavedFile(**value)
    numbers = (file.size, file.modified_ns)
    texts = (file.name, file.path, file.sha256, file.subfolder, file.kind)
    if not all(type(each) is int and each >= 0 for each in numbers) or not all(isinstance(each, str) for each in texts):
        raise ValueError("not a file")
    if file.checked not in _CHECKS or not _SHA256.fullmatch(file.sha256) or not all(file.path.split("/")):
        raise ValueError("not a file")
    return file
