"""The safeguards of a deletion: protected jobs are not sent, and workflows and outputs are kept before sending."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..cloud.lookup import Observation
from ..errors import (
    CloudConnectionError,
    CloudError,
    CloudTimeoutError,
    NotFound,
    OperationStopped,
    PreviewExpired,
    StateNotAnswering,
    StateUnwritable,
)
from ..jobs.filters import ProtectedJobs
from ..jobs.job import Job
from ..outputs.result import SaveResult
from ..reasons import Reason
from ..secret import Secret, log, scrub
from ..state.backup_file import BackupWriter
from ..state.backups import BackupFolder
from ..state.protection import ProtectionFile
from ..tasks.stopping import Watch, gather_all, run_stoppable
from ..tasks.threads import run_in_thread, run_large_in_thread, write_in_thread
from .outcomes import JobOutcome, Outcome

PROTECTED = JobOutcome(Outcome.PROTECTED)
UNKNOWN_WORKFLOW = JobOutcome(Outcome.NOT_ATTEMPTED, Reason("workflow_unknown"))


@dataclass(frozen=True)
class BackedUp:
    """The result of a backup: the number of workflows in it, and the outcomes of the jobs that are not in it."""

    workflows: int = 0
    without: Mapping[str, JobOutcome] = field(default_factory=dict)


@dataclass(frozen=True)
class OutputsKept:
    """The result of saving outputs: the number of files, the outcomes of the jobs that lack some, and the errors."""

    files: int = 0
    without: Mapping[str, JobOutcome] = field(default_factory=dict)
    errors: tuple[CloudError, ...] = ()


def safeguarded(job_ids: Sequence[str], protected: ProtectedJobs, seen: Sequence[Observation]) -> dict[str, JobOutcome]:
    """Return the outcomes of the jobs that must not be sent.

    Args:
        seen: the observations of the jobs, the newest first. All are used, because a newer row may lack the workflow.
    """
    if not protected:
        return {}
    found: dict[str, JobOutcome] = {}
    for job_id in job_ids:
        rows = [each.there[job_id] for each in seen if job_id in each.there]
        covered = job_id in protected.jobs or any(map(protected.covers, rows))
        if job_id in seen[0].gone:
            # A lookup can be wrong, so a protected job is not sent even if the lookup says that it is gone.
            if covered:
                found[job_id] = JobOutcome(Outcome.ALREADY_GONE)
        elif covered:
            found[job_id] = PROTECTED
        elif not rows and protected.workflows:
            found[job_id] = UNKNOWN_WORKFLOW
    return found


class KeepingOutputs(Protocol):
    """Saves the outputs of jobs to this machine before the jobs are deleted."""

    async def __call__(self, jobs: Mapping[str, Job | None], watch: Watch) -> SaveResult:
        """Save the outputs of these jobs, by id; None if no row of a job is known.

        Raises:
            CloudError: nothing was saved, so nothing may be deleted. OperationStopped if the person stopped it.
        """

    async def changed(self, job_ids: Sequence[str]) -> Mapping[str, Reason]:
        """Return the jobs whose outputs are not, or no longer, all on this machine, and why."""


class Safeguards:
    """Keeps protected jobs from deletion, and keeps workflows and outputs before anything is sent.

    Args:
        back_up: backs up the workflows; None if backups are off.
        backs_up: returns whether backups are on now. The setting may have changed since `back_up` was chosen.
        keep_outputs: saves the outputs; None if they are not to be saved.
    """

    def __init__(
        self,
        protection: ProtectionFile,
        back_up: BackingUp | None,
        backs_up: Callable[[], Awaitable[bool]],
        keep_outputs: KeepingOutputs | None = None,
    ) -> None:
        self._protection = protection
        self._back_up = back_up
        self._backs_up = backs_up
        self._keep_outputs = keep_outputs

    async def protected(self) -> ProtectedJobs:
        """Read the protected jobs. Raise SetupProblem if their file is damaged, or if the backup is gone."""
        return await run_in_thread(self._read)

    def _read(self) -> ProtectedJobs:
        if self._back_up is not None:
            self._back_up.check()
        return self._protection.load()

    async def back_up(self, job_ids: Sequence[str], watch: Watch) -> BackedUp:
        """Back up the workflows of these jobs to disk. Raise OperationStopped if the person stops the backup."""
        if self._back_up is None or not job_ids:
            return BackedUp()
        return await self._back_up(job_ids, watch)

    async def save_outputs(self, jobs: Mapping[str, Job | None], watch: Watch) -> OutputsKept:
        """Save the outputs of these jobs, by id. Raise OperationStopped if the person stops it."""
        if self._keep_outputs is None or not jobs:
            return OutputsKept()
        try:
            result = await self._keep_outputs(jobs, watch)
        except OperationStopped:
            raise
        except CloudError as error:
            return OutputsKept(without=dict.fromkeys(jobs, outputs_not_saved(error.reason)), errors=(error,))
        if result.stopped:
            raise OperationStopped()
        without = {
            job_id: outputs_not_saved(each.why if each else Reason("save_stopped"))
            for job_id in jobs
            if (each := result.jobs.get(job_id)) is None or not each.whole
        }
        return OutputsKept(sum(1 for _ in result.files), without, result.errors)

    async def without_outputs(self, job_ids: Sequence[str]) -> dict[str, JobOutcome]:
        """Return the outcomes of the jobs that must not be sent, because their outputs are not all on this machine.

        Call it just before the jobs are sent: somebody may have removed or changed a saved file.
        """
        if self._keep_outputs is None or not job_ids:
            return {}
        changed = await self._keep_outputs.changed(job_ids)
        return {job_id: outputs_not_saved(why) for job_id, why in changed.items()}

    async def before_clear(self) -> None:
        """Check just before a clear is sent. Raise PreviewExpired if some jobs may not be deleted."""
        if self._back_up is not None or await self._backs_up() or await self.protected():
            raise PreviewExpired("safeguards_changed")


MAX_CONCURRENT_REQUESTS = 6
BACKUP_SECONDS = 120.0
BACKUP_SECONDS_PER_JOB = 3.0


class DetailReader(Protocol):
    """The methods of a client that a backup uses."""

    async def get_job_detail(self, job_id: str) -> dict[str, Any]: ...


class BackingUp:
    """Backs up the workflows of jobs to a file before they are deleted.

    Args:
        about: the description of the operation in the backup file.
        key: the API key, which must not get into the backup.
        learn: called after a backup with its number of workflows, its size in bytes and its seconds.
    """

    def __init__(
        self,
        client: DetailReader,
        folder: BackupFolder,
        operation: str,
        about: Mapping[str, object],
        key: Secret,
        learn: Callable[[int, int, float], None] = lambda workflows, size, seconds: None,
    ) -> None:
        self._client = client
        self._folder = folder
        self._operation = operation
        self._about = about
        self._key = key
        self._learn = learn
        self._without: dict[str, JobOutcome] = {}
        self._saved = 0

    async def __call__(self, job_ids: Sequence[str], watch: Watch) -> BackedUp:
        """Back up these jobs. The result has the outcomes of the jobs that could not be backed up.

        Raises:
            OperationStopped: the person stopped the backup. No backup file is left.
            CloudTimeoutError: the backup took too long. No backup file is left.
        """
        watch.progress("backing_up", 0, len(job_ids))
        try:
            writer = await write_in_thread(
                lambda: self._folder.begin(self._operation, self._about), BackupWriter.discard
            )
        except OSError as exc:
            return self._none(job_ids, exc)
        try:
            seconds, began = BACKUP_SECONDS + BACKUP_SECONDS_PER_JOB * len(job_ids), time.monotonic()
            await run_stoppable(self._read_all(writer, job_ids, watch), watch, seconds)
            if len(writer):
                path = await run_large_in_thread(writer.close)
                size = await run_in_thread(lambda: path.stat().st_size)
                self._learn(len(writer), size, time.monotonic() - began)
            self._saved = len(writer)
        except OSError as exc:
            return self._none(job_ids, exc)
        except OperationStopped:
            raise
        except CloudConnectionError as error:
            raise CloudTimeoutError("backup_too_slow", sent=False) from error
        except CloudError as error:
            return BackedUp(0, dict.fromkeys(job_ids, not_backed_up(error.reason)))
        finally:
            await write_in_thread(writer.discard)
        return BackedUp(self._saved, self._without)

    def check(self) -> None:
        """Raise StateUnwritable if the backup was made but its file is gone. Blocking."""
        if self._saved and not self._folder.has(self._operation):
            raise StateUnwritable("backup_gone", operation=self._operation)

    async def _read_all(self, writer: BackupWriter, job_ids: Sequence[str], watch: Watch) -> None:
        waiting = deque(job_ids)

        async def worker() -> None:
            while waiting:
                await self._read_one(writer, waiting.popleft(), waiting)
                watch.progress("backing_up", len(writer), len(job_ids))

        await gather_all(worker() for _ in range(min(MAX_CONCURRENT_REQUESTS, len(job_ids))))

    async def _read_one(self, writer: BackupWriter, job_id: str, waiting: deque[str]) -> None:
        try:
            detail = await self._client.get_job_detail(job_id)
            await run_large_in_thread(writer.add, job_id, detail, self._key.reveal())
        except NotFound:
            self._without[job_id] = JobOutcome(Outcome.ALREADY_GONE)
        except StateNotAnswering:
            raise  # the backups of the other jobs need the same disk
        except CloudError as error:
            self._without[job_id] = not_backed_up(error.reason)
            if error.meets_all:
                self._without.update(dict.fromkeys(waiting, not_backed_up(error.reason)))
                waiting.clear()

    def _none(self, job_ids: Sequence[str], exc: OSError) -> BackedUp:
        log.warning("No backup could be made: %s", scrub(str(exc.strerror or exc)))
        return BackedUp(0, dict.fromkeys(job_ids, not_backed_up(exc.strerror or Reason("disk_failed"))))


def outputs_not_saved(reason: Reason) -> JobOutcome:
    """Return the outcome of a job that was not sent because its outputs are not all on this machine."""
    return JobOutcome(Outcome.FAILED, Reason("outputs_not_saved", {"reason": reason}))


def not_backed_up(reason: Reason | str) -> JobOutcome:
    """Return the outcome of a job that was not sent because its backup failed. A str is the disk's error."""
    return JobOutcome(Outcome.FAILED, Reason("backup_failed", {"reason": reason}))
