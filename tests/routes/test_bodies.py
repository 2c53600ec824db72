"""What a changing route takes as a body: one small JSON object with the members it knows, declared as JSON."""

from __future__ import annotations

import gzip
import json

import pytest

from routes.places import CHANGING, EMPTY, LARGE
from routes.stage import Answer, Stage

LARGEST = 64 * 1024
LARGEST_WITH_IDS = 8 * 1024 * 1024


async def refused_by_all(
    stage: Stage, status: int, body: bytes | None = None, **options: str | None
) -> list[Answer]:
    """Send it to every changing route: each refuses it with this status, and nothing has happened."""
    before = stage.kept_files()
    answers = []
    for route in CHANGING:
        headers = {name.replace("_", "-"): value for name, value in options.items()}
        answer = await stage.ask(route, ... if body is None else body, headers=headers)
        assert answer.status == status, (route, answer)
        assert set(answer.json["error"]) >= {"code", "message", "hint", "status", "retry_after"}
        assert answer.json["error"]["message"]
        answers.append(answer)
    assert stage.cloud.requests == []
    assert stage.kept_files() == before
    assert (await stage.ask("clear")).status == 200, "the token was used up by a request that was refused"
    return answers


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "text/plain; charset=utf-8",
        "text/plain; x=application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=application/json",
        "application/octet-stream",
        "text/json",
        "application/json-patch+json",
        "application/jsonx",
        "application/*",
        "text/plain, application/json",
        "application/json, text/plain",
    ],
)
async def test_a_body_that_a_form_could_send_is_refused(target: Stage, content_type: str | None) -> None:
    for answer in await refused_by_all(target, 415, Content_Type=content_type):
        assert answer.code == "refused"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
async def test_json_declared_in_other_words_is_taken(target: Stage, content_type: str) -> None:
    assert (await target.ask("preview", headers={"Content-Type": content_type})).status == 200


async def test_a_form_of_a_web_page_gets_nowhere(target: Stage) -> None:
    form = b'{"clear":true,"x":"="}'
    await refused_by_all(target, 415, form, Content_Type="text/plain", Origin="http://{own}")


async def test_bytes_that_are_no_utf_8_are_refused_whatever_the_charset_says(target: Stage) -> None:
    for charset in ("utf-8", "latin-1", "utf-7", "nonsense"):
        declared = f"application/json; charset={charset}"
        for answer in await refused_by_all(target, 400, b'{"clear": "\xff\xfe"}', Content_Type=declared):
            assert answer.code == "invalid_request"
        target.cloud.add_job("completed")
        target.token = (await target.preview())["token"]
        target.cloud.requests.clear()


async def test_a_body_of_the_largest_size_is_read_and_one_byte_more_is_not(target: Stage) -> None:
    body = b'{"clear": true}'
    fits = await target.ask("preview", body + b" " * (LARGEST_WITH_IDS - len(body)))
    assert fits.status == 200
    target.cloud.requests.clear()
    for route in CHANGING:
        most = LARGEST_WITH_IDS if route in LARGE else LARGEST
        answer = await target.ask(route, body + b" " * (most + 1 - len(body)))
        assert (answer.status, answer.code) == (413, "refused")
    assert target.cloud.requests == []


async def test_a_large_body_in_chunks_is_refused_too(target: Stage) -> None:
    chunk = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
    for route in CHANGING:
        answer = await target.ask(
            route,
            headers={"Content-Length": None, "Transfer-Encoding": "chunked"},
            wire=chunk * (520 if route in LARGE else 5) + b"0\r\n\r\n",
        )
        assert answer.status == 413
    assert target.cloud.requests == []


async def test_a_body_in_chunks_is_read_like_any_other(target: Stage) -> None:
    headers = {"Content-Length": None, "Transfer-Encoding": "chunked"}
    wire = b'8\r\n{"clear"\r\n7\r\n: true}\r\n0\r\n\r\n'
    assert (await target.ask("preview", headers=headers, wire=wire)).status == 200


@pytest.mark.parametrize("length", [LARGEST_WITH_IDS + 1, 10**11, 2**62])
async def test_a_body_announced_as_huge_is_refused_before_it_comes(target: Stage, length: int) -> None:
    for route in CHANGING:
        answer = await target.ask(route, b"", headers={"Content-Length": str(length)})
        assert answer.status == 413
        assert answer.code == "refused"
    assert target.cloud.requests == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "-1"},
        {"Content-Length": "9" * 30},
        {"Content-Length": ["2", "3"]},
        {"Content-Length": "2", "Transfer-Encoding": "chunked"},
        {"Transfer-Encoding": "chunked", "Content-Length": None},
    ],
)
async def test_a_body_that_cannot_be_framed_is_refused(target: Stage, headers: dict[str, str]) -> None:
    before = target.kept_files()
    for route in CHANGING:
        answer = await target.ask(route, headers=headers, wire=b"zz\r\n{}\r\n")
        assert answer.status == 400
        assert "Traceback" not in answer.text
    assert target.cloud.requests == []
    assert target.kept_files() == before


async def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(target: Stage) -> None:
    bomb = gzip.compress(b'{"clear": true}' + b" " * 20_000_000)
    assert len(bomb) < LARGEST
    before = target.kept_files()
    for route in CHANGING:
        answer = await target.ask(route, bomb, headers={"Content-Encoding": "gzip"})
        assert answer.status in (413, 415)
    assert target.cloud.requests == []
    assert target.kept_files() == before


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_cannot_be_unpacked_is_the_callers_fault(target: Stage, encoding: str) -> None:
    for route in CHANGING:
        answer = await target.ask(route, b"not packed at all", headers={"Content-Encoding": encoding})
        assert answer.status in (400, 415), answer
    assert target.cloud.requests == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"\x00",
        b"null",
        b"true",
        b"1",
        b'"clear"',
        b"[]",
        b'[{"clear": true}]',
        b"{",
        b"{}{}",
        b'{"clear": true',
        b"{'clear': true}",
        b'{"clear": true,}',
        b"clear=true",
        b'{"a": ' * 9_000 + b"1" + b"}" * 9_000,
        b"[" * 60_000,
        b'{"clear": ' + b"9" * 60_000 + b"}",
        b'{"clear": NaN}',
        b'{"clear": 1e999}',
    ],
    ids=lambda body: body[:16].decode("latin-1"),
)
async def test_a_body_that_is_no_json_object_of_the_right_form_is_refused(target: Stage, body: bytes) -> None:
    for answer in await refused_by_all(target, 400, body):
        assert answer.code == "invalid_request"


def _with(stage: Stage, route: str, more: bytes) -> bytes:
    honest = stage.honest_body(route).rstrip(b"}")
    return honest + (b", " if honest != b"{" else b"") + more + b"}"


@pytest.mark.parametrize(
    "more",
    [b'"delete": ["a"]', b'"__proto__": {}', b'"base_url": "http://evil.example"', b'"": 1', b'"Clear": 1'],
)
async def test_a_member_nobody_knows_is_refused_and_not_repeated(target: Stage, more: bytes) -> None:
    before = target.kept_files()
    for route in CHANGING:
        answer = await target.ask(route, _with(target, route, more))
        assert answer.status == 400
        assert answer.code == "invalid_request"
        assert "evil.example" not in answer.text
        assert "proto" not in answer.text
    assert target.cloud.requests == []
    assert target.kept_files() == before


@pytest.mark.parametrize(
    ("route", "member", "other"),
    [
        ("save_key", "api_key", '"comfyui-x"'),
        ("save_key", "unchecked", "false"),
        ("preview", "clear", "true"),
        ("preview", "clear", "false"),
        ("clear", "token", '"x"'),
        ("dismiss", "operation", '"x"'),
        ("dismiss_hold", "hold", '"x"'),
        ("undo", "hold", '"x"'),
        ("stop", "operation", '"x"'),
        ("delete", "token", '"x"'),
        ("settings", "hold_seconds", "5"),
        ("cancel", "ids", "[]"),
        ("jobs", "filter", "{}"),
        ("ask_seen", "question", '"x"'),
        ("ask_answer", "token", '"x"'),
        ("ask_answer", "answer", '"delete"'),
        ("ask_answer", "always", "true"),
    ],
)
async def test_a_member_that_stands_twice_is_refused(
    target: Stage, route: str, member: str, other: str
) -> None:
    for body in (
        _with(target, route, f'"{member}": {other}'.encode()),
        b'{"%s": %s, ' % (member.encode(), other.encode()) + target.honest_body(route)[1:],
    ):
        answer = await target.ask(route, body)
        assert (answer.status, answer.code) == (400, "invalid_request")
    assert target.cloud.requests == []


@pytest.mark.parametrize(
    ("route", "member", "kind"),
    [
        ("save_key", "api_key", str),
        ("save_key", "unchecked", bool),
        ("preview", "clear", bool),
        ("clear", "token", str),
        ("preview", "ids", list),
        ("preview", "filter", dict),
        ("dismiss", "operation", str),
        ("dismiss_hold", "hold", str),
        ("undo", "hold", str),
        ("stop", "operation", str),
        ("delete", "token", str),
        ("settings", "hold_seconds", int),
        ("cancel", "ids", list),
        ("jobs", "filter", dict),
        ("ask_seen", "question", str),
        ("ask_seen", "token", str),
        ("ask_answer", "question", str),
        ("ask_answer", "token", str),
        ("ask_answer", "answer", str),
        ("ask_answer", "always", bool),
    ],
)
@pytest.mark.parametrize("value", [None, 0, 1, 1.0, -1, [], ["x"], {}, {"x": 1}, "true", "", True])
async def test_a_member_of_another_type_is_refused(
    target: Stage, route: str, member: str, kind: type, value: object
) -> None:
    if type(value) is kind:
        value = {"nested": value}
    before = target.kept_files()
    body = {**json.loads(target.honest_body(route)), member: value}
    answer = await target.ask(route, body)
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert target.cloud.requests == []
    assert target.kept_files() == before


@pytest.mark.parametrize("route", [each for each in CHANGING if each not in (*EMPTY, "jobs")])
async def test_an_empty_object_asks_for_nothing(target: Stage, route: str) -> None:
    answer = await target.ask(route, {})
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert target.cloud.requests == []


async def test_only_a_true_clear_can_be_previewed(target: Stage) -> None:
    answer = await target.ask("preview", {"clear": False})
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert target.cloud.requests == []
