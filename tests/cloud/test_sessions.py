"""A hanging resolver does not block an event loop, even while the loop closes."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cloud_history.cloud.client import CloudClient, Timeouts
from cloud_history.cloud.locations import PublicResolver
from cloud_history.cloud.retry import RetryPolicy
from cloud_history.cloud.sessions import ThreadResolver
from cloud_history.config import read_base_url
from cloud_history.errors import CloudConnectionError
from cloud_history.secret import Secret


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Make name resolution hang. Yield an event that is set when a name is looked up."""
    asked, go_on = threading.Event(), threading.Event()

    def getaddrinfo(*args: Any, **kwargs: Any) -> Any:
        asked.set()
        go_on.wait(20)
        raise socket.gaierror("nobody")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield asked
    go_on.set()


def test_a_node_s_event_loop_closes_even_if_the_resolver_hangs(hanging: threading.Event) -> None:
    async def ask() -> None:
        client = CloudClient(
            read_base_url({"COMFY_CLOUD_BASE_URL": "https://cloud.example"}),
            Secret("a-key-of-nobody"),
            timeouts=Timeouts(connect=0.1, request=0.2),
            retries=RetryPolicy(tries=1),
        )
        async with client:
            with pytest.raises(CloudConnectionError):
                await client.get_user()

    begin = time.monotonic()
    asyncio.run(ask())
    assert hanging.is_set()
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("kind", [ThreadResolver, PublicResolver])
def test_the_event_loop_of_an_image_download_closes_even_if_the_resolver_hangs(
    hanging: threading.Event, kind: type[ThreadResolver]
) -> None:
    async def ask() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(kind().resolve("storage.example", 443), 0.1)

    begin = time.monotonic()
    asyncio.run(ask())
    assert hanging.is_set()
    assert time.monotonic() - begin < 5


async def test_the_resolver_returns_addresses_in_the_form_of_aiohttp(monkeypatch: pytest.MonkeyPatch) -> None:
    v6: Any = ("fe80::1", 443, 0, 3)
    found: Any = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 443)),
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", v6),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    answers = await ThreadResolver().resolve("cloud.example", 443, socket.AF_UNSPEC)
    assert [(each["hostname"], each["host"], each["port"]) for each in answers] == [
        ("cloud.example", "127.0.0.1", 443),
        ("cloud.example", "fe80::1%3", 443),
    ]


async def test_resolving_an_unknown_host_name_raises_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror("nobody")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(OSError, match="nobody"):
        await ThreadResolver().resolve("cloud.example", 443)
