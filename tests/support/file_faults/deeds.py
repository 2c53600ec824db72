"""Every action that uses a state folder."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from cloud_history.approval.approval import ApprovalRequests, RequestingNode
from cloud_history.deletion.report import deletion_payload
from cloud_history.errors import CloudError
from cloud_history.tasks.stopping import Unwatched
from support.file_faults.scene import LOST_HOLD, OLDER, START_ANEW, START_EMPTY, UNRESOLVED, Scene
from support.requests import clear_history, delete_jobs
from support.route_stage import OTHER_KEY, Answer

Deed = Callable[[Scene], Awaitable[None]]


async def _delete(scene: Scene) -> None:
    preview = await scene.ask("preview", {"ids": [scene.protected, *scene.ids]})
    if preview.status == 200:
        answer = await scene.ask("delete", {"token": preview.json["token"]})
        if answer.status == 202:
            await _time_passes(scene, answer)


async def _time_passes(scene: Scene, answer: Answer) -> None:
    """Let the seconds to undo pass, and wait until the held deletion has ended."""
    await scene.stage.until(lambda: scene.stage.timer.awaited or scene.stage.heard.is_set())
    scene.stage.timer.wait(10)
    await asyncio.wait_for(scene.stage.heard.wait(), 30)
    scene.results.extend(scene.stage.results())
    await scene.stage.until(lambda: not scene.stage.holds.open)


async def _held(scene: Scene) -> None:
    await _delete(scene)  # the settings hold each deletion before it is sent


async def _undone(scene: Scene) -> None:
    preview = await scene.ask("preview", {"ids": scene.ids})
    answer = await scene.ask("delete", {"token": preview.json["token"]}) if preview.status == 200 else preview
    if answer.status == 202:
        await scene.ask("undo", {"hold": answer.json["hold"]["id"]})
        scene.stage.timer.wait(1000)
        await asyncio.sleep(0.02)
    assert scene.cloud.history_posts == []


async def _clear(scene: Scene) -> None:
    preview = await scene.ask("preview", {"clear": True})
    if preview.status == 200:
        await scene.ask("delete" if preview.json["everything"] else "clear", {"token": preview.json["token"]})


async def _clean_up(scene: Scene) -> None:
    policy = {"keep_last": 5}
    report = await scene.ask("clean_up", {"policy": policy})
    preview = await scene.ask("preview", {"policy": policy, "allow_large": True})
    if report.status == preview.status == 200:
        await scene.ask("delete", {"token": preview.json["token"]})


async def _node_deletes(scene: Scene) -> None:
    try:
        result = await delete_jobs(scene.stage.operations, [scene.protected, *scene.ids], "node 4", Unwatched())
    except CloudError as error:
        scene.problems.append(error)
    else:
        scene.results.append(deletion_payload(result))


async def _node_clears(scene: Scene) -> None:
    try:
        await clear_history(scene.stage.operations, "node 4", Unwatched())
    except CloudError as error:
        scene.problems.append(error)


async def _asked(scene: Scene) -> None:
    def announce(event: str, payload: Any, client: str) -> None:
        if payload["state"] == "open":
            names.put_nowait(payload["question"])

    names: asyncio.Queue[str] = asyncio.Queue()
    questions = ApprovalRequests(scene.folder, announce, lambda client: True)
    about = {"kind": "delete", "removable": 1}
    asking = asyncio.ensure_future(questions.request(RequestingNode(client="tab", node="4"), about, Unwatched()))
    first = asyncio.ensure_future(names.get())
    await asyncio.wait({asking, first}, return_when=asyncio.FIRST_COMPLETED)
    answered = noted = False
    if first.done():
        question = first.result()
        shown = await scene.ask("ask_question", {"question": question})
        if shown.status == 200:
            token = shown.json["token"]
            await scene.ask("ask_seen", {"question": question, "token": token})
            scene.stage.reading.wait(2.0)
            body = {"question": question, "token": token, "answer": "delete", "always": False}
            noted = (await scene.ask("ask_answer", body)).status == 200
            answered = True  # possibly only the requesting process knows whether the answer was written
            if not noted:
                await asyncio.wait({asking}, timeout=1.0)
        if not noted:
            # Without a person who can answer, the request would wait for two minutes.
            asking.cancel()
    first.cancel()
    (said,) = await asyncio.gather(asking, return_exceptions=True)
    if isinstance(said, CloudError):
        scene.problems.append(said)
    elif not isinstance(said, asyncio.CancelledError):
        assert said == (True, None), said
        assert answered


def _route(name: str, body: object = ..., path: str = "") -> Deed:
    async def ask(scene: Scene) -> None:
        await scene.ask(name, body, path=path.replace("JOB", scene.older))

    return ask


async def _protects(scene: Scene) -> None:
    with scene.disk.unseen():
        before = scene.kept("protected.json")
    answer = await scene.ask("protect", {"protect": True, "ids": scene.ids})
    with scene.disk.unseen():
        after = scene.kept("protected.json")
    if answer.status == 200:
        assert set(after["jobs"]) == {scene.protected, *scene.ids}
    else:
        assert after == before or set(after["jobs"]) == {scene.protected, *scene.ids}


async def _sets(scene: Scene) -> None:
    with scene.disk.unseen():
        before = scene.kept("settings.json")
    answer = await scene.ask("settings", {"nodes": "never"})
    with scene.disk.unseen():
        after = scene.kept("settings.json")
    assert after in (before, {**before, "nodes": "never"}), (before, after)
    if answer.status == 200 and "problem" in answer.json and answer.json["problem"] is None:
        assert after["nodes"] == answer.json["settings"]["nodes"] == "never"


async def _saves_key(scene: Scene) -> None:
    answer = await scene.ask("save_key", {"api_key": OTHER_KEY, "unchecked": True})
    with scene.disk.unseen():
        kept = scene.kept("api_key.json")["api_key"]
    assert kept in ([OTHER_KEY] if answer.status == 200 else [OTHER_KEY, scene.cloud.api_key])


async def _removes_key(scene: Scene) -> None:
    answer = await scene.ask("remove_key", {})
    with scene.disk.unseen():
        if answer.status == 200:
            assert scene.kept("api_key.json") is None


async def _deletes_backup(scene: Scene) -> None:
    answer = await scene.ask("delete_backup", {})
    with scene.disk.unseen():
        if answer.status == 200:
            assert not (scene.folder / "backups" / f"{OLDER}.zip").exists()


DELETIONS: dict[str, Deed] = {
    "delete": _delete,
    "delete after a hold": _held,
    "clear": _clear,
    "clean up": _clean_up,
    "node deletes": _node_deletes,
    "node clears": _node_clears,
    "undo": _undone,
}
CHANGES: dict[str, Deed] = {
    "protect": _protects,
    "settings": _sets,
    "save key": _saves_key,
    "remove key": _removes_key,
    "delete backup": _deletes_backup,
    START_ANEW: _route("start_anew", {}),
    START_EMPTY: _route("start_empty", {}),
    "dismiss": _route("dismiss", {"operation": UNRESOLVED}),
    "dismiss hold": _route("dismiss_hold", {"hold": LOST_HOLD}),
    "ask": _asked,
}
READINGS: dict[str, Deed] = {
    "status": _route("status"),
    "record": _route("record"),
    "record csv": _route("record_csv"),
    "record jobs": _route("record_jobs", path=f"record/{OLDER}"),
    "protection": _route("protection"),
    "backup": _route("backup", path=f"backups/{OLDER}"),
    "backed up job": _route("backed_up_job", path=f"backups/{OLDER}/JOB"),
    "node report": _route("node_report"),
    "jobs": _route("jobs", {"filter": {"protected": True}}),
}
DEEDS = {**DELETIONS, **CHANGES, **READINGS}
