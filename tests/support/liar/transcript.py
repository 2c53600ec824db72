"""The answers of a lying cloud, read without the tested code: what a client could conclude from them."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from simulated_cloud import ACTIVE, SimulatedCloud

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Answer:
    """One answer of the cloud, with the number of its request among all requests, and the request."""

    number: int
    path: str
    query: dict[str, str]
    status: int | None
    content: Any

    @property
    def begins(self) -> bool:
        """Whether this is the first page of a list."""
        return self.query.get("offset", "0") == "0" and not self.query.get("after")

    @property
    def ids(self) -> list[str]:
        """Return the valid ids in the rows."""
        return [row["id"].lower() for row in self.rows if _is_row(row)]

    @property
    def rows(self) -> list[Any]:
        rows = self.content.get("jobs") if isinstance(self.content, dict) else None
        return rows if isinstance(rows, list) else []

    def agrees(self) -> bool:
        """Return whether the page has all its fields and does not contradict itself."""
        told = self.content.get("pagination") if isinstance(self.content, dict) else None
        if self.status != 200 or not isinstance(told, dict) or not isinstance(self.content.get("jobs"), list):
            return False
        more, total, end = (
            told.get("has_more"),
            told.get("total"),
            int(self.query.get("offset", 0)) + len(self.rows),
        )
        if not isinstance(more, bool) or not all(map(_is_row, self.rows)):
            return False
        if self.query.get("status") and not self._keeps_to_its_filter():
            return False
        if more and not self.rows:
            return False
        if total is None or told.get("next_cursor") or self.query.get("after"):
            return True
        if isinstance(total, bool) or not isinstance(total, int) or total < 0:
            return False
        if not self.rows:
            return total <= end  # the list may have become shorter since the request
        return total == 0 or (total >= end and more == (total > end))

    def _keeps_to_its_filter(self) -> bool:
        wanted = self.query["status"].split(",")
        return all(row.get("status") in wanted for row in self.rows)


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("id"), str) and bool(_UUID.fullmatch(row["id"]))


class Transcript:
    """All requests to a cloud and its answers."""

    def __init__(self, cloud: SimulatedCloud) -> None:
        self.sent: dict[str, list[int]] = {}
        self.statuses: dict[str, list[int | None]] = {}
        self.clears: list[int] = []
        self.lists: list[Answer] = []
        self.details: list[Answer] = []
        for number, request in enumerate(cloud.requests):
            if request.path == "/api/history":
                self._note_post(number, request.json, request.status)
            elif request.path == "/api/jobs" or request.path.startswith("/api/jobs/"):
                answer = Answer(number, request.path, request.query, request.status, _json(request.answer))
                (self.lists if request.path == "/api/jobs" else self.details).append(answer)

    def _note_post(self, number: int, body: Any, status: int | None) -> None:
        if isinstance(body, dict) and body.get("clear") is True:
            self.clears.append(number)
        for job_id in body.get("delete", ()) if isinstance(body, dict) else ():
            self.sent.setdefault(job_id.lower(), []).append(number)
            self.statuses.setdefault(job_id.lower(), []).append(status)

    @property
    def posts(self) -> list[int]:
        """Return the numbers of all deletion requests, in order."""
        return sorted({number for numbers in self.sent.values() for number in numbers} | set(self.clears))

    def asked_by_id(self, job_id: str, since: int = -1, until: int | None = None) -> list[Answer]:
        """Return the answers to requests for this job by id, in order."""
        return [each for each in _between(self.details, since, until) if _asked_for(each) == job_id]

    def last_reading(self, since: int = -1, until: int | None = None) -> list[Answer]:
        """Return the pages of the last list that was read in this range of requests."""
        pages = list(_between(self.lists, since, until))
        first = max((at for at, page in enumerate(pages) if page.begins), default=0)
        return pages[first:]

    def ever_found_by_id(self) -> bool:
        """Return whether the cloud has ever returned a job by its id."""
        return any(_found(each) for each in self.details)

    def looks_gone(self, job_id: str, since: int = -1, until: int | None = None) -> bool:
        """Return whether an existing job looked gone in every answer, so that no client could have known better.

        Every page of the last list said all that it should and agreed with the others, and none had the job. Nor was
        it found by its id, or, where it was not asked for, another one that the list did not have either; while the
        cloud does answer for jobs by their ids. A reader who believes less than that can believe nothing.
        """
        pages = self.last_reading(since, until)
        ids = [each for page in pages for each in page.ids]
        if not pages or not all(page.agrees() for page in pages) or job_id in ids:
            return False
        if pages[-1].content["pagination"]["has_more"] or not adds_up(pages):
            return False
        asked = self.asked_by_id(job_id, since, until)
        if asked:
            return (not _found(asked[-1]) and asked[-1].status == 404 and self.ever_found_by_id()) or (
                self._like_a_deleted_one(job_id, pages, since)
            )
        others = [each for each in _between(self.details, since, until) if each.status == 404]
        return (bool(others) and self.ever_found_by_id()) or self._like_a_deleted_one(job_id, pages, since)

    def _like_a_deleted_one(self, job_id: str, pages: Sequence[Answer], since: int) -> bool:
        """Return whether the job looks deleted, on a cloud that still returns deleted jobs by id.

        Byte for byte the answers are those that such a cloud gives when it has removed the job, and not when a list
        lacks it: the list had it before, goes on without it, and all that are missing are still found by their ids. A
        list that still has another job that was sent, and is not active, may be hiding this one.
        """
        rows = [row for page in pages for row in page.rows if _is_row(row)]
        ids = {row["id"].lower() for row in rows}
        stayed = {row["id"].lower() for row in rows if row.get("status") not in ACTIVE}
        if not stayed.isdisjoint(self.sent):
            return False
        listed_before = any(job_id in page.ids for page in self.lists if page.number < since)
        asked = [each for each in _between(self.details, since, None) if _asked_for(each) not in ids]
        last = {_asked_for(each): each for each in asked if _found(each) or each.status == 404}
        return listed_before and bool(ids) and bool(last) and all(map(_found, last.values()))

    def listed(self, job_id: str, until: int | None = None) -> bool:
        """Return whether a list has ever contained this id."""
        return any(job_id in page.ids for page in _between(self.lists, -1, until))


def looks_whole(pages: Sequence[Answer]) -> bool:
    """Return whether nothing in these pages says that the list has more jobs.

    That is enough for a list that is shown: a total that is too small says nothing of what is missing.
    """
    told = [page.content.get("pagination") if isinstance(page.content, dict) else None for page in pages]
    totals = [each["total"] for each in told if isinstance(each, dict) and isinstance(each.get("total"), int)]
    rows = len({job_id for page in pages for job_id in page.ids}) + sum(
        len(page.rows) - len(page.ids) for page in pages
    )
    if rows < max(totals, default=0):
        return False
    more = [each.get("has_more") if isinstance(each, dict) else None for each in told]
    # Without `has_more`, a reached total also marks the end.
    return bool(more) and not more[-1] and all(isinstance(each, bool) or totals for each in more)


def adds_up(pages: Sequence[Answer]) -> bool:
    """Return whether the pages have as many different jobs as their total."""
    ids = {job_id for page in pages for job_id in page.ids}
    return len(ids) >= max((page.content["pagination"].get("total") or 0 for page in pages), default=0)


def _between(answers: Iterable[Answer], since: int, until: int | None) -> Iterable[Answer]:
    return (each for each in answers if each.number > since and (until is None or each.number < until))


def _asked_for(answer: Answer) -> str:
    return answer.path.rpartition("/")[2].lower()


def _found(answer: Answer) -> bool:
    content = answer.content
    told = content.get("id") if isinstance(content, dict) else None
    return answer.status == 200 and isinstance(told, str) and told.lower() == _asked_for(answer)


def _json(body: bytes) -> Any:
    try:
        return json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)
    except ValueError:
        return None
