"""The audit log as a CSV file, for spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from ..jobs.job import Job
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
    "name": lambda entry, job: job.job.name if job.job else "",
    "status": lambda entry, job: job.job.status.value if job.job else "",
    "created": lambda entry, job: _created(job.job),
    "run time (seconds)": lambda entry, job: _run_seconds(job.job),
    "workflow": lambda entry, job: job.job.workflow_id if job.job else "",
    "error": lambda entry, job: _error(job.job),
}
"""The columns, in the order of the versions that added them. A cell is empty if its text is unknown."""

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
    for lines in log.newest_first():
        deletion = lines.deletion
        report = deletion.outcome.report if deletion.outcome else ""
        for job in read_jobs(lines) or [LoggedJob("", deletion.state, report)]:
            yield _line(cell(deletion.entry, job) for cell in COLUMNS.values())


def _origin(entry: AuditEntry) -> str:
    title = f" ({entry.title})" if entry.title else ""
    return f"{entry.origin} {entry.node}{title}".strip() if entry.node else f"{entry.origin}{title}"


def _created(job: Job | None) -> str:
    return job.created_at.isoformat(timespec="seconds") if job and job.created_at else ""


def _run_seconds(job: Job | None) -> str:
    return f"{job.took.total_seconds():.3f}" if job and job.took is not None else ""


def _error(job: Job | None) -> str:
    error = job.error if job else None
    return ": ".join(each for each in (error.node_type, error.message) if each) if error else ""


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL).writerow([_cell(each) for each in cells])
    return text.getvalue()


def _cell(text: str) -> str:
    """Return the text, changed so that no spreadsheet treats a part of it as a formula."""
    # Scrub the text first: the key could not be recognised after quotes are doubled and apostrophes inserted.
    # CONTROL matches lone surrogates, which cannot be encoded, and NUL, which the csv module of Python 3.10 refuses.
    return _FORMULA.sub(r"\1'\2", CONTROL.sub(" ", scrub(text)))
