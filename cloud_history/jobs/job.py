"""A job of the history, and reading jobs from answers of a server. Invalid fields are treated as missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple, cast

from ..secret import scrub
from .ids import is_job_id
from .status import ACTIVE, FINISHED, JobStatus

MAX_TEXT_CHARACTERS = 300
"""Limit for texts of a job in the list, such as the error message: enough for searching and showing it."""

_MILLISECONDS_FROM = 1e11
_MAX_NUMBER = 2**53
"""Larger integers are invalid: no counter is that large, and JavaScript cannot represent them exactly."""
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
    """Why a job failed. The server's `current_inputs` are left out, because they can contain API keys."""

    message: str
    kind: str = ""
    node_type: str = ""
    node_id: str = ""


_NO_ERROR = JobError("")


class OutputFile(NamedTuple):
    """An output file of a job: the parameters `filename`, `subfolder` and `type` of `GET /api/view`."""

    filename: str
    subfolder: str = ""
    kind: str = "output"


class Job(NamedTuple):
    """One job of the list. Times have a time zone, and are None if the server sent no valid time.

    Lists have thousands of jobs, and creating a frozen dataclass takes five times as long as a named tuple.
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
        """The file name of the job's preview output, or "" if there is none."""
        return self.preview.filename if self.preview else ""

    @property
    def finished(self) -> bool:
        """Whether the job has ended, so that a deletion can remove it."""
        return self.status in FINISHED

    @property
    def active(self) -> bool:
        return self.status in ACTIVE

    @property
    def took(self) -> timedelta | None:
        """How long the job ran, or None if unknown."""
        if self.started_at is None or self.finished_at is None or self.finished_at < self.started_at:
            return None
        return self.finished_at - self.started_at

    def mentions(self, words: Iterable[str]) -> bool:
        """Return whether each word is in the name, id, workflow id, status or error.

        The words must be in lower case.
        """
        error = self.error or _NO_ERROR
        status = self.status.value.replace("_", " ")
        if self.status is JobStatus.UNKNOWN:
            status = f"{status} ({self.status_raw})"
        # The end is as in the name that the browser shows for a job without outputs: "Failed KSampler, 18:37:05".
        what = f"{status} {error.node_type}," if error.node_type else f"{status},"
        texts = [each.lower() for each in (self.name, self.id, self.workflow_id, error.message, what)]
        return all(any(word in text for text in texts) for word in words)


def utc_now() -> datetime:
    """Return the time by this machine's clock, with the time zone UTC."""
    return datetime.now(timezone.utc)


def moment(value: object, now: datetime) -> datetime | None:
    """Return the time for a number in seconds or milliseconds, or None if it is not valid.

    The documentation and the server disagree on the unit, so numbers from 1e11 are taken as milliseconds. A number is
    not valid if it is not positive and finite, or if it is more than a day ahead of `now`.
    """
    return _moment(value, _latest(now))


def _latest(now: datetime) -> float:
    """Return the latest valid time as a Unix time in seconds."""
    return now.timestamp() + 86400


def _moment(value: object, latest: float) -> datetime | None:
    # `isinstance` would accept bool, which is a subclass of int. The comparison excludes NaN and infinity.
    if not (type(value) is int or type(value) is float) or not 0 < value < 1e16:
        return None
    seconds = value / 1000 if value >= _MILLISECONDS_FROM else value
    if seconds > latest:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc)


def row_id(row: object) -> str | None:
    """Return the job id in a row of the list, in lower case, or None if the row has no valid job id."""
    job_id = row.get("id") if isinstance(row, dict) else None
    return job_id.lower() if isinstance(job_id, str) and is_job_id(job_id) else None


def read_job(row: object, now: datetime) -> Job | None:
    """Return the job in a row of `GET /api/jobs` or in the answer of `GET /api/jobs/{id}`.

    Return None if there is no valid job id. The formats of Comfy Cloud and of open-source ComfyUI are both accepted.
    """
    job_id = row_id(row)
    return None if job_id is None else read_job_row(job_id, cast("dict[str, Any]", row), now)


def read_job_row(job_id: str, row: Mapping[str, Any], now: datetime) -> Job:
    """Return the job in a row. `job_id` is the result of `row_id` for that row."""
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
    """Return the output file described by a JSON object, or None if there is no valid file name."""
    if not isinstance(value, dict):
        return None
    filename = value.get("filename")
    if not isinstance(filename, str) or not filename or len(filename) > 4 * MAX_TEXT_CHARACTERS:
        return None
    return OutputFile(
        scrub(filename), _text(value.get("subfolder"), MAX_TEXT_CHARACTERS), _text(value.get("type"), 20) or "output"
    )


def output_type(word: object) -> str:
    """Return `image`, `video`, `audio` or `3d` for the server's word for an output type, or "" for other words."""
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
    # Scrubbed before it is cut, because `scrub` does not recognise a cut key, and before it can be searched, because a
    # search would reveal a key letter by letter.
    if isinstance(value, str):
        return scrub(value)[:longest]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MAX_NUMBER:
        return scrub(str(value))[:longest]
    return ""
