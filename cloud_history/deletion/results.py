"""Results and errors as JSON, for the routes, the websocket and the browser."""

from __future__ import annotations

from typing import Any

from ..errors import CloudError
from ..jobs.models import ClearOutcome, ClearResult, DeletionResult, Outcome
from ..secret import scrub
from .report import clear_report, deletion_report

Payload = dict[str, Any]


def error_payload(error: CloudError) -> Payload:
    """What a browser may know of an error."""
    return {
        "code": error.code,
        "message": scrub(error.message),
        "hint": scrub(error.hint),
        "status": error.status,
        "retry_after": getattr(error, "retry_after", None),
        "cloud_says": scrub(getattr(error, "cloud_says", "")),
    }


def clear_payload(result: ClearResult) -> Payload:
    """A clear, as far as it is known."""
    stopped = result.stopped and result.outcome is not ClearOutcome.DELETED
    return {
        "kind": "clear",
        "outcome": "stopped" if stopped else result.outcome.value,
        "before": result.before.finished,
        "removed": result.removed,
        "listed": result.listed,
        "doubt": result.doubt,
        "active": (result.after or result.before).active,
        "report": scrub(clear_report(result)),
        "error": error_payload(result.error) if result.error else None,
    }


def deletion_payload(result: DeletionResult) -> Payload:
    """A deletion: how many of each outcome, and the jobs that were not deleted."""
    return {
        "kind": "delete",
        "total": len(result.jobs),
        "counts": {
            outcome.value: len(result.ids(outcome)) for outcome in Outcome if outcome is not Outcome.ACCEPTED
        },
        "jobs": {
            job_id: {"outcome": each.outcome.value, "why": each.why}
            for job_id, each in result.jobs.items()
            if each.outcome is not Outcome.DELETED
        },
        "stopped": result.stopped,
        "backed_up": result.backed_up,
        "report": scrub(deletion_report(result)),
        "error": error_payload(result.errors[0]) if result.errors else None,
    }


def failure_payload(kind: str, error: CloudError) -> Payload:
    """An operation that sent nothing, because of this error. It names no jobs: nothing has become of any."""
    return {
        "kind": kind,
        "outcome": "failed",
        "before": None,
        "removed": 0,
        "listed": None,
        "active": None,
        "report": scrub(f"Nothing was sent. {error}"),
        "error": error_payload(error),
    }
