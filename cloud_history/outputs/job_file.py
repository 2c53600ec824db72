"""The file job.json in the folder of each job: what the job was, and which files of it are here.

It is written twice: at the beginning with the job's id alone, so that no other job uses the folder, and at the end. A
file of this name that this pack has not written for the same job is never replaced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from ..errors import CloudError
from ..jobs.job import read_job, utc_now
from ..jobs.redact import clean_detail, clean_json
from ..jobs.rows import read_workflow
from ..secret import scrub
from ..state.files import sync_file, write_whole
from ..state.saved_outputs import SavedFile
from ..tasks.disk import disk_access
from .directory import Directory
from .errors import OutputFileRefused, disk_errors
from .names import JOB_FILE, numbered
from .unfinished import open_temporary, release

_HEAD_BYTES = 512
_ID = re.compile(rb'\{\s*"id":\s*"([0-9a-f-]{36})"')
_MAX_OTHERS = 100


def claim(directory: Directory, job_id: str) -> bool:
    """Make a folder the folder of this job. Return False if it is the folder of another job.

    Raises:
        OutputsUnwritable: the disk refuses.
    """
    job_id = job_id.lower()
    with disk_errors():
        found = _owner(directory)
        if found is None:
            content = clean_json({"id": job_id, "whole": False}, "")
            if _place(directory, job_id, content, replaces=False):
                return True
            found = _owner(directory)
        return found == job_id


def write_job_file(
    directory: Directory,
    detail: Mapping[str, Any],
    key: str,
    *,
    name: str,
    host: str,
    files: Sequence[SavedFile],
    whole: bool,
) -> None:
    """Write what the job was and which of its files are here.

    A workflow that still contains the API key after cleaning, or is nested too deeply, is left out.

    Args:
        detail: the answer of `GET /api/jobs/{id}`. It is cleaned here.
        key: the API key in use.
        name: the name of the workflow, or "".
        whole: whether all outputs of the job are here.

    Raises:
        OutputsUnwritable: the disk refuses. An earlier job.json stays.
        NotBackedUp: even without its workflow, the text contains the API key.
    """
    about = _about(detail, name=name, host=host, files=files, whole=whole)
    try:
        content = clean_json(about | _workflow(detail), key)
    except CloudError:
        content = clean_json(about | {"workflow": None, "prompt": None}, key)
    with disk_errors():
        _write(directory, str(about["id"]), content)


def _about(
    detail: Mapping[str, Any], *, name: str, host: str, files: Sequence[SavedFile], whole: bool
) -> dict[str, object]:
    job = read_job(detail, utc_now())
    if job is None:
        raise ValueError("the details have no job id")
    return {
        "id": job.id,
        "status": job.status.value,
        "workflow_name": scrub(name),
        "workflow_id": job.workflow_id,
        "created": _iso(job.created_at),
        "started": _iso(job.started_at),
        "finished": _iso(job.finished_at),
        "host": scrub(host),
        "saved": _iso(utc_now()),
        "whole": whole,
        "files": [
            {"name": scrub(file.name), "file": file.path.rpartition("/")[2], "size": file.size}
            | {"sha256": file.sha256, "checked": file.checked}
            for file in files
        ],
    }


def _workflow(detail: Mapping[str, Any]) -> dict[str, object]:
    canvas, prompt = read_workflow(clean_detail(detail).get("workflow"))
    return {"workflow": canvas, "prompt": prompt}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="milliseconds")


def _owner(directory: Directory, name: str = JOB_FILE) -> str | None:
    """Return the id of the job whose job.json is in the folder, "" if it is another file, or None if there is none."""
    try:
        file = directory.open_file(name)
    except FileNotFoundError:
        return None
    except (PermissionError, OutputFileRefused):
        return ""
    with file, disk_access(directory.path / name):
        match = _ID.match(file.read(_HEAD_BYTES))
    return match[1].decode("ascii") if match else ""


def _write(directory: Directory, job_id: str, content: bytes) -> None:
    """Write job.json, or a numbered file if job.json is not this job's."""
    for number in range(1, _MAX_OTHERS + 1):
        if _place(directory, job_id, content, numbered(JOB_FILE, number)):
            return
    raise OutputFileRefused("outputs_no_free_name", name=JOB_FILE)


def _place(directory: Directory, job_id: str, content: bytes, name: str = JOB_FILE, *, replaces: bool = True) -> bool:
    """Write the file whole under this name. Return False if another file has the name.

    Args:
        replaces: whether a file of the same job is replaced.
    """
    temporary, file = open_temporary(directory, name)
    placed = False
    try:
        try:
            with disk_access(directory.path / name, len(content)):
                write_whole(file, content)
                sync_file(file)
        finally:
            release(file)
        placed = directory.place(temporary, name)
        if not placed and replaces and _owner(directory, name) == job_id:
            directory.replace(temporary, name)
            placed = True
    finally:
        if not placed:
            with suppress(OSError):
                directory.remove(temporary)
    if placed:
        directory.sync()
    return placed
