"""Deletions as nodes and routes request them from the service."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import Any

from cloud_history.cloud.listing import Listing
from cloud_history.cloud.lookup import Observation
from cloud_history.deletion.outcomes import ClearResult, DeletionResult
from cloud_history.deletion.preview import ClearPreview, DeletionPreview, Preview
from cloud_history.deletion.request import DeletionRequest
from cloud_history.jobs.filters import JobFilter
from cloud_history.jobs.status import JobCounts, JobStatus
from cloud_history.secret import Secret
from cloud_history.service import Operations
from cloud_history.tasks.stopping import Unwatched, Watch
from support.fake_history_client import NOON


async def make_request(
    operations: Operations,
    job_ids: Sequence[str] | None,
    origin: str,
    *,
    prompt_key: Secret | None = None,
    **more: Any,
) -> DeletionRequest:
    """Make a request with the current key, from the classes of the package of `operations`."""
    connection = await operations.find_connection(prompt_key)
    made: type[DeletionRequest] = vars(sys.modules[type(operations).__module__])["DeletionRequest"]
    return made(job_ids, connection, origin, **more)


async def delete_jobs(
    operations: Operations,
    job_ids: Sequence[str],
    origin: str,
    watch: Watch | None = None,
    **more: Any,
) -> DeletionResult:
    """Delete these jobs. Further arguments are those of `make_request`."""
    asked = await make_request(operations, job_ids, origin, **more)
    result: Any = await operations.carry_out(asked, watch or Unwatched())
    return result  # type: ignore[no-any-return]


async def clear_history(
    operations: Operations, origin: str, watch: Watch | None = None, *, wait: bool = True, **more: Any
) -> ClearResult | DeletionResult:
    """Clear the history. Further arguments are those of `make_request`."""
    asked = await make_request(operations, None, origin, **more)
    return await operations.carry_out(asked, watch or Unwatched(), wait=wait)


async def list_jobs(operations: Operations, chosen: JobFilter | None = None) -> Listing:
    """List all matching jobs with the current key."""
    connection = await operations.find_connection()
    return await operations.list_jobs(connection, chosen or JobFilter(), Unwatched())


def confirmed_request(preview: Preview, connection: Any, operation: str, origin: str = "panel") -> DeletionRequest:
    """Make the request that the routes build from a confirmed preview."""
    job_ids = preview.job_ids if isinstance(preview, DeletionPreview) else None
    return DeletionRequest(job_ids, connection, origin, preview=preview, operation=operation)


def preview_of(seen: Observation, chosen: Collection[str] | None = None) -> DeletionPreview:
    """Make a preview of these jobs that deletes all of them, or only the chosen ones."""
    goes = seen.there.keys() if chosen is None else chosen
    return DeletionPreview(
        [job for job_id, job in seen.there.items() if job_id in goes],
        stay=[job for job_id, job in seen.there.items() if job_id not in goes],
        gone=seen.gone,
    )


def clear_preview_of(finished: int) -> ClearPreview:
    """Make the preview of a clear with this number of finished jobs."""
    return ClearPreview(JobCounts({JobStatus.COMPLETED: finished}, 0, NOON))
