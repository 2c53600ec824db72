"""Cleaning up by a policy: what it would do, and exactly what is to be deleted by it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from .connection import Connection
from .jobs import Job
from .operations import Operations
from .previews import DeletionPreview, preview_jobs
from .protection import Protected
from .record_lines import RecordedDeletion
from .retention import Plan, Policy, check, check_rules, decide
from .retention_report import policy_words
from .selection import JobFilter
from .stopping import Watch

FRESH_SECONDS = 60.0


@dataclass(frozen=True)
class _Reading:
    """A history that was read: with which key, when, and what had been deleted last."""

    connection: Connection
    at: float
    last: Sequence[RecordedDeletion]
    jobs: list[Job]


class CleaningUp:
    """Plans for the panel.

    While a person tries rules, the list is read once a minute and not at each change; and after a deletion. The record
    tells of it: a node may have deleted in another import of this pack.
    """

    def __init__(self, operations: Operations, clock: Callable[[], float] = time.monotonic) -> None:
        self._operations = operations
        self._clock = clock
        self._read: _Reading | None = None

    async def plan(self, connection: Connection, policy: Policy, watch: Watch) -> tuple[Plan, dict[str, Job]]:
        """What the policy would do, and all jobs by id. Raises CloudError."""
        now, last = self._clock(), await asyncio.to_thread(self._operations.desk.record.entries, 1)
        kept = self._read
        known = kept is not None and (kept.connection, kept.last) == (connection, last)
        if kept is None or not known or now - kept.at > FRESH_SECONDS:
            jobs = await read_all(self._operations, connection, watch)
            kept = self._read = _Reading(connection, now, last, jobs)
        protected = await self._operations.protected()
        return _decide(kept.jobs, policy, protected), {job.id: job for job in kept.jobs}


async def read_all(operations: Operations, connection: Connection, watch: Watch) -> list[Job]:
    """The whole history. Raises CloudError where it is not complete."""
    listing = await operations.list_jobs(JobFilter(), watch, connection=connection)
    return list(listing.jobs.values())


async def plan_of(operations: Operations, connection: Connection, policy: Policy, watch: Watch) -> Plan:
    """What the policy would do, now. Raises CloudError."""
    jobs = await read_all(operations, connection, watch)
    return _decide(jobs, policy, await operations.protected())


async def resolve(
    operations: Operations, connection: Connection, policy: Policy, watch: Watch, *, allow_large: bool
) -> tuple[Plan, DeletionPreview]:
    """Exactly the jobs that the policy lets go, now.

    Raises:
        PolicyRefused: it may not be carried out. CloudError: the history could not be read whole.
    """
    check_rules(policy)
    plan = await plan_of(operations, connection, policy, watch)
    protected = await operations.protected()
    check(plan, policy, allow_large=allow_large)
    return plan, replace(
        preview_jobs(plan.go, protected=protected), what=policy_words(policy), kept=len(plan.kept)
    )


def _decide(jobs: list[Job], policy: Policy, protected: Protected) -> Plan:
    return decide(jobs, policy, datetime.now(timezone.utc), protected.covers)
