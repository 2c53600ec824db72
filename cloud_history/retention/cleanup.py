"""Cleaning up by a retention policy: the preview, and the exact jobs to delete."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..cloud.clock import CloudClock
from ..cloud.listing import Listing
from ..deletion.preview import DeletionPreview, preview_jobs
from ..deletion.queue import DeletionQueue
from ..jobs.filters import JobFilter, ProtectedJobs
from ..jobs.job import Job
from ..state.audit_log import LoggedDeletion
from ..state.credentials import Connection
from ..tasks.own_loop import PerLoop
from ..tasks.stopping import Watch
from ..tasks.threads import compute_in_thread, run_large_in_thread
from .policy import CleanUpPreview, Policy, check_rules, check_share, decide
from .report import policy_words

FRESH_SECONDS = 60.0


@dataclass(frozen=True)
class _Reading:
    """A history that was read: with which key, when, and what had been deleted last."""

    connection: Connection
    at: float
    last: Sequence[LoggedDeletion]
    jobs: Mapping[str, Job]


class History(Protocol):
    """The history and the safeguards of a person: the service, as far as cleaning up needs it."""

    clock: CloudClock
    queue: DeletionQueue

    async def protected(self) -> ProtectedJobs: ...

    async def list_jobs(self, connection: Connection, chosen: JobFilter, watch: Watch) -> Listing: ...


class CleanUp:
    """What policies would do, for the panel.

    While a person tries rules, the list is read once a minute, not at each change, and again after a deletion. The
    audit log tells of deletions, because a node may have deleted in another import of this pack.
    """

    def __init__(self, history: History, clock: Callable[[], float] = time.monotonic) -> None:
        self._history = history
        self._clock = clock
        self._read: _Reading | None = None
        # A large list takes seconds, and rules change several times a second: the others wait for the first reading.
        self._one_at_a_time = PerLoop(asyncio.Lock)

    async def preview(
        self, connection: Connection, policy: Policy, watch: Watch
    ) -> tuple[CleanUpPreview, Mapping[str, Job]]:
        """What the policy would do, and all jobs by id. Raises CloudError."""
        async with self._one_at_a_time.here():
            jobs = await self._jobs(connection, watch)
        return await _decide(self._history, jobs, policy), jobs

    async def _jobs(self, connection: Connection, watch: Watch) -> Mapping[str, Job]:
        now, last = self._clock(), await run_large_in_thread(self._history.queue.audit_log.entries, 1)
        kept = self._read
        known = kept is not None and (kept.connection, kept.last) == (connection, last)
        if kept is None or not known or now - kept.at > FRESH_SECONDS:
            jobs = await read_all(self._history, connection, watch)
            kept = self._read = _Reading(connection, now, last, jobs)
        return kept.jobs


async def read_all(history: History, connection: Connection, watch: Watch) -> Mapping[str, Job]:
    """The whole history, by id. Raises CloudError where it is not complete."""
    return (await history.list_jobs(connection, JobFilter(), watch)).jobs


async def preview_now(history: History, connection: Connection, policy: Policy, watch: Watch) -> CleanUpPreview:
    """What the policy would do, now. Raises CloudError."""
    jobs = await read_all(history, connection, watch)
    return await _decide(history, jobs, policy)


async def resolve(
    history: History, connection: Connection, policy: Policy, watch: Watch, *, allow_large: bool
) -> tuple[CleanUpPreview, DeletionPreview]:
    """Exactly the jobs that the policy lets go, now.

    Raises:
        PolicyRefused: it may not be carried out. CloudError: the history could not be read whole.
    """
    check_rules(policy)
    would = await preview_now(history, connection, policy, watch)
    check_share(would, allow_large=allow_large)
    return would, replace(preview_jobs(would.go), what=policy_words(policy), kept=len(would.kept))


async def _decide(history: History, jobs: Mapping[str, Job], policy: Policy) -> CleanUpPreview:
    """Raises ClockWrong."""
    if policy.keep_within:
        history.clock.check()
    protected = await history.protected()
    now = history.clock.earliest_now()  # by a clock that is fast, jobs look older than they are
    # Off the event loop: a hundred thousand jobs take a third of a second.
    return await compute_in_thread(decide, jobs.values(), policy, now, protected.covers)
