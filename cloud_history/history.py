"""The use cases: count the history, delete jobs from it, clear it. Reports what is known, and no more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Protocol

from .counting import count_jobs
from .errors import (
    CloudConnectionError,
    CloudError,
    CloudTimeoutError,
    CountRose,
    OperationStopped,
    ServerFault,
)
from .models import ClearOutcome, ClearResult, DeletionResult, JobCounts, JobOutcome, JobStatus, Outcome
from .protocol import MOST_IDS_A_REQUEST, delete_history
from .report import deletion_report
from .secret import log
from .stopping import Budget, Watch, run_stoppable, together

MOST_AT_ONCE = 4
LEAST_TO_LOOK = 15.0
"""Seconds a look may always take: what was sent is looked at even when the operation's time is up."""


class HistoryClient(Protocol):
    """What the use cases need of `client.CloudClient`."""

    async def delete_history(self, job_ids: list[str]) -> None: ...
    async def clear_history(self) -> None: ...
    async def list_jobs(
        self, statuses: tuple[JobStatus, ...], *, limit: int, offset: int = 0, after: str | None = None
    ) -> dict[str, Any]: ...


def _now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class History:
    """The execution history of one account.

    Attributes:
        seconds: how long an operation may take for up to 1,000 jobs; more jobs get more time.
        look_again: seconds to wait before each further look at a history that should have changed.
    """

    client: HistoryClient
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], datetime] = _now
    seconds: float = 120.0
    look_again: tuple[float, ...] = field(default=(0.25, 0.5, 1.0, 1.25, 2.0))

    async def count(self, watch: Watch) -> JobCounts:
        """Count the jobs by status.

        Raises:
            CloudError: they could not be counted. OperationStopped: the person stopped it.
        """
        return await self._count(watch, Budget(self.seconds))

    async def delete(self, job_ids: Sequence[str], watch: Watch) -> DeletionResult:
        """Remove these jobs: all requests are built and checked before the first is sent.

        A request that fails does not stop the others, unless its reason would meet them all. Stopping, or
        running out of time, ends with a result that says what had been sent by then.

        Raises:
            SchemaMismatch: an id is not one; nothing was sent.
            asyncio.CancelledError: passed through, after what had been sent is in the log.
        """
        chunks = [
            list(job_ids[at : at + MOST_IDS_A_REQUEST]) for at in range(0, len(job_ids), MOST_IDS_A_REQUEST)
        ]
        for chunk in chunks:
            delete_history(chunk)
            await asyncio.sleep(0)
        ledger = _Ledger(job_ids)
        seconds = self.seconds * max(1.0, len(job_ids) / 1000)
        try:
            await run_stoppable(self._send_chunks(chunks, ledger, watch), watch, seconds)
        except OperationStopped:
            return ledger.close("you stopped it", stopped=True)
        except CloudConnectionError as exc:
            return ledger.close("it took too long", error=exc)
        except asyncio.CancelledError:
            log.warning(
                "Cancelled while deleting jobs. %s", deletion_report(ledger.close("it was cancelled"))
            )
            raise
        return ledger.close("an earlier request failed")

    async def _send_chunks(self, chunks: list[list[str]], ledger: _Ledger, watch: Watch) -> None:
        waiting = deque(chunks)
        total = sum(len(each) for each in chunks)
        watch.progress("sending", 0, total)

        async def send_next() -> None:
            chunk = waiting.popleft()
            ledger.sending(chunk)
            try:
                await self.client.delete_history(chunk)
            except CloudError as error:
                ledger.failed(chunk, error)
                if error.meets_all:
                    waiting.clear()
            else:
                ledger.accepted(chunk)
            watch.progress("sending", ledger.answered, total)

        async def worker() -> None:
            try:
                while waiting:
                    await send_next()
            except BaseException:
                waiting.clear()  # whatever it was, the other workers send nothing more
                raise

        await together(worker() for _ in range(min(MOST_AT_ONCE, len(chunks))))

    async def clear(self, watch: Watch, *, confirmed: int | None = None) -> ClearResult:
        """Remove every finished job: count, send once, count again.

        Args:
            confirmed: how many finished jobs the person was shown. If there are more now, nothing is sent.

        Raises:
            CountRose: there are more. Nothing was sent.
            CloudError: the history could not be counted beforehand. Nothing was sent.
            OperationStopped: stopped before it was sent.
        """
        budget = Budget(self.seconds)
        before = await self._count(watch, budget)
        if confirmed is not None and before.finished > confirmed:
            more = before.finished - confirmed
            have = "job has" if more == 1 else "jobs have"
            raise CountRose(f"{more:,} more {have} finished since you looked.", counts=before)
        if before.finished == 0:
            return ClearResult(ClearOutcome.DELETED, before, after=before)
        if watch.stop_requested():
            raise OperationStopped("You stopped it.")
        if not budget.left():
            raise CloudTimeoutError("Counting took too long, so nothing was sent.", sent=False)
        watch.progress("sending", 0, 1)
        lost: CloudError | None = None
        try:
            await run_stoppable(self.client.clear_history(), watch, budget.left())
        except OperationStopped as error:
            return ClearResult(ClearOutcome.UNKNOWN, before, error=error, stopped=True)
        except CloudError as error:
            if not _may_have_worked(error):
                return ClearResult(ClearOutcome.FAILED, before, after=before, error=error)
            lost = error
        return await self._verify_clear(before, lost, watch, budget)

    async def _verify_clear(
        self, before: JobCounts, lost: CloudError | None, watch: Watch, budget: Budget
    ) -> ClearResult:
        """Count until nothing is left, for about five seconds: a list may lag behind what was done to it."""
        watch.progress("checking", 0, 1)
        unread = ClearOutcome.UNKNOWN if lost else ClearOutcome.UNCONFIRMED
        after: JobCounts | None = None
        try:
            after = await self._count(watch, budget)
            for wait in self.look_again:
                if after.finished == 0:
                    break
                await run_stoppable(self._wait(wait), watch, wait + 1)
                after = await self._count(watch, budget)
        except OperationStopped:
            return ClearResult(unread, before, after, lost, stopped=True)
        except CloudError as error:
            return ClearResult(unread, before, after, lost or error)
        if after.finished == 0:
            return ClearResult(ClearOutcome.DELETED, before, after)
        if not lost and after.finished < before.finished:
            return ClearResult(ClearOutcome.PARTIAL, before, after)
        return ClearResult(unread, before, after, lost)

    async def _count(self, watch: Watch, budget: Budget) -> JobCounts:
        seconds = budget.left(at_least=LEAST_TO_LOOK)
        return await run_stoppable(count_jobs(self.client, self.now), watch, seconds)

    async def _wait(self, seconds: float) -> None:
        await self.sleep(seconds)


def _may_have_worked(error: CloudError) -> bool:
    """Whether a request that ended in this error may have been carried out: it was sent, and not refused."""
    if isinstance(error, CloudConnectionError):
        return error.sent
    return error.status is not None and (200 <= error.status < 300 or error.status >= 500)


class _Ledger:
    """What is known of each job while its deletion runs."""

    def __init__(self, job_ids: Sequence[str]) -> None:
        self.outcomes: dict[str, JobOutcome] = {}
        self._order = list(job_ids)
        self._in_flight: set[str] = set()
        self._errors: dict[str, CloudError] = {}

    @property
    def answered(self) -> int:
        return len(self.outcomes)

    def sending(self, chunk: list[str]) -> None:
        self._in_flight.update(chunk)

    def accepted(self, chunk: list[str]) -> None:
        self._settle(chunk, JobOutcome(Outcome.ACCEPTED))

    def failed(self, chunk: list[str], error: CloudError) -> None:
        self._errors.setdefault(error.short, error)
        lost = _may_have_worked(error) and not isinstance(error, ServerFault)
        outcome = Outcome.UNCONFIRMED if lost else Outcome.FAILED
        self._settle(chunk, JobOutcome(outcome, error.short))

    def close(self, why: str, *, stopped: bool = False, error: CloudError | None = None) -> DeletionResult:
        """The outcome of every job: what was in flight is unconfirmed, what was not sent is not attempted."""
        if error is not None:
            self._errors.setdefault(error.short, error)
        first = next(iter(self._errors.values()), None)
        unsent = JobOutcome(Outcome.NOT_ATTEMPTED, why if stopped or first is None else first.short)
        lost = JobOutcome(Outcome.UNCONFIRMED, why)
        jobs = {
            job_id: self.outcomes.get(job_id) or (lost if job_id in self._in_flight else unsent)
            for job_id in self._order
        }
        return DeletionResult(jobs, stopped, tuple(self._errors.values()))

    def _settle(self, chunk: list[str], outcome: JobOutcome) -> None:
        self._in_flight.difference_update(chunk)
        self.outcomes.update(dict.fromkeys(chunk, outcome))
