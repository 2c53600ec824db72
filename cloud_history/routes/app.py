"""The HTTP routes below `/cloud_history/`: HTTP in, one use case, JSON out. Imports nothing of ComfyUI."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps

from aiohttp import web

from .. import environment
from ..approval.approval import Answers
from ..deletion.holds import Holds
from ..deletion.preview import Previews
from ..errors import SetupProblem
from ..service import Operations
from ..tasks.threads import run_in_thread
from .approval import AskingRoutes
from .audit import RecordRoutes
from .deletion import CleanUpRoutes, DeletionRoutes
from .jobs import ReadingRoutes
from .protection import ProtectionRoutes
from .response import MAX_REQUEST_SECONDS, Context, error_answer, guarded
from .status import KeyRoutes, StatusRoutes
from .table import ROUTES, Handler, Key, add_lazily
from .thumbnails import Thumbnails

FOR_MANY: frozenset[Key] = frozenset(
    {
        ("GET", "status"),
        ("GET", "node_reports/{name}"),
        ("DELETE", "key"),
        ("POST", "ask/question"),
        ("POST", "ask/seen"),
        ("POST", "ask/answer"),
    }
)
"""What works where several people use one ComfyUI that cannot tell them apart: all else would be everybody's."""


OF_WHAT_WAS_KEPT: frozenset[Key] = frozenset(
    {
        ("POST", "protection"),
        ("GET", "record"),
        ("GET", "record.csv"),
        ("GET", "record/{operation}"),
        ("GET", "backups/{operation}"),
        ("GET", "backups/{operation}/{job_id}"),
        ("GET", "backups/{operation}/{job_id}/workflow"),
    }
)
"""What keeps a text, or shows one that was kept, and asks Comfy Cloud nothing.

The key that such a text may hold may not have been read yet."""


def make_handlers(
    operations: Operations,
    *,
    longest_hold: float = MAX_REQUEST_SECONDS,
    environ: Mapping[str, str] = environment.PROCESS,
    holds: Holds | None = None,
    answers: Answers | None = None,
) -> dict[Key, Handler]:
    """What answers each route of `route_table`, behind the guards."""
    context = Context(
        operations, holds or Holds(operations), Previews(), Thumbnails(operations), longest_hold
    )
    handlers = _handlers(context, answers or Answers(operations.folder))
    return {
        route: guarded(
            handler
            if route in FOR_MANY
            else _for_one(operations, handler, knows_key=route in OF_WHAT_WAS_KEPT),
            environ,
        )
        for route, handler in handlers.items()
    }


def _handlers(context: Context, answers: Answers) -> dict[Key, Handler]:
    status = StatusRoutes(context)
    protection, record = ProtectionRoutes(context), RecordRoutes(context)
    asking = AskingRoutes(context, answers)
    key, deletion, reading = KeyRoutes(context, status), DeletionRoutes(context), ReadingRoutes(context)
    return {
        ("GET", "status"): status.status,
        ("GET", "progress"): status.progress,
        ("GET", "node_reports/{name}"): status.node_report,
        ("POST", "settings"): status.change_settings,
        ("GET", "protection"): protection.show,
        ("POST", "protection"): protection.change,
        ("POST", "protection/start_empty"): protection.start_empty,
        ("POST", "state/start_anew"): status.start_anew,
        ("POST", "unresolved/dismiss"): status.dismiss_unresolved,
        ("POST", "holds/dismiss"): status.dismiss_hold,
        ("POST", "key"): key.save,
        ("DELETE", "key"): key.remove,
        ("GET", "record"): record.entries,
        ("GET", "record.csv"): record.csv,
        ("GET", "record/{operation}"): record.jobs,
        ("GET", "backups/{operation}"): record.backup,
        ("DELETE", "backups/{operation}"): record.delete_backup,
        ("GET", "backups/{operation}/{job_id}"): record.backed_up_job,
        ("GET", "backups/{operation}/{job_id}/workflow"): record.backed_up_workflow,
        ("POST", "preview"): deletion.preview,
        ("POST", "clean_up"): CleanUpRoutes(context).preview,
        ("POST", "delete"): deletion.delete,
        ("POST", "clear"): deletion.clear,
        ("POST", "undo"): deletion.undo,
        ("POST", "stop"): deletion.stop,
        ("POST", "jobs"): reading.jobs,
        ("GET", "jobs/{job_id}"): reading.details,
        ("GET", "jobs/{job_id}/workflow"): reading.workflow,
        ("POST", "cancel"): reading.cancel,
        ("GET", "thumbnail"): reading.thumbnail,
        ("POST", "ask/question"): asking.show,
        ("POST", "ask/seen"): asking.seen,
        ("POST", "ask/answer"): asking.answer,
    }


def refusing_handlers(
    problem: SetupProblem, environ: Mapping[str, str] = environment.PROCESS
) -> dict[Key, Handler]:
    """What answers each route where the operations could not be made: the reason."""

    async def refuse(request: web.Request) -> web.StreamResponse:
        return error_answer(problem)

    return dict.fromkeys(ROUTES, guarded(refuse, environ))


def _for_one(operations: Operations, handler: Handler, *, knows_key: bool) -> Handler:
    """The handler, refusing where its answer would be for everybody.

    Args:
        knows_key: whether the key is read first, so that texts are scrubbed of it.
    """

    @wraps(handler)
    async def answer(request: web.Request) -> web.StreamResponse:
        operations.keys.check_users()
        if knows_key:
            await run_in_thread(operations.keys.remember)
        return await handler(request)

    return answer


def add_routes(
    table: web.RouteTableDef,
    operations: Operations,
    *,
    longest_hold: float = MAX_REQUEST_SECONDS,
    environ: Mapping[str, str] = environment.PROCESS,
    holds: Holds | None = None,
    answers: Answers | None = None,
) -> None:
    """Add the routes to a table. ComfyUI serves them plain and below `/api`."""
    handlers = make_handlers(
        operations, longest_hold=longest_hold, environ=environ, holds=holds, answers=answers
    )
    add_lazily(table, lambda: handlers)
