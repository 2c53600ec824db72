"""A clear from the menu sends exactly what the confirmed preview showed, or nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import SimulatedCloud
from support.no_backups import without_backups
from support.requests import delete_jobs
from support.route_stage import OTHER_KEY, Gate, Stage, serving


async def preview(stage: Stage) -> str:
    answer = await stage.ask("preview")
    assert answer.status == 200, answer
    return str(answer.json["token"])


async def test_a_preview_counts_what_a_clear_would_remove_and_sends_nothing(stage: Stage) -> None:
    cloud = stage.cloud
    shown = (await stage.ask("preview")).json
    assert shown["finished"] == len(cloud.finished)
    assert shown["counts"] == {
        "completed": len(cloud.listed("completed")),
        "failed": len(cloud.listed("failed")),
        "cancelled": len(cloud.listed("cancelled")),
        "active": len(cloud.active),
    }
    assert shown["expires_in"] == 300
    assert shown["last4"] == cloud.api_key[-4:]
    assert shown["source"] == "env"
    assert shown["host"] == cloud.base_url.removeprefix("http://")
    assert cloud.history_posts == []


async def test_a_preview_of_a_clear_shows_when_its_jobs_were_created_and_the_newest_of_them(stage: Stage) -> None:
    shown = (await stage.ask("preview")).json
    created = sorted(job.create_time for job in stage.cloud.finished)
    assert (shown["oldest"], shown["newest"]) == (created[0], created[-1])
    assert shown["rows"][0]["created"] == shown["newest"]
    assert {row["id"] for row in shown["rows"]} <= {job.id for job in stage.cloud.finished}


async def test_a_clear_with_a_backup_is_previewed_by_exact_jobs(stage: Stage) -> None:
    assert (await stage.ask("preview", {"clear": True})).json["kind"] == "clear"
    shown = (await stage.ask("preview", {"clear": True, "backup": True})).json
    assert (shown["kind"], shown["everything"]) == ("delete", True)
    assert shown["finished"] == shown["removable"] == len(stage.cloud.finished)
    assert shown["backup_estimate"]["workflows"] == len(stage.cloud.finished)
    assert stage.operations.backup_estimates.pace(shown["account"]).latencies, (
        "the preview measures Comfy Cloud's answers"
    )
    answer = await stage.ask("delete", {"token": shown["token"], "backup": True})
    assert answer.json["result"]["backed_up"] == len(answer.json["result"]["jobs"]) + shown["removable"]


async def test_a_clear_with_a_backup_says_how_many_jobs_finished_meanwhile_and_stay(stage: Stage) -> None:
    shown = (await stage.ask("preview", {"clear": True, "backup": True})).json
    running = stage.cloud.active[0].id
    stage.cloud.finish(running, "completed")
    stage.cloud.add_job("failed")
    answer = await stage.ask("delete", {"token": shown["token"], "backup": True})
    result = answer.json["result"]
    assert (result["counts"]["deleted"], result["finished_meanwhile"]) == (shown["removable"], 2)
    assert "2 jobs finished meanwhile and stay." in result["report"]
    assert {job.id for job in stage.cloud.finished} >= {running}


async def test_a_clear_by_exact_jobs_says_which_jobs_stay_as_the_list_shows_them_afterwards(stage: Stage) -> None:
    kept, gone_elsewhere, *_ = (job.id for job in stage.cloud.finished)
    await stage.ask("protect", {"protect": True, "ids": [kept, gone_elsewhere]})
    shown = (await stage.ask("preview", {"clear": True, "backup": False})).json
    active = len(stage.cloud.active)
    del stage.cloud.jobs[gone_elsewhere]
    result = (await stage.ask("delete", {"token": shown["token"], "backup": False})).json["result"]
    assert (result["stay"]["active"], result["stay"]["protected"]) == (active, 1), "not the numbers of the preview"
    assert sum(result["stay"].values()) == len(stage.cloud.listed()) == active + 1
    assert f"{active + 1} jobs stay: {active} active, 1 protected." in result["report"]


async def test_confirming_a_preview_sends_one_clear_and_reports_the_removed_jobs(stage: Stage) -> None:
    finished, active = len(stage.cloud.finished), len(stage.cloud.active)
    answer = await stage.ask("clear", {"token": await preview(stage)})
    assert (answer.status, answer.json["state"]) == (200, "done")
    result = answer.json["result"]
    assert (result["kind"], result["outcome"], result["error"]) == ("clear", "deleted", None)
    assert (result["before"], result["removed"], result["listed"]) == (finished, finished, 0)
    assert result["active"] == active
    assert stage.cloud.history_posts == [{"clear": True}]
    assert stage.cloud.finished == []
    assert stage.cloud.forbidden_calls == 0


async def test_a_finished_clear_is_announced_listed_in_the_status_and_its_record_removed(stage: Stage) -> None:
    answer = (await stage.ask("clear", {"token": await preview(stage)})).json
    name = answer["operation"]
    announced = {"operation": name, "kind": "clear", "ended": True}
    assert ("cloud_history.changed", announced) in stage.events
    status = (await stage.ask("status")).json
    assert status["finished"] == [{"operation": answer["operation"], "result": answer["result"]}]
    assert status["running"] is None
    assert status["unresolved"] == []
    assert stage.operations.queue.in_flight.entries() == []


async def test_simultaneous_confirmations_with_one_token_send_once(stage: Stage) -> None:
    token = await preview(stage)
    answers = await asyncio.gather(*(stage.ask("clear", {"token": token}) for _ in range(8)))
    assert (
        sorted(answer.status for answer in answers)[:2] == [200, 409]
        or [answer.status for answer in answers].count(200) == 1
    )
    assert {answer.code for answer in answers if answer.status != 200} <= {"busy", "preview_expired"}
    assert stage.cloud.history_posts == [{"clear": True}]


async def test_a_clear_token_works_once_and_only_with_the_key_of_its_preview(stage: Stage) -> None:
    environ = stage.operations._environ
    assert isinstance(environ, dict)
    token, mine = await preview(stage), environ["COMFY_CLOUD_API_KEY"]
    environ["COMFY_CLOUD_API_KEY"] = OTHER_KEY
    assert (await stage.ask("clear", {"token": token})).code == "preview_expired"
    environ["COMFY_CLOUD_API_KEY"] = mine
    assert (await stage.ask("clear", {"token": token})).code == "preview_expired"
    assert stage.cloud.history_posts == []


async def test_if_more_jobs_finished_since_the_preview_no_clear_is_sent_and_the_new_count_is_shown(
    stage: Stage,
) -> None:
    token, before = await preview(stage), len(stage.cloud.finished)
    stage.cloud.add_job("failed")
    answer = await stage.ask("clear", {"token": token})
    assert (answer.status, answer.code) == (409, "count_rose")
    assert stage.cloud.history_posts == []
    shown = answer.json["preview"]
    assert shown["finished"] == before + 1
    assert shown["token"] != token
    assert (await stage.ask("status")).json["unresolved"] == []
    assert (await stage.ask("clear", {"token": shown["token"]})).json["result"]["removed"] == before + 1


async def test_a_clear_that_takes_longer_than_the_hold_goes_on_and_reports(brief: Stage, gate: Gate) -> None:
    token = await preview(brief)
    gate.close()
    answer = await brief.ask("clear", {"token": token})
    assert (answer.status, answer.json["state"]) == (202, "running")
    operation = answer.json["operation"]
    running = (await brief.ask("status")).json
    assert (running["running"]["operation"], running["finished"]) == (operation, [])
    assert running["unresolved"] == []
    assert [entry.operation for entry in brief.operations.queue.in_flight.entries()] == [operation]
    gate.open()
    result = await brief.announced()
    assert result["outcome"] == "deleted"
    status = (await brief.ask("status")).json
    assert status["finished"] == [{"operation": operation, "result": result}]
    assert status["running"] is None


async def test_a_second_clear_during_the_first_is_refused_and_its_token_stays_valid(brief: Stage, gate: Gate) -> None:
    first, second = await preview(brief), await preview(brief)
    gate.close()
    assert (await brief.ask("clear", {"token": first})).status == 202
    busy = await brief.ask("clear", {"token": second})
    assert (busy.status, busy.code, busy.json["origin"]) == (409, "busy", "menu")
    gate.open()
    await brief.announced()
    # The second token is accepted, but the history has changed since its preview.
    again = await brief.ask("clear", {"token": second})
    assert (again.status, again.code) == (410, "preview_expired")
    assert "There were 231 when you looked" in again.text
    assert brief.cloud.history_posts == [{"clear": True}]


async def test_a_clear_during_a_deletion_by_a_node_is_refused_with_the_reason(stage: Stage, gate: Gate) -> None:
    token, job = await preview(stage), stage.cloud.finished[0].id
    gate.close()
    deleting = asyncio.ensure_future(delete_jobs(stage.operations, [job], "node 7", Unwatched()))
    await gate.waiting.wait()
    busy = await stage.ask("clear", {"token": token})
    assert (busy.status, busy.code, busy.json["origin"]) == (409, "busy", "node")
    gate.open()
    await deleting
    assert stage.cloud.history_posts == [{"delete": [job]}]


@pytest.mark.parametrize("cancels", [False, True])
async def test_a_confirmed_clear_continues_after_its_browser_disconnects(
    cloud: SimulatedCloud, gate: Gate, environ: dict[str, str], tmp_path: Path, cancels: bool
) -> None:
    async with serving(cloud, without_backups(tmp_path / "state"), environ, handler_cancellation=cancels) as stage:
        await stage.set_hold(0)
        token = await preview(stage)
        gate.close()
        asking = asyncio.ensure_future(stage.ask("clear", {"token": token}))
        await gate.waiting.wait()
        asking.cancel()
        await asyncio.wait({asking})
        assert (await stage.ask("status")).json["running"]["kind"] == "clear"
        gate.open()
        assert (await stage.announced())["outcome"] == "deleted"
    assert cloud.history_posts == [{"clear": True}]


async def test_a_clear_preview_ends_at_its_time_limit(brief: Stage, gate: Gate) -> None:
    gate.close()
    answer = await asyncio.wait_for(brief.ask("preview"), 5)
    assert (answer.status, answer.code) == (504, "timeout")


async def test_without_a_key_nothing_can_be_previewed_or_cleared(stage: Stage) -> None:
    environ = stage.operations._environ
    assert isinstance(environ, dict)
    token = await preview(stage)
    del environ["COMFY_CLOUD_API_KEY"]
    stage.cloud.requests.clear()
    for answer in (await stage.ask("preview"), await stage.ask("clear", {"token": token})):
        assert (answer.status, answer.code) == (409, "missing_key")
    assert stage.cloud.requests == []


async def test_a_clear_that_cannot_be_recorded_on_disk_is_not_sent(stage: Stage) -> None:
    token = await preview(stage)
    (stage.folder / "running").write_text("a file where the folder should be")
    answer = await stage.ask("clear", {"token": token})
    assert (answer.status, answer.code) == (409, "state_unwritable")
    assert str(stage.folder) not in answer.text
    assert stage.cloud.history_posts == []
    assert (await stage.ask("status")).status == 200


async def test_an_internal_error_shows_no_path_traceback_or_key(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def count(connection: object) -> None:
        raise RuntimeError(f"/home/somebody/{stage.cloud.api_key}")

    monkeypatch.setattr(stage.operations, "count", count)
    answer = await stage.ask("preview")
    assert (answer.status, answer.code) == (500, "internal")
    for leak in ("Traceback", "RuntimeError", "/home", stage.cloud.api_key, ".py"):
        assert leak not in answer.text
    assert "RuntimeError" in caplog.text
    assert stage.cloud.api_key not in caplog.text
