"""The saves of one process: running, interrupted by a restart of ComfyUI, and ended.

A save is recorded on disk before it begins. If ComfyUI stops during a save, the next start lists it as interrupted, and
it goes on only when the person says so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ..errors import CloudError, InputRefused, OperationRefused, OperationStopped, StateUnwritable
from ..jobs.job import utc_now
from ..jobs.rows import milliseconds
from ..secret import log, log_about, scrub
from ..state.credentials import Connection
from ..state.saves import InFlightSave, InFlightSaves
from ..tasks.own_loop import run_on_own_loop
from ..tasks.stopping import Unwatched, Watch
from ..tasks.threads import run_in_thread, write_in_thread
from .folder import OutputFolder
from .progress import MAX_FAILED_SHOWN, SaveProgress
from .report import failed_payload, save_report
from .request import SaveRequest
from .result import SaveResult

RUNNING, STOPPING, INTERRUPTED, DONE, STOPPED = "running", "stopping", "interrupted", "done", "stopped"
MAX_RUNNING_SAVES = 10
MAX_ENDED_SAVES = 20
"""Maximum number of ended saves that are listed until the person dismisses them."""
TELL_SECONDS = 0.25
"""The browsers are told of new progress at most this often."""

Payload = dict[str, Any]


class RunSave(Protocol):
    """Saves the outputs of a request."""

    def __call__(self, request: SaveRequest, watch: Watch, progress: SaveProgress) -> Awaitable[SaveResult]: ...


class SaveWatch(Unwatched):
    """Tells browsers of the progress of a save, and lets them stop it."""

    def __init__(self, tell: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell = tell
        self._clock = clock
        self._next = 0.0
        self.stopping = False

    def stop_requested(self) -> bool:
        return self.stopping

    def progress(self, phase: str, done: int, total: int) -> None:
        now = self._clock()
        if now >= self._next:
            self._next = now + TELL_SECONDS
            self._tell()


@dataclass
class Save:
    """One save of this process."""

    request: SaveRequest
    place: str
    watch: SaveWatch
    progress: SaveProgress = field(default_factory=SaveProgress)
    started: datetime = field(default_factory=utc_now)
    ended: datetime | None = None
    result: SaveResult | None = None
    error: CloudError | None = None
    task: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        return self.request.operation

    @property
    def state(self) -> str:
        if self.ended is None:
            return STOPPING if self.watch.stopping else RUNNING
        stopped = self.result.stopped if self.result else isinstance(self.error, OperationStopped)
        return STOPPED if stopped else DONE

    @property
    def left_ids(self) -> Sequence[str]:
        """The jobs whose outputs are not all here."""
        whole = set(self.result.whole_ids) if self.result else set()
        return [job_id for job_id in self.request.job_ids if job_id not in whole]

    def payload(self) -> Payload:
        """The save as JSON for browsers."""
        progress, running = self.progress, self.ended is None
        return {
            "operation": self.id,
            "state": self.state,
            "jobs": len(self.request.job_ids),
            "files": progress.files,
            "bytes": progress.bytes,
            "files_done": progress.files_done,
            "bytes_done": progress.bytes_done,
            "bytes_per_second": progress.bytes_per_second() if running else 0,
            "seconds_left": progress.seconds_left() if running else None,
            "saved": progress.saved,
            "already_here": progress.already_here,
            "failed": self._failed(),
            "jobs_left": 0 if running else len(self.left_ids),
            "place": self.place,
            "account": self.request.connection.account,
            "started": milliseconds(self.started),
            "ended": milliseconds(self.ended),
            "error": scrub(str(self.error)) if self.error else None,
        }

    def _failed(self) -> list[dict[str, object]]:
        return failed_payload(self.result, MAX_FAILED_SHOWN) if self.result else []


class Saves:
    """The saves of one process. Its methods belong to ComfyUI's event loop.

    Args:
        records: the saves on disk.
        run: saves the outputs of a request, on any event loop.
        tell: tells the browsers of a save: its id, and whether it has ended.
    """

    def __init__(self, records: InFlightSaves, run: RunSave, tell: Callable[[str, bool], None]) -> None:
        self._records = records
        self._run = run
        self._tell = tell
        self._saves: dict[str, Save] = {}

    @property
    def own(self) -> list[Save]:
        """The saves of this process, running and ended, oldest first."""
        return list(self._saves.values())

    async def start(self, request: SaveRequest, folder: OutputFolder) -> Save:
        """Begin a save, which is on disk when this returns.

        Raises:
            InputRefused: too many saves are running.
            StateUnwritable: the save could not be recorded, so nothing is saved.
        """
        entry = _entry(request, folder)
        return await self._start(request, folder.place, lambda: self._records.begin(entry))

    async def _start(self, request: SaveRequest, place: str, record: Callable[[], object]) -> Save:
        if sum(each.ended is None for each in self._saves.values()) >= MAX_RUNNING_SAVES:
            raise InputRefused("too_many_saves")
        save = Save(request, place, SaveWatch(lambda: self._tell(request.operation, False)))
        for job_id, facts in request.expected.items():
            save.progress.expect(job_id, facts.files, facts.size)
        # Registered before the write, so that `stop_all` finds the save, and `payloads` never lists it twice.
        self._saves[save.id] = save
        written = False
        try:
            await write_in_thread(record, lambda _: self._records.interrupt(save.id))
            written = True
        finally:
            if not written:
                del self._saves[save.id]
        with log_about(save.id):
            save.task = asyncio.get_running_loop().create_task(self._carry_out(save))
        return save

    async def _carry_out(self, save: Save) -> None:
        try:
            save.result = await run_on_own_loop(_awaited(self._run(save.request, save.watch, save.progress)))
            log.info("%s", save_report(save.result))
        except CloudError as error:
            save.error = error
            log.info("Nothing was saved: %s", error)
        except Exception:  # noqa: BLE001 - nobody awaits this task, so its exception must be logged here
            save.error = CloudError("internal")
            log.exception("A save failed.")
        save.ended = utc_now()
        try:
            await write_in_thread(lambda: self._forget(save.id))
        except StateUnwritable as exc:
            log.warning("%s", exc)
        self._drop_oldest()
        self._tell(save.id, True)

    def _forget(self, operation: str) -> None:
        try:
            self._records.end(operation)
        except StateUnwritable as exc:
            log.warning("%s", exc)

    def _drop_oldest(self) -> None:
        ended = [each for each in self._saves.values() if each.ended is not None]
        for each in ended[:-MAX_ENDED_SAVES]:
            self._saves.pop(each.id, None)

    async def payloads(self) -> list[Payload]:
        """Return all saves as JSON: interrupted ones, then those of this process, oldest first."""
        interrupted = [_interrupted(each) for each in await run_in_thread(self._records.interrupted)]
        own = self._saves
        return [
            *(each for each in interrupted if each["operation"] not in own),
            *(each.payload() for each in own.values()),
        ]

    def stop(self, operation: str) -> Save:
        """Stop a running save. Raise InputRefused if no running save has this id."""
        save = self._saves.get(operation)
        if save is None or save.ended is not None:
            raise InputRefused("save_not_running")
        save.watch.stopping = True
        return save

    def stop_all(self) -> None:
        """Stop all running saves. Called when the key changes."""
        for save in self._saves.values():
            save.watch.stopping = True

    async def continue_interrupted(self, operation: str, connection: Connection) -> Save:
        """Go on with a save that a restart of ComfyUI interrupted.

        Raises:
            InputRefused: no interrupted save has this id.
            OperationRefused: the key or the server has changed since the save began.
        """
        found = await self._find_interrupted(operation)
        if (found.host, found.last4) != (connection.base_url.host, connection.key.secret.last4):
            raise OperationRefused("account_changed")
        request = SaveRequest(found.job_ids, connection, found.origin, operation=operation)
        return await self._start(request, found.place, lambda: self._records.take(operation))

    async def retry(self, operation: str, connection: Connection, folder: OutputFolder) -> Save:
        """Save once more what an ended save did not save, in a new save that replaces it.

        Raises:
            InputRefused: no ended save has this id, or nothing is left.
            OperationRefused: the key or the server has changed since the save began.
        """
        save = self._ended(operation)
        if save.request.connection.account != connection.account:
            raise OperationRefused("account_changed")
        left = save.left_ids
        if not left:
            raise InputRefused("nothing_to_save")
        expected = {job_id: facts for job_id, facts in save.request.expected.items() if job_id in frozenset(left)}
        request = SaveRequest(left, connection, save.request.origin, expected, save.request.outputs_counts)
        again = await self.start(request, folder)
        self._saves.pop(operation, None)
        return again

    async def dismiss(self, operation: str) -> None:
        """Remove an ended or interrupted save from the list. Raise InputRefused if there is none with this id."""
        if operation in self._saves:
            self._ended(operation)
            del self._saves[operation]
        else:
            await self._find_interrupted(operation)
            await write_in_thread(lambda: self._records.end(operation))
        self._tell(operation, True)

    def _ended(self, operation: str) -> Save:
        save = self._saves.get(operation)
        if save is None:
            raise InputRefused("no_such_save")
        if save.ended is None:
            raise InputRefused("save_still_running")
        return save

    async def _find_interrupted(self, operation: str) -> InFlightSave:
        for each in await run_in_thread(self._records.interrupted):
            if each.operation == operation and operation not in self._saves:
                return each
        raise InputRefused("no_such_save")


def _entry(request: SaveRequest, folder: OutputFolder) -> InFlightSave:
    return InFlightSave(
        job_ids=request.job_ids,
        host=request.connection.base_url.host,
        last4=request.connection.key.secret.last4,
        root=str(folder.root),
        place=folder.place,
        origin=request.origin,
        operation=request.operation,
    )


def _interrupted(entry: InFlightSave) -> Payload:
    """Return a save that a restart of ComfyUI interrupted as JSON. How far it came is not known before it goes on."""
    began = _moment(entry.begun)
    unknown = dict.fromkeys(("files", "bytes", "seconds_left", "account", "ended", "error"))
    nothing = dict.fromkeys(("files_done", "bytes_done", "bytes_per_second", "saved", "already_here"), 0)
    return {
        "operation": entry.operation,
        "state": INTERRUPTED,
        "jobs": len(entry.job_ids),
        "jobs_left": len(entry.job_ids),
        "failed": [],
        "place": scrub(entry.place),
        "started": milliseconds(began),
        **unknown,
        **nothing,
    }


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


async def _awaited(result: Awaitable[SaveResult]) -> SaveResult:
    return await result
