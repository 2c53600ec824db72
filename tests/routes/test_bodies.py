"""The body of a changing route: one small JSON object with known fields, declared as JSON.

One target receives many bodies in turn. Each test checks that the target has not changed.
"""

from __future__ import annotations

import gzip
import json
import uuid

from support.route_places import CHANGING, EMPTY, LARGE
from support.route_stage import OTHER_KEY, Answer, Stage

LEAKS = ("Traceback", 'File "', ".py", "cloud_history/", "Error(", "object at 0x")
MAX_BODY_BYTES = 64 * 1024
MAX_BODY_BYTES_WITH_IDS = 8 * 1024 * 1024


def shows_nothing(stage: Stage, answer: Answer) -> None:
    """Check that the answer contains no key and no internal details."""
    for leak in (*LEAKS, str(stage.folder), stage.cloud.api_key, OTHER_KEY):
        assert leak not in answer.text, answer


async def refused_by_all(stage: Stage, status: int, body: bytes | None = None, **options: str | None) -> list[Answer]:
    """Check that every changing route refuses this body with this status, and that nothing changed.

    Make a new preview afterwards, because each test confirms one.
    """
    before, what = stage.kept_files(), (body and body[:40], options)
    answers = []
    for route in CHANGING:
        headers = {name.replace("_", "-"): value for name, value in options.items()}
        answer = await stage.ask(route, ... if body is None else body, headers=headers)
        assert answer.status == status, (what, route, answer)
        assert set(answer.json["error"]) >= {"code", "message", "hint", "status", "retry_after"}, (
            what,
            route,
        )
        assert answer.json["error"]["message"], (what, route)
        shows_nothing(stage, answer)
        answers.append(answer)
    assert stage.cloud.requests == [], what
    assert stage.kept_files() == before, what
    confirmed = await stage.ask("clear")
    assert confirmed.status == 200, f"the token was used up by a request that was refused: {what}"
    stage.cloud.add_job("completed")
    stage.token = (await stage.preview())["token"]
    stage.cloud.requests.clear()
    return answers


async def refused(stage: Stage, route: str, body: object) -> None:
    """Check that this route refuses this body, and that nothing changed."""
    before = stage.kept_files()
    answer = await stage.ask(route, body)
    assert answer.status == 400, (route, body, answer)
    assert answer.code == "invalid_request", (route, body)
    shows_nothing(stage, answer)
    assert stage.cloud.requests == [], (route, body)
    assert stage.kept_files() == before, (route, body)


async def test_a_body_that_a_form_could_send_is_refused(target: Stage) -> None:
    for content_type in (
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
    ):
        for answer in await refused_by_all(target, 415, Content_Type=content_type):
            assert answer.code == "refused", content_type


async def test_a_json_content_type_with_other_spelling_is_accepted(target: Stage) -> None:
    for content_type in ("application/json; charset=utf-8", "Application/JSON"):
        answer = await target.ask("preview", headers={"Content-Type": content_type})
        assert answer.status == 200, content_type


async def test_a_form_sent_by_a_web_page_is_refused(target: Stage) -> None:
    form = b'{"clear":true,"x":"="}'
    await refused_by_all(target, 415, form, Content_Type="text/plain", Origin="http://{own}")


async def test_a_body_that_is_not_utf_8_is_refused_with_any_declared_charset(target: Stage) -> None:
    for charset in ("utf-8", "latin-1", "utf-7", "nonsense"):
        declared = f"application/json; charset={charset}"
        for answer in await refused_by_all(target, 400, b'{"clear": "\xff\xfe"}', Content_Type=declared):
            assert answer.code == "invalid_request", charset


async def test_a_body_of_the_largest_size_is_read_and_one_byte_more_is_not(target: Stage) -> None:
    body = b'{"clear": true}'
    fits = await target.ask("preview", body + b" " * (MAX_BODY_BYTES_WITH_IDS - len(body)))
    assert fits.status == 200
    target.cloud.requests.clear()
    for route in CHANGING:
        most = MAX_BODY_BYTES_WITH_IDS if route in LARGE else MAX_BODY_BYTES
        answer = await target.ask(route, body + b" " * (most + 1 - len(body)))
        assert (answer.status, answer.code) == (413, "refused")
    assert target.cloud.requests == []


async def test_a_body_of_millions_of_lists_is_refused_before_it_is_read(target: Stage) -> None:
    body = b'{"ids": [' + b"[]," * 2_500_000 + b"[]]}"
    answer = await target.ask("preview", body)
    assert (answer.status, answer.json["error"]["message"]) == (400, "The request body is nested too deeply.")


async def test_a_list_of_many_ids_is_read_completely(target: Stage) -> None:
    ids = [str(uuid.UUID(int=number, version=4)) for number in range(20_000)]
    answer = await target.ask("preview", {"ids": ids})
    assert (answer.status, answer.json["skipped"]["already_gone"]) == (200, 20_000)


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


async def test_a_body_with_a_huge_content_length_is_refused_before_it_is_received(target: Stage) -> None:
    for length in (MAX_BODY_BYTES_WITH_IDS + 1, 10**11, 2**62):
        for route in CHANGING:
            answer = await target.ask(route, b"", headers={"Content-Length": str(length)})
            assert answer.status == 413, (length, route, answer)
            assert answer.code == "refused", (length, route)
        assert target.cloud.requests == [], length


UNFRAMED: tuple[dict[str, str | list[str] | None], ...] = (
    {"Content-Length": "-1"},
    {"Content-Length": "9" * 30},
    {"Content-Length": ["2", "3"]},
    {"Content-Length": "2", "Transfer-Encoding": "chunked"},
    {"Transfer-Encoding": "chunked", "Content-Length": None},
)


async def test_a_body_that_cannot_be_framed_is_refused(target: Stage) -> None:
    before = target.kept_files()
    for headers in UNFRAMED:
        for route in CHANGING:
            answer = await target.ask(route, headers=headers, wire=b"zz\r\n{}\r\n")
            assert answer.status == 400, (headers, route)
            assert "Traceback" not in answer.text, (headers, route)
        assert target.cloud.requests == [], headers
        assert target.kept_files() == before, headers


async def test_a_small_compressed_body_that_expands_beyond_the_limit_is_refused(target: Stage) -> None:
    bomb = gzip.compress(b'{"clear": true}' + b" " * 20_000_000)
    assert len(bomb) < MAX_BODY_BYTES
    before = target.kept_files()
    for route in CHANGING:
        answer = await target.ask(route, bomb, headers={"Content-Encoding": "gzip"})
        assert answer.status in (413, 415)
    assert target.cloud.requests == []
    assert target.kept_files() == before


async def test_a_body_that_cannot_be_decompressed_is_a_client_error(target: Stage) -> None:
    for encoding in ("gzip", "deflate"):
        for route in CHANGING:
            answer = await target.ask(route, b"not packed at all", headers={"Content-Encoding": encoding})
            assert answer.status in (400, 415), (encoding, route, answer)
        assert target.cloud.requests == [], encoding


async def test_a_body_that_is_not_a_valid_json_object_is_refused(target: Stage) -> None:
    for body in (
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
    ):
        for answer in await refused_by_all(target, 400, body):
            assert answer.code == "invalid_request", body[:40]


def _with(stage: Stage, route: str, more: bytes) -> bytes:
    honest = stage.honest_body(route).rstrip(b"}")
    return honest + (b", " if honest != b"{" else b"") + more + b"}"


UNKNOWN = (
    b'"delete": ["a"]',
    b'"__proto__": {}',
    b'"base_url": "http://evil.example"',
    b'"": 1',
    b'"Clear": 1',
)


async def test_an_unknown_field_is_refused_and_not_echoed(target: Stage) -> None:
    before = target.kept_files()
    for more in UNKNOWN:
        for route in CHANGING:
            answer = await target.ask(route, _with(target, route, more))
            assert answer.status == 400, (more, route, answer)
            assert answer.code == "invalid_request", (more, route)
            assert "evil.example" not in answer.text, (more, route)
            assert "proto" not in answer.text, (more, route)
        assert target.cloud.requests == [], more
        assert target.kept_files() == before, more


async def test_a_repeated_field_is_refused(target: Stage) -> None:
    for route, member, other in (
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
        ("ask_question", "question", '"x"'),
        ("ask_seen", "question", '"x"'),
        ("ask_answer", "token", '"x"'),
        ("ask_answer", "answer", '"delete"'),
        ("ask_answer", "always", "true"),
    ):
        first = b'{"%s": %s, ' % (member.encode(), other.encode())
        await refused(target, route, _with(target, route, f'"{member}": {other}'.encode()))
        await refused(target, route, first + target.honest_body(route)[1:])


MEMBERS = (
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
    ("ask_question", "question", str),
    ("ask_seen", "question", str),
    ("ask_seen", "token", str),
    ("ask_answer", "question", str),
    ("ask_answer", "token", str),
    ("ask_answer", "answer", str),
    ("ask_answer", "always", bool),
)


async def test_a_field_of_the_wrong_type_is_refused(target: Stage) -> None:
    for route, member, kind in MEMBERS:
        honest = json.loads(target.honest_body(route))
        for value in (None, 0, 1, 1.0, -1, [], ["x"], {}, {"x": 1}, "true", "", True):
            other = {"nested": value} if type(value) is kind else value
            await refused(target, route, {**honest, member: other})


async def test_an_empty_json_object_is_refused(target: Stage) -> None:
    for route in CHANGING:
        if route not in (*EMPTY, "jobs"):
            await refused(target, route, {})


async def test_only_a_true_clear_can_be_previewed(target: Stage) -> None:
    await refused(target, "preview", {"clear": False})
