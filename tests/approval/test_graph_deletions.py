"""What a workflow may delete: what the setting allows, or exactly what the person was shown and approved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud_history.approval.approval import Answer
from cloud_history.deletion.outcomes import ClearResult, DeletionResult, Outcome, Skipped
from cloud_history.deletion.report import result_report
from cloud_history.errors import (
    HistoryGrew,
    MissingApiKey,
    NoAnswer,
    NoBrowserConnected,
    OperationRefused,
    OperationStopped,
    ServerFault,
)
from cloud_history.jobs.rows import job_row
from cloud_history.secret import Secret
from cloud_history.state.settings import Backup
from cloud_history.tasks.stopping import Unwatched
from support.fake_history_client import NOON, FakeClient, ids, job, jobs_of
from support.graph_deletion_stage import ASKER, Asked, Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, FakeClient(jobs_of(ids(3)), seconds=0, looking=0))


def test_by_default_a_node_asks_for_approval_and_sends_exactly_what_was_shown(room: Room) -> None:
    active, finished, gone, unknown = ids(7)[3:]
    room.client.jobs |= {
        active: job(active, "pending"),
        finished: job(finished, "failed"),
        unknown: job(unknown, "odd"),
    }
    wanted, before = [*ids(2), active, finished, gone, unknown], dict(room.client.jobs)
    result = room.delete(wanted, True)
    [about] = room.asked.about
    assert about == {
        "kind": "delete",
        "removable": 3,
        "finished": None,
        "by_status": {"completed": 2, "failed": 1, "cancelled": 0},
        "skipped": {"active": 1, "unknown": 1, "already_gone": 1, "protected": 0},
        "kept": None,
        "chosen": None,
        "oldest": NOON.timestamp() * 1000,
        "newest": NOON.timestamp() * 1000,
        "outputs": 0,
        "took": None,
        "timed": 0,
        "large_share": 0.8,
        "many_jobs": 1000,
        "many_final_jobs": 100,
        "rows": [job_row(before[each]) for each in (*ids(2), finished)],
        "backup": "off",
        "backup_estimate": {"workflows": 3, "size": 15_000, "seconds": 1, "least_seconds": 1, "may_wait": False},
        "last4": "wxyz",
        "host": "cloud.comfy.org",
    }
    assert room.client.deletes == [[*ids(2), finished]]
    assert isinstance(result, DeletionResult)
    assert [each.outcome for each in result.jobs.values()] == [
        *[Outcome.DELETED] * 2,
        Outcome.ACTIVE,
        Outcome.DELETED,
        Outcome.ALREADY_GONE,
        Outcome.NOT_ATTEMPTED,
    ]


def test_a_backup_promised_in_the_question_is_made_even_if_backups_are_switched_off_meanwhile(
    room: Room,
) -> None:
    read: list[str] = []

    async def detail(job_id: str) -> dict[str, Any]:
        read.append(job_id)
        return {"id": job_id, "status": "completed", "create_time": 1}

    room.client.get_job_detail = detail  # type: ignore[attr-defined]
    room.operations.settings.change(backup="workflows")

    def switch_off() -> None:
        room.operations.settings.change(backup="off")

    room.asked = Asked([True])
    room.asked.meanwhile = switch_off
    result = room.delete(ids(2))
    assert room.asked.about[0]["backup"] == "workflows"
    assert isinstance(result, DeletionResult)
    assert (result.backed_up, sorted(read)) == (2, sorted(ids(2)))


def kept_details(room: Room) -> list[str]:
    """Let the history answer requests for details, and return the ids whose details were requested."""
    read: list[str] = []

    async def detail(job_id: str) -> dict[str, Any]:
        read.append(job_id)
        return {"id": job_id, "status": "completed", "create_time": 1}

    room.client.get_job_detail = detail  # type: ignore[attr-defined]
    return read


@pytest.mark.parametrize(("setting", "chosen"), [("off", "workflows"), ("workflows", "off")])
def test_the_person_decides_in_the_question_whether_workflows_are_backed_up(
    room: Room, setting: Backup, chosen: Backup
) -> None:
    read = kept_details(room)
    room.operations.settings.change(backup=setting)
    result = room.delete(ids(2), Answer(True, chosen))
    assert room.asked.about[0]["backup"] == setting
    assert isinstance(result, DeletionResult)
    assert (result.backed_up, len(read)) == ((2, 2) if chosen == "workflows" else (0, 0))


def test_a_clear_for_which_the_person_wants_a_backup_deletes_the_exact_jobs(room: Room) -> None:
    read = kept_details(room)
    result = room.clear(Answer(True, "workflows"))
    assert isinstance(result, DeletionResult)
    assert (result.backed_up, sorted(read)) == (3, ids(3))
    assert (room.client.clears, len(room.asked.about)) == (0, 1)
    assert sorted(room.client.deletes[0]) == ids(3)


def test_a_clear_with_a_backup_asks_again_if_more_jobs_have_finished(room: Room) -> None:
    kept_details(room)

    def finishes() -> None:
        room.client.jobs[ids(9)[8]] = job(ids(9)[8])

    result = room.clear(Answer(True, "workflows"), Answer(False), meanwhile=finishes)
    assert result == Skipped()
    assert [about["removable"] for about in room.asked.about] == [3, 4]
    assert (room.client.clears, room.client.deletes) == (0, [])


def test_jobs_that_finish_while_the_person_decides_are_not_sent(room: Room) -> None:
    running = ids(4)[3]
    room.client.jobs[running] = job(running, "in_progress")

    def finishes() -> None:
        room.client.jobs[running] = job(running, "completed")

    room.asked = Asked([True])
    room.asked.meanwhile = finishes
    room.delete([*ids(3), running])
    assert room.client.deletes == [ids(3)]


def test_answering_skip_sends_nothing_and_raises_no_error(room: Room) -> None:
    assert room.delete(ids(3), False) == Skipped()
    assert room.clear(False) == Skipped()
    assert (room.client.deletes, room.client.clears) == ([], 0)


@pytest.mark.parametrize("end", [NoAnswer(), NoBrowserConnected(), OperationStopped()])
def test_a_question_that_is_not_answered_with_delete_sends_nothing(room: Room, end: Exception) -> None:
    with pytest.raises(type(end)):
        room.delete(ids(3), end)
    with pytest.raises(type(end)):
        room.clear(end)
    assert (room.client.deletes, room.client.clears) == ([], 0)


def test_without_a_browser_no_request_goes_to_the_cloud(room: Room) -> None:
    room.asked = Asked(there=False)
    for run in (lambda: room.delete(ids(3)), room.clear):
        with pytest.raises(NoBrowserConnected):
            run()
    assert room.untouched


def test_the_setting_never_refuses_deletions_without_asking(room: Room) -> None:
    room.operations.settings.change(nodes="never")
    for run in (lambda: room.delete(ids(3)), room.clear):
        with pytest.raises(OperationRefused) as ended:
            run()
        assert str(ended.value) == (
            "Workflows may not delete. To allow it, change “Workflows may delete” in Settings > Cloud history."
        )
    assert room.untouched
    assert room.asked.about == []


def test_the_setting_allow_deletes_without_asking(room: Room) -> None:
    room.operations.settings.change(nodes="allow")
    room.asked = Asked(there=False)
    room.delete(ids(2))
    assert room.client.deletes == [ids(2)]
    room.client.looks = [1, 1, 0]
    room.clear()
    assert room.client.clears == 1


@pytest.mark.parametrize(
    ("set_to", "named", "asks"), [("allow", "ask", True), ("never", "ASK", True), ("never", " Allow ", False)]
)
def test_the_environment_variable_overrides_the_approval_setting(
    tmp_path: Path, set_to: str, named: str, asks: bool
) -> None:
    room = Room(tmp_path, FakeClient(jobs_of(ids(3)), seconds=0, looking=0), COMFY_CLOUD_HISTORY_NODES=named)
    room.operations.settings.change(nodes=set_to)
    room.asked = Asked([True])
    room.delete(ids(1))
    assert (len(room.asked.about), room.client.deletes) == (int(asks), [ids(1)])


def test_with_nothing_to_remove_no_approval_is_asked_for(room: Room) -> None:
    busy, gone = ids(5)[3:]
    room.client.jobs = {busy: job(busy, "pending")}
    result = room.delete([busy, gone])
    assert isinstance(result, DeletionResult)
    assert [each.outcome for each in result.jobs.values()] == [Outcome.ACTIVE, Outcome.ALREADY_GONE]
    assert (room.asked.about, room.client.deletes) == ([], [])


def test_protected_jobs_are_counted_as_protected_and_not_deleted(room: Room) -> None:
    room.operations.protection.change(protect=True, jobs=ids(1))
    result = room.delete(ids(3), True)
    assert room.asked.about[0]["skipped"]["protected"] == 1
    assert room.client.deletes == [ids(3)[1:]]
    assert isinstance(result, DeletionResult)
    assert result.jobs[ids(1)[0]].outcome is Outcome.PROTECTED


def test_no_approval_is_asked_for_if_the_history_cannot_be_read_completely(room: Room) -> None:
    room.client.blind = lambda sent: ServerFault(500)
    with pytest.raises(ServerFault):
        room.delete(ids(3), True)
    with pytest.raises(ServerFault):
        room.clear(True)
    assert (room.asked.about, room.client.deletes, room.client.clears) == ([], [], 0)


def aged(client: FakeClient) -> None:
    """Return three jobs of different ages, newest first as a server lists them."""
    made = [job(each)._replace(created_at=NOON - timedelta(days=days)) for days, each in enumerate(ids(3))]
    client.jobs = {each.id: each for each in made}


def test_the_question_for_a_clear_shows_counts_and_ages_and_one_clear_is_sent(room: Room) -> None:
    aged(room.client)
    room.client.lag = 0
    result = room.clear(True)
    [about] = room.asked.about
    assert (about["kind"], about["removable"], about["outputs"]) == ("clear", 3, None)
    assert about["by_status"] == {"completed": 3, "failed": 0, "cancelled": 0}
    assert about["newest"] - about["oldest"] == 2 * 24 * 3600 * 1000
    assert (room.client.clears, room.client.deletes) == (1, [])
    assert isinstance(result, ClearResult)


def test_a_clear_still_asks_when_the_ages_cannot_be_read(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unreadable(*arguments: object) -> None:
        raise ServerFault(500)

    monkeypatch.setattr("cloud_history.service.date_range", unreadable)
    assert room.clear(False) == Skipped()
    [about] = room.asked.about
    assert (about["removable"], about["oldest"], about["newest"]) == (3, None, None)


def test_a_clear_of_an_empty_history_asks_and_sends_nothing(room: Room) -> None:
    room.client.jobs = {}
    result = room.clear()
    assert isinstance(result, ClearResult)
    assert (result.before.finished, result.removed, room.client.clears) == (0, 0, 0)


def test_a_clear_by_ids_with_nothing_to_remove_does_not_ask(room: Room) -> None:
    room.operations.protection.change(protect=True, jobs=ids(9)[8:])
    room.client.jobs = {}
    result = room.clear()
    assert result_report(result).startswith("Nothing to clear: your cloud history has no finished jobs.")  # type: ignore[arg-type]
    assert (room.asked.about, room.client.deletes, room.client.clears) == ([], [], 0)


def test_jobs_that_finish_while_the_person_decides_are_asked_about_again(room: Room) -> None:
    more = iter(ids(10)[3:])

    def one_finishes() -> None:
        if len(room.asked.about) == 1:
            each = next(more)
            room.client.jobs[each] = job(each)

    room.clear(True, True, meanwhile=one_finishes)
    assert [about["removable"] for about in room.asked.about] == [3, 4]
    assert room.client.clears == 1


def test_a_clear_of_a_growing_history_fails_after_three_questions(room: Room) -> None:
    more = iter(ids(10)[3:])

    def one_finishes() -> None:
        each = next(more)
        room.client.jobs[each] = job(each)

    with pytest.raises(HistoryGrew):
        room.clear(True, True, True, meanwhile=one_finishes)
    assert (len(room.asked.about), room.client.clears) == (3, 0)


def test_a_clear_with_something_protected_asks_for_exact_jobs_and_sends_those(room: Room) -> None:
    room.operations.protection.change(protect=True, jobs=ids(1))
    late = ids(4)[3]

    def finishes() -> None:
        room.client.jobs[late] = job(late)

    result = room.clear(True, meanwhile=finishes)
    [about] = room.asked.about
    assert (about["kind"], about["removable"], about["skipped"]["protected"]) == ("delete", 2, 1)
    assert (room.client.deletes, room.client.clears) == ([ids(3)[1:]], 0)
    assert isinstance(result, DeletionResult)
    assert result.jobs[ids(1)[0]].outcome is Outcome.PROTECTED


def test_browsers_receive_only_the_ids_of_a_deletion_that_goes_on_and_that_it_ended(room: Room) -> None:
    room.delete(ids(1), True)
    *progress, (name, event) = room.events
    assert {name for name, _ in progress} == {"cloud_history.progress"}
    assert all(set(each) == {"operation", "kind"} for _, each in progress)
    assert (name, event["kind"], event["ended"]) == ("cloud_history.changed", "delete", True)
    assert set(event) == {"operation", "kind", "ended"}
    assert len(event["operation"]) == 32


def test_the_prompt_key_is_used_if_no_other_key_is_configured(tmp_path: Path) -> None:
    room = Room(tmp_path, FakeClient(jobs_of(ids(3)), seconds=0, looking=0), COMFY_CLOUD_API_KEY="")
    with pytest.raises(MissingApiKey):
        room.delete(ids(1), True)
    of_prompt = "comfyui-came-with-the-prompt-0123-abcd"
    room.delete(ids(1), True, requester=replace(ASKER, key=Secret(of_prompt)))
    assert room.asked.about[0]["last4"] == "abcd"
    room.operations.settings.change(nodes="allow")
    room.delete(ids(2)[1:], requester=replace(ASKER, key=Secret(of_prompt)))
    assert set(room.used) == {of_prompt}


def test_a_stop_during_the_preview_sends_and_asks_nothing(room: Room) -> None:
    class Stopped(Unwatched):
        def stop_requested(self) -> bool:
            return True

    with pytest.raises(OperationStopped):
        room.delete(ids(3), True, watch=Stopped())
    assert (room.asked.about, room.client.deletes) == ([], [])
