"""The audit log: the intent and the outcome of each deletion.

Each deletion has two lines: its intent, written before anything is sent, and its outcome. An intent without an outcome
belongs to a deletion that is running or was interrupted. After each of them come lines with what is known of the jobs:
see `audit_jobs`. The jobs are the last member of a line, so that the other members can be parsed without them. No line
contains an API key or a part of a workflow. A deletion whose intent cannot be logged does not begin.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import StateUnreadable, StateUnwritable
from ..forks import ForkSafeLock
from ..jobs.ids import HEX_ID_PATTERN, check_hex_id, is_hex_id
from ..jobs.job import Job, utc_now
from ..secret import scrub
from .append_log import AppendLog
from .audit_jobs import MAX_BYTES_PER_DELETION, job_lines, read_job_line
from .folder import state_folder_at
from .locks import acquire_with_timeout

MAX_TEXT_CHARACTERS = 1000
MAX_HEAD_BYTES = 128 * 1024
"""Maximum size of a line without its job ids. A longer line was not written by this pack."""
UNKNOWN = "unknown"
"""The outcome of a job if none was logged."""

_LONG_PARTS = (b', "job_ids": [', b', "jobs": [')
REMOVED = re.compile(
    rf'\{{"line": "outcome", "operation": "{HEX_ID_PATTERN}", "removed": (\d{{1,15}}),'.encode("ascii")
)
"""Matches the number of removed jobs in an outcome line. JSON escapes quotes, so no string can match."""

Line = dict[str, Any]


@dataclass(frozen=True)
class AuditEntry:
    """The intent of a deletion.

    Attributes:
        kind: `delete` or `clear`.
        origin: `panel`, `menu`, `clean_up` or `node`.
        node, title: the node's id and title, if the origin is `node`.
        asked: number of jobs; None for a clear whose number is unknown.
        job_ids: the ids of the jobs; empty if they are unknown.
        at: ISO time; "" means now.
        what: a short text about the policy or the filter, or "".
    """

    operation: str
    kind: str
    origin: str
    node: str = ""
    title: str = ""
    at: str = ""
    asked: int | None = None
    job_ids: tuple[str, ...] = ()
    host: str = ""
    last4: str = ""
    version: str = ""
    what: str = ""


@dataclass(frozen=True)
class AuditOutcome:
    """The outcome of a deletion.

    Attributes:
        counts: number of jobs by outcome.
        jobs: outcome and reason by job id, if the jobs were deleted by id.
        removed: number of jobs that are certainly deleted; None if unknown.
        report: the first line of the report.
        run_seconds: how long the removed jobs ran in all, as far as it is known; None if it is not known of any.
        failed_run_seconds: the part of `run_seconds` that belongs to failed jobs.
        timed_jobs: the number of removed jobs whose run time is known.
        backup: the file name of its backup, or None.
        at: ISO time; "" means now.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    jobs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    removed: int | None = None
    report: str = ""
    seconds: float | None = None
    backup: str | None = None
    at: str = ""
    run_seconds: float | None = None
    failed_run_seconds: float | None = None
    timed_jobs: int | None = None


@dataclass(frozen=True)
class LoggedJob:
    """A job of a deletion, with its outcome or UNKNOWN.

    Attributes:
        job: the job as it was before the deletion; None if the log has only its id.
    """

    id: str
    outcome: str
    why: str = ""
    job: Job | None = None


@dataclass(frozen=True)
class LoggedDeletion:
    """A deletion in the log, without its jobs."""

    entry: AuditEntry
    outcome: AuditOutcome | None

    @property
    def state(self) -> str:
        """`done`, or `unknown` if the deletion has no logged outcome, because it is running or was interrupted."""
        return "done" if self.outcome else UNKNOWN


class LoggedLines(NamedTuple):
    """A deletion in the log, with its lines.

    Attributes:
        intent, outcome: the lines; None if there is no such line.
        jobs: the lines with what is known of the jobs.
    """

    deletion: LoggedDeletion
    intent: bytes | None
    outcome: bytes | None
    jobs: list[bytes]


def intent_line(entry: AuditEntry) -> bytes:
    """Return the log line of an intent."""
    return _line(
        line="intent",
        operation=entry.operation,
        kind=entry.kind,
        origin={"kind": entry.origin, "node": _short(entry.node), "title": _short(entry.title)},
        at=entry.at,
        asked=entry.asked,
        host=_short(entry.host),
        last4=entry.last4[:4],
        version=_short(entry.version),
        what=_short(entry.what),
        job_ids=list(entry.job_ids),
    )


def outcome_line(operation: str, outcome: AuditOutcome) -> bytes:
    """Return the log line of an outcome, with the job ids grouped by outcome and reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    for job_id, (word, why) in outcome.jobs.items():
        groups.setdefault((word, _short(why)), []).append(job_id)
    return _line(
        line="outcome",
        operation=operation,
        removed=outcome.removed,
        at=outcome.at,
        counts=dict(outcome.counts),
        report=_short(outcome.report),
        seconds=outcome.seconds,
        run_seconds=outcome.run_seconds,
        failed_run_seconds=outcome.failed_run_seconds,
        timed_jobs=outcome.timed_jobs,
        backup=outcome.backup,
        jobs=[{"outcome": word, "why": why, "ids": ids} for (word, why), ids in groups.items()],
    )


def read_head(line: bytes) -> Line | None:
    """Parse a line without its job ids. Return None if the line is incomplete or not from this pack."""
    found = (line.find(mark, 0, MAX_HEAD_BYTES) for mark in _LONG_PARTS)
    end = min((each for each in found if each >= 0), default=-1)
    if end < 0 or not line.endswith(b"]}"):
        return None
    return _parsed(line[:end] + b"}")


def read_entry(head: Line) -> AuditEntry | None:
    """Return the entry of a parsed intent line, without its job ids, or None if the line is damaged."""
    origin = head.get("origin")
    if not isinstance(origin, dict):
        return None
    texts = {name: head.get(name) for name in ("kind", "at", "host", "last4", "version", "what")}
    texts |= {"origin": origin.get("kind"), "node": origin.get("node"), "title": origin.get("title")}
    asked = head.get("asked")
    if not all(isinstance(each, str) for each in texts.values()) or not _is_count(asked):
        return None
    return AuditEntry(operation=head["operation"], asked=asked, **texts)  # type: ignore[arg-type]


def read_outcome(head: Line) -> AuditOutcome | None:
    """Return the outcome of a parsed outcome line, without its jobs, or None if the line is damaged."""
    counts, removed, seconds, backup = (head.get(name) for name in ("counts", "removed", "seconds", "backup"))
    at, report = head.get("at"), head.get("report")
    # Version 1.2.0 did not write these.
    run, failed, timed = (head.get(name) for name in ("run_seconds", "failed_run_seconds", "timed_jobs"))
    if not (
        isinstance(counts, dict)
        and all(type(each) is int for each in counts.values())
        and _is_count(removed)
        and _is_count(timed)
        and all(each is None or type(each) in (int, float) for each in (seconds, run, failed))
        and (backup is None or isinstance(backup, str))
        and isinstance(at, str)
        and isinstance(report, str)
    ):
        return None
    return AuditOutcome(counts, {}, removed, report, seconds, backup, at, run, failed, timed)


def read_jobs(lines: LoggedLines) -> list[LoggedJob]:
    """Return the jobs in the lines of a deletion, in the order of the intent."""
    jobs = {job.id: job for line in lines.jobs for job in read_job_line(line)}
    groups = (_parsed(lines.outcome) if lines.outcome else None) or {}
    known = {
        job_id: LoggedJob(job_id, str(each.get("outcome")), str(each.get("why") or ""), jobs.get(job_id))
        for each in _list(groups.get("jobs"))
        if isinstance(each, dict)
        for job_id in _list(each.get("ids"))
        if isinstance(job_id, str)
    }
    asked = _list(((_parsed(lines.intent) if lines.intent else None) or {}).get("job_ids"))
    order = dict.fromkeys([each for each in asked if isinstance(each, str)] + list(known))
    return [known.get(job_id) or LoggedJob(job_id, UNKNOWN, job=jobs.get(job_id)) for job_id in order]


def _line(**members: object) -> bytes:
    return json.dumps(members).encode("ascii")


def _parsed(line: bytes) -> Line | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    operation = value.get("operation") if isinstance(value, dict) else None
    return value if isinstance(operation, str) and is_hex_id(operation) else None


def _short(text: str) -> str:
    return scrub(text)[:MAX_TEXT_CHARACTERS]


def _is_count(value: object) -> bool:
    return value is None or (type(value) is int and value >= 0)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


MAX_FILE_BYTES = 8 * 1024 * 1024
OLDER_FILES = 20


class AuditLog:
    """The audit log of a state folder. Its methods access files: call them in a thread."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], datetime] = utc_now,
        *,
        largest: int = MAX_FILE_BYTES,
        older: int = OLDER_FILES,
    ) -> None:
        self._state = state_folder_at(folder)
        self._log = AppendLog(folder / "deletions.jsonl", largest=largest, older=older)
        self._clock = clock
        # Lines of outcomes that could not be written. Readers get them here, and the next append writes them first.
        self._unwritten: dict[str, list[bytes]] = {}
        self._lock = ForkSafeLock()

    def intent(self, entry: AuditEntry, jobs: Iterable[Job] = ()) -> None:
        """Log the intent of a deletion, and what is known of its jobs.

        Raises:
            StateUnwritable: a line cannot be written. The deletion must not begin then.
        """
        check_hex_id(entry.operation)
        self._append(_with_jobs(intent_line(replace(entry, at=entry.at or self._time())), entry.operation, jobs))

    def outcome(self, operation: str, outcome: AuditOutcome, jobs: Iterable[Job] = ()) -> None:
        """Log the outcome of a deletion. `jobs` are jobs that the intent, logged before sending, did not describe.

        Raises:
            StateUnwritable: the line cannot be written now. It is kept in memory and written before the next line;
                if ComfyUI stops first, the outcome stays `unknown`.
        """
        check_hex_id(operation)
        line = outcome_line(operation, replace(outcome, at=outcome.at or self._time()))
        lines = _with_jobs(line, operation, jobs)
        self._unwritten.pop(operation, None)
        try:
            self._append(lines)
        except StateUnwritable:
            self._unwritten[operation] = lines
            raise

    def entries(self, most: int = 200) -> list[LoggedDeletion]:
        """Return the `most` newest deletions, the newest first, without their jobs.

        Raises:
            StateFolderLost: the state folder is missing.
            StateUnreadable: the log cannot be read.
        """
        found: list[LoggedDeletion] = []
        with closing(self.newest_first()) as deletions:
            for lines in deletions:
                if len(found) == most:
                    break
                found.append(lines.deletion)
        return found

    def jobs(self, operation: str) -> list[LoggedJob]:
        """Return the jobs of a deletion with their outcomes, or an empty list if no ids were logged.

        Raises:
            StateFolderLost: the state folder is missing.
            StateUnreadable: the log cannot be read.
        """
        check_hex_id(operation)
        with closing(self.newest_first()) as deletions:
            for lines in deletions:
                if lines.deletion.entry.operation == operation:
                    return read_jobs(lines)
        return []

    def removed_in_all(self) -> int:
        """Return how many jobs all deletions have removed. Raise StateFolderLost or StateUnreadable as `jobs` does."""
        self._state.check()
        try:
            return sum(int(each.group(1)) for content in self._log.contents() for each in REMOVED.finditer(content))
        except OSError as exc:
            raise _unreadable(exc) from exc

    def _lines(self) -> Generator[bytes, None, None]:
        try:
            yield from self._log.newest_first()
        except OSError as exc:
            raise _unreadable(exc) from exc

    def _append(self, lines: list[bytes]) -> None:
        try:
            with acquire_with_timeout(self._lock, "deletions.jsonl"):
                self._state.ensure()
                for operation, earlier in list(self._unwritten.items()):
                    self._log.append(earlier)
                    del self._unwritten[operation]
                self._log.append(lines)
        except OSError as exc:
            raise StateUnwritable("audit_log_unwritable", because=exc) from exc

    def newest_first(self) -> Generator[LoggedLines, None, None]:
        """Yield all deletions, the newest intent first. Outcomes whose intents are damaged come last.

        Raises:
            StateFolderLost: the state folder is missing.
            StateUnreadable: the log cannot be read.
        """
        self._state.check()
        outcomes: dict[str, tuple[AuditOutcome, bytes]] = {}
        jobs: dict[str, list[bytes]] = {}
        unwritten = [line for lines in self._unwritten.values() for line in lines]
        with closing(self._lines()) as lines:
            for line in chain(reversed(unwritten), lines):
                head = read_head(line)
                if head is None:
                    continue
                operation = head["operation"]
                if head.get("line") == "jobs":
                    jobs.setdefault(operation, []).append(line)
                elif head.get("line") == "outcome":
                    if (outcome := read_outcome(head)) is not None:
                        outcomes.setdefault(operation, (outcome, line))
                elif (entry := read_entry(head)) is not None:
                    logged, logged_line = outcomes.pop(operation, (None, None))
                    yield LoggedLines(LoggedDeletion(entry, logged), line, logged_line, jobs.pop(operation, []))
        for operation, (outcome, line) in outcomes.items():
            lost = AuditEntry(operation, "delete", UNKNOWN, at=outcome.at)
            yield LoggedLines(LoggedDeletion(lost, outcome), None, line, jobs.pop(operation, []))

    def _time(self) -> str:
        return self._clock().isoformat(timespec="seconds")


def _with_jobs(line: bytes, operation: str, jobs: Iterable[Job]) -> list[bytes]:
    """Return the line, followed by the lines of these jobs. Together they are smaller than a file of the log may be."""
    return [line, *job_lines(operation, jobs, MAX_BYTES_PER_DELETION - len(line))]


def _unreadable(exc: OSError) -> StateUnreadable:
    return StateUnreadable("audit_log_unreadable", because=exc)
