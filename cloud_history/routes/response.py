"""JSON, file and error answers of the routes, and the context that all routes share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web

from ..deletion.holds import Holds
from ..deletion.preview import Preview, Previews
from ..deletion.report import Payload, error_payload
from ..errors import (
    ApprovalClosed,
    BackupDamaged,
    Busy,
    CloudConnectionError,
    CloudError,
    CloudResponseError,
    CloudTimeoutError,
    InputRefused,
    ListNotWhole,
    NestedTooDeeply,
    NotFound,
    OperationRefused,
    PreviewExpired,
    SetupProblem,
)
from ..json_pieces import ThreadPauses, dumps
from ..outputs.saves import Saves
from ..service import Operations
from ..state.credentials import Connection
from ..tasks.own_loop import run_on_own_loop
from ..tasks.stopping import Unwatched, run_stoppable
from ..tasks.threads import compute_in_thread
from .request import MAX_SEND_SECONDS
from .thumbnails import Thumbnails

PIECE = 256 * 1024
"""Size in bytes of the pieces in which a large answer is sent."""
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

_HTTP_STATUS: tuple[tuple[type[CloudError], int], ...] = (
    (InputRefused, 400),
    (PreviewExpired, 410),
    (ApprovalClosed, 410),
    (OperationRefused, 409),
    (SetupProblem, 409),
    (BackupDamaged, 409),
    (CloudTimeoutError, 504),
    (CloudConnectionError, 503),
    (NotFound, 404),
    (CloudResponseError, 502),
    (ListNotWhole, 502),
    (NestedTooDeeply, 502),
)
_HTTP_STATUS_BY_CODE = {"too_late": 410, "ticket_expired": 410, "not_supported": 501}


async def in_pieces(
    request: web.Request, response: web.StreamResponse, seconds: float = MAX_SEND_SECONDS
) -> web.StreamResponse:
    """Send a large answer in pieces, and disconnect a browser that stops reading. Return a small answer unchanged.

    Args:
        seconds: time limit for each piece.

    Raises:
        ConnectionResetError: the browser disconnected, or was disconnected.
    """
    body = response.body if isinstance(response, web.Response) else None
    if response.prepared or not isinstance(body, bytes) or len(body) <= PIECE:
        return response
    stream = web.StreamResponse(status=response.status, headers=response.headers)
    stream.content_length = len(body)
    await stream.prepare(request)
    for at in range(0, len(body), PIECE):
        await write_in_time(request, stream.write(body[at : at + PIECE]), seconds)
    await write_in_time(request, stream.write_eof(), seconds)
    return stream


async def write_in_time(request: web.Request, writing: Awaitable[None], seconds: float = MAX_SEND_SECONDS) -> None:
    """Wait until a part of an answer is sent.

    Raises:
        ConnectionResetError: the browser disconnected, or was disconnected because it read nothing for `seconds`.
    """
    try:
        await asyncio.wait_for(writing, seconds)
    except asyncio.TimeoutError:
        if request.transport is not None:
            request.transport.abort()  # `close` would wait until the browser reads the rest
        raise ConnectionResetError("the browser stopped reading") from None


def error_answer(error: CloudError, **more: Any) -> web.Response:
    status = getattr(error, "http_status", None) or _HTTP_STATUS_BY_CODE.get(error.code)
    status = status or next((code for kind, code in _HTTP_STATUS if isinstance(error, kind)), 500)
    return json_answer({"error": error_payload(error), **more}, status)


def busy_answer(error: Busy) -> web.Response:
    return error_answer(error, origin="node" if error.origin.startswith("node") else "menu")


async def large_json_answer(payload: Payload, status: int = 200) -> web.Response:
    """Return a JSON answer that may be large. It is serialised in a thread that pauses for other threads."""
    body = await compute_in_thread(lambda: dumps(payload, ThreadPauses()).encode("utf-8"))
    headers = {**HEADERS, "Content-Type": "application/json; charset=utf-8"}
    return web.Response(body=body, status=status, headers=headers)


def json_answer(payload: Payload, status: int = 200) -> web.Response:
    return web.json_response(payload, status=status, headers=HEADERS, dumps=lambda value: dumps(value, lambda: None))


def file_answer(content: bytes) -> web.Response:
    """Return a JSON file to download. The page chooses its name."""
    headers = {**HEADERS, "Content-Disposition": "attachment", "Content-Type": "application/json; charset=utf-8"}
    return web.Response(body=content, headers=headers)


T = TypeVar("T")

MAX_REQUEST_SECONDS = 45.0
"""Maximum time for which a request is held open. Longer work goes on, and websocket events report it."""


@dataclass
class Context:
    """State that all routes share.

    Attributes:
        can_cancel: whether the server has the route that cancels jobs; None until the route was tried.
    """

    operations: Operations
    holds: Holds
    previews: Previews[Preview]
    thumbnails: Thumbnails
    saves: Saves
    max_seconds: float = MAX_REQUEST_SECONDS
    can_cancel: bool | None = None

    async def find_connection(self, account: str | None) -> Connection:
        """Return the server and the key in use.

        Args:
            account: the account in the first line of the list from which jobs were chosen; None if none were chosen.

        Raises:
            OperationRefused: the server or the key has changed since then, so the account may have other jobs.
            SetupProblem: there is no usable key or server address.
        """
        connection = await self.operations.find_connection()
        if account is not None and account != connection.account:
            raise OperationRefused("account_changed")
        return connection

    async def in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` on the pack's own event loop. Raise CloudTimeoutError after `max_seconds`."""
        return await run_stoppable(run_on_own_loop(work), Unwatched(), self.max_seconds)
