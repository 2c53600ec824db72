"""Jobs as the rows a browser lists."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from .job import Job

_ENCODER = json.JSONEncoder(separators=(",", ":"))


def job_row(job: Job) -> dict[str, Any]:
    """One row. Times are Unix milliseconds."""
    return {
        "id": job.id,
        "status": job.status.value,
        "raw": job.status_raw,
        "created": milliseconds(job.created_at),
        "started": milliseconds(job.started_at),
        "finished": milliseconds(job.finished_at),
        "took": None if job.took is None else round(job.took.total_seconds() * 1000),
        "name": job.name,
        "workflow_id": job.workflow_id,
        "outputs": job.outputs_count,
        "output_type": job.output_type,
        "error": None if job.error is None else _error(job),
        "preview": {"filename": job.name} if job.preview else None,
    }


def row_json(job: Job) -> str:
    """The same as JSON."""
    return _ENCODER.encode(job_row(job))


def milliseconds(moment: datetime | None) -> int | None:
    """Unix milliseconds, or None."""
    return None if moment is None else round(moment.timestamp() * 1000)


def _error(job: Job) -> dict[str, str] | None:
    error = job.error
    if error is None:
        return None
    return {
        "message": error.message,
        "type": error.kind,
        "node_type": error.node_type,
        "node_id": error.node_id,
    }
