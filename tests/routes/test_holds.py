"""The server's clock decides how long a held deletion can be undone, whatever the browser does."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest

from cloud_history.deletion import holds
from cloud_history.tasks.stopping import Unwatched
from cloud_history.tasks.threads import run_in_thread
from simulated_cloud import Fault, SimulatedCloud
from support.requests import delete_jobs
from support.route_stage import OTHER_KEY, Gate, Stage, serving


def some(stage: Stage, count: int = 1, after: int = 0) -> list[str]:
    """Return the ids of finished jobs."""
    return [job.id for job in stage.cloud.finished[after : after + count]]


async def test_a_confirmed_deletion_is_held_for_ten_seconds_unless_set_otherwise(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path
) -> None:
    async with serving(cloud, tmp_path / "state", environ) as stage:
        ids = some(stage, 3)
        shown = await stage.preview(ids=ids)
        assert shown["hold_seconds"] == 10
        answer = await stage.ask("delete", {"token": shown["token"]})
        hold = answer.json["hold"]
        more = {"kind": "delete", "jobs": 3, "ids": ids, "seconds_left": 10.0, "state": "holding"}
        named = {"id": shown["operation"], "account": shown["account"], "origin": "panel", "first": shown["rows"][0]}
        named |= {"backup": True, "stopping": False}
        assert (answer.status, hold) == (202, named | more)
        stage.timer.wait(9.5)
        (listed,) = (await stage.ask("status")).json["holds"]
        assert listed == {**hold, "seconds_left": 0.5}
        assert cloud.history_posts == []


async def test_a_hold_says_whether_a_backup_comes_first(stage: Stage) -> None:
    for backup in ("workflows", "off"):
        assert (await stage.ask("settings", {"backup": backup})).status == 200
        hold = await stage.held(ids=some(stage, 1))
        assert hold["backup"] is (backup == "workflows")
        await stage.ask("undo", {"hold": hold["id"]})


async def test_exactly_the_held_jobs_are_deleted_when_the_hold_ends(stage: Stage) -> None:
    ids = some(stage, 3)
    hold = await stage.held(ids=ids)
    stage.timer.wait(10)
    result = await stage.announced()
    assert result["counts"]["deleted"] == 3
    assert stage.cloud.history_posts == [{"delete": ids}]
    await stage.until(lambda: not stage.holds.open)
    status = (await stage.ask("status")).json
    assert (status["holds"], status["lost_holds"], status["unresolved"]) == ([], [], [])
    assert status["finished"] == [{"operation": hold["id"], "result": result}]
    assert list((stage.folder / "holds").iterdir()) == []


@pytest.mark.parametrize("ends", ["sent", "undone"])
async def test_a_hold_ends_even_if_its_file_cannot_be_removed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, ends: str
) -> None:
    monkeypatch.setattr(holds, "REMOVAL_SECONDS", 0.05)
    hold = await stage.held(ids=some(stage))
    task = stage.holds.open[0].task
    assert task is not None
    over, forget = threading.Event(), stage.holds._forget

    def hang(which: holds.Hold) -> None:
        over.wait(10)
        forget(which)

    monkeypatch.setattr(stage.holds, "_forget", hang)
    try:
        if ends == "undone":
            assert (await stage.ask("undo", {"hold": hold["id"]})).status == 200
        else:
            stage.timer.wait(10)
            await asyncio.wait_for(asyncio.wait({task}), 8)
            assert task.exception() is None
        assert stage.holds.open == []
        assert "The file of a hold could not be removed yet" in caplog.text
    finally:
        over.set()


async def test_an_internal_error_when_sending_begins_ends_the_hold(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.held(ids=some(stage))
    task = stage.holds.open[0].task
    assert task is not None

    def fails(*_: object) -> None:
        raise ValueError("a fault of ours")

    monkeypatch.setattr(stage.holds, "_changed", fails)
    stage.timer.wait(10)
    await asyncio.wait_for(asyncio.wait({task}), 8)
    assert (task.exception(), stage.holds.open) == (None, [])
    assert stage.cloud.history_posts == []
    assert (await stage.ask("status")).json["lost_holds"] == []


async def test_a_held_clear_lists_no_job_ids(stage: Stage) -> None:
    hold = await stage.held()
    assert (hold["kind"], hold["ids"], hold["jobs"]) == ("clear", [], len(stage.cloud.finished))
    stage.timer.wait(10)
    assert (await stage.announced())["outcome"] == "deleted"
    assert stage.cloud.history_posts == [{"clear": True}]


async def test_a_held_clear_is_not_sent_if_more_jobs_finished_during_the_hold(stage: Stage) -> None:
    await stage.held()
    stage.cloud.add_job("failed")
    stage.timer.wait(10)
    result = await stage.announced()
    assert (result["outcome"], result["error"]["code"]) == ("failed", "count_rose")
    assert stage.cloud.history_posts == []


async def test_a_hold_that_is_undone_is_never_sent(stage: Stage) -> None:
    hold = await stage.held(ids=some(stage, 2))
    stage.timer.wait(9.9)
    answer = await stage.ask("undo", {"hold": hold["id"]})
    assert (answer.status, answer.json["hold"]["state"]) == (200, "undone")
    stage.timer.wait(1000)
    await asyncio.sleep(0.05)
    assert stage.cloud.history_posts == []
    assert list((stage.folder / "holds").iterdir()) == []
    assert (await stage.ask("status")).json["undone"] == [hold["id"]]
    assert stage.events[-1] == (
        "cloud_history.changed",
        {"operation": hold["id"], "kind": "delete", "ended": False},
    )


async def test_undoing_a_hold_twice_succeeds_both_times(stage: Stage) -> None:
    hold = await stage.held(ids=some(stage))
    for _ in range(2):
        answer = await stage.ask("undo", {"hold": hold["id"]})
        assert (answer.status, answer.json["hold"]["state"]) == (200, "undone")


async def test_a_hold_cannot_be_undone_during_or_after_sending(stage: Stage, gate: Gate) -> None:
    hold = await stage.held(ids=some(stage))
    gate.close()
    stage.timer.wait(10)
    await gate.waiting.wait()
    (sending,) = (await stage.ask("status")).json["holds"]
    assert (sending["state"], sending["seconds_left"]) == ("sending", 0.0)
    late = await stage.ask("undo", {"hold": hold["id"]})
    assert (late.status, late.code) == (410, "too_late")
    gate.open()
    assert (await stage.announced())["counts"]["deleted"] == 1
    late = await stage.ask("undo", {"hold": hold["id"]})
    assert (late.status, late.code) == (410, "too_late")


@pytest.mark.parametrize("name", ["", "x", "f" * 32, "../../api_key", "\ud800"])
async def test_only_held_deletions_can_be_undone_or_stopped(stage: Stage, name: str) -> None:
    assert (await stage.ask("undo", {"hold": name})).code == "too_late"
    assert (await stage.ask("stop", {"operation": name})).code == "invalid_request"


async def test_each_of_several_held_deletions_can_be_undone_separately(stage: Stage) -> None:
    holds = [await stage.held(ids=some(stage, 1, after=at)) for at in range(3)]
    listed = (await stage.ask("status")).json["holds"]
    assert [each["id"] for each in listed] == [each["id"] for each in holds]
    await stage.ask("undo", {"hold": holds[1]["id"]})
    stage.timer.wait(10)
    await stage.until(lambda: len(stage.results()) == 2)
    sent = sorted(body["delete"][0] for body in stage.cloud.history_posts)
    assert sent == sorted(holds[0]["ids"] + holds[2]["ids"])


async def test_only_one_deletion_is_sent_at_a_time_and_the_others_are_shown_as_waiting(
    stage: Stage, gate: Gate
) -> None:
    first = await stage.held(ids=some(stage, 1))
    second = await stage.held(ids=some(stage, 1, after=1))
    gate.close()
    stage.timer.wait(10)
    await gate.waiting.wait()
    await stage.until(lambda: "waiting" in [each["phase"] for each in stage.operations.events.progress()])
    states = {each["id"]: each["state"] for each in (await stage.ask("status")).json["holds"]}
    assert sorted(states.values()) == ["sending", "waiting"]
    assert set(states) == {first["id"], second["id"]}
    assert {request.in_flight for request in stage.cloud.requests_to("POST", "/api/history")} <= {1}
    gate.open()
    await stage.until(lambda: len(stage.results()) == 2)
    assert len(stage.cloud.history_posts) == 2


async def test_without_another_deletion_a_hold_that_is_over_is_not_shown_as_waiting(stage: Stage, gate: Gate) -> None:
    await stage.held()
    gate.close()
    stage.timer.wait(10)
    await gate.waiting.wait()
    (counting,) = (await stage.ask("status")).json["holds"]
    assert (counting["state"], counting["seconds_left"]) == ("preparing", 0.0)
    assert (await stage.ask("progress")).json == {"operations": []}
    gate.open()
    await stage.until(stage.results)


async def test_progress_events_contain_no_progress_and_pages_fetch_it(stage: Stage, gate: Gate) -> None:
    hold = await stage.held(ids=some(stage, 2))
    assert (await stage.ask("progress")).json == {"operations": []}
    gate.close()
    stage.timer.wait(10)
    await gate.waiting.wait()
    [told] = (await stage.ask("progress")).json["operations"]
    named = {"operation": hold["id"], "hold": hold["id"], "kind": "delete"}
    assert {name: told[name] for name in named} == named
    assert (told["phase"], told["done"]) == ("checking", 0)
    gate.open()
    await stage.until(stage.results)
    assert (await stage.ask("progress")).json == {"operations": []}
    progress = [event for name, event in stage.events if name == "cloud_history.progress"]
    assert len(progress) >= 2
    assert all(event == {"operation": hold["id"], "kind": "delete"} for event in progress)
    changes = [event for name, event in stage.events if name == "cloud_history.changed"]
    assert all(set(event) == {"operation", "kind", "ended"} for event in changes)
    said = str(stage.events)
    assert not [job_id for job_id in hold["ids"] if job_id in said]


async def test_a_held_deletion_waits_for_a_deletion_by_a_node_and_is_then_sent(
    stage: Stage, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    phases: list[str] = []
    monkeypatch.setattr(stage.operations.events, "progressed", lambda *about, held: phases.append(about[2]))
    await stage.held(ids=some(stage))
    gate.close()
    node = asyncio.ensure_future(delete_jobs(stage.operations, some(stage, 1, after=5), "node 7", Unwatched()))
    await gate.waiting.wait()
    stage.timer.wait(10)
    await stage.until(lambda: [hold for hold in stage.holds.open if hold.state == "waiting"])
    gate.open()
    await node
    await stage.until(lambda: len(stage.results()) == 2)
    assert [len(body["delete"]) for body in stage.cloud.history_posts] == [1, 1]
    assert phases[:3] == ["waiting", "preparing", "checking"]


@pytest.mark.parametrize("route", ["save_key", "remove_key"])
async def test_changing_or_removing_the_key_cancels_all_holds(stage: Stage, route: str) -> None:
    await stage.held(ids=some(stage))
    await stage.held()
    status = (await stage.ask(route)).json
    assert (status["holds"], status["lost_holds"]) == ([], [])
    stage.timer.wait(1000)
    await asyncio.sleep(0.05)
    assert stage.cloud.history_posts == []
    assert len(status["undone"]) == 2


async def test_a_refused_key_cancels_no_hold(stage: Stage) -> None:
    hold = await stage.held(ids=some(stage))
    answer = await stage.ask("save_key", {"api_key": OTHER_KEY})
    assert answer.code == "unauthorized"
    assert [each["id"] for each in (await stage.ask("status")).json["holds"]] == [hold["id"]]


async def test_removing_the_key_while_a_held_clear_counts_jobs_ends_the_hold(stage: Stage, gate: Gate) -> None:
    await stage.held()
    gate.close()
    stage.timer.wait(10)
    await gate.waiting.wait()
    status = (await stage.ask("remove_key")).json
    gate.open()
    assert (status["holds"], status["unresolved"], status["running"]) == ([], [], None)
    assert stage.cloud.history_posts == []


@pytest.mark.parametrize("route", ["save_key", "remove_key"])
async def test_changing_or_removing_the_key_stops_a_deletion_whose_backup_is_being_made(
    stage: Stage, route: str
) -> None:
    details = re.compile("/api/jobs/[0-9a-f-]{36}")
    stage.cloud.faults.append(Fault(("GET", details), "slow", seconds=0.5, times=None))
    await stage.ask("settings", {"backup": "workflows"})
    hold = await stage.held(ids=some(stage, 20))
    stage.timer.wait(10)
    await stage.until(lambda: [each for each in stage.operations.events.progress() if each["phase"] == "backing_up"])
    assert (await stage.ask(route)).status == 200
    await stage.until(lambda: not stage.holds.open)
    await asyncio.sleep(0.1)
    assert stage.cloud.history_posts == []
    assert hold["id"] not in [each["id"] for each in (await stage.ask("status")).json["holds"]]


async def test_a_deletion_waiting_behind_another_can_still_be_undone(stage: Stage, gate: Gate) -> None:
    hold = await stage.held(ids=some(stage))
    gate.close()
    node = asyncio.ensure_future(delete_jobs(stage.operations, some(stage, 1, after=5), "node 7", Unwatched()))
    await gate.waiting.wait()
    stage.timer.wait(10)
    await stage.until(lambda: [each for each in stage.holds.open if each.state == "waiting"])
    undone = await stage.ask("undo", {"hold": hold["id"]})
    gate.open()
    await node
    assert (undone.status, undone.json["hold"]["state"]) == (200, "undone")
    assert all(hold["ids"][0] not in body["delete"] for body in stage.cloud.history_posts)


async def test_a_clear_undone_during_its_count_is_logged_as_not_sent(stage: Stage, gate: Gate) -> None:
    hold = await stage.held()
    gate.close()
    stage.timer.wait(10)
    await gate.waiting.wait()
    assert (await stage.ask("undo", {"hold": hold["id"]})).json["hold"]["state"] == "undone"
    gate.open()
    (recorded,) = (await stage.ask("record")).json["entries"]
    assert (recorded["operation"], recorded["state"], recorded["removed"]) == (hold["id"], "done", 0)
    assert recorded["report"] == "Nothing was sent. It was undone."


@pytest.mark.parametrize("step", ["in_flight.begin", "audit_log.intent"])
async def test_a_deletion_undone_while_it_is_recorded_is_logged_as_not_sent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    owner, name = getattr(stage.operations.queue, step.split(".")[0]), step.split(".")[1]
    write, began, go_on = getattr(owner, name), threading.Event(), threading.Event()

    def slow(*what: Any) -> None:
        began.set()
        go_on.wait(10)
        write(*what)

    before = (await stage.ask("status")).json
    hold = await stage.held()
    monkeypatch.setattr(owner, name, slow)
    stage.timer.wait(10)
    assert await run_in_thread(began.wait, 5)
    asyncio.get_running_loop().call_later(0.05, go_on.set)
    assert (await stage.ask("undo", {"hold": hold["id"]})).json["hold"]["state"] == "undone"
    status = (await stage.ask("status")).json
    assert {key: status[key] for key in ("unresolved", "running", "lost_holds")} == {
        key: before[key] for key in ("unresolved", "running", "lost_holds")
    }
    recorded = (await stage.ask("record")).json["entries"]
    assert {each["report"] for each in recorded} <= {"Nothing was sent. It was undone."}
    assert stage.cloud.deleted == []


async def test_a_hold_is_either_undone_or_sent_and_never_both(
    stage: Stage,
) -> None:
    await stage.held()
    (hold,) = stage.holds.open
    for done, (state, sends) in enumerate((("preparing", True), ("waiting", True), ("undone", False))):
        hold.state = state
        if sends:
            hold.watch.progress("checking", done, 3)
        else:
            with pytest.raises(asyncio.CancelledError):
                hold.watch.progress("checking", done, 3)
        assert hold.state == ("sending" if sends else "undone")
        assert not hold.moves(("preparing", "waiting", "holding"), "undone")


async def test_held_jobs_are_left_out_of_further_previews(stage: Stage) -> None:
    hold = await stage.held(ids=some(stage, 2))
    finished = len(stage.cloud.finished)
    everything = await stage.preview(filter={})
    assert everything["removable"] == finished - 2
    assert (await stage.preview(ids=[*hold["ids"], *some(stage, 1, after=2)]))["removable"] == 1
    await stage.ask("undo", {"hold": hold["id"]})
    assert (await stage.preview(filter={}))["removable"] == finished


async def test_a_deletion_that_waits_or_is_being_sent_can_be_stopped(stage: Stage, gate: Gate) -> None:
    hold = await stage.held(ids=some(stage))
    gate.close()
    stage.timer.wait(10)
    await gate.waiting.wait()
    assert (await stage.ask("stop", {"operation": hold["id"]})).status == 200
    (stopped,) = [each for each in (await stage.ask("status")).json["holds"] if each["id"] == hold["id"]]
    assert stopped["stopping"] is True
    result = await stage.announced()
    gate.open()
    assert (result["outcome"], result["error"]["code"]) == ("failed", "stopped")
    assert stage.cloud.history_posts == []


async def test_a_hold_is_on_disk_and_private_before_the_request_is_answered(stage: Stage) -> None:
    ids = some(stage, 2)
    hold = await stage.held(ids=ids)
    path = stage.folder / "holds" / f"{hold['id']}.json"
    assert json.loads(path.read_text()) == {"id": hold["id"], "kind": "delete", "jobs": 2, "ids": ids}
    assert path.stat().st_mode & 0o777 == 0o600
    assert stage.cloud.api_key not in path.read_text()


async def test_a_deletion_that_cannot_be_recorded_on_disk_is_neither_held_nor_sent(stage: Stage) -> None:
    (stage.folder / "holds").write_text("a file where the folder should be")
    await stage.set_hold(10)
    token = (await stage.preview(ids=some(stage)))["token"]
    answer = await stage.ask("delete", {"token": token})
    assert (answer.status, answer.code) == (409, "state_unwritable")
    assert str(stage.folder) not in answer.text
    stage.timer.wait(1000)
    await asyncio.sleep(0.02)
    assert stage.holds.open == []
    assert stage.cloud.history_posts == []


async def test_a_hold_continues_after_its_browser_disconnects(stage: Stage) -> None:
    ids = some(stage)
    await stage.set_hold(10)
    body = json.dumps({"token": (await stage.preview(ids=ids))["token"]})
    _, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(
        f"POST /cloud_history/delete HTTP/1.1\r\nHost: {stage.own}\r\nX-Cloud-History: 1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    await stage.until(lambda: stage.holds.open)
    writer.close()
    await stage.until(lambda: stage.timer.awaited)
    stage.timer.wait(10)
    assert (await stage.announced())["counts"]["deleted"] == 1
    assert stage.cloud.history_posts == [{"delete": ids}]


async def test_at_most_fifty_deletions_can_be_held(stage: Stage) -> None:
    for at in range(50):
        await stage.held(ids=some(stage, 1, after=at))
    token = (await stage.preview(ids=some(stage, 1, after=60)))["token"]
    answer = await stage.ask("delete", {"token": token})
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert len(stage.holds.open) == 50


@pytest.mark.parametrize("selection", [{"ids": 2}, {}], ids=["delete", "clear"])
async def test_a_deletion_is_held_for_as_long_as_the_dialog_promised(stage: Stage, selection: dict[str, int]) -> None:
    await stage.set_hold(10)
    shown = await stage.preview(**({"ids": some(stage, 2)} if selection else {}))
    # Another tab sets the hold seconds to 0 while the dialog is open.
    await stage.set_hold(0)
    answer = await stage.ask("delete" if selection else "clear", {"token": shown["token"]})
    assert answer.status == 202, answer
    assert answer.json["hold"]["seconds_left"] == shown["hold_seconds"] == 10
    assert stage.cloud.history_posts == []


async def test_hold_seconds_changed_while_the_dialog_is_open_apply_to_its_deletion(stage: Stage) -> None:
    await stage.set_hold(0)
    shown = await stage.preview(ids=some(stage, 2))
    await stage.set_hold(5)
    answer = await stage.ask("delete", {"token": shown["token"]})
    assert (answer.status, answer.json["hold"]["seconds_left"]) == (202, 5)
