"""The operations on a history: connecting, counting, listing, previewing, deleting and clearing.

The nodes and the routes both use this module, on two event loops of one process.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from . import __version__, environment
from .cloud import schema
from .cloud.client import CloudClient
from .cloud.clock import CloudClock
from .cloud.counting import count_jobs, date_range, newest_jobs
from .cloud.listing import Listing, list_jobs
from .cloud.lookup import look_up_in_time
from .config import BaseUrl, read_base_url
from .deletion.backup_estimate import BackupEstimates
from .deletion.clear import Clear
from .deletion.delete import MIN_LOOKUP_SECONDS, OPERATION_SECONDS, PATIENCE_SECONDS, Deletion
from .deletion.events import Announce, Events, progress
from .deletion.outcomes import ClearResult, DeletionResult, StayingJobs
from .deletion.preview import MAX_ROWS, ClearPreview, DeletionPreview, preview_jobs
from .deletion.queue import DeletionQueue
from .deletion.request import DeletionRequest
from .deletion.safeguards import BackingUp, Safeguards
from .errors import (
    CloudError,
    OperationRefused,
    OperationStopped,
    SettingsDamaged,
    StateFolderLost,
    StateNotAnswering,
)
from .jobs.filters import JobFilter, ProtectedJobs, Selection
from .jobs.ids import JobIdSpellings
from .jobs.job import Job
from .jobs.status import JobCounts
from .outputs.facts import JobFacts, OutputFacts, read_facts
from .outputs.keeping import OutputsKept
from .outputs.outputs import Outputs
from .outputs.progress import SaveProgress
from .outputs.request import SavePreview, SaveRequest
from .outputs.result import SaveResult
from .secret import Secret, log, log_about
from .state.backups import BackupFolder
from .state.credentials import ApiKey, Connection, KeyStore
from .state.folder import state_folder_at
from .state.protection import ProtectionFile
from .state.settings import Backup, NodeDeletionMode, Settings, SettingsFile, node_deletion_mode
from .tasks.stopping import ASKED_TO_WAIT, Unwatched, Watch, run_stoppable
from .tasks.threads import compute_in_thread, run_in_thread, run_large_in_thread

OpenClient = Callable[[BaseUrl, ApiKey], CloudClient]


def open_client(base_url: BaseUrl, key: ApiKey) -> CloudClient:
    return CloudClient(base_url, key.secret)


class Operations:
    """The operations on a history, with the API key and the safeguards of one state folder.

    Args:
        folder: the state folder.
        announce: sends a websocket event to all browsers; must be callable from any thread.
        sleep: waits between two lookups after a deletion.
        many_users: whether ComfyUI has several users and cannot distinguish them.
        output_folder: ComfyUI's output folder; None outside ComfyUI.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str] = environment.PROCESS,
        announce: Announce = lambda event, payload: None,
        open_client: OpenClient = open_client,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        *,
        many_users: bool = False,
        clock: CloudClock | None = None,
        output_folder: Path | None = None,
    ) -> None:
        self.keys = KeyStore(folder, environ, many_users=many_users)
        self.settings = SettingsFile(folder)
        self.protection = ProtectionFile(folder)
        self.backups = BackupFolder(folder)
        self.backup_estimates = BackupEstimates(self.backups)
        self.outputs = Outputs(folder, self.settings, output_folder, environ)
        self.clock = clock or CloudClock()
        self.spellings = JobIdSpellings()
        self.folder = folder
        self.state = state_folder_at(folder)
        self.events = Events(announce)
        self.queue = DeletionQueue(folder, self.events, tell_results=not self.keys.refuses_shared_key)
        self._environ = environ
        self._open_client = open_client
        self._sleep = sleep

    def base_url(self) -> BaseUrl:
        """Return the configured server address. Raise UnsafeBaseUrl if it is not safe."""
        return read_base_url(self._environ)

    async def find_connection(self, prompt_key: Secret | None = None) -> Connection:
        """Read the configured server address and API key.

        Args:
            prompt_key: the API key that came with the prompt of a node; None without one.

        Raises:
            SetupProblem: the server address or the API key is missing or cannot be used.
        """
        await compute_in_thread(schema.load_all)
        return Connection(self.base_url(), await run_in_thread(self.keys.get, prompt_key))

    async def check_key(self, key: ApiKey) -> str:
        """Return the key's account status, such as `active` or `waitlisted`. Raise CloudError if the check fails."""
        await compute_in_thread(schema.load_all)
        async with self._open_client(self.base_url(), key) as client:
            return await client.get_user()

    async def count(self, connection: Connection, watch: Watch | None = None) -> JobCounts:
        """Count the jobs by status. Raise CloudError if that fails, OperationStopped if the person stops it."""
        async with self.open(connection, watch) as client:
            return await run_stoppable(count_jobs(client), watch or Unwatched(), OPERATION_SECONDS)

    async def preview_clear(self, connection: Connection, counts: JobCounts, watch: Watch) -> ClearPreview:
        """Return the preview of a clear, with times and jobs if they can be read. Raise OperationStopped."""
        try:
            async with self.open(connection, watch) as client:
                oldest, newest = await run_stoppable(date_range(client, counts), watch, OPERATION_SECONDS)
                jobs = await run_stoppable(newest_jobs(client, MAX_ROWS), watch, OPERATION_SECONDS)
        except OperationStopped:
            raise
        except CloudError:
            return ClearPreview(counts)  # the counts alone are enough for the question
        return ClearPreview(counts, oldest, newest, jobs)

    async def list_jobs(self, connection: Connection, chosen: JobFilter, watch: Watch) -> Listing:
        """List all jobs that match the filter, newest first.

        Raises:
            CloudError: the list could not be read completely, or reading took too long.
            OperationStopped: the person stopped it.
        """
        async with self.open(connection, watch) as client:
            watch.progress("checking", 0, 1)
            listing = await run_stoppable(list_jobs(client, chosen), watch, OPERATION_SECONDS)
        if not listing.complete:
            raise listing.error or listing.not_whole()
        return listing

    async def preview(self, connection: Connection, selection: Selection, watch: Watch) -> DeletionPreview:
        """Return the exact jobs that a deletion of the selection would send. Raise CloudError if that fails."""
        protected = await self.protected()
        if selection.filter is not None:
            chosen = await self._completed(selection.filter)
            listing = await self.list_jobs(connection, chosen, watch)
            return preview_jobs(list(listing.jobs.values()), protected=protected)
        async with self.open(connection, watch) as client:
            watch.progress("checking", 0, 1)
            found = await look_up_in_time(client, selection.job_ids, watch, OPERATION_SECONDS)
        found.check(selection.job_ids)
        there = [found.there[job_id] for job_id in selection.job_ids if job_id in found.there]
        return preview_jobs(there, found.gone, protected)

    async def preview_everything(self, connection: Connection, watch: Watch) -> DeletionPreview:
        """Preview a clear as a deletion of exact jobs, without protected ones. Raise CloudError if that fails."""
        # Active jobs are read too, because the preview says how many active jobs stay.
        preview = await self.preview(connection, Selection(filter=JobFilter()), watch)
        return replace(preview, everything=True, finished=len(preview.finished_ids))

    async def with_saved(self, chosen: JobFilter) -> JobFilter:
        """Return the filter with the saved jobs, if it needs them. Raise SetupProblem if they can't be read."""
        if chosen.saved is None:
            return chosen
        return replace(chosen, saved_ids=await self.outputs.whole_ids())

    async def finished_jobs(self, connection: Connection, selection: Selection, watch: Watch) -> list[Job]:
        """Return the finished jobs of a selection. Raise CloudError if they can't be read."""
        if selection.filter is not None:
            listing = await self.list_jobs(connection, await self._completed(selection.filter), watch)
            found = list(listing.jobs.values())
        else:
            async with self.open(connection, watch) as client:
                lookup = await look_up_in_time(client, selection.job_ids, watch, OPERATION_SECONDS)
            lookup.check(selection.job_ids)
            found = [lookup.there[job_id] for job_id in selection.job_ids if job_id in lookup.there]
        return [job for job in found if job.finished]

    async def _completed(self, chosen: JobFilter) -> JobFilter:
        """Return the filter with what this machine knows: the protected jobs and the saved ones."""
        return replace(await self.with_saved(chosen), protection=await self.protected())

    async def preview_save(self, connection: Connection, selection: Selection, watch: Watch) -> SavePreview:
        """Return what saving the outputs of a selection's finished jobs would do. Raise CloudError if that fails."""
        jobs = await self.finished_jobs(connection, selection, watch)
        async with self.open(connection, watch) as client:
            return await self.outputs.preview(client, jobs, watch)

    async def output_facts(
        self, connection: Connection, jobs: Sequence[Job], watch: Watch, seconds: float
    ) -> OutputFacts:
        """Return what is known of the outputs of these jobs.

        Args:
            seconds: how long to look at single outputs.
        """
        async with self.open(connection, watch) as client:
            return await read_facts(client, jobs, watch, seconds)

    async def save_outputs(
        self, request: SaveRequest, watch: Watch, progress: SaveProgress | None = None
    ) -> SaveResult:
        """Save the outputs of the jobs of a request to this machine.

        Raises:
            CloudError: nothing was saved, for example because there is no folder for outputs or too little room.
            OperationStopped: the person stopped it before it began.
        """
        with log_about(request.operation):
            await self._check_account(request.connection)
            async with self.open(request.connection, watch) as client:
                return await self.outputs.save(client, request, watch, progress or SaveProgress())

    async def protected(self) -> ProtectedJobs:
        """Read the protected jobs. Raise ProtectionDamaged if their file cannot be read."""
        return await run_in_thread(self.protection.load)

    async def backup_in_force(self, wish: Backup | None = None) -> Backup:
        """Return what is kept before a deletion: `wish`, or the setting if `wish` is None.

        Raises:
            SettingsDamaged, StateFolderLost: the settings can't be read. Raised even if `wish` is given.
        """
        settings = await run_in_thread(self.settings.in_force)
        return settings.backup if wish is None else wish

    def nodes_may_delete(self, settings: Settings) -> NodeDeletionMode:
        """Return whether workflows may delete. The environment variable takes precedence over the settings."""
        return node_deletion_mode(settings.nodes, self._environ)

    async def clears_by_ids(self, backup: Backup | None = None) -> bool:
        """Return whether a clear has to delete exact jobs instead, because of protected jobs or backups."""
        return await self.backup_in_force(backup) != "off" or bool(await self.protected())

    async def carry_out(
        self, request: DeletionRequest, watch: Watch, *, wait: bool = True
    ) -> ClearResult | DeletionResult:
        """Carry out a deletion or a clear. With protected jobs or backups, a clear deletes exact jobs instead.

        Args:
            wait: whether a clear waits until another deletion ends. A deletion of jobs always waits.

        Raises:
            CloudError: nothing was sent. Among others Busy, HistoryGrew, PreviewExpired, SetupProblem, InputRefused.
            OperationStopped: the person stopped the operation before anything was sent.
        """
        clear_without_preview = request.kind == "clear" and request.preview is None
        with log_about(request.operation):
            if clear_without_preview and await self.clears_by_ids(request.backup):
                preview = await self.preview_everything(request.connection, watch)
                request = replace(request, job_ids=preview.finished_ids, preview=preview)
            async with (
                self.queue.carry_out(
                    request,
                    watch,
                    wait=wait or request.kind == "delete",
                    with_names=await self.keeps_names(),
                ) as ending,
                self.open(request.connection, watch) as client,
            ):
                ending.may_have_sent = lambda: client.has_sent
                self.events.follow_silence(request.operation, lambda: client.open_requests.silent_seconds)

                async def before_removal() -> None:
                    # A backup takes minutes, in which the person may have removed the key to stop everything.
                    await self._check_account(request.connection)
                    await ending.begin_sending()

                client.before_removal = before_removal
                await self._check_account(request.connection)
                safeguards = await self._safeguards(request, client)
                patience = 0.0 if request.origin.startswith("node") else PATIENCE_SECONDS
                result: ClearResult | DeletionResult
                if request.job_ids is None:
                    clear = Clear(client, safeguards, self._sleep, patience=patience)
                    result = await clear.run(watch, request.preview)
                else:
                    deletion = Deletion(client, safeguards, self._sleep, patience=patience)
                    result = await deletion.run(request.job_ids, watch, request.deletion_preview)
                    stay = await self._staying(client, request.deletion_preview, result, watch)
                    result = replace(result, stay=stay)
                ending(result)
            if isinstance(result, DeletionResult) and result.backed_up:
                await self.delete_old_backups()
            return result

    async def _staying(
        self, client: CloudClient, preview: DeletionPreview | None, result: DeletionResult, watch: Watch
    ) -> StayingJobs | None:
        """Read the list once more, and count the jobs that stay after a clear or a clean-up; None if that fails."""
        if preview is None or not (preview.everything or preview.what):
            return None  # the person chose the jobs, so all others stay
        if not result.removed or result.failed or result.stopped:
            return None
        try:
            listing = await run_stoppable(list_jobs(client, JobFilter()), watch, MIN_LOOKUP_SECONDS)
            protected = await self.protected()
        except CloudError:
            return None  # the deletion has succeeded all the same
        return preview.staying(listing.jobs.values(), protected) if listing.complete else None

    async def keeps_names(self) -> bool:
        """Return whether the audit log keeps names. It keeps none while the settings can't be read."""
        try:
            return (await run_in_thread(self.settings.in_force)).record_names == "on"
        except (SettingsDamaged, StateFolderLost, StateNotAnswering):
            return False

    async def _check_account(self, connection: Connection) -> None:
        """Check that the saved API key has not changed. Another ComfyUI with this state folder may have replaced it.

        Raises:
            OperationRefused: the saved key or the server has changed.
            SetupProblem: there is no saved key any more.
        """
        if connection.key.source != "prompt" and (await self.find_connection()).account != connection.account:
            raise OperationRefused("account_changed")

    async def _safeguards(self, request: DeletionRequest, client: CloudClient) -> Safeguards:
        async def backs_up() -> bool:
            return await self.backup_in_force(request.backup) != "off"

        backup = await self.backup_in_force(request.backup)
        if backup == "off":
            return Safeguards(self.protection, None, backs_up)
        host, secret = request.connection.base_url.host, request.connection.key.secret
        about = {"version": __version__, "host": host, "last4": secret.last4, "origin": request.origin}
        pace = self.backup_estimates.pace(request.connection.account)
        back_up = BackingUp(client, self.backups, request.operation, about, secret, pace.learn)
        keep_outputs = OutputsKept(self.outputs, partial(self._save_first, request, client))
        return Safeguards(self.protection, back_up, backs_up, keep_outputs if backup == "outputs" else None)

    async def _save_first(
        self, request: DeletionRequest, client: CloudClient, jobs: Mapping[str, Job | None], watch: Watch
    ) -> SaveResult:
        """Save the outputs of jobs that are about to be deleted. Files that were here before are hashed again."""
        counts = {job_id: job.outputs_count for job_id, job in jobs.items() if job and job.outputs_count is not None}
        expected = {job_id: JobFacts(count, None) for job_id, count in counts.items()}
        save = SaveRequest(
            list(jobs), request.connection, request.origin, expected, counts, operation=request.operation
        )
        return await self.outputs.save(client, save, watch, SaveProgress(), rehash=True)

    async def delete_old_backups(self) -> None:
        """Delete backups beyond the limits in the settings. Failures are only logged: an extra backup does no harm."""
        try:
            settings = await run_in_thread(self.settings.in_force)
            # A fast clock would make all backups but the newest look old, so use the earliest possible time.
            limits = settings.backup_days, settings.backup_megabytes, self.clock.earliest_now()
            removed = await run_large_in_thread(self.backups.delete_old, *limits)
        except StateNotAnswering as exc:
            log.warning("Old backups could not be deleted: %s", exc)
            return
        except (SettingsDamaged, StateFolderLost):
            return  # without the settings there are no limits
        if removed:
            log.info("%s old backups deleted.", len(removed))

    def tell_of_save(self, operation: str, ended: bool) -> None:
        """Tell all browsers that a save has new progress, or has ended."""
        if ended:
            self.events.changed("save", operation)
        else:
            self.events.announce(*progress(operation, "save"))

    @asynccontextmanager
    async def open(self, connection: Connection, watch: Watch | None = None) -> AsyncIterator[CloudClient]:
        """Open a client for one operation. Waits that Comfy Cloud asks for are reported to `watch`."""
        await compute_in_thread(schema.load_all)
        async with self._open_client(connection.base_url, connection.key) as client:
            client.clock, client.spellings = self.clock, self.spellings
            client.on_small_answer = self.backup_estimates.pace(connection.account).latencies.append
            if watch is not None:
                progress = watch.progress
                client.on_requested_wait = lambda seconds: progress(ASKED_TO_WAIT, 0, math.ceil(seconds))
            yield client
