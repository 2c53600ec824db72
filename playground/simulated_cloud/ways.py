"""What a bend can change, one function for each moment at which an answer comes about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from aiohttp import web

    from .bends import Bend
    from .cloud import SimulatedCloud
    from .jobs import SimulatedJob
    from .listing import ListQuery

Route = Literal["history", "list", "detail"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to break the contract.

    Attributes:
        what: the cloud does, for a person who reads a list of them.
        routes: whose answers are bent.
        size: the usual amount, where there is one.
        books: changes the account before the answer is made: what happens meanwhile, and is no lie.
        removal: which of the jobs of a deletion are removed at once.
        query: what is listed instead.
        jobs: what a listing cuts its pages from.
        row: how one job is written, in a list or in its details.
        page: the content of a list's answer.
        detail: which job's details are given.
        details: the content of a job's details.
        answer: the answer as it goes out.
    """

    what: str
    routes: tuple[Route, ...]
    size: int = 0
    books: Callable[[SimulatedCloud, Bend], None] | None = None
    removal: Callable[[list[SimulatedJob], SimulatedCloud, Bend], list[SimulatedJob]] | None = None
    query: Callable[[ListQuery, Bend], ListQuery] | None = None
    jobs: Callable[[list[SimulatedJob], SimulatedCloud, Bend], list[SimulatedJob]] | None = None
    row: Callable[[Any, Bend], Any] | None = None
    page: Callable[[dict[str, Any], ListQuery, Bend], dict[str, Any]] | None = None
    detail: Callable[[str, SimulatedJob | None, SimulatedCloud], SimulatedJob | None] | None = None
    details: Callable[[Any, Bend], Any] | None = None
    answer: Callable[[web.Response, Bend], web.Response] | None = None
