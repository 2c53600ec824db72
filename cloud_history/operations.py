"""Running one sending operation at a time, with its key, its record on disk and its client.

The nodes and the routes both come through here, on two event loops of one process.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import schema
from .client import CloudClient
from .config import BaseUrl, read_base_url
from .connection import Connection
from .credentials import ApiKey, KeyStore
from .errors import Busy, CloudError, ListNotWhole, OperationStopped, StateUnwritable
from .history import History
from .journal import Entry, Journal, Kind
from .leftovers import unresolved
from .listing import Listing
from .models import ClearResult, DeletionResult, JobCounts
from .previews import DeletionPreview, Preview, preview_jobs
from .report import clear_report, deletion_report
from .results import Payload, clear_payload, deletion_payload, failure_payload
from .secret import log
from .selection import JobFilter, Selection
from .settings import SettingsFile
from .slot import SendingSlot
from .stopping import LOOK_EVERY, Unwatched, Watch

Announce = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Confirmed:
    """What a person confirmed, and the name its operation will have."""

    preview: Preview
    connection: Connection
    operation: str


OpenClient = Callable[[BaseUrl, ApiKey], CloudClient]

MOST_FINISHED = 10


def open_client(base_url: BaseUrl, key: ApiKey) -> CloudClient:
    return CloudClient(base_url, key.secret)


class Operations:
    """The operations of one process.

    Args:
        folder: the state folder.
        announce: sends a websocket event to the browsers; must be callable from any thread.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str] = os.environ,
        announce: Announce = lambda event, payload: None,
        open_client: OpenClient = open_client,
        history: Callable[[CloudClient], History] = History,
    ) -> None:
        self.keys = KeyStore(folder, environ)
        self.journal = Journal(folder)
        self.settings = SettingsFile(folder)
        self.folder = folder
        self.announce = announce
        self.finished: deque[tuple[str, Payload]] = deque(maxlen=MOST_FINISHED)
        self._environ = environ
        self._open_client = open_client
        self._history = history
        self._slot = SendingSlot(folder)

    def running(self) -> Entry | None:
        """What is being sent now, by anybody who uses this state folder. Blocking."""
        holder = self._slot.holder()
        return next((entry for entry in self.journal.entries() if entry.operation == holder), None)

    def unresolved(self) -> list[Entry]:
        """Operations whose outcome nobody knows: ComfyUI stopped, or they were cancelled. Blocking."""
        return unresolved(self.journal, self._slot)

    def base_url(self) -> BaseUrl:
        """The server in force. Raises UnsafeBaseUrl."""
        return read_base_url(self._environ)

    async def connect(self) -> Connection:
        """The server and the key in force, read anew.

        Raises:
            SetupProblem: one of them is missing or cannot be used.
        """
        await asyncio.to_thread(schema.load_all)
        return Connection(self.base_url(), await asyncio.to_thread(self.keys.get))

    async def check_key(self, key: ApiKey) -> str:
        """The standing of the key's account: `active`, `waitlisted` or another word.

        Raises:
            CloudError: the key was refused, or could not be checked.
        """
        await asyncio.to_thread(schema.load_all)
        async with self._open_client(self.base_url(), key) as client:
            return await client.get_user()

    async def count(self, connection: Connection) -> JobCounts:
        """Count the jobs. Raises CloudError."""
        async with self._client(connection) as history:
            return await history.count(Unwatched())

    async def preview(self, connection: Connection, selection: Selection, watch: Watch) -> DeletionPreview:
        """Resolve a selection to exact jobs, now.

        Raises:
            CloudError: the history could not be read whole, so nobody knows what the selection is.
        """
        async with self._client(connection) as history:
            if selection.filter is not None:
                listing = await history.list(selection.filter, watch)
                if not listing.complete:
                    raise listing.error or ListNotWhole()
                return preview_jobs(list(listing.jobs.values()))
            look = await history.look(selection.job_ids, watch)
            if look.error is not None or not all(look.saw(job_id) for job_id in selection.job_ids):
                raise look.error or ListNotWhole()
            there = [look.there[job_id] for job_id in selection.job_ids if job_id in look.there]
            return preview_jobs(there, already_gone=len(look.gone))

    async def list_jobs(self, chosen: JobFilter, watch: Watch) -> Listing:
        """All jobs that match, newest first. Raises CloudError where the list is not complete."""
        connection = await self.connect()
        async with self._client(connection) as history:
            listing = await history.list(chosen, watch)
        if not listing.complete:
            raise listing.error or ListNotWhole()
        return listing

    async def delete_jobs(
        self, job_ids: Sequence[str], origin: str, watch: Watch, confirmed: Confirmed | None = None
    ) -> DeletionResult:
        """Delete these jobs, after any other deletion has ended.

        Args:
            confirmed: what a person confirmed, where one did: then exactly these ids are sent.

        Raises:
            SetupProblem, InputRefused: nothing was sent. OperationStopped: stopped while it waited.
        """
        connection = confirmed.connection if confirmed else await self.connect()
        entry = _entry(connection, "delete", origin, confirmed, asked=len(job_ids), job_ids=tuple(job_ids))
        previewed = (
            confirmed.preview.look if confirmed and isinstance(confirmed.preview, DeletionPreview) else None
        )
        with self._telling_failure(entry):
            async with self._sending(entry, watch, wait=True), self._client(connection) as history:
                result = await history.delete(job_ids, watch, previewed=previewed)
        self._finish(entry, deletion_payload(result), deletion_report(result, most_listed=len(job_ids)))
        return result

    async def clear_history(
        self, origin: str, watch: Watch, confirmed: Confirmed | None = None, *, wait: bool = True
    ) -> ClearResult:
        """Clear the history.

        Args:
            confirmed: what a person confirmed, where one did: if there are more jobs by now, nothing is sent.
            wait: whether to wait for another deletion to end.

        Raises:
            Busy, CountRose, SetupProblem, CloudError: nothing was sent.
        """
        connection = confirmed.connection if confirmed else await self.connect()
        size = confirmed.preview.size if confirmed else None
        entry = _entry(connection, "clear", origin, confirmed, asked=size)
        with self._telling_failure(entry):
            async with self._sending(entry, watch, wait=wait), self._client(connection) as history:
                result = await history.clear(watch, confirmed=size)
        self._finish(entry, clear_payload(result), clear_report(result))
        return result

    @contextmanager
    def _telling_failure(self, entry: Entry) -> Iterator[None]:
        """Tell the browsers when nothing was sent. Busy is an answer to one request, not an end."""
        try:
            yield
        except Busy:
            raise
        except CloudError as error:
            payload = failure_payload(entry.kind, error, total=entry.asked)
            self._finish(entry, payload, f"Nothing was sent. {error}")
            raise

    @asynccontextmanager
    async def open(self, connection: Connection) -> AsyncIterator[CloudClient]:
        """A client for one piece of reading."""
        await asyncio.to_thread(schema.load_all)
        async with self._open_client(connection.base_url, connection.key) as client:
            yield client

    @asynccontextmanager
    async def _client(self, connection: Connection) -> AsyncIterator[History]:
        async with self._open_client(connection.base_url, connection.key) as client:
            yield self._history(client)

    @asynccontextmanager
    async def _sending(self, entry: Entry, watch: Watch, *, wait: bool) -> AsyncIterator[None]:
        """Hold the one slot, with the entry on disk. The entry stays there unless the outcome is known."""
        await self._take_slot(entry, watch, wait)
        try:
            await asyncio.to_thread(self.journal.begin, entry)
            try:
                yield
            except CloudError:
                await self._resolve(entry)
                raise
            await self._resolve(entry)
        finally:
            self._slot.free()

    async def _take_slot(self, entry: Entry, watch: Watch, wait: bool) -> None:
        # Polled: who has it may be on another event loop, or in another process.
        while not await self._try_slot(entry):
            if not wait:
                running = await asyncio.to_thread(self.running)
                raise Busy("Another deletion is running.", origin=running.origin if running else "")
            if watch.stop_requested():
                raise OperationStopped("You stopped it.")
            watch.progress("waiting", 0, 1)
            await asyncio.sleep(LOOK_EVERY)

    async def _try_slot(self, entry: Entry) -> bool:
        taking = asyncio.ensure_future(asyncio.to_thread(self._slot.take, entry.operation))
        try:
            return await asyncio.shield(taking)
        except asyncio.CancelledError:
            # The thread goes on without us, and could take a slot nobody would ever free.
            await asyncio.wait({taking})
            if taking.exception() is None and taking.result():
                self._slot.free()
            raise

    async def _resolve(self, entry: Entry) -> None:
        try:
            await asyncio.to_thread(self.journal.resolve, entry.operation)
        except StateUnwritable as exc:
            # The outcome is known and is about to be told: a note left behind must not hide it.
            log.warning("%s", exc)

    def announce_change(self, kind: str) -> None:
        """Tell the browsers that the history has changed in another way than by a deletion."""
        event = {"operation": None, "hold": None, "kind": kind, "node": None, "result": None}
        self.announce("cloud_history.changed", event)

    def _finish(self, entry: Entry, payload: Payload, report: str) -> None:
        log.info("%s", report)
        self.finished.appendleft((entry.operation, payload))
        _, _, node = entry.origin.partition("node ")
        event = {
            "operation": entry.operation,
            "hold": entry.operation,
            "kind": entry.kind,
            "node": node or None,
        }
        self.announce("cloud_history.changed", {**event, "result": payload})


def _entry(
    connection: Connection, kind: Kind, origin: str, confirmed: Confirmed | None, **more: Any
) -> Entry:
    if confirmed is not None:
        more["operation"] = confirmed.operation
    return Entry(kind, origin, connection.base_url.host, connection.key.secret.last4, **more)
