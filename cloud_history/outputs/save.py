"""One run that saves the outputs of jobs: at most four downloads at once, across all jobs.

A file counts as saved when it is on the disk, whole and compared with what the Cloud says of it. A job counts as whole
when all its outputs are, and the list of saved outputs says so.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from ..cloud.assets import AssetFacts
from ..errors import (
    CloudConnectionError,
    CloudError,
    Forbidden,
    InsufficientCredits,
    NotComfyCloud,
    NotFound,
    OperationStopped,
    PlanRefused,
    RateLimited,
    SetupProblem,
    Unauthorized,
)
from ..jobs.job import OutputFile, read_job, utc_now
from ..reasons import Reason
from ..secret import Secret, log
from ..state.saved_outputs import SavedFile, SavedOutputs
from ..tasks.stopping import Watch, gather_all, run_stoppable
from .disk import MAX_SECONDS_OF_LONG_WORK, SILENT, on_disk
from .errors import OutputsUnwritable
from .folder import OutputFolder
from .job_run import JobRun
from .listed import listed_outputs
from .progress import SaveProgress
from .result import JobSaved, SaveResult
from .save_file import FileSaver
from .stored import FoundFiles, StoredOutputs

MAX_CONCURRENT_FILES = 4
MAX_CONCURRENT_JOBS = 6
"""A few jobs more than files, so that the details of the next jobs are there when a file ends."""
MAX_OUTPUTS = 10_000
MAX_FAILURES_IN_A_ROW = 8
"""After so many failures of the network or the disk without a success, the save ends: the rest would fail too."""
STOPPED_SECONDS = 0.2
"""How long a stop waits until the files that are whole already are recorded. That goes on afterwards."""

_FOR_ALL = (Unauthorized, PlanRefused, InsufficientCredits, SetupProblem)
"""Errors that every further file would meet."""
_MAY_BE_OF_ONE = (CloudConnectionError, RateLimited, Forbidden, NotComfyCloud, OutputsUnwritable)
"""Errors that every further file may meet, or that may come from one odd file, folder or address of a storage."""


class DetailReader(Protocol):
    """The method of a client that a save uses itself."""

    async def get_job_detail(self, job_id: str) -> dict[str, Any]: ...


@dataclass
class Saving:
    """Saves the outputs of jobs.

    Attributes:
        files: saves single files.
        folder: the folder for outputs.
        stored: what earlier saves have put on this machine.
        manifest: the list of saved outputs.
        operation: the id of the save, or of the deletion that needs it.
        host: the server, for the files about the jobs.
        key: the API key, which must not get into these files.
        outputs_counts: how many outputs the list of jobs says that a job has.
        rehash: whether files that were here before are read and hashed again, however large they are.
    """

    client: DetailReader
    files: FileSaver
    folder: OutputFolder
    stored: StoredOutputs
    manifest: SavedOutputs
    assets: AssetFacts
    progress: SaveProgress
    operation: str
    host: str
    key: Secret
    outputs_counts: Mapping[str, int] = field(default_factory=dict)
    rehash: bool = False

    def __post_init__(self) -> None:
        self._results: dict[str, JobSaved] = {}
        self._running: dict[str, JobRun] = {}
        self._waiting: deque[str] = deque()
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_FILES)
        self._errors: dict[str, CloudError] = {}
        self._failures_in_a_row = 0
        self._ended_by: CloudError | None = None
        self._has_ended = False

    async def run(self, job_ids: Sequence[str], watch: Watch) -> SaveResult:
        """Save the outputs of these jobs. After a stop, the result says what is here by then.

        Raises:
            asyncio.CancelledError: the task was cancelled. What is whole by then is recorded.
        """
        self._waiting.extend(job_ids)
        self._tell(watch)
        stopped = False
        workers = (self._work(watch) for _ in range(min(MAX_CONCURRENT_JOBS, len(job_ids))))
        try:
            await run_stoppable(gather_all(workers), watch, math.inf)
        except OperationStopped:
            stopped = True
        finally:
            self._has_ended = True
            if self._running:
                await self._record_interrupted()
        left = Reason("save_stopped") if stopped or self._ended_by is None else self._ended_by.reason
        results = {
            job_id: self._results.get(job_id) or JobSaved(job_id, problem=left, attempted=False) for job_id in job_ids
        }
        return SaveResult(results, self.folder.place, stopped, tuple(self._errors.values()))

    async def _work(self, watch: Watch) -> None:
        while self._waiting:
            job_id = self._waiting.popleft()
            saved = await self._save_job(job_id, watch)
            self._results[job_id] = saved
            self._tell(watch)

    def _tell(self, watch: Watch) -> None:
        watch.progress("saving", self.progress.files_done, max(self.progress.files, self.progress.files_done))

    async def _save_job(self, job_id: str, watch: Watch) -> JobSaved:
        try:
            detail = await self.client.get_job_detail(job_id)
        except NotFound:
            return self._problem(job_id, Reason("job_not_found_to_save"))
        except CloudError as error:
            self._note(error)
            return self._problem(job_id, error.reason)
        job = read_job(detail, utc_now())
        if job is None or job.id != job_id:
            return self._problem(job_id, Reason("other_job_answered"))
        if not job.finished:
            return self._problem(job_id, Reason("job_not_finished"))
        listed = listed_outputs(detail)
        expects_some = max(self.outputs_counts.get(job_id, 0), job.outputs_count or 0) > 0 or job.preview is not None
        if expects_some and not listed.items:
            return self._problem(job_id, Reason("outputs_not_listed"))
        if len(listed.files) > MAX_OUTPUTS:
            return self._problem(job_id, Reason("too_many_outputs", {"most": MAX_OUTPUTS}))
        run = JobRun(job, detail, listed, self.assets)
        self.progress.expect(job_id, len(listed.files) + listed.unusable, run.size)
        if not listed.files:
            self._count_unusable(run, watch)
            return JobSaved(job_id, failed=run.result().failed)
        return await self._save_files(run, watch)

    async def _save_files(self, run: JobRun, watch: Watch) -> JobSaved:
        """Save the files of a job, and record what is here."""
        try:
            async with self._slots:
                found = await self._find(run)
                if found.whole and len(found.files) == len(run.listed.files) and not run.listed.unusable:
                    files = [found.files[file] for file in run.listed.files]
                    self._count_found(files, watch)
                    return JobSaved(run.job.id, found.root, found.folder, files, len(files))
                self._running[run.job.id] = run
                await run.steps.run(lambda: run.open(self.folder, found))
        except CloudError as error:
            self._note(error)
            if self._running.pop(run.job.id, None):
                run.close_soon()
            return self._problem(run.job.id, error.reason)
        self._count_found(run.found(), watch)
        waiting = deque(run.missing())
        await gather_all(
            self._save_in_turn(run, waiting, watch) for _ in range(min(MAX_CONCURRENT_FILES, len(waiting)))
        )
        self._count_unusable(run, watch)
        saved = await self._record(run)
        del self._running[run.job.id]
        return saved

    async def _find(self, run: JobRun) -> FoundFiles:
        """Return the outputs of a job that earlier saves have put on this machine."""

        def find() -> FoundFiles:
            wanted = run.listed.files
            return self.stored.find(run.job.id, wanted, self.assets, self._check_running, rehash=self.rehash)

        return await on_disk(find, MAX_SECONDS_OF_LONG_WORK)

    def _check_running(self) -> None:
        """Raise OperationStopped if the save has ended, so that a thread stops hashing files."""
        if self._has_ended:
            raise OperationStopped()

    def _count_found(self, files: Sequence[SavedFile], watch: Watch) -> None:
        for file in files:
            self.progress.ended(here_before=file.size)
        self._tell(watch)

    async def _save_in_turn(self, run: JobRun, waiting: deque[OutputFile], watch: Watch) -> None:
        while waiting:
            file = waiting.popleft()
            if self._ended_by is not None:
                run.set_failed(file, self._ended_by.reason)
                continue
            try:
                saved = await self.files.save(run, file, self._downloading, self.progress, lambda: self._tell(watch))
            except CloudError as error:
                run.set_failed(file, error.reason)
                if error is not self._ended_by:
                    self._note(error)
                    self.progress.ended(saved=False)
            else:
                run.set_saved(file, saved.file, before=saved.before)
                self.progress.ended(before=saved.before)
                self._failures_in_a_row = 0
            self._tell(watch)

    @asynccontextmanager
    async def _downloading(self) -> AsyncIterator[None]:
        """Wait for a slot of the few downloads. Raise the error that has ended the save meanwhile, if there is one."""
        async with self._slots:
            if self._ended_by is not None:
                raise self._ended_by
            yield

    def _count_unusable(self, run: JobRun, watch: Watch) -> None:
        for _ in range(run.listed.unusable):
            self.progress.ended(saved=False)
        self._tell(watch)

    async def _record(self, run: JobRun) -> JobSaved:
        """Write the file about the job and the line in the list of saved outputs. Return what became of the job."""
        saved = run.result()
        try:
            if saved.files:
                await run.steps.run(lambda: self._write_records(run))
        except CloudError as error:
            self._note(error)
            saved = run.result(Reason("save_not_recorded"))
        finally:
            await _wait_shortly(run.close_soon())
        return saved

    def _write_records(self, run: JobRun) -> None:
        """Write the file about a job, then its line in the list of saved outputs. Blocking."""
        run.write_job_file(self.host, self.key)
        self.manifest.append(run.line(self.operation))

    async def _record_interrupted(self) -> None:
        """Record the files that are whole, of jobs that are not. Waits only shortly: a stop must not take long."""
        left = list(self._running.values())
        self._running.clear()
        closed: list[asyncio.Future[None]] = []
        for run in left:
            run.end_unfinished(Reason("save_stopped"))
            self._results[run.job.id] = saved = run.result()
            if saved.files:
                run.steps.run_at_last(partial(self._write_records, run))
            closed.append(run.close_soon())
        await _wait_shortly(*closed)

    def _problem(self, job_id: str, why: Reason) -> JobSaved:
        self.progress.expect(job_id, 0, 0)
        return JobSaved(job_id, problem=why)

    def _note(self, error: CloudError) -> None:
        """Remember an error for its hint, and end the save if every further file would meet it."""
        self._errors.setdefault(error.short, error)
        is_for_all = isinstance(error, _FOR_ALL)
        if isinstance(error, _MAY_BE_OF_ONE):
            self._failures_in_a_row += 1
            is_full = isinstance(error, OutputsUnwritable) and (error.is_full or error.sentence == SILENT)
            is_for_all = is_full or self._failures_in_a_row >= MAX_FAILURES_IN_A_ROW
        if is_for_all:
            if self._ended_by is None:
                log.warning("The save ends early: %s", error)
            self._ended_by = self._ended_by or error
            self._waiting.clear()


async def _wait_shortly(*steps: asyncio.Future[None]) -> None:
    """Wait until the disk has put away what is unfinished. It goes on afterwards, if it takes long."""
    if steps:
        await asyncio.wait(steps, timeout=STOPPED_SECONDS)
