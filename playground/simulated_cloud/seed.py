"""Random jobs that look like an artist's last weeks. The same seed and time give the same jobs."""

from __future__ import annotations

import copy
import functools
import random
import uuid
from collections import Counter

from .jobs import SimulatedJob
from .samples import FAILURES, ODD_STEMS, PROJECTS, Project

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Weights of the projects, of the pauses between runs, and of the final statuses.
PROJECT_WEIGHTS = (9, 8, 6, 6, 5, 7, 3, 4, 2, 2, 9, 5)
GAP_WEIGHTS = (80, 17, 3)
END_WEIGHTS = (77, 14, 9)
ENDS = ("completed", "failed", "cancelled")

NAMES_PER_ODD_NAME = 13
USUAL_JOBS = 500
"""The pauses in larger accounts are shorter, so that every account spans a few weeks."""
MAX_REMEMBERED = 1000
"""Larger accounts are not cached, because they would stay in memory."""


def seeded(seed: int, count: int, now: int) -> tuple[Seeder, list[SimulatedJob]]:
    """Return a seeder and the jobs it has made, cached because thousands of tests want the same account."""
    if count > MAX_REMEMBERED:
        seeder = Seeder(seed)
        return seeder, seeder.account(count, now)
    seeder, jobs = _cached(seed, count)
    return seeder.twin(), [job.moved(now) for job in jobs]


@functools.lru_cache(maxsize=32)
def _cached(seed: int, count: int) -> tuple[Seeder, tuple[SimulatedJob, ...]]:
    # All times in an account are relative to its `now`, so an account made at 0 can be moved to any time.
    seeder = Seeder(seed)
    return seeder, tuple(seeder.account(count, 0))


class Seeder:
    """Makes jobs one after another from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._numbers: Counter[str] = Counter()
        self._named = 0
        ids = random.Random(f"workflows {seed}")
        self._workflow_ids = {project.name: _uuid(ids) for project in PROJECTS}

    def twin(self) -> Seeder:
        """Return a copy that continues as this one would."""
        twin = copy.copy(self)
        twin._random, twin._numbers = copy.copy(self._random), self._numbers.copy()
        return twin

    def account(self, count: int, now: int) -> list[SimulatedJob]:
        """Make `count` jobs before `now` (Unix milliseconds), oldest first. Five or more jobs include every status."""
        running = min(3, count // 60 + (count >= 4))
        waiting = min(6, count // 30 + (count >= 5))
        jobs = [self._active("pending", now) for _ in range(waiting)]
        jobs += [self._active("in_progress", now) for _ in range(running)]
        at = now - 40_000
        scale = min(1.0, USUAL_JOBS / max(count, 1))
        for index in range(count - running - waiting):
            status = ENDS[index] if index < len(ENDS) else self._random.choices(ENDS, END_WEIGHTS)[0]
            jobs.append(self.make(status, ended=at))
            at -= int(self._gap() * scale) + 1
        jobs.sort(key=lambda job: (job.create_time, job.id))
        return jobs

    def make(self, status: str, *, ended: int | None = None, created: int | None = None) -> SimulatedJob:
        """Make one job that `ended`, or was `created`, at this time in Unix milliseconds."""
        project = self._random.choices(PROJECTS, PROJECT_WEIGHTS)[0]
        duration = self._random.randint(project.seconds[0] * 1000, project.seconds[1] * 1000)
        if status == "failed":
            duration = duration // self._random.randint(1, 12) + 400
        wait = self._random.randint(900, 45_000)
        if created is None:
            created = (ended or 0) - duration - wait if ended is not None else 0
        job = self._job(project, status, created)
        if status != "pending":
            job.start_time = created + wait
        if job.finished:
            job.end_time = created + wait + duration
        self._give_results(job, project)
        return job

    def finish(self, job: SimulatedJob, status: str, now: int) -> None:
        """Finish an active job at this time."""
        job.status = status
        job.start_time = job.start_time or now
        job.end_time = max(now, job.start_time)
        project = next(project for project in PROJECTS if project.name == job.workflow_name)
        self._give_results(job, project)

    def _active(self, status: str, now: int) -> SimulatedJob:
        ago = self._random.randint(2_000, 20_000) if status == "pending" else self._random.randint(50_000, 400_000)
        job = self.make(status, created=now - ago)
        if job.start_time is not None:
            job.start_time = min(job.start_time, now)
        return job

    def _job(self, project: Project, status: str, created: int) -> SimulatedJob:
        width, height = self._random.choice(project.sizes)
        return SimulatedJob(
            id=_uuid(self._random),
            status=status,
            create_time=created,
            # Jobs sent by scripts carry no workflow id.
            workflow_id=None if self._random.random() < 0.07 else self._workflow_ids[project.name],
            workflow_name=project.name,
            media=project.media,
            width=width,
            height=height,
            prompt=project.prompt,
            checkpoint=project.checkpoint,
        )

    def _give_results(self, job: SimulatedJob, project: Project) -> None:
        if job.status == "completed":
            # A few graphs complete without saving anything.
            if self._random.random() >= 0.02:
                job.files = self._files(project, self._random.randint(1, project.batch))
        elif job.status == "cancelled" and project.batch > 1 and self._random.random() < 0.2:
            job.files = self._files(project, 1)
        elif job.status == "failed" and self._random.random() < 0.93:
            job.error_kind = self._random.randrange(len(FAILURES))

    def _files(self, project: Project, amount: int) -> tuple[str, ...]:
        stem = self._random.choice(project.stems)
        self._named += 1
        if self._named % NAMES_PER_ODD_NAME == 0:
            stem = ODD_STEMS[self._named // NAMES_PER_ODD_NAME % len(ODD_STEMS)]
        first = self._numbers[stem] + 1
        self._numbers[stem] += amount
        return tuple(f"{stem}_{number:05d}_.{project.extension}" for number in range(first, first + amount))

    def _gap(self) -> float:
        """Return the milliseconds between two runs: minutes, hours or days."""
        kind = self._random.choices(range(3), GAP_WEIGHTS)[0]
        if kind == 0:
            return self._random.expovariate(1 / (4 * MINUTE))
        return self._random.uniform(2 * HOUR, 14 * HOUR) if kind == 1 else self._random.uniform(DAY, 6 * DAY)


def _uuid(source: random.Random) -> str:
    return str(uuid.UUID(int=source.getrandbits(128), version=4))
