"""Previewing a retention policy in the panel, and deleting jobs by the policy."""

from __future__ import annotations

import pytest

from support.route_stage import Stage
from support.small_history import CASES, fill


async def test_a_preview_lists_the_jobs_to_delete_and_why_the_others_are_kept(stage: Stage) -> None:
    answer = (await stage.ask("clean_up", {"policy": {"keep_last": 50}})).json
    finished = len(stage.cloud.finished)
    assert (answer["total"], answer["finished"]) == (len(stage.cloud.jobs), finished)
    assert answer["go"] == finished - 50
    assert {"reason": "last", "n": 50, "count": 50} in answer["kept"]
    assert sum(each["count"] for each in answer["kept"]) + answer["go"] == answer["total"]
    assert sum(row["keep"] is None for row in answer["rows"]) == min(200, answer["go"])
    assert [row["keep"] for row in answer["rows"]].count("last") == 50
    assert stage.cloud.history_posts == []


@pytest.mark.parametrize(("policy", "goes"), CASES, ids=str)
async def test_every_field_of_a_policy_is_used_in_the_preview_and_the_deletion(
    stage: Stage, policy: dict[str, object], goes: str
) -> None:
    jobs = fill(stage.cloud)
    tried = (await stage.ask("clean_up", {"policy": policy})).json
    assert [row["job"]["id"] for row in tried["rows"] if row["keep"] is None] == [jobs[each] for each in goes]
    shown = await stage.preview(policy=policy, allow_large=True)
    assert [row["id"] for row in shown["rows"]] == [jobs[each] for each in goes]


async def test_previewing_several_policies_reads_the_job_list_once(stage: Stage) -> None:
    for number in range(5):
        await stage.ask("clean_up", {"policy": {"keep_last": number + 1}})
    assert len(stage.cloud.requests) == 1


async def test_the_job_list_is_read_again_after_a_deletion(stage: Stage) -> None:
    before = (await stage.ask("clean_up", {"policy": {"keep_last": 5}})).json["total"]
    await stage.ask("delete", {"token": (await stage.preview(ids=[stage.cloud.finished[0].id]))["token"]})
    assert (await stage.ask("clean_up", {"policy": {"keep_last": 5}})).json["total"] == before - 1


async def test_jobs_to_delete_are_listed_even_below_many_newer_kept_jobs(stage: Stage) -> None:
    for _ in range(400):
        stage.cloud.add_job("completed")
    answer = (await stage.ask("clean_up", {"policy": {"keep_last": 400}})).json
    going = [row for row in answer["rows"] if row["keep"] is None]
    assert len(going) == min(200, answer["go"])
    times = [row["job"]["created"] for row in answer["rows"]]
    assert times == sorted(times, reverse=True)
    assert len(answer["rows"]) <= 400


async def test_the_preview_says_if_a_policy_is_empty_or_deletes_all_or_most_jobs(stage: Stage) -> None:
    empty = (await stage.ask("clean_up", {"policy": {}})).json
    assert (empty["empty"], empty["all"], empty["large"]) == (True, True, True)
    large = (await stage.ask("clean_up", {"policy": {"keep_last": 1}})).json
    assert (large["empty"], large["all"], large["large"]) == (False, False, True)


async def test_exactly_what_the_policy_does_not_keep_is_deleted_and_logged(stage: Stage) -> None:
    policy = {"keep_last": len(stage.cloud.finished) - 10}
    shown = await stage.preview(policy=policy)
    assert (shown["kind"], shown["removable"]) == ("delete", 10)
    going = {row["id"] for row in shown["rows"]}
    before = {job.id for job in stage.cloud.finished}
    stage.cloud.add_job("completed")  # the policy would now take another one
    answer = await stage.ask("delete", {"token": shown["token"]})
    assert answer.json["result"]["counts"]["deleted"] == 10
    assert before - {job.id for job in stage.cloud.finished} == going
    assert (await stage.ask("record")).json["entries"][0]["origin"] == "clean_up"


async def test_the_result_of_a_clean_up_says_which_jobs_stay_and_why(stage: Stage) -> None:
    await stage.ask("protect", {"protect": True, "ids": [stage.cloud.finished[0].id]})
    shown = await stage.preview(policy={"keep_last": 5}, allow_large=True)
    stage.cloud.finish(stage.cloud.active[0].id, "completed")
    result = (await stage.ask("delete", {"token": shown["token"]})).json["result"]
    assert result["counts"]["deleted"] == shown["removable"]
    stay = {reason: count for reason, count in result["stay"].items() if count}
    active = len(stage.cloud.active)
    assert stay == {"active": active, "protected": 1, "kept": 5, "finished_meanwhile": 1}
    assert sum(stay.values()) == len(stage.cloud.listed())


async def test_a_deletion_of_chosen_jobs_does_not_count_what_stays(stage: Stage) -> None:
    shown = await stage.preview(ids=[stage.cloud.finished[0].id])
    result = (await stage.ask("delete", {"token": shown["token"]})).json["result"]
    assert result["stay"] is None


async def test_a_policy_that_deletes_most_jobs_needs_explicit_permission(stage: Stage) -> None:
    answer = await stage.ask("preview", {"policy": {"keep_last": 1}})
    assert (answer.status, answer.code) == (400, "policy_refused")
    shown = await stage.preview(policy={"keep_last": 1}, allow_large=True)
    assert shown["removable"] == len(stage.cloud.finished) - 1
    refused = await stage.ask("preview", {"policy": {}, "allow_large": True})
    assert (refused.status, refused.code) == (400, "policy_refused")


async def test_protected_jobs_are_kept(stage: Stage) -> None:
    oldest = stage.cloud.finished[-1].id
    await stage.ask("protect", {"protect": True, "ids": [oldest]})
    keep = len(stage.cloud.finished) - 10
    shown = await stage.preview(policy={"keep_last": keep})
    assert oldest not in {row["id"] for row in shown["rows"]}
    tried = (await stage.ask("clean_up", {"policy": {"keep_last": keep}})).json
    assert tried["go"] == shown["removable"]
    newest = stage.cloud.finished[0].id
    await stage.ask("protect", {"protect": True, "ids": [newest]})
    shown = await stage.preview(policy={"keep_last": keep})
    tried = (await stage.ask("clean_up", {"policy": {"keep_last": keep}})).json
    assert shown["skipped"]["protected"] == 2, "also the one that a rule keeps"
    assert {"reason": "protected", "n": None, "count": 2} in tried["kept"]
    assert shown["chosen"] == tried["finished"]


@pytest.mark.parametrize(
    "policy",
    [
        {"keep_last": -1},
        {"keep_last": "3"},
        {"keep_last": True},
        {"keep_within": "soon"},
        {"keep_within": 3},
        {"keep_within": "x" * 200},
        {"statuses": []},
        {"statuses": ["active"]},
        {"statuses": [[]]},
        {"statuses": "failed"},
        {"workflow_id": 7},
        {"per_workflow": "yes"},
        {"keep_all": 1},
    ],
)
async def test_a_policy_that_cannot_be_read_is_refused(stage: Stage, policy: dict[str, object]) -> None:
    for route, body in (
        ("clean_up", {"policy": policy}),
        ("preview", {"policy": {"keep_last": 1, **policy}}),
    ):
        answer = await stage.ask(route, body)
        assert answer.status == 400, body
        assert answer.code in ("invalid_request", "policy_refused"), body
    assert stage.cloud.requests == []
