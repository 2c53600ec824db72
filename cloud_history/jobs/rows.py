"""Converting jobs to JSON for the browser: rows of the list, and the details of one job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from ..errors import InputRefused, NotFound
from ..secret import scrub
from .job import Job, OutputFile, moment, output_type, read_file, read_job

_ENCODER = json.JSONEncoder(separators=(",", ":"))


def job_row(job: Job) -> dict[str, Any]:
    """Return the row of a job for the browser's list. Times are Unix milliseconds, `took` is in milliseconds."""
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
    """Return the row of a job for the browser's list as JSON text."""
    return _ENCODER.encode(job_row(job))


def milliseconds(moment: datetime | None) -> int | None:
    """Return a time as Unix milliseconds, or None for None."""
    return None if moment is None else round(moment.timestamp() * 1000)


def _error(job: Job) -> dict[str, str] | None:
    error = job.error
    if error is None:
        return None
    return {"message": error.message, "type": error.kind, "node_type": error.node_type, "node_id": error.node_id}


MAX_OUTPUTS = 500
MAX_TRACEBACK_CHARACTERS = 20_000
"""Limit for the traceback of one job."""

Payload = dict[str, Any]


def read_details(detail: Mapping[str, Any], now: datetime) -> Payload:
    """Convert a job's details from `clean_detail` for the browser. Raise NotFound if they have no valid job id."""
    job = read_job(detail, now)
    if job is None:
        raise NotFound(404)
    workflow, prompt = read_workflow(detail.get("workflow"))
    return {
        "job": job_row(job),
        "updated": milliseconds(moment(detail.get("update_time"), now)),
        "outputs": [_output_row(*each) for each in islice(_files(detail), MAX_OUTPUTS)],
        "workflow": workflow,
        "prompt": prompt,
        "error": _error_with_traceback(detail.get("execution_error")),
    }


def _output_row(node_id: str, media: str, file: OutputFile) -> Payload:
    kind = {"media_type": media, "output_type": output_type(media)}
    return {"filename": file.filename, "node_id": node_id, **kind}


def files_of(detail: Mapping[str, Any]) -> list[OutputFile]:
    """Return the output files of a job. The browser may request only these files for the job."""
    return [file for _, _, file in _files(detail)]


def _files(detail: Mapping[str, Any]) -> Iterator[tuple[str, str, OutputFile]]:
    outputs = detail.get("outputs")
    for node_id, by_media in outputs.items() if isinstance(outputs, Mapping) else ():
        for media, files in by_media.items() if isinstance(by_media, Mapping) else ():
            for each in files if isinstance(files, list) else ():
                if (file := read_file(each)) is not None:
                    yield str(node_id)[:100], str(media)[:100], file


def read_workflow(value: object) -> tuple[Payload | None, Payload | None]:
    """Return the canvas workflow and the API graph in a job's `workflow`, each None if it is missing."""
    if not isinstance(value, Mapping):
        return None, None
    if isinstance(value.get("nodes"), list):
        return {name: each for name, each in value.items() if name != "extra_data"}, None
    prompt = value.get("prompt")
    found: object = value
    for name in ("extra_data", "extra_pnginfo", "workflow"):
        found = found.get(name) if isinstance(found, Mapping) else None
    canvas = dict(found) if isinstance(found, Mapping) and isinstance(found.get("nodes"), list) else None
    if not isinstance(prompt, Mapping):
        # In open-source ComfyUI, a job's `workflow` is the graph itself.
        prompt = value if all(isinstance(each, Mapping) and "class_type" in each for each in value.values()) else None
    return canvas, dict(prompt) if prompt else None


def workflow_file(detail: Mapping[str, Any]) -> bytes:
    """Return the canvas workflow of a job as a JSON file, with all numbers unchanged.

    The browser saves this text unparsed, because JavaScript would round a seed beyond 2**53 and cannot parse NaN.
    Slow for a large workflow: call it in a thread.

    Raises:
        InputRefused: the job has no workflow.
    """
    canvas, _ = read_workflow(detail.get("workflow"))
    if canvas is None:
        raise InputRefused("job_without_workflow")
    # UTF-8 cannot encode a lone surrogate, and "backslashreplace" writes a lone surrogate as a JSON escape.
    return json.dumps(canvas, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace")


def _error_with_traceback(value: object) -> Payload | None:
    if not isinstance(value, Mapping):
        return None
    lines = value.get("traceback")
    text = "".join(str(line) for line in lines) if isinstance(lines, list) else str(lines or "")
    words = {"message": "exception_message", "type": "exception_type", "node_type": "node_type", "node_id": "node_id"}
    shown = {name: str(value.get(theirs) or "")[:4000] for name, theirs in words.items()}
    # Each line is scrubbed already, but a key may begin in one line and end in the next.
    return {**shown, "traceback": scrub(text)[:MAX_TRACEBACK_CHARACTERS].splitlines(keepends=True)}
