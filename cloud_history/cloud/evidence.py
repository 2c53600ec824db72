"""When a list of jobs proves that a job is absent, and the defects that prevent it.

A list that is only shown may have some defects. A list that is used as proof may have none: a missing job counts as
absent only if every page is consistent and the number of jobs matches the total.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple, NewType, TypeVar

from ..reasons import Reason
from ..sentence import Worded

ProvenAbsent = NewType("ProvenAbsent", str)
"""The id of a job that is proven to be absent. Only `lookup` creates such ids; mypy refuses a plain string instead."""

NONE_ABSENT: frozenset[ProvenAbsent] = frozenset()

SPOT_CHECK = 5
"""Number of jobs that are requested by id after a deletion of more than 20 jobs, and after a clear."""

T = TypeVar("T")


def sample_evenly(items: Sequence[T], count: int) -> list[T]:
    """Return at most `count` items, evenly spaced."""
    if len(items) <= count:
        return list(items)
    return [items[round(at * (len(items) - 1) / (count - 1))] for at in range(count)]


class DefectKind(str, Enum):
    """A kind of defect that makes a list unusable as proof that a job is absent."""

    NO_PAGINATION = "no_pagination"
    NO_HAS_MORE = "no_has_more"
    NO_ROWS = "no_rows"
    LOWER_LIMIT = "lower_limit"
    UNREADABLE_ROWS = "unreadable_rows"
    TOTALS_CONTRADICT = "totals_contradict"
    DOES_NOT_ADD_UP = "does_not_add_up"
    REPEATS = "repeats"
    FILTER_IGNORED = "filter_ignored"
    NO_ANSWER_BY_ID = "no_answer_by_id"
    STILL_ANSWERED = "still_answered"
    ENDS_TOO_SOON = "ends_too_soon"
    OTHERS_MISSING = "others_missing"


_ONLY_AS_PROOF = frozenset(
    {DefectKind.UNREADABLE_ROWS, DefectKind.FILTER_IGNORED, DefectKind.TOTALS_CONTRADICT, DefectKind.NO_HAS_MORE}
)
"""A list with only these defects is complete enough to be shown, because this pack filters and counts jobs itself."""


class Defect(NamedTuple):
    """One defect of a list. `rows` is the number of unreadable rows, or 0 for other kinds."""

    kind: DefectKind
    rows: int = 0

    @property
    def reason(self) -> Reason:
        return Reason(
            self.kind.value, {"rows": Worded(self.rows, "1 row" if self.rows == 1 else f"{self.rows:,} rows")}
        )

    def __str__(self) -> str:
        return str(self.reason)


def is_whole(defects: Iterable[Defect]) -> bool:
    """Return whether a list with these defects can be shown as complete."""
    return all(defect.kind in _ONLY_AS_PROOF for defect in defects)


def describe_defects(defects: Sequence[Defect]) -> Reason:
    """Return the first defect as a reason to show, such as "the list can’t be trusted (2 rows could not be read)"."""
    return Reason("list_not_trusted", {"defect": defects[0].reason})
