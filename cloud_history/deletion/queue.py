"""One sending operation at a time, on disk before it begins, and told when it has ended."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from .. import __version__
from ..errors import Busy, CloudError, OperationStopped, StateUnwritable
from ..secret import log, scrub
from ..state.audit_log import AuditEntry, AuditLog, AuditOutcome
from ..state.in_flight import InFlight, InFlightOperation, SenderLock, unresolved
from ..tasks.stopping import STOP_CHECK_SECONDS, Watch, check_stopped
from ..tasks.threads import run_in_thread, write_in_thread
from .events import Events
from .outcomes import ClearOutcome, ClearResult, DeletionResult, Outcome
from .report import Payload, failure_payload, result_payload, result_report
from .request import DeletionRequest

MAX_FINISHED = 10
MAX_LINES_PER_LOG_RECORD = 1000
NOTHING_SENT = "Nothing was sent."
UNDONE, CANCELLED = "undone", "cancelled"
"""The codes of what is said of an operation that was stopped."""


class Ending:
    """How an operation ended: it is called with that, as soon as that is known.

    Attributes:
        entry: what is written down of it.
        logged: the ids that the audit log has of it.
        may_have_sent: whether a request that changes something may have left.
        started: on the monotonic clock; waiting for another operation is not its time.
    """

    payload: Payload
    outcome: AuditOutcome
    report: str = ""

    def __init__(self, request: DeletionRequest) -> None:
        self.entry = request.entry()
        self.logged = tuple(request.logged_ids)
        self.may_have_sent: Callable[[], bool] = lambda: False
        self.started = time.monotonic()

    def __call__(self, result: DeletionResult | ClearResult) -> None:
        ids, backup = 0, None
        if isinstance(result, DeletionResult):
            ids, backup = len(result.jobs), f"{self.entry.operation}.zip" if result.backed_up else None
        self.payload, self.report = result_payload(result), result_report(result, most_listed=ids)
        seconds = time.monotonic() - self.started
        self.outcome = self._of_logged(outcome_of(result, scrub(self.report), seconds, backup))

    def _of_logged(self, outcome: AuditOutcome) -> AuditOutcome:
        """The outcome without the ids of jobs that nobody has seen: of those the audit log has the number."""
        unseen = (Outcome.ALREADY_GONE, Outcome.NOT_ATTEMPTED)  # texts too: they equal the words of the log
        logged = frozenset(self.logged)
        kept = {
            job_id: (word, why)
            for job_id, (word, why) in outcome.jobs.items()
            if job_id in logged or word not in unseen
        }
        return replace(outcome, jobs=kept)

    def nothing_sent(self, error: CloudError) -> AuditOutcome:
        """What the audit log says when it ended before anything was sent."""
        job_ids = self.entry.job_ids
        report = scrub(f"{NOTHING_SENT} {error}").partition("\n")[0]
        not_tried = (Outcome.NOT_ATTEMPTED.value, scrub(error.short))
        outcome = AuditOutcome(
            counts={Outcome.NOT_ATTEMPTED.value: len(job_ids)} if job_ids else {},
            jobs=dict.fromkeys(job_ids, not_tried),
            removed=0,
            report=report,
            seconds=round(time.monotonic() - self.started, 3),
        )
        return self._of_logged(outcome)


class DeletionQueue:
    """Where each operation that sends passes through.

    Attributes:
        finished: the newest results, newest first, with the names of their operations.

    Args:
        tell_results: whether every browser may know them: not where they would be other people's.
    """

    def __init__(self, folder: Path, events: Events, *, tell_results: bool = True) -> None:
        self.in_flight = InFlight(folder)
        self.finished: deque[tuple[str, Payload]] = deque(maxlen=MAX_FINISHED)
        self.audit_log = AuditLog(folder)
        self._events = events
        self._tell_results = tell_results
        self._lock = SenderLock(folder)

    def running(self) -> InFlightOperation | None:
        """What is being sent now, by anybody who uses this state folder. Blocking."""
        holder = self._lock.holder()
        return next((entry for entry in self.in_flight.entries() if entry.operation == holder), None)

    def unresolved(self) -> list[InFlightOperation]:
        """Operations whose outcome nobody knows: ComfyUI stopped, or they were cancelled. Blocking."""
        return unresolved(self.in_flight, self._lock)

    def taken_back(self, operation: str, how: str = UNDONE) -> None:
        """It was ended before it sent anything, perhaps while it was about to begin. Blocking.

        Raises:
            StateUnwritable: it could not be written down.
        """
        try:
            # Only where an intent was logged: of the others the audit log knows nothing.
            if any(
                each.entry.operation == operation and each.outcome is None
                for each in self.audit_log.entries()
            ):
                outcome = AuditOutcome(removed=0, report=f"{NOTHING_SENT} {OperationStopped(how)}")
                self.audit_log.outcome(operation, outcome)
        finally:
            self.in_flight.resolve(operation)

    @asynccontextmanager
    async def carry_out(self, request: DeletionRequest, watch: Watch, *, wait: bool) -> AsyncIterator[Ending]:
        """Do it here, and say at the end how it went: what is given is called with that.

        Args:
            wait: whether to wait for another operation to end.

        Raises:
            Busy, StateUnwritable: nothing was sent. OperationStopped: stopped while it waited.
        """
        ending = Ending(request)
        try:
            async with self._sending(ending, watch, wait=wait):
                yield ending
        except Busy:
            raise  # an answer to one request, not an end
        except CloudError as error:
            self._tell_nothing_sent(ending.entry, error)
            raise
        self._tell(ending.entry, ending.payload, ending.report)

    @asynccontextmanager
    async def _sending(self, ending: Ending, watch: Watch, *, wait: bool) -> AsyncIterator[None]:
        """Hold the one lock, with the entry on disk. The entry stays there unless the outcome is known."""
        entry = ending.entry
        await self._take_lock(entry, watch, wait)
        try:
            await self._write_down(entry, _intent(entry, ending.logged), watch)
            try:
                ending.started = time.monotonic()
                jobs = "all jobs" if entry.asked is None else f"{entry.asked:,} jobs"
                log.info("Asked by %s to %s %s.", entry.origin, entry.kind, jobs)
                yield
            except CloudError as error:
                await self._resolve(entry, ending.nothing_sent(error))
                raise
            except asyncio.CancelledError:
                await self._cancelled(entry, ending)
                raise
            await self._resolve(entry, ending.outcome)
        finally:
            self._lock.free()

    async def _write_down(self, entry: InFlightOperation, intent: AuditEntry, watch: Watch) -> None:
        """Raises StateUnwritable, OperationStopped: then nothing of it is left, as nothing came of it."""

        def write() -> None:
            self.in_flight.begin(entry)
            try:
                self.audit_log.intent(intent)
            except StateUnwritable:
                _try(lambda: self.in_flight.resolve(entry.operation))
                raise

        def take_back(written: None) -> None:
            self.taken_back(entry.operation, _how_cancelled(entry))

        await write_in_thread(write, take_back, meanwhile=partial(check_stopped, watch))

    async def _cancelled(self, entry: InFlightOperation, ending: Ending) -> None:
        """It ended before its outcome was known. What sent nothing is told as that; of the rest nobody knows."""
        if ending.may_have_sent():
            log.warning("Cancelled while it was being sent (%s): the outcome is unknown.", entry.kind)
            self._events.forget(entry.operation)
            self._events.changed(entry.kind, entry.operation, ended=True)
            return
        error = OperationStopped(_how_cancelled(entry))
        await self._resolve(entry, ending.nothing_sent(error))
        if _is_from_node(entry):  # a browser knows of what it has undone itself
            self._tell_nothing_sent(entry, error)

    async def _take_lock(self, entry: InFlightOperation, watch: Watch, wait: bool) -> None:
        # Polled: who has it may be on another event loop, or in another process.
        while not await self._try_lock(entry, watch):
            if not wait:
                running = await run_in_thread(self.running)
                raise Busy(origin=running.origin if running else "")
            check_stopped(watch)
            watch.progress("waiting", 0, 1)
            await asyncio.sleep(STOP_CHECK_SECONDS)

    async def _try_lock(self, entry: InFlightOperation, watch: Watch) -> bool:
        def take() -> bool:
            return self._lock.take(entry.operation)

        def give_back(taken: bool) -> None:
            if taken:
                self._lock.free()

        return await write_in_thread(take, give_back, meanwhile=partial(check_stopped, watch))

    async def _resolve(self, entry: InFlightOperation, outcome: AuditOutcome) -> None:
        """The outcome is known and is about to be told: a disk that refuses must not hide it."""

        # Together, so that being cancelled between the two leaves no deletion whose outcome "nobody knows".
        def write() -> None:
            _try(lambda: self.audit_log.outcome(entry.operation, outcome))
            _try(lambda: self.in_flight.resolve(entry.operation))

        try:
            await write_in_thread(write)
        except StateUnwritable as exc:
            log.warning("%s", exc)

    def _tell_nothing_sent(self, entry: InFlightOperation, error: CloudError) -> None:
        self._tell(entry, failure_payload(entry.kind, error), f"{NOTHING_SENT} {error}")

    def _tell(self, entry: InFlightOperation, payload: Payload, report: str) -> None:
        lines = report.splitlines(keepends=True)
        # In parts: while a log is written, everybody else who logs waits, ComfyUI's event loop too.
        for at in range(0, len(lines), MAX_LINES_PER_LOG_RECORD):
            log.info("%s", "".join(lines[at : at + MAX_LINES_PER_LOG_RECORD]).rstrip("\n"))
        if self._tell_results:
            self.finished.appendleft((entry.operation, payload))
        self._events.forget(entry.operation)
        self._events.changed(entry.kind, entry.operation, ended=True)


def _is_from_node(entry: InFlightOperation) -> bool:
    return entry.origin.partition(" ")[0] == "node"


def _how_cancelled(entry: InFlightOperation) -> str:
    """A node is cancelled by ComfyUI, and what was confirmed in a browser by the person who undoes it."""
    return CANCELLED if _is_from_node(entry) else UNDONE


def _try(write: Callable[[], None]) -> None:
    try:
        write()
    except StateUnwritable as exc:
        log.warning("%s", exc)


def _intent(entry: InFlightOperation, job_ids: Sequence[str]) -> AuditEntry:
    kind, _, node = entry.origin.partition(" ")
    return AuditEntry(
        operation=entry.operation,
        kind=entry.kind,
        origin=kind,
        node=node,
        title=entry.title,
        asked=entry.asked,
        job_ids=tuple(job_ids),
        host=entry.host,
        last4=entry.last4,
        version=__version__,
        what=entry.what,
    )


def outcome_of(
    result: DeletionResult | ClearResult, report: str, seconds: float, backup: str | None = None
) -> AuditOutcome:
    """What is written of a result."""
    if isinstance(result, DeletionResult):
        counts = {each.value: len(result.ids(each)) for each in Outcome if result.ids(each)}
        jobs = {job_id: (each.outcome.value, each.why) for job_id, each in result.jobs.items()}
        found = AuditOutcome(counts, jobs, result.deleted)
    else:
        unknown = result.outcome is ClearOutcome.UNKNOWN
        word = (ClearOutcome.UNKNOWN if unknown else Outcome.DELETED).value
        found = AuditOutcome({word: result.removed} if result.removed else {}, removed=result.removed)
    return replace(found, report=report.partition("\n")[0], seconds=round(seconds, 3), backup=backup)
