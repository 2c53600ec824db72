"""What answers the routes below `/cloud_history/`: HTTP in, one use case, JSON out. Imports nothing of ComfyUI."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps

from aiohttp import web

from .. import environment
from ..approval.approval import ApprovalAnswers
from ..deletion.holds import Holds
from ..deletion.preview import Previews
from ..errors import CloudError, SetupProblem
from ..secret import log
from ..service import Operations
from ..state.credentials import KeyStore
from ..tasks.threads import run_in_thread
from .approval import ApprovalRoutes
from .audit import AuditRoutes
from .deletion import CleanUpRoutes, DeletionRoutes
from .jobs import JobRoutes
from .protection import ProtectionRoutes
from .request import RequestRefused, check_request
from .response import MAX_REQUEST_SECONDS, Context, error_answer, in_pieces
from .status import KeyRoutes, StatusRoutes
from .table import ROUTES, Handler, Route
from .thumbnails import Thumbnails


def make_handlers(
    operations: Operations,
    *,
    max_seconds: float = MAX_REQUEST_SECONDS,
    environ: Mapping[str, str] = environment.PROCESS,
    holds: Holds | None = None,
    answers: ApprovalAnswers | None = None,
) -> dict[str, Handler]:
    """The handlers by the keys of their routes, behind the guards.

    Args:
        max_seconds: how long a request may be held open.
    """
    context = Context(operations, holds or Holds(operations), Previews(), Thumbnails(operations), max_seconds)
    status = StatusRoutes(context)
    groups = {
        "status": status,
        "key": KeyRoutes(context, status),
        "protection": ProtectionRoutes(context),
        "audit": AuditRoutes(context),
        "deletion": DeletionRoutes(context),
        "clean_up": CleanUpRoutes(context),
        "jobs": JobRoutes(context),
        "approval": ApprovalRoutes(context, answers or ApprovalAnswers(operations.folder)),
    }
    handlers: dict[str, Handler] = {}
    for route in ROUTES:
        group, _, method = route.handler.partition(".")
        handlers[route.key] = _guarded(getattr(groups[group], method), environ, route, operations.keys)
    return handlers


def make_refusing_handlers(
    problem: SetupProblem, environ: Mapping[str, str] = environment.PROCESS
) -> dict[str, Handler]:
    """Handlers that answer with the reason why the operations could not be made."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        return error_answer(problem)

    return {route.key: _guarded(refuse, environ, route, None) for route in ROUTES}


def _guarded(handler: Handler, environ: Mapping[str, str], route: Route, keys: KeyStore | None) -> Handler:
    """The handler behind the guards, with every error as JSON."""

    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            check_request(request, environ)
            if keys is not None and not route.for_many:
                keys.check_key_is_not_shared()
                if route.has_kept_text:
                    await run_in_thread(keys.remember)  # so that texts are scrubbed of it
            return await in_pieces(request, await handler(request))
        except CloudError as error:
            return error_answer(error)
        except web.HTTPException as error:
            return error_answer(RequestRefused("request_unreadable", http_status=error.status))
        except ConnectionResetError:
            raise  # the browser went away while it was answered
        except Exception:  # noqa: BLE001 - the edge: whatever it is, the answer holds no traceback
            log.exception("A route failed.")
            return error_answer(CloudError("internal"))

    return answer
