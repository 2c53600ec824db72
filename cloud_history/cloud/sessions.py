"""The one place that opens HTTP sessions, so that a reader finds every way out of this pack here.

Two callers use it: `client`, for Comfy Cloud, and `storage`, for the files that Comfy Cloud redirects to.
"""

from __future__ import annotations

import aiohttp

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
