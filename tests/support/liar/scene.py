"""One case on a cloud of its own: what there was, what was done, and what was said of it."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulated_cloud import Bend, Fault, SimulatedCloud, SimulatedJob
from support.liar.cases import Case

UNKNOWN = "00000000-0000-4000-8000-00000000000{}"


@dataclass
class Told:
    """What the person was told.

    Attributes:
        outcomes: the word for each job, as the audit log has it; report: the text.
        removed: the number; clear: of a clear that names no jobs: the word, and the numbers.
        listed: the ids of a list; complete: whether it was given as whole; unreadable: rows said to be unreadable.
        confirmed: the ids that were shown and confirmed; shown: how many were.
        gone: how many of the jobs that were asked for the preview called gone.
        error: the class or the code of the error that it ended with; raised: whether a node ended in an error.
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    report: str = ""
    removed: int | None = None
    clear: dict[str, Any] | None = None
    listed: list[str] | None = None
    complete: bool = False
    unreadable: int = 0
    confirmed: set[str] | None = None
    shown: int | None = None
    gone: int = 0
    error: str = ""
    raised: bool = False


@dataclass
class Scene:
    """The cloud, and everything that happened on it. Ids are in lower case, but for `ids`.

    Attributes:
        ids: the jobs that are asked for.
        chosen: those of them that a person has protected; workflows: whose jobs are protected, too.
        before: the statuses of the jobs that were there when it began.
        finished_at_clear: how many finished jobs there were when a clear arrived.
        there_when_sent: whether a job was there when it was first sent.
        problems: errors in the log.
        slept: seconds that were waited for, all in all.
    """

    case: Case
    cloud: SimulatedCloud
    folder: Path
    ids: list[str] = field(default_factory=list)
    chosen: set[str] = field(default_factory=set)
    workflows: list[str] = field(default_factory=list)
    before: dict[str, str] = field(default_factory=dict)
    finished_at_clear: list[int] = field(default_factory=list)
    there_when_sent: dict[str, bool] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    slept: float = 0.0
    _vanished: set[str] = field(default_factory=set)
    _operations: Any = None

    @property
    def vanished(self) -> set[str]:
        """Jobs that somebody else removed."""
        by_bends = [job_id for bend in self.cloud.bends for job_id in _vanished_by(bend)]
        return self._vanished | {job_id.lower() for job_id in by_bends}

    @property
    def protected(self) -> set[str]:
        """Jobs that are protected by now, by a person or with their workflow."""
        covered = [job.id.lower() for job in self.cloud.jobs.values() if job.workflow_id in self.workflows]
        return self.chosen | set(covered)

    def job(self, job_id: str) -> SimulatedJob | None:
        """The job of the books with this id, however it is written there."""
        return self.cloud.jobs.get(job_id.lower()) or self.cloud.jobs.get(job_id.upper())

    def prepare(self) -> None:
        """Fill the account and choose the jobs."""
        case, cloud = self.case, self.cloud
        cloud.keeps_answers = True
        cloud.switches.cursor = case.cursor
        if case.upper:
            _write_in_upper_case(cloud)
        finished, active = [job.id for job in cloud.finished], [job.id for job in cloud.active]
        gone = finished[len(finished) - case.gone :] if case.gone else []
        cloud.account.delete(gone, 0.0)
        chosen = [each for each in finished if each not in gone][: case.finished]
        unknown = [UNKNOWN.format(number) for number in range(case.unknown)]
        self.ids = [*chosen, *active[: case.active], *gone, *unknown]
        self.chosen = {job_id.lower() for job_id in chosen[: case.protected]}
        self.before = {job.id.lower(): job.status for job in cloud.listed()}
        cloud.bends += [Bend.read(text) for text in case.bends]
        cloud.faults.append(Fault(("POST", "/api/history"), "empty", times=None, predicate=self._arrives))
        cloud.faults.append(Fault(("GET", "/"), "empty", times=None, predicate=self._asks))

    def set_up(self, operations: Any, **more: Any) -> None:
        """Protect and set what the case says, as a person would have before."""
        self._operations = operations
        self.workflows = self._workflows() if self.case.workflow else []
        if self.chosen or self.workflows:
            operations.protection.change(protect=True, jobs=self.chosen, workflows=self.workflows)
        operations.settings.change(backup="workflows" if self.case.backup else "off", **more)

    def happens(self, what: str) -> None:
        """Something happens to the account, without us."""
        if what == "arrive":
            self.cloud.add_job("completed")
        elif what == "finish" and self.cloud.active:
            self.cloud.finish(self.cloud.active[0].id)
        elif what == "vanish" and self.cloud.finished:
            job = self.cloud.finished[0]
            job.delete(self.cloud.clock())
            self._vanished.add(job.id.lower())

    async def no_time(self, seconds: float) -> None:
        """Waits for nobody, and notes for how long."""
        self.slept += seconds

    def environ(self) -> dict[str, str]:
        """An environment that connects to the cloud, and lets workflows delete."""
        return {
            "COMFY_CLOUD_BASE_URL": self.cloud.base_url,
            "COMFY_CLOUD_API_KEY": self.cloud.api_key,
            "COMFY_CLOUD_HISTORY_NODES": "allow",
        }

    @contextlib.contextmanager
    def noting_problems(self) -> Iterator[None]:
        """Keep what the log says of errors, of anybody's."""
        handler = _Problems()
        loggers = [logging.getLogger(), logging.getLogger("cloud_history")]
        for each in loggers:
            each.addHandler(handler)
        try:
            yield
        finally:
            for each in loggers:
                each.removeHandler(handler)
            self.problems = handler.found

    def _arrives(self, body: Any) -> bool:
        if not isinstance(body, dict):
            return False
        if body.get("clear") is True:
            self.finished_at_clear.append(len(self.cloud.finished))
        for job_id in body.get("delete", ()):
            self.there_when_sent.setdefault(job_id.lower(), self.cloud.account.get(job_id) is not None)
        return False

    def _asks(self, body: Any) -> bool:
        """At the request that the case names a job is protected, before it has its answer and so before any sending."""
        if len(self.cloud.requests) == self.case.protect_at and not self.cloud.deletions:
            last = [job_id.lower() for job_id in self.ids if self.job(job_id) is not None][-1:]
            self._operations.protection.change(protect=True, jobs=last)
            self.chosen.update(last)
        return False

    def _workflows(self) -> list[str]:
        """The workflow of the first job that is asked for and has one."""
        found = (self.job(job_id) for job_id in self.ids)
        return [job.workflow_id for job in found if job is not None and job.workflow_id][:1]


def _vanished_by(bend: Bend) -> list[str]:
    return list(bend.memory or ()) if bend.name in ("jobs_vanish", "jobs_change_places") else []


def _write_in_upper_case(cloud: SimulatedCloud) -> None:
    for job in list(cloud.jobs.values())[::2]:
        del cloud.jobs[job.id]
        job.id = job.id.upper()
        cloud.jobs[job.id] = job


class _Problems(logging.Handler):
    """Keeps what is logged as an error, or with a traceback."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or record.exc_info:
            trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
            self.found.append(f"{record.name}: {record.getMessage()}\n{trace}"[-3000:])
