"""Where a redirect of Comfy Cloud may lead: to a public address, or to this machine if Comfy Cloud itself is there."""

from __future__ import annotations

import asyncio
import re
import socket
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import unquote, urlsplit

from aiohttp.abc import ResolveResult

from ..config import is_loopback
from ..errors import NotComfyCloud
from ..secret import scrub
from .sessions import ThreadResolver

DNS_SECONDS = 3.0
"""Limit for a DNS lookup behind a proxy. In a network where only the proxy resolves names, the DNS may never answer."""
MAX_ESCAPES = 5
"""A URL that is still escaped after this many decodings is refused."""

_LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.ASCII)
_NO_TOP_LEVEL_NAME = re.compile(r"[0-9]+|0x[0-9a-f]*|localhost", re.ASCII)

_GLOBAL_UNICAST = ip_network("2000::/3")
_BENCHMARK_RANGE = ip_network("198.18.0.0/15")
_NAT64 = ip_network("64:ff9b::/96")


async def check_through_proxy(url: str) -> None:
    """Check the addresses of the host, because a proxy could otherwise be made to fetch from its private network.

    A name that only the proxy can resolve is allowed if it contains a dot. A name without a dot is a machine in a local
    network.

    Raises:
        NotComfyCloud: the host has no public address, or is a machine in a local network.
    """
    host = urlsplit(url).hostname or ""
    try:
        lookup = PublicResolver().resolve(host, family=socket.AF_UNSPEC)
        await asyncio.wait_for(lookup, DNS_SECONDS)
    except (socket.gaierror, asyncio.TimeoutError):
        if "." not in host and ":" not in host:
            raise NotComfyCloud(302) from None
    except (OSError, ValueError):
        raise NotComfyCloud(302) from None


def check_location(location: str, loopback_allowed: bool) -> str:
    """Return `location` if a redirect may lead there.

    Allowed are https URLs of other hosts and, if the base URL is on this machine, URLs of this machine.

    Args:
        loopback_allowed: whether the base URL is on this machine.

    Raises:
        NotComfyCloud: the URL is not allowed, for example because its address is private.
    """
    try:
        parts = urlsplit(location)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NotComfyCloud(302) from None
    here = is_loopback(host)
    safe = (parts.scheme == "https" and not here) or (here and loopback_allowed and parts.scheme in ("http", "https"))
    odd = parts.username is not None or any(not "!" <= each <= "~" for each in location) or port == 0
    if _has_secret(location):
        raise NotComfyCloud(302)
    if not safe or odd or not host or not (here or _may_be_public(host)):
        raise NotComfyCloud(302)
    return location


def _has_secret(location: str) -> bool:
    """Return whether a URL contains a secret, which must not be sent to the storage, however often it is escaped."""
    for _ in range(MAX_ESCAPES):
        if scrub(location) != location:
            return True
        location, before = unquote(location), location
        if location == before:
            return False
    return True


def _may_be_public(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:
        # `PublicResolver` checks the addresses of names. Other spellings of addresses, such as "127.1" or "0x7f.1", may
        # be read as addresses by the system or by a proxy.
        labels = host.removesuffix(".").split(".")
        return all(map(_LABEL.fullmatch, labels)) and not _NO_TOP_LEVEL_NAME.fullmatch(labels[-1])


def is_public(address: str) -> bool:
    """Return whether an IP address is public. Raise ValueError if `address` is not an IP address."""
    found = ip_address(address.split("%")[0])
    if isinstance(found, IPv6Address):
        if found in _NAT64:
            return is_public(str(ip_address(int(found) & 0xFFFFFFFF)))
        # 6to4 and Teredo addresses are in the range of global unicast, but contain an IPv4 address.
        if found not in _GLOBAL_UNICAST or found.sixtofour is not None or found.teredo is not None:
            mapped = found.ipv4_mapped
            return mapped is not None and is_public(str(mapped))
    return found.is_global and not found.is_multicast


def _is_allowed_address(address: str) -> bool:
    """Return whether an address is public, or was assigned by the DNS of a TUN proxy (Clash, sing-box, Surge).

    A TUN proxy assigns each name an address of the range for network benchmarks (RFC 2544), and resolves the name when
    a program connects to that address.
    """
    return is_public(address) or ip_address(address.split("%")[0]) in _BENCHMARK_RANGE


class PublicResolver(ThreadResolver):
    """Resolves host names to public addresses only. aiohttp connects to exactly these addresses."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = [each for each in await super().resolve(host, port, family) if _is_allowed_address(each["host"])]
        if not found:
            raise OSError(None, "no public address")
        return found
