"""Opens all HTTP sessions of this pack: for `client` (Comfy Cloud) and for `downloads` (files it redirects to).

Host names are resolved in this pack's own daemon threads. aiohttp would use asyncio's executor, whose threads
`asyncio.run` joins: a lookup that hangs would hold up ComfyUI's queue after the node has ended.
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
"""For one response header: signed URLs and content policies exceed aiohttp's default of 8 kB."""


def open_session(*, connector: aiohttp.BaseConnector, total_seconds: float, connect_seconds: float) -> Session:
    """Return a session without headers, cookies, credentials or decompression of its own.

    A session belongs to one event loop and one operation. It has no headers because aiohttp also sends those to a
    proxy, and one of ours is the API key.
    """
    session = aiohttp.ClientSession(
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=total_seconds, connect=connect_seconds, sock_connect=connect_seconds),
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        cookie_jar=aiohttp.DummyCookieJar(),
        # `read_capped` decompresses with a limit: a small compressed answer can become gigabytes.
        auto_decompress=False,
        # It would also read .netrc and send the credentials in it. `find_proxy` finds the proxy instead.
        trust_env=False,
    )
    # aiohttp would silently repeat a GET when a connection breaks. There is no public option for this.
    session._retry_connection = False
    return session


DNS_SECONDS = 20.0
"""Longer than the limit for connecting, so it matters only if all threads are busy."""


class ThreadResolver(AbstractResolver):
    """Resolves with the system's resolver, in a thread."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a host name. Raises OSError if it does not exist or nothing answers."""
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
