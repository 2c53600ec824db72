"""A redirect to an output can lead a download neither into a private network nor to the key."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote

import pytest

from cloud_history.cloud.client import CloudClient
from cloud_history.cloud.file_receiver import FileReceiver
from cloud_history.cloud.retry import RetryPolicy
from cloud_history.config import BaseUrl
from cloud_history.errors import CloudConnectionError, CloudError, NotComfyCloud
from cloud_history.jobs.job import OutputFile
from cloud_history.secret import Secret
from simulated_cloud import Fault, SimulatedCloud
from support.memory_sink import MemorySink

OpenClient = Callable[..., CloudClient]
CLOUD_JOBS = 3
VIEW = ("GET", "/api/view")
FILE = OutputFile("x.png")
KEY = "comfyui-hostile-key-0123456789abcdef"

PRIVATE = (
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.9"),
    *("169.254.169.254", "169.254.0.1", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.0.1"),
    *("192.168.255.255", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1"),
    "255.255.255.255",
)
PRIVATE_6 = (
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1"),
    *(
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001:0:7f00:1::",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
    ),
    *("fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%25eth0", "fec0::1", "ff02::1", "ff0e::1"),
)


def spellings(address: str) -> Iterator[str]:
    """Yield what systems read as this IPv4 address."""
    parts = [int(part) for part in address.split(".")]
    number = int.from_bytes(bytes(parts), "big")
    yield address
    yield str(number)
    yield hex(number)
    yield ".".join(hex(part) for part in parts)
    yield ".".join(f"0{part:o}" for part in parts)
    yield f"{parts[0]}.{number & 0xFFFFFF}"
    yield f"{address}."
    yield f"[::ffff:{address}]"
    yield address.replace(".", "%2e")
    yield address.replace(".", "\u3002")
    yield "".join(chr(0xFF10 + int(each)) if each.isdigit() else each for each in address)


def private_locations() -> list[str]:
    hosts = [each for address in PRIVATE for each in spellings(address)]
    hosts += [f"[{address}]" for address in PRIVATE_6]
    return [f"https://{host}/bucket/x?signature=1" for host in hosts]


THIS_MACHINE = (
    *("https://localhost/x", "https://LOCALHOST/x", "https://localhost./x", "https://a.localhost/x"),
    *("https://localhost:8188/api/history", "http://localhost/x", "http://127.0.0.1:8188/x", "http://[::1]/x"),
    "https://[::1]:8188/x",
)
NO_ADDRESSES = (
    *("", "x", "/", "/api/history", "//storage.example/x", "///x", "https:", "https://", "https:///x", "https:/x"),
    *("http://storage.example/x", "HTTP://storage.example/x", "ftp://storage.example/x", "file:///etc/passwd"),
    *("data:text/plain,x", "javascript:alert(1)", "ws://storage.example/x", "gopher://storage.example/x"),
    *("https://user@storage.example/x", "https://user:password@storage.example/x", "https://@storage.example/x"),
    *("https://storage.example@127.0.0.1/x", "https://127.0.0.1@storage.example/x", "https://storage.example:0/x"),
    *("https://storage.example:99999/x", "https://storage.example:x/x", "https://[::1/x", "https://::1]/x"),
    *("https://storage.example\\@127.0.0.1/x", "https://storage.example /x", " https://storage.example/x"),
    *("https://storage.example/x\r\nX-API-Key: y", "https://storage.example/\tx", "https://stor\u0000age.example/x"),
    *("https://\u202estorage.example/x", "https://storage\u3002example/x", "https://storage.example/\u00e9"),
    *("https://0x7f.1/x", "https://127.1/x", "https://127.0.1/x", "https://2130706433/x", "https://.../x"),
)
KEY_PLACES = (
    *(
        "https://storage.example/x?key={}",
        "https://storage.example/{}/x",
        "https://{}.example/x",
        "https://storage.example/#{}",
    ),
    *(
        "https://storage.example/x?u=https%3A%2F%2Fy%3Fkey%3D{}",
        "https://storage.example/a{}b",
        "https://storage.example/?{}=1",
    ),
)


def key_forms() -> list[str]:
    escaped = "".join(f"%{ord(each):02x}" for each in KEY)
    twice = escaped.replace("%", "%25")
    partly = KEY.replace("-", "%2D")
    return [KEY, KEY.upper(), escaped, escaped.upper(), partly, twice, quote(twice), partly.replace("%", "%252525")]


@dataclass
class Client:
    """A stand-in for the client of a cloud that is not on this machine. Its answer is a redirect."""

    location: str
    base_url: BaseUrl = field(default_factory=lambda: BaseUrl("https://cloud.example", "cloud.example"))
    proxy: str | None = None
    retries: RetryPolicy = field(default_factory=lambda: RetryPolicy(rand=lambda: 0.0))

    @asynccontextmanager
    async def open_file(self, file: OutputFile, headers: Mapping[str, str], idle: float) -> AsyncIterator[str]:
        yield self.location

    async def sleep(self, seconds: float) -> None:
        pass


async def refusal(location: str, proxy: str | None = None) -> CloudError:
    """Download from this location and return the error."""
    sink = MemorySink()
    async with FileReceiver(cast("CloudClient", Client(location, proxy=proxy)), most=2**20) as receiver:
        with pytest.raises(CloudError) as caught:
            await receiver.receive(FILE, sink)
    assert sink.begun == []
    return caught.value


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names that were looked up. None of them exists."""
    names: list[str] = []

    def getaddrinfo(host: Any, port: int, **how: Any) -> list[Any]:
        names.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


@pytest.mark.parametrize("location", [*private_locations(), *THIS_MACHINE, *NO_ADDRESSES])
async def test_an_address_that_is_not_public_is_never_connected_to(location: str, asked: list[str]) -> None:
    assert isinstance(await refusal(location), NotComfyCloud)
    assert isinstance(await refusal(location, proxy="http://proxy.example:3128"), NotComfyCloud)
    assert asked == []


@pytest.mark.parametrize("place", KEY_PLACES)
@pytest.mark.parametrize("form", key_forms())
async def test_an_address_that_contains_the_key_is_never_requested(place: str, form: str, asked: list[str]) -> None:
    Secret(KEY)
    location = place.format(form)
    error = await refusal(location)
    assert isinstance(error, NotComfyCloud)
    assert asked == []
    assert form not in f"{error}{error.args}{vars(error)}"


@pytest.mark.parametrize("address", [*(each for each in PRIVATE if each != "198.18.0.1"), *PRIVATE_6])
async def test_a_public_name_with_a_private_address_is_never_connected_to(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lookups = 0

    def getaddrinfo(host: Any, port: int, **how: Any) -> list[Any]:
        nonlocal lookups
        lookups += 1
        plain = address.replace("%25", "%")
        kind = socket.AF_INET6 if ":" in plain else socket.AF_INET
        return [(kind, socket.SOCK_STREAM, 6, "", (plain, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    error = await refusal("https://storage.example/x")
    assert isinstance(error, CloudConnectionError)
    assert not error.sent
    assert lookups >= 1


async def test_the_cases_are_as_many_as_promised() -> None:
    cases = len(private_locations()) + len(THIS_MACHINE) + len(NO_ADDRESSES)
    assert cases + len(KEY_PLACES) * len(key_forms()) + len(PRIVATE) + len(PRIVATE_6) >= 400


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "192.168.1.1", "[fd00::1]", "2130706433", "0x7f.1"])
async def test_a_cloud_on_this_machine_does_not_open_other_private_addresses(
    cloud: SimulatedCloud, open_client: OpenClient, host: str
) -> None:
    sink = MemorySink()
    for scheme in ("http", "https"):
        cloud.faults[:] = [Fault(VIEW, "redirect", location=f"{scheme}://{host}/x")]
        async with open_client() as client, FileReceiver(client, most=2**20) as receiver:
            with pytest.raises(NotComfyCloud):
                await receiver.receive(FILE, sink)
    assert sink.begun == []


@pytest.mark.parametrize("hops", [1, 2, 5])
@pytest.mark.parametrize("status", [301, 302, 307])
async def test_a_chain_of_redirects_ends_at_the_first_storage(
    cloud: SimulatedCloud, open_client: OpenClient, other_server: Any, hops: int, status: int
) -> None:
    chain = [f"{cloud.storage_url}/comfy-outputs/{number}" for number in range(hops)]
    targets = [*chain[1:], f"{other_server.url}/loot"]
    cloud.faults.append(Fault(VIEW, "redirect", location=chain[0]))
    for number, target in enumerate(targets):
        fault = Fault(("GET", f"/comfy-outputs/{number}"), "redirect", status=status, location=target, times=None)
        cloud.faults.append(fault)
    sink = MemorySink()
    async with open_client() as client, FileReceiver(client, most=2**20) as receiver:
        with pytest.raises(NotComfyCloud):
            await receiver.receive(FILE, sink)
    assert len(cloud.storage_requests) == 1
    assert other_server.received == []
    assert sink.begun == []
    for request in cloud.storage_requests:
        assert cloud.api_key not in str(dict(request.headers))
