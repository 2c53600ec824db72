"""Proxies come from the environment, never for this machine itself, and .netrc is never read."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloud_history.cloud.client import CloudClient, Timeouts, find_proxy
from cloud_history.config import BaseUrl, read_base_url
from cloud_history.errors import CloudConnectionError, CloudTimeoutError, UnusableProxy
from cloud_history.secret import scrub
from hosts import free_port
from simulated_cloud import SimulatedCloud
from support.shown_error import all_text_of

OpenClient = Callable[..., CloudClient]
Proxy = Any

# No resolver knows this name, so only a request through the proxy can work.
CLOUD = "https://cloud-history.invalid"
USER, PASSWORD = "proxy-person", "pr0xy/p@ss"
CREDENTIALS = f"{USER}:pr0xy%2Fp%40ss"
MANNERS = ("refuse", "hang up", "establish")


def cloud_at(url: str = CLOUD) -> BaseUrl:
    return read_base_url({"COMFY_CLOUD_BASE_URL": url})


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_requests_to_comfy_cloud_use_the_proxy_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, open_client: OpenClient, proxy: Proxy, variable: str, scheme: str
) -> None:
    monkeypatch.setenv(variable, f"{scheme}127.0.0.1:{proxy.port}")
    async with open_client(CLOUD) as client:
        with pytest.raises(CloudConnectionError):
            await client.get_user()
    assert proxy.asked_for[0] == "CONNECT cloud-history.invalid:443 HTTP/1.1"


async def test_the_proxy_is_asked_to_connect_to_the_port_in_the_base_url(
    monkeypatch: pytest.MonkeyPatch, open_client: OpenClient, proxy: Proxy
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    async with open_client(f"{CLOUD}:8443") as client:
        with pytest.raises(CloudConnectionError):
            await client.get_user()
    assert proxy.asked_for[0] == "CONNECT cloud-history.invalid:8443 HTTP/1.1"


@pytest.mark.parametrize("manner", MANNERS)
async def test_a_proxy_receives_its_own_credentials_and_never_the_api_key(
    monkeypatch: pytest.MonkeyPatch, open_client: OpenClient, proxy: Proxy, cloud: SimulatedCloud, manner: str
) -> None:
    proxy.manner = manner
    monkeypatch.setenv("HTTPS_PROXY", f"http://{CREDENTIALS}@127.0.0.1:{proxy.port}")
    async with open_client(CLOUD) as client:
        with pytest.raises(CloudConnectionError):
            await client.clear_history()
    basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert f"Proxy-Authorization: Basic {basic}" in proxy.heads[0]
    for head in proxy.heads:
        assert cloud.api_key not in head
        assert "x-api-key" not in head.lower()
    for said in proxy.in_tunnel:
        assert said[:2] == b"\x16\x03", "the tunnel carries only TLS"
        assert cloud.api_key.encode() not in said
    assert bool(proxy.in_tunnel) is (manner == "establish")


@pytest.mark.parametrize("manner", [*MANNERS, "hang"])
async def test_proxy_credentials_are_in_no_error_and_no_log(
    monkeypatch: pytest.MonkeyPatch,
    open_client: OpenClient,
    proxy: Proxy,
    caplog: pytest.LogCaptureFixture,
    manner: str,
) -> None:
    proxy.manner = manner
    proxy.status = 407
    monkeypatch.setenv("HTTPS_PROXY", f"http://{CREDENTIALS}@127.0.0.1:{proxy.port}")
    caplog.set_level(logging.DEBUG)
    async with open_client(CLOUD, timeouts=Timeouts(connect=0.1, request=5.0)) as client:
        shown = repr(client)
        with pytest.raises(CloudConnectionError) as caught:
            await client.delete_history(["01234567-89ab-cdef-0123-456789abcdef"])
    text = f"{shown}\n{all_text_of(caught.value)}\n{caplog.text}"
    for secret in (
        USER,
        PASSWORD,
        "pr0xy%2Fp%40ss",
        base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(),
    ):
        assert secret not in text
    assert 1 <= len(proxy.heads) <= 4
    assert scrub(f"{USER} {PASSWORD} pr0xy%2Fp%40ss").split() == ["[hidden]"] * 3


def test_a_short_proxy_user_name_does_not_hide_ordinary_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://jobs:pr0xy-pass@127.0.0.1:3128")
    find_proxy(read_base_url({"COMFY_CLOUD_BASE_URL": CLOUD}))
    assert scrub("3 jobs removed") == "3 jobs removed"
    assert scrub("http://jobs:pr0xy-pass@127.0.0.1") == "http://jobs:[hidden]@127.0.0.1"


async def test_an_error_names_the_proxy_when_the_proxy_refuses_to_connect(
    monkeypatch: pytest.MonkeyPatch, open_client: OpenClient, proxy: Proxy
) -> None:
    proxy.status = 403
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    async with open_client(CLOUD) as client:
        with pytest.raises(CloudConnectionError) as caught:
            await client.get_user()
    assert caught.value.message == "The proxy refused to connect to cloud-history.invalid (403)."


async def test_a_proxy_timeout_means_that_nothing_was_sent(
    monkeypatch: pytest.MonkeyPatch, open_client: OpenClient, proxy: Proxy
) -> None:
    proxy.manner = "hang"
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    async with open_client(CLOUD, timeouts=Timeouts(connect=0.05, request=5.0)) as client:
        with pytest.raises(CloudTimeoutError) as caught:
            await client.clear_history()
    assert caught.value.sent is False


async def test_an_unreachable_proxy_is_reported(monkeypatch: pytest.MonkeyPatch, open_client: OpenClient) -> None:
    port = free_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://{CREDENTIALS}@127.0.0.1:{port}")
    async with open_client(CLOUD) as client:
        with pytest.raises(CloudConnectionError) as caught:
            await client.clear_history()
    assert caught.value.sent is False
    assert USER not in all_text_of(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_requests_to_this_machine_never_use_a_proxy(
    monkeypatch: pytest.MonkeyPatch, open_client: OpenClient, proxy: Proxy, cloud: SimulatedCloud, host: str
) -> None:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
    async with open_client(cloud.base_url.replace("127.0.0.1", host)) as client:
        assert await client.get_user() == "active"
    assert (proxy.heads, len(cloud.requests)) == ([], 1)
    assert find_proxy(cloud_at("http://[::1]:80")) is None
    assert find_proxy(cloud_at("https://127.0.0.1")) is None


@pytest.mark.parametrize(
    ("no_proxy", "used"),
    [
        ("cloud-history.invalid", False),
        ("CLOUD-HISTORY.INVALID", False),
        (".invalid", False),
        ("one.example, cloud-history.invalid", False),
        ("*", False),
        ("cloud-history.invalid:8443", False),
        ("", True),
        ("history.invalid", True),
        ("localhost,127.0.0.1", True),
        ("cloud-history.invalid.example", True),
        ("cloud-history.invalid:443", True),
    ],
)
@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
def test_a_host_named_in_no_proxy_is_reached_directly(
    monkeypatch: pytest.MonkeyPatch, variable: str, no_proxy: str, used: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv(variable, no_proxy)
    assert find_proxy(cloud_at(f"{CLOUD}:8443")) == ("http://proxy.example:3128" if used else None)


def test_https_proxy_is_preferred_and_http_proxy_is_not_used_for_https(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://plain.example:1")
    assert find_proxy(cloud_at()) is None
    monkeypatch.setenv("ALL_PROXY", "http://all.example:2")
    assert find_proxy(cloud_at()) == "http://all.example:2"
    monkeypatch.setenv("HTTPS_PROXY", "http://secure.example:3")
    assert find_proxy(cloud_at()) == "http://secure.example:3"


@pytest.mark.parametrize(
    "address",
    [
        f"socks5://{CREDENTIALS}@127.0.0.1:1080",
        "socks5h://127.0.0.1:1080",
        "socks4://127.0.0.1:1080",
        "ftp://127.0.0.1:21",
        f"http://{CREDENTIALS}@",
        f"http://{CREDENTIALS}@127.0.0.1:port",
        f"http://{CREDENTIALS}@127.0.0.1:99999",
        f"http://{CREDENTIALS}@[::1",
    ],
)
async def test_a_proxy_that_cannot_be_used_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, open_client: OpenClient, address: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", address)
    with pytest.raises(UnusableProxy) as caught:
        async with open_client(CLOUD) as client:
            await client.clear_history()
    assert "proxy" in caught.value.message.lower()
    assert "HTTPS_PROXY" in caught.value.hint
    assert "NO_PROXY" in caught.value.hint
    for secret in (address, USER, PASSWORD, "pr0xy%2Fp%40ss"):
        assert secret not in all_text_of(caught.value)


async def test_netrc_is_never_read(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    open_client: OpenClient,
    cloud: SimulatedCloud,
    proxy: Proxy,
) -> None:
    lines = [f"machine {host} login someone password netrc-word" for host in ("127.0.0.1", "localhost")]
    text = "\n".join([*lines, "default login anybody password netrc-word"])
    for name in (".netrc", "_netrc"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    async with open_client() as client:
        await client.get_user()
        await client.clear_history()
    async with open_client(CLOUD) as client:
        with pytest.raises(CloudConnectionError):
            await client.get_user()
    assert [request.status for request in cloud.requests] == [200, 200]
    assert all("Authorization" not in request.headers for request in cloud.requests)
    assert proxy.heads
    assert all("authorization" not in head.lower() for head in proxy.heads)
