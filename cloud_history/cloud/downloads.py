"""Downloading an output file. Follows one redirect, to a public address only, and does not send the API key there."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import unquote, urlsplit

import aiohttp
import yarl
from aiohttp.abc import ResolveResult

from ..config import is_loopback
from ..errors import NotComfyCloud, NotFound, UnreadableAnswer
from ..jobs.job import OutputFile
from ..secret import scrub
from .client import CloudClient, connection_failure, raise_without_context, read_capped
from .protocol import MAX_FILE_BYTES
from .sessions import ThreadResolver, open_session

DOWNLOAD_SECONDS = 30.0
DNS_SECONDS = 3.0
"""Limit for a DNS lookup behind a proxy. In a network where only the proxy resolves names, the DNS may never answer."""

_GLOBAL_UNICAST = ip_network("2000::/3")
_BENCHMARK_RANGE = ip_network("198.18.0.0/15")
_NAT64 = ip_network("64:ff9b::/96")


async def fetch_file(client: CloudClient, file: OutputFile) -> bytes:
    """Return the content of an output file, at most MAX_FILE_BYTES.

    Raises:
        CloudError: the file cannot be downloaded, is too large, or is at an address that is not allowed.
    """
    found = await client.view_file(file)
    if isinstance(found, bytes):
        return found
    url = check_location(found, client.base_url.loopback)
    here = is_loopback(urlsplit(url).hostname or "")
    resolver = ThreadResolver() if here or client.proxy else PublicResolver()
    if (proxy := None if here else client.proxy) is not None:
        await _check_through_proxy(url)
    try:
        async with (
            open_session(
                connector=aiohttp.TCPConnector(resolver=resolver), total_seconds=DOWNLOAD_SECONDS, connect_seconds=10
            ) as session,
            session.get(
                yarl.URL(url, encoded=True), headers={"Accept-Encoding": "gzip"}, allow_redirects=False, proxy=proxy
            ) as response,
        ):
            if response.status != 200:
                raise (NotFound if response.status in (403, 404, 410) else NotComfyCloud)(response.status)
            body, whole = await read_capped(response, MAX_FILE_BYTES)
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as exc:
        failure = connection_failure(exc, "the storage")
    except ValueError:
        raise NotComfyCloud(302) from None  # an invalid host name
    else:
        if not whole:
            raise UnreadableAnswer(200, "file_too_large")
        return body
    return raise_without_context(failure)


async def _check_through_proxy(url: str) -> None:
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
    if scrub(location) != location or scrub(unquote(location)) != unquote(location):
        raise NotComfyCloud(302)  # the URL contains a secret, which must not be sent to the storage
    if not safe or odd or not host or not (here or _may_be_public(host)):
        raise NotComfyCloud(302)
    return location


def _may_be_public(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:
        # `PublicResolver` checks the addresses of names. aiohttp does not call a resolver for a host such as "127.1",
        # which the system then reads as an address.
        return ":" not in host and not host.replace(".", "").isdigit()


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
