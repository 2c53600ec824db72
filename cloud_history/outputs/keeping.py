"""Keeping the outputs of jobs that are about to be deleted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from ..jobs.job import Job
from ..reasons import NO_REASON, Reason
from ..tasks.stopping import Watch
from .disk import MAX_SECONDS_OF_LONG_WORK, on_disk
from .outputs import Outputs
from .result import JobSaved, SaveResult
from .stored import MAX_REHASHED_BYTES, StoredOutputs

Save = Callable[[Mapping[str, Job | None], Watch], Awaitable[SaveResult]]
"""Saves the outputs of these jobs, by id; None if no row of a job is known."""


class OutputsKept:
    """Saves the outputs of jobs before the jobs are deleted, and looks at the files again just before each request.

    Args:
        save: saves the outputs.
    """

    def __init__(self, outputs: Outputs, save: Save) -> None:
        self._outputs = outputs
        self._save = save
        self._saved: Mapping[str, JobSaved] = {}

    async def __call__(self, jobs: Mapping[str, Job | None], watch: Watch) -> SaveResult:
        """Save the outputs of these jobs. Raise CloudError if nothing was saved."""
        result = await self._save(jobs, watch)
        self._saved = result.jobs
        return result

    async def changed(self, job_ids: Sequence[str]) -> Mapping[str, Reason]:
        """Return the jobs whose outputs are not, or no longer, all on this machine, and why.

        Raises:
            OutputsUnwritable: the disk fails, so it is not known.
        """

        def look() -> dict[str, Reason]:
            stored = self._outputs.stored()
            reasons = {job_id: self._why_changed(job_id, stored) for job_id in job_ids}
            return {job_id: why for job_id, why in reasons.items() if why}

        return await on_disk(look, MAX_SECONDS_OF_LONG_WORK)

    def _why_changed(self, job_id: str, stored: StoredOutputs) -> Reason:
        job = self._saved.get(job_id)
        if job is None or not job.whole:
            return job.why if job is not None else Reason("save_stopped")
        for file in job.files:
            if not stored.is_unchanged(job.root, file, most_hashed=MAX_REHASHED_BYTES):
                return Reason("saved_file_changed", {"file": file.name})
        return NO_REASON
