"""Which routes there are, without what answers them: ComfyUI wants them at its start, and most starts ask none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Key = tuple[str, str]

PREFIX = "/cloud_history"
ROUTES: tuple[Key, ...] = (
    ("GET", "status"),
    ("GET", "progress"),
    ("GET", "node_reports/{name}"),
    ("POST", "settings"),
    ("GET", "protection"),
    ("POST", "protection"),
    ("POST", "protection/start_empty"),
    ("POST", "state/start_anew"),
    ("POST", "unresolved/dismiss"),
    ("POST", "holds/dismiss"),
    ("POST", "key"),
    ("DELETE", "key"),
    ("GET", "record"),
    ("GET", "record.csv"),
    ("GET", "record/{operation}"),
    ("GET", "backups/{operation}"),
    ("DELETE", "backups/{operation}"),
    ("GET", "backups/{operation}/{job_id}"),
    ("GET", "backups/{operation}/{job_id}/workflow"),
    ("POST", "preview"),
    ("POST", "clean_up"),
    ("POST", "delete"),
    ("POST", "clear"),
    ("POST", "undo"),
    ("POST", "stop"),
    ("POST", "jobs"),
    ("GET", "jobs/{job_id}"),
    ("GET", "jobs/{job_id}/workflow"),
    ("POST", "cancel"),
    ("GET", "thumbnail"),
    ("POST", "ask/question"),
    ("POST", "ask/seen"),
    ("POST", "ask/answer"),
)


def add_lazily(table: web.RouteTableDef, handlers: Callable[[], dict[Key, Handler]]) -> None:
    """Add all routes to a table. `handlers` is called when the first of them is asked for, and remembers its answer."""

    def later(key: Key) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            return await handlers()[key](request)

        return answer

    for method, path in ROUTES:
        table.route(method, f"{PREFIX}/{path}")(later((method, path)))
