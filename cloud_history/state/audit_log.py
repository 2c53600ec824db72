"""The list of past deletions: what was to be done, written before, and what became of it, written after.

A deletion has two lines. The long part of a line, its job ids, is its last member: the rest can be read without it.
So a crash in between shows. Never a key or what is in a workflow. A deletion that cannot be recorded is not begun.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path
from typing import Any

from ..errors import StateUnreadable, StateUnwritable
from ..forks import ForkSafeLock
from ..secret import CONTROL, scrub
from .append_log import AppendLog
from .folder import state_folder_at
from .locks import acquire_with_timeout

MAX_TEXT_CHARACTERS = 1000
MAX_HEAD_BYTES = 128 * 1024
"""Bytes of a line before its job ids; one that has more was not written here."""
UNKNOWN = "unknown"
"""What became of a job, where nobody wrote it down."""

_NAME = re.compile(r"[0-9a-f]{32}")
_LONG_PARTS = (b', "job_ids": [', b', "jobs": [')
REMOVED = re.compile(rb'\{"line": "outcome", "operation": "[0-9a-f]{32}", "removed": (\d{1,15}),')
"""Finds how many each outcome says are gone. Nothing inside a JSON text looks like it: there, quotes are escaped."""

Line = dict[str, Any]


@dataclass(frozen=True)
class AuditEntry:
    """A deletion that is about to be done.

    Attributes:
        kind: `delete` or `clear`.
        origin: `panel`, `menu`, `clean_up` or `node`; then `node` is its id and `title` its name.
        asked: how many jobs, or None for a clear whose number nobody knew.
        job_ids: which, where they are known.
        at: ISO time; "" for now.
        what: the policy or the filter, in short, or "".
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
    """What became of it.

    Attributes:
        counts: how many jobs of each outcome.
        jobs: the outcome of each and why, where they were deleted by their ids.
        removed: how many are certainly gone, or None where nobody could count.
        report: the first line of the report.
        backup: the name of its backup's file, or None.
        at: ISO time; "" for now.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    jobs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    removed: int | None = None
    report: str = ""
    seconds: float | None = None
    backup: str | None = None
    at: str = ""


@dataclass(frozen=True)
class LoggedJob:
    """A job of a deletion; its outcome is `unknown` where none was written down."""

    id: str
    outcome: str
    why: str = ""


@dataclass(frozen=True)
class LoggedDeletion:
    """What the record says of a deletion, without its jobs."""

    entry: AuditEntry
    outcome: AuditOutcome | None

    @property
    def state(self) -> str:
        """`done`, or `unknown` where no outcome was written: it is running, or was cut short."""
        return "done" if self.outcome else UNKNOWN


def check_name(operation: str) -> None:
    """Raises ValueError for what is not the name of an operation."""
    if not _NAME.fullmatch(operation):
        raise ValueError("not the name of an operation")


def intent_line(entry: AuditEntry) -> bytes:
    """The line of an entry."""
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
    """The line of an outcome. Jobs that fared alike are written together."""
    alike: dict[tuple[str, str], list[str]] = {}
    for job_id, (word, why) in outcome.jobs.items():
        alike.setdefault((word, _short(why)), []).append(job_id)
    return _line(
        line="outcome",
        operation=operation,
        removed=outcome.removed,
        at=outcome.at,
        counts=dict(outcome.counts),
        report=_short(outcome.report),
        seconds=outcome.seconds,
        backup=outcome.backup,
        jobs=[{"outcome": word, "why": why, "ids": ids} for (word, why), ids in alike.items()],
    )


def read_head(line: bytes) -> Line | None:
    """A line without its job ids, or None where it is not one of ours, or only a part of one."""
    found = (line.find(mark, 0, MAX_HEAD_BYTES) for mark in _LONG_PARTS)
    end = min((each for each in found if each >= 0), default=-1)
    if end < 0 or not line.endswith(b"]}"):
        return None
    return _parsed(line[:end] + b"}")


def read_entry(head: Line) -> AuditEntry | None:
    """The entry in the head of an intent's line, without its job ids; None where it is damaged."""
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
    """The outcome in the head of its line, without its jobs; None where it is damaged."""
    counts, removed, seconds, backup = (head.get(name) for name in ("counts", "removed", "seconds", "backup"))
    at, report = head.get("at"), head.get("report")
    if not (
        isinstance(counts, dict)
        and all(type(each) is int for each in counts.values())
        and _is_count(removed)
        and (seconds is None or type(seconds) in (int, float))
        and (backup is None or isinstance(backup, str))
        and isinstance(at, str)
        and isinstance(report, str)
    ):
        return None
    return AuditOutcome(counts, {}, removed, report, seconds, backup, at)


def read_jobs(intent: bytes | None, outcome: bytes | None) -> list[LoggedJob]:
    """The jobs of a deletion, in the order asked for, from its two lines."""
    groups = (_parsed(outcome) if outcome else None) or {}
    known = {
        job_id: LoggedJob(job_id, str(each.get("outcome")), str(each.get("why") or ""))
        for each in _list(groups.get("jobs"))
        if isinstance(each, dict)
        for job_id in _list(each.get("ids"))
        if isinstance(job_id, str)
    }
    asked = _list(((_parsed(intent) if intent else None) or {}).get("job_ids"))
    order = dict.fromkeys([each for each in asked if isinstance(each, str)] + list(known))
    return [known.get(job_id) or LoggedJob(job_id, UNKNOWN) for job_id in order]


def _line(**members: object) -> bytes:
    return json.dumps(members).encode("ascii")


def _parsed(line: bytes) -> Line | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    operation = value.get("operation") if isinstance(value, dict) else None
    return value if isinstance(operation, str) and _NAME.fullmatch(operation) else None


def _short(text: str) -> str:
    return scrub(text)[:MAX_TEXT_CHARACTERS]


def _is_count(value: object) -> bool:
    return value is None or (type(value) is int and value >= 0)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


MAX_FILE_BYTES = 8 * 1024 * 1024
OLDER_FILES = 20
CSV_COLUMNS = ("at", "origin", "operation", "job id", "outcome", "why", "host", "key ending")

_FORMULA = re.compile("""((?:^|[;,|:])[\\s"']*)([=+@\uff0b\uff0d\uff1d\uff20-])""")
"""What a spreadsheet runs: at the start of a cell, and after what separates cells elsewhere than here."""

Found = tuple[LoggedDeletion, bytes | None, bytes | None]
"""A deletion, and the lines of its intent and its outcome."""


def _now() -> datetime:
    return datetime.now(timezone.utc)


class AuditLog:
    """The record of a state folder. Blocking (files): call it off the event loop."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], datetime] = _now,
        *,
        largest: int = MAX_FILE_BYTES,
        older: int = OLDER_FILES,
    ) -> None:
        self._state = state_folder_at(folder)
        self._log = AppendLog(folder / "deletions.jsonl", largest=largest, older=older)
        self._clock = clock
        # Outcomes that the disk refused: written before anything else is, and told meanwhile.
        self._unwritten: dict[str, bytes] = {}
        self._lock = ForkSafeLock()

    def intent(self, entry: AuditEntry) -> None:
        """Write down what is about to be done.

        Raises:
            StateUnwritable: it cannot be written, so it may not be done.
        """
        check_name(entry.operation)
        self._append(intent_line(replace(entry, at=entry.at or self._time())))

    def outcome(self, operation: str, outcome: AuditOutcome) -> None:
        """Write down what became of it.

        Raises:
            StateUnwritable: it cannot be written yet. It is written before the next line; if ComfyUI stops before that,
                the record says `unknown` of it.
        """
        check_name(operation)
        line = outcome_line(operation, replace(outcome, at=outcome.at or self._time()))
        self._unwritten.pop(operation, None)
        try:
            self._append(line)
        except StateUnwritable:
            self._unwritten[operation] = line
            raise

    def entries(self, most: int = 200) -> list[LoggedDeletion]:
        """The newest deletions, the newest first, without their jobs.

        Raises:
            StateFolderLost, StateUnreadable: nobody knows them.
        """
        found: list[LoggedDeletion] = []
        with closing(self._newest_first()) as deletions:
            for deletion, _, _ in deletions:
                if len(found) == most:
                    break
                found.append(deletion)
        return found

    def jobs(self, operation: str) -> list[LoggedJob]:
        """The jobs of a deletion with what became of them; none where they are not known by id.

        Raises:
            StateFolderLost, StateUnreadable.
        """
        check_name(operation)
        with closing(self._newest_first()) as deletions:
            for deletion, intent, outcome in deletions:
                if deletion.entry.operation == operation:
                    return read_jobs(intent, outcome)
        return []

    def removed_in_all(self) -> int:
        """How many jobs the record says are certainly gone. Raises StateFolderLost, StateUnreadable."""
        self._state.check()
        try:
            return sum(
                int(each.group(1)) for content in self._log.contents() for each in REMOVED.finditer(content)
            )
        except OSError as exc:
            raise _unreadable(exc) from exc

    def csv(self) -> Iterator[str]:
        """The record as the lines of a CSV file (RFC 4180), a job a line, the newest deletion first.

        A deletion whose jobs are not known by id has one line, with no id.
        """
        yield _csv_line(CSV_COLUMNS)
        for deletion, intent, outcome in self._newest_first():
            entry = deletion.entry
            report = deletion.outcome.report if deletion.outcome else ""
            jobs = read_jobs(intent, outcome) or [LoggedJob("", deletion.state, report)]
            origin = _origin(entry)
            for job in jobs:
                yield _csv_line(
                    (
                        *(entry.at, origin, entry.operation, job.id, job.outcome, job.why),
                        *(entry.host, entry.last4),
                    )
                )

    def _lines(self) -> Generator[bytes, None, None]:
        try:
            yield from self._log.newest_first()
        except OSError as exc:
            raise _unreadable(exc) from exc

    def _append(self, line: bytes) -> None:
        try:
            with acquire_with_timeout(self._lock, "deletions.jsonl"):
                self._state.ensure()
                for operation, earlier in list(self._unwritten.items()):
                    self._log.append(earlier)
                    del self._unwritten[operation]
                self._log.append(line)
        except OSError as exc:
            raise StateUnwritable("audit_log_unwritable", because=exc) from exc

    def _newest_first(self) -> Generator[Found, None, None]:
        """All deletions by the time of their intent; at last the outcomes whose intents are damaged.

        Raises:
            StateFolderLost, StateUnreadable: that there are none in it means nothing.
        """
        self._state.check()
        outcomes: dict[str, tuple[AuditOutcome, bytes]] = {}
        with closing(self._lines()) as lines:
            for line in chain(reversed(list(self._unwritten.values())), lines):
                head = read_head(line)
                if head is None:
                    continue
                operation = head["operation"]
                if head.get("line") == "outcome":
                    outcome = read_outcome(head)
                    if outcome is not None:
                        outcomes.setdefault(operation, (outcome, line))
                elif (entry := read_entry(head)) is not None:
                    known, told = outcomes.pop(operation, (None, None))
                    yield LoggedDeletion(entry, known), line, told
        for operation, (outcome, line) in outcomes.items():
            lost = AuditEntry(operation, "delete", UNKNOWN, at=outcome.at)
            yield LoggedDeletion(lost, outcome), None, line

    def _time(self) -> str:
        return self._clock().isoformat(timespec="seconds")


def _unreadable(exc: OSError) -> StateUnreadable:
    return StateUnreadable("audit_log_unreadable", because=exc)


def _origin(entry: AuditEntry) -> str:
    title = f" ({entry.title})" if entry.title else ""
    return f"{entry.origin} {entry.node}{title}".strip() if entry.node else f"{entry.origin}{title}"


def _csv_line(cells: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerow([_cell(each) for each in cells])
    return text.getvalue()


def _cell(text: str) -> str:
    """A text that a spreadsheet takes for a text, whichever character it takes for the end of a cell."""
    # Scrubbed first: quotes are doubled next, and marks put in, and a key with such is not known again.
    # Half a character can be in a text from JSON, and in no file. The csv module of Python 3.10 writes no NUL.
    return _FORMULA.sub(r"\1'\2", CONTROL.sub(" ", scrub(text)))
