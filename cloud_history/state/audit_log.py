"""The record of deletions: what was to be done, written before, and what became of it, written after.

So a crash in between shows. Never a key or what is in a workflow. A deletion that cannot be recorded is not begun.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from itertools import chain
from pathlib import Path

from ..errors import StateUnreadable, StateUnwritable
from ..forks import Lock
from ..secret import CONTROL, scrub
from .append_log import LineLog
from .folder import state_folder_at
from .locks import held
from .record_lines import (
    REMOVED,
    UNKNOWN,
    RecordedDeletion,
    RecordedJob,
    RecordEntry,
    RecordOutcome,
    check_name,
    intent_line,
    outcome_line,
    read_entry,
    read_head,
    read_jobs,
    read_outcome,
)

LARGEST_FILE = 8 * 1024 * 1024
OLDER_FILES = 20
CSV_COLUMNS = ("at", "origin", "operation", "job id", "outcome", "why", "host", "key ending")

_FORMULA = re.compile("""((?:^|[;,|:])[\\s"']*)([=+@\uff0b\uff0d\uff1d\uff20-])""")
"""What a spreadsheet runs: at the start of a cell, and after what separates cells elsewhere than here."""

Found = tuple[RecordedDeletion, bytes | None, bytes | None]
"""A deletion, and the lines of its intent and its outcome."""


def _now() -> datetime:
    return datetime.now(timezone.utc)


class Record:
    """The record of a state folder. Blocking (files): call it off the event loop."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], datetime] = _now,
        *,
        largest: int = LARGEST_FILE,
        older: int = OLDER_FILES,
    ) -> None:
        self._state = state_folder_at(folder)
        self._log = LineLog(folder / "deletions.jsonl", largest=largest, older=older)
        self._clock = clock
        # Outcomes that the disk refused: written before anything else is, and told meanwhile.
        self._unwritten: dict[str, bytes] = {}
        self._alone = Lock()

    def intent(self, entry: RecordEntry) -> None:
        """Write down what is about to be done.

        Raises:
            StateUnwritable: it cannot be written, so it may not be done.
        """
        check_name(entry.operation)
        self._append(intent_line(replace(entry, at=entry.at or self._time())))

    def outcome(self, operation: str, outcome: RecordOutcome) -> None:
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

    def entries(self, most: int = 200) -> list[RecordedDeletion]:
        """The newest deletions, the newest first, without their jobs.

        Raises:
            StateFolderLost, StateUnreadable: nobody knows them.
        """
        found: list[RecordedDeletion] = []
        with closing(self._newest_first()) as deletions:
            for deletion, _, _ in deletions:
                if len(found) == most:
                    break
                found.append(deletion)
        return found

    def jobs(self, operation: str) -> list[RecordedJob]:
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
            jobs = read_jobs(intent, outcome) or [RecordedJob("", deletion.state, report)]
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
            with held(self._alone, "deletions.jsonl"):
                self._state.ensure()
                for operation, earlier in list(self._unwritten.items()):
                    self._log.append(earlier)
                    del self._unwritten[operation]
                self._log.append(line)
        except OSError as exc:
            raise StateUnwritable(
                "Deletions are stopped: the record of deletions can’t be written.", because=exc
            ) from exc

    def _newest_first(self) -> Generator[Found, None, None]:
        """All deletions by the time of their intent; at last the outcomes whose intents are damaged.

        Raises:
            StateFolderLost, StateUnreadable: that there are none in it means nothing.
        """
        self._state.check()
        outcomes: dict[str, tuple[RecordOutcome, bytes]] = {}
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
                    yield RecordedDeletion(entry, known), line, told
        for operation, (outcome, line) in outcomes.items():
            lost = RecordEntry(operation, "delete", UNKNOWN, at=outcome.at)
            yield RecordedDeletion(lost, outcome), None, line

    def _time(self) -> str:
        return self._clock().isoformat(timespec="seconds")


def _unreadable(exc: OSError) -> StateUnreadable:
    return StateUnreadable(
        "A part of the record of deletions can’t be read.",
        hint="Look at its disk, or put the file elsewhere to see what is in the others.",
        because=exc,
    )


def _origin(entry: RecordEntry) -> str:
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
