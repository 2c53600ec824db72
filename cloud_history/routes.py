"""The HTTP routes below `/cloud_history/`: HTTP in, one use case, JSON out. Imports nothing of ComfyUI."""

from __future__ import annotations

import asyncio
import importlib.util
import uuid
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar

from aiohttp import web

from . import __version__
from .credentials import ApiKey, clean_key, looks_usual
from .errors import (
    BadRequest,
    Busy,
    CloudConnectionError,
    CloudError,
    CloudResponseError,
    CloudTimeoutError,
    CountRose,
    Forbidden,
    InputRefused,
    MissingDependency,
    PreviewExpired,
    SetupProblem,
    Unauthorized,
)
from .guards import RequestRefused, check_request, read_body
from .models import ClearResult, JobCounts
from .operations import Announce, Connection, Operations
from .previews import VALID_SECONDS, Previews
from .results import Payload, clear_payload, error_payload
from .secret import log
from .stopping import Unwatched, run_stoppable

PREFIX = "/cloud_history"
LONGEST_HOLD = 45.0
"""Seconds a request is held open. What takes longer goes on, and reports by websocket event."""

T = TypeVar("T")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HTTP_STATUS: tuple[tuple[type[CloudError], int], ...] = (
    (InputRefused, 400),
    (Busy, 409),
    (CountRose, 409),
    (PreviewExpired, 410),
    (SetupProblem, 409),
    (CloudTimeoutError, 504),
    (CloudConnectionError, 503),
    (CloudResponseError, 502),
)


def add_routes(
    table: web.RouteTableDef, operations: Operations, *, longest_hold: float = LONGEST_HOLD
) -> None:
    """Add the routes to a table. ComfyUI serves them plain and below `/api`."""
    routes = _Routes(operations, longest_hold)
    table.get(f"{PREFIX}/status")(_guarded(routes.status))
    table.post(f"{PREFIX}/key")(_guarded(routes.save_key))
    table.delete(f"{PREFIX}/key")(_guarded(routes.remove_key))
    table.post(f"{PREFIX}/preview")(_guarded(routes.preview))
    table.post(f"{PREFIX}/clear")(_guarded(routes.clear))
    table.post(f"{PREFIX}/unresolved/dismiss")(_guarded(routes.dismiss))


def _guarded(handler: Handler) -> Handler:
    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            check_request(request)
            return await handler(request)
        except CloudError as error:
            return _error(error)
        except web.HTTPException as error:
            return _error(RequestRefused("The request can’t be read.", http_status=error.status))
        except Exception:  # noqa: BLE001 - the edge: whatever it is, the answer holds no traceback
            log.exception("A route failed.")
            return _error(
                CloudError("Something went wrong in Comfy Cloud History.", hint="The log has the details.")
            )

    return answer


def _error(error: CloudError, **more: Any) -> web.Response:
    status = getattr(error, "http_status", None)
    status = status or next((code for kind, code in _HTTP_STATUS if isinstance(error, kind)), 500)
    return web.json_response({"error": error_payload(error), **more}, status=status, headers=_HEADERS)


def _json(payload: Payload, status: int = 200) -> web.Response:
    return web.json_response(payload, status=status, headers=_HEADERS)


_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class _Routes:
    def __init__(self, operations: Operations, longest_hold: float) -> None:
        self._operations = operations
        self._longest_hold = longest_hold
        self._previews = Previews()
        self._tasks: set[asyncio.Task[ClearResult]] = set()

    async def status(self, request: web.Request) -> web.Response:
        return _json(await self._status())

    async def save_key(self, request: web.Request) -> web.Response:
        body = await read_body(request, {"api_key": str, "unchecked": bool}, ("api_key",))
        secret = clean_key(body.pop("api_key"))
        account = None
        if not body.get("unchecked"):
            try:
                account = await self._in_time(self._operations.check_key(ApiKey(secret, "saved")))
            except (Unauthorized, Forbidden, BadRequest):
                raise
            except (CloudConnectionError, CloudResponseError) as error:
                # The key itself was not refused: it could not be tried.
                return _error(error, can_save_unchecked=True)
        await asyncio.to_thread(self._operations.keys.save, secret)
        status = await self._status()
        more = {"checked": account is not None, "account": account, "unusual": not looks_usual(secret)}
        return _json({**status, **more, "outranked": status["source"] == "env"})

    async def remove_key(self, request: web.Request) -> web.Response:
        await read_body(request, {})
        await asyncio.to_thread(self._operations.keys.remove)
        return _json(await self._status())

    async def dismiss(self, request: web.Request) -> web.Response:
        body = await read_body(request, {"operation": str}, ("operation",))
        known = {entry.operation for entry in await asyncio.to_thread(self._operations.unresolved)}
        if body["operation"] not in known:
            raise InputRefused("No unresolved operation has that name.")
        await asyncio.to_thread(self._operations.journal.resolve, body["operation"])
        return _json(await self._status())

    async def preview(self, request: web.Request) -> web.Response:
        body = await read_body(request, {"clear": bool}, ("clear",))
        if body["clear"] is not True:
            raise InputRefused("“clear” must be true. Nothing else can be previewed here.")
        connection = await self._operations.connect()
        counts = await self._in_time(self._operations.count(connection))
        return _json(self._keep(counts, connection))

    async def clear(self, request: web.Request) -> web.Response:
        body = await read_body(request, {"token": str}, ("token",))
        if (running := await asyncio.to_thread(self._operations.running)) is not None:
            return _busy(Busy("Another deletion is running.", origin=running.origin))
        connection = await self._operations.connect()
        preview = self._previews.redeem(body["token"], connection)
        operation = uuid.uuid4().hex
        task = asyncio.get_running_loop().create_task(
            self._operations.clear_history(
                "menu",
                _Announced(self._operations.announce, operation),
                connection=connection,
                confirmed=preview.counts.finished,
                wait=False,
                operation=operation,
            )
        )
        self._keep_alive(task)
        await asyncio.wait({task}, timeout=self._longest_hold)
        if not task.done():
            return _json({"operation": operation, "state": "running"}, status=202)
        try:
            result = task.result()
        except Busy as error:
            return _busy(error)
        except CountRose as error:
            return _error(error, operation=operation, preview=self._keep(error.counts, connection))
        except CloudError as error:
            return _error(error, operation=operation)
        return _json({"operation": operation, "state": "done", "result": clear_payload(result)})

    async def _in_time(self, work: Coroutine[Any, Any, T]) -> T:
        return await run_stoppable(work, Unwatched(), self._longest_hold)

    def _keep_alive(self, task: asyncio.Task[ClearResult]) -> None:
        # The event loop holds tasks weakly, and a browser that goes away must not stop what was confirmed.
        self._tasks.add(task)

        def done(ended: asyncio.Task[ClearResult]) -> None:
            self._tasks.discard(ended)
            if not ended.cancelled() and (error := ended.exception()) and not isinstance(error, CloudError):
                log.error("Clearing failed.", exc_info=error)

        task.add_done_callback(done)

    def _keep(self, counts: JobCounts, connection: Connection) -> Payload:
        return {
            "token": self._previews.keep(counts, connection),
            "expires_in": VALID_SECONDS,
            "taken_at": counts.taken_at.isoformat(),
            "counts": {
                "completed": counts.completed,
                "failed": counts.failed,
                "cancelled": counts.cancelled,
                "active": counts.active,
            },
            "finished": counts.finished,
            "last4": connection.key.secret.last4,
            "source": connection.key.source,
            "host": connection.base_url.host,
        }

    async def _status(self) -> Payload:
        operations, problem, key, host = self._operations, None, None, ""
        try:
            if importlib.util.find_spec("jsonschema") is None:
                raise MissingDependency("A Python package is missing: jsonschema.")
            host = operations.base_url().host
            key = await asyncio.to_thread(operations.keys.find)
        except SetupProblem as error:
            problem = error_payload(error)
        running = await asyncio.to_thread(operations.running)
        unresolved = await asyncio.to_thread(operations.unresolved)
        return {
            "version": __version__,
            "configured": key is not None,
            "source": key.source if key else None,
            "last4": key.secret.last4 if key else "",
            "host": host,
            "running": running.summary() if running else None,
            "finished": [{"operation": name, "result": result} for name, result in list(operations.finished)],
            "unresolved": [entry.summary() for entry in unresolved],
            "problem": problem,
        }


class _Announced(Unwatched):
    """Tells the browsers how far an operation is. Nobody can stop it: it is one request."""

    def __init__(self, announce: Announce, operation: str) -> None:
        self._announce = announce
        self._operation = operation

    def progress(self, phase: str, done: int, total: int) -> None:
        event = {"operation": self._operation, "kind": "clear", "node": None, "phase": phase}
        self._announce("cloud_history.progress", {**event, "done": done, "total": total})


def _busy(error: Busy) -> web.Response:
    return _error(error, origin="menu" if error.origin == "menu" else "node")
