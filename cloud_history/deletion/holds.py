"""Deletions that wait a few seconds, so that a person can undo them.

The server counts the time, so closing the tab does not cancel a deletion. A hold is written to disk before the request
is answered. If ComfyUI stops during a hold, nothing is sent, and the next start reports the deletion as lost.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..errors import (
    CloudError,
    InputRefused,
    LockNotAnswering,
    OperationRefused,
    StateFolderLost,
    StateNotAnswering,
    StateUnwritable,
)
from ..forks import ForkSafeLock
from ..jobs.rows import job_row
from ..secret import log, log_about
from ..state.files import files_named_by_id, read_private, write_private
from ..state.folder import state_folder_at
from ..state.locks import OwnerLock, file_lock
from ..tasks.own_loop import run_on_own_loop
from ..tasks.stopping import ASKED_TO_WAIT, PREPARING, Unwatched, Watch
from ..tasks.threads import REMOVAL_SECONDS, run_in_background, write_in_thread
from .events import Events
from .outcomes import ClearResult, DeletionResult
from .queue import DeletionQueue
from .request import DeletionRequest

HOLDING, WAITING, SENDING, UNDONE, DONE = "holding", "waiting", "sending", "undone", "done"
"""WAITING: another deletion holds the lock."""
NOTHING_SENT = (HOLDING, PREPARING, WAITING)
"""The states in which a hold can be undone."""
MAX_OPEN_HOLDS = 50
MAX_FILE_BYTES = 32_000_000

Payload = dict[str, Any]


class HoldWatch(Unwatched):
    """Passes the progress of one operation on to the browsers, and lets them stop the operation."""

    def __init__(self, tell: Callable[[str, int, int], None]) -> None:
        self._tell = tell
        self._last: tuple[str, int] | None = None
        self.stopping = False

    def stop_requested(self) -> bool:
        return self.stopping

    def progress(self, phase: str, done: int, total: int) -> None:
        # A waiting operation reports several times a second, so repeated values are dropped. Each wait that Comfy Cloud
        # asks for is passed on, even if it is as long as the wait before.
        if self._last != (phase, done) or phase == ASKED_TO_WAIT:
            self._last = (phase, done)
            self._tell(phase, done, total)


@dataclass
class Hold:
    """One confirmed deletion. Its id is the operation id."""

    request: DeletionRequest
    ends: float
    clock: Callable[[], float] = time.monotonic
    state: str = HOLDING
    watch: HoldWatch = field(default_factory=lambda: HoldWatch(lambda phase, done, total: None))
    task: asyncio.Task[None] | None = None
    owner_lock: OwnerLock | None = None

    _moving: ForkSafeLock = field(default_factory=ForkSafeLock, repr=False)

    @property
    def id(self) -> str:
        return self.request.operation

    def moves(self, states: Collection[str], to: str) -> bool:
        """If the current state is among `states`, change it to `to`, atomically. Return whether the state changed."""
        with self._moving:
            if self.state not in states:
                return False
            self.state = to
            return True

    @property
    def job_ids(self) -> list[str]:
        """The ids of the jobs to send; empty for a clear."""
        preview = self.request.deletion_preview
        return preview.job_ids if preview else list(self.request.job_ids or ())

    def payload(self) -> Payload:
        """The hold as JSON for browsers."""
        left = max(0.0, self.ends - self.clock()) if self.state == HOLDING else 0.0
        preview = self.request.preview
        jobs = preview.size if preview else len(self.job_ids)
        first = preview.jobs[0] if preview and preview.jobs else None
        return {"id": self.id, "kind": self.request.kind, "jobs": jobs, "ids": self.job_ids} | {
            "seconds_left": round(left, 2),
            "state": self.state,
            "account": self.request.connection.account,
            "origin": self.request.origin,
            "first": None if first is None else job_row(first),
            "backup": self.request.backup not in (None, "off"),
            "stopping": self.watch.stopping,
        }


class Deletions(Protocol):
    """The methods of the service that holds use."""

    folder: Path
    queue: DeletionQueue
    events: Events

    async def carry_out(self, request: DeletionRequest, watch: Watch) -> ClearResult | DeletionResult: ...


class Holds:
    """The holds of one process."""

    def __init__(
        self,
        deletions: Deletions,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._deletions = deletions
        self._state = state_folder_at(deletions.folder)
        self._folder = deletions.folder / "holds"
        self._lock_path = deletions.folder / "holds.gate"
        self._sleep = sleep
        self._clock = clock
        self._open: dict[str, Hold] = {}
        self._undone: dict[str, Hold] = {}

    @property
    def open(self) -> list[Hold]:
        """The holds without a result yet, oldest first."""
        return list(self._open.values())

    @property
    def undone(self) -> list[str]:
        """The ids of the newest holds that were undone."""
        return list(self._undone)

    async def start(self, request: DeletionRequest, seconds: float) -> Hold:
        """Hold a deletion for some seconds, then send it. The hold is on disk when this returns.

        Raises:
            InputRefused: MAX_OPEN_HOLDS holds are open already.
            StateUnwritable: the hold could not be written to disk, so nothing will be sent.
        """
        if len(self._open) >= MAX_OPEN_HOLDS:
            raise InputRefused("too_many_deletions")
        hold = Hold(request, self._clock() + seconds, self._clock)
        hold.watch = HoldWatch(lambda phase, done, total: self._progress(hold, phase, done, total))
        # Registered before the write, so that `undo_all` finds the hold, and `lost` does not list the hold as lost.
        self._open[hold.id] = hold
        written = False
        try:
            await write_in_thread(lambda: self._write(hold), lambda _: self._forget(hold))
            written = True
        finally:
            if not written:
                self._open.pop(hold.id, None)
        if hold.state != HOLDING:
            await write_in_thread(lambda: self._forget(hold))
            return hold
        with log_about(hold.id):
            hold.task = asyncio.get_running_loop().create_task(self._run(hold, seconds))
            self._changed(hold)
        return hold

    async def undo(self, hold_id: str) -> Hold:
        """Undo a hold. Raise OperationRefused if the deletion is being sent or was sent."""
        hold = self._open.get(hold_id) or self._undone.get(hold_id)
        if hold is not None and hold.state == UNDONE:
            return hold  # the browser may repeat an undo whose answer was lost
        if hold is None or not await self._undo_in_time(hold):
            raise OperationRefused("too_late")
        return hold

    async def undo_all(self) -> None:
        """Undo all holds that are not being carried out, and stop the others. Called when the key changes."""
        for hold in self.open:
            if not await self._undo_in_time(hold):
                hold.watch.stopping = True

    def stop(self, hold_id: str) -> None:
        """Stop an operation; requests already sent can't be undone. Raise InputRefused if no open hold has this id."""
        hold = self._open.get(hold_id)
        if hold is None:
            raise InputRefused("no_such_deletion")
        hold.watch.stopping = True
        self._changed(hold)

    async def _undo_in_time(self, hold: Hold) -> bool:
        """Undo a hold unless it is being sent. Return whether it was undone."""
        was_holding = hold.state == HOLDING
        if not hold.moves(NOTHING_SENT, UNDONE):
            return False
        self._open.pop(hold.id, None)
        self._undone[hold.id] = hold
        while len(self._undone) > MAX_OPEN_HOLDS:
            del self._undone[next(iter(self._undone))]
        if hold.task is not None:
            hold.task.cancel()
            await asyncio.wait({hold.task})
        if not was_holding:
            # The intent may already be in the audit log. Nothing was sent, so log the outcome as undone.
            with suppress(StateUnwritable), log_about(hold.id):
                await write_in_thread(lambda: self._deletions.queue.log_undone(hold.id))
        await self._forget_soon(hold)
        self._changed(hold)
        return True

    async def _run(self, hold: Hold, seconds: float) -> None:
        await self._sleep(seconds)
        if not hold.moves((HOLDING,), PREPARING):
            return
        try:
            self._changed(hold)
            await run_on_own_loop(self._deletions.carry_out(hold.request, hold.watch))
        except CloudError as error:
            log.info("A deletion was not carried out: %s", error)
        except Exception:  # noqa: BLE001 - nobody awaits this task, so its exception must be logged here
            log.exception("A deletion failed.")
        finally:
            hold.moves((PREPARING, WAITING, SENDING), DONE)
            self._open.pop(hold.id, None)
            self._deletions.events.forget(hold.id)
        await self._forget_soon(hold)

    async def _forget_soon(self, hold: Hold) -> None:
        # If this wait times out, the thread still removes the file later.
        with log_about(hold.id):
            try:
                await write_in_thread(lambda: self._forget(hold), seconds=REMOVAL_SECONDS)
            except StateNotAnswering as exc:
                log.warning("The file of a hold could not be removed yet: %s", exc)

    def _progress(self, hold: Hold, phase: str, done: int, total: int) -> None:
        # Runs on this pack's loop, while `_undo_in_time` runs on ComfyUI's. The first to change the state wins.
        if phase in (WAITING, PREPARING):
            hold.moves((PREPARING, WAITING), phase)
        elif hold.moves((PREPARING, WAITING), SENDING):
            # From here on the in-flight file records the operation, and a remaining hold file means "never sent".
            run_in_background(lambda: self._forget(hold))
        if hold.state == UNDONE:
            raise asyncio.CancelledError
        self._deletions.events.progressed(hold.id, hold.request.kind, phase, done, total, held=True)

    def _changed(self, hold: Hold) -> None:
        self._deletions.events.changed(hold.request.kind, hold.id)

    def lost(self) -> list[Payload]:
        """Return the unsent holds of an earlier run. Blocking. Raise StateUnreadable if their folder can't be read."""
        files = files_named_by_id(self._folder, ".json", "holds_unreadable")
        left = [path for path in files if path.stem not in self._open and not OwnerLock.is_held(path)]
        found = self._abandoned(left) if left else []
        known = self._recorded_elsewhere() if found else set()
        for each in found:
            if each["id"] in known:
                self._remove(self._folder / f"{each['id']}.json")  # an earlier attempt to remove the file failed
        return [each for each in found if each["id"] not in known]

    def _abandoned(self, left: list[Path]) -> list[Payload]:
        """Return the holds whose files no process owns. Waits until a file that is being written has its owner lock."""
        with ExitStack() as alone:
            try:
                alone.enter_context(file_lock(self._lock_path))
            except LockNotAnswering:
                return []  # another process is writing a hold, or the disk hangs: the next call tries again
            except OSError:
                pass  # in a read-only folder no other process can be writing a hold
            read = [_summary(path) for path in left if not OwnerLock.is_held(path)]
        return [each for each in read if each is not None]

    def _recorded_elsewhere(self) -> set[str]:
        """Return the ids of operations that have an in-flight file or an audit log entry."""
        queue = self._deletions.queue
        known = {entry.operation for entry in queue.in_flight.entries()}
        with suppress(StateFolderLost):
            known |= {each.entry.operation for each in queue.audit_log.entries()}
        return known

    def dismiss(self, hold_id: str) -> None:
        """Remove a lost hold that the person has dismissed. Blocking.

        Raises:
            InputRefused: no lost hold has this id.
            StateUnreadable: the folder of the holds can't be read.
        """
        if hold_id not in {each["id"] for each in self.lost()}:
            raise InputRefused("no_such_lost_deletion")
        self._remove(self._folder / f"{hold_id}.json")

    def _write(self, hold: Hold) -> None:
        path = self._folder / f"{hold.id}.json"
        kept = {key: value for key, value in hold.payload().items() if key in ("id", "kind", "jobs", "ids")}
        try:
            self._state.ensure(self._folder.name)
            with file_lock(self._lock_path):
                write_private(path, json.dumps(kept))
                hold.owner_lock = OwnerLock(path)
        except OSError as exc:
            self._remove(path)
            raise StateUnwritable("hold_not_noted", because=exc) from exc

    def _forget(self, hold: Hold) -> None:
        owner_lock, hold.owner_lock = hold.owner_lock, None
        if owner_lock is not None:
            owner_lock.release()
        self._remove(self._folder / f"{hold.id}.json")

    def _remove(self, path: Path) -> None:
        try:
            path.unlink(missing_ok=True)
        except OSError as exc:
            with log_about(path.stem):
                log.warning("The file of a hold can’t be removed: %s", exc.strerror)


def _summary(path: Path) -> Payload | None:
    """Return the hold in a file; None if the file is gone."""
    try:
        return _read(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        # An unreadable file still shows that there was a hold.
        return {"id": path.stem, "kind": "delete", "jobs": 0, "ids": []}


def _read(path: Path) -> Payload:
    kept = json.loads(read_private(path, MAX_FILE_BYTES))
    job_ids, jobs = kept["ids"], kept["jobs"]
    whole = (
        kept["id"] == path.stem
        and kept["kind"] in ("delete", "clear")
        and type(jobs) is int
        and isinstance(job_ids, list)
        and all(isinstance(each, str) for each in job_ids)
    )
    if not whole:
        raise ValueError("not a hold")
    return {"id": path.stem, "kind": kept["kind"], "jobs": jobs, "ids": job_ids}
