"""Only this ComfyUI's own page can use the routes.

One target receives many attacks in turn. Each test checks that the target has not changed.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from cloud_history.routes import request
from support.route_places import ALSO_READ, CHANGING, ROUTES, WITHOUT_HEADER
from support.route_stage import OTHER_KEY, Answer, Stage

Headers = Mapping[str, str | Sequence[str] | None]


CACHING = {"thumbnail": "private, max-age=3600", "words": "no-cache"}
"""The answers that a browser may keep. None of them can be read by another page."""


async def untouched(stage: Stage, headers: Headers, *, server_may_refuse: bool = False) -> list[Answer]:
    """Check that every route refuses this request, and that nothing changed."""
    before = stage.kept_files()
    answers = []
    for route in ROUTES:
        if "X-Cloud-History" in headers and route in WITHOUT_HEADER:
            continue
        answer = await stage.ask(route, headers=headers)
        by_us = answer.status == 403 and answer.code == "refused"
        assert by_us or (server_may_refuse and answer.status == 400), (route, headers, answer)
        assert "Traceback" not in answer.text, (route, headers)
        answers.append(answer)
    assert stage.cloud.requests == [], headers
    assert stage.kept_files() == before, headers
    return answers


async def let_in(stage: Stage, headers: Headers) -> None:
    """Check that every route accepts this request."""
    for route in ROUTES:
        if route == "start_empty":
            stage.damage_protection()
        if route == "start_anew":
            stage.lose_marker()
        if route == "media":
            await stage.issue_ticket()
        answer = await stage.ask(route, headers=headers)
        assert answer.status in (200, 202), (route, answer)


async def test_every_route_accepts_requests_of_our_own_page(target: Stage) -> None:
    await let_in(target, {"Origin": "http://{own}", "Sec-Fetch-Site": "same-origin"})


async def test_every_route_accepts_a_local_program_that_sends_the_header_and_no_origin(target: Stage) -> None:
    await let_in(target, {})


async def test_a_refused_confirmation_keeps_the_token_valid(target: Stage) -> None:
    await untouched(target, {"Origin": "null"})
    assert (await target.ask("clear")).status == 200


async def test_a_request_without_the_header_is_refused(target: Stage) -> None:
    for value in (None, "", "0", "true", "01", "1, 1", "１", "1\t1"):
        await untouched(target, {"X-Cloud-History": value})


OTHER_ORIGINS = (
    "null",
    "",
    "http://evil.example",
    "http://127.0.0.1:1",
    "https://127.0.0.1:443",
    "http://127.0.0.1:80",
    "http://127.0.0.2:{own}",
    "http://localhost",
    "http://[::1]",
    "file://",
    "chrome-extension://abcdefghijklmnop",
    "ws://{own}",
    "ftp://{own}",
    "//{own}",
    "{own}",
    "http://{own}.evil.example",
    "http://{own}/",
    "http://{own}/page",
    "http://{own}?",
    "http://{own}?x",
    "http://{own}#x",
    "http://{own}@evil.example",
    "http://evil.example@{own}",
    "http://evil.example:80@{own}",
    "http://evil.example#{own}",
    "http://evil.example\\@{own}",
    "http://{own}, http://evil.example",
    "http://{own} http://evil.example",
    "http://127.0.0.1:99999",
    "http://[::1",
    "http://127.0.0.1.:80",
    "\udcff\udcfe",
)


async def test_another_origin_is_refused(target: Stage) -> None:
    for origin in OTHER_ORIGINS:
        await untouched(target, {"Origin": origin})


async def test_a_page_of_another_host_name_of_this_machine_is_refused_as_another_origin(target: Stage) -> None:
    await untouched(target, {"Origin": f"http://localhost:{target.port}"})


async def test_a_valid_origin_followed_by_a_second_origin_is_refused(target: Stage) -> None:
    for origins in (["http://{own}", "http://evil.example"], ["http://evil.example", "http://{own}"]):
        await untouched(target, {"Origin": origins}, server_may_refuse=True)


async def test_an_origin_in_capitals_is_the_same(target: Stage) -> None:
    for origin in ("HTTP://{own}", "http://{own}"):
        assert (await target.ask("status", headers={"Origin": origin})).status == 200, origin


async def test_ports_of_origin_and_host_are_compared_if_both_have_one(stage: Stage) -> None:
    for host, origin, same in (
        ("localhost", "http://localhost", True),
        ("localhost:80", "http://localhost", True),
        ("localhost", "http://localhost:80", True),
        ("LOCALHOST:8188", "http://localhost:8188", True),
        ("[::1]:8188", "http://[::1]:8188", True),
        ("localhost:443", "https://localhost", True),
        # nginx with `proxy_set_header Host $host` leaves the port out; others leave the usual port out of Origin.
        ("localhost", "http://localhost:8080", True),
        ("localhost", "https://localhost:8443", True),
        ("localhost:8188", "https://localhost", True),
        ("[::1]", "http://[::1]:8080", True),
        ("localhost:8188", "http://localhost:8189", False),
        ("localhost:8188", "http://127.0.0.1:8188", False),
        ("localhost", "http://127.0.0.1", False),
        ("localhost:8188", "http://127.0.0.1", False),
        ("localhost", "http://localhost.evil.example:8080", False),
        ("localhost", "http://localhost:0", False),
        ("localhost:8188", "http://localhost:", False),
    ):
        answer = await stage.ask("status", headers={"Host": host, "Origin": origin})
        assert answer.status == (200 if same else 403), (host, origin)


OTHER_HOSTS = (
    "evil.example",
    "evil.example:8188",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "localhost.",
    "127.0.0.1.",
    "127.1",
    "2130706433",
    "0x7f000001",
    "127.0.0.1@evil.example",
    "evil.example@127.0.0.1",
    "localhost:80@evil.example",
    "evil.example#localhost",
    "localhost evil.example",
    "localhost,evil.example",
    "localhost\\evil.example",
    "localhost/evil.example",
    "localhost?evil.example",
    "localhost#evil.example",
    "local\thost",
    "localhost:abc",
    "localhost:99999",
    "[::1",
    "::1",
    "[::1].evil.example",
    "evil.example[::1]",
    "[localhost]",
    "１２７.0.0.1",
    "\udcff\udcfe",
)


async def test_a_host_name_that_may_belong_to_another_machine_is_refused(target: Stage) -> None:
    for host in OTHER_HOSTS:
        await untouched(target, {"Host": host})


async def test_dns_rebinding_is_refused_even_if_host_and_origin_match(target: Stage) -> None:
    headers = {"Host": "evil.example:8188", "Origin": "http://evil.example:8188"}
    await untouched(target, {**headers, "Sec-Fetch-Site": "same-origin"})


async def test_a_request_with_two_or_no_host_headers_is_refused(target: Stage) -> None:
    for hosts in (["{own}", "evil.example"], ["evil.example", "{own}"], [], [""]):
        await untouched(target, {"Host": hosts}, server_may_refuse=True)


async def test_an_http_1_0_request_without_a_host_is_refused(target: Stage) -> None:
    answer = await target.exchange(b"GET /cloud_history/status HTTP/1.0\r\nX-Cloud-History: 1\r\n\r\n")
    assert answer.status in (400, 403)


async def test_localhost_and_ip_addresses_are_accepted_as_this_machine(stage: Stage) -> None:
    for host in (
        *("localhost", "LocalHost:8188", "127.0.0.1", "192.168.1.20:8188", "10.0.0.1", "0.0.0.0:8188"),
        *("[::1]", "[::1]:8188", "[fe80::1%25eth0]:8188", "[2001:db8::1]:8188"),
    ):
        assert (await stage.ask("status", headers={"Host": host})).status == 200, host


@pytest.fixture
def named_workshop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
    monkeypatch.setattr(socket, "gethostname", lambda: "Workshop")
    monkeypatch.setattr(request, "HOSTS_FILE", tmp_path / "hosts")
    lines = [
        "127.0.0.1 localhost",
        "127.0.1.1 workshop.lan.example workshop # evil.example",
        "10.0.0.9 other.lan.example",
    ]
    (tmp_path / "hosts").write_text("\n".join(lines))
    request._own_names.cache_clear()
    yield
    request._own_names.cache_clear()


@pytest.mark.usefixtures("named_workshop")
async def test_the_own_host_name_is_accepted_but_not_longer_names_that_contain_it(stage: Stage) -> None:
    for host in ("workshop:8188", "WORKSHOP", "workshop.local:8188", "workshop.lan.example"):
        assert (await stage.ask("status", headers={"Host": host})).status == 200
    for host in (
        "workshop.evil.example",
        "workshop.local.evil.example",
        "xworkshop",
        "workshop.",
        ".local",
        "other.lan.example",
    ):
        assert (await stage.ask("status", headers={"Host": host})).status == 403


async def test_only_host_names_listed_in_the_variable_are_accepted_as_this_machine(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMFY_CLOUD_HISTORY_HOSTS", " Studio.Example , ,render-box,")
    for host in ("studio.example", "STUDIO.example:8188", "render-box:80"):
        assert (await stage.ask("status", headers={"Host": host})).status == 200
    for host in (
        "x.studio.example",
        "studio.example.evil.example",
        "example",
        "*",
        "render-box.evil.example",
    ):
        assert (await stage.ask("status", headers={"Host": host})).status == 403
    answer = await stage.ask("status", headers={"Host": "studio.example", "Origin": "http://evil.example"})
    assert answer.status == 403


@pytest.mark.parametrize(
    ("own", "hosts", "others"),
    [
        (
            "workshop.example.org",
            ["workshop.example.org", "workshop", "workshop.local"],
            ["example.org", "xworkshop"],
        ),
        ("Büro", ["xn--bro-hoa:8188", "xn--bro-hoa.local"], ["xn--bro-hob", "buro"]),
        ("", [], ["", ".", ".local"]),
    ],
)
async def test_the_short_full_and_punycode_names_of_this_machine_are_accepted(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    own: str,
    hosts: list[str],
    others: list[str],
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: own)
    monkeypatch.setattr(request, "HOSTS_FILE", tmp_path / "none")
    request._own_names.cache_clear()
    try:
        for host in hosts:
            assert (await stage.ask("status", headers={"Host": host})).status == 200, host
        for host in others:
            assert (await stage.ask("status", headers={"Host": host})).status == 403, host
    finally:
        request._own_names.cache_clear()


@pytest.mark.parametrize(
    ("value", "hosts", "others"),
    [
        (
            ".trycloudflare.com",
            ["red-cat.trycloudflare.com", "a.b.trycloudflare.com:443", "trycloudflare.com"],
            ["xtrycloudflare.com", "trycloudflare.com.evil.example"],
        ),
        ("*.ts.example", ["box.ts.example"], ["ts.example.org", "boxts.example"]),
        ("https://studio.example", ["studio.example", "studio.example:8443"], ["https", "example"]),
        ("http://studio.example:8188/", ["studio.example"], ["studio"]),
        ("https://studio.example/comfy/?a=b", ["studio.example"], ["comfy"]),
        ("studio.example:8188", ["studio.example", "studio.example:9"], ["studio.example.org"]),
        ("https://.example.org:443", ["a.example.org"], ["a.example.com"]),
        (
            "one.example two.example;three.example",
            ["one.example", "two.example", "three.example"],
            ["four.example"],
        ),
        ("'one.example', \"two.example\"", ["one.example", "two.example"], ["'one.example'"]),
        ("Müller.example", ["xn--mller-kva.example"], ["muller.example"]),
        ("straße.example", ["xn--strae-oqa.example", "strasse.example"], ["stra.example"]),
        (".", [], ["evil.example", "."]),
        ("*.", [], ["evil.example"]),
        ("https://", [], ["evil.example", "https"]),
        (":8188", [], ["evil.example"]),
    ],
)
async def test_a_host_in_the_variable_may_be_a_suffix_or_an_address_or_have_a_port(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, value: str, hosts: list[str], others: list[str]
) -> None:
    monkeypatch.setenv("COMFY_CLOUD_HISTORY_HOSTS", value)
    for host in hosts:
        assert (await stage.ask("status", headers={"Host": host})).status == 200, host
    for host in others:
        assert (await stage.ask("status", headers={"Host": host})).status == 403, host


async def test_every_refusal_says_what_to_do(stage: Stage) -> None:
    for headers, cure in (
        ({"X-Cloud-History": None}, "forward the header"),
        ({"Host": "studio.example:8188"}, "set COMFY_CLOUD_HISTORY_HOSTS=studio.example and restart"),
        ({"Host": "evil.example#localhost"}, "proxy_set_header Host $http_host"),
        ({"Origin": "http://studio.example"}, "proxy_set_header Host $http_host"),
        ({"Origin": "null"}, "a tab of its own"),
        ({"Origin": "file://"}, "a tab of its own"),
        ({"Sec-Fetch-Site": "cross-site"}, "a tab of its own"),
    ):
        error = (await stage.ask("status", headers=headers)).json["error"]
        assert cure in error["hint"], (headers, error)
        assert "#localhost" not in error["message"]
    error = (await stage.ask("status", headers={"Host": "studio.example:8188"})).json["error"]
    assert "studio.example" in error["message"]
    error = (await stage.ask("status", headers={"Origin": "http://studio.example"})).json["error"]
    assert "http://studio.example is not 127.0.0.1" in error["message"]


async def test_a_star_in_the_variable_does_not_match_other_hosts(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMFY_CLOUD_HISTORY_HOSTS", "*")
    assert (await stage.ask("status", headers={"Host": "evil.example"})).status == 403


async def test_a_fetch_from_another_site_is_refused(target: Stage) -> None:
    for site in ("cross-site", "same-site", "Cross-Site", "", "bogus", "none, cross-site"):
        await untouched(target, {"Sec-Fetch-Site": site})


async def test_a_valid_fetch_site_followed_by_a_second_value_is_refused(target: Stage) -> None:
    for sites in (["same-origin", "cross-site"], ["cross-site", "same-origin"]):
        await untouched(target, {"Sec-Fetch-Site": sites}, server_may_refuse=True)


async def test_a_request_from_the_same_page_or_the_address_bar_is_accepted(stage: Stage) -> None:
    for site in ("same-origin", "none", "Same-Origin"):
        assert (await stage.ask("status", headers={"Sec-Fetch-Site": site})).status == 200, site


async def test_forwarding_headers_change_nothing(target: Stage) -> None:
    forwarded = {
        "X-Forwarded-Host": "127.0.0.1",
        "Forwarded": "host=127.0.0.1",
        "X-HTTP-Method-Override": "GET",
    }
    await untouched(target, {"Host": "evil.example", **forwarded})


async def test_other_http_methods_are_refused(target: Stage) -> None:
    before = target.kept_files()
    for route in CHANGING:
        for method in ("GET", "HEAD", "PUT", "PATCH", "OPTIONS", "TRACE"):
            if route in ALSO_READ and method in ("GET", "HEAD"):
                continue
            answer = await target.ask(route, b"", method=method)
            assert answer.status == 405, (method, route)
            assert "access-control-allow-origin" not in answer.headers, (method, route)
            assert target.cloud.requests == [], (method, route)
            assert target.kept_files() == before, (method, route)


async def test_a_cors_preflight_grants_no_permission(stage: Stage) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    for route in ROUTES:
        answer = await stage.ask(route, b"", method="OPTIONS", headers=asked)
        assert answer.status in (403, 405)
        assert not [name for name in answer.headers if name.startswith("access-control")]


OTHER_KINDS = {
    "thumbnail": "image/png",
    "output": "image/png",
    "media": "image/png",
    "saved_file": "image/png",
    "jobs": "application/x-ndjson",
    "record_csv": "text/csv",
}


async def test_answers_forbid_caching_and_sniffing_and_do_not_contain_the_key(target: Stage) -> None:
    for route in ROUTES:
        for headers in ({}, {"Origin": "null"}):
            answer = await target.ask(route, headers=headers)
            kind = (not headers and OTHER_KINDS.get(route)) or "application/json"
            caching = (not headers and CACHING.get(route)) or "no-store"
            assert answer.headers["cache-control"] == caching
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-type"].partition(";")[0] == kind
            for secret in (target.cloud.api_key, OTHER_KEY, str(target.folder)):
                assert secret not in answer.text
