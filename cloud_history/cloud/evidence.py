"""Why a list of jobs proves nothing, and the types that keep an absence from being believed without proof.

A list that is read to be shown may be tolerant. A list that is read as proof may not: that a job is missing from it
counts only where every page says what it should, and the pages add up (comfy-cloud-api, section 15).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import NamedTuple, NewType, TypeVar

ProvenAbsent = NewType("ProvenAbsent", str)
"""The id of a job that is proven to be in no list. Only `look` makes one: a plain text is none to the type checker."""

NONE_ABSENT: frozenset[ProvenAbsent] = frozenset()

SPOT_CHECK = 5
"""Jobs that are asked for by their ids after a deletion of more than 20, and after a clear."""

T = TypeVar("T")


def spread(items: Sequence[T], count: int) -> list[T]:
    """At most so many of them, from all over the order they are in."""
    if len(items) <= count:
        return list(items)
    return [items[round(at * (len(items) - 1) / (count - 1))] for at in range(count)]


class Doubt(str, Enum):
    """A reason why a list proves nothing."""

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


WORDS = {
    Doubt.NO_PAGINATION: "it does not say whether more jobs follow",
    Doubt.NO_HAS_MORE: "only its total says whether more jobs follow",
    Doubt.NO_ROWS: "it has no rows",
    Doubt.LOWER_LIMIT: "its pages are smaller than asked, and it does not say whether more follow",
    Doubt.UNREADABLE_ROWS: "{rows} could not be read",
    Doubt.TOTALS_CONTRADICT: "its totals contradict its rows",
    Doubt.DOES_NOT_ADD_UP: "its pages do not add up",
    Doubt.REPEATS: "it repeats a page",
    Doubt.FILTER_IGNORED: "it has jobs of other statuses than asked",
    Doubt.NO_ANSWER_BY_ID: "no job that is listed is found by its id",
    Doubt.STILL_ANSWERED: "a job that is not listed is still found by its id",
    Doubt.ENDS_TOO_SOON: "more jobs follow where it says that it ends",
    Doubt.OTHERS_MISSING: "the jobs that were to stay are missing too",
}
_ONLY_AS_PROOF = frozenset(
    {Doubt.UNREADABLE_ROWS, Doubt.FILTER_IGNORED, Doubt.TOTALS_CONTRADICT, Doubt.NO_HAS_MORE}
)
"""These leave a list whole for showing: all that can be read of it is there, and it is filtered and counted here."""


class Reason(NamedTuple):
    """One doubt, with the number of rows where it is about rows."""

    doubt: Doubt
    rows: int = 0

    def __str__(self) -> str:
        return WORDS[self.doubt].format(rows="1 row" if self.rows == 1 else f"{self.rows:,} rows")


def is_whole(reasons: Iterable[Reason]) -> bool:
    """Whether a list with these doubts still has all its jobs, as far as anybody can tell."""
    return all(reason.doubt in _ONLY_AS_PROOF for reason in reasons)


def distrust(reasons: Sequence[Reason]) -> str:
    """What a person is told: "the list can’t be trusted (2 rows could not be read)"."""
    return f"the list can’t be trusted ({reasons[0]})"
