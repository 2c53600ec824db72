"""Bends of deletions, of job details, and of whole answers: headers, encoding, status."""

from __future__ import annotations

import gzip
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from aiohttp import web

from .error_shapes import error_response, json_shape
from .way import Route, Way

if TYPE_CHECKING:
    from .bends import Bend
    from .cloud import SimulatedCloud
    from .jobs import SimulatedJob


@dataclass
class Postponed:
    """Jobs that are deleted after `requests` more requests for lists and details."""

    jobs: Sequence[SimulatedJob]
    requests: int


def carry_out_postponed(cloud: SimulatedCloud) -> None:
    """Delete the jobs that are due. Called at each request for a list or for details."""
    for each in cloud.postponed:
        each.requests -= 1
        if each.requests < 0:
            cloud.account.delete([job.id for job in each.jobs], cloud.clock())
    cloud.postponed[:] = [each for each in cloud.postponed if each.requests >= 0]


def _keep(jobs: list[SimulatedJob], cloud: SimulatedCloud, bend: Bend) -> list[SimulatedJob]:
    return [job for job in jobs if not bend.hits(job.id)]


def _later(jobs: list[SimulatedJob], cloud: SimulatedCloud, bend: Bend) -> list[SimulatedJob]:
    cloud.postponed.append(Postponed([job for job in jobs if bend.hits(job.id)], bend.amount))
    return _keep(jobs, cloud, bend)


def _active_too(jobs: list[SimulatedJob], cloud: SimulatedCloud, bend: Bend) -> list[SimulatedJob]:
    for job in jobs:
        if not job.finished and not job.deleted and bend.hits(job.id):
            job.delete(cloud.clock())
    return jobs


def _vanish(cloud: SimulatedCloud, bend: Bend) -> None:
    """Delete jobs as another client would, and store their ids in `bend.memory`."""
    for job in cloud.finished[: bend.amount]:
        job.delete(cloud.clock())
        bend.memory = [*(bend.memory or ()), job.id]


def _finish(cloud: SimulatedCloud, bend: Bend) -> None:
    for job in cloud.active[: bend.amount]:
        cloud.finish(job.id)


def _arrive(cloud: SimulatedCloud, bend: Bend) -> None:
    for _ in range(bend.amount):
        cloud.add_job("completed")


def _change_places(cloud: SimulatedCloud, bend: Bend) -> None:
    """Delete finished jobs and finish running ones, so that the number of finished jobs stays the same."""
    if cloud.active:
        _vanish(cloud, bend)
        _finish(cloud, bend)


_DELETION: tuple[Route, ...] = ("history",)
_LIST: tuple[Route, ...] = ("list",)
DELETIONS: dict[str, Way] = {
    "keeps_jobs": Way("a deletion is accepted and removes nothing", _DELETION, removal=_keep),
    "removes_later": Way("a deletion is accepted and carried out `size` requests later", _DELETION, 3, removal=_later),
    "removes_active": Way("a deletion removes active jobs too", _DELETION, removal=_active_too),
    "refuses_and_removes": Way(
        "a deletion is carried out and answered with the status `size`",
        _DELETION,
        400,
        answer=lambda response, bend: error_response(bend.amount, "refused", "This request was refused.").response(),
    ),
    "refuses_with_200": Way(
        "a deletion is not carried out, and the error comes with 200",
        _DELETION,
        removal=_keep,
        answer=lambda response, bend: _error_with_200("Nothing was removed."),
    ),
    "jobs_vanish": Way("somebody else deletes `size` finished jobs", _LIST, 1, account=_vanish),
    "jobs_finish": Way("`size` active jobs finish", _LIST, 1, account=_finish),
    "jobs_arrive": Way("`size` completed jobs are added", _LIST, 1, account=_arrive),
    "jobs_change_places": Way(
        "`size` finished jobs are deleted and as many running ones finish", _LIST, 1, account=_change_places
    ),
}
"""Bends of deletions, and changes of the account by other clients during a deletion."""


def _another(job_id: str, found: SimulatedJob | None, cloud: SimulatedCloud) -> SimulatedJob | None:
    return next((job for job in cloud.listed() if job.id != job_id), found)


_DETAIL: tuple[Route, ...] = ("detail",)
DETAILS: dict[str, Way] = {
    "details_not_found": Way(
        "details are not found, though the job exists", _DETAIL, detail=lambda job_id, found, cloud: None
    ),
    "details_of_deleted_jobs": Way(
        "details of deleted jobs are found",
        _DETAIL,
        detail=lambda job_id, found, cloud: found or cloud.jobs.get(job_id),
    ),
    "details_of_another_job": Way("details are those of another job", _DETAIL, detail=_another),
    "details_null": Way("details are null", _DETAIL, details=lambda content, bend: None),
    "details_empty": Way("details are an empty object", _DETAIL, details=lambda content, bend: {}),
    "details_as_list": Way("details are an empty list", _DETAIL, details=lambda content, bend: []),
    "details_wrapped": Way("details are one level deeper", _DETAIL, details=lambda content, bend: {"job": content}),
    "details_bare": Way(
        "details are only the id",
        _DETAIL,
        details=lambda content, bend: {key: each for key, each in content.items() if key == "id"},
    ),
}
"""Bends of the details of a job."""


def _body(response: web.Response) -> bytes:
    return bytes(response.body) if isinstance(response.body, (bytes, bytearray)) else b""


def _with(response: web.Response, body: bytes, content_type: str = "application/json") -> web.Response:
    return web.Response(status=response.status, body=body, content_type=content_type)


def _members_of_gzip(response: web.Response, bend: Bend) -> web.Response:
    body = _body(response)
    step = max(1, -(-len(body) // bend.amount))
    packed = b"".join(gzip.compress(body[at : at + step]) for at in range(0, len(body), step))
    answer = _with(response, packed)
    answer.headers["Content-Encoding"] = "gzip"
    return answer


def _error_with_200(message: str) -> web.Response:
    return json_shape(200, {"error": {"code": "internal_error", "message": message}}).response()


def _not_found_with_200(response: web.Response, bend: Bend) -> web.Response:
    return json_shape(200, {"code": "not_found", "message": "Job not found"}).response()


def _date(response: web.Response, date: str) -> web.Response:
    response.headers["Date"] = date
    return response


def _read(what: str, answer: Any, size: int = 0) -> Way:
    return Way(what, ("list", "detail"), size, answer=answer)


_ALL: tuple[Route, ...] = ("list", "detail", "history")
ANSWERS: dict[str, Way] = {
    "plain_text": _read(
        "JSON comes as text/plain", lambda response, bend: _with(response, _body(response), "text/plain")
    ),
    "html": _read("JSON comes as text/html", lambda response, bend: _with(response, _body(response), "text/html")),
    "gzip_members": _read("answers are gzip in `size` members", _members_of_gzip, 3),
    "byte_order_mark": _read(
        "JSON begins with a byte order mark",
        lambda response, bend: _with(response, b"\xef\xbb\xbf" + _body(response)),
    ),
    "text_after_json": _read(
        "the JSON is followed by more text",
        lambda response, bend: _with(response, _body(response) + b"\n{}"),
    ),
    "half_an_answer": _read(
        "answers end in the middle, with a length that agrees",
        lambda response, bend: _with(response, _body(response)[: len(_body(response)) // 2]),
    ),
    "errors_with_200": _read(
        "errors come with status 200", lambda response, bend: _error_with_200("Please try again.")
    ),
    "not_found_with_200": Way("details are an error that comes with 200", _DETAIL, answer=_not_found_with_200),
    "date_wrong": Way(
        "the Date header is `size` seconds off",
        _ALL,
        10 * 86400,
        answer=lambda response, bend: _date(response, formatdate(time.time() + bend.amount, usegmt=True)),
    ),
    "date_unreadable": Way(
        "the Date header is not a date",
        _ALL,
        answer=lambda response, bend: _date(response, "the day before yesterday"),
    ),
}
"""Bends of answers as such."""
