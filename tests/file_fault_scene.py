"""Everything that is done with a state folder, each once, on a disk that fails at one call; and what must be true then.

Judged by the simulated cloud's own books and by the files themselves, not by what the code says of them.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import time
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cloud_history import disk_steps, locks, state_folder, threads
from cloud_history.asking import Asker, Questions
from cloud_history.errors import CloudError
from cloud_history.journal import Entry
from cloud_history.node_reports import NodeReports
from cloud_history.operations import Operations
from cloud_history.protection import ProtectionFile
from cloud_history.results import deletion_payload
from cloud_history.settings import SettingsFile
from cloud_history.stopping import Unwatched
from faulty_disk import FaultyDisk, in_place
from routes.stage import OTHER_KEY, Answer, Stage, impatient, impatient_client, serving
from simulated_cloud import Fault, SimulatedCloud

JOBS = 24
OLDER = "ab" * 16
"""The name of an earlier deletion that has a backup."""
LOST_HOLD = "0123456789abcdef" * 2
UNRESOLVED = "cd" * 16
SCALE = 0.1
"""All limits are so much shorter, so that each blocked call costs half a second."""
LONGEST_WAIT = 5.0
NOISE = 1.0
"""Seconds that this machine may take longer than without a fault."""
_LIMITS = {
    threads: ("FILE_SECONDS", "SILENT_SECONDS", "LONG_SECONDS", "LAST_SECONDS"),
    locks: ("LOCK_SECONDS", "GRACE_SECONDS"),
    state_folder: ("PATIENCE",),
}
_THINGS = {
    "settings": r"setting|state folder",
    "protected": r"protect|state folder",
    "deletions": r"record of deletions|state folder",
    "backups": r"back(ed)? ?up|state folder",
    "holds": r"hold|held|state folder",
    "asking": r"question|answer|asked|state folder",
    "api_key": r"key|state folder",
    "running": r"written down|their notes|the note of|state folder",
    "node_reports": r"report|state folder",
}
"""By what a file is known to a person, by how its path in the state folder begins."""


@dataclass
class Scene:
    """The routes over a state folder in which there is one of everything.

    Attributes:
        answers: what the routes answered. problems: what else was told.
        unsaved: jobs that a request named while no whole backup had them. unrecorded: requests of which the record
            knew nothing.
    """

    stage: Stage
    disk: FaultyDisk
    protected: str
    ids: list[str]
    untouched: str
    older: str
    backs_up: bool = True
    answers: list[Answer] = field(default_factory=list)
    problems: list[CloudError] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)
    unsaved: set[str] = field(default_factory=set)
    unrecorded: int = 0

    @property
    def cloud(self) -> SimulatedCloud:
        return self.stage.cloud

    @property
    def folder(self) -> Path:
        return self.stage.folder

    async def ask(self, route: str, body: object = ..., **more: Any) -> Answer:
        answer = await self.stage.ask(route, body, **more)
        self.answers.append(answer)
        if answer.status == 200 and "result" in answer.text[:500]:
            self.results.append(answer.json["result"])
        return answer

    def arrives(self, body: Any) -> bool:
        """Looks at the files at the moment when a deletion request arrives."""
        with self.disk.unseen():
            named = set(body.get("delete", ()))
            if self.backs_up:
                self.unsaved |= named - self.saved()
            self.unrecorded += self.intents() < 2
        return False

    def intents(self) -> int:
        return (self.folder / "deletions.jsonl").read_text("utf-8").count('{"line": "intent"')

    def saved(self) -> set[str]:
        found: set[str] = set()
        for path in (self.folder / "backups").glob("[0-9a-f]*.zip"):
            with zipfile.ZipFile(path) as archive:
                assert archive.testzip() is None
                found |= {row["id"] for row in json.loads(archive.read("index.json"))["jobs"]}
        return found

    def kept(self, name: str) -> Any:
        """What is in a file of the folder; None where it is not there."""
        path = self.folder / name
        return json.loads(path.read_text("utf-8")) if path.exists() else None

    @property
    def gone(self) -> set[str]:
        return {job.id for job in self.cloud.deleted}

    def told(self) -> list[str]:
        """Every error that a person was told, as a text."""
        errors = [each.json["error"] for each in self.answers if each.status >= 400 and each.text[:1] == "{"]
        texts = [f"{each['message']} {each.get('hint', '')}" for each in errors]
        texts += [each.text for each in self.answers if each.status >= 400 and each.text[:1] != "{"]
        results = [each["error"] for each in self.results if each.get("error")]
        texts += [f"{each['message']} {each['hint']}" for each in results]
        return [*texts, *(f"{each.message} {each.hint}" for each in self.problems)]


Deed = Callable[[Scene], Awaitable[None]]


# What is done


async def _delete(scene: Scene) -> None:
    preview = await scene.ask("preview", {"ids": [scene.protected, *scene.ids]})
    if preview.status == 200:
        answer = await scene.ask("delete", {"token": preview.json["token"]})
        if answer.status == 202:
            await _time_passes(scene, answer)


async def _time_passes(scene: Scene, answer: Answer) -> None:
    """The seconds to undo are over, and what was held ends."""
    await scene.stage.until(lambda: scene.stage.timer.awaited or scene.stage.heard.is_set())
    scene.stage.timer.wait(10)
    await asyncio.wait_for(scene.stage.heard.wait(), 30)
    scene.results.extend(scene.stage.results())
    await scene.stage.until(lambda: not scene.stage.holds.open)


async def _held(scene: Scene) -> None:
    await _delete(scene)  # held, as it is set so beforehand


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
        result = await scene.stage.operations.delete_jobs(
            [scene.protected, *scene.ids], "node 4", Unwatched()
        )
    except CloudError as error:
        scene.problems.append(error)
    else:
        scene.results.append(deletion_payload(result))


async def _node_clears(scene: Scene) -> None:
    try:
        await scene.stage.operations.clear_history("node 4", Unwatched())
    except CloudError as error:
        scene.problems.append(error)


async def _asked(scene: Scene) -> None:
    def announce(event: str, payload: Any, client: str) -> None:
        if payload["state"] == "open":
            names.put_nowait(payload["question"])

    names: asyncio.Queue[str] = asyncio.Queue()
    questions = Questions(scene.folder, announce, lambda client: True)
    about = {"kind": "delete", "removable": 1}
    asking = asyncio.ensure_future(questions.ask(Asker(client="tab", node="4"), about, Unwatched()))
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
            answered = True  # whether it was noted may be known to the asking side alone
            if not noted:
                await asyncio.wait({asking}, timeout=1.0)
        if not noted:
            # Nobody can answer: it would stand for two minutes.
            asking.cancel()
    first.cancel()
    (said,) = await asyncio.gather(asking, return_exceptions=True)
    if isinstance(said, CloudError):
        scene.problems.append(said)
    elif not isinstance(said, asyncio.CancelledError):
        assert said is True, said
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


# The folder


async def furnish(folder: Path) -> None:
    """Make a state folder with one of everything in it."""
    cloud = SimulatedCloud(jobs=JOBS, seed=5)
    async with cloud.serving():
        environ = {"COMFY_CLOUD_BASE_URL": cloud.base_url}
        operations = Operations(folder, environ, open_client=impatient_client, history=impatient)
        finished = [job.id for job in cloud.finished]
        async with serving(cloud, folder, environ) as stage:
            stage.operation = OLDER
            saved = await stage.ask("save_key", {"api_key": cloud.api_key, "unchecked": True})
            assert saved.status == 200, saved
            SettingsFile(folder).change(backup="workflows", hold_seconds=0)
            ProtectionFile(folder).change(protect=True, jobs=finished[:1])
            preview = await stage.preview(ids=finished[-1:])
            deleted = await stage.ask("delete", {"token": preview["token"]})
            assert deleted.status == 200, deleted
        operation = deleted.json["operation"]
        backups, record = folder / "backups", folder / "deletions.jsonl"
        (backups / f"{operation}.zip").rename(backups / f"{OLDER}.zip")
        record.write_text(record.read_text("utf-8").replace(operation, OLDER), "utf-8")
        hold = {"id": LOST_HOLD, "kind": "delete", "jobs": 1, "ids": finished[-1:]}
        (folder / "holds").mkdir(mode=0o700, exist_ok=True)
        (folder / "holds" / f"{LOST_HOLD}.json").write_text(json.dumps(hold))
        operations.desk.journal.begin(Entry("clear", "menu", "host", "abcd", operation=UNRESOLVED))
        (folder / "report").write_text(NodeReports(folder).keep("12", "Stopped: 2 of 12 jobs removed."))


@asynccontextmanager
async def furnished(template: Path, folder: Path, disk: FaultyDisk, deed: str) -> AsyncIterator[Scene]:
    """The routes over a copy of that folder, with a cloud of the same jobs."""
    shutil.copytree(template, folder)
    cloud = SimulatedCloud(jobs=JOBS, seed=5)
    async with cloud.serving():
        environ = {"COMFY_CLOUD_BASE_URL": cloud.base_url}
        (folder / "api_key.json").write_text(json.dumps({"api_key": cloud.api_key}))
        finished = [job.id for job in cloud.finished]
        if deed == "node clears":
            SettingsFile(folder).change(backup="off")
        if deed in ("undo", "delete after a hold"):
            SettingsFile(folder).change(hold_seconds=10)
        async with serving(cloud, folder, environ) as stage:
            stage.operation, stage.report = OLDER, (folder / "report").read_text()
            scene = Scene(
                stage, disk, finished[0], finished[1:5], finished[6], finished[-1], deed != "node clears"
            )
            cloud.faults.append(Fault(("POST", "/api/history"), "empty", times=None, predicate=scene.arrives))
            yield scene


# One case


@dataclass(frozen=True)
class Case:
    """Where and how the disk fails."""

    deed: str
    call: str = ""
    name: str = ""
    nth: int = 1
    how: Any = "fails"
    number: int = 5
    stays: bool = False

    def __str__(self) -> str:
        stays = " and stays so" if self.stays else ""
        return f"{self.deed}: {self.call} {self.name}, number {self.nth}, {self.how} ({self.number}){stays}"


async def carry_out(case: Case, template: Path, folder: Path, usual: float) -> FaultyDisk:
    """Do it on the failing disk, and check what must be true. Gives the disk.

    Args:
        usual: how many seconds it takes without a fault.
    """
    disk = FaultyDisk(folder, case.call, case.name, case.nth, case.number, case.stays, case.how)
    async with furnished(template, folder, disk, case.deed) as scene:
        began = time.monotonic()
        with short_limits(), in_place(disk):
            await asyncio.wait_for(DEEDS[case.deed](scene), 60)
            took = time.monotonic() - began
        scene.cloud.faults.clear()
        check(scene, case)
        assert took - usual < LONGEST_WAIT * SCALE + NOISE, f"it took {took:.1f} s"
        await next_works(scene, case)
    return disk


@contextmanager
def short_limits() -> Iterator[None]:
    """All limits a fraction of what they are."""
    with pytest.MonkeyPatch.context() as patch:
        for module, names in _LIMITS.items():
            for name in names:
                patch.setattr(module, name, getattr(module, name) * SCALE)
        patch.setattr(disk_steps, "SLOWEST_DISK", disk_steps.SLOWEST_DISK / SCALE)
        yield


def check(scene: Scene, case: Case) -> None:
    """What must be true of every deed."""
    assert scene.disk.on_a_loop == [], "made on the thread of an event loop"
    assert not scene.cloud.jobs[scene.protected].deleted
    assert scene.unsaved == set(), "sent without a backup"
    assert scene.unrecorded == 0, "sent and not recorded"
    if case.deed not in DELETIONS:
        assert scene.cloud.history_posts == []
    for result in scene.results:
        if result["kind"] == "delete" and "jobs" in result:
            is_true(scene, result)
    things = next((words for start, words in _THINGS.items() if case.name.lstrip(".").startswith(start)), "")
    words = things if things and not case.stays else "lock|" + "|".join(_THINGS.values())
    for text in scene.told():
        assert re.search(words, text, re.IGNORECASE), f"which thing? {text}"
        assert "500 Internal" not in text


def is_true(scene: Scene, result: dict[str, Any]) -> None:
    """Whether what was said of each job is so."""
    words = {job_id: each["outcome"] for job_id, each in result["jobs"].items()}
    for job_id, word in words.items():
        if word == "already_gone":
            assert job_id in scene.gone, job_id
        elif word in ("failed", "not_attempted", "protected", "active"):
            assert job_id not in scene.gone, job_id
    # Those that are gone are counted, and not named.
    others = scene.gone - set(words)
    assert len(others) == result["counts"]["deleted"]


async def next_works(scene: Scene, case: Case) -> None:
    """With the disk well again nothing is sent by itself, and a deletion goes through, with its safeguards."""
    if case.deed in ("remove key", "save key"):
        return  # there may be none now, or another one
    posts = len(scene.cloud.history_posts)
    operations = Operations(
        scene.folder,
        {"COMFY_CLOUD_BASE_URL": scene.cloud.base_url},
        open_client=impatient_client,
        history=impatient,
    )
    assert len(scene.cloud.history_posts) == posts
    result = await operations.delete_jobs([scene.protected, scene.untouched], "node 9", Unwatched())
    said = {job_id: each.outcome.value for job_id, each in result.jobs.items()}
    assert said[scene.protected] == "protected"
    assert said[scene.untouched] in ("deleted", "already_gone")
    assert scene.cloud.jobs[scene.untouched].deleted
    if scene.backs_up:
        assert scene.gone <= scene.saved() | {scene.older}
