"""Reading answers without a socket gives values, or raises the error that the answer describes."""

from __future__ import annotations

import json

import pytest

from cloud_history.cloud import protocol
from cloud_history.cloud.pages import EVERY_JOB, Page, RowMapper
from cloud_history.cloud.protocol import Answer
from cloud_history.errors import (
    PLAN_REFUSALS,
    ApiMovedOn,
    BadRequest,
    CloudResponseError,
    Forbidden,
    InsufficientCredits,
    NestedTooDeeply,
    NotComfyCloud,
    NotFound,
    PlanRefused,
    RateLimited,
    ServerFault,
    Unauthorized,
    UnreadableAnswer,
)
from cloud_history.jobs.job import Job
from cloud_history.jobs.status import JobStatus
from cloud_history.secret import HIDDEN, Secret
from cloud_history.sentences import SENTENCES
from support.fake_history_client import NOON

JOB = "01234567-89ab-cdef-0123-456789abcdef"
OTHER = "fedcba98-7654-3210-fedc-ba9876543210"
KEY = "comfyui-unit-protocol-0123456789abcdef"


def answer(status: int, body: object = b"", kind: str = "application/json", **more: object) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, raw, kind, **more)  # type: ignore[arg-type]


def error(status: int, body: object = b"", kind: str = "application/json", **more: object) -> CloudResponseError:
    found = protocol.error_of(answer(status, body, kind, **more))
    assert found is not None
    return found


SAYS = "The cloud's own words."
TABLE: list[tuple[int, object, type[CloudResponseError], str, str, str]] = [
    # status, body, class, our code, the cloud's code, the cloud's words
    (400, {"code": "bad_cursor", "message": SAYS}, BadRequest, "bad_request", "bad_cursor", SAYS),
    (401, {"message": SAYS}, Unauthorized, "unauthorized", "", SAYS),
    (401, {"code": "UNAUTHORIZED", "message": SAYS}, Unauthorized, "unauthorized", "UNAUTHORIZED", SAYS),
    (402, {"message": SAYS}, PlanRefused, "subscription_inactive", "", SAYS),
    (402, b"", PlanRefused, "subscription_inactive", "", ""),
    (
        402,
        {"code": "insufficient_credits", "message": SAYS},
        InsufficientCredits,
        "insufficient_credits",
        "insufficient_credits",
        SAYS,
    ),
    (
        403,
        {"error": {"message": SAYS, "type": "auth_type_not_allowed"}, "accepted": ["session"]},
        Forbidden,
        "forbidden",
        "auth_type_not_allowed",
        SAYS,
    ),
    (
        403,
        {"code": "sso_required", "message": SAYS, "organization_id": "o"},
        Forbidden,
        "forbidden",
        "sso_required",
        SAYS,
    ),
    (404, {"error": {"code": "not_found", "message": SAYS}}, NotFound, "not_found", "not_found", SAYS),
    (404, {"error": SAYS}, NotFound, "not_found", "", SAYS),
    (400, {"detail": SAYS}, BadRequest, "bad_request", "", SAYS),
    (409, {"code": "ASSET_IN_USE", "message": SAYS}, BadRequest, "bad_request", "ASSET_IN_USE", SAYS),
    (
        400,
        {"error": {"type": "prompt_no_outputs", "message": SAYS, "details": ""}, "node_errors": {}},
        BadRequest,
        "bad_request",
        "prompt_no_outputs",
        SAYS,
    ),
    (
        500,
        {"error": {"code": "internal", "message": SAYS, "details": {"at": 1}}},
        ServerFault,
        "server_fault",
        "internal",
        SAYS,
    ),
    (503, SAYS.encode(), ServerFault, "server_fault", "", SAYS),
    (502, b"", ServerFault, "server_fault", "", ""),
    (504, {}, ServerFault, "server_fault", "", ""),
    (400, {"open": "object"}, BadRequest, "bad_request", "", ""),
    (400, {"code": 7, "message": {"deep": [SAYS]}}, BadRequest, "bad_request", "", ""),
    (400, [SAYS], BadRequest, "bad_request", "", ""),
    (400, b"null", BadRequest, "bad_request", "", ""),
    (400, b'{"message": "cut he', BadRequest, "bad_request", "", ""),
    (401, b"\xff\xfe\x00", Unauthorized, "unauthorized", "", "\ufffd\ufffd"),
    (429, {"message": SAYS}, RateLimited, "rate_limited", "", SAYS),
    (429, {"code": "QUEUE_LIMIT", "message": SAYS}, RateLimited, "rate_limited", "QUEUE_LIMIT", SAYS),
    (
        429,
        {"error": {"type": "FREE_TIER_UNAVAILABLE", "message": SAYS}},
        RateLimited,
        "rate_limited",
        "FREE_TIER_UNAVAILABLE",
        SAYS,
    ),
    (429, {"error": SAYS}, RateLimited, "rate_limited", "", SAYS),
    (501, {"message": SAYS}, ApiMovedOn, "api_moved_on", "", SAYS),
    (418, {"message": SAYS}, BadRequest, "bad_request", "", SAYS),
    (407, {"message": SAYS}, NotComfyCloud, "not_comfy_cloud", "", SAYS),
]


@pytest.mark.parametrize(("status", "body", "kind", "code", "cloud_code", "says"), TABLE, ids=str)
def test_every_known_error_shape_is_read(
    status: int, body: object, kind: type[CloudResponseError], code: str, cloud_code: str, says: str
) -> None:
    found = error(status, body)
    assert (type(found), found.status, found.code) == (kind, status, code)
    assert (found.cloud_code, found.cloud_says, found.retry_after) == (cloud_code, says, None)
    assert found.hint
    assert found.message.startswith(SENTENCES[found.sentence].message)
    assert str(status) in found.message
    assert (says in found.message) if says else ("says" not in found.message)
    assert str(found) == f"{found.message} {found.hint}"


def test_a_429_with_retry_after_is_a_rate_limit_with_its_seconds() -> None:
    found = error(429, {"message": SAYS}, retry_after=17.0)
    assert (type(found), found.code, found.retry_after) == (RateLimited, "rate_limited", 17.0)
    assert "17 s" in found.hint
    assert "17 s" in str(found)


@pytest.mark.parametrize("status", [402, 429])
@pytest.mark.parametrize("retry_after", [None, 2.0])
@pytest.mark.parametrize("kind", PLAN_REFUSALS)
@pytest.mark.parametrize("place", ["type", "code", "outer code", "flat type", "small letters", "beside a code"])
def test_a_plan_refusal_is_recognised_in_every_error_shape_and_says_what_the_plan_lacks(
    status: int, retry_after: float | None, kind: str, place: str
) -> None:
    body = {
        "type": {"error": {"type": kind, "message": SAYS}},
        "code": {"error": {"code": kind, "message": SAYS}},
        "outer code": {"code": kind, "message": SAYS},
        "flat type": {"type": kind, "message": SAYS},
        "small letters": {"error": {"type": kind.lower(), "message": SAYS}},
        "beside a code": {"error": {"code": "forbidden", "type": kind, "message": SAYS}},
    }[place]
    found = error(status, body, retry_after=retry_after)
    assert (type(found), found.cloud_code) == (PlanRefused, kind)
    said = SENTENCES[kind.lower()].message
    assert found.message == f"{said} Comfy Cloud says: “{SAYS}” ({status})"
    assert said.rstrip(".") in found.short
    assert "subscription inactive" not in str(found).lower()
    assert "again" not in str(found)
    assert found.meets_all


def test_a_rate_limit_mentions_neither_a_subscription_nor_missing_seconds() -> None:
    found = error(429, b"Rate limit exceeded", "text/plain")
    assert (type(found), found.retry_after) == (RateLimited, None)
    assert "ubscription" not in str(found)
    assert "plan" not in str(found)
    assert found.hint == "Comfy Cloud asks to wait. Try again in a minute."


@pytest.mark.parametrize("status", [404, 405, 410, 501])
@pytest.mark.parametrize("body", [{"message": SAYS}, b"", b"<!doctype html><title>404</title>"], ids=str)
def test_the_error_for_a_removed_deletion_route_asks_to_update_and_not_to_wait(status: int, body: object) -> None:
    found = error(status, body, path="/api/history")
    assert type(found) is ApiMovedOn
    assert "look for a newer version" in str(found)
    assert "again" not in str(found).replace("against", "")
    assert (found.may_have_worked, found.meets_all) == (False, True)


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/api/jobs", 410, ApiMovedOn),
        ("/api/jobs", 501, ApiMovedOn),
        ("/api/jobs", 404, NotFound),
        (f"/api/jobs/{JOB}", 404, NotFound),
        (f"/api/jobs/{JOB}", 410, BadRequest),
        (f"/api/jobs/{JOB}", 501, ApiMovedOn),
        ("/api/history", 500, ServerFault),
        ("/api/history", 403, Forbidden),
    ],
)
def test_a_status_means_a_missing_route_only_if_the_answer_is_about_the_route(
    path: str, status: int, kind: type[CloudResponseError]
) -> None:
    assert type(error(status, {"message": SAYS}, path=path)) is kind


@pytest.mark.parametrize("status", [100, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_never_a_success_and_its_target_is_never_quoted(status: int) -> None:
    found = error(status, {"message": "go elsewhere"})
    assert (type(found), found.cloud_says) == (NotComfyCloud, "")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, NotComfyCloud),
        (401, NotComfyCloud),
        (403, NotComfyCloud),
        (404, NotComfyCloud),
        (429, RateLimited),
        (500, ServerFault),
        (502, ServerFault),
    ],
)
@pytest.mark.parametrize("declared", ["text/html; charset=utf-8", "TEXT/HTML", "text/plain"])
def test_a_web_page_is_never_a_success_and_never_quoted(
    status: int, kind: type[CloudResponseError], declared: str
) -> None:
    found = error(status, b"\n<!DOCTYPE html><html><title>Sign in</title></html>", declared)
    assert (type(found), found.cloud_says) == (kind, "")
    assert "Sign in" not in str(found)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_raises_no_error(status: int) -> None:
    assert protocol.error_of(answer(status)) is None


def test_a_truncated_success_is_unreadable() -> None:
    assert type(error(200, b'{"jobs": []', whole=False)) is UnreadableAnswer


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"jobs": 1}', b"\xff", b"[" * 100_000],
    ids=lambda b: b[:9],
)
def test_a_malformed_list_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableAnswer) as caught:
        protocol.read_jobs_page(answer(200, body), EVERY_JOB, NOON)
    assert caught.value.status == 200
    # The exception of the json module contains the whole answer.
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}", b'{"status": 1}', b"\xff", b"[" * 10])
def test_a_malformed_answer_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableAnswer):
        protocol.read_json(answer(200, body), "user")


@pytest.mark.parametrize("levels", [20_000, 100_000])
def test_the_error_for_a_deeply_nested_answer_does_not_quote_it(levels: int) -> None:
    body = b'{"id": ' + b"[" * levels + b"]" * levels + b"}"
    with pytest.raises(NestedTooDeeply) as caught:
        protocol.read_json(answer(200, body), "job_detail")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_a_page_has_its_jobs_and_its_position_in_the_list() -> None:
    rows: list[object] = [
        {"id": JOB, "status": "completed"},
        {"id": "no id"},
        7,
        {"id": OTHER, "status": "new"},
    ]
    pagination = {"offset": 0, "limit": None, "total": 40, "has_more": True, "next_cursor": "c"}
    page = protocol.read_jobs_page(answer(200, {"pagination": pagination, "jobs": rows, "more": 1}), EVERY_JOB, NOON)
    assert page.job_ids == list(page.kept) == [JOB, OTHER]
    assert [job.status for job in page.kept.values()] == [JobStatus.COMPLETED, JobStatus.UNKNOWN]
    assert (page.received, page.total, page.has_more, page.next_cursor) == (4, 40, True, "c")


def test_only_requested_rows_of_a_page_are_returned_and_every_id_is_counted() -> None:
    rows = [{"id": JOB, "status": "failed"}, {"id": OTHER.upper(), "status": "completed"}, {"id": "no id"}]
    made: list[str] = []

    def status(job: Job) -> str | None:
        made.append(job.id)
        return None if job.status is JobStatus.FAILED else job.status.value

    def read(mapper: RowMapper[str]) -> Page[str]:
        return protocol.read_jobs_page(answer(200, {"jobs": rows}), mapper, NOON)

    page = read(RowMapper(status))
    assert (page.job_ids, page.kept, page.received) == ([JOB, OTHER], {OTHER: "completed"}, 3)
    assert made == [JOB, OTHER]
    page = read(RowMapper(status, {JOB}))
    assert (page.job_ids, page.kept, page.received) == ([JOB, OTHER], {}, 3)
    assert made == [JOB, OTHER, JOB]


def test_the_first_row_wins_if_a_page_lists_a_job_twice() -> None:
    rows = [{"id": JOB, "status": "failed"}, {"id": JOB, "status": "completed"}]
    page = protocol.read_jobs_page(answer(200, {"jobs": rows}), EVERY_JOB, NOON)
    assert (page.job_ids, page.received) == ([JOB, JOB], 2)
    assert [job.status for job in page.kept.values()] == [JobStatus.FAILED]


@pytest.mark.parametrize("total", [None, True, -1, 2.0, "2", [2]])
@pytest.mark.parametrize("more", [{}, {"next_cursor": None}, {"next_cursor": 7}])
def test_an_unusable_pagination_is_ignored(total: object, more: dict[str, object]) -> None:
    page = protocol.read_jobs_page(answer(200, {"jobs": [], "pagination": {"total": total, **more}}), EVERY_JOB, NOON)
    assert (page.received, page.total, page.has_more, page.next_cursor) == (0, None, None, "")
    odd = protocol.read_jobs_page(answer(200, {"jobs": [], "pagination": [total]}), EVERY_JOB, NOON)
    assert (odd.total, odd.has_more) == (None, None)


def test_a_read_raises_the_error_that_the_answer_describes() -> None:
    with pytest.raises(Unauthorized):
        protocol.read_json(answer(401, {"message": SAYS}), "user")
    with pytest.raises(ServerFault):
        protocol.read_jobs_page(answer(500), EVERY_JOB, NOON)


def test_control_and_direction_characters_in_server_messages_are_not_shown() -> None:
    found = error(400, {"message": "a\x00b\x1b[31mc\r\nd\u202ee\u2066f\x9bg\u200fh\x7f"})
    assert found.cloud_says == "a b [31mc d e f g h"


def test_server_messages_are_cut_at_1000_characters_and_server_codes_at_100() -> None:
    found = error(400, {"code": "c" * 5000, "message": "é" * 5000})
    assert found.cloud_says == "é" * 1000
    assert found.cloud_code == "c" * 100
    assert len(error(503, b"x" * 1_000_000, "text/plain").cloud_says) == 1000


@pytest.mark.parametrize("before", [0, 960, 980, 999, 3990])
@pytest.mark.parametrize("shape", ["message", "code", "text"])
def test_the_key_is_removed_from_server_messages_wherever_it_is(before: int, shape: str) -> None:
    Secret(KEY)
    text = "x" * before + KEY + " tail"
    body = text.encode() if shape == "text" else {shape: text}
    found = error(401, body, "text/plain" if shape == "text" else "application/json")
    for shown in (found.cloud_says, found.cloud_code, str(found), repr(found), repr(found.args)):
        assert KEY[:12] not in shown
    if before == 0:
        assert HIDDEN in found.cloud_says + found.cloud_code
