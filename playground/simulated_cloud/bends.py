"""Bends: the ways in which a cloud may break its contract, and when it does.

A switch makes another Comfy Cloud, a fault spoils one request. A bend answers with 200 and is wrong.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

from . import bent_deletions, bent_details, bent_lists, bent_rows, bent_wire
from .ways import Route, Way

if TYPE_CHECKING:
    from aiohttp import web

    from .cloud import SimulatedCloud
    from .jobs import SimulatedJob
    from .listing import ListQuery

Rows = Literal["all", "some", "one"]
Where = Literal["list", "details", "both"]

BENDS: dict[str, Way] = {
    **bent_deletions.WAYS,
    **bent_lists.WAYS,
    **bent_rows.WAYS,
    **bent_details.WAYS,
    **bent_wire.WAYS,
}
"""Every way to bend the contract, by its name."""


@dataclass
class Bend:
    """One way in which the contract is broken, and when.

    Attributes:
        name: the way, one of `BENDS`.
        after: so many answers of its route are right first.
        times: so many are bent then; None: all.
        after_deletion: whether counting begins only once a deletion has been answered.
        rows: which jobs it happens to, where it happens to single ones: all, some (every third or so, always the
            same ones), or the first one that it meets.
        where: the answers that a bent job is bent in.
        size: how much, in a unit that the way tells.
        seen, fired: how many answers of its route there were, and how many were bent.
        memory: what the way keeps between two answers.
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
            raise ValueError(f"no such rows or answers: {self.rows!r}, {self.where!r}")

    @classmethod
    def read(cls, text: str) -> Bend:
        """Read `name` or `name,option=value,…`, as it is given on a command line.

        Raises:
            ValueError: there is no such bend, or it has no such option.
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
        """What it does."""
        return BENDS[self.name]

    @property
    def amount(self) -> int:
        """`size`, or what is usual for this way."""
        return self.way.size if self.size is None else self.size

    def hits(self, job_id: str) -> bool:
        """Whether it happens to this job."""
        if self.rows == "one":
            self._one = self._one or job_id
            return job_id == self._one
        return self.rows == "all" or zlib.crc32(job_id.encode()) % 3 == 0

    def take(self, route: Route, *, deleted: bool) -> bool:
        """Count an answer of this route, and say whether it is bent."""
        routes = self.way.routes if self.way.row is None else _ROUTES[self.where]
        if route not in routes or (self.after_deletion and not deleted):
            return False
        self.seen += 1
        due = self.seen > self.after and (self.times is None or self.fired < self.times)
        self.fired += due
        return due


def bend_argument(text: str) -> Bend:
    """Read a bend for `argparse`, which shows the words of this error alone. Raises argparse.ArgumentTypeError."""
    try:
        return Bend.read(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_bend_option(reader: argparse.ArgumentParser) -> None:
    """Let a command line break the cloud's contract."""
    reader.add_argument(
        "--bend",
        action="append",
        default=[],
        type=bend_argument,
        metavar="NAME[,OPTION=VALUE…]",
        help="let the cloud break its contract, for instance empty_list,after_deletion=true or ids_null,rows=one; may "
        "be repeated (all bends: playground/simulated_cloud/bent_*.py)",
    )


_ROUTES: dict[Where, tuple[Route, ...]] = {
    "list": ("list",),
    "details": ("detail",),
    "both": ("list", "detail"),
}


class Bent:
    """What is bent about one answer. Falsy where nothing is."""

    def __init__(self, cloud: SimulatedCloud, route: Route) -> None:
        self._cloud = cloud
        self._bends = [bend for bend in cloud.bends if bend.take(route, deleted=cloud.deletions > 0)]
        for bend in self._bends:
            if bend.way.books is not None:
                bend.way.books(cloud, bend)

    def __bool__(self) -> bool:
        return bool(self._bends)

    def removal(self, jobs: Iterable[SimulatedJob]) -> list[SimulatedJob]:
        """Those of these jobs that are removed at once."""
        removed = list(jobs)
        for bend in self._bends:
            if bend.way.removal is not None:
                removed = bend.way.removal(removed, self._cloud, bend)
        return removed

    def query(self, query: ListQuery) -> ListQuery:
        """What is listed instead."""
        for bend in self._bends:
            if bend.way.query is not None:
                query = bend.way.query(query, bend)
        return query

    def jobs(self, jobs: Sequence[SimulatedJob]) -> list[SimulatedJob]:
        """The jobs that a listing cuts its pages from, in their order."""
        listed = list(jobs)
        for bend in self._bends:
            if bend.way.jobs is not None:
                listed = bend.way.jobs(listed, self._cloud, bend)
        return listed

    def page(
        self, shown: Sequence[SimulatedJob], rows: list[Any], pagination: dict[str, Any], asked: ListQuery
    ) -> Any:
        """The content of a list's answer."""
        for bend in self._bends:
            if bend.way.row is not None:
                pairs = list(zip(rows, (bend.hits(job.id) for job in shown), strict=True))
                rows = [
                    bend.way.row(row, bend) if hit and isinstance(row, dict) else row for row, hit in pairs
                ]
        content: dict[str, Any] = {"jobs": rows, "pagination": pagination}
        for bend in self._bends:
            # What has lost its rows or its totals can't be bent in them any more.
            if (
                bend.way.page is not None
                and isinstance(content.get("jobs"), list)
                and "pagination" in content
            ):
                content = bend.way.page(content, asked, bend)
        return content

    def detail(self, job_id: str, found: SimulatedJob | None) -> SimulatedJob | None:
        """The job whose details are given instead of these; None: it is not found."""
        for bend in self._bends:
            if bend.way.detail is not None and bend.hits(job_id):
                found = bend.way.detail(job_id, found, self._cloud)
        return found

    def details(self, job_id: str, content: Any) -> Any:
        """The content of the details of a job."""
        for bend in self._bends:
            change = bend.way.row or bend.way.details
            if change is not None and isinstance(content, dict) and bend.hits(job_id):
                content = change(content, bend)
        return content

    def answer(self, response: web.Response) -> web.Response:
        """The answer as it goes out."""
        for bend in self._bends:
            if bend.way.answer is not None:
                response = bend.way.answer(response, bend)
        return response
