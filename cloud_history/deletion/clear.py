"""Clearing the whole history: count the finished jobs, send the request once, and count again to verify."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from ..cloud.counting import CountedJobs, count_and_sample, count_jobs
from ..cloud.lookup import JobReader, Observation, get_by_id, look_up
from ..cloud.retry import BeforeSend
from ..errors import CloudError, CloudTimeoutError, HistoryGrew, OperationStopped, PreviewExpired
from ..jobs.status import JobCounts
from ..reasons import NO_REASON, Reason
from ..tasks.stopping import Deadline, PatientWatch, Unwatched, Watch, check_stopped, run_stoppable, sleep_stoppable
from .delete import LOOKUP_DELAYS, MAX_LOOKUP_SECONDS_STOPPED, MIN_LOOKUP_SECONDS, OPERATION_SECONDS
from .outcomes import ClearOutcome, ClearResult
from .preview import Preview
from .safeguards import Safeguards

Counts = list[JobCounts]
"""Counts in the order they were made: the last is the newest."""

NOT_ASKED = Reason("not_asked_by_id")


class ClearingClient(JobReader, Protocol):
    """The methods of a client that a clear uses."""

    @property
    def awaits_answer(self) -> bool: ...

    async def clear_history(self, before_send: BeforeSend | None = None) -> None: ...


def _check_count(counts: JobCounts, preview: Preview | None) -> None:
    """Raise HistoryGrew if there are more finished jobs than the person confirmed."""
    if preview is not None and counts.finished > preview.size:
        raise HistoryGrew(counts.finished - preview.size, counts)


@dataclass
class Clear:
    """Clears a history through a client.

    Attributes:
        safeguards: checked before the request is sent.
        seconds: the time limit of the whole clear.
        patience: as for `Deletion`.
    """

    client: ClearingClient
    safeguards: Safeguards
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    seconds: float = OPERATION_SECONDS
    patience: float = 0.0

    async def run(self, watch: Watch, preview: Preview | None = None) -> ClearResult:
        """Remove every finished job.

        Args:
            preview: what the person confirmed. If there are more finished jobs now, nothing is sent.

        Raises:
            HistoryGrew: there are more finished jobs than in the preview. Nothing was sent.
            PreviewExpired: no finished job is left, or a safeguard has changed. Nothing was sent.
            CloudError: the history could not be counted before sending. Nothing was sent.
            OperationStopped: the person stopped the clear before the request was sent.
        """
        deadline = Deadline(self.seconds)
        before, sample, active = await self._counted(watch, deadline)
        _check_count(before, preview)
        if before.finished == 0:
            if preview is not None and preview.size:
                # A list that is suddenly empty may come from a broken service, so success is not claimed.
                raise PreviewExpired("nothing_left_to_clear", confirmed=preview.size)
            return ClearResult(ClearOutcome.DELETED, before, after=before)
        check_stopped(watch)
        if not deadline.left():
            raise CloudTimeoutError("counting_too_slow", sent=False)
        # After the clear, the finished jobs in this sample must be gone, and the active jobs must still be there.
        seen_before = await run_stoppable(
            get_by_id(self.client, sample, active), watch, deadline.left(at_least=MIN_LOOKUP_SECONDS)
        )
        await self.safeguards.before_clear()

        async def before_send() -> None:
            _check_count(await self._count(watch, deadline), preview)
            await self.safeguards.before_clear()

        watch.progress("sending", 0, before.finished)
        lost: CloudError | None = None
        try:
            await run_stoppable(
                self.client.clear_history(before_send),
                PatientWatch(watch, self.patience, is_busy=lambda: self.client.awaits_answer),
                deadline.left(),
            )
        except OperationStopped as error:
            return await self._stopped_clear(before, seen_before, error, ClearOutcome.UNKNOWN)
        except CloudError as error:
            if not error.may_have_worked:
                return ClearResult(ClearOutcome.FAILED, before, after=before, error=error)
            lost = error
        return await self._verify_clear(before, seen_before, lost, watch, deadline)

    async def _verify_clear(
        self, before: JobCounts, seen_before: Observation, lost: CloudError | None, watch: Watch, deadline: Deadline
    ) -> ClearResult:
        """Count again after sending, and return the result of the clear."""
        if self.patience:
            watch = PatientWatch(watch, math.inf)  # nothing is left to stop, and the person wants to know what is gone
        watch.progress("checking", 0, 1)
        unread = ClearOutcome.UNKNOWN if lost else ClearOutcome.UNCONFIRMED
        counted: Counts = []
        doubt = NO_REASON
        try:
            await self._count_until_none(counted, watch, deadline)
            if counted[-1].finished < before.finished:
                lookup = self._doubt(seen_before, counted[-1])
                doubt = await run_stoppable(lookup, watch, deadline.left(at_least=MIN_LOOKUP_SECONDS))
        except OperationStopped:
            return await self._stopped_clear(before, seen_before, lost, unread, counted[-1] if counted else None)
        except CloudError as error:
            after = counted[-1] if counted else None
            return ClearResult(unread, before, after, lost or error, doubt=NOT_ASKED if after else NO_REASON)
        after = counted[-1]
        if not doubt and after.finished == 0:
            return ClearResult(ClearOutcome.DELETED, before, after)
        if not doubt and not lost and after.finished < before.finished:
            return ClearResult(ClearOutcome.PARTIAL, before, after)
        return ClearResult(unread, before, after, lost, doubt=doubt)

    async def _count_until_none(self, counted: Counts, watch: Watch, deadline: Deadline) -> None:
        """Count until no finished job is left, for about five seconds. Append each count to `counted`."""
        counted.append(await self._count(watch, deadline))
        for delay in LOOKUP_DELAYS:
            if counted[-1].finished == 0 or not deadline.left():
                break
            await sleep_stoppable(self.sleep, delay, watch)
            counted.append(await self._count(watch, deadline))

    async def _doubt(self, seen_before: Observation, after: JobCounts) -> Reason:
        """Return why `after` does not prove that jobs are gone, or NO_REASON. Raise CloudError if the lookup fails."""
        found = await look_up(self.client, list(seen_before.there), seen_before)
        if found.error is not None:
            raise found.error
        if found.defects or (not found.there and not found.gone):
            return found.doubt or NOT_ASKED
        if found.listed and not after.finished:
            return Reason("finished_still_listed")
        return NO_REASON if found.gone else Reason("none_seen_gone")

    async def _stopped_clear(
        self,
        before: JobCounts,
        seen_before: Observation,
        lost: CloudError | None,
        unread: ClearOutcome,
        after: JobCounts | None = None,
    ) -> ClearResult:
        """Return the result of a stopped clear. Counts once more: without patience, within a quarter of a second."""
        doubt = NO_REASON

        async def count_and_look_up() -> None:
            nonlocal after, doubt
            after = await count_jobs(self.client)
            if after.finished < before.finished:
                doubt = NOT_ASKED
                doubt = await self._doubt(seen_before, after)

        with suppress(CloudError):
            await run_stoppable(count_and_look_up(), Unwatched(), max(self.patience, MAX_LOOKUP_SECONDS_STOPPED))
        if after is not None and after.finished == 0 and not doubt:
            return ClearResult(ClearOutcome.DELETED, before, after, stopped=True)
        return ClearResult(unread, before, after, lost, stopped=True, doubt=doubt)

    async def _count(self, watch: Watch, deadline: Deadline) -> JobCounts:
        return (await self._counted(watch, deadline)).counts

    async def _counted(self, watch: Watch, deadline: Deadline) -> CountedJobs:
        seconds = deadline.left(at_least=MIN_LOOKUP_SECONDS)
        return await run_stoppable(count_and_sample(self.client), watch, seconds)
