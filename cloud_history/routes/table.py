"""The list of all routes. Their handlers are imported at the first request, so that ComfyUI starts faster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PREFIX = "/cloud_history"


class Route(NamedTuple):
    """One route.

    Attributes:
        path: the path below `/cloud_history/`.
        handler: `group.method`, where `app` makes the groups.
        works_for_many_users: whether the route works if several people share a ComfyUI that cannot tell them apart. The
            other routes would show one person's jobs to everybody.
        has_stored_text: whether the route stores or returns a text without contacting Comfy Cloud. The API key is
            loaded before, so that it can be scrubbed from the text.
        has_ticket: whether the path contains a ticket that another route issued. A video element can't send the header
            that the other routes require.
    """

    key: str
    method: str
    path: str
    handler: str
    works_for_many_users: bool = False
    has_stored_text: bool = False
    has_ticket: bool = False


ROUTES = (
    Route("status", "GET", "status", "status.status", works_for_many_users=True),
    Route("progress", "GET", "progress", "status.progress"),
    Route("words", "GET", "words/{language}", "words.words", works_for_many_users=True),
    Route("node_report", "GET", "node_reports/{name}", "status.node_report", works_for_many_users=True),
    Route("details", "GET", "jobs/{job_id}", "jobs.details"),
    Route("workflow", "GET", "jobs/{job_id}/workflow", "jobs.workflow"),
    Route("output", "GET", "jobs/{job_id}/output", "jobs.output"),
    Route("thumbnail", "GET", "thumbnail", "jobs.thumbnail"),
    Route("open_media", "POST", "media", "jobs.open_media"),
    Route("media", "GET", "media/{ticket}", "jobs.media", has_ticket=True),
    Route("stop", "POST", "stop", "deletion.stop"),
    Route("undo", "POST", "undo", "deletion.undo"),
    Route("dismiss", "POST", "unresolved/dismiss", "status.dismiss_unresolved"),
    Route("dismiss_hold", "POST", "holds/dismiss", "status.dismiss_hold"),
    Route("cancel", "POST", "cancel", "jobs.cancel"),
    Route("jobs", "POST", "jobs", "jobs.jobs"),
    Route("delete", "POST", "delete", "deletion.delete"),
    Route("clear", "POST", "clear", "deletion.clear"),
    Route("preview", "POST", "preview", "deletion.preview"),
    Route("clean_up", "POST", "clean_up", "clean_up.preview"),
    Route("record", "GET", "record", "audit.entries", has_stored_text=True),
    Route("record_csv", "GET", "record.csv", "audit.csv", has_stored_text=True),
    Route("record_jobs", "GET", "record/{operation}", "audit.jobs", has_stored_text=True),
    Route("backup", "GET", "backups/{operation}", "audit.backup", has_stored_text=True),
    Route("backed_up_job", "GET", "backups/{operation}/{job_id}", "audit.backed_up_job", has_stored_text=True),
    Route(
        "backed_up_workflow",
        "GET",
        "backups/{operation}/{job_id}/workflow",
        "audit.backed_up_workflow",
        has_stored_text=True,
    ),
    Route("delete_backup", "DELETE", "backups/{operation}", "audit.delete_backup"),
    Route("ask_question", "POST", "ask/question", "approval.show", works_for_many_users=True),
    Route("ask_seen", "POST", "ask/seen", "approval.seen", works_for_many_users=True),
    Route("ask_answer", "POST", "ask/answer", "approval.answer", works_for_many_users=True),
    Route("preview_save", "POST", "outputs/preview", "saves.preview"),
    Route("save_outputs", "POST", "outputs/save", "saves.save"),
    Route("saves", "GET", "outputs/saves", "saves.saves", has_stored_text=True),
    Route("stop_save", "POST", "outputs/stop", "saves.stop"),
    Route("continue_save", "POST", "outputs/continue", "saves.continue_interrupted"),
    Route("dismiss_save", "POST", "outputs/dismiss", "saves.dismiss"),
    Route("retry_save", "POST", "outputs/retry", "saves.retry"),
    Route("output_facts", "POST", "outputs/facts", "saves.facts"),
    Route("saved_outputs", "POST", "outputs/saved", "saves.saved", has_stored_text=True),
    Route("saved_outputs_of", "GET", "outputs/of/{job_id}", "saves.of_job", has_stored_text=True),
    Route("saved_file", "GET", "outputs/of/{job_id}/{number}", "saves.file", has_stored_text=True),
    Route("settings", "POST", "settings", "status.change_settings"),
    Route("protection", "GET", "protection", "protection.show"),
    Route("protect", "POST", "protection", "protection.change", has_stored_text=True),
    Route("start_empty", "POST", "protection/start_empty", "protection.start_empty"),
    Route("start_anew", "POST", "state/start_anew", "status.start_anew"),
    Route("save_key", "POST", "key", "key.save"),
    Route("remove_key", "DELETE", "key", "key.remove", works_for_many_users=True),
)


def add_routes(table: web.RouteTableDef, handlers: Callable[[], Mapping[str, Handler]]) -> None:
    """Add all routes to a table. ComfyUI serves each route with and without the prefix `/api`.

    Args:
        handlers: a function that returns the handlers by the keys of their routes. It is called at each request.
    """

    def later(key: str) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await handlers()[key](request)

        return answer

    for route in ROUTES:
        table.route(route.method, f"{PREFIX}/{route.path}")(later(route.key))
