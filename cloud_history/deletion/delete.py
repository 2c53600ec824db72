"""Deleting given jobs: look them up, back up their workflows, send the requests, and look them up again to verify."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from ..cloud.evidence import ProvenAbsent
from ..cloud.lookup import NOTHING_OBSERVED, JobReader, Observation, look_up, look_up_in_time
from ..cloud.protocol import MAX_IDS_PER_REQUEST, delete_history
from ..cloud.retry import BeforeSend
from ..errors import CloudConnectionError, CloudError, OperationStopped, PreviewExpired
from ..jobs.job import Job
from ..reasons import Reason
from ..secret import log
from ..tasks.stopping import (
    Deadline,
    LoopPauses,
    PatientWatch,
    Unwatched,
    Watch,
    gather_all,
    run_stoppable,
    sleep_stoppable,
)
from .outcomes import DeletionResult, JobOutcome, Outcome, Outcomes
from .preview import DeletionPreview
from .report import deletion_report
from .safeguards import Safeguards, not_backed_up, safeguarded

MAX_CONCURRENT_REQUESTS = 5
OPERATION_SECONDS = 120.0
"""Time limit of an operation with up to 1,000 jobs. It grows in proportion to the number of jobs above that."""
MIN_LOOKUP_SECONDS = 15.0
"""Each lookup gets at least this long, so that sent jobs are verified even after the operation's time limit."""
MAX_LOOKUP_SECONDS_STOPPED = 0.25
"""Time limit of the lookup after a stop, so that the person waits for less than half a second."""
PATIENCE_SECONDS = 15.0
"""`Deletion.patience` where no run waits for the deletion to end."""
LOOKUP_DELAYS = (0.25, 0.5, 1.0, 1.25, 2.0)
"""Seconds to wait before each further lookup, because the list may be out of date after a deletion."""


class DeletingClient(JobReader, Protocol):
    """The methods of a client that a deletion uses."""

    @property
    def awaits_answer(self) -> bool: ...

    async def delete_history(self, job_ids: list[str], before_send: BeforeSend | None = None) -> None: ...


@dataclass
class Deletion:
    """Deletes jobs through a client.

    Attributes:
        safeguards: keep protected jobs from deletion, and back up workflows before sending.
        seconds: the time limit for up to 1,000 jobs.
        patience: seconds that running requests get after a stop, so that it is known what they removed. 0 for a node:
            its run has to end at once.
    """

    client: DeletingClient
    safeguards: Safeguards
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    seconds: float = OPERATION_SECONDS
    patience: float = 0.0

    async def run(self, job_ids: Sequence[str], watch: Watch, preview: DeletionPreview | None = None) -> DeletionResult:
        """Delete these jobs. All requests are built and checked before the first is sent.

        A failed request does not stop the other requests, unless they would fail for the same reason. After a stop
        or a timeout, the result says what had been sent by then.

        Args:
            preview: what the person confirmed: exactly the jobs of the preview are sent. Without a preview, all jobs
                are sent except active ones and those already gone.

        Raises:
            SchemaMismatch: an id is malformed; nothing was sent.
            OperationStopped: the person stopped the deletion before anything was sent.
            SetupProblem: a safeguard can't be read, so nothing may be deleted.
            asyncio.CancelledError: the task was cancelled. The outcome so far is logged first.
        """
        turn = LoopPauses(watch)
        for chunk in _chunks(job_ids):
            delete_history(chunk)
            await turn()
        deadline = Deadline(self.seconds * max(1.0, len(job_ids) / 1000))
        before = await self._look_up(job_ids, watch, deadline, preview.observation if preview else NOTHING_OBSERVED)
        outcomes = Outcomes(job_ids)
        if preview is None:
            chosen = [job_id for job_id in job_ids if _worth_sending(job_id, before)]
            seen: tuple[Observation, ...] = (before,)
        else:
            before = _fill_in_from_preview(before, preview.observation)
            confirmed = set(preview.job_ids)
            chosen = [job_id for job_id in job_ids if job_id in confirmed]
            outcomes.leave_out(_not_confirmed(job_ids, preview))
            seen = (before, preview.observation)
        outcomes.leave_out(safeguarded(chosen, await self.safeguards.protected(), seen))
        await self._back_up(outcomes.not_left_out(chosen), before, outcomes, watch, deadline)
        try:
            await self._send(outcomes.not_left_out(chosen), seen, outcomes, watch, deadline)
            after = await self._verify(outcomes, before, watch, deadline)
        except asyncio.CancelledError:
            outcomes.end_sending(Reason("cancelled_meanwhile"))
            log.warning("Cancelled. %s", deletion_report(outcomes.result(before, NOTHING_OBSERVED), len(job_ids)))
            raise
        return outcomes.result(before, after)

    async def _back_up(
        self, job_ids: Sequence[str], before: Observation, outcomes: Outcomes, watch: Watch, deadline: Deadline
    ) -> None:
        # A backup may take long, so its time does not count towards the time limit of the deletion.
        with deadline.paused():
            backup = await self.safeguards.back_up(job_ids, watch)
            outcomes.leave_out(await self._verify_missing(backup.without, before, watch))
            kept = await self.safeguards.save_outputs(
                {job_id: before.there.get(job_id) for job_id in outcomes.not_left_out(job_ids)}, watch
            )
        outcomes.leave_out(kept.without)
        for error in kept.errors:
            outcomes.note(error)
        outcomes.kept(backup.workflows, kept.files)

    async def _send(
        self, job_ids: Sequence[str], seen: Sequence[Observation], outcomes: Outcomes, watch: Watch, deadline: Deadline
    ) -> None:
        chunks = deque(_chunks(job_ids))
        given_up: list[list[str]] = []

        def give_up() -> None:
            given_up.extend(chunks)
            chunks.clear()

        def tell_progress() -> None:
            watch.progress("sending", outcomes.ended_requests, len(job_ids))

        tell_progress()
        patient = PatientWatch(watch, self.patience, give_up, lambda: self.client.awaits_answer)
        # A generator, so that no coroutine is created if the person has already stopped the deletion.
        senders = (
            self._send_in_turn(chunks, seen, outcomes, patient, tell_progress)
            for _ in range(min(MAX_CONCURRENT_REQUESTS, len(chunks)))
        )
        try:
            await run_stoppable(gather_all(senders), patient, deadline.left())
        except OperationStopped:
            outcomes.end_sending(Reason("stopped_by_person"), stopped=True)
        except CloudConnectionError as error:
            outcomes.note(error)
            outcomes.end_sending(Reason("time_is_up"))
        else:
            why = Reason("stopped_by_person" if given_up else "earlier_request_failed")
            outcomes.end_sending(why, stopped=bool(given_up))

    async def _send_in_turn(
        self,
        chunks: deque[list[str]],
        seen: Sequence[Observation],
        outcomes: Outcomes,
        patient: PatientWatch,
        tell_progress: Callable[[], None],
    ) -> None:
        try:
            while chunks:
                chunk = chunks.popleft()
                try:
                    # Read the protection again just before sending: a job may have been protected since the preview.
                    outcomes.leave_out(safeguarded(chunk, await self.safeguards.protected(), seen))
                    chunk = outcomes.not_left_out(chunk)
                    outcomes.leave_out(await self.safeguards.without_outputs(chunk))
                    chunk = outcomes.not_left_out(chunk)
                    if chunk:
                        outcomes.sending(chunk)
                        await self.client.delete_history(chunk, partial(self._check_again, chunk, seen, patient))
                except CloudError as error:
                    outcomes.failed(chunk, error)
                    if error.meets_all:
                        chunks.clear()
                else:
                    outcomes.accepted(chunk)
                tell_progress()
        except BaseException:
            chunks.clear()  # the other senders stop when `chunks` is empty
            raise

    async def _check_again(self, chunk: Sequence[str], seen: Sequence[Observation], patient: PatientWatch) -> None:
        if patient.stopped:
            raise OperationStopped()
        if safeguarded(chunk, await self.safeguards.protected(), seen):
            raise PreviewExpired("protected_meanwhile")
        if await self.safeguards.without_outputs(chunk):
            raise PreviewExpired("outputs_gone_meanwhile")

    async def _verify_missing(
        self, without: Mapping[str, JobOutcome], before: Observation, watch: Watch
    ) -> dict[str, JobOutcome]:
        """Return the outcomes of jobs without a backup. Jobs the backup did not find are looked up in the list too."""
        missing = [
            job_id
            for job_id, each in without.items()
            if each.outcome is Outcome.ALREADY_GONE and job_id not in before.gone
        ]
        if not missing:
            return dict(without)
        now = await look_up_in_time(self.client, missing, watch, MIN_LOOKUP_SECONDS, before)
        lost = not_backed_up(Reason("not_found_to_back_up"))
        return {**without, **{job_id: lost for job_id in missing if job_id not in now.gone}}

    async def _verify(self, outcomes: Outcomes, before: Observation, watch: Watch, deadline: Deadline) -> Observation:
        """Look up the sent jobs until all are gone, for about five seconds, because the list may be out of date."""
        sent = outcomes.to_verify
        if not sent:
            return NOTHING_OBSERVED
        watch.progress("checking", 0, len(sent))
        if self.patience:
            watch = PatientWatch(watch, math.inf)  # nothing is left to stop, and the person wants to know what is gone
        elif outcomes.stopped:
            return await self._look_up_stopped(sent, before)
        found = NOTHING_OBSERVED
        try:
            found = await self._look_up(sent, watch, deadline, before)
            for delay in LOOKUP_DELAYS:
                if found.error is not None or not outcomes.awaited(found) or not deadline.left():
                    break
                await sleep_stoppable(self.sleep, delay, watch)
                found = _fill_in_after_error(found, await self._look_up(sent, watch, deadline, before))
        except OperationStopped:
            outcomes.stopped = True
            last = await self._look_up_stopped(sent, before)
            found = found if last is NOTHING_OBSERVED else _fill_in_after_error(found, last)
        if found.error is not None:
            outcomes.note(found.error)
        return found

    async def _look_up(
        self, job_ids: Sequence[str], watch: Watch, deadline: Deadline, known: Observation
    ) -> Observation:
        watch.progress("checking", 0, 1)
        seconds = deadline.left(at_least=MIN_LOOKUP_SECONDS)
        return await look_up_in_time(self.client, job_ids, watch, seconds, known)

    async def _look_up_stopped(self, job_ids: Sequence[str], known: Observation) -> Observation:
        """Look up the jobs once after a stop, within MAX_LOOKUP_SECONDS_STOPPED."""
        lookup = look_up(self.client, job_ids, known)
        try:
            return await run_stoppable(lookup, Unwatched(), MAX_LOOKUP_SECONDS_STOPPED)
        except CloudConnectionError:
            return NOTHING_OBSERVED


def _chunks(job_ids: Sequence[str]) -> list[list[str]]:
    return [list(job_ids[at : at + MAX_IDS_PER_REQUEST]) for at in range(0, len(job_ids), MAX_IDS_PER_REQUEST)]


def _worth_sending(job_id: str, before: Observation) -> bool:
    job = before.there.get(job_id)
    return job_id not in before.gone and (job is None or not job.active)


def _not_confirmed(job_ids: Sequence[str], preview: DeletionPreview) -> dict[str, JobOutcome]:
    """Return the outcomes of the jobs that the preview said would stay."""
    stays: dict[str, JobOutcome] = {}
    staying = {job.id: job for job in preview.stay}
    for job_id in job_ids:
        job = staying.get(job_id)
        if job is None:
            continue
        if job.active:
            stays[job_id] = JobOutcome(Outcome.ACTIVE)
        elif job.finished:
            stays[job_id] = JobOutcome(Outcome.PROTECTED)
        else:
            stays[job_id] = JobOutcome(Outcome.NOT_ATTEMPTED, Reason("status_unknown"))
    return stays


def _fill_in_after_error(earlier: Observation, now: Observation) -> Observation:
    """Return the newer observation. If its lookup failed, fill in what is missing from the earlier observation."""
    if now.error is None:
        return now
    there = {**{k: v for k, v in earlier.there.items() if k not in now.gone}, **now.there}
    return _merged(now, earlier, there, now.gone | earlier.gone.difference(there))


def _fill_in_from_preview(now: Observation, previewed: Observation) -> Observation:
    """Return the observation `now`, and fill in the jobs that are missing from it from the preview's observation."""
    there = {**{k: v for k, v in previewed.there.items() if k not in now.gone}, **now.there}
    return _merged(now, previewed, there, now.gone | previewed.gone.difference(now.there))


def _merged(
    now: Observation, earlier: Observation, there: Mapping[str, Job], gone: frozenset[ProvenAbsent]
) -> Observation:
    listed = now.listed | (earlier.listed.difference(now.there) & there.keys())
    return replace(now, there=there, gone=gone, listed=listed, answered=now.answered | earlier.answered)
