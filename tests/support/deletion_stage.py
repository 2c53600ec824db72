"""A deletion with a backup and an audit log entry, faults during it, and checks of its safeguards afterwards.

The checks read the simulated cloud's jobs and the files, and do not rely on the tested code.
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
from cloud_history.state.settings import Backup, SettingsFile
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
    """Let no test wait between two tries."""


def impatient_client(base_url: BaseUrl, key: ApiKey) -> CloudClient:
    return CloudClient(base_url, key.secret, timeouts=Timeouts(connect=5.0, request=10.0), sleep=no_wait)


class Steps(Watch):
    """Tracks the step of a deletion, and can stop the deletion there.

    Attributes:
        now: the current step.
        at: called at the beginning of a step, or at the first A_JOB_IS_SAVED.
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
    """One deletion of `ids`, with its cloud, its state folder and its results.

    Attributes:
        error, result: the outcome of the deletion.
        unsaved: jobs that a deletion request contained before a complete backup had them.
        untouched: jobs that the next deletion deletes.
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
        """Compare the backups with a deletion request when it arrives."""
        self.unsaved |= set(body["delete"]) - self.saved()
        return False

    def operations(self) -> Operations:
        """Return the operations of a process that has just started."""
        return Operations(self.folder, self.environ, open_client=impatient_client, sleep=no_wait)

    async def delete(self, confirmed: DeletionRequest | None = None, *, backup: Backup | None = None) -> None:
        """Delete the jobs as after a confirmation, and store the result or the error."""
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
        """Record the state before the deletion."""
        self._theirs, self._before = set(self.zips()), self._lines()

    def _lines(self) -> bytes:
        path = self.folder / "deletions.jsonl"
        return path.read_bytes() if path.is_file() else b""

    def fails(self, step: str, match: tuple[str, Any], kind: Any, *, about: str = "", **more: Any) -> Fault:
        """Let these requests fail at this step only. Return the fault, which counts how often it applied.

        Args:
            about: a job that the request must contain.
        """

        def applies(body: Any) -> bool:
            return self.steps.now == step and (not about or about in body["delete"])

        fault = Fault(match, kind, times=None, predicate=applies, **more)
        self.cloud.faults.append(fault)
        return fault

    # Facts

    @property
    def gone(self) -> set[str]:
        """Return the jobs that deletion requests removed from the history."""
        return {job.id for job in self.cloud.deleted} & self.sent

    @property
    def sent(self) -> set[str]:
        """Return the jobs that deletion requests contained."""
        return {job_id for body in self.cloud.history_posts for job_id in body["delete"]}

    def zips(self) -> list[Path]:
        return sorted((self.folder / "backups").glob("[0-9a-f]*.zip"))

    def saved(self) -> set[str]:
        """Return the jobs whose workflows are in a complete backup, read without the tested code."""
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
            del workflow["extra_data"]["api_key_comfy_org"]  # stored nowhere
            self._workflows[job_id] = workflow
        return self._workflows[job_id]

    def outcomes(self) -> dict[str, str]:
        """Return the outcome of each job."""
        assert self.result is not None, self.error
        return {job_id: each.outcome.value for job_id, each in self.result.jobs.items()}

    def recorded(self) -> LoggedDeletion:
        """Return the newest entry of the audit log."""
        return AuditLog(self.folder).entries()[0]

    # Checks

    def nothing_was_sent(self) -> None:
        assert self.sent == self.gone == set()
        assert self.zips() == []

    def check(self, *, record: str = "done", resolved: bool = True) -> None:
        """Check that no job is lost and that the audit log is true.

        Args:
            record: the state in the audit log: "done", "unknown", or "" if no entry could be written.
            resolved: whether the next start does not report an unknown outcome.
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
            # The outcome is known if nothing was sent, and unknown after an interruption.
            assert jobs == dict.fromkeys(self.ids, "not_attempted" if recorded.outcome else "unknown")
        if self.error is not None and recorded.outcome:
            assert (recorded.outcome.removed, self.sent) == (0, set())
            assert recorded.outcome.report.startswith("Nothing was sent.")

    async def refuses(self, error: type[CloudError]) -> None:
        """Check that a deletion is refused while the state folder is still damaged."""
        posts = len(self.cloud.history_posts)
        with pytest.raises(error) as refused:
            await delete_jobs(self.operations(), self.untouched, "node 4", Steps())
        assert refused.value.hint
        assert len(self.cloud.history_posts) == posts

    async def next_works(self) -> None:
        """Check that the next start sends nothing by itself, and deletes on request."""
        self.steps = Steps()  # faults of a step no longer apply
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
    """Return a stage with jobs to delete, some of them failed or cancelled."""
    finished: Sequence[str] = [job.id for job in cloud.finished]
    return Stage(cloud, environ, folder, list(finished[:count]), list(finished[-3:]), steps or Steps())
