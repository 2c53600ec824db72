"""Jobs protected in the browser are left out of deletions and clears."""

from __future__ import annotations

import pytest

from support.route_stage import Stage


def finished(stage: Stage, count: int) -> list[str]:
    return [job.id for job in stage.cloud.finished[:count]]


async def test_protecting_and_unprotecting_is_answered_announced_and_saved(stage: Stage) -> None:
    first, second = finished(stage, 2)
    answer = await stage.ask("protect", {"protect": True, "ids": [first, second], "workflows": ["flow"]})
    assert answer.json == {"jobs": sorted([first, second]), "workflows": ["flow"]}
    assert stage.events[-1][1]["kind"] == "protection"
    await stage.ask("protect", {"protect": False, "ids": [first]})
    assert (await stage.ask("protection")).json == {"jobs": [second], "workflows": ["flow"]}
    status = (await stage.ask("status")).json
    assert status["protection"] == {"jobs": 1, "workflows": 1, "damaged": None}


@pytest.mark.parametrize(
    "body",
    [
        {"protect": True},
        {"ids": ["x"]},
        {"protect": True, "ids": []},
        {"protect": True, "ids": ["all"]},
        {"protect": True, "workflows": [""]},
        {"protect": True, "workflows": [7]},
        {"protect": True, "workflows": ["x" * 101]},
    ],
)
async def test_an_invalid_protection_request_is_refused_and_changes_nothing(
    stage: Stage, body: dict[str, object]
) -> None:
    answer = await stage.ask("protect", body)
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert (await stage.ask("protection")).json == {"jobs": [], "workflows": []}


async def test_a_workflow_id_that_contains_the_key_is_refused_and_not_saved(stage: Stage) -> None:
    for workflow in (stage.cloud.api_key, f"x{stage.cloud.api_key}", "shown as [hidden]"):
        answer = await stage.ask("protect", {"protect": True, "workflows": ["flow", workflow]})
        assert (answer.status, answer.code) == (400, "invalid_request")
        assert stage.cloud.api_key not in answer.text
    assert (await stage.ask("protection")).json == {"jobs": [], "workflows": []}
    assert stage.cloud.api_key not in str(stage.kept_files())


async def test_a_preview_leaves_protected_jobs_out_and_says_how_many(stage: Stage) -> None:
    ids = finished(stage, 3)
    await stage.ask("protect", {"protect": True, "ids": ids[:1]})
    shown = await stage.preview(ids=ids)
    assert (shown["kind"], shown["everything"], shown["removable"]) == ("delete", False, 2)
    assert shown["skipped"]["protected"] == 1


async def test_while_anything_is_protected_a_clear_deletes_the_others_by_their_ids(stage: Stage) -> None:
    kept = finished(stage, 1)
    everything = len(stage.cloud.finished)
    await stage.ask("protect", {"protect": True, "ids": kept})
    shown = await stage.preview()
    assert (shown["kind"], shown["everything"], shown["removable"]) == ("delete", True, everything - 1)
    staying = {"active": len(stage.cloud.active), "unknown": 0, "already_gone": 0, "protected": 1}
    assert shown["skipped"] == staying
    assert (await stage.ask("clear", {"token": shown["token"]})).status == 400
    shown = await stage.preview()
    answer = await stage.ask("delete", {"token": shown["token"]})
    assert answer.json["result"]["counts"]["deleted"] == everything - 1
    assert [job.id for job in stage.cloud.finished] == kept
    assert not [body for body in stage.cloud.history_posts if "clear" in body]


async def test_a_confirmed_clear_is_not_sent_if_a_job_was_protected_after_the_preview(stage: Stage) -> None:
    shown = await stage.preview()
    await stage.ask("protect", {"protect": True, "ids": finished(stage, 1)})
    answer = await stage.ask("clear", {"token": shown["token"]})
    assert (answer.status, answer.code) == (410, "preview_expired")
    assert stage.cloud.history_posts == []


async def test_a_damaged_protection_list_stops_previews_and_deletions_with_its_file_name(stage: Stage) -> None:
    shown = await stage.preview(ids=finished(stage, 2))
    cleared = await stage.preview()
    stage.damage_protection()
    for answer in (
        await stage.ask("preview", {"clear": True}),
        await stage.ask("preview", {"ids": finished(stage, 1)}),
        await stage.ask("delete", {"token": shown["token"]}),
        await stage.ask("clear", {"token": cleared["token"]}),
        await stage.ask("protect", {"protect": True, "ids": finished(stage, 1)}),
    ):
        assert (answer.status, answer.code) == (409, "protection_damaged")
        assert str(stage.folder) not in answer.text
    assert stage.cloud.history_posts == []
    assert (await stage.ask("status")).json["protection"]["damaged"] == "protected.json"
    kept_as = (await stage.ask("start_empty")).json["kept_as"]
    assert (stage.folder / kept_as).read_text() == "{"
    assert (await stage.preview(ids=finished(stage, 2)))["removable"] == 2


async def test_the_list_can_be_filtered_by_protection(stage: Stage) -> None:
    kept = finished(stage, 2)
    await stage.ask("protect", {"protect": True, "ids": kept})
    for wanted, expected in ((True, set(kept)), (False, {*stage.cloud.jobs} - set(kept))):
        answer = await stage.ask("jobs", {"filter": {"protected": wanted}})
        found = {row["id"] for line in answer.lines if line["type"] == "jobs" for row in line["jobs"]}
        assert found == expected
        assert (await stage.preview(filter={"protected": wanted}))["skipped"]["protected"] == (2 if wanted else 0)
    refused = await stage.ask("jobs", {"filter": {"protected": "yes"}})
    assert (refused.status, refused.code) == (400, "invalid_request")
