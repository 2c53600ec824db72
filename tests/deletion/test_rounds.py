"""The number of round trips that a deletion takes, in virtual time where each answer takes one second.

Round trips take most of the time of a real deletion. The expected numbers are exact, so one more round trip fails a
test, however busy the machine is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from cloud_history.cloud.client import MAX_CONNECTIONS
from cloud_history.cloud.lookup import look_up_in_time
from cloud_history.deletion.delete import Deletion
from cloud_history.deletion.outcomes import Outcome
from cloud_history.jobs.job import Job
from cloud_history.tasks.stopping import Unwatched
from support import virtual_time
from support.fake_history_client import NOON, FakeClient, ids, job
from support.requests import preview_of
from support.safeguards import NoSafeguards


@dataclass
class Steady(FakeClient):
    """A client that answers each request after one second and has as many connections as the real client."""

    connections: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_CONNECTIONS))
    requests: int = 0

    async def list_jobs(self, *args: Any, **place: Any) -> Any:
        async with self.connections:
            self.requests += 1
            return await super().list_jobs(*args, **place)

    async def get_job(self, job_id: str) -> Job:
        async with self.connections:
            self.requests += 1
            return await super().get_job(job_id)

    async def delete_history(self, *args: Any) -> None:
        async with self.connections:
            self.requests += 1
            await super().delete_history(*args)


def history_of(size: int) -> dict[str, Job]:
    """Return `size` jobs that ended three days ago. Every ninth job failed."""
    words = {job_id: "completed" if at % 9 else "failed" for at, job_id in enumerate(ids(size))}
    ended = NOON - timedelta(days=3)
    return {job_id: job(job_id, word)._replace(finished_at=ended) for job_id, word in words.items()}


def spread_over(job_ids: Sequence[str], count: int) -> list[str]:
    """Return `count` ids at equal distances in the list, from the first page on."""
    return list(job_ids[:: len(job_ids) // count][:count])


async def rounds_and_requests(client: Steady, chosen: Sequence[str]) -> tuple[int, int]:
    """Return the seconds and requests of a preview and the confirmed deletion together."""
    seen = await look_up_in_time(client, chosen, Unwatched(), 3600.0)
    result = await Deletion(client, NoSafeguards(), seconds=3600.0).run(chosen, Unwatched(), preview_of(seen))
    assert len(result.ids(Outcome.DELETED)) == len(chosen)
    # Fractions of a second are not answers, but pauses that let other threads run.
    return int(virtual_time.now()), client.requests


@pytest.mark.parametrize(
    ("size", "kind", "count", "rounds", "requests"),
    [
        (1000, "any", 1000, 5, 28),
        (20_000, "any", 1000, 17, 88),
        (20_000, "failed", 1000, 9, 35),
        (20_000, "completed", 1, 13, 59),
        (500, "any", 100, 5, 21),
        (500, "any", 1, 6, 9),
    ],
)
def test_a_deletion_takes_the_expected_number_of_round_trips_and_requests(
    size: int, kind: str, count: int, rounds: int, requests: int
) -> None:
    jobs = history_of(size)
    candidates = [each.id for each in jobs.values() if kind in ("any", each.status.value)]
    client = Steady(jobs, moment=NOON, seconds=1.0, looking=1.0)
    chosen = spread_over(candidates, count)
    assert virtual_time.run(rounds_and_requests(client, chosen)) == (rounds, requests)
