"""What can be done to a history, with the key and the safeguards of a state folder.

The nodes and the routes both come through here, on two event loops of one process.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from . import __version__, environment
from .cloud import schema
from .cloud.client import CloudClient
from .cloud.clock import CloudClock
from .cloud.counting import Span
from .cloud.listing import Listing
from .config import BaseUrl, read_base_url
from .deletion.clear import History
from .deletion.events import Announce, Events
from .deletion.outcomes import ClearResult, DeletionResult
from .deletion.preview import DeletionPreview, DeletionRequest, entry_of, preview_jobs
from .deletion.queue import DeletionQueue
from .deletion.report import clear_payload, clear_report, deletion_payload, deletion_report
from .deletion.safeguards import BackingUp, StateGuards
from .errors import AccountChanged, ListNotWhole, SettingsDamaged, StateFolderLost, StateSilent
from .jobs.filters import JobFilter, Protected, Selection
from .jobs.ids import WrittenIds
from .jobs.status import JobCounts
from .secret import Secret, log
from .state.backups import BackupFolder
from .state.credentials import ApiKey, Connection, KeyStore
from .state.folder import state_folder_at
from .state.in_flight import Entry, new_operation
from .state.protection import ProtectionFile
from .state.settings import Permission, Settings, SettingsFile, permission
from .tasks.stopping import ASKED_TO_WAIT, Unwatched, Watch
from .tasks.threads import compute_in_thread, run_in_thread, run_large_in_thread

OpenClient = Callable[[BaseUrl, ApiKey], CloudClient]


MAX_RECORDED_UNSEEN = 200
"""Ids that are recorded of a deletion which nobody has looked at before it begins. The others are recorded afterwards,
as far as they were sent."""


def open_client(base_url: BaseUrl, key: ApiKey) -> CloudClient:
    return CloudClient(base_url, key.secret)


class Operations:
    """The operations of one process.

    Args:
        folder: the state folder.
        announce: sends a websocket event to all browsers; must be callable from any thread.
        many_users: whether the host has several users and cannot tell them apart.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str] = environment.PROCESS,
        announce: Announce = lambda event, payload: None,
        open_client: OpenClient = open_client,
        history: Callable[[CloudClient], History] = History,
        *,
        many_users: bool = False,
        clock: CloudClock | None = None,
    ) -> None:
        self.keys = KeyStore(folder, environ, many_users=many_users)
        self.settings = SettingsFile(folder)
        self.protection = ProtectionFile(folder)
        self.backups = BackupFolder(folder)
        self.clock = clock or CloudClock()
        self.written = WrittenIds()
        self.folder = folder
        self.state = state_folder_at(folder)
        self.events = Events(announce)
        self.queue = DeletionQueue(folder, self.events, tell_results=not self.keys.everybodys)
        self._environ = environ
        self._open_client = open_client
        self._history = history

    def base_url(self) -> BaseUrl:
        """The server in force. Raises UnsafeBaseUrl."""
        return read_base_url(self._environ)

    async def find_connection(self, prompt_key: Secret | None = None) -> Connection:
        """The server and the key in force, read anew.

        Args:
            prompt_key: the key that came with the prompt of a node, where one did.

        Raises:
            SetupProblem: one of them is missing or cannot be used.
        """
        await compute_in_thread(schema.load_all)
        return Connection(self.base_url(), await run_in_thread(self.keys.get, prompt_key))

    async def check_key(self, key: ApiKey) -> str:
        """The standing of the key's account: `active`, `waitlisted` or another word.

        Raises:
            CloudError: the key was refused, or could not be checked.
        """
        await compute_in_thread(schema.load_all)
        async with self._open_client(self.base_url(), key) as client:
            return await client.get_user()

    async def count(self, connection: Connection, watch: Watch | None = None) -> JobCounts:
        """Count the jobs. Raises CloudError, OperationStopped."""
        async with self._client(connection, watch) as history:
            return await history.count(watch or Unwatched())

    async def span(self, connection: Connection, counts: JobCounts, watch: Watch) -> Span:
        """When the oldest and the newest of the finished jobs were made. Raises CloudError, OperationStopped."""
        async with self._client(connection, watch) as history:
            return await history.span(counts, watch)

    async def preview(self, connection: Connection, selection: Selection, watch: Watch) -> DeletionPreview:
        """Resolve a selection to exact jobs, now.

        Raises:
            CloudError: the history could not be read whole, so nobody knows what the selection is.
        """
        protected = await self.protected()
        async with self._client(connection, watch) as history:
            if selection.filter is not None:
                listing = await history.list(replace(selection.filter, shield=protected), watch)
                if not listing.complete:
                    raise listing.error or listing.not_whole()
                return preview_jobs(list(listing.jobs.values()), protected=protected)
            look = await history.look(selection.job_ids, watch)
            if look.error is not None or not all(look.saw(job_id) for job_id in selection.job_ids):
                raise look.error or ListNotWhole(str(look.reasons[0]) if look.reasons else "")
            there = [look.there[job_id] for job_id in selection.job_ids if job_id in look.there]
            return preview_jobs(there, look.gone, protected)

    async def preview_everything(self, connection: Connection, watch: Watch) -> DeletionPreview:
        """All finished jobs, by their ids: for a clear that may not take all. Raises CloudError."""
        # The active ones are read too: what a person is shown says how many stay.
        return replace(await self.preview(connection, Selection(filter=JobFilter()), watch), everything=True)

    async def protected(self) -> Protected:
        """The protected jobs. Raises ProtectionDamaged."""
        return await run_in_thread(self.protection.load)

    async def backs_up(self, wish: bool | None = None) -> bool:
        """Whether workflows are backed up before their jobs are deleted, by this wish or else as it is set.

        Raises:
            SettingsDamaged, StateFolderLost: nobody knows what is set, so nothing is deleted, whatever the wish.
        """
        settings = await run_in_thread(self.settings.in_force)
        return settings.backup != "off" if wish is None else wish

    def nodes_may_delete(self, settings: Settings) -> Permission:
        """Whether workflows may delete, by these settings or by the environment."""
        return permission(settings.nodes, self._environ)

    async def clears_by_ids(self, backup: bool | None = None) -> bool:
        """Whether a clear has to be a deletion of exact jobs: something is protected, or backups are on."""
        return await self.backs_up(backup) or bool(await self.protected())

    async def list_jobs(
        self,
        chosen: JobFilter,
        watch: Watch,
        *,
        connection: Connection | None = None,
        prompt_key: Secret | None = None,
    ) -> Listing:
        """All jobs that match, newest first. Raises CloudError where the list is not complete."""
        connection = connection or await self.find_connection(prompt_key)
        async with self._client(connection, watch) as history:
            listing = await history.list(chosen, watch)
        if not listing.complete:
            raise listing.error or listing.not_whole()
        return listing

    async def carry_out(
        self, confirmed: DeletionRequest, watch: Watch, *, wait: bool = True
    ) -> ClearResult | DeletionResult:
        """Carry out what a person confirmed in a browser. Raises as the operation does."""
        preview, origin, backup = confirmed.preview, confirmed.origin, confirmed.backup
        if isinstance(preview, DeletionPreview):
            return await self.delete_jobs(preview.job_ids, origin, watch, confirmed, backup=backup)
        return await self.clear_history(origin, watch, confirmed, wait=wait, backup=backup)

    async def delete_jobs(
        self,
        job_ids: Sequence[str],
        origin: str,
        watch: Watch,
        confirmed: DeletionRequest | None = None,
        *,
        backup: bool | None = None,
        title: str = "",
        prompt_key: Secret | None = None,
    ) -> DeletionResult:
        """Delete these jobs, after any other deletion has ended.

        Args:
            origin: where it comes from: `panel`, `menu`, `clean_up`, or `node` and the node's id.
            confirmed: what a person confirmed, where one did: then exactly those of the ids are sent.
            backup: whether workflows are backed up first; None: as it is set.
            title: the node's name, for the record.
            prompt_key: the key that came with the prompt of a node, where one did.

        Raises:
            SetupProblem, InputRefused: nothing was sent. OperationStopped: stopped while it waited.
        """
        connection = confirmed.connection if confirmed else await self.find_connection(prompt_key)
        preview = confirmed.preview if confirmed else None
        shown = preview if isinstance(preview, DeletionPreview) else None
        asked: dict[str, Any] = {"asked": len(job_ids), "job_ids": tuple(job_ids)}
        what = shown.what if shown else ""
        entry = entry_of(connection, "delete", origin, confirmed, title=title, what=what, **asked)
        recorded = shown.there(job_ids) if shown else job_ids[:MAX_RECORDED_UNSEEN]
        async with (
            self.queue.carry_out(entry, watch, wait=True, recorded=recorded) as ended,
            self.open(connection, watch) as client,
        ):
            ended.may_have_sent = lambda: client.has_sent
            await self._check_account(connection)
            result = await self._history(client).delete(
                job_ids,
                watch,
                previewed=shown.look if shown else None,
                confirmed=shown.job_ids if shown else None,
                safeguards=await self._guards(entry, connection, client, backup),
            )
            backup_name = f"{entry.operation}.zip" if result.backed_up else None
            report = deletion_report(result, most_listed=len(job_ids))
            ended(result, deletion_payload(result), report, backup=backup_name)
        if result.backed_up:
            await self.prune_backups()
        return result

    async def clear_history(
        self,
        origin: str,
        watch: Watch,
        confirmed: DeletionRequest | None = None,
        *,
        wait: bool = True,
        backup: bool | None = None,
        title: str = "",
        prompt_key: Secret | None = None,
    ) -> ClearResult | DeletionResult:
        """Clear the history. Where something is protected or backups are on, by deleting exact jobs.

        Args:
            confirmed: what a person confirmed, where one did: if there are more jobs by now, nothing is sent.
            wait: whether to wait for another deletion to end.

        Raises:
            Busy, CountRose, PreviewExpired, SetupProblem, CloudError: nothing was sent.
        """
        connection = confirmed.connection if confirmed else await self.find_connection(prompt_key)
        if confirmed is None and await self.clears_by_ids(backup):
            return await self._clear_by_ids(connection, origin, watch, backup, title)
        size = confirmed.preview.size if confirmed else None
        entry = entry_of(connection, "clear", origin, confirmed, asked=size, title=title)
        async with (
            self.queue.carry_out(entry, watch, wait=wait) as ended,
            self.open(connection, watch) as client,
        ):
            ended.may_have_sent = lambda: client.has_sent
            await self._check_account(connection)
            guards = await self._guards(entry, connection, client, backup)
            result = await self._history(client).clear(watch, confirmed=size, safeguards=guards)
            ended(result, clear_payload(result), clear_report(result))
        return result

    async def _check_account(self, connection: Connection) -> None:
        """Whether its key is still in force: another ComfyUI with this state folder may have removed or replaced it.

        Raises:
            AccountChanged: there is another one. SetupProblem: there is none.
        """
        if connection.key.source != "prompt" and (await self.find_connection()).account != connection.account:
            raise AccountChanged

    async def _clear_by_ids(
        self, connection: Connection, origin: str, watch: Watch, backup: bool | None, title: str
    ) -> DeletionResult:
        preview = await self.preview_everything(connection, watch)
        confirmed = DeletionRequest(preview, connection, new_operation(), origin, backup)
        return await self.delete_jobs(
            preview.finished_ids, origin, watch, confirmed, backup=backup, title=title
        )

    async def _guards(
        self, entry: Entry, connection: Connection, client: CloudClient, backup: bool | None
    ) -> StateGuards:
        if not await self.backs_up(backup):
            return StateGuards(self.protection, None, partial(self.backs_up, backup))
        about = {"version": __version__, "host": entry.host, "last4": entry.last4, "origin": entry.origin}
        secret = connection.key.secret
        back_up = BackingUp(client, self.backups, entry.operation, about, secret)
        return StateGuards(self.protection, back_up)

    async def prune_backups(self) -> None:
        """Delete the backups that are past their limits. Never fails: a backup too many does no harm."""
        try:
            settings = await run_in_thread(self.settings.in_force)
            # A clock that is fast would take all but the newest backups for old.
            limits = settings.backup_days, settings.backup_megabytes, self.clock.earliest_now()
            removed = await run_large_in_thread(self.backups.prune, *limits)
        except StateSilent as exc:
            log.warning("Old backups could not be deleted: %s", exc)
            return
        except (SettingsDamaged, StateFolderLost):
            return  # the limits are not known
        if removed:
            log.info("%s old backups deleted.", len(removed))

    @asynccontextmanager
    async def open(self, connection: Connection, watch: Watch | None = None) -> AsyncIterator[CloudClient]:
        """A client for one operation. `watch` is told how long Comfy Cloud asks it to wait."""
        await compute_in_thread(schema.load_all)
        async with self._open_client(connection.base_url, connection.key) as client:
            client.clock, client.written = self.clock, self.written
            if watch is not None:
                progress = watch.progress
                client.asked_to_wait = lambda seconds: progress(ASKED_TO_WAIT, 0, math.ceil(seconds))
            yield client

    @asynccontextmanager
    async def _client(self, connection: Connection, watch: Watch | None = None) -> AsyncIterator[History]:
        async with self.open(connection, watch) as client:
            yield self._history(client)
