"""Fetching a file from where Comfy Cloud keeps it: one redirect, without the key, to a public address only."""

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
"""Where only the proxy knows the names of the internet, the DNS of this network may not answer at all."""

_GLOBAL_UNICAST = ip_network("2000::/3")
_BENCHMARK_RANGE = ip_network("198.18.0.0/15")
_NAT64 = ip_network("64:ff9b::/96")


async def fetch_file(client: CloudClient, file: OutputFile) -> bytes:
    """The bytes of an output, at most 20 MB.

    Raises:
        CloudError: it cannot be had, or is not where a file may be.
    """
    found = await client.view_file(file)
    if isinstance(found, bytes):
        return found
    url = check_location(found, client.base_url.loopback)
    here = is_loopback(urlsplit(url).hostname or "")
    resolver = ThreadResolver() if here or client.proxy else PublicResolver()
    proxy = None if here else client.proxy
    if proxy is not None:
        await _check_through_proxy(url)
    try:
        async with (
            open_session(
                connector=aiohttp.TCPConnector(resolver=resolver),
                total_seconds=DOWNLOAD_SECONDS,
                connect_seconds=10,
            ) as session,
            session.get(
                yarl.URL(url, encoded=True),
                headers={"Accept-Encoding": "gzip"},
                allow_redirects=False,
                proxy=proxy,
            ) as response,
        ):
            if response.status != 200:
                raise _download_error(response.status)
            body, whole = await read_capped(response, MAX_FILE_BYTES)
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as exc:
        failure = connection_failure(exc, "the storage")
    except ValueError:
        raise NotComfyCloud(302) from None  # no name a computer can have
    else:
        if not whole:
            raise UnreadableAnswer(200, "file_too_large")
        return body
    return raise_without_context(failure)


async def _check_through_proxy(url: str) -> None:
    """Look at the name before a proxy does, which would fetch from its own network too.

    A name that only the proxy can look up is left to it, unless it has no dot: such a name is a machine's nearby.

    Raises:
        NotComfyCloud: the name means a private address.
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


def _download_error(status: int) -> NotFound | NotComfyCloud:
    return NotFound(status) if status in (403, 404, 410) else NotComfyCloud(status)


def check_location(location: str, loopback_allowed: bool) -> str:
    """Where a redirect may lead: https, or this machine when Comfy Cloud itself is on it.

    Raises:
        NotComfyCloud: anything else, above all a private address.
    """
    try:
        parts = urlsplit(location)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise NotComfyCloud(302) from None
    here = is_loopback(host)
    safe = (parts.scheme == "https" and not here) or (
        here and loopback_allowed and parts.scheme in ("http", "https")
    )
    odd = parts.username is not None or any(not "!" <= each <= "~" for each in location) or port == 0
    if scrub(location) != location or scrub(unquote(location)) != unquote(location):
        raise NotComfyCloud(302)  # it would carry the key, or another secret, to the storage
    if not safe or odd or not host or not (here or _may_be_public(host)):
        raise NotComfyCloud(302)
    return location


def _may_be_public(host: str) -> bool:
    try:
        return is_public(host)
    except ValueError:
        # A name: its address is looked at when it is connected to. Not so "127.1": aiohttp takes whatever looks like
        # a number for an address and asks no resolver, and the system then reads it as one.
        return ":" not in host and not host.replace(".", "").isdigit()


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet. Raises ValueError for what is no address."""
    found = ip_address(address.split("%")[0])
    if isinstance(found, IPv6Address):
        if found in _NAT64:
            return is_public(str(ip_address(int(found) & 0xFFFFFFFF)))
        # The other ways to write an IPv4 address lie outside of it, but for two.
        if found not in _GLOBAL_UNICAST or found.sixtofour is not None or found.teredo is not None:
            mapped = found.ipv4_mapped
            return mapped is not None and is_public(str(mapped))
    return found.is_global and not found.is_multicast


def _is_allowed_address(address: str) -> bool:
    """Whether an address that a name means is public, or made up by the DNS of a TUN proxy (Clash, sing-box, Surge).

    Such a proxy gives each name an address from a range that is kept for benchmarks of networks (RFC 2544), and looks
    the name up itself when it is connected to.
    """
    return is_public(address) or ip_address(address.split("%")[0]) in _BENCHMARK_RANGE


class PublicResolver(ThreadResolver):
    """Gives public addresses alone: what is checked is what is connected to."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = [
            each for each in await super().resolve(host, port, family) if _is_allowed_address(each["host"])
        ]
        if not found:
            raise OSError(None, "no public address")
        return found
