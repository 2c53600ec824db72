"""The lines of the record of deletions: one for what is about to be done, one for what became of it.

The long part of a line, its job ids, is its last member: the rest can be read without it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..jobs.models import ClearOutcome, ClearResult, DeletionResult, JobOutcome, Outcome
from ..secret import scrub

LONGEST_TEXT = 1000
LONGEST_HEAD = 128 * 1024
"""Bytes of a line before its job ids; one that has more was not written here."""
UNKNOWN = "unknown"
"""What became of a job, where nobody wrote it down."""

_NAME = re.compile(r"[0-9a-f]{32}")
_LONG_PARTS = (b', "job_ids": [', b', "jobs": [')
REMOVED = re.compile(rb'\{"line": "outcome", "operation": "[0-9a-f]{32}", "removed": (\d{1,15}),')
"""Finds how many each outcome says are gone. Nothing inside a JSON text looks like it: there, quotes are escaped."""

Line = dict[str, Any]


@dataclass(frozen=True)
class RecordEntry:
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
class RecordOutcome:
    """What became of it.

    Attributes:
        counts: how many jobs of each outcome.
        jobs: the outcome of each, where they were deleted by their ids.
        removed: how many are certainly gone, or None where nobody could count.
        report: the first line of the report.
        backup: the name of its backup's file, or None.
        at: ISO time; "" for now.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    jobs: Mapping[str, JobOutcome] = field(default_factory=dict)
    removed: int | None = None
    report: str = ""
    seconds: float | None = None
    backup: str | None = None
    at: str = ""


@dataclass(frozen=True)
class RecordedJob:
    """A job of a deletion; its outcome is `unknown` where none was written down."""

    id: str
    outcome: str
    why: str = ""


@dataclass(frozen=True)
class RecordedDeletion:
    """What the record says of a deletion, without its jobs."""

    entry: RecordEntry
    outcome: RecordOutcome | None

    @property
    def state(self) -> str:
        """`done`, or `unknown` where no outcome was written: it is running, or was cut short."""
        return "done" if self.outcome else UNKNOWN


def outcome_of(
    result: DeletionResult | ClearResult, report: str, seconds: float, backup: str | None = None
) -> RecordOutcome:
    """What is written of a result."""
    if isinstance(result, DeletionResult):
        counts = {each.value: len(result.ids(each)) for each in Outcome if result.ids(each)}
        found = RecordOutcome(counts, result.jobs, result.deleted)
    else:
        word = UNKNOWN if result.outcome is ClearOutcome.UNKNOWN else Outcome.DELETED.value
        found = RecordOutcome({word: result.removed} if result.removed else {}, removed=result.removed)
    return replace(found, report=report.partition("\n")[0], seconds=round(seconds, 3), backup=backup)


def check_name(operation: str) -> None:
    """Raises ValueError for what is not the name of an operation."""
    if not _NAME.fullmatch(operation):
        raise ValueError("not the name of an operation")


def intent_line(entry: RecordEntry) -> bytes:
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


def outcome_line(operation: str, outcome: RecordOutcome) -> bytes:
    """The line of an outcome. Jobs that fared alike are written together."""
    alike: dict[tuple[str, str], list[str]] = {}
    for job_id, each in outcome.jobs.items():
        alike.setdefault((each.outcome.value, _short(each.why)), []).append(job_id)
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
    found = (line.find(mark, 0, LONGEST_HEAD) for mark in _LONG_PARTS)
    end = min((each for each in found if each >= 0), default=-1)
    if end < 0 or not line.endswith(b"]}"):
        return None
    return _parsed(line[:end] + b"}")


def read_entry(head: Line) -> RecordEntry | None:
    """The entry in the head of an intent's line, without its job ids; None where it is damaged."""
    origin = head.get("origin")
    if not isinstance(origin, dict):
        return None
    texts = {name: head.get(name) for name in ("kind", "at", "host", "last4", "version", "what")}
    texts |= {"origin": origin.get("kind"), "node": origin.get("node"), "title": origin.get("title")}
    asked = head.get("asked")
    if not all(isinstance(each, str) for each in texts.values()) or not _is_count(asked):
        return None
    return RecordEntry(operation=head["operation"], asked=asked, **texts)  # type: ignore[arg-type]


def read_outcome(head: Line) -> RecordOutcome | None:
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
    return RecordOutcome(counts, {}, removed, report, seconds, backup, at)


def read_jobs(intent: bytes | None, outcome: bytes | None) -> list[RecordedJob]:
    """The jobs of a deletion, in the order asked for, from its two lines."""
    groups = (_parsed(outcome) if outcome else None) or {}
    known = {
        job_id: RecordedJob(job_id, str(each.get("outcome")), str(each.get("why") or ""))
        for each in _list(groups.get("jobs"))
        if isinstance(each, dict)
        for job_id in _list(each.get("ids"))
        if isinstance(job_id, str)
    }
    asked = _list(((_parsed(intent) if intent else None) or {}).get("job_ids"))
    order = dict.fromkeys([each for each in asked if isinstance(each, str)] + list(known))
    return [known.get(job_id) or RecordedJob(job_id, UNKNOWN) for job_id in order]


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
    return scrub(text)[:LONGEST_TEXT]


def _is_count(value: object) -> bool:
    return value is None or (type(value) is int and value >= 0)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
