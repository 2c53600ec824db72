"""One clear of the whole history: count, send once, count again. Reports what is known of it, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from ..cloud.counting import CountedJobs, count_and_sample, count_jobs
from ..cloud.lookup import JobReader, Observation, get_by_id, look_up
from ..cloud.retry import BeforeSend
from ..errors import CloudError, CloudTimeoutError, HistoryGrew, OperationStopped, PreviewExpired
from ..jobs.status import JobCounts
from ..reasons import NO_REASON, Reason
from ..tasks.stopping import Deadline, Unwatched, Watch, check_stopped, run_stoppable, sleep_stoppable
from .delete import LOOKUP_DELAYS, MAX_LOOKUP_SECONDS_STOPPED, MIN_LOOKUP_SECONDS, OPERATION_SECONDS
from .outcomes import ClearOutcome, ClearResult
from .preview import Preview
from .safeguards import Safeguards

Counts = list[JobCounts]
"""The last is the newest."""

NOT_ASKED = Reason("not_asked_by_id")


class ClearingClient(JobReader, Protocol):
    """What clearing needs of a client."""

    async def clear_history(self, before_send: BeforeSend | None = None) -> None: ...


def _check_count(counts: JobCounts, preview: Preview | None) -> None:
    """Raises HistoryGrew: there are more finished jobs than the person confirmed."""
    if preview is not None and counts.finished > preview.size:
        raise HistoryGrew(counts.finished - preview.size, counts)


@dataclass
class Clear:
    """Clears a history through a client.

    Attributes:
        safeguards: what keeps everything from going at once.
        seconds: how long it may take.
    """

    client: ClearingClient
    safeguards: Safeguards = field(default_factory=Safeguards)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    seconds: float = OPERATION_SECONDS

    async def run(self, watch: Watch, preview: Preview | None = None) -> ClearResult:
        """Remove every finished job.

        Args:
            preview: what the person confirmed. If there are more finished jobs now, nothing is sent.

        Raises:
            HistoryGrew: there are more. PreviewExpired: there are none any more. Nothing was sent.
            CloudError: the history could not be counted beforehand, or not all of it may go. Nothing was sent.
            OperationStopped: stopped before it was sent.
        """
        deadline = Deadline(self.seconds)
        before, named, active = await self._counted(watch, deadline)
        _check_count(before, preview)
        if before.finished == 0:
            if preview is not None and preview.size:
                # An empty list right after a full one is the shape of a broken service as much as of a cleared history.
                raise PreviewExpired("nothing_left_to_clear", confirmed=preview.size)
            return ClearResult(ClearOutcome.DELETED, before, after=before)
        check_stopped(watch)
        if not deadline.left():
            raise CloudTimeoutError("counting_too_slow", sent=False)
        # Those that are found by their ids now have to be found no longer afterwards, and the active ones still.
        witnesses = await run_stoppable(
            get_by_id(self.client, named, active), watch, deadline.left(at_least=MIN_LOOKUP_SECONDS)
        )
        await self.safeguards.before_clear()

        async def before_send() -> None:
            _check_count(await self._count(watch, deadline), preview)
            await self.safeguards.before_clear()

        watch.progress("sending", 0, 1)
        lost: CloudError | None = None
        try:
            await run_stoppable(self.client.clear_history(before_send), watch, deadline.left())
        except OperationStopped as error:
            return await self._stopped_clear(before, witnesses, error, ClearOutcome.UNKNOWN)
        except CloudError as error:
            if not error.may_have_worked:
                return ClearResult(ClearOutcome.FAILED, before, after=before, error=error)
            lost = error
        return await self._verify_clear(before, witnesses, lost, watch, deadline)

    async def _verify_clear(
        self,
        before: JobCounts,
        witnesses: Observation,
        lost: CloudError | None,
        watch: Watch,
        deadline: Deadline,
    ) -> ClearResult:
        """Count until nothing is left, for about five seconds."""
        watch.progress("checking", 0, 1)
        unread = ClearOutcome.UNKNOWN if lost else ClearOutcome.UNCONFIRMED
        counted: Counts = []
        doubt = NO_REASON
        try:
            await self._count_until_none(counted, watch, deadline)
            if counted[-1].finished < before.finished:
                lookup = self._doubt(witnesses, counted[-1])
                doubt = await run_stoppable(lookup, watch, deadline.left(at_least=MIN_LOOKUP_SECONDS))
        except OperationStopped:
            return await self._stopped_clear(before, witnesses, lost, unread, counted[-1] if counted else None)
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
        """Count until no finished job is left, for about five seconds. Each count is added to `counted`."""
        counted.append(await self._count(watch, deadline))
        for delay in LOOKUP_DELAYS:
            if counted[-1].finished == 0 or not deadline.left():
                break
            await sleep_stoppable(self.sleep, delay, watch)
            counted.append(await self._count(watch, deadline))

    async def _doubt(self, witnesses: Observation, after: JobCounts) -> Reason:
        """Why this count does not prove that jobs are gone; NO_REASON where looking at some of them agrees.

        Raises:
            CloudError: they could not be looked at.
        """
        found = await look_up(self.client, list(witnesses.there), witnesses)
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
        witnesses: Observation,
        lost: CloudError | None,
        unread: ClearOutcome,
        after: JobCounts | None = None,
    ) -> ClearResult:
        """What can be seen of it in the moment left when a person has stopped it."""
        doubt = NO_REASON

        async def look_at_both() -> None:
            nonlocal after, doubt
            after = await count_jobs(self.client)
            if after.finished < before.finished:
                doubt = NOT_ASKED
                doubt = await self._doubt(witnesses, after)

        with suppress(CloudError):
            await run_stoppable(look_at_both(), Unwatched(), MAX_LOOKUP_SECONDS_STOPPED)
        if after is not None and after.finished == 0 and not doubt:
            return ClearResult(ClearOutcome.DELETED, before, after, stopped=True)
        return ClearResult(unread, before, after, lost, stopped=True, doubt=doubt)

    async def _count(self, watch: Watch, deadline: Deadline) -> JobCounts:
        return (await self._counted(watch, deadline)).counts

    async def _counted(self, watch: Watch, deadline: Deadline) -> CountedJobs:
        seconds = deadline.left(at_least=MIN_LOOKUP_SECONDS)
        return await run_stoppable(count_and_sample(self.client), watch, seconds)
