"""The routes over a state folder with one of each kind of file, and a record of what they answer."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloud_history.errors import CloudError
from cloud_history.service import Operations
from cloud_history.state.folder import state_folder_at
from cloud_history.state.in_flight import InFlightOperation
from cloud_history.state.node_reports import NodeReports
from cloud_history.state.protection import ProtectionFile
from cloud_history.state.settings import SettingsFile
from simulated_cloud import Fault, SimulatedCloud
from support.faulty_disk import FaultyDisk
from support.route_stage import Answer, Stage, impatient_client, no_wait, serving

JOBS = 24
START_ANEW, START_EMPTY = "start anew", "start empty"
OLDER = "ab" * 16
"""The name of an earlier deletion that has a backup."""
LOST_HOLD = "0123456789abcdef" * 2
UNRESOLVED = "cd" * 16


@dataclass
class Scene:
    """The routes over a state folder with one of each kind of file.

    Attributes:
        answers: the answers of the routes. problems: other reported errors.
        unsaved: jobs in a request that no complete backup had. unrecorded: requests of which the audit log
            had no entry.
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
        """Compare the files with a deletion request when it arrives."""
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
        """Return the content of a file of the folder, or None if it is missing."""
        path = self.folder / name
        return json.loads(path.read_text("utf-8")) if path.exists() else None

    @property
    def gone(self) -> set[str]:
        return {job.id for job in self.cloud.deleted}

    def told(self) -> list[str]:
        """Return every error that was shown to the person, as text."""
        errors = [each.json["error"] for each in self.answers if each.status >= 400 and each.text[:1] == "{"]
        texts = [f"{each['message']} {each.get('hint', '')}" for each in errors]
        texts += [each.text for each in self.answers if each.status >= 400 and each.text[:1] != "{"]
        results = [each["error"] for each in self.results if each.get("error")]
        texts += [f"{each['message']} {each['hint']}" for each in results]
        return [*texts, *(f"{each.message} {each.hint}" for each in self.problems)]


Deed = Callable[[Scene], Awaitable[None]]


async def furnish(folder: Path) -> None:
    """Make a state folder with one of each kind of file."""
    cloud = SimulatedCloud(jobs=JOBS, seed=5)
    async with cloud.serving():
        environ = {"COMFY_CLOUD_BASE_URL": cloud.base_url}
        operations = Operations(folder, environ, open_client=impatient_client, sleep=no_wait)
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
        operations.queue.in_flight.begin(InFlightOperation("clear", "menu", "host", "abcd", operation=UNRESOLVED))
        (folder / "report").write_text(NodeReports(folder).keep("12", "Stopped: 2 of 12 jobs removed."))


@asynccontextmanager
async def furnished(template: Path, folder: Path, disk: FaultyDisk, deed: str) -> AsyncIterator[Scene]:
    """Serve the routes over a copy of that folder, with a cloud that has the same jobs."""
    shutil.copytree(template, folder)
    cloud = SimulatedCloud(jobs=JOBS, seed=5)
    async with cloud.serving():
        environ = {"COMFY_CLOUD_BASE_URL": cloud.base_url}
        (folder / "api_key.json").write_text(json.dumps({"api_key": cloud.api_key}))
        finished = [job.id for job in cloud.finished]
        if deed == "node clears":
            SettingsFile(folder).change(backup="off")
        if deed == START_ANEW:
            state_folder_at(
                folder
            ).check()  # this process has read the folder before, so an empty one counts as lost and not as new
            (folder / "state_folder.json").unlink()
        if deed == START_EMPTY:
            (folder / "protected.json").write_text("{")
        if deed in ("undo", "delete after a hold"):
            SettingsFile(folder).change(hold_seconds=10)
        async with serving(cloud, folder, environ) as stage:
            stage.operation, stage.report = OLDER, (folder / "report").read_text()
            scene = Scene(stage, disk, finished[0], finished[1:5], finished[6], finished[-1], deed != "node clears")
            cloud.faults.append(Fault(("POST", "/api/history"), "empty", times=None, predicate=scene.arrives))
            yield scene
