"""One case on its own simulated cloud: the jobs before, the requests, and the reports."""

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
    """The reports that the person got.

    Attributes:
        outcomes: the outcome of each job in the audit log; report: the text of the report.
        removed: the reported number; clear: the outcome and the numbers of a clear without job ids.
        listed: the ids of a list; complete: whether it was called complete; unreadable: the number of unreadable rows.
        confirmed: the ids that were previewed and confirmed; shown: their number.
        gone: the number of requested jobs that the preview reported as gone.
        error: the class or the code of the final error; raised: whether a node raised it.
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
    """The cloud and its events. Ids are in lower case, except in `ids`.

    Attributes:
        ids: the requested jobs.
        chosen: the requested jobs that a person has protected; workflows: the protected workflows.
        before: the statuses of the existing jobs at the start of the operation.
        finished_at_clear: the number of finished jobs when a clear arrived.
        there_when_sent: whether each job existed when it was first sent.
        problems: errors in the log.
        slept: the total seconds of simulated waits.
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
        """Return the jobs that another client removed."""
        by_bends = [job_id for bend in self.cloud.bends for job_id in _vanished_by(bend)]
        return self._vanished | {job_id.lower() for job_id in by_bends}

    @property
    def protected(self) -> set[str]:
        """Return the jobs that are protected now, by a person or by their workflow."""
        covered = [job.id.lower() for job in self.cloud.jobs.values() if job.workflow_id in self.workflows]
        return self.chosen | set(covered)

    def job(self, job_id: str) -> SimulatedJob | None:
        """Return the simulated job with this id, ignoring upper and lower case."""
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
        """Protect jobs and change settings before the action, as the case says."""
        self._operations = operations
        self.workflows = self._workflows() if self.case.workflow else []
        if self.chosen or self.workflows:
            operations.protection.change(protect=True, jobs=self.chosen, workflows=self.workflows)
        operations.settings.change(backup="workflows" if self.case.backup else "off", **more)

    def happens(self, what: str) -> None:
        """Let another client change the account."""
        if what == "arrive":
            self.cloud.add_job("completed")
        elif what == "finish" and self.cloud.active:
            self.cloud.finish(self.cloud.active[0].id)
        elif what == "vanish" and self.cloud.finished:
            job = self.cloud.finished[0]
            job.delete(self.cloud.clock())
            self._vanished.add(job.id.lower())

    async def no_time(self, seconds: float) -> None:
        """Skip a wait, and record its seconds."""
        self.slept += seconds

    def environ(self) -> dict[str, str]:
        """Return an environment that connects to the cloud and allows deletions by workflows."""
        return {
            "COMFY_CLOUD_BASE_URL": self.cloud.base_url,
            "COMFY_CLOUD_API_KEY": self.cloud.api_key,
            "COMFY_CLOUD_HISTORY_NODES": "allow",
        }

    @contextlib.contextmanager
    def noting_problems(self) -> Iterator[None]:
        """Record every error in the log, from any logger."""
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
        """Protect a job at the request that the case names, before its answer and so before any deletion request."""
        if len(self.cloud.requests) == self.case.protect_at and not self.cloud.deletions:
            last = [job_id.lower() for job_id in self.ids if self.job(job_id) is not None][-1:]
            self._operations.protection.change(protect=True, jobs=last)
            self.chosen.update(last)
        return False

    def _workflows(self) -> list[str]:
        """Return the workflow of the first requested job that has one."""
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
    """Records log messages that are errors or have a traceback."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or record.exc_info:
            trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
            self.found.append(f"{record.name}: {record.getMessage()}\n{trace}"[-3000:])
