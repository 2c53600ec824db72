"""An in-memory client for the use cases: no sockets, everything it was asked is written down."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cloud_history.errors import CloudError
from cloud_history.models import ACTIVE, JobStatus


def ids(count: int) -> list[str]:
    """So many different job ids, the same ones at each call."""
    return [str(uuid.UUID(int=number + 1, version=4)) for number in range(count)]


@dataclass
class FakeClient:
    """A history whose finished jobs are counted by a script.

    Attributes:
        looks: what each count of the finished jobs finds: a number, or the error it ends with. The last repeats.
        refuse: the error a delete of this chunk ends with, or None; told the number of the request, from 1.
        clear_error: what a clear ends with.
        seconds: how long each delete and clear takes.
    """

    looks: Sequence[int | CloudError] = (0,)
    active: int = 0
    refuse: Callable[[int, list[str]], CloudError | None] = lambda number, chunk: None
    clear_error: CloudError | None = None
    seconds: float = 0.1
    deletes: list[list[str]] = field(default_factory=list)
    answered: list[list[str]] = field(default_factory=list)
    clears: int = 0
    looked: int = 0
    most_at_once: int = 0
    _at_once: int = 0

    async def delete_history(self, job_ids: list[str]) -> None:
        self.deletes.append(list(job_ids))
        error = self.refuse(len(self.deletes), job_ids)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            # A refusal comes sooner than an answer, so that which request ends first is no accident.
            await asyncio.sleep(self.seconds / 2 if error else self.seconds)
        finally:
            self._at_once -= 1
        if error is not None:
            raise error
        self.answered.append(list(job_ids))

    async def clear_history(self) -> None:
        self.clears += 1
        await asyncio.sleep(self.seconds)
        if self.clear_error is not None:
            raise self.clear_error

    async def list_jobs(
        self, statuses: tuple[JobStatus, ...], *, limit: int, offset: int = 0, after: str | None = None
    ) -> dict[str, Any]:
        await asyncio.sleep(0.01)
        if statuses == ACTIVE:
            return page(statuses[0], self.active)
        if statuses != (JobStatus.COMPLETED,):
            return page(statuses[0], 0)
        found = self.looks[min(self.looked, len(self.looks) - 1)]
        self.looked += 1
        if isinstance(found, CloudError):
            raise found
        return page(JobStatus.COMPLETED, found)


def page(status: JobStatus, total: int) -> dict[str, Any]:
    """The first row of so many, as the API gives it."""
    rows = [{"id": each, "status": status.value} for each in ids(min(total, 1))]
    return {"jobs": rows, "pagination": {"offset": 0, "limit": 1, "total": total, "has_more": total > 1}}


class Person:
    """Watches an operation, may stop it, and remembers what they were told."""

    def __init__(self, stops: Callable[[], bool] = lambda: False) -> None:
        self._stops = stops
        self.told: list[tuple[str, int, int]] = []

    def stop_requested(self) -> bool:
        return self._stops()

    def progress(self, phase: str, done: int, total: int) -> None:
        self.told.append((phase, done, total))
