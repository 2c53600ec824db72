"""The node Prune Cloud History."""

from __future__ import annotations

from ..cloud_history.models import FINISHED, JobStatus

STATUSES: dict[str, tuple[JobStatus, ...]] = {
    "finished": FINISHED,
    "completed": (JobStatus.COMPLETED,),
    "failed": (JobStatus.FAILED,),
    "cancelled": (JobStatus.CANCELLED,),
}
