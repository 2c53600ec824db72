"""Entries for the tests of the audit log."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from cloud_history.deletion.outcomes import DeletionResult, JobOutcome, Outcome
from cloud_history.deletion.queue import outcome_of
from cloud_history.state.audit_log import AuditEntry, AuditLog, AuditOutcome
from support.reasons import reason

DELETED = JobOutcome(Outcome.DELETED)
FAILED = JobOutcome(Outcome.FAILED, reason("server error (500)"))


def name(number: int) -> str:
    """Return the name of an operation."""
    return f"{number:032x}"


def job_id(number: int) -> str:
    return str(UUID(int=number))


def entry(number: int, **more: object) -> AuditEntry:
    """Return an entry of jobs 1 and 2, made by a node."""
    about: dict[str, object] = {"asked": 2, "job_ids": (job_id(1), job_id(2)), "host": "cloud.comfy.org"}
    about |= {"node": "5", "title": "Tidy up", **more}
    return AuditEntry(name(number), "delete", "node", **about)  # type: ignore[arg-type]


def outcome(*outcomes: JobOutcome, backup: str | None = None) -> AuditOutcome:
    """Return the outcomes of jobs 1, 2 and so on."""
    jobs = {job_id(number): each for number, each in enumerate(outcomes, 1)}
    return outcome_of(DeletionResult(jobs), "1 job removed.\nAssets stay.", 1.23456, backup)


def recorded(folder: Path) -> list[tuple[int, str]]:
    """Return the numbers and states of all deletions, as the next process reads them."""
    return [(int(each.entry.operation, 16), each.state) for each in AuditLog(folder).entries()]
