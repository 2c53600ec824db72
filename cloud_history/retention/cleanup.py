"""Cleaning up by a policy: what it would do, and exactly what is to be deleted by it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..deletion.preview import DeletionPreview, preview_jobs
from ..jobs.filters import JobFilter
from ..jobs.job import Job
from ..service import Operations
from ..state.connection import Connection
from ..state.record_lines import RecordedDeletion
from ..tasks.own_loop import PerLoop
from ..tasks.stopping import Watch
from ..tasks.threads import large_in_thread, long_in_thread
from .policy import Plan, Policy, check, check_rules, decide
from .report import policy_words

FRESH_SECONDS = 60.0


@dataclass(frozen=True)
class _Reading:
    """A history that was read: with which key, when, and what had been deleted last."""

    connection: Connection
    at: float
    last: Sequence[RecordedDeletion]
    jobs: Mapping[str, Job]


class CleaningUp:
    """Plans for the panel.

    While a person tries rules, the list is read once a minute and not at each change; and after a deletion. The record
    tells of it: a node may have deleted in another import of this pack.
    """

    def __init__(self, operations: Operations, clock: Callable[[], float] = time.monotonic) -> None:
        self._operations = operations
        self._clock = clock
        self._read: _Reading | None = None
        # A large list takes seconds, and rules change several times a second: the others wait for the first reading.
        self._one_at_a_time = PerLoop(asyncio.Lock)

    async def plan(
        self, connection: Connection, policy: Policy, watch: Watch
    ) -> tuple[Plan, Mapping[str, Job]]:
        """What the policy would do, and all jobs by id. Raises CloudError."""
        async with self._one_at_a_time.here():
            jobs = await self._jobs(connection, watch)
        return await _decide(self._operations, jobs, policy), jobs

    async def _jobs(self, connection: Connection, watch: Watch) -> Mapping[str, Job]:
        now, last = self._clock(), await large_in_thread(self._operations.desk.record.entries, 1)
        kept = self._read
        known = kept is not None and (kept.connection, kept.last) == (connection, last)
        if kept is None or not known or now - kept.at > FRESH_SECONDS:
            jobs = await read_all(self._operations, connection, watch)
            kept = self._read = _Reading(connection, now, last, jobs)
        return kept.jobs


async def read_all(operations: Operations, connection: Connection, watch: Watch) -> Mapping[str, Job]:
    """The whole history, by id. Raises CloudError where it is not complete."""
    return (await operations.list_jobs(JobFilter(), watch, connection=connection)).jobs


async def plan_of(operations: Operations, connection: Connection, policy: Policy, watch: Watch) -> Plan:
    """What the policy would do, now. Raises CloudError."""
    jobs = await read_all(operations, connection, watch)
    return await _decide(operations, jobs, policy)


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


async def _decide(operations: Operations, jobs: Mapping[str, Job], policy: Policy) -> Plan:
    """Raises ClockWrong."""
    if policy.keep_within:
        operations.clock.check()
    protected = await operations.protected()
    now = operations.clock.earliest_now()  # by a clock that is fast, jobs look older than they are
    # Off the event loop: a hundred thousand jobs take a third of a second.
    return await long_in_thread(decide, jobs.values(), policy, now, protected.covers)
