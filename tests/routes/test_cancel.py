"""Cancelling running jobs, and servers without that route."""

from __future__ import annotations

import pytest

from simulated_cloud import Bend, Fault
from support.route_stage import JOB, Stage

CANCEL = ("POST", "/api/jobs/cancel")


async def can_cancel(stage: Stage) -> object:
    return (await stage.ask("status")).json["can_cancel"]


async def test_running_jobs_are_cancelled_and_finished_jobs_are_reported_as_finished(stage: Stage) -> None:
    active, done = [job.id for job in stage.cloud.active[:3]], stage.cloud.finished[0].id
    assert await can_cancel(stage) is None
    answer = await stage.ask("cancel", {"ids": [active[0].upper(), done, *active]})
    assert answer.json == {"cancelled": active, "finished_already": [done]}
    assert {stage.cloud.jobs[job_id].status for job_id in active} == {"cancelled"}
    assert await can_cancel(stage) is True
    assert stage.cloud.history_posts == []
    assert [event["kind"] for name, event in stage.events if name == "cloud_history.changed"] == ["cancel"]


async def test_one_unknown_id_does_not_prevent_other_jobs_from_being_cancelled(stage: Stage) -> None:
    active = [job.id for job in stage.cloud.active[:2]]
    answer = await stage.ask("cancel", {"ids": [JOB, *active]})
    assert answer.json == {"cancelled": active, "finished_already": [JOB]}
    assert await can_cancel(stage) is True


@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize("others", [[], [JOB]])
async def test_a_server_without_the_cancel_route_is_reported_as_such(
    stage: Stage, status: int, others: list[str]
) -> None:
    stage.cloud.faults.append(Fault(CANCEL, "status", status=status, times=None))
    done = [stage.cloud.finished[0].id] if others else []
    answer = await stage.ask("cancel", {"ids": [stage.cloud.active[0].id, *others, *done]})
    assert (answer.status, answer.code) == (501, "not_supported")
    assert await can_cancel(stage) is False


async def test_a_cancel_without_running_jobs_leaves_cancel_support_unknown(stage: Stage) -> None:
    stage.cloud.faults.append(Fault(CANCEL, "status", status=404, times=None))
    answer = await stage.ask("cancel", {"ids": [JOB]})
    assert answer.json == {"cancelled": [], "finished_already": [JOB]}
    assert await can_cancel(stage) is None


async def test_a_running_job_missing_from_the_answers_is_not_reported_as_finished(stage: Stage) -> None:
    stage.cloud.bends += [Bend.read("hides_jobs"), Bend.read("details_not_found")]
    running = stage.cloud.active[0].id
    stage.cloud.faults.append(Fault(CANCEL, "status", status=400, json={"message": "no"}, times=None))
    answer = await stage.ask("cancel", {"ids": [running, JOB]})
    assert answer.code == "list_not_whole"
    assert answer.json["error"]["message"].startswith("The list of jobs could not be read whole")


async def test_a_network_failure_is_not_mistaken_for_a_missing_route(stage: Stage) -> None:
    active = stage.cloud.active[0].id
    stage.cloud.faults.append(Fault(CANCEL, "status", status=404, times=None))
    stage.cloud.faults.append(Fault(("GET", "/api/jobs"), "status", status=500, times=None))
    answer = await stage.ask("cancel", {"ids": [active]})
    assert (answer.status, answer.code) == (502, "server_fault")
    assert await can_cancel(stage) is None


@pytest.mark.parametrize("status", [400, 401, 402, 403, 422, 500, 503])
async def test_a_refused_cancel_gives_its_reason_and_does_not_mark_the_route_as_missing(
    stage: Stage, status: int
) -> None:
    stage.cloud.faults.append(Fault(CANCEL, "status", status=status, times=None))
    answer = await stage.ask("cancel", {"ids": [stage.cloud.active[0].id]})
    assert (answer.status, answer.json["error"]["status"]) == (502, status)
    assert await can_cancel(stage) is None


async def test_a_cancel_request_whose_answer_was_lost_is_not_repeated(stage: Stage) -> None:
    stage.cloud.faults.append(Fault(CANCEL, "reset_after_body", times=None))
    answer = await stage.ask("cancel", {"ids": [stage.cloud.active[0].id]})
    assert (answer.status, answer.code) == (503, "unreachable")
    assert len(stage.cloud.requests_to(*CANCEL)) == 1


async def test_cancelled_ids_that_were_not_requested_are_ignored(stage: Stage) -> None:
    mine = stage.cloud.active[0].id
    said = {"cancelled": [mine, stage.cloud.active[1].id]}
    stage.cloud.faults.append(Fault(CANCEL, "status", status=200, json=said, times=None))
    assert (await stage.ask("cancel", {"ids": [mine]})).json == {"cancelled": [mine], "finished_already": []}


@pytest.mark.parametrize("ids", [[], [""], ["x"], [None], [[JOB]], [f"{JOB},{JOB}"], [f"{JOB}/../x"]], ids=str)
async def test_an_invalid_list_of_job_ids_is_refused(stage: Stage, ids: list[object]) -> None:
    answer = await stage.ask("cancel", {"ids": ids})
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert stage.cloud.requests == []


async def test_at_most_a_hundred_jobs_can_be_cancelled_at_once(stage: Stage) -> None:
    ids = [job.id for job in stage.cloud.finished[:101]]
    assert (await stage.ask("cancel", {"ids": ids})).code == "invalid_request"
    assert stage.cloud.requests == []
    assert (await stage.ask("cancel", {"ids": ids[:100]})).json["finished_already"] == ids[:100]
