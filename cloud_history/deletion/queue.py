"""Runs one deletion at a time, records it on disk first, and reports its outcome to browsers and the audit log."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from .. import __version__
from ..errors import Busy, CloudError, OperationStopped, StateUnwritable
from ..jobs.job import Job
from ..jobs.status import JobStatus
from ..secret import log, scrub
from ..state.audit_log import AuditEntry, AuditLog, AuditOutcome
from ..state.in_flight import InFlight, InFlightOperation, SenderLock, unresolved
from ..tasks.stopping import PREPARING, STOP_CHECK_SECONDS, Watch, check_stopped
from ..tasks.threads import run_in_thread, write_in_thread
from .events import Events
from .outcomes import ClearOutcome, ClearResult, DeletionResult, Outcome
from .report import Payload, failure_payload, result_payload, result_report
from .request import DeletionRequest

MAX_FINISHED = 10
MAX_LINES_PER_LOG_RECORD = 1000
NOTHING_SENT = "Nothing was sent."
UNDONE, CANCELLED = "undone", "cancelled"
"""Codes of the sentences for an operation that was stopped."""


class Ending:
    """Collects how an operation ends. Call the instance with the result as soon as there is one.

    Attributes:
        entry: the operation as recorded in its in-flight file.
        logged: the job ids in the operation's audit log entry.
        jobs: what the audit log says of these jobs, as far as it is known before anything is sent.
        may_have_sent: returns whether a request that changes the history may have been sent.
        begin_sending: records on disk that a request may have been sent. Raises StateUnwritable.
        started: when the operation began, on the monotonic clock, without the wait for another operation.
    """

    payload: Payload
    outcome: AuditOutcome
    report: str = ""

    def __init__(self, request: DeletionRequest, *, with_names: bool) -> None:
        self.entry = request.entry()
        self.logged = tuple(request.logged_ids)
        self.jobs = request.logged_jobs if with_names else {}
        self._with_names = with_names
        self._found: Mapping[str, Job] = {}
        self.may_have_sent: Callable[[], bool] = lambda: False
        self.begin_sending: Callable[[], Awaitable[None]]
        self.started = time.monotonic()

    def __call__(self, result: DeletionResult | ClearResult) -> None:
        ids, backup = 0, None
        if isinstance(result, DeletionResult):
            ids, backup = len(result.jobs), f"{self.entry.operation}.zip" if result.backed_up else None
        self.payload, self.report = result_payload(result), result_report(result, most_listed=ids)
        seconds = time.monotonic() - self.started
        self.outcome = self._of_logged(outcome_of(result, scrub(self.report), seconds, backup))
        if isinstance(result, DeletionResult):
            self._found = result.found

    def logged_outcome(self) -> tuple[AuditOutcome, Sequence[Job]]:
        """Return the outcome with the run time of the removed jobs, and the jobs that `jobs` lacks, for the audit log.

        Slow for many jobs: call it in a thread.
        """
        found = [job for job_id, job in self._found.items() if job_id not in self.jobs] if self._with_names else []
        removed = (
            self._found.get(job_id) for job_id, (word, _) in self.outcome.jobs.items() if word == Outcome.DELETED
        )
        timed = [job for job in removed if job is not None and job.took is not None]
        if not timed:
            return self.outcome, found
        failed = _run_seconds(job for job in timed if job.status is JobStatus.FAILED)
        run = replace(self.outcome, run_seconds=_run_seconds(timed), failed_run_seconds=failed, timed_jobs=len(timed))
        return run, found

    def _of_logged(self, outcome: AuditOutcome) -> AuditOutcome:
        """Return the outcome without the ids of jobs that were never found. The audit log still has their number."""
        unseen = (Outcome.ALREADY_GONE, Outcome.NOT_ATTEMPTED)  # an Outcome is a str, so it equals its word in the log
        logged = frozenset(self.logged)
        kept = {
            job_id: (word, why)
            for job_id, (word, why) in outcome.jobs.items()
            if job_id in logged or word not in unseen
        }
        return replace(outcome, jobs=kept)

    def nothing_sent(self, error: CloudError) -> AuditOutcome:
        """Return the outcome of an operation that ended before anything was sent."""
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
    """Serialises deletions within a state folder, across event loops and processes.

    Attributes:
        finished: the newest results with their operation ids, newest first.

    Args:
        tell_results: whether any browser may fetch the results. False if several people share this ComfyUI.
    """

    def __init__(self, folder: Path, events: Events, *, tell_results: bool = True) -> None:
        self.in_flight = InFlight(folder)
        self.finished: deque[tuple[str, Payload]] = deque(maxlen=MAX_FINISHED)
        self.audit_log = AuditLog(folder)
        self._events = events
        self._tell_results = tell_results
        self._lock = SenderLock(folder)

    def running(self) -> InFlightOperation | None:
        """Return the operation that is sending now, in any process that uses this state folder. Blocking."""
        holder = self._lock.holder()
        return next((entry for entry in self.in_flight.entries() if entry.operation == holder), None)

    def unresolved(self) -> list[InFlightOperation]:
        """Return the operations with an unknown outcome, because ComfyUI stopped or they were cancelled. Blocking."""
        return unresolved(self.in_flight, self._lock)

    def log_undone(self, operation: str, how: str = UNDONE) -> None:
        """Log that an operation stopped before sending. Blocking. Raise StateUnwritable if the log can't be written."""
        try:
            # Without an intent in the audit log there is no entry to complete.
            if any(each.entry.operation == operation and each.outcome is None for each in self.audit_log.entries()):
                outcome = AuditOutcome(removed=0, report=f"{NOTHING_SENT} {OperationStopped(how)}")
                self.audit_log.outcome(operation, outcome)
        finally:
            self.in_flight.resolve(operation)

    @asynccontextmanager
    async def carry_out(
        self, request: DeletionRequest, watch: Watch, *, wait: bool, with_names: bool = True
    ) -> AsyncIterator[Ending]:
        """Hold the queue for one operation. The caller sends inside, and calls the yielded `Ending` with the result.

        Args:
            wait: whether to wait for another operation to end.
            with_names: whether the audit log keeps the names, times, workflows and errors of the jobs.

        Raises:
            Busy: another operation is running, and `wait` is false. Nothing was sent.
            StateUnwritable: the operation could not be recorded. Nothing was sent.
            OperationStopped: the person stopped the operation while it waited.
        """
        ending = Ending(request, with_names=with_names)
        ending.begin_sending = partial(self._begin_sending, ending.entry)
        try:
            async with self._sending(ending, watch, wait=wait):
                yield ending
        except Busy:
            raise  # no operation began, so there is no result to report
        except CloudError as error:
            self._tell_nothing_sent(ending.entry, error)
            raise
        self._tell(ending.entry, ending.payload, ending.report)

    @asynccontextmanager
    async def _sending(self, ending: Ending, watch: Watch, *, wait: bool) -> AsyncIterator[None]:
        """Hold the lock, and record the entry on disk. The entry stays on disk if the outcome is unknown."""
        entry = ending.entry
        await self._take_lock(entry, watch, wait)
        try:
            await self._record(entry, _intent(entry, ending.logged), ending.jobs, watch)
            try:
                ending.started = time.monotonic()
                jobs = "all jobs" if entry.asked is None else f"{entry.asked:,} jobs"
                log.info("Asked by %s to %s %s.", entry.origin, entry.kind, jobs)
                yield
            except CloudError as error:
                unsent = ending.nothing_sent(error)
                await self._resolve(entry, lambda: (unsent, ()))
                raise
            except asyncio.CancelledError:
                await self._cancelled(entry, ending)
                raise
            await self._resolve(entry, ending.logged_outcome)
        finally:
            self._lock.free()

    async def _record(
        self, entry: InFlightOperation, intent: AuditEntry, jobs: Mapping[str, Job], watch: Watch
    ) -> None:
        """Write the in-flight entry and the audit log's intent to disk.

        Raises:
            StateUnwritable: the disk refused. The entry is removed again.
            OperationStopped: the person stopped the operation. The entry is removed again.
        """

        def write() -> None:
            self.in_flight.begin(entry)
            try:
                self.audit_log.intent(intent, jobs.values())
            except StateUnwritable:
                _try(lambda: self.in_flight.resolve(entry.operation))
                raise

        def take_back(written: None) -> None:
            self.log_undone(entry.operation, _how_cancelled(entry))

        await write_in_thread(write, take_back, meanwhile=partial(check_stopped, watch))

    async def _begin_sending(self, entry: InFlightOperation) -> None:
        # Not undone after a cancellation, because another request of the operation may have been sent since.
        await write_in_thread(lambda: self.in_flight.begin_sending(entry))

    async def _cancelled(self, entry: InFlightOperation, ending: Ending) -> None:
        """Log the outcome of a cancelled operation if it certainly sent nothing; otherwise leave it unresolved."""
        if ending.may_have_sent():
            log.warning("Cancelled while it was being sent (%s): the outcome is unknown.", entry.kind)
            self._events.forget(entry.operation)
            self._events.changed(entry.kind, entry.operation, ended=True)
            return
        error = OperationStopped(_how_cancelled(entry))
        unsent = ending.nothing_sent(error)
        await self._resolve(entry, lambda: (unsent, ()))
        if _is_from_node(entry):  # a browser that undoes a deletion needs no report
            self._tell_nothing_sent(entry, error)

    async def _take_lock(self, entry: InFlightOperation, watch: Watch, wait: bool) -> None:
        # Polled, because another event loop or process may hold the lock.
        waited = False
        while not await self._try_lock(entry, watch):
            if not wait:
                running = await run_in_thread(self.running)
                raise Busy(origin=running.origin if running else "")
            check_stopped(watch)
            watch.progress("waiting", 0, 1)
            waited = True
            await asyncio.sleep(STOP_CHECK_SECONDS)
        if waited:
            watch.progress(PREPARING, 0, 1)

    async def _try_lock(self, entry: InFlightOperation, watch: Watch) -> bool:
        def take() -> bool:
            return self._lock.take(entry.operation)

        def give_back(taken: bool) -> None:
            if taken:
                self._lock.free()

        return await write_in_thread(take, give_back, meanwhile=partial(check_stopped, watch))

    async def _resolve(
        self, entry: InFlightOperation, outcome: Callable[[], tuple[AuditOutcome, Sequence[Job]]]
    ) -> None:
        """Write an outcome to the audit log. If the disk fails, log a warning, and still report the outcome.

        Args:
            outcome: returns the outcome, and jobs that were found meanwhile. Called in a thread.
        """

        # Both writes in one step, so that a cancellation between them does not leave the operation unresolved.
        def write() -> None:
            _try(lambda: self.audit_log.outcome(entry.operation, *outcome()))
            _try(lambda: self.in_flight.resolve(entry.operation))

        try:
            await write_in_thread(write)
        except StateUnwritable as exc:
            log.warning("%s", exc)

    def _tell_nothing_sent(self, entry: InFlightOperation, error: CloudError) -> None:
        self._tell(entry, failure_payload(entry.kind, error), f"{NOTHING_SENT} {error}")

    def _tell(self, entry: InFlightOperation, payload: Payload, report: str) -> None:
        lines = report.splitlines(keepends=True)
        # In parts, because ComfyUI's event loop can't log anything until a log record is written.
        for at in range(0, len(lines), MAX_LINES_PER_LOG_RECORD):
            log.info("%s", "".join(lines[at : at + MAX_LINES_PER_LOG_RECORD]).rstrip("\n"))
        if self._tell_results:
            self.finished.appendleft((entry.operation, payload))
        self._events.forget(entry.operation)
        self._events.changed(entry.kind, entry.operation, ended=True)


def _is_from_node(entry: InFlightOperation) -> bool:
    return entry.origin.partition(" ")[0] == "node"


def _how_cancelled(entry: InFlightOperation) -> str:
    """Return CANCELLED for a node, which ComfyUI cancelled, and UNDONE for a deletion that a person undid."""
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
    """Return the outcome of a result for the audit log."""
    jobs: dict[str, tuple[str, str]] = {}
    if isinstance(result, DeletionResult):
        counts = {each.value: len(result.ids(each)) for each in Outcome if result.ids(each)}
        jobs = {job_id: (each.outcome.value, str(each.why)) for job_id, each in result.jobs.items()}
    else:
        word = (ClearOutcome.UNKNOWN if result.outcome is ClearOutcome.UNKNOWN else Outcome.DELETED).value
        counts = {word: result.removed} if result.removed else {}
    head = report.partition("\n")[0]
    return AuditOutcome(counts, jobs, result.removed, report=head, seconds=round(seconds, 3), backup=backup)


def _run_seconds(jobs: Iterable[Job]) -> float:
    return round(sum(job.took.total_seconds() for job in jobs if job.took is not None), 3)
