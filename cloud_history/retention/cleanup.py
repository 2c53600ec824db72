"""Cleaning up by a retention policy: previews, and the exact jobs to delete."""

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
from .policy import CleanUpPreview, Policy, Reason, check_rules, check_share, decide
from .report import counts_kept, policy_words

_UNFINISHED = (Reason.ACTIVE, Reason.UNKNOWN)

FRESH_SECONDS = 60.0
"""How long `CleanUp` uses a list that it has read."""


@dataclass(frozen=True)
class _Reading:
    """A cached history: the connection, the time of reading, the newest entry of the audit log, and the jobs."""

    connection: Connection
    at: float
    last: Sequence[LoggedDeletion]
    jobs: Mapping[str, Job]


class History(Protocol):
    """The methods of the service that cleaning up uses."""

    clock: CloudClock
    queue: DeletionQueue

    async def protected(self) -> ProtectedJobs: ...

    async def list_jobs(self, connection: Connection, chosen: JobFilter, watch: Watch) -> Listing: ...


class CleanUp:
    """Previews of policies for the panel.

    The list of jobs is cached for FRESH_SECONDS, because a person changes rules often, and is read again after a
    deletion. Deletions are detected by the audit log, because a node may delete in another import of this pack.
    """

    def __init__(self, history: History, clock: Callable[[], float] = time.monotonic) -> None:
        self._history = history
        self._clock = clock
        self._read: _Reading | None = None
        # Reading a large list takes seconds, so previews requested meanwhile wait instead of reading it too.
        self._one_at_a_time = PerLoop(asyncio.Lock)

    async def preview(
        self, connection: Connection, policy: Policy, watch: Watch
    ) -> tuple[CleanUpPreview, Mapping[str, Job]]:
        """Return the preview of the policy, and all jobs by id. Raise CloudError if the list is incomplete."""
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
    """Read all jobs, by id. Raise CloudError if the list is incomplete."""
    return (await history.list_jobs(connection, JobFilter(), watch)).jobs


async def preview_now(history: History, connection: Connection, policy: Policy, watch: Watch) -> CleanUpPreview:
    """Read all jobs and return the preview of the policy. Raise CloudError if the list is incomplete."""
    jobs = await read_all(history, connection, watch)
    return await _decide(history, jobs, policy)


async def resolve(
    history: History, connection: Connection, policy: Policy, watch: Watch, *, allow_large: bool
) -> tuple[CleanUpPreview, DeletionPreview]:
    """Read the list of jobs. Return the preview of the policy, and the preview of the deletion.

    Raises:
        PolicyRefused: no rule is on, or too many jobs would be deleted.
        CloudError: the list of jobs is incomplete.
    """
    check_rules(policy)
    would = await preview_now(history, connection, policy, watch)
    check_share(would, allow_large=allow_large)
    skipped = {"active": Reason.ACTIVE, "unknown": Reason.UNKNOWN, "protected": Reason.PROTECTED}
    counts = counts_kept(would)
    apart = {name: counts.get(reason, 0) for name, reason in skipped.items()}
    return would, replace(
        preview_jobs(would.go),
        skipped={**apart, "already_gone": 0},
        kept=len(would.kept) - sum(apart.values()),
        kept_ids=frozenset(job_id for job_id, reason in would.kept.items() if reason not in _UNFINISHED),
        chosen=would.chosen,
        finished=len(would.kept) + len(would.go) - apart["active"] - apart["unknown"],
        what=policy_words(policy),
    )


async def _decide(history: History, jobs: Mapping[str, Job], policy: Policy) -> CleanUpPreview:
    """Return the preview of the policy. Raise ClockWrong if the policy needs the clock and the clock is wrong."""
    if policy.keep_within:
        history.clock.check()
    protected = await history.protected()
    now = history.clock.earliest_now()  # a fast clock would make jobs look older than they are
    # In a thread, because deciding about a hundred thousand jobs takes a third of a second.
    return await compute_in_thread(decide, jobs.values(), policy, now, protected.covers)
