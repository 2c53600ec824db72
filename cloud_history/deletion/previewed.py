"""What a person is shown of a preview, as JSON: in the panel's dialogs, and when a workflow asks."""

from __future__ import annotations

from ..jobs.models import JobStatus
from ..jobs.rows import milliseconds
from .preview import ClearPreview, DeletionPreview
from .results import Payload


def clear_summary(preview: ClearPreview) -> Payload:
    """Everything, by its numbers."""
    counts = preview.counts
    return {
        "kind": "clear",
        "removable": counts.finished,
        "by_status": {
            "completed": counts.completed,
            "failed": counts.failed,
            "cancelled": counts.cancelled,
        },
        "skipped": {"active": counts.active, "unknown": 0, "already_gone": 0, "protected": 0},
    }


def deletion_summary(preview: DeletionPreview) -> Payload:
    """Exactly these jobs, by their numbers."""
    created = [job.created_at for job in preview.jobs if job.created_at is not None]
    by_status = {status.value: 0 for status in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)}
    for job in preview.jobs:
        by_status[job.status.value] += 1
    return {
        "kind": "delete",
        "removable": preview.size,
        "by_status": by_status,
        "skipped": preview.skipped,
        "kept": preview.kept,
        "oldest": milliseconds(min(created, default=None)),
        "newest": milliseconds(max(created, default=None)),
        "outputs": sum(job.outputs_count or 0 for job in preview.jobs),
    }
