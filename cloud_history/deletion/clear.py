"""The use cases: list and count the history, delete jobs from it, clear it. Reports what is known, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Protocol

from ..cloud.counting import Counted, Span, count_and_name, count_jobs, span_of
from ..cloud.listing import Listing, list_jobs
from ..cloud.lookup import Observation, ask_by_id, look_up, look_up_in_time
from ..cloud.retry import Again
from ..errors import CloudError, CloudTimeoutError, CountRose, OperationStopped, PreviewExpired
from ..jobs.filters import JobFilter
from ..jobs.status import JobCounts
from ..tasks.stopping import Deadline, Unwatched, Watch, check_stopped, run_stoppable, sleep_stoppable
from .delete import MAX_LOOKUP_SECONDS_STOPPED, MIN_LOOKUP_SECONDS, DeletingClient, Deletion, Shown
from .outcomes import ClearOutcome, ClearResult, DeletionResult
from .safeguards import Safeguards

Counts = list[JobCounts]
"""The last is the newest."""

NOT_ASKED = "no job could be asked for by its id"


class HistoryClient(DeletingClient, Protocol):
    """What the use cases need of `client.CloudClient`."""

    async def clear_history(self, again: Again | None = None) -> None: ...


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _check_count(counts: JobCounts, confirmed: int | None) -> None:
    """Raises CountRose: there are more finished jobs than the person confirmed."""
    if confirmed is not None and counts.finished > confirmed:
        more = counts.finished - confirmed
        have = "job has" if more == 1 else "jobs have"
        raise CountRose(f"{more:,} more {have} finished since you looked.", counts=counts)


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
        return await self._count(watch, Deadline(self.seconds))

    async def span(self, counts: JobCounts, watch: Watch) -> Span:
        """When the oldest and the newest of the finished jobs were made. Raises CloudError, OperationStopped."""
        return await run_stoppable(span_of(self.client, counts), watch, self.seconds)

    async def list(self, chosen: JobFilter, watch: Watch) -> Listing:
        """All jobs that match. What could not be read is said in the listing.

        Raises:
            OperationStopped: the person stopped it. CloudTimeoutError: it took too long.
        """
        watch.progress("checking", 0, 1)
        return await run_stoppable(list_jobs(self.client, chosen), watch, self.seconds)

    async def look(self, job_ids: Sequence[str], watch: Watch) -> Observation:
        """Look at these jobs. Raises OperationStopped."""
        watch.progress("checking", 0, 1)
        return await look_up_in_time(self.client, job_ids, watch, self.seconds)

    async def delete(
        self,
        job_ids: Sequence[str],
        watch: Watch,
        *,
        previewed: Observation | None = None,
        confirmed: Collection[str] | None = None,
        safeguards: Safeguards | None = None,
    ) -> DeletionResult:
        """Remove these jobs: look, back up, send, look again, and say of each what became of it.

        Args:
            previewed: what the person was shown. Then exactly what they confirmed is sent; without it, jobs that
                are seen to be active or gone already are not.
            confirmed: those of the ids that the person confirmed; None for all.
            safeguards: what holds jobs back, and keeps a copy of their workflows first.

        Raises:
            SchemaMismatch: an id is not one; nothing was sent.
            OperationStopped: stopped before anything was sent. SetupProblem: nothing may be deleted now.
            asyncio.CancelledError: passed through, after what had been sent is in the log.
        """
        shown = (
            None if previewed is None else Shown(previewed, set(job_ids if confirmed is None else confirmed))
        )
        deletion = Deletion(
            self.client, self.sleep, self.seconds, self.look_again, safeguards or Safeguards()
        )
        return await deletion.run(job_ids, watch, shown)

    async def clear(
        self, watch: Watch, *, confirmed: int | None = None, safeguards: Safeguards | None = None
    ) -> ClearResult:
        """Remove every finished job: count, send once, count again.

        Args:
            confirmed: how many finished jobs the person was shown. If there are more now, nothing is sent.

        Raises:
            CountRose: there are more. PreviewExpired: there are none any more. Nothing was sent.
            CloudError: the history could not be counted beforehand, or not all of it may go. Nothing was sent.
            OperationStopped: stopped before it was sent.
        """
        deadline = Deadline(self.seconds)
        before, named, active = await self._counted(watch, deadline)
        _check_count(before, confirmed)
        if before.finished == 0:
            if confirmed:
                # An empty list right after a full one is the shape of a broken service as much as of a cleared history.
                raise PreviewExpired(
                    f"No finished job is listed any more. There were {confirmed:,} when you looked."
                )
            return ClearResult(ClearOutcome.DELETED, before, after=before)
        check_stopped(watch)
        if not deadline.left():
            raise CloudTimeoutError("Counting took too long, so nothing was sent.", sent=False)
        # Those that are found by their ids now have to be found no longer afterwards, and the active ones still.
        witnesses = await run_stoppable(
            ask_by_id(self.client, named, active), watch, deadline.left(at_least=MIN_LOOKUP_SECONDS)
        )
        guards = safeguards or Safeguards()
        await guards.before_clear()

        async def again() -> None:
            _check_count(await self._count(watch, deadline), confirmed)
            await guards.before_clear()

        watch.progress("sending", 0, 1)
        lost: CloudError | None = None
        try:
            await run_stoppable(self.client.clear_history(again), watch, deadline.left())
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
        doubt = ""
        try:
            await self._count_until_none(counted, watch, deadline)
            if counted[-1].finished < before.finished:
                looking = self._doubt(witnesses, counted[-1])
                doubt = await run_stoppable(looking, watch, deadline.left(at_least=MIN_LOOKUP_SECONDS))
        except OperationStopped:
            return await self._stopped_clear(
                before, witnesses, lost, unread, counted[-1] if counted else None
            )
        except CloudError as error:
            after = counted[-1] if counted else None
            return ClearResult(unread, before, after, lost or error, doubt=NOT_ASKED if after else "")
        after = counted[-1]
        if not doubt and after.finished == 0:
            return ClearResult(ClearOutcome.DELETED, before, after)
        if not doubt and not lost and after.finished < before.finished:
            return ClearResult(ClearOutcome.PARTIAL, before, after)
        return ClearResult(unread, before, after, lost, doubt=doubt)

    async def _count_until_none(self, counted: Counts, watch: Watch, deadline: Deadline) -> None:
        """Count until no finished job is left, for about five seconds. Each count is added to `counted`."""
        counted.append(await self._count(watch, deadline))
        for wait in self.look_again:
            if counted[-1].finished == 0 or not deadline.left():
                break
            await sleep_stoppable(self.sleep, wait, watch)
            counted.append(await self._count(watch, deadline))

    async def _doubt(self, witnesses: Observation, after: JobCounts) -> str:
        """Why this count does not prove that jobs are gone, in words; "" where looking at some of them agrees.

        Raises:
            CloudError: they could not be looked at.
        """
        found = await look_up(self.client, list(witnesses.there), witnesses)
        if found.error is not None:
            raise found.error
        if found.reasons or (not found.there and not found.gone):
            return found.doubt or NOT_ASKED
        if found.listed and not after.finished:
            return "a finished job is still listed"
        return "" if found.gone else "none of the jobs that were looked at is gone"

    async def _stopped_clear(
        self,
        before: JobCounts,
        witnesses: Observation,
        lost: CloudError | None,
        unread: ClearOutcome,
        after: JobCounts | None = None,
    ) -> ClearResult:
        """What can be seen of it in the moment left when a person has stopped it."""
        doubt = ""

        async def look() -> None:
            nonlocal after, doubt
            after = await count_jobs(self.client, self.now)
            if after.finished < before.finished:
                doubt = NOT_ASKED
                doubt = await self._doubt(witnesses, after)

        with suppress(CloudError):
            await run_stoppable(look(), Unwatched(), MAX_LOOKUP_SECONDS_STOPPED)
        if after is not None and after.finished == 0 and not doubt:
            return ClearResult(ClearOutcome.DELETED, before, after, stopped=True)
        return ClearResult(unread, before, after, lost, stopped=True, doubt=doubt)

    async def _count(self, watch: Watch, deadline: Deadline) -> JobCounts:
        return (await self._counted(watch, deadline)).counts

    async def _counted(self, watch: Watch, deadline: Deadline) -> Counted:
        seconds = deadline.left(at_least=MIN_LOOKUP_SECONDS)
        return await run_stoppable(count_and_name(self.client, self.now), watch, seconds)
