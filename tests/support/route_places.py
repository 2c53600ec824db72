"""Every route of the pack with its kind."""

from __future__ import annotations

from cloud_history import __version__
from cloud_history.routes import table
from cloud_history.routes.table import Route

JOB = "01234567-89ab-cdef-0123-456789abcdef"

_VALUES = {
    "{job_id}": JOB,
    "{operation}": "OPERATION",
    "{name}": "REPORT",
    "{ticket}": "TICKET",
    "{number}": "0",
    "{language}": "en",
}
_QUERIES = {"thumbnail": f"?job={JOB}&file=FILE", "output": "?file=FILE", "words": f"?version={__version__}"}


def _place(route: Route) -> tuple[str, str]:
    path = route.path
    for name, value in _VALUES.items():
        path = path.replace(name, value)
    return route.method, path + _QUERIES.get(route.key, "")


WHERE = {route.key: _place(route) for route in table.ROUTES}
ROUTES = tuple(WHERE)
"""In an order in which each can be used, once, with what the stage has ready."""
CHANGING = tuple(route.key for route in table.ROUTES if route.method != "GET")
"""All that take a body."""
EMPTY = ("remove_key", "start_empty", "start_anew", "delete_backup")
"""Those whose honest body is an empty object."""
WITHOUT_HEADER = tuple(route.key for route in table.ROUTES if route.has_ticket)
"""Those that a video element asks, which can't send the header."""
ALSO_READ = ("protect", "delete_backup")
"""Those whose address can be read too."""
LARGE = ("preview", "protect", "preview_save", "output_facts", "saved_outputs")
"""Those whose body may name many jobs."""
