"""Deletions that wait a few seconds, so that a person can undo them.

The server owns the clock, so that closing the tab changes nothing. A hold is on disk before it is answered; when
ComfyUI stops during it nothing is sent, and the next start says so.
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
    StateFolderLost,
    StateNotAnswering,
    StateUnwritable,
    TooLate,
)
from ..forks import ForkSafeLock
from ..secret import log, log_about
from ..state.files import files_named_by_id, read_private, write_private
from ..state.folder import state_folder_at
from ..state.locks import OwnerLock, file_lock
from ..tasks.own_loop import run_on_own_loop
from ..tasks.stopping import ASKED_TO_WAIT, Unwatched, Watch
from ..tasks.threads import REMOVAL_SECONDS, run_in_background, write_in_thread
from .events import Events
from .outcomes import ClearResult, DeletionResult
from .queue import DeletionQueue
from .request import DeletionRequest

HOLDING, WAITING, SENDING, UNDONE, DONE = "holding", "waiting", "sending", "undone", "done"
NOTHING_SENT = (HOLDING, WAITING)
"""The states in which a hold can be undone."""
MAX_OPEN_HOLDS = 50
MAX_FILE_BYTES = 32_000_000

Payload = dict[str, Any]


class HoldWatch(Unwatched):
    """Follows one operation for the browsers, and lets them stop it."""

    def __init__(self, tell: Callable[[str, int, int], None]) -> None:
        self._tell = tell
        self._last: tuple[str, int] | None = None
        self.stopping = False

    def stop_requested(self) -> bool:
        return self.stopping

    def progress(self, phase: str, done: int, total: int) -> None:
        # A waiting operation reports several times a second; that is told once. Two waits that Comfy Cloud asks for
        # are both told, even if they are equally long.
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
        """Move to a state if the current one is among `states`, atomically. Return whether it did."""
        with self._moving:
            if self.state not in states:
                return False
            self.state = to
            return True

    @property
    def job_ids(self) -> list[str]:
        return list(self.request.job_ids or ())

    def payload(self) -> Payload:
        """The hold as JSON for browsers."""
        left = max(0.0, self.ends - self.clock()) if self.state == HOLDING else 0.0
        jobs = self.request.preview.size if self.request.preview else len(self.job_ids)
        return {"id": self.id, "kind": self.request.kind, "jobs": jobs, "ids": self.job_ids} | {
            "seconds_left": round(left, 2),
            "state": self.state,
            "account": self.request.connection.account,
        }


class Deletions(Protocol):
    """What holds need of the service."""

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
            StateUnwritable: the hold could not be written to disk, so nothing will be sent.
        """
        if len(self._open) >= MAX_OPEN_HOLDS:
            raise InputRefused("too_many_deletions")
        hold = Hold(request, self._clock() + seconds, self._clock)
        hold.watch = HoldWatch(lambda phase, done, total: self._progress(hold, phase, done, total))
        # Registered before it is written: a new key has to find it, and `lost` must not take it for a lost one.
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
        """Undo a hold.

        Raises:
            TooLate: it is being sent, or was.
        """
        hold = self._open.get(hold_id) or self._undone.get(hold_id)
        if hold is not None and hold.state == UNDONE:
            return hold  # the answer to the first undo may have been lost
        if hold is None or not await self._take_back(hold):
            raise TooLate()
        return hold

    async def undo_all(self) -> None:
        """Undo all holds that are not being sent. Called when the key changes."""
        for hold in self.open:
            await self._take_back(hold)

    def stop(self, hold_id: str) -> None:
        """Stop an operation that is being sent. What was sent stays sent. Raises InputRefused."""
        hold = self._open.get(hold_id)
        if hold is None:
            raise InputRefused("no_such_deletion")
        hold.watch.stopping = True

    async def _take_back(self, hold: Hold) -> bool:
        """Whether it was undone in time."""
        was_waiting = hold.state == WAITING
        if not hold.moves(NOTHING_SENT, UNDONE):
            return False
        self._open.pop(hold.id, None)
        self._undone[hold.id] = hold
        while len(self._undone) > MAX_OPEN_HOLDS:
            del self._undone[next(iter(self._undone))]
        if hold.task is not None:
            hold.task.cancel()
            await asyncio.wait({hold.task})
        if was_waiting:
            # It may have been about to begin. Nothing was sent, so its outcome is known.
            with suppress(StateUnwritable), log_about(hold.id):
                await write_in_thread(lambda: self._deletions.queue.taken_back(hold.id))
        await self._forget_soon(hold)
        self._changed(hold)
        return True

    async def _run(self, hold: Hold, seconds: float) -> None:
        await self._sleep(seconds)
        if not hold.moves((HOLDING,), WAITING):
            return
        try:
            self._changed(hold)
            await run_on_own_loop(self._deletions.carry_out(hold.request, hold.watch))
        except CloudError as error:
            log.info("A deletion was not carried out: %s", error)
        except Exception:  # noqa: BLE001 - the edge: nobody waits for this task, and its end must not be silent
            log.exception("A deletion failed.")
        finally:
            hold.moves((WAITING, SENDING), DONE)
            self._open.pop(hold.id, None)
            self._deletions.events.forget(hold.id)
        await self._forget_soon(hold)

    async def _forget_soon(self, hold: Hold) -> None:
        # The file is removed even if this stops waiting, and the outcome of the hold is known already.
        with log_about(hold.id):
            try:
                await write_in_thread(lambda: self._forget(hold), seconds=REMOVAL_SECONDS)
            except StateNotAnswering as exc:
                log.warning("The note of a deletion is still there: %s", exc)

    def _progress(self, hold: Hold, phase: str, done: int, total: int) -> None:
        # Runs on our own loop. Of sending and undoing, the first wins.
        if phase != WAITING and hold.moves((WAITING,), SENDING):
            # From here on its in-flight file tells of it: a hold file that is left behind was never sent.
            run_in_background(lambda: self._forget(hold))
        elif hold.state == UNDONE:
            raise asyncio.CancelledError
        self._deletions.events.progressed(hold.id, hold.request.kind, phase, done, total, held=True)

    def _changed(self, hold: Hold) -> None:
        self._deletions.events.changed(hold.request.kind, hold.id)

    def lost(self) -> list[Payload]:
        """Holds of an earlier run, of which nothing was sent. Blocking. Raises StateUnreadable."""
        files = files_named_by_id(self._folder, ".json", "holds_unreadable")
        left = [path for path in files if path.stem not in self._open and not OwnerLock.is_held(path)]
        found = self._abandoned(left) if left else []
        known = self._known() if found else set()
        for each in found:
            if each["id"] in known:
                self._remove(self._folder / f"{each['id']}.json")  # its file could not be removed when it was sent
        return [each for each in found if each["id"] not in known]

    def _abandoned(self, left: list[Path]) -> list[Payload]:
        """The holds in those files that no process owns. The file lock is needed: a new file has no owner lock yet."""
        with ExitStack() as alone:
            try:
                alone.enter_context(file_lock(self._lock_path))
            except LockNotAnswering:
                return []  # another process writes a hold, or the disk hangs: the next call tells
            except OSError:
                pass  # in a read-only folder no other process writes either
            read = [_summary(path) for path in left if not OwnerLock.is_held(path)]
        return [each for each in read if each is not None]

    def _known(self) -> set[str]:
        """Operations whose in-flight file or audit log entry tells more than their hold."""
        queue = self._deletions.queue
        known = {entry.operation for entry in queue.in_flight.entries()}
        with suppress(StateFolderLost):
            known |= {each.entry.operation for each in queue.audit_log.entries()}
        return known

    def dismiss(self, hold_id: str) -> None:
        """Remove a lost hold that the person has dismissed. Blocking. Raises InputRefused, StateUnwritable."""
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
                log.warning("The note of a deletion can’t be removed: %s", exc.strerror)


def _summary(path: Path) -> Payload | None:
    """The hold in a file; None if the file is gone."""
    try:
        return _read(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        # Even an unreadable file shows that something was held.
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
