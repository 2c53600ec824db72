"""Comfy Cloud's HTTP API without I/O: builds requests and turns answers into values or errors.

Only requests built here can be sent, so this module shows everything that this pack can do to an account. It does not
use `DELETE /api/jobs/{id}`, which also deletes the output files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Literal
from urllib.parse import urlencode

from ..errors import (
    PLAN_REFUSALS,
    AnswerTooLarge,
    ApiMovedOn,
    BadRequest,
    CloudResponseError,
    FileTooLarge,
    Forbidden,
    InsufficientCredits,
    NestedTooDeeply,
    NotComfyCloud,
    NotFound,
    PlanRefused,
    RateLimited,
    SchemaMismatch,
    ServerFault,
    Unauthorized,
    UnreadableAnswer,
)
from ..jobs.ids import is_job_id
from ..jobs.job import read_job_row, row_id
from ..jobs.redact import MAX_JOB_BYTES, MAX_LEVELS
from ..jobs.status import JobStatus
from ..json_pieces import JsonTooDeep, NotJson, Pause, loads
from ..secret import CONTROL, scrub
from . import schema
from .evidence import Defect, DefectKind
from .pages import Page, RowMapper, ValueT, read_page

MAX_IDS_PER_REQUEST = 100
MAX_ANSWER_BYTES = 1024 * 1024
MAX_PAGE_BYTES = 16 * 1024 * 1024
MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_QUOTE_CHARACTERS = 1000
VIEW_PATH = "/api/view"
ASSETS_PATH = "/api/assets"


class Repeat(Enum):
    """What happens if the same request is sent twice. This decides which requests are retried."""

    READ = "nothing"
    DELETE = "the same effect again"
    CLEAR = "could remove jobs that have finished since"


@dataclass(frozen=True)
class Request:
    """One request, ready to send. `body` is sent unchanged."""

    method: Literal["GET", "POST"]
    path: str
    repeat: Repeat
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    largest_answer: int = MAX_ANSWER_BYTES

    @property
    def may_be_large(self) -> bool:
        """Whether the request is for a list of jobs or assets, for one job or for a file."""
        return self.method == "GET" and self.path.startswith((VIEW_PATH, ASSETS_PATH, "/api/jobs"))

    @property
    def about_one_job(self) -> bool:
        """Whether the request is for one job, as each request of a backup is."""
        return self.method == "GET" and self.path.startswith("/api/jobs/") and self.path.count("/") == 3

    @property
    def target(self) -> str:
        """Path and query, escaped."""
        return f"{self.path}?{urlencode(self.query, errors='replace')}" if self.query else self.path


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        whole: whether `body` is complete.
        too_large: whether `body` is a list, one job or a file, and was cut at the size limit of the request.
    """

    status: int
    body: bytes = b""
    content_type: str = ""
    retry_after: float | None = None
    whole: bool = True
    too_large: bool = False
    location: str = ""
    """The URL of a redirect. Only `downloads` follows it."""
    path: str = ""
    """The path of the request."""

    @property
    def is_html(self) -> bool:
        return "html" in self.content_type.lower() or self.body.lstrip()[:14].lower().startswith(b"<!doctype html")


def delete_history(job_ids: Sequence[str]) -> Request:
    """Return a request that removes jobs from the history (operation manageHistory).

    Args:
        job_ids: 1 to 100 ids, in the server's spelling.

    Raises:
        SchemaMismatch: there are too few or too many ids, an id is invalid, or two are equal apart from case.
    """
    request = _manage_history({"delete": list(job_ids)}, Repeat.DELETE)
    if len({job_id.lower() for job_id in job_ids}) != len(job_ids):
        raise SchemaMismatch("job_id_twice")
    return request


def clear_history() -> Request:
    """Return a request that removes all finished jobs from the history (operation manageHistory)."""
    return _manage_history({"clear": True}, Repeat.CLEAR)


def list_jobs(chosen: Mapping[str, str], *, limit: int, offset: int = 0, after: str | None = None) -> Request:
    """Return a request for one page of jobs, newest first (operation listJobs).

    Args:
        chosen: the filter, from `JobFilter.query`.
        limit: number of jobs, 1 to 1,000.
    """
    query = {**chosen, "limit": str(limit)}
    if after is not None:
        query["after"] = after
    elif offset:
        query["offset"] = str(offset)
    return Request("GET", "/api/jobs", Repeat.READ, query, largest_answer=MAX_PAGE_BYTES)


def get_job(job_id: str) -> Request:
    """Return a request for one job with its workflow and outputs (operation getJobDetail)."""
    return Request("GET", f"/api/jobs/{_checked(job_id)}", Repeat.READ, largest_answer=MAX_JOB_BYTES)


def cancel_jobs(job_ids: Sequence[str]) -> Request:
    """Return a request that stops pending or running jobs (operation cancelJobs).

    Stopped jobs stay in the history with the status cancelled.

    Raises:
        SchemaMismatch: there are not 1 to 100 ids, or an id is invalid.
    """
    if not 1 <= len(job_ids) <= MAX_IDS_PER_REQUEST:
        raise SchemaMismatch("too_many_to_cancel")
    body = {"job_ids": [_checked(job_id) for job_id in job_ids]}
    content = json.dumps(body, separators=(",", ":")).encode("ascii")
    return Request("POST", "/api/jobs/cancel", Repeat.CLEAR, body=content)


def view_file(filename: str, subfolder: str, kind: str) -> Request:
    """Return a request for an output file (operation viewFile). The server redirects to the storage with 302."""
    query = {"filename": filename, "subfolder": subfolder, "type": kind}
    return Request("GET", VIEW_PATH, Repeat.READ, query, largest_answer=MAX_FILE_BYTES)


def list_assets(*, limit: int, offset: int) -> Request:
    """Return a request for one page of the account's own assets, newest first (operation listAssets).

    Args:
        limit: number of assets, 1 to 500.
    """
    query = {"include_public": "false", "limit": str(limit), "offset": str(offset)}
    return Request("GET", ASSETS_PATH, Repeat.READ, query, largest_answer=MAX_PAGE_BYTES)


def job_assets(job_id: str) -> Request:
    """Return a request for the assets of one job. Only newer servers have this route."""
    return Request("GET", f"/api/jobs/{_checked(job_id)}/assets", Repeat.READ, largest_answer=MAX_PAGE_BYTES)


def _checked(job_id: str) -> str:
    if not is_job_id(job_id):
        raise SchemaMismatch("invalid_job_id")
    return job_id


def get_user() -> Request:
    """Return a request for the owner of the API key (operation getUser): the cheapest request that needs a key."""
    return Request("GET", "/api/user", Repeat.READ)


def _manage_history(body: dict[str, object], repeat: Repeat) -> Request:
    schema.check_request_body(body)
    return Request("POST", "/api/history", repeat, body=json.dumps(body, separators=(",", ":")).encode("ascii"))


def read_json(answer: Answer, schema_name: str, pause: Pause = lambda: None) -> dict[str, Any]:
    """Return the JSON object in an answer. Slow for a large answer: call it in a thread.

    Args:
        pause: called between steps to let other threads run.

    Raises:
        CloudResponseError: the answer is an error, or its body does not match the schema.
        NestedTooDeeply: the body has too many levels.
    """
    _raise_for(answer)
    too_deep = False
    try:
        value = loads(answer.body.decode(json.detect_encoding(answer.body), "surrogatepass"), pause)
        schema.checker(schema_name)(value)
        if isinstance(value, dict):
            return value
    except (JsonTooDeep, RecursionError):
        too_deep = True
    except (ValueError, SchemaMismatch):
        pass
    # Raised outside `except`, because json's error contains the whole answer and must not become the context.
    raise NestedTooDeeply(levels=MAX_LEVELS) if too_deep else UnreadableAnswer(answer.status)


def read_jobs_page(
    answer: Answer, mapper: RowMapper[ValueT], now: datetime, pause: Pause = lambda: None
) -> Page[ValueT]:
    """Return the page of jobs in an answer. Slow for a large page: call it in a thread.

    Args:
        pause: called between steps to let other threads run.

    Raises:
        CloudResponseError: the answer is an error, or its body is not a page of jobs.
    """
    _raise_for(answer)
    job_ids: list[str] = []
    kept: dict[str, ValueT] = {}
    statuses: set[object] = set()
    spellings: dict[str, str] = {}
    received = 0

    def take(row: Any) -> None:
        nonlocal received
        received += 1
        job_id = row_id(row)
        if job_id is None:
            return
        job_ids.append(job_id)
        if row["id"] != job_id:
            spellings[job_id] = row["id"]
        status = row.get("status")
        statuses.add(status if isinstance(status, str) else None)
        made = mapper.convert(read_job_row(job_id, row, now)) if mapper.wants(job_id) else None
        if made is not None:
            kept.setdefault(job_id, made)

    members = _members(answer, take, pause)
    pagination = members.get("pagination")
    pagination = pagination if isinstance(pagination, dict) else {}
    total, more, cursor = (pagination.get(name) for name in ("total", "has_more", "next_cursor"))
    return Page(
        job_ids=job_ids,
        kept=kept,
        received=received,
        total=_count(total),
        has_more=more if isinstance(more, bool) else None,
        next_cursor=cursor if isinstance(cursor, str) else "",
        defects=tuple(_defects(members, pagination, received - len(job_ids))),
        statuses=frozenset(map(JobStatus.from_api, statuses)),
        limit=_count(pagination.get("limit")),
        spellings=spellings,
    )


def _members(answer: Answer, take: Callable[[Any], None], pause: Pause) -> Mapping[str, Any]:
    """Pass the rows of an answer to `take` and return its other members. Raise UnreadableAnswer if it has no rows."""
    members: dict[str, Any] = {}
    with suppress(NotJson, UnicodeDecodeError):
        members = read_page(answer.body.decode("utf-8"), take, pause)
    if "jobs" not in members or members["jobs"] not in ([], None):
        raise UnreadableAnswer(answer.status)
    return members


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _defects(members: Mapping[str, Any], pagination: Mapping[str, Any], unreadable: int) -> Iterator[Defect]:
    """Yield the defects of one page."""
    if members["jobs"] is None:
        yield Defect(DefectKind.NO_ROWS)
    if not isinstance(pagination.get("has_more"), bool):
        yield Defect(DefectKind.NO_HAS_MORE if _count(pagination.get("total")) else DefectKind.NO_PAGINATION)
    if pagination.get("total") is not None and _count(pagination["total"]) is None:
        yield Defect(DefectKind.TOTALS_CONTRADICT)
    if unreadable:
        yield Defect(DefectKind.UNREADABLE_ROWS, unreadable)


def error_of(answer: Answer) -> CloudResponseError | None:
    """Return the error for an answer, or None if the request succeeded."""
    status = answer.status
    if 300 <= status < 400 or status < 200:
        return NotComfyCloud(status)
    moved_on = _has_moved_on(status, answer.path)
    if answer.is_html and status < 500 and status != 429 and not moved_on:
        return NotComfyCloud(status)
    if status < 300:
        if answer.whole:
            return None
        if not answer.too_large:
            return UnreadableAnswer(status)
        return FileTooLarge(MAX_FILE_BYTES) if answer.path == VIEW_PATH else AnswerTooLarge(status)
    cloud_code, says = _quote(answer)
    kind = ApiMovedOn if moved_on else _error_class(status, cloud_code, says)
    return kind(status, cloud_code=cloud_code, cloud_says=says, retry_after=answer.retry_after)


def _raise_for(answer: Answer) -> None:
    if (error := error_of(answer)) is not None:
        raise error


_CLASS_OF_STATUS: Mapping[int, type[CloudResponseError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    407: NotComfyCloud,
}


def _has_moved_on(status: int, path: str) -> bool:
    """Return whether the status means that the route does not exist. On other paths, 404 and 410 refer to one job."""
    if path == "/api/history":
        return status in (404, 405, 410, 501)
    return status == 501 or (path == "/api/jobs" and status == 410)


def _error_class(status: int, cloud_code: str, says: str) -> type[CloudResponseError]:
    if status >= 500:
        return ServerFault
    if status in (402, 429) and cloud_code in PLAN_REFUSALS:
        return PlanRefused
    if status == 402:
        return InsufficientCredits if "credit" in f"{cloud_code} {says}".lower() else PlanRefused
    if status == 429:
        # The documentation calls 429 "subscription inactive", but answers with that meaning have one of PLAN_REFUSALS.
        return RateLimited
    return _CLASS_OF_STATUS.get(status, BadRequest)


def _quote(answer: Answer) -> tuple[str, str]:
    """Return the code and the message in the body of an error. The tests list all observed forms of such bodies."""
    if answer.is_html or not answer.whole:
        return "", ""  # an incomplete body may end with a part of the key that is too short for `scrub`
    text = answer.body.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text if not answer.body.lstrip().startswith((b"{", b"[")) else ""
    code, says = _code_and_message(value)
    return clean_server_text(code)[:100], clean_server_text(says)


def _code_and_message(value: object) -> tuple[object, object]:
    if not isinstance(value, dict):
        return "", value
    inner = value.get("error")
    if isinstance(inner, dict):
        codes = [inner.get("code"), inner.get("type"), value.get("code")]
        return _code_among(codes), inner.get("message") or value.get("message")
    codes = [value.get("code"), value.get("type")]
    return _code_among(codes), value.get("message") or inner or value.get("detail")


def _code_among(codes: Sequence[object]) -> str:
    """Return the first code of PLAN_REFUSALS, in upper case. If there is none, return the first code."""
    named = [each for each in codes if isinstance(each, str) and each]
    plan = [each.upper() for each in named if each.upper() in PLAN_REFUSALS]
    return [*plan, *named, ""][0]


_CONTROLS = re.compile(f"{CONTROL.pattern}+")


def clean_server_text(text: object) -> str:
    """Return a text from the server without secrets and control characters, cut at 1,000 characters."""
    if not isinstance(text, str):
        return ""
    return _CONTROLS.sub(" ", scrub(text)[: 4 * MAX_QUOTE_CHARACTERS])[:MAX_QUOTE_CHARACTERS].strip()
