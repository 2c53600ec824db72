"""The use cases: list and count the history, delete jobs from it, clear it. Reports what is known, and no more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Protocol

from .counting import count_jobs
from .errors import CloudConnectionError, CloudError, CloudTimeoutError, CountRose, OperationStopped
from .ledger import Ledger, may_have_worked
from .listing import Listing, list_jobs
from .look import UNSEEN, JobReader, Look, look_at
from .models import ClearOutcome, ClearResult, DeletionResult, JobCounts
from .protocol import MOST_IDS_A_REQUEST, delete_history
from .report import deletion_report
from .secret import log
from .selection import JobFilter
from .stopping import Budget, Unwatched, Watch, run_stoppable, together

MOST_AT_ONCE = 4
LEAST_TO_LOOK = 15.0
"""Seconds a look may always take: what was sent is looked at even when the operation's time is up."""
MOST_TO_LOOK_STOPPED = 0.25
"""Seconds for the look after a person has stopped it: they are kept for less than half a second in all."""


class HistoryClient(JobReader, Protocol):
    """What the use cases need of `client.CloudClient`."""

    async def delete_history(self, job_ids: list[str]) -> None: ...
    async def clear_history(self) -> None: ...


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

    async def list(self, chosen: JobFilter, watch: Watch) -> Listing:
        """All jobs that match. What could not be read is said in the listing.

        Raises:
            OperationStopped: the person stopped it. CloudTimeoutError: it took too long.
        """
        watch.progress("checking", 0, 1)
        return await run_stoppable(list_jobs(self.client, chosen), watch, self.seconds)

    async def look(self, job_ids: Sequence[str], watch: Watch) -> Look:
        """Look at these jobs. Raises OperationStopped."""
        return await self._look(job_ids, watch, Budget(self.seconds))

    async def delete(
        self, job_ids: Sequence[str], watch: Watch, *, previewed: Look | None = None
    ) -> DeletionResult:
        """Remove these jobs: look, send, look again, and say of each what became of it.

        All requests are built and checked before the first is sent. A request that fails does not stop the
        others, unless its reason would meet them all. Stopping, or running out of time, ends with a result that
        says what had been sent by then.

        Args:
            previewed: what the person was shown. Then exactly these ids are sent; without it, jobs that are
                seen to be active or gone already are not.

        Raises:
            SchemaMismatch: an id is not one; nothing was sent.
            OperationStopped: stopped before anything was sent.
            asyncio.CancelledError: passed through, after what had been sent is in the log.
        """
        for chunk in _chunks(job_ids):
            delete_history(chunk)
            await asyncio.sleep(0)
        budget = Budget(self.seconds * max(1.0, len(job_ids) / 1000))
        before = await self._look(job_ids, watch, budget)
        if previewed is None:
            send = [job_id for job_id in job_ids if _worth_sending(job_id, before)]
        else:
            send, before = list(job_ids), _seen_in_either(before, previewed)
        ledger = Ledger(job_ids)
        try:
            await self._send(send, ledger, watch, budget)
            after = await self._verify(ledger, watch, budget)
        except asyncio.CancelledError:
            ledger.end_sending("it was cancelled")
            log.warning("Cancelled. %s", deletion_report(ledger.result(before, UNSEEN), len(job_ids)))
            raise
        return ledger.result(before, after)

    async def _send(self, job_ids: Sequence[str], ledger: Ledger, watch: Watch, budget: Budget) -> None:
        try:
            await run_stoppable(self._send_chunks(job_ids, ledger, watch), watch, budget.left())
        except OperationStopped:
            ledger.end_sending("you stopped it", stopped=True)
        except CloudConnectionError as error:
            ledger.note(error)
            ledger.end_sending("it took too long")
        else:
            ledger.end_sending("an earlier request failed")

    async def _send_chunks(self, job_ids: Sequence[str], ledger: Ledger, watch: Watch) -> None:
        waiting = deque(_chunks(job_ids))
        watch.progress("sending", 0, len(job_ids))

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
            watch.progress("sending", ledger.settled, len(job_ids))

        async def worker() -> None:
            try:
                while waiting:
                    await send_next()
            except BaseException:
                waiting.clear()  # whatever it was, the other workers send nothing more
                raise

        await together(worker() for _ in range(min(MOST_AT_ONCE, len(waiting))))

    async def _verify(self, ledger: Ledger, watch: Watch, budget: Budget) -> Look:
        """Look until everything that was sent is gone, for about five seconds: a list may lag behind."""
        sent = ledger.to_verify
        if not sent:
            return UNSEEN
        watch.progress("checking", 0, len(sent))
        if ledger.stopped:
            return await self._glance(sent)
        look = UNSEEN
        try:
            look = await self._look(sent, watch, budget)
            for wait in self.look_again:
                if look.error is not None or not ledger.awaited(look):
                    break
                await self._pause(wait, watch)
                look = _since(look, await self._look(sent, watch, budget))
        except OperationStopped:
            ledger.stopped = True
            glance = await self._glance(sent)
            look = look if glance is UNSEEN else _since(look, glance)
        if look.error is not None:
            ledger.note(look.error)
        return look

    async def _glance(self, job_ids: Sequence[str]) -> Look:
        """What can be seen in the moment left when a person has stopped it."""
        try:
            return await run_stoppable(look_at(self.client, job_ids), Unwatched(), MOST_TO_LOOK_STOPPED)
        except CloudConnectionError:
            return UNSEEN

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
            if not may_have_worked(error):
                return ClearResult(ClearOutcome.FAILED, before, after=before, error=error)
            lost = error
        return await self._verify_clear(before, lost, watch, budget)

    async def _verify_clear(
        self, before: JobCounts, lost: CloudError | None, watch: Watch, budget: Budget
    ) -> ClearResult:
        """Count until nothing is left, for about five seconds."""
        watch.progress("checking", 0, 1)
        unread = ClearOutcome.UNKNOWN if lost else ClearOutcome.UNCONFIRMED
        after: JobCounts | None = None
        try:
            after = await self._count(watch, budget)
            for wait in self.look_again:
                if after.finished == 0:
                    break
                await self._pause(wait, watch)
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

    async def _look(self, job_ids: Sequence[str], watch: Watch, budget: Budget) -> Look:
        seconds = budget.left(at_least=LEAST_TO_LOOK)
        watch.progress("checking", 0, 1)
        try:
            return await run_stoppable(look_at(self.client, job_ids), watch, seconds)
        except CloudConnectionError as error:
            return Look(error=error)

    async def _pause(self, seconds: float, watch: Watch) -> None:
        async def wait() -> None:
            await self.sleep(seconds)

        # A computer that slept meanwhile is late; what was sent is looked at all the same.
        with suppress(CloudConnectionError):
            await run_stoppable(wait(), watch, seconds + 1)


def _chunks(job_ids: Sequence[str]) -> list[list[str]]:
    return [list(job_ids[at : at + MOST_IDS_A_REQUEST]) for at in range(0, len(job_ids), MOST_IDS_A_REQUEST)]


def _worth_sending(job_id: str, before: Look) -> bool:
    job = before.there.get(job_id)
    return job_id not in before.gone and (job is None or not job.active)


def _since(earlier: Look, now: Look) -> Look:
    """The newer look; what it could not see is as the earlier one saw it."""
    if now.error is None:
        return now
    there = {**{k: v for k, v in earlier.there.items() if k not in now.gone}, **now.there}
    return Look(there, now.gone | earlier.gone.difference(there), now.error)


def _seen_in_either(now: Look, previewed: Look) -> Look:
    """What was seen just now; for what could not be seen now, what the person was shown."""
    there = {**{k: v for k, v in previewed.there.items() if k not in now.gone}, **now.there}
    return Look(there, now.gone, now.error)
