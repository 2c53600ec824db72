"""Building requests and reading answers, without a socket."""

from __future__ import annotations

import ast
import inspect
import json
from importlib.resources import files
from typing import get_type_hints
from urllib.parse import parse_qsl, urlsplit

import pytest

from cloud_history import protocol
from cloud_history.errors import (
    BadRequest,
    CloudResponseError,
    Forbidden,
    InsufficientCredits,
    NotComfyCloud,
    NotFound,
    RateLimited,
    SchemaMismatch,
    ServerFault,
    SubscriptionInactive,
    Unauthorized,
    UnreadableAnswer,
)
from cloud_history.models import ACTIVE, JobStatus
from cloud_history.protocol import Answer, Repeat, Request
from cloud_history.secret import HIDDEN, Secret

JOB = "01234567-89ab-cdef-0123-456789abcdef"
OTHER = "fedcba98-7654-3210-fedc-ba9876543210"
KEY = "comfyui-unit-protocol-0123456789abcdef"
PROTOCOL_FILE = files("cloud_history") / "protocol.py"


def answer(status: int, body: object = b"", kind: str = "application/json", **more: object) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, raw, kind, **more)  # type: ignore[arg-type]


def error(
    status: int, body: object = b"", kind: str = "application/json", **more: object
) -> CloudResponseError:
    found = protocol.error_of(answer(status, body, kind, **more))
    assert found is not None
    return found


# What can be sent


def requests_that_can_be_built() -> dict[str, Request]:
    samples = {
        "delete_history": lambda: protocol.delete_history([JOB]),
        "clear_history": protocol.clear_history,
        "list_jobs": lambda: protocol.list_jobs(ACTIVE, limit=1),
        "get_user": protocol.get_user,
    }
    builders = {
        name
        for name, each in vars(protocol).items()
        if inspect.isfunction(each)
        and not name.startswith("_")
        and get_type_hints(each).get("return") is Request
    }
    assert builders == set(samples), "a new builder needs a sample here, and a place in the allow-list"
    return {name: make() for name, make in samples.items()}


def test_only_these_methods_and_paths_can_be_built() -> None:
    built = {(each.method, each.path, each.repeat) for each in requests_that_can_be_built().values()}
    assert built == {
        ("POST", "/api/history", Repeat.DELETE),
        ("POST", "/api/history", Repeat.CLEAR),
        ("GET", "/api/jobs", Repeat.READ),
        ("GET", "/api/user", Repeat.READ),
    }


def test_requests_are_made_in_protocol_alone_and_their_paths_are_literals() -> None:
    for file in files("cloud_history").iterdir():
        if not file.name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Request", "protocol.Request"):
                assert file.name == "protocol.py", ast.unparse(node)
                path = node.args[1]
                assert isinstance(path, ast.Constant), ast.unparse(node)
                assert path.value in ("/api/history", "/api/jobs", "/api/user")


def test_a_delete_carries_exactly_its_ids_as_compact_json() -> None:
    request = protocol.delete_history([OTHER, JOB])
    assert request.body == f'{{"delete":["{OTHER}","{JOB}"]}}'.encode()
    assert request.target == "/api/history"


def test_a_clear_carries_exactly_one_member() -> None:
    assert protocol.clear_history().body == b'{"clear":true}'


@pytest.mark.parametrize("ids", [[], [JOB, JOB], [JOB.upper()], ["x"], [JOB] * 101, [""]], ids=str)
def test_a_delete_of_anything_but_1_to_100_distinct_ids_cannot_be_built(ids: list[str]) -> None:
    with pytest.raises(SchemaMismatch):
        protocol.delete_history(ids)


@pytest.mark.parametrize("read", ["list_jobs", "get_user"])
def test_a_read_has_no_body(read: str) -> None:
    assert requests_that_can_be_built()[read].body is None


def test_a_page_of_jobs_is_asked_for_with_its_statuses_limit_and_place() -> None:
    def query(request: Request) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(request.target).query, strict_parsing=True))

    first = protocol.list_jobs((JobStatus.COMPLETED, JobStatus.FAILED), limit=1000)
    assert query(first) == {"status": "completed,failed", "limit": "1000"}
    assert query(protocol.list_jobs(ACTIVE, limit=5, offset=10))["offset"] == "10"
    both = query(protocol.list_jobs(ACTIVE, limit=5, offset=10, after="c"))
    assert both == {"status": "pending,in_progress", "limit": "5", "after": "c"}


@pytest.mark.parametrize("cursor", ["a&clear=1", "a#b", "a/../history", "a b\r\nX: y", "é%2F?x=1"])
def test_a_cursor_from_the_server_cannot_leave_its_place_in_the_query(cursor: str) -> None:
    parts = urlsplit(f"https://cloud.example{protocol.list_jobs(ACTIVE, limit=1, after=cursor).target}")
    assert (parts.path, parts.fragment) == ("/api/jobs", "")
    assert dict(parse_qsl(parts.query)) == {"status": "pending,in_progress", "limit": "1", "after": cursor}
    assert parts.query.isascii()


# What comes back

SAYS = "The cloud's own words."
TABLE: list[tuple[int, object, type[CloudResponseError], str, str, str]] = [
    # status, body, class, our code, the cloud's code, the cloud's words
    (400, {"code": "bad_cursor", "message": SAYS}, BadRequest, "bad_request", "bad_cursor", SAYS),
    (401, {"message": SAYS}, Unauthorized, "unauthorized", "", SAYS),
    (401, {"code": "UNAUTHORIZED", "message": SAYS}, Unauthorized, "unauthorized", "UNAUTHORIZED", SAYS),
    (402, {"message": SAYS}, InsufficientCredits, "insufficient_credits", "", SAYS),
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
    (429, {"message": SAYS}, SubscriptionInactive, "subscription_inactive", "", SAYS),
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
    assert found.message.startswith(kind.says_what)
    assert str(status) in found.message
    assert (says in found.message) if says else ("says" not in found.message)
    assert str(found) == f"{found.message} {found.hint}"


def test_429_with_retry_after_is_a_rate_limit_that_says_how_long() -> None:
    found = error(429, {"message": SAYS}, retry_after=17.0)
    assert (type(found), found.code, found.retry_after) == (RateLimited, "rate_limited", 17.0)
    assert "17 s" in found.hint
    assert "17 s" in str(found)


@pytest.mark.parametrize("status", [100, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_never_a_success_nor_quoted(status: int) -> None:
    found = error(status, {"message": "go elsewhere"})
    assert (type(found), found.cloud_says) == (NotComfyCloud, "")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, NotComfyCloud),
        (401, NotComfyCloud),
        (403, NotComfyCloud),
        (404, NotComfyCloud),
        (429, SubscriptionInactive),
        (500, ServerFault),
        (502, ServerFault),
    ],
)
@pytest.mark.parametrize("declared", ["text/html; charset=utf-8", "TEXT/HTML", "text/plain"])
def test_a_web_page_is_never_a_success_nor_quoted(
    status: int, kind: type[CloudResponseError], declared: str
) -> None:
    found = error(status, b"\n<!DOCTYPE html><html><title>Sign in</title></html>", declared)
    assert (type(found), found.cloud_says) == (kind, "")
    assert "Sign in" not in str(found)


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_is_no_error(status: int) -> None:
    assert protocol.error_of(answer(status)) is None
    protocol.read_accepted(answer(status))


def test_a_success_that_was_cut_is_unreadable() -> None:
    assert type(error(200, b'{"jobs": []', whole=False)) is UnreadableAnswer


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"jobs": 1}', b"\xff", b"[" * 100_000],
    ids=lambda b: b[:9],
)
def test_a_list_that_is_not_what_it_should_be_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableAnswer) as caught:
        protocol.read_json(answer(200, body), "jobs_page")
    assert caught.value.status == 200


def test_a_read_raises_the_error_an_answer_means() -> None:
    with pytest.raises(Unauthorized):
        protocol.read_json(answer(401, {"message": SAYS}), "user")
    with pytest.raises(ServerFault):
        protocol.read_accepted(answer(500))


def test_control_and_direction_characters_of_the_server_are_not_shown() -> None:
    found = error(400, {"message": "a\x00b\x1b[31mc\r\nd\u202ee\u2066f\x9bg\u200fh\x7f"})
    assert found.cloud_says == "a b [31mc d e f g h"


def test_the_words_of_the_server_are_cut_at_1000_characters_and_its_code_at_100() -> None:
    found = error(400, {"code": "c" * 5000, "message": "é" * 5000})
    assert found.cloud_says == "é" * 1000
    assert found.cloud_code == "c" * 100
    assert len(error(503, b"x" * 1_000_000, "text/plain").cloud_says) == 1000


@pytest.mark.parametrize("before", [0, 960, 980, 999, 3990])
@pytest.mark.parametrize("shape", ["message", "code", "text"])
def test_the_key_is_scrubbed_from_the_words_of_the_server_wherever_it_stands(before: int, shape: str) -> None:
    Secret(KEY)
    text = "x" * before + KEY + " tail"
    body = text.encode() if shape == "text" else {shape: text}
    found = error(401, body, "text/plain" if shape == "text" else "application/json")
    for shown in (found.cloud_says, found.cloud_code, str(found), repr(found), repr(found.args)):
        assert KEY[:12] not in shown
    if before == 0:
        assert HIDDEN in found.cloud_says + found.cloud_code
