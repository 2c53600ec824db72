"""Looking up the addresses of a host, in threads that nobody joins.

aiohttp asks in asyncio's own executor, whose threads `asyncio.run` joins: a resolver that hangs would hold up ComfyUI's
queue for as long, after the node has ended.
"""

from __future__ import annotations

import socket
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult

from ..errors import StateSilent
from ..tasks.threads import names, result_of

SECONDS = 20.0
"""More than connecting may take, so this is for threads that are all busy."""


class OwnResolver(AbstractResolver):
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
            found = await result_of(ask, names, SECONDS)
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
