"""One deletion: look, back up, send, look again. Reports what is known of each job, and no more."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from ..cloud.evidence import ProvenAbsent
from ..cloud.lookup import UNSEEN, JobReader, Observation, look_up, look_up_in_time
from ..cloud.protocol import MAX_IDS_PER_REQUEST, delete_history
from ..cloud.retry import Again
from ..errors import CloudConnectionError, CloudError, OperationStopped, PreviewExpired
from ..jobs.job import Job
from ..secret import log
from ..tasks.stopping import (
    Deadline,
    LoopPauses,
    Unwatched,
    Watch,
    gather_all,
    run_stoppable,
    sleep_stoppable,
)
from .outcomes import DeletionResult, JobOutcome, Outcome, Outcomes
from .report import deletion_report
from .safeguards import Safeguards, kept_back

MAX_CONCURRENT_REQUESTS = 5
MIN_LOOKUP_SECONDS = 15.0
"""Seconds a look may always take: what was sent is looked at even when the operation's time is up."""
MAX_LOOKUP_SECONDS_STOPPED = 0.25
"""Seconds for the look after a person has stopped it: they are kept for less than half a second in all."""


class DeletingClient(JobReader, Protocol):
    """What deleting needs of a client."""

    async def delete_history(self, job_ids: list[str], again: Again | None = None) -> None: ...


@dataclass(frozen=True)
class Shown:
    """What a person was shown, and the jobs they confirmed."""

    look: Observation
    confirmed: Collection[str]


@dataclass
class Deletion:
    """How deletions are made. See `history.History`, which makes them."""

    client: DeletingClient
    sleep: Callable[[float], Awaitable[None]]
    seconds: float
    look_again: Sequence[float]
    safeguards: Safeguards

    async def run(self, job_ids: Sequence[str], watch: Watch, shown: Shown | None) -> DeletionResult:
        """Carry it out. All requests are built and checked before the first is sent.

        A request that fails does not stop the others, unless its reason would meet them all. Stopping, or running
        out of time, ends with a result that says what had been sent by then.
        """
        turn = LoopPauses(watch)
        for chunk in _chunks(job_ids):
            delete_history(chunk)
            await turn()
        deadline = self._budget(job_ids)
        before = await self._look(job_ids, watch, deadline, shown.look if shown else UNSEEN)
        ledger = Outcomes(job_ids)
        if shown is None:
            send = [job_id for job_id in job_ids if _worth_sending(job_id, before)]
        else:
            before = _seen_in_either(before, shown.look)
            send = [job_id for job_id in job_ids if job_id in shown.confirmed]
            ledger.keep_back(_not_confirmed(job_ids, shown))
        looks = (before, shown.look) if shown else (before,)
        ledger.keep_back(kept_back(send, await self.safeguards.protected(), looks))
        # Backing up may take long, and its time is not the deletion's.
        with deadline.paused():
            backup = await self.safeguards.back_up(ledger.not_kept_back(send), watch)
        ledger.keep_back(await self._believed(backup.without, before, watch))
        ledger.backed_up(backup.workflows)
        try:
            await self._send(ledger.not_kept_back(send), looks, ledger, watch, deadline)
            after = await self._verify(ledger, before, watch, deadline)
        except asyncio.CancelledError:
            ledger.end_sending("it was cancelled")
            log.warning("Cancelled. %s", deletion_report(ledger.result(before, UNSEEN), len(job_ids)))
            raise
        return ledger.result(before, after)

    def _budget(self, job_ids: Sequence[str]) -> Deadline:
        return Deadline(self.seconds * max(1.0, len(job_ids) / 1000))

    async def _send(
        self,
        job_ids: Sequence[str],
        looks: Sequence[Observation],
        ledger: Outcomes,
        watch: Watch,
        deadline: Deadline,
    ) -> None:
        try:
            await run_stoppable(self._send_chunks(job_ids, looks, ledger, watch), watch, deadline.left())
        except OperationStopped:
            ledger.end_sending("you stopped it", stopped=True)
        except CloudConnectionError as error:
            ledger.note(error)
            ledger.end_sending("it took too long")
        else:
            ledger.end_sending("an earlier request failed")

    async def _send_chunks(
        self, job_ids: Sequence[str], looks: Sequence[Observation], ledger: Outcomes, watch: Watch
    ) -> None:
        waiting = deque(_chunks(job_ids))
        watch.progress("sending", 0, len(job_ids))

        async def send_next() -> None:
            chunk = waiting.popleft()
            try:
                # Asked anew at the last step: somebody may have protected one of them a moment ago.
                ledger.keep_back(kept_back(chunk, await self.safeguards.protected(), looks))
                chunk = ledger.not_kept_back(chunk)
                if chunk:
                    ledger.sending(chunk)
                    await self.client.delete_history(chunk, partial(self._check_again, chunk, looks))
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

        await gather_all(worker() for _ in range(min(MAX_CONCURRENT_REQUESTS, len(waiting))))

    async def _check_again(self, chunk: Sequence[str], looks: Sequence[Observation]) -> None:
        if kept_back(chunk, await self.safeguards.protected(), looks):
            raise PreviewExpired(
                "A job was protected while the request waited to be sent.",
                hint="Look again before you delete.",
            )

    async def _believed(
        self, without: Mapping[str, JobOutcome], before: Observation, watch: Watch
    ) -> dict[str, JobOutcome]:
        """What backing up found. A job it did not find is gone only where the list says so too."""
        missing = [
            job_id
            for job_id, each in without.items()
            if each.outcome is Outcome.ALREADY_GONE and job_id not in before.gone
        ]
        if not missing:
            return dict(without)
        now = await look_up_in_time(self.client, missing, watch, MIN_LOOKUP_SECONDS, before)
        lost = JobOutcome(Outcome.FAILED, "its workflow couldn’t be backed up: it was not found")
        return {**without, **{job_id: lost for job_id in missing if job_id not in now.gone}}

    async def _verify(
        self, ledger: Outcomes, before: Observation, watch: Watch, deadline: Deadline
    ) -> Observation:
        """Look until everything that was sent is gone, for about five seconds: a list may lag behind."""
        sent = ledger.to_verify
        if not sent:
            return UNSEEN
        watch.progress("checking", 0, len(sent))
        if ledger.stopped:
            return await self._glance(sent, before)
        look = UNSEEN
        try:
            look = await self._look(sent, watch, deadline, before)
            for wait in self.look_again:
                if look.error is not None or not ledger.awaited(look) or not deadline.left():
                    break
                await sleep_stoppable(self.sleep, wait, watch)
                look = _since(look, await self._look(sent, watch, deadline, before))
        except OperationStopped:
            ledger.stopped = True
            glance = await self._glance(sent, before)
            look = look if glance is UNSEEN else _since(look, glance)
        if look.error is not None:
            ledger.note(look.error)
        return look

    async def _look(
        self, job_ids: Sequence[str], watch: Watch, deadline: Deadline, known: Observation
    ) -> Observation:
        watch.progress("checking", 0, 1)
        return await look_up_in_time(
            self.client, job_ids, watch, deadline.left(at_least=MIN_LOOKUP_SECONDS), known
        )

    async def _glance(self, job_ids: Sequence[str], known: Observation) -> Observation:
        """What can be seen in the moment left when a person has stopped it."""
        looking = look_up(self.client, job_ids, known)
        try:
            return await run_stoppable(looking, Unwatched(), MAX_LOOKUP_SECONDS_STOPPED)
        except CloudConnectionError:
            return UNSEEN


def _chunks(job_ids: Sequence[str]) -> list[list[str]]:
    return [
        list(job_ids[at : at + MAX_IDS_PER_REQUEST]) for at in range(0, len(job_ids), MAX_IDS_PER_REQUEST)
    ]


def _worth_sending(job_id: str, before: Observation) -> bool:
    job = before.there.get(job_id)
    return job_id not in before.gone and (job is None or not job.active)


def _not_confirmed(job_ids: Sequence[str], shown: Shown) -> dict[str, JobOutcome]:
    """What was asked for and stays, by what the person was told of it. What is gone already tells itself."""
    stays: dict[str, JobOutcome] = {}
    for job_id in job_ids:
        job = shown.look.there.get(job_id)
        if job_id in shown.confirmed or job is None:
            continue
        if job.active:
            stays[job_id] = JobOutcome(Outcome.ACTIVE)
        elif job.finished:
            stays[job_id] = JobOutcome(Outcome.PROTECTED)
        else:
            stays[job_id] = JobOutcome(Outcome.NOT_ATTEMPTED, "its status is unknown")
    return stays


def _since(earlier: Observation, now: Observation) -> Observation:
    """The newer look; what it could not see is as the earlier one saw it."""
    if now.error is None:
        return now
    there = {**{k: v for k, v in earlier.there.items() if k not in now.gone}, **now.there}
    return _merged(now, earlier, there, now.gone | earlier.gone.difference(there))


def _seen_in_either(now: Observation, previewed: Observation) -> Observation:
    """What was seen just now; for what could not be seen now, what the person was shown."""
    there = {**{k: v for k, v in previewed.there.items() if k not in now.gone}, **now.there}
    return _merged(now, previewed, there, now.gone | previewed.gone.difference(now.there))


def _merged(
    now: Observation, earlier: Observation, there: Mapping[str, Job], gone: frozenset[ProvenAbsent]
) -> Observation:
    listed = now.listed | (earlier.listed.difference(now.there) & there.keys())
    return replace(now, there=there, gone=gone, listed=listed, answered=now.answered | earlier.answered)
