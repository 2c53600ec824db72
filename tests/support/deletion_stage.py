"""A deletion with backup and record, whatever happens to it, and what must be true afterwards all the same.

Judged by the simulated cloud's own books and by the files themselves, not by what the code says of them.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cloud_history.cloud.client import CloudClient, Timeouts
from cloud_history.config import BaseUrl
from cloud_history.deletion.holds import Holds
from cloud_history.deletion.outcomes import DeletionResult, Outcome
from cloud_history.deletion.request import DeletionRequest
from cloud_history.errors import CloudError
from cloud_history.service import Operations
from cloud_history.state.audit_log import AuditLog, LoggedDeletion
from cloud_history.state.credentials import ApiKey
from cloud_history.state.settings import SettingsFile
from cloud_history.tasks.stopping import Watch
from simulated_cloud import Fault, SimulatedCloud
from support.requests import delete_jobs, make_request

POST = ("POST", "/api/history")
JOBS = ("GET", "/api/jobs")
FIRST_LOOK, BACKUP, DELETION, LAST_LOOK = "the first look", "the backup", "the deletion", "the last look"
OLDER = "ab" * 16
OLD_LINE = b'{"line": "outcome", "operation": "' + OLDER.encode() + b'", "removed": 7, "at": "", "counts": {}, '
OLD_LINE += b'"report": "", "seconds": 1, "backup": null, "jobs": []}'
"""The name of an earlier deletion, and what the record says of it."""
A_JOB_IS_SAVED = "a job is saved"


async def no_wait(seconds: float) -> None:
    """No test waits between two tries."""


def impatient_client(base_url: BaseUrl, key: ApiKey) -> CloudClient:
    return CloudClient(base_url, key.secret, timeouts=Timeouts(connect=5.0, request=10.0), sleep=no_wait)


class Steps(Watch):
    """Knows which step a deletion is at, and may want to stop it there.

    Attributes:
        now: the step.
        at: what happens at the beginning of a step, or when A_JOB_IS_SAVED first.
    """

    def __init__(self, at: dict[str, Callable[[], object]] | None = None) -> None:
        self.now = ""
        self.stop = False
        self.at = dict(at or {})

    def stop_requested(self) -> bool:
        return self.stop

    def progress(self, phase: str, done: int, total: int) -> None:
        looks = LAST_LOOK if self.now in (DELETION, LAST_LOOK) else FIRST_LOOK
        step = {"checking": looks, "backing_up": BACKUP, "sending": DELETION}.get(phase, self.now)
        if step == self.now == BACKUP and done:
            self._happens(A_JOB_IS_SAVED)
        elif step != self.now:
            self.now = step
            self._happens(step)

    def _happens(self, what: str) -> None:
        self.at.pop(what, lambda: None)()


@dataclass
class Stage:
    """One deletion of `ids`, and everything around it.

    Attributes:
        error, result: how it ended.
        unsaved: jobs that a deletion request named while no whole backup had them.
        untouched: jobs that the next deletion is tried with.
    """

    cloud: SimulatedCloud
    environ: dict[str, str]
    folder: Path
    ids: list[str]
    untouched: list[str]
    steps: Steps = field(default_factory=Steps)
    error: CloudError | None = None
    result: DeletionResult | None = None
    unsaved: set[str] = field(default_factory=set)
    _theirs: set[Path] = field(default_factory=set)
    _before: bytes | None = None
    _workflows: dict[str, Any] = field(default_factory=dict)
    _read: dict[tuple[object, ...], list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        SettingsFile(self.folder).change(backup="workflows")
        self.cloud.faults.append(Fault(POST, "empty", times=None, predicate=self._arrives))

    def _arrives(self, body: Any) -> bool:
        """Looks into the backups at the moment when a deletion request arrives."""
        self.unsaved |= set(body["delete"]) - self.saved()
        return False

    def operations(self) -> Operations:
        """Those of a process that has just started."""
        return Operations(self.folder, self.environ, open_client=impatient_client, sleep=no_wait)

    async def delete(self, confirmed: DeletionRequest | None = None, *, backup: bool | None = None) -> None:
        """Delete the jobs, as somebody has confirmed it. How it ended is kept."""
        if self._before is None:
            self.remember()
        try:
            operations = self.operations()
            asked = confirmed or await make_request(operations, self.ids, "panel", backup=backup)
            result = await operations.carry_out(asked, self.steps)
            assert isinstance(result, DeletionResult)
            self.result = result
        except CloudError as error:
            self.error = error

    def remember(self) -> None:
        """What there is before the deletion."""
        self._theirs, self._before = set(self.zips()), self._lines()

    def _lines(self) -> bytes:
        path = self.folder / "deletions.jsonl"
        return path.read_bytes() if path.is_file() else b""

    def fails(self, step: str, match: tuple[str, Any], kind: Any, *, about: str = "", **more: Any) -> Fault:
        """Have these requests fail at this step and at no other. Gives the fault, which says how often it happened.

        Args:
            about: a job that the request has to name.
        """

        def applies(body: Any) -> bool:
            return self.steps.now == step and (not about or about in body["delete"])

        fault = Fault(match, kind, times=None, predicate=applies, **more)
        self.cloud.faults.append(fault)
        return fault

    # What is so

    @property
    def gone(self) -> set[str]:
        """The jobs that deletion requests removed from the history."""
        return {job.id for job in self.cloud.deleted} & self.sent

    @property
    def sent(self) -> set[str]:
        """The jobs that deletion requests named."""
        return {job_id for body in self.cloud.history_posts for job_id in body["delete"]}

    def zips(self) -> list[Path]:
        return sorted((self.folder / "backups").glob("[0-9a-f]*.zip"))

    def saved(self) -> set[str]:
        """The jobs whose workflows are in a whole backup, read without the code that is tested."""
        return {job_id for path in self.zips() if path.is_file() for job_id in self._in_zip(path)}

    def _in_zip(self, path: Path) -> list[str]:
        is_now = path.stat()
        key = (path, is_now.st_ino, is_now.st_size, is_now.st_mtime_ns)
        if key not in self._read:
            self._read[key] = self._read_zip(path)
        return self._read[key]

    def _read_zip(self, path: Path) -> list[str]:
        try:
            with zipfile.ZipFile(path) as archive:
                index = [row["id"] for row in json.loads(archive.read("index.json"))["jobs"]]
                kept = [json.loads(archive.read(f"jobs/{job_id}.json")) for job_id in index]
        except (zipfile.BadZipFile, KeyError, ValueError):
            return []
        truth = [self._workflow(job_id) for job_id in index]
        return [now["id"] for now, then in zip(kept, truth, strict=True) if now["workflow"] == then]

    def _workflow(self, job_id: str) -> Any:
        if job_id not in self._workflows:
            workflow = json.loads(json.dumps(self.cloud.jobs[job_id].detail()["workflow"]))
            del workflow["extra_data"]["api_key_comfy_org"]  # kept nowhere
            self._workflows[job_id] = workflow
        return self._workflows[job_id]

    def outcomes(self) -> dict[str, str]:
        """What the deletion said of each job."""
        assert self.result is not None, self.error
        return {job_id: each.outcome.value for job_id, each in self.result.jobs.items()}

    def recorded(self) -> LoggedDeletion:
        """The newest deletion of the record."""
        return AuditLog(self.folder).entries()[0]

    # What must be true

    def nothing_was_sent(self) -> None:
        assert self.sent == self.gone == set()
        assert self.zips() == []

    def check(self, *, record: str = "done", resolved: bool = True) -> None:
        """Nothing is lost, and what is written of it is true.

        Args:
            record: what it says: "done", "unknown", or "" where nothing could be written.
            resolved: whether nobody has to be told, at the next start, that the outcome is not known.
        """
        assert self.unsaved == set()
        assert self.gone <= self.saved()
        assert self.sent <= set(self.ids)
        assert self.cloud.forbidden_calls == 0
        if self.result is not None:
            self._is_true(self.outcomes())
            saved = self.result.backed_up
            new = set(self.zips()) - self._theirs
            assert (len(self.saved()), len(new)) == (saved, 1 if saved else 0)
        if record:
            self._record_says(record)
        else:
            assert self._lines() == (self._before or b"")
        assert (self.operations().queue.unresolved() == []) is resolved

    def _is_true(self, outcomes: dict[str, str]) -> None:
        stayed = {"failed", "not_attempted", "protected", "active"}
        assert list(outcomes) == self.ids
        for job_id, outcome in outcomes.items():
            job = self.cloud.jobs[job_id]
            if outcome in ("deleted", "already_gone"):
                assert job.deleted, outcome
            elif outcome in stayed:
                assert not job.deleted, outcome
        assert {job_id for job_id, each in outcomes.items() if each == "deleted"} <= self.sent

    def _record_says(self, state: str) -> None:
        recorded = self.recorded()
        assert (recorded.state, recorded.entry.origin, recorded.entry.asked) == (
            state,
            "panel",
            len(self.ids),
        )
        jobs = {job.id: job.outcome for job in AuditLog(self.folder).jobs(recorded.entry.operation)}
        if self.result is not None and state == "done":
            assert jobs == self.outcomes()
        else:
            # Where nothing was sent that is known; where it broke off, nobody knows.
            assert jobs == dict.fromkeys(self.ids, "not_attempted" if recorded.outcome else "unknown")
        if self.error is not None and recorded.outcome:
            assert (recorded.outcome.removed, self.sent) == (0, set())
            assert recorded.outcome.report.startswith("Nothing was sent.")

    async def refuses(self, error: type[CloudError]) -> None:
        """A deletion on the same folder, while the damage is still there."""
        posts = len(self.cloud.history_posts)
        with pytest.raises(error) as refused:
            await delete_jobs(self.operations(), self.untouched, "node 4", Steps())
        assert refused.value.hint
        assert len(self.cloud.history_posts) == posts

    async def next_works(self) -> None:
        """The next start sends nothing by itself, and deletes when it is asked to."""
        self.steps = Steps()  # what fails at a step fails no more
        posts, operations = list(self.cloud.history_posts), self.operations()
        assert operations.queue.running() is None
        assert Holds(operations).open == []
        await operations.count(await operations.find_connection())
        assert self.cloud.history_posts == posts
        result = await delete_jobs(operations, self.untouched, "node 4", Steps())
        assert result.ids(Outcome.DELETED) == self.untouched
        assert set(self.untouched) <= self.saved()
        assert self.cloud.history_posts == [*posts, {"delete": self.untouched}]
        recorded = self.recorded()
        assert (recorded.state, recorded.entry.node) == ("done", "4")
        self._is_tidy()

    def _is_tidy(self) -> None:
        backups, running = (self.folder / each for each in ("backups", "running"))
        assert {path.name for path in backups.iterdir()} == {".gate", *(path.name for path in self.zips())}
        assert [path for path in running.iterdir() if path.name.startswith(".")] == []


def stage_of(
    cloud: SimulatedCloud, environ: dict[str, str], folder: Path, count: int = 8, steps: Steps | None = None
) -> Stage:
    """A stage with so many jobs to delete: failed and cancelled ones among them."""
    finished: Sequence[str] = [job.id for job in cloud.finished]
    return Stage(cloud, environ, folder, list(finished[:count]), list(finished[-3:]), steps or Steps())
