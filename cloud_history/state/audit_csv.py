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
"""The start of a spreadsheet formula, at the start of a cell or after a separator of any locale."""


def csv_lines(log: AuditLog) -> Iterator[str]:
    """Yield the audit log as lines of a CSV file (RFC 4180): one line for each job, the newest deletion first.

    A deletion without logged job ids has one line without a job id.

    Raises:
        StateFolderLost: the state folder is missing.
        StateUnreadable: the log cannot be read.
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
    """Return the text, changed so that no spreadsheet treats a part of it as a formula."""
    # Scrub the text first: the key could not be recognised after quotes are doubled and apostrophes inserted.
    # CONTROL matches lone surrogates, which cannot be encoded, and NUL, which the csv module of Python 3.10 refuses.
    return _FORMULA.sub(r"\1'\2", CONTROL.sub(" ", scrub(text)))
