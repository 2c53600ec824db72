"""The audit log as a CSV file, for spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from ..secret import CONTROL, scrub
from .audit_log import AuditEntry, AuditLog, LoggedJob, read_jobs

COLUMNS: Mapping[str, Callable[[AuditEntry, LoggedJob], str]] = {
    "at": lambda entry, job: entry.at,
    "origin": lambda entry, job: _origin(entry),
    "operation": lambda entry, job: entry.operation,
    "job id": lambda entry, job: job.id,
    "outcome": lambda entry, job: job.outcome,
    "why": lambda entry, job: job.why,
    "host": lambda entry, job: entry.host,
    "key ending": lambda entry, job: entry.last4,
}

_FORMULA = re.compile("""((?:^|[;,|:])[\\s"']*)([=+@\uff0b\uff0d\uff1d\uff20-])""")
"""The start of a spreadsheet formula: at the start of a cell, or after a separator that other locales use."""


def csv_lines(log: AuditLog) -> Iterator[str]:
    """Yield the log as lines of a CSV file (RFC 4180): one job a line, the newest deletion first.

    A deletion whose jobs are not known by id has one line without a job id.

    Raises:
        StateFolderLost, StateUnreadable.
    """
    yield _line(COLUMNS)
    for deletion, intent, outcome in log.newest_first():
        report = deletion.outcome.report if deletion.outcome else ""
        for job in read_jobs(intent, outcome) or [LoggedJob("", deletion.state, report)]:
            yield _line(cell(deletion.entry, job) for cell in COLUMNS.values())


def _origin(entry: AuditEntry) -> str:
    title = f" ({entry.title})" if entry.title else ""
    return f"{entry.origin} {entry.node}{title}".strip() if entry.node else f"{entry.origin}{title}"


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerow([_cell(each) for each in cells])
    return text.getvalue()


def _cell(text: str) -> str:
    """Return the text so that no spreadsheet treats it as a formula, whichever separator it uses."""
    # Scrubbed before quotes are doubled and marks inserted: afterwards a key could not be recognised.
    # CONTROL has lone surrogates, which no file can hold, and NUL, which Python 3.10's csv module refuses.
    return _FORMULA.sub(r"\1'\2", CONTROL.sub(" ", scrub(text)))
