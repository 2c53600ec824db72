"""The proxy the environment names for Comfy Cloud. Never one for this machine itself."""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

from .. import environment
from ..config import BaseUrl
from ..errors import UnusableProxy
from ..secret import remember

SHORTEST_NAME = 8


def find_proxy(base_url: BaseUrl) -> str | None:
    """The proxy's URL, or None for a direct connection.

    Its user name and password are remembered as secrets, so that no text of ours shows them.

    Raises:
        UnusableProxy: it is not an http or https address (aiohttp speaks no SOCKS).
    """
    if base_url.loopback:
        return None
    target = urlsplit(base_url.url)
    known = environment.proxies()
    named = known.get(target.scheme) or known.get("all")
    if not named or proxy_bypass_environment(base_url.host, known):
        return None
    url = named if "://" in named else f"http://{named}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        raise UnusableProxy("The proxy’s address can’t be used.") from None
    if not usable:
        raise UnusableProxy("The proxy’s address can’t be used.")
    # A short name or password may be any word of any text: hidden there, it would make reports untrue and workflows
    # in backups useless.
    if parts.password:
        remember(parts.password if len(parts.password) >= SHORTEST_NAME else f":{parts.password}@")
    if parts.username:
        remember(parts.username if len(parts.username) >= SHORTEST_NAME else f"{parts.username}@")
    return url
