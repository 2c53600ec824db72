"""Running one sending operation at a time, with its key, its record on disk and its client.

The nodes and the routes both come through here, on two event loops of one process.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import schema
from .client import CloudClient
from .config import BaseUrl, read_base_url
from .credentials import ApiKey, KeyStore
from .errors import Busy, CloudError, OperationStopped, StateUnwritable
from .history import History
from .journal import Entry, Journal
from .models import ClearResult, DeletionResult, JobCounts
from .report import clear_report, deletion_report
from .results import Payload, clear_payload, deletion_payload, failure_payload
from .secret import log
from .slot import SendingSlot
from .stopping import LOOK_EVERY, Unwatched, Watch

Announce = Callable[[str, Mapping[str, Any]], None]
OpenClient = Callable[[BaseUrl, ApiKey], CloudClient]

MOST_FINISHED = 10


@dataclass(frozen=True)
class Connection:
    """Where an operation goes, and with whose key."""

    base_url: BaseUrl
    key: ApiKey


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
        entries = self.journal.entries()
        holder = self._slot.holder()
        return [entry for entry in entries if entry.operation != holder]

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

    async def delete_jobs(self, job_ids: Sequence[str], origin: str, watch: Watch) -> DeletionResult:
        """Delete these jobs, after any other deletion has ended.

        Raises:
            SetupProblem, InputRefused: nothing was sent. OperationStopped: stopped while it waited.
        """
        connection = await self.connect()
        entry = _entry(connection, "delete", origin, asked=len(job_ids), job_ids=tuple(job_ids))
        async with self._sending(entry, watch, wait=True), self._client(connection) as history:
            result = await history.delete(job_ids, watch)
        self._finish(entry, deletion_payload(result), deletion_report(result, most_listed=len(job_ids)))
        return result

    async def clear_history(
        self,
        origin: str,
        watch: Watch,
        *,
        connection: Connection | None = None,
        confirmed: int | None = None,
        wait: bool = True,
        operation: str | None = None,
    ) -> ClearResult:
        """Clear the history.

        Args:
            connection: the one that was confirmed; without it, the one in force.
            confirmed: the number of jobs the person was shown.
            wait: whether to wait for another deletion to end.

        Raises:
            Busy, CountRose, SetupProblem, CloudError: nothing was sent.
        """
        connection = connection or await self.connect()
        entry = _entry(
            connection, "clear", origin, asked=confirmed, **({"operation": operation} if operation else {})
        )
        try:
            async with self._sending(entry, watch, wait=wait), self._client(connection) as history:
                result = await history.clear(watch, confirmed=confirmed)
        except Busy:
            raise
        except CloudError as error:
            self._finish(entry, failure_payload("clear", error), f"Nothing was sent. {error}")
            raise
        self._finish(entry, clear_payload(result), clear_report(result))
        return result

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

    def _finish(self, entry: Entry, payload: Payload, report: str) -> None:
        log.info("%s", report)
        self.finished.appendleft((entry.operation, payload))
        event = {"operation": entry.operation, "kind": entry.kind, "result": payload}
        self.announce("cloud_history.changed", event)


def _entry(connection: Connection, kind: Any, origin: str, **more: Any) -> Entry:
    return Entry(kind, origin, connection.base_url.host, connection.key.secret.last4, **more)
