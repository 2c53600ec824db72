"""The one place that opens HTTP sessions, so that a reader finds every way out of this pack here.

Two callers use it: `client`, for Comfy Cloud, and `downloads`, for the files that Comfy Cloud redirects to.

Names are looked up in threads that nobody joins. aiohttp asks in asyncio's own executor, whose threads `asyncio.run`
joins: a resolver that hangs would hold up ComfyUI's queue for as long, after the node has ended.
"""

from __future__ import annotations

import socket
from functools import partial

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from ..errors import StateSilent
from ..tasks.threads import resolver_pool, run_in_pool

Session = aiohttp.ClientSession

MAX_HEADER_BYTES = 64 * 1024
"""Of one header of an answer: signed addresses and content policies outgrow aiohttp's usual 8 kB."""


def open_session(
    *, connector: aiohttp.BaseConnector, total_seconds: float, connect_seconds: float
) -> Session:
    """Return a session without headers, cookies, credentials or decompression of its own.

    A session belongs to one event loop and one operation. It has no headers because aiohttp also sends those to a
    proxy, and one of ours is the API key.
    """
    session = aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(
            total=total_seconds, connect=connect_seconds, sock_connect=connect_seconds
        ),
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        cookie_jar=aiohttp.DummyCookieJar(),
        # `bodies` decompresses with a cap: a small compressed answer can be gigabytes.
        auto_decompress=False,
        # On, it would also read .netrc and send what it finds there. `proxies` looks the proxy up instead.
        trust_env=False,
    )
    # aiohttp repeats a GET by itself when a connection breaks, at once and uncounted. There is no public switch.
    session._retry_connection = False
    return session


DNS_SECONDS = 20.0
"""More than connecting may take, so this is for threads that are all busy."""


class ThreadResolver(AbstractResolver):
    """The system's resolver."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError: there is no such name, or nothing answers."""
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
        except StateSilent:
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
    # The zone of a link-local IPv6 address is a number of its own.
    zone = f"%{address[3]}" if len(address) > 3 and address[3] else ""
    return f"{address[0]}{zone}"
