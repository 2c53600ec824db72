"""What a start of ComfyUI writes about deletions that an earlier run left."""

from __future__ import annotations

from pathlib import Path

from ..errors import OperationStopped
from ..jobs.ids import new_hex_id
from .audit_log import AuditLog, AuditOutcome
from .in_flight import InFlight, SenderLock


def log_unsent(folder: Path) -> None:
    """Write to the audit log which deletions ended before anything was sent, because ComfyUI stopped. Blocking.

    Raises:
        StateUnreadable: the in-flight files or the audit log can't be read.
        StateUnwritable: the audit log can't be written.
        StateFolderLost: the state folder is missing.
    """
    in_flight, lock = InFlight(folder), SenderLock(folder)
    # While the lock is held, no operation is running: all files were left by operations that have ended.
    if all(entry.may_have_sent for entry in in_flight.entries()) or not lock.take(new_hex_id()):
        return
    try:
        audit_log = AuditLog(folder)
        unsent = {entry.operation: entry for entry in in_flight.entries() if not entry.may_have_sent}
        for logged in audit_log.entries():
            entry = unsent.get(logged.entry.operation)
            if entry is not None and logged.outcome is None:
                counts = {"not_attempted": len(entry.job_ids)} if entry.job_ids else {}
                report = OperationStopped("comfyui_stopped").message
                audit_log.outcome(entry.operation, AuditOutcome(counts, removed=0, report=report))
    finally:
        lock.free()
