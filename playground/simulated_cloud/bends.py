"""Bends: how and when the cloud breaks its contract.

A switch changes documented behaviour, a fault makes one request fail, and a bend sends a wrong answer with status 200.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from .bent_answers import ANSWERS, DELETIONS, DETAILS
from .bent_lists import LISTS, ROWS
from .way import Route, Way

if TYPE_CHECKING:
    from aiohttp import web

    from .cloud import SimulatedCloud
    from .jobs import SimulatedJob
    from .listing import ListQuery

Rows = Literal["all", "some", "one"]
Where = Literal["list", "details", "both"]

BENDS: dict[str, Way] = {**DELETIONS, **LISTS, **ROWS, **DETAILS, **ANSWERS}
"""All ways to break the contract, by name."""
_ROUTES: dict[Where, tuple[Route, ...]] = {
    "list": ("list",),
    "details": ("detail",),
    "both": ("list", "detail"),
}


@dataclass
class Bend:
    """One way in which the simulated cloud departs from Comfy Cloud's API contract, and when.

    Attributes:
        name: one of `BENDS`.
        after: the number of correct answers before the first wrong one.
        times: the number of wrong answers; None for all that follow.
        after_deletion: whether counting starts only when a deletion has been answered.
        rows: which jobs are affected, if the departure is about single jobs: all, some (about a third, always the
            same ones), or the first one.
        where: the answers that show an affected job wrongly: lists, details, or both.
        size: how large the departure is, in the unit that `BENDS` gives for `name`.
        seen, fired: the number of answers of its route so far, and how many of them were wrong.
        memory: data stored between two answers.
    """

    name: str
    after: int = 0
    times: int | None = None
    after_deletion: bool = False
    rows: Rows = "all"
    where: Where = "list"
    size: int | None = None
    seen: int = field(default=0, init=False)
    fired: int = field(default=0, init=False)
    memory: Any = field(default=None, init=False, repr=False)
    _one: str | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if self.name not in BENDS:
            raise ValueError(f"no such bend: {self.name!r}. There are: {', '.join(sorted(BENDS))}")
        if self.rows not in get_args(Rows) or self.where not in get_args(Where):
            raise ValueError(f"invalid rows or answers: {self.rows!r}, {self.where!r}")

    @classmethod
    def read(cls, text: str) -> Bend:
        """Parse `name` or `name,option=value,…` from a command line.

        Raises:
            ValueError: the bend or one of its options does not exist.
        """
        name, *options = text.split(",")
        known = {each.name for each in fields(cls) if each.init} - {"name"}
        given: dict[str, Any] = {}
        for option in options:
            key, _, value = option.partition("=")
            if key not in known:
                raise ValueError(f"no such option of a bend: {key!r}. There are: {', '.join(sorted(known))}")
            given[key] = value
            if key in ("after", "times", "size"):
                given[key] = int(value)
            elif key == "after_deletion":
                given[key] = value != "false"
        return cls(name, **given)

    @property
    def way(self) -> Way:
        """The changes that the bend makes."""
        return BENDS[self.name]

    @property
    def amount(self) -> int:
        """`size`, or the default of the way."""
        return self.way.size if self.size is None else self.size

    def hits(self, job_id: str) -> bool:
        """Whether the bend applies to this job."""
        if self.rows == "one":
            self._one = self._one or job_id
            return job_id == self._one
        return self.rows == "all" or zlib.crc32(job_id.encode()) % 3 == 0

    def take(self, route: Route, *, deleted: bool) -> bool:
        """Count an answer of this route, and return whether the bend applies to it."""
        routes = self.way.routes if self.way.row is None else _ROUTES[self.where]
        if route not in routes or (self.after_deletion and not deleted):
            return False
        self.seen += 1
        due = self.seen > self.after and (self.times is None or self.fired < self.times)
        self.fired += due
        return due


def bend_argument(text: str) -> Bend:
    """Parse a bend for `argparse`, which shows only the message of an ArgumentTypeError."""
    try:
        return Bend.read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_bend_option(reader: argparse.ArgumentParser) -> None:
    """Add the option `--bend`."""
    reader.add_argument(
        "--bend",
        action="append",
        default=[],
        type=bend_argument,
        metavar="NAME[,OPTION=VALUE…]",
        help="break the cloud's contract, for instance empty_list,after_deletion=true or ids_null,rows=one. May be "
        "repeated. All bends are in playground/simulated_cloud/bent_*.py",
    )


class Bent:
    """The bends that apply to one answer. False in a boolean test if there are none."""

    def __init__(self, cloud: SimulatedCloud, route: Route) -> None:
        self._cloud = cloud
        self._bends = [bend for bend in cloud.bends if bend.take(route, deleted=cloud.deletions > 0)]
        for bend in self._bends:
            if bend.way.account is not None:
                bend.way.account(cloud, bend)

    def __bool__(self) -> bool:
        return bool(self._bends)

    def removal(self, jobs: Iterable[SimulatedJob]) -> list[SimulatedJob]:
        """Return the jobs of a deletion that are deleted at once."""
        removed = list(jobs)
        for bend in self._bends:
            if bend.way.removal is not None:
                removed = bend.way.removal(removed, self._cloud, bend)
        return removed

    def query(self, query: ListQuery) -> ListQuery:
        """Return the query that is answered instead."""
        for bend in self._bends:
            if bend.way.query is not None:
                query = bend.way.query(query, bend)
        return query

    def jobs(self, jobs: Sequence[SimulatedJob]) -> list[SimulatedJob]:
        """Return the jobs that pages are cut from, in order."""
        listed = list(jobs)
        for bend in self._bends:
            if bend.way.jobs is not None:
                listed = bend.way.jobs(listed, self._cloud, bend)
        return listed

    def page(self, shown: Sequence[SimulatedJob], rows: list[Any], pagination: dict[str, Any], asked: ListQuery) -> Any:
        """Return the content of a list."""
        for bend in self._bends:
            if bend.way.row is not None:
                pairs = list(zip(rows, (bend.hits(job.id) for job in shown), strict=True))
                rows = [bend.way.row(row, bend) if hit and isinstance(row, dict) else row for row, hit in pairs]
        content: dict[str, Any] = {"jobs": rows, "pagination": pagination}
        for bend in self._bends:
            # An earlier bend may have removed the jobs or the pagination.
            if bend.way.page is not None and isinstance(content.get("jobs"), list) and "pagination" in content:
                content = bend.way.page(content, asked, bend)
        return content

    def detail(self, job_id: str, found: SimulatedJob | None) -> SimulatedJob | None:
        """Return the job whose details are answered, or None for 404."""
        for bend in self._bends:
            if bend.way.detail is not None and bend.hits(job_id):
                found = bend.way.detail(job_id, found, self._cloud)
        return found

    def details(self, job_id: str, content: Any) -> Any:
        """Return the content of a job's details."""
        for bend in self._bends:
            change = bend.way.row or bend.way.details
            if change is not None and isinstance(content, dict) and bend.hits(job_id):
                content = change(content, bend)
        return content

    def answer(self, response: web.Response) -> web.Response:
        """Return the answer as it is sent."""
        for bend in self._bends:
            if bend.way.answer is not None:
                response = bend.way.answer(response, bend)
        return response
