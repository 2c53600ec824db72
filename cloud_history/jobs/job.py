"""A job of the history, read tolerantly from what a server says of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, cast

from ..secret import scrub
from .ids import is_job_id
from .status import ACTIVE, FINISHED, JobStatus

MAX_TEXT_CHARACTERS = 300
"""Characters of an error kept in a list: enough to search and to show."""

_MILLISECONDS_FROM = 1e11
_MAX_NUMBER = 2**53
"""Whole numbers from here on are no numbers of anything, and browsers cannot tell them apart."""
_OUTPUT_TYPE_OF_WORD = {
    "image": "image",
    "images": "image",
    "gifs": "video",
    "video": "video",
    "videos": "video",
    "audio": "audio",
    "3d": "3d",
    "model": "3d",
}


class JobError(NamedTuple):
    """Why a job failed. The inputs at the time of the failure are never kept: they can hold API keys."""

    message: str
    kind: str = ""
    node_type: str = ""
    node_id: str = ""


class OutputFile(NamedTuple):
    """A file a job made, by the names `GET /api/view` takes."""

    filename: str
    subfolder: str = ""
    kind: str = "output"


class Job(NamedTuple):
    """One job, as a list shows it. Times are aware; None where the server gave none that can be believed.

    A named tuple, as its parts are, because lists have thousands: a frozen dataclass takes five times as long to make.
    """

    id: str
    status: JobStatus
    status_raw: str
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    workflow_id: str = ""
    outputs_count: int | None = None
    preview: OutputFile | None = None
    output_type: str = ""
    error: JobError | None = None

    @property
    def name(self) -> str:
        """The file name of its preview output, or "" where it has none."""
        return self.preview.filename if self.preview else ""

    @property
    def finished(self) -> bool:
        """Whether a deletion acts on it."""
        return self.status in FINISHED

    @property
    def active(self) -> bool:
        return self.status in ACTIVE

    @property
    def took(self) -> timedelta | None:
        """How long it ran."""
        if self.started_at is None or self.finished_at is None or self.finished_at < self.started_at:
            return None
        return self.finished_at - self.started_at

    def mentions(self, text: str) -> bool:
        """Whether name, id, workflow id or error hold this text (in lower case)."""
        error = self.error.message if self.error else ""
        return any(text in each.lower() for each in (self.name, self.id, self.workflow_id, error))


def utc_now() -> datetime:
    """Return the time by this machine's clock, aware."""
    return datetime.now(timezone.utc)


def moment(value: object, now: datetime) -> datetime | None:
    """The time a server means by a number, in seconds or in milliseconds by its size.

    The documents disagree on the unit, so the size decides: 1e11 and more are milliseconds. What is no number, not
    positive, not finite or more than a day ahead of `now` is no time at all: such a job is never "old".
    """
    return _moment(value, _latest(now))


def _latest(now: datetime) -> float:
    """The last second that is believed."""
    return now.timestamp() + 86400


def _moment(value: object, latest: float) -> datetime | None:
    # Of exactly these types, for a bool is an int too; what is no number or not finite is not in between.
    if not (type(value) is int or type(value) is float) or not 0 < value < 1e16:
        return None
    seconds = value / 1000 if value >= _MILLISECONDS_FROM else value
    if seconds > latest:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc)


def row_id(row: object) -> str | None:
    """The job id in a row of a list, in lower case; None where it has none."""
    job_id = row.get("id") if isinstance(row, dict) else None
    return job_id.lower() if isinstance(job_id, str) and is_job_id(job_id) else None


def read_job(row: object, now: datetime) -> Job | None:
    """The job in a row of `GET /api/jobs`, or in the answer of `GET /api/jobs/{id}`; None where it has no job id.

    Takes Comfy Cloud's shape and open-source ComfyUI's.
    """
    job_id = row_id(row)
    return None if job_id is None else read_job_row(job_id, cast("dict[str, Any]", row), now)


def read_job_row(job_id: str, row: Mapping[str, Any], now: datetime) -> Job:
    """The job in a row whose `row_id` this is."""
    raw = row.get("status")
    status = JobStatus.from_api(raw)
    preview = row.get("preview_output")
    preview = preview if isinstance(preview, dict) else {}
    count = row.get("outputs_count")
    latest = _latest(now)
    return Job(
        id=job_id,
        status=status,
        status_raw=_text(raw, 60) if status is JobStatus.UNKNOWN else "",
        created_at=_moment(row.get("create_time"), latest),
        started_at=_moment(row.get("execution_start_time"), latest),
        finished_at=_moment(row.get("execution_end_time"), latest),
        workflow_id=_text(row.get("workflow_id"), 100),
        outputs_count=count
        if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < _MAX_NUMBER
        else None,
        preview=read_file(preview),
        output_type=output_type(preview.get("mediaType")),
        error=_error(row.get("execution_error")),
    )


def read_file(value: object) -> OutputFile | None:
    """The file an output names, or None where it names none."""
    if not isinstance(value, dict):
        return None
    filename = value.get("filename")
    if not isinstance(filename, str) or not filename or len(filename) > 4 * MAX_TEXT_CHARACTERS:
        return None
    return OutputFile(
        scrub(filename),
        _text(value.get("subfolder"), MAX_TEXT_CHARACTERS),
        _text(value.get("type"), 20) or "output",
    )


def output_type(word: object) -> str:
    """`image`, `video`, `audio` or `3d` for the words used of outputs, "" for others."""
    return _OUTPUT_TYPE_OF_WORD.get(word.lower(), "") if isinstance(word, str) else ""


def _error(value: object) -> JobError | None:
    if not isinstance(value, dict):
        return None
    return JobError(
        message=_text(value.get("exception_message"), MAX_TEXT_CHARACTERS).strip(),
        kind=_text(value.get("exception_type"), 100),
        node_type=_text(value.get("node_type"), 100),
        node_id=_text(value.get("node_id"), 100),
    )


def _text(value: Any, longest: int) -> str:
    # Scrubbed here, before anything cuts, matches or keeps it: a search would find what the list hides, letter by
    # letter, and a cut leaves half a key that nobody recognises.
    if isinstance(value, str):
        return scrub(value)[:longest]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MAX_NUMBER:
        return scrub(str(value))[:longest]
    return ""
