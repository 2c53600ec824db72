"""Deleting a selection: exactly the previewed jobs are sent, whatever has happened since."""

from __future__ import annotations

import pytest

from simulated_cloud import Fault
from support.route_stage import JOB, Stage


async def test_a_preview_of_ids_lists_exactly_the_jobs_that_would_be_deleted(stage: Stage) -> None:
    jobs = stage.cloud.listed("completed")[:5] + stage.cloud.listed("failed")[:2]
    jobs += stage.cloud.listed("cancelled")[:1]
    shown = await stage.preview(ids=[job.id for job in jobs])
    assert (shown["removable"], shown["expires_in"], shown["hold_seconds"]) == (8, 300, 0)
    assert shown["by_status"] == {"completed": 5, "failed": 2, "cancelled": 1}
    assert shown["skipped"] == {"active": 0, "unknown": 0, "already_gone": 0, "protected": 0}
    created = [job.create_time for job in jobs]
    assert (shown["oldest"], shown["newest"]) == (min(created), max(created))
    assert shown["outputs"] == sum(len(job.files) for job in jobs)
    assert [row["id"] for row in shown["rows"]] == [job.id for job in jobs]
    assert (shown["last4"], shown["source"]) == (stage.cloud.api_key[-4:], "env")
    assert stage.cloud.history_posts == []


@pytest.mark.parametrize("many", [False, True])
async def test_jobs_that_are_not_deleted_are_counted_by_reason_and_never_sent(stage: Stage, many: bool) -> None:
    cloud = stage.cloud
    gone, odd, *rest = [job.id for job in cloud.finished[: 60 if many else 6]]
    cloud.account.delete([gone], 0.0)
    cloud.jobs[odd].overrides["status"] = "teleported"
    active = [job.id for job in cloud.active[:4]]
    shown = await stage.preview(ids=[JOB, gone, odd, *active, *rest])
    assert shown["skipped"] == {"active": 4, "unknown": 1, "already_gone": 2, "protected": 0}
    assert shown["removable"] == len(rest)
    answer = await stage.ask("delete", {"token": shown["token"]})
    assert answer.json["result"]["counts"]["deleted"] == len(rest)
    assert cloud.history_posts == [{"delete": rest}]
    assert len(cloud.active) >= 4


@pytest.mark.parametrize("hold", [False, True])
async def test_the_result_names_the_selected_jobs_that_stayed_and_why(stage: Stage, hold: bool) -> None:
    cloud = stage.cloud
    gone, protected = [job.id for job in cloud.finished[:2]]
    active = cloud.active[0].id
    stage.operations.protection.change(protect=True, jobs=[protected])
    asked = [active, gone, protected]
    if hold:
        stage.operations.settings.change(hold_seconds=10)
        held = await stage.held(ids=asked)
        assert held["ids"] == [gone], "a hold is about the jobs that will be removed"
        assert held["jobs"] == 1
        stage.timer.wait(10)
        result = await stage.announced()
    else:
        answer = await stage.ask("delete", {"token": (await stage.preview(ids=asked))["token"]})
        result = answer.json["result"]
    assert {job_id: each["outcome"] for job_id, each in result["jobs"].items()} == {
        active: "active",
        protected: "protected",
    }
    assert sorted(row["id"] for row in result["left"]) == sorted([active, protected])
    assert f"1 active, left alone\n  {active}" in result["report"]
    assert f"1 protected, kept\n  {protected}" in result["report"]
    assert cloud.history_posts == [{"delete": [gone]}]
    (entry, *_) = (await stage.ask("record")).json["entries"]
    assert (entry["asked"], entry["removed"]) == (3, 1)


async def test_a_confirmed_filter_does_not_delete_jobs_that_arrive_after_the_preview(stage: Stage) -> None:
    matched = [job.id for job in stage.cloud.listed("failed")]
    shown = await stage.preview(filter={"statuses": ["failed"]})
    assert shown["removable"] == len(matched)
    late = [stage.cloud.add_job("failed").id for _ in range(30)]
    result = (await stage.ask("delete", {"token": shown["token"]})).json["result"]
    assert result["counts"]["deleted"] == len(matched)
    sent = [job_id for body in stage.cloud.history_posts for job_id in body["delete"]]
    assert sorted(sent) == sorted(matched)
    assert not [job_id for job_id in late if stage.cloud.jobs[job_id].deleted]


async def test_a_held_filter_does_not_delete_jobs_that_arrive_during_the_hold(stage: Stage) -> None:
    matched = [job.id for job in stage.cloud.listed("failed")]
    await stage.held(filter={"statuses": ["failed"]})
    for _ in range(30):
        stage.cloud.add_job("failed")
    stage.timer.wait(10)
    assert (await stage.announced())["total"] == len(matched)
    sent = [job_id for body in stage.cloud.history_posts for job_id in body["delete"]]
    assert sorted(sent) == sorted(matched)
    assert len(stage.cloud.listed("failed")) == 30


async def test_a_preview_shows_only_the_first_200_jobs_and_all_jobs_are_deleted(stage: Stage) -> None:
    shown = await stage.preview(filter={"statuses": ["completed", "failed", "cancelled", "active"]})
    assert len(stage.cloud.finished) > 200
    assert (shown["removable"], len(shown["rows"])) == (len(stage.cloud.finished), 200)
    assert shown["skipped"]["active"] == len(stage.cloud.active)
    assert (await stage.ask("delete", {"token": shown["token"]})).json["result"]["counts"]["deleted"] == len(
        stage.cloud.deleted
    )
    assert stage.cloud.finished == []


async def test_a_preview_without_jobs_to_delete_cannot_be_confirmed(stage: Stage) -> None:
    selections: list[dict[str, object]] = [{"ids": [JOB]}, {"filter": {"statuses": ["active"]}}]
    selections.append({"filter": {"search": "\x00no"}})
    for selection in selections:
        shown = await stage.preview(**selection)
        assert (shown["removable"], shown["rows"], shown["oldest"], shown["newest"]) == (0, [], None, None)
        answer = await stage.ask("delete", {"token": shown["token"]})
        assert (answer.status, answer.code) == (400, "invalid_request")
    assert stage.cloud.history_posts == []


async def test_a_preview_token_works_once_and_only_for_its_kind_of_deletion(stage: Stage) -> None:
    clear, delete = await stage.preview(), await stage.preview(ids=[stage.cloud.finished[0].id])
    for route, token in (("delete", clear["token"]), ("clear", delete["token"])):
        answer = await stage.ask(route, {"token": token})
        assert (answer.status, answer.code) == (400, "invalid_request")
        for again in ("clear", "delete"):
            assert (await stage.ask(again, {"token": token})).code == "preview_expired"
    assert stage.cloud.history_posts == []


async def test_no_preview_is_made_if_the_list_cannot_be_read_completely(stage: Stage) -> None:
    stage.cloud.faults.append(Fault(("GET", "/api/jobs"), "status", status=500, times=None))
    selections: list[dict[str, object]] = [{"ids": [stage.cloud.finished[0].id]}, {"filter": {}}]
    for selection in selections:
        answer = await stage.ask("preview", selection)
        assert (answer.status, answer.code) == (502, "server_fault")
        assert "token" not in answer.json


NOT_PLAIN: list[dict[str, object]] = [
    {"ids": []},
    {"ids": [""]},
    {"ids": ["*"]},
    {"ids": [None]},
    {"ids": [[JOB]]},
    {"ids": [f"{JOB} {JOB}"]},
    {"ids": [f'["{JOB}"]']},
    {"ids": [JOB, "x"]},
    {"ids": [f"../{JOB}"]},
    {"ids": [f"{{{JOB}}}"]},
    {"ids": [JOB], "filter": {}},
    {"ids": [JOB], "clear": True},
    {"filter": {}, "clear": True},
    {"filter": {"status": ["failed"]}},
    {"filter": {"statuses": "failed"}},
    {"filter": {"statuses": ["finished"]}},
    {"filter": {"statuses": [None]}},
    {"filter": {"statuses": [["failed"]]}},
    {"filter": {"search": 5}},
    {"filter": {"search": "x" * 201}},
    {"filter": {"search": "\ud800"}},
    {"filter": {"workflow_id": "\udfff"}},
    {"filter": {"workflow_id": None}},
    {"filter": {"after": True}},
    {"filter": {"after": "1"}},
    {"filter": {"after": -1}},
    {"filter": {"before": 1e14}},
    {"filter": {"before": 10**300}},
    {"filter": {"before": float("nan")}},
    {"filter": {"before": float("inf")}},
    {"filter": {"output_type": "svg"}},
    {"filter": {"output_type": ["image"]}},
]


async def test_an_ambiguous_selection_is_refused_and_never_read_as_a_larger_one(target: Stage) -> None:
    for body in NOT_PLAIN:
        for route in ("preview", "jobs") if set(body) == {"filter"} else ("preview",):
            answer = await target.ask(route, body)
            assert (answer.status, answer.code) == (400, "invalid_request"), body
        assert target.cloud.requests == [], body


async def test_repeated_and_upper_case_ids_count_as_one_job(stage: Stage) -> None:
    job = stage.cloud.finished[0].id
    assert (await stage.preview(ids=[job.upper(), job]))["removable"] == 1
