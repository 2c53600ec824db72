"""Every route of ours, and what kind it is."""

from __future__ import annotations

JOB = "01234567-89ab-cdef-0123-456789abcdef"

WHERE = {
    "status": ("GET", "status"),
    "progress": ("GET", "progress"),
    "node_report": ("GET", "node_reports/REPORT"),
    "details": ("GET", f"jobs/{JOB}"),
    "workflow": ("GET", f"jobs/{JOB}/workflow"),
    "thumbnail": ("GET", f"thumbnail?job={JOB}&file=FILE"),
    "stop": ("POST", "stop"),
    "undo": ("POST", "undo"),
    "dismiss": ("POST", "unresolved/dismiss"),
    "dismiss_hold": ("POST", "holds/dismiss"),
    "cancel": ("POST", "cancel"),
    "jobs": ("POST", "jobs"),
    "delete": ("POST", "delete"),
    "clear": ("POST", "clear"),
    "preview": ("POST", "preview"),
    "clean_up": ("POST", "clean_up"),
    "record": ("GET", "record"),
    "record_csv": ("GET", "record.csv"),
    "record_jobs": ("GET", "record/OPERATION"),
    "backup": ("GET", "backups/OPERATION"),
    "backed_up_job": ("GET", f"backups/OPERATION/{JOB}"),
    "backed_up_workflow": ("GET", f"backups/OPERATION/{JOB}/workflow"),
    "delete_backup": ("DELETE", "backups/OPERATION"),
    "ask_question": ("POST", "ask/question"),
    "ask_seen": ("POST", "ask/seen"),
    "ask_answer": ("POST", "ask/answer"),
    "settings": ("POST", "settings"),
    "protection": ("GET", "protection"),
    "protect": ("POST", "protection"),
    "start_empty": ("POST", "protection/start_empty"),
    "start_anew": ("POST", "state/start_anew"),
    "save_key": ("POST", "key"),
    "remove_key": ("DELETE", "key"),
}
ROUTES = tuple(WHERE)
"""In an order in which each can be used, once, with what the stage has ready."""
READING = (
    "status",
    "progress",
    "node_report",
    "details",
    "thumbnail",
    "protection",
    "record",
    "record_csv",
    "record_jobs",
    "backup",
    "backed_up_job",
    "backed_up_workflow",
    "workflow",
)
CHANGING = tuple(route for route in ROUTES if route not in READING)
"""All that take a body."""
EMPTY = ("remove_key", "start_empty", "start_anew", "delete_backup")
"""Those whose honest body is an empty object."""
ALSO_READ = ("protect", "delete_backup")
"""Those whose address can be read too."""
LARGE = ("preview", "protect")
"""Those whose body may name many jobs."""
