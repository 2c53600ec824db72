"""Opens all HTTP sessions of this pack: for `client` (Comfy Cloud) and for `downloads` (the storage of output files).

Host names are resolved in this pack's own daemon threads. aiohttp would use asyncio's executor, and `asyncio.run`
waits for the executor's threads: a DNS lookup that hangs would block ComfyUI's queue after the node has ended.
"""

from __future__ import annotations

import socket
from functools import partial

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from ..errors import StateNotAnswering
from ..tasks.threads import resolver_pool, run_in_pool

Session = aiohttp.ClientSession

MAX_HEADER_BYTES = 64 * 1024
"""Limit for one response header. Signed URLs and content policies exceed aiohttp's default of 8 kB."""


def open_session(
    *,
    connector: aiohttp.BaseConnector,
    total_seconds: float | None,
    connect_seconds: float,
    idle_seconds: float | None = None,
    buffer_bytes: int = 2**16,
) -> Session:
    """Return a session without default headers, cookies, credentials or automatic decompression.

    Args:
        total_seconds: limit for a whole request; None for no limit.
        idle_seconds: limit for the time in which nothing arrives.
        buffer_bytes: how much of an answer is read ahead.

    A session belongs to one event loop and one operation. The API key must not be a default header, because aiohttp
    also sends default headers to a proxy.
    """
    session = aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(
            total=total_seconds, connect=connect_seconds, sock_connect=connect_seconds, sock_read=idle_seconds
        ),
        read_bufsize=buffer_bytes,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        cookie_jar=aiohttp.DummyCookieJar(),
        # A small compressed answer can become gigabytes, so `read_capped` decompresses with a limit.
        auto_decompress=False,
        # `trust_env` would also send credentials from .netrc, so `find_proxy` reads the proxy variables instead.
        trust_env=False,
    )
    # aiohttp silently repeats a GET when a connection breaks, and has no public option to prevent that.
    session._retry_connection = False
    return session


DNS_SECONDS = 20.0
"""Limit for a DNS lookup. It is longer than the limit for connecting, so it matters only if all threads are busy."""


class ThreadResolver(AbstractResolver):
    """Resolves host names with the system's resolver, in a thread."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host name. Raise OSError if the name does not exist or the DNS does not answer."""
        ask = partial(
            socket.getaddrinfo,
            host,
            port,
            family=family,
            type=socket.SOCK_STREAM,
            flags=getattr(socket, "AI_ADDRCONFIG", 0),
        )
        try:
            found = await run_in_pool(ask, resolver_pool, DNS_SECONDS)
        except StateNotAnswering:
            raise OSError(None, "looking up the name took too long") from None
        return [
            ResolveResult(
                hostname=host,
                host=_address(address),
                port=int(address[1]),
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        pass


def _address(address: tuple[object, ...]) -> str:
    # getaddrinfo returns the zone of a link-local IPv6 address separately.
    zone = f"%{address[3]}" if len(address) > 3 and address[3] else ""
    return f"{address[0]}{zone}"
