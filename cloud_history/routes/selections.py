"""Reading selections and filters out of request bodies. Anything odd is refused: a filter misread is a wrong job."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ..errors import InputRefused, TooManyJobIds
from ..jobs.filters import JobFilter, Selection
from ..jobs.ids import MAX_IDS, is_job_id
from ..jobs.models import ACTIVE, JobStatus

LONGEST_SEARCH = 200
OUTPUT_TYPES = ("image", "video", "audio", "3d")

_HALF = re.compile("[\ud800-\udfff]")
_MEMBERS = ("statuses", "search", "after", "before", "workflow_id", "output_type", "protected")


def read_selection(body: Mapping[str, Any]) -> Selection:
    """The selection in a body with exactly one of `ids` and `filter`.

    Raises:
        InputRefused.
    """
    if "filter" in body:
        return Selection(filter=read_filter(body["filter"]))
    return Selection(job_ids=read_ids(body["ids"]))


def read_ids(given: Sequence[object]) -> list[str]:
    """The job ids in a JSON array: at least one, in lower case, each once. Raises InputRefused, TooManyJobIds."""
    if len(given) > MAX_IDS:
        raise TooManyJobIds(MAX_IDS)
    job_ids = [each.lower() for each in given if isinstance(each, str) and is_job_id(each)]
    if len(job_ids) != len(given):
        raise InputRefused("“ids” must be a list of job ids.")
    if not job_ids:
        raise InputRefused("“ids” is empty: nothing is selected.")
    return list(dict.fromkeys(job_ids))


def read_filter(given: Mapping[str, Any]) -> JobFilter:
    """The filter in a JSON object. Raises InputRefused."""
    if unknown := sorted(set(given) - set(_MEMBERS)):
        raise InputRefused(f"The filter has members nobody knows: {len(unknown)}.")
    chosen = JobFilter(
        statuses=_statuses(given.get("statuses")),
        search=_text(given, "search"),
        after=_moment(given, "after"),
        before=_moment(given, "before"),
        workflow_id=_text(given, "workflow_id"),
        output_type=_text(given, "output_type"),
        protected=given.get("protected"),
    )
    if chosen.output_type not in ("", *OUTPUT_TYPES):
        raise InputRefused("“output_type” must be image, video, audio or 3d.")
    if not isinstance(chosen.protected, bool | None):
        raise InputRefused("“protected” must be true or false.")
    return chosen


def _statuses(given: object) -> tuple[JobStatus, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise InputRefused("“statuses” must be a list.")
    found: dict[JobStatus, None] = {}
    for word in given:
        if word == "active":
            found.update(dict.fromkeys(ACTIVE))
        elif isinstance(word, str) and word in JobStatus._value2member_map_:
            found[JobStatus(word)] = None
        else:
            raise InputRefused("“statuses” has a status nobody knows.")
    return tuple(found)


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name, "")
    # Half a character can stand in JSON, and in no address that is asked for.
    if not isinstance(value, str) or len(value) > LONGEST_SEARCH or _HALF.search(value):
        raise InputRefused(f"“{name}” must be a text of at most {LONGEST_SEARCH} characters.")
    return value


def _moment(given: Mapping[str, Any], name: str) -> datetime | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e14:
        raise InputRefused(f"“{name}” must be a time in milliseconds.")
    return datetime.fromtimestamp(value / 1000, timezone.utc)
