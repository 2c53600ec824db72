"""What the audit log keeps about each job of a deletion: its name, status, times, workflow and error.

These facts have their own lines, so that the lines of the intent and the outcome stay as they are. Version 1.2.0 skips
lines that it does not know. The lines are limited in length, and so is their number for one deletion.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ..jobs.job import Job, read_job, utc_now
from ..jobs.rows import milliseconds
from ..secret import scrub

MAX_NAME_CHARACTERS = 200
MAX_ERROR_CHARACTERS = 200
MAX_LINE_BYTES = 128 * 1024
MAX_BYTES_PER_DELETION = 7 * 1024 * 1024
"""Less than a file of the log, and enough for 20,000 jobs. Of further jobs, the log has only the ids and outcomes."""

_ENCODER = json.JSONEncoder(separators=(",", ":"))


def job_lines(operation: str, jobs: Iterable[Job], room: int = MAX_BYTES_PER_DELETION) -> list[bytes]:
    """Return the log lines of these jobs, with at most `room` bytes in all. Slow for many jobs: call it in a thread."""
    start = b'{"line": "jobs", "operation": "%s", "jobs": [' % operation.encode("ascii")
    return [start + b",".join(members) + b"]}" for members in _chunks(jobs, len(start) + 3, room)]


def read_job_line(line: bytes) -> Iterator[Job]:
    """Yield the jobs in a line of `job_lines`. Damaged jobs are skipped."""
    try:
        members = json.loads(line)["jobs"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    now = utc_now()
    for each in members if isinstance(members, list) else ():
        if isinstance(each, dict) and (job := read_job(_row(each), now)) is not None:
            yield job


def _chunks(jobs: Iterable[Job], around: int, room: int) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    size = around
    for job in jobs:
        member = _member(job)
        if chunk and size + len(member) > MAX_LINE_BYTES:
            yield chunk
            room -= size
            chunk, size = [], around
        size += len(member) + 1
        if size > room:
            break
        chunk.append(member)
    if chunk:
        yield chunk


def _member(job: Job) -> bytes:
    error = job.error
    members = {
        "id": job.id,
        "status": job.status_raw or job.status.value,
        "created": milliseconds(job.created_at),
        "started": milliseconds(job.started_at),
        "finished": milliseconds(job.finished_at),
        "name": scrub(job.name)[:MAX_NAME_CHARACTERS],
        "workflow_id": scrub(job.workflow_id),
        "error": scrub(error.message)[:MAX_ERROR_CHARACTERS] if error else "",
        "node_type": scrub(error.node_type) if error else "",
    }
    # Without the unknown members, a line has room for more jobs.
    return _ENCODER.encode({name: value for name, value in members.items() if value}).encode("ascii")


def _row(member: dict[str, Any]) -> dict[str, Any]:
    """Return the member of a line as a row of the service's list, which `read_job` checks."""
    error = {
        "exception_message": member.get("error"),
        "node_type": member.get("node_type"),
    }
    return {
        "id": member.get("id"),
        "status": member.get("status"),
        "create_time": member.get("created"),
        "execution_start_time": member.get("started"),
        "execution_end_time": member.get("finished"),
        "workflow_id": member.get("workflow_id"),
        "preview_output": {"filename": member.get("name")},
        "execution_error": error if any(error.values()) else None,
    }
