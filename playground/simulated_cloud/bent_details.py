"""Details of a job that are missing, wrong, or those of another job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .ways import Route, Way

if TYPE_CHECKING:
    from .bends import Bend
    from .cloud import SimulatedCloud
    from .jobs import SimulatedJob


def _not_found(job_id: str, found: SimulatedJob | None, cloud: SimulatedCloud) -> None:
    return None


def _deleted_too(job_id: str, found: SimulatedJob | None, cloud: SimulatedCloud) -> SimulatedJob | None:
    return found or cloud.jobs.get(job_id)


def _another(job_id: str, found: SimulatedJob | None, cloud: SimulatedCloud) -> SimulatedJob | None:
    return next((job for job in cloud.listed() if job.id != job_id), found)


def _nothing_but_id(content: Any, bend: Bend) -> Any:
    return {"id": content["id"]} if isinstance(content, dict) and "id" in content else content


def _is(value: Any) -> Any:
    return lambda content, bend: value


def _wrapped(content: Any, bend: Bend) -> Any:
    return {"job": content}


_DETAIL: tuple[Route, ...] = ("detail",)
WAYS: dict[str, Way] = {
    "details_not_found": Way("details are not found, though the job is there", _DETAIL, detail=_not_found),
    "details_of_deleted_jobs": Way("details are given of removed jobs too", _DETAIL, detail=_deleted_too),
    "details_of_another_job": Way("details are those of another job", _DETAIL, detail=_another),
    "details_null": Way("details are null", _DETAIL, details=_is(None)),
    "details_empty": Way("details are an empty object", _DETAIL, details=_is({})),
    "details_as_list": Way("details are an empty list", _DETAIL, details=_is([])),
    "details_wrapped": Way("details are one level deeper", _DETAIL, details=_wrapped),
    "details_bare": Way("details are the id alone", _DETAIL, details=_nothing_but_id),
}
