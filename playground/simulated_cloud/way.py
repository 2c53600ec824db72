"""What a bend can change: one hook for each step in which an answer is made."""

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
        what: a description.
        routes: the routes whose answers are bent. A way with `row` goes by `Bend.where` instead.
        size: the default amount, where the way has one.
        account: changes the account before the answer is made, as other clients might.
        removal: chooses the jobs of a deletion that are deleted at once.
        query: changes what is listed.
        jobs: changes the jobs that pages are cut from.
        row: changes one job, in a list or in its details.
        page: changes the content of a list.
        detail: chooses the job whose details are answered.
        details: changes the content of a job's details.
        answer: changes the answer as it is sent.
    """

    what: str
    routes: tuple[Route, ...]
    size: int = 0
    account: Callable[[SimulatedCloud, Bend], None] | None = None
    removal: Callable[[list[SimulatedJob], SimulatedCloud, Bend], list[SimulatedJob]] | None = None
    query: Callable[[ListQuery, Bend], ListQuery] | None = None
    jobs: Callable[[list[SimulatedJob], SimulatedCloud, Bend], list[SimulatedJob]] | None = None
    row: Callable[[Any, Bend], Any] | None = None
    page: Callable[[dict[str, Any], ListQuery, Bend], dict[str, Any]] | None = None
    detail: Callable[[str, SimulatedJob | None, SimulatedCloud], SimulatedJob | None] | None = None
    details: Callable[[Any, Bend], Any] | None = None
    answer: Callable[[web.Response, Bend], web.Response] | None = None
