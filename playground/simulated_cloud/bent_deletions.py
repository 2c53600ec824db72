"""Deletions that do something else than they say, and what happens to an account meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from .error_shapes import error_response, json_shape
from .ways import Way

if TYPE_CHECKING:
    from .bends import Bend
    from .cloud import SimulatedCloud
    from .jobs import SimulatedJob


@dataclass
class Postponed:
    """Jobs that are removed once so many more requests for lists and details have come."""

    jobs: Sequence[SimulatedJob]
    requests: int


def carry_out_postponed(cloud: SimulatedCloud) -> None:
    """Remove what is due. Called at each request for a list or for details."""
    for each in cloud.postponed:
        each.requests -= 1
        if each.requests < 0:
            cloud.books.delete([job.id for job in each.jobs], cloud.clock())
    cloud.postponed[:] = [each for each in cloud.postponed if each.requests >= 0]


def _keep(jobs: list[SimulatedJob], cloud: SimulatedCloud, bend: Bend) -> list[SimulatedJob]:
    return [job for job in jobs if not bend.hits(job.id)]


def _later(jobs: list[SimulatedJob], cloud: SimulatedCloud, bend: Bend) -> list[SimulatedJob]:
    cloud.postponed.append(Postponed([job for job in jobs if bend.hits(job.id)], bend.amount))
    return _keep(jobs, cloud, bend)


def _active_too(jobs: list[SimulatedJob], cloud: SimulatedCloud, bend: Bend) -> list[SimulatedJob]:
    for job in jobs:
        if not job.finished and not job.deleted and bend.hits(job.id):
            job.delete(cloud.clock())
    return jobs


def _refused(response: web.Response, bend: Bend) -> web.Response:
    return error_response(bend.amount, "refused", "This request was refused.").response()


def _error_with_200(response: web.Response, bend: Bend) -> web.Response:
    return json_shape(
        200, {"error": {"code": "internal_error", "message": "Nothing was removed."}}
    ).response()


def _vanish(cloud: SimulatedCloud, bend: Bend) -> None:
    """Jobs go, and the bend remembers which: nobody who deletes has removed them."""
    for job in cloud.finished[: bend.amount]:
        job.delete(cloud.clock())
        bend.memory = [*(bend.memory or ()), job.id]


def _finish(cloud: SimulatedCloud, bend: Bend) -> None:
    for job in cloud.active[: bend.amount]:
        cloud.finish(job.id)


def _arrive(cloud: SimulatedCloud, bend: Bend) -> None:
    for _ in range(bend.amount):
        cloud.add_job("completed")


def _change_places(cloud: SimulatedCloud, bend: Bend) -> None:
    """One finished job goes and one that runs ends, so that the number of finished ones stays."""
    if cloud.active:
        _vanish(cloud, bend)
        _finish(cloud, bend)


WAYS = {
    "keeps_jobs": Way("accepts a deletion and keeps its jobs", ("history",), removal=_keep),
    "removes_later": Way(
        "accepts a deletion and carries it out `size` requests later", ("history",), size=3, removal=_later
    ),
    "removes_active": Way("a deletion removes active jobs too", ("history",), removal=_active_too),
    "refuses_and_removes": Way(
        "a deletion is carried out and answered with the status `size`",
        ("history",),
        size=400,
        answer=_refused,
    ),
    "refuses_with_200": Way(
        "a deletion is not carried out, and the error comes with 200",
        ("history",),
        removal=_keep,
        answer=_error_with_200,
    ),
    "jobs_vanish": Way("`size` finished jobs are removed by somebody else", ("list",), size=1, books=_vanish),
    "jobs_finish": Way("`size` active jobs end", ("list",), size=1, books=_finish),
    "jobs_arrive": Way("`size` new jobs are there, completed", ("list",), size=1, books=_arrive),
    "jobs_change_places": Way(
        "`size` finished jobs go and as many running ones end", ("list",), size=1, books=_change_places
    ),
}
