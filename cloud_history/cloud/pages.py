"""A page of jobs, and what is kept of the jobs on it."""

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
    """What is kept of the jobs on a page. Of a row nobody wants only the id is read: it is by far the least of it.

    Attributes:
        convert: what is kept of a job; None for nothing. It may be called in a thread.
        job_ids: of these jobs alone; None: of any.
    """

    convert: Callable[[Job], ValueT | None]
    job_ids: Container[str] | None = None

    def wants(self, job_id: str) -> bool:
        """Whether anything of this job may be kept."""
        return self.job_ids is None or job_id in self.job_ids


EVERY_JOB: RowMapper[Job] = RowMapper(lambda job: job)
NO_JOB: RowMapper[Job] = RowMapper(lambda job: None, ())


@dataclass(frozen=True)
class Page(Generic[ValueT]):
    """One page of jobs.

    Attributes:
        job_ids: of the rows that can be read, in order.
        kept: by job id, in order.
        received: rows in the answer, readable or not; offsets step by it.
        total: what the server says matches, or None where it says nothing that can be believed.
        has_more: whether more rows follow, or None where the server does not say.
        defects: why the page proves nothing, as far as it can be told without the others.
        statuses: of all rows that can be read, kept or not.
        limit: rows a page, as the server says it took the request; None where it does not say.
        spellings: ids as the server writes them, of the rows where that is not in lower case.
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
        """Rows without an id that can be read."""
        return self.received - len(self.job_ids)

    def contradicts_itself(self, offset: int = 0) -> bool:
        """Whether its total says something else than its rows, for a page that begins at this offset."""
        if self.total is None:
            return any(defect.kind is DefectKind.TOTALS_CONTRADICT for defect in self.defects)
        if self.received and not self.total:
            return False  # some servers count nothing and write 0: that says nothing
        end = offset + self.received
        if self.received and self.total < end:
            return True
        if not self.received and self.total > offset:
            return True
        return self.has_more is not None and self.has_more != (self.total > end)


def joined(first: Page[ValueT], second: Page[ValueT]) -> Page[ValueT]:
    """One page of two that follow each other, the second of which begins with the last row of the first."""
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
    """The members of a JSON object. The rows in the array `rows_at` are given to `take` one by one, and it is empty.

    Args:
        pause: called between two steps, to let others work.

    Raises:
        NotJson: when the text turns out to be something else; what was given before stands.
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
            raise NotJson("the rows twice")
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
        raise NotJson("something follows the page")
