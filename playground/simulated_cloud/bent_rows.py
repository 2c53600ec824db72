"""Jobs written as nobody documented it: their ids, statuses, times and sizes, in lists and in details."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .ways import Way

if TYPE_CHECKING:
    from .bends import Bend

TIMES = ("create_time", "update_time", "execution_start_time", "execution_end_time")
DAY_MS = 86_400_000


def _id(what: str, write: Callable[[str], Any]) -> Way:
    return Way(what, (), row=lambda row, bend: {**row, "id": write(str(row.get("id")))})


def _status(what: str, write: Callable[[str], Any]) -> Way:
    return Way(what, (), row=lambda row, bend: {**row, "status": write(str(row.get("status")))})


def _times(what: str, write: Callable[[int, int], Any], size: int = 0) -> Way:
    def row(row: Any, bend: Bend) -> Any:
        return {
            **row,
            **{name: write(row[name], bend.amount) for name in TIMES if isinstance(row.get(name), int)},
        }

    return Way(what, (), size, row=row)


def _without(name: str) -> Callable[[Any, Bend], Any]:
    return lambda row, bend: {key: each for key, each in row.items() if key != name}


def _huge(row: Any, bend: Bend) -> Any:
    error = {"exception_message": "x" * bend.amount * 1000, "exception_type": "RuntimeError", "node_id": "3"}
    return {**row, "execution_error": error}


def _another_id(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, text))


def _next_status(word: str) -> str:
    """Finished for what is active, and the other way round."""
    return "completed" if word in ("pending", "in_progress") else "in_progress"


WAYS = {
    "ids_without_dashes": _id("ids are written without dashes", lambda text: text.replace("-", "")),
    "ids_with_prefix": _id("ids begin with job_", lambda text: f"job_{text}"),
    "ids_in_braces": _id("ids are in braces", lambda text: f"{{{text}}}"),
    "ids_as_urn": _id("ids begin with urn:uuid:", lambda text: f"urn:uuid:{text}"),
    "ids_padded": _id("ids have a blank on either side", lambda text: f" {text} "),
    "ids_upper_case": _id("ids are in upper case, which the cloud takes for other ids", str.upper),
    "ids_null": _id("ids are null", lambda text: None),
    "ids_as_number": _id("ids are numbers", lambda text: zlib.crc32(text.encode())),
    "ids_of_others": _id("ids are those of jobs that do not exist", _another_id),
    "no_ids": Way("jobs have no id", (), row=_without("id")),
    "null_rows": Way("jobs are null", (), row=lambda row, bend: None),
    "text_rows": Way("jobs are texts", (), row=lambda row, bend: str(row.get("id"))),
    "status_unknown": _status("statuses are words that nobody knows", lambda word: "archived"),
    "status_upper_case": _status("statuses are in upper case", str.upper),
    "status_as_number": _status("statuses are numbers", len),
    "status_wrong": _status("finished jobs are called running, active ones completed", _next_status),
    "no_status": Way("jobs have no status", (), row=_without("status")),
    "times_in_microseconds": _times("times are in microseconds", lambda time, size: time * 1000),
    "times_in_nanoseconds": _times("times are in nanoseconds", lambda time, size: time * 1_000_000),
    "times_later": _times("times are `size` days later", lambda time, size: time + size * DAY_MS, 400),
    "times_nan": _times("times are NaN", lambda time, size: float("nan")),
    "times_infinite": _times("times are infinite", lambda time, size: float("inf")),
    "times_negative": _times("times are negative", lambda time, size: -time),
    "times_null": _times("times are null", lambda time, size: None),
    "times_as_text": _times("times are texts", lambda time, size: str(time)),
    "times_zero": _times("times are 0", lambda time, size: 0),
    "huge_jobs": Way("jobs have errors of `size` kilobytes", (), 200, row=_huge),
}
