"""A redirect to a file may lead only to public addresses, over https."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
import pytest_asyncio

from cloud_history.cloud import locations
from cloud_history.cloud.client import CloudClient
from cloud_history.cloud.downloads import fetch_file
from cloud_history.cloud.locations import PublicResolver, check_location, is_public
from cloud_history.config import BaseUrl
from cloud_history.errors import CloudConnectionError, CloudError, NotComfyCloud
from cloud_history.jobs.job import OutputFile
from cloud_history.secret import Secret

PRIVATE = [
    *("127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("0.0.0.0", "255.255.255.255", "224.0.0.1", "240.0.0.1", "198.18.0.1", "192.0.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00::1", "fec0::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "64:ff9b::7f00:1"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:7f00:1::"),
]
PUBLIC = ["8.8.8.8", "142.250.1.1", "2606:4700::1", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@dataclass
class Client:
    """A stand-in for the cloud's client, whose answer is a redirect."""

    location: str
    base_url: BaseUrl = field(default_factory=lambda: BaseUrl("https://cloud.example", "cloud.example"))
    proxy: str | None = None

    async def view_file(self, file: OutputFile) -> str:
        return self.location


@dataclass
class Listener:
    """Counts the connections to this machine."""

    port: int
    connected: int = 0


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[Listener]:
    known = Listener(0)

    def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        known.connected += 1
        writer.close()

    server = await asyncio.start_server(count, "127.0.0.1", 0)
    known.port = server.sockets[0].getsockname()[1]
    yield known
    server.close()
    await server.wait_closed()


async def fetch(location: str) -> bytes:
    return await fetch_file(cast("CloudClient", Client(location)), OutputFile("x.png"))


def looked_up(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Let DNS return these addresses in turn, and return the list of the requested names."""
    asked: list[str] = []

    def getaddrinfo(host: Any, port: int, **how: Any) -> list[Any]:
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in found
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize("address", PRIVATE)
async def test_private_addresses_are_refused_by_number_and_by_name(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_public(address)
    host = f"[{address}]" if ":" in address else address
    for url in (f"https://{host}/x", f"https://{host}:8443/x"):
        with pytest.raises(NotComfyCloud):
            check_location(url, loopback_allowed=False)
    if address == "198.18.0.1":
        return  # a name may mean it: see below
    looked_up(monkeypatch, [address])
    with pytest.raises(OSError, match="no public address"):
        await PublicResolver().resolve("storage.example", 443)


@pytest.mark.parametrize("address", ["198.18.0.1", "198.19.255.254"])
async def test_a_fake_address_of_a_tun_proxy_is_allowed_only_for_a_host_name(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up(monkeypatch, [address, "10.0.0.1", "fc00::1"])
    found = await PublicResolver().resolve("storage.example", 443)
    assert [each["host"] for each in found] == [address]
    for url in (f"https://{address}/x", f"https://[::ffff:{address}]/x"):
        with pytest.raises(NotComfyCloud):
            check_location(url, loopback_allowed=False)


@pytest.mark.parametrize("address", ["198.17.255.255", "198.20.0.0"])
def test_addresses_next_to_the_fake_range_are_public(address: str) -> None:
    assert is_public(address)


KEY = "comfyui-storage-key-0123456789abcdef"


@pytest.mark.parametrize(
    "location",
    [
        "https://storage.example/x?key={}",
        "https://storage.example/{}/x",
        "https://{}.example/x",
        "https://storage.example/x?u=https%3A%2F%2Fcloud%3Fkey%3D{}",
    ],
)
async def test_an_address_that_contains_the_key_is_not_requested(location: str) -> None:
    Secret(KEY)
    for key in (KEY, KEY.replace("-", "%2D")):
        with pytest.raises(NotComfyCloud) as caught:
            await fetch(location.format(key))
        assert KEY not in str(caught.value)


def no_name_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: Any, port: int, **how: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


async def fetch_through(proxy: str, location: str) -> bytes:
    client = Client(location, proxy=proxy)
    return await fetch_file(cast("CloudClient", client), OutputFile("x.png"))


@pytest.mark.parametrize("address", [each for each in PRIVATE if each != "198.18.0.1"])
async def test_a_host_name_with_a_private_address_is_not_requested_through_a_proxy(
    address: str, monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    looked_up(monkeypatch, [address])
    with pytest.raises(NotComfyCloud):
        await fetch_through(f"http://127.0.0.1:{listener.port}", "https://intranet.example/x")
    assert listener.connected == 0


@pytest.mark.parametrize(("host", "asked"), [("storage.example", True), ("intranet", False)])
async def test_an_unresolvable_name_is_left_to_the_proxy_unless_it_is_a_local_name(
    host: str, asked: bool, monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    proxy = f"http://127.0.0.1:{listener.port}"
    no_name_is_known(monkeypatch)
    with pytest.raises(CloudConnectionError if asked else NotComfyCloud):
        await fetch_through(proxy, f"https://{host}/x")
    assert bool(listener.connected) is asked


async def test_a_host_name_is_left_to_the_proxy_if_dns_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, listener: Listener
) -> None:
    answer = threading.Event()

    def getaddrinfo(host: Any, port: int, **how: Any) -> list[Any]:
        answer.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(locations, "DNS_SECONDS", 0.05)
    try:
        with pytest.raises(CloudConnectionError):
            await fetch_through(f"http://127.0.0.1:{listener.port}", "https://storage.example/x")
        assert listener.connected
    finally:
        answer.set()


async def test_a_public_name_is_fetched_through_the_proxy(monkeypatch: pytest.MonkeyPatch, listener: Listener) -> None:
    looked_up(monkeypatch, ["8.8.8.8"])
    with pytest.raises(CloudConnectionError):
        await fetch_through(f"http://127.0.0.1:{listener.port}", "https://storage.example/x")
    assert listener.connected


@pytest.mark.parametrize("address", PUBLIC)
async def test_public_addresses_are_allowed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    host = f"[{address}]" if ":" in address else address
    assert check_location(f"https://{host}/x?y=z", loopback_allowed=False)
    looked_up(monkeypatch, ["127.0.0.1", address, "10.0.0.1"])
    found = await PublicResolver().resolve("storage.example", 443)
    assert [(each["host"], each["port"]) for each in found] == [(address, 443)]
    assert found[0]["flags"] & socket.AI_NUMERICHOST


@pytest.mark.parametrize(
    "location",
    [
        *("http://storage.example/x", "ftp://storage.example/x", "file:///etc/passwd", "//storage.example/x"),
        *(
            "/x",
            "",
            "https://",
            "https:///x",
            "https://user@storage.example/x",
            "https://a:b@storage.example/",
        ),
        *(
            "https://localhost/x",
            "https://LOCALHOST/x",
            "https://storage.example:0/",
            "https://[::1",
            "data:,x",
        ),
        *("https://storage.example:99999/", "https://storage.exa\nmple/", "https://störage.example/"),
        *(
            "https://127.1/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://127.0.0.1./",
            "https://0/",
        ),
        *(
            "https://１２７.0.0.1/",
            "javascript:alert(1)",
            "gopher://127.0.0.1/",
            "https://storage.example/ x",
        ),
    ],
)
async def test_an_address_that_is_not_plain_https_to_a_public_place_is_refused(location: str) -> None:
    with pytest.raises(NotComfyCloud):
        await fetch(location)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0177.0.0.1",
            "0x7f.1",
            "0x7f000001",
            "localhost",
            "localhost.",
        ),
        *("[::1]", "[::ffff:127.0.0.1]", "%31%32%37.0.0.1", "a..b", "x" * 64 + ".example", "127.0.0.1.", "0"),
    ],
)
async def test_every_spelling_of_the_address_of_this_machine_is_refused(host: str, listener: Listener) -> None:
    with pytest.raises(CloudError):
        await fetch(f"https://{host}:{listener.port}/x")
    assert listener.connected == 0


async def test_a_host_name_that_resolves_to_this_machine_is_refused(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up(monkeypatch, ["127.0.0.1"])
    with pytest.raises(CloudConnectionError):
        await fetch(f"https://storage.example:{listener.port}/x")
    assert listener.connected == 0


async def test_a_host_name_is_resolved_once_and_the_checked_address_is_used(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = looked_up(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    connected: list[Any] = []

    async def sock_connect(sock: socket.socket, address: Any) -> None:
        connected.append(address[:2])
        raise OSError("nothing leaves this machine")

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", sock_connect)
    with pytest.raises(CloudConnectionError):
        await fetch(f"https://storage.example:{listener.port}/x")
    assert asked == ["storage.example"]
    assert set(connected) == {("8.8.8.8", listener.port)}


@pytest.mark.parametrize("location", ["http://127.0.0.1:9/x", "https://localhost:9/x", "http://[::1]:9/x"])
def test_only_a_cloud_on_this_machine_may_redirect_to_it(location: str) -> None:
    assert check_location(location, loopback_allowed=True) == location
    with pytest.raises(NotComfyCloud):
        check_location(location, loopback_allowed=False)


def test_a_cloud_on_this_machine_cannot_redirect_to_other_private_addresses() -> None:
    for host in ("10.0.0.1", "169.254.169.254", "192.168.1.1", "[fd00::1]", "0.0.0.0"):
        for scheme in ("http", "https"):
            with pytest.raises(NotComfyCloud):
                check_location(f"{scheme}://{host}/x", loopback_allowed=True)
