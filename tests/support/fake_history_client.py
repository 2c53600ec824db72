"""An in-memory client for the use cases. It uses no sockets and records every request."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from cloud_history.cloud.pages import Page, RowMapper, ValueT
from cloud_history.cloud.retry import BeforeSend
from cloud_history.errors import CloudError, NotFound
from cloud_history.jobs.job import Job
from cloud_history.jobs.status import ACTIVE, FINISHED, JobCounts, JobStatus

ACTIVE_QUERY = ",".join(status.value for status in ACTIVE)
NOON = datetime(2025, 12, 1, 12, 0, tzinfo=timezone.utc)


_IDS: list[str] = []
"""Those that were wanted until now: tests want thousands, again and again."""


def ids(count: int) -> list[str]:
    """Return `count` different job ids, the same ones at each call."""
    _IDS.extend(str(uuid.UUID(int=number + 1, version=4)) for number in range(len(_IDS), count))
    return _IDS[:count]


OLDEST = ids(2)[1]
"""Of a history that is only counted."""
RUNNING = ids(3)[2]
"""An active job of such a history, where it has any."""


def job(job_id: str, word: str = "completed") -> Job:
    """Return a job with this id and state."""
    status = JobStatus.from_api(word)
    return Job(job_id, status, word if status is JobStatus.UNKNOWN else "", created_at=NOON)


def counts_of(*finished: int, active: int = 0) -> JobCounts:
    """Return the counts of completed, failed and cancelled jobs. A missing number is 0."""
    return JobCounts(dict(zip(FINISHED, [*finished, *[0] * len(FINISHED)], strict=False)), active, NOON)


def jobs_of(job_ids: Iterable[str], word: str = "completed") -> dict[str, Job]:
    return {job_id: job(job_id, word) for job_id in job_ids}


def by_status(query: Mapping[str, str], jobs: Iterable[Job]) -> list[Job]:
    """Return the jobs that match the status filter of a query."""
    words = query.get("status", "").split(",")
    return [each for each in jobs if words == [""] or each.status.value in words]


def kept_of(mapper: RowMapper[ValueT], jobs: Iterable[Job]) -> dict[str, ValueT]:
    """Return the mapped values of these jobs, without those that the mapper drops."""
    made = {each.id: mapper.convert(each) for each in jobs if mapper.wants(each.id)}
    return {job_id: each for job_id, each in made.items() if each is not None}


def cut(rows: Sequence[Job], mapper: RowMapper[ValueT], limit: int, offset: int = 0) -> Page[ValueT]:
    """Return one page of these rows, as from a server that gives exact totals."""
    shown = rows[offset : offset + limit]
    more = offset + limit < len(rows)
    return Page([each.id for each in shown], kept_of(mapper, shown), len(shown), len(rows), more, "")


@dataclass
class FakeClient:
    """A history client whose behaviour a test sets.

    Attributes:
        jobs: the jobs in the history. An accepted deletion removes the finished ones and skips others.
        looks: for clears, replaces `jobs`: the result of each count of finished jobs, a number or the error it
            ends with. The last repeats.
        refuse: returns the error of a delete of these ids, or None. Called with the number of the request, from 1.
        acts: whether a refused request still takes effect.
        lies: a delete is accepted and removes nothing.
        lag: seconds for which removed jobs are still listed.
        blind: returns the error of a lookup, or None. Called with the number of deletes sent so far.
        clear_error: the error of a clear.
        moment: the time of the server's clock. None: the time of the local clock.
        seconds: how long each delete and clear takes. looking: how long each page and each job takes.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    looks: Sequence[int | CloudError] | None = None
    active: int = 0
    refuse: Callable[[int, list[str]], CloudError | None] = lambda number, chunk: None
    acts: bool = False
    lies: bool = False
    lag: float = 0.0
    blind: Callable[[int], CloudError | None] = lambda sent: None
    clear_error: CloudError | None = None
    moment: datetime | None = None
    seconds: float = 0.1
    looking: float = 0.01
    deletes: list[list[str]] = field(default_factory=list)
    answered: list[list[str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    pages: list[tuple[Mapping[str, str], int, int]] = field(default_factory=list)
    clears: int = 0
    looked: int = 0
    most_at_once: int = 0
    most_looking: int = 0
    _at_once: int = 0
    _looking: int = 0
    _leaves: dict[str, float] = field(default_factory=dict)

    @property
    def awaits_answer(self) -> bool:
        return self._at_once > 0

    def earliest_now(self) -> datetime:
        return self.moment or datetime.now(timezone.utc)

    async def delete_history(self, job_ids: list[str], before_send: BeforeSend | None = None) -> None:
        self.deletes.append(list(job_ids))
        error = self.refuse(len(self.deletes), job_ids)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            # A refusal arrives sooner than an answer, so that the order of the requests is always the same.
            await asyncio.sleep(self.seconds / 2 if error else self.seconds)
        finally:
            self._at_once -= 1
        if error is None or self.acts:
            self._remove(job_ids)
        if error is not None:
            raise error
        self.answered.append(list(job_ids))

    def _remove(self, job_ids: Iterable[str]) -> None:
        when = asyncio.get_running_loop().time() + self.lag
        for job_id in job_ids:
            if not self.lies and job_id in self.jobs and self.jobs[job_id].finished:
                self._leaves.setdefault(job_id, when)

    def _seen(self) -> dict[str, Job]:
        now = asyncio.get_running_loop().time()
        return {key: each for key, each in self.jobs.items() if self._leaves.get(key, now + 1) > now}

    async def clear_history(self, before_send: BeforeSend | None = None) -> None:
        self.clears += 1
        self._at_once += 1
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self._at_once -= 1
        if self.clear_error is not None:
            raise self.clear_error

    async def get_job(self, job_id: str) -> Job:
        self.asked.append(job_id)
        await self._look()
        if self.looks is not None:
            return self._counted_job(job_id)
        found = self._seen().get(job_id)
        if found is None:
            raise NotFound(404)
        return found

    def _counted_job(self, job_id: str) -> Job:
        """If only counts are set, the newest job exists while any job is left, the oldest until a job is removed."""
        looks = self.looks or [0]
        count = looks[min(max(self.looked - 1, 0), len(looks) - 1)]
        if isinstance(count, CloudError):
            raise count
        if job_id == RUNNING and self.active:
            return job(job_id, "in_progress")
        first = looks[0]
        if not count or (job_id == OLDEST and isinstance(first, int) and count < first):
            raise NotFound(404)
        return job(job_id)

    async def list_jobs(
        self,
        query: Mapping[str, str],
        mapper: RowMapper[ValueT],
        *,
        limit: int,
        offset: int = 0,
        after: str | None = None,
    ) -> Page[ValueT]:
        self.pages.append((dict(query), limit, offset))
        await self._look()
        if self.looks is None:
            return cut(by_status(query, self._seen().values()), mapper, limit, offset)
        if not query and limit == 1:  # without a status: the sum of all others
            counted = self.looks[min(self.looked - 1, len(self.looks) - 1)]
            return page(mapper, JobStatus.COMPLETED, self.active + (counted if isinstance(counted, int) else 0))
        if "status" not in query:
            running = [self._counted_job(RUNNING)] if self.active else []
            try:
                return cut([self._counted_job(ids(1)[0]), *running], mapper, limit, offset)
            except NotFound:
                return cut(running, mapper, limit, offset)
        if query["status"] == ACTIVE_QUERY:
            return page(mapper, JobStatus.PENDING, self.active, RUNNING)
        if limit == 2:
            return cut([job(OLDEST)], mapper, limit)  # the totals are correct, so each list ends at its total
        if query["status"] != "completed":
            return page(mapper, JobStatus(query["status"]), 0)
        found = self.looks[min(self.looked, len(self.looks) - 1)]
        self.looked += 1
        if isinstance(found, CloudError):
            raise found
        return page(mapper, JobStatus.COMPLETED, found)

    async def _look(self) -> None:
        self._looking += 1
        self.most_looking = max(self.most_looking, self._looking)
        try:
            await asyncio.sleep(self.looking)
        finally:
            self._looking -= 1
        error = self.blind(len(self.deletes))
        if error is not None:
            raise error


def page(mapper: RowMapper[ValueT], status: JobStatus, total: int, newest: str = "") -> Page[ValueT]:
    """Return a page with the first row of `total` rows."""
    job_ids = [newest or ids(1)[0]] if total else []
    jobs = [job(each, status.value) for each in job_ids]
    return Page(job_ids, kept_of(mapper, jobs), len(jobs), total, total > 1, "")


class Person:
    """A person who receives the messages of an operation and can stop the operation."""

    def __init__(self, stops: Callable[[], bool] = lambda: False) -> None:
        self._stops = stops
        self.told: list[tuple[str, int, int]] = []

    def stop_requested(self) -> bool:
        return self._stops()

    def progress(self, phase: str, done: int, total: int) -> None:
        self.told.append((phase, done, total))
