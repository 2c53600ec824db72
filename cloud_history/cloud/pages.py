"""A page of the job list, and parsing a page row by row."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from ..jobs.job import Job
from ..jobs.status import JobStatus
from ..json_pieces import NotJson, Pause, Reader, expect, skip
from .evidence import Defect, DefectKind

ValueT = TypeVar("ValueT")


@dataclass(frozen=True)
class RowMapper(Generic[ValueT]):
    """Converts the jobs on a page. Rows of jobs that are not wanted are skipped after reading their id.

    Attributes:
        convert: returns the value to store for a job, or None to leave the job out. It may be called in a thread.
        job_ids: the jobs that are wanted; None for all.
    """

    convert: Callable[[Job], ValueT | None]
    job_ids: Container[str] | None = None

    def wants(self, job_id: str) -> bool:
        """Return whether `job_ids` contains this id, or is None."""
        return self.job_ids is None or job_id in self.job_ids


EVERY_JOB: RowMapper[Job] = RowMapper(lambda job: job)
NO_JOB: RowMapper[Job] = RowMapper(lambda job: None, ())


@dataclass(frozen=True)
class Page(Generic[ValueT]):
    """One page of jobs.

    Attributes:
        job_ids: the ids of the readable rows, in order.
        kept: the values from `RowMapper.convert`, by job id, in order.
        received: number of rows in the answer, readable or not. The next page begins that many rows later.
        total: number of matching jobs according to the server, or None if it gives no valid number.
        has_more: whether more rows follow, or None if the server does not say.
        defects: why the list is no proof that a job is absent, as far as one page can show.
        statuses: the statuses of all readable rows.
        limit: rows per page according to the server, or None if it does not say.
        spellings: the server's spelling of ids that are not in lower case, by lower-case id.
    """

    job_ids: list[str]
    kept: dict[str, ValueT]
    received: int
    total: int | None
    has_more: bool | None
    next_cursor: str
    defects: tuple[Defect, ...] = ()
    statuses: frozenset[JobStatus] = frozenset()
    limit: int | None = None
    spellings: Mapping[str, str] = field(default_factory=dict)

    @property
    def unreadable(self) -> int:
        """Number of rows without a readable id."""
        return self.received - len(self.job_ids)

    def contradicts_itself(self, offset: int = 0) -> bool:
        """Return whether the total contradicts the rows of this page, which begins at `offset`."""
        if self.total is None:
            return any(defect.kind is DefectKind.TOTALS_CONTRADICT for defect in self.defects)
        if self.received and not self.total:
            return False  # some servers do not count, and always send 0
        end = offset + self.received
        if self.received and self.total < end:
            return True
        if not self.received and self.total > offset:
            return True
        return self.has_more is not None and self.has_more != (self.total > end)


def joined(first: Page[ValueT], second: Page[ValueT]) -> Page[ValueT]:
    """Join two consecutive pages. The second page must repeat the last row of the first page."""
    defects = {defect.kind: defect for defect in (*first.defects, *second.defects)}
    unreadable = first.unreadable + second.unreadable
    if unreadable:
        defects[DefectKind.UNREADABLE_ROWS] = Defect(DefectKind.UNREADABLE_ROWS, unreadable)
    known = set(first.job_ids)
    new = [job_id for job_id in second.job_ids if job_id not in known]
    again = len(second.job_ids) - len(new)
    if not again and not unreadable:
        defects[DefectKind.DOES_NOT_ADD_UP] = Defect(DefectKind.DOES_NOT_ADD_UP)
    return replace(
        second,
        job_ids=first.job_ids + new,
        kept={**first.kept, **{job_id: each for job_id, each in second.kept.items() if job_id not in known}},
        received=first.received + second.received - again,
        defects=tuple(defects.values()),
        statuses=first.statuses | second.statuses,
        limit=None,
        spellings={**first.spellings, **second.spellings},
    )


def read_page(
    text: str, take: Callable[[Any], None], pause: Pause = lambda: None, rows_at: str = "jobs"
) -> dict[str, Any]:
    """Parse a JSON object. The rows of its array `rows_at` are passed to `take` one by one and are not returned.

    Args:
        pause: called between steps to let other threads run.

    Raises:
        NotJson: the text is not a JSON object. Some rows may have been passed to `take` already.
    """
    members: dict[str, Any] = {}
    reader = Reader(text, pause)
    at = expect(text, skip(text, 0), "{")
    if text[at : at + 1] == "}":
        _end(text, at + 1)
        return members
    while True:
        name, at = reader.value(at)
        if not isinstance(name, str):
            raise NotJson("a member without a name")
        at = expect(text, skip(text, at), ":")
        if name != rows_at or text[at : at + 1] != "[":
            members[name], at = reader.value(at)
        elif name in members:
            raise NotJson("the array of rows occurs twice")
        else:
            members[name] = []
            at = _rows(reader, text, at + 1, take)
        at = skip(text, at)
        if text[at : at + 1] == "}":
            _end(text, at + 1)
            return members
        at = expect(text, at, ",")


def _rows(reader: Reader, text: str, at: int, take: Callable[[Any], None]) -> int:
    at = skip(text, at)
    if text[at : at + 1] == "]":
        return at + 1
    while True:
        row, at = reader.value(at)
        take(row)
        at = skip(text, at)
        if text[at : at + 1] == "]":
            return at + 1
        at = expect(text, at, ",")


def _end(text: str, at: int) -> None:
    if text[skip(text, at) :]:
        raise NotJson("text follows the JSON object")
