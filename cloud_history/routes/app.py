"""Make the handlers of the routes below `/cloud_history/`. This module imports nothing of ComfyUI."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps

from aiohttp import web

from .. import environment
from ..approval.approval import ApprovalAnswers
from ..deletion.holds import Holds
from ..deletion.preview import Previews
from ..errors import CloudError, SetupProblem
from ..outputs.saves import Saves
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
from .saves import SaveRoutes
from .status import KeyRoutes, StatusRoutes
from .table import ROUTES, Handler, Route
from .thumbnails import Thumbnails
from .words import WordRoutes


def make_handlers(
    operations: Operations,
    *,
    max_seconds: float = MAX_REQUEST_SECONDS,
    environ: Mapping[str, str] = environment.PROCESS,
    holds: Holds | None = None,
    saves: Saves | None = None,
    answers: ApprovalAnswers | None = None,
) -> dict[str, Handler]:
    """Return the handlers by the keys of their routes. Each handler checks its request first.

    Args:
        max_seconds: maximum time for which a request is held open.
    """
    saves = saves or Saves(operations.outputs.running, operations.save_outputs, operations.tell_of_save)
    context = Context(operations, holds or Holds(operations), Previews(), Thumbnails(operations), saves, max_seconds)
    status, answers = StatusRoutes(context), answers or ApprovalAnswers(operations.folder)
    groups = {
        "status": status,
        "key": KeyRoutes(context, status),
        "protection": ProtectionRoutes(context),
        "audit": AuditRoutes(context),
        "deletion": DeletionRoutes(context),
        "clean_up": CleanUpRoutes(context),
        "jobs": JobRoutes(context),
        "approval": ApprovalRoutes(context, answers),
        "saves": SaveRoutes(context, answers),
        "words": WordRoutes(),
    }
    handlers: dict[str, Handler] = {}
    for route in ROUTES:
        group, _, method = route.handler.partition(".")
        handlers[route.key] = _with_checks(getattr(groups[group], method), environ, route, operations.keys)
    return handlers


def make_refusing_handlers(
    problem: SetupProblem, environ: Mapping[str, str] = environment.PROCESS
) -> dict[str, Handler]:
    """Return handlers that answer every request with `problem`."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        return error_answer(problem)

    return {route.key: _with_checks(refuse, environ, route, None) for route in ROUTES}


def _with_checks(handler: Handler, environ: Mapping[str, str], route: Route, keys: KeyStore | None) -> Handler:
    """Wrap a handler: check each request first, and answer every error as JSON."""

    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            check_request(request, environ, has_ticket=route.has_ticket)
            if keys is not None and not route.works_for_many_users:
                keys.check_key_is_not_shared()
                if route.has_stored_text:
                    await run_in_thread(keys.remember)  # otherwise `scrub` would miss the key in texts
            return await in_pieces(request, await handler(request))
        except CloudError as error:
            return error_answer(error)
        except web.HTTPException as error:
            return error_answer(RequestRefused("request_unreadable", http_status=error.status))
        except ConnectionResetError:
            raise  # the browser disconnected during the answer
        except Exception:  # noqa: BLE001 - any other error is logged and answered without a traceback
            log.exception("A route failed.")
            return error_answer(CloudError("internal"))

    return answer
