"""One action on a disk that fails at one call, and the checks afterwards.

The checks read the simulated cloud's jobs and the files, and do not rely on the tested code.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cloud_history.errors import ProtectionDamaged, StateUnwritable
from cloud_history.service import Operations
from cloud_history.state import folder as state_folder
from cloud_history.state import locks
from cloud_history.tasks import disk, threads
from cloud_history.tasks.stopping import Unwatched
from support.faulty_disk import FaultyDisk, in_place
from support.file_faults.deeds import DEEDS, DELETIONS
from support.file_faults.scene import START_ANEW, START_EMPTY, Scene, furnished
from support.requests import delete_jobs
from support.route_stage import impatient_client, no_wait

SCALE = 0.1
"""All limits are so much shorter, so that each blocked call costs half a second."""
MAX_WAIT_SECONDS = 5.0
NOISE = 2.5
"""Seconds that this machine may take longer than without a fault."""
_LIMITS = {
    threads: ("FILE_SECONDS", "UNANSWERED_SECONDS", "MAX_SECONDS_OF_LONG_WORK", "CANCELLED_SECONDS"),
    locks: ("LOCK_SECONDS", "GRACE_SECONDS"),
    state_folder: ("THREAD_LOCK_SECONDS",),
}
_THINGS = {
    "settings": r"setting|state folder",
    "protected": r"protect|state folder",
    "deletions": r"record of deletions|state folder",
    "backups": r"back(ed)? ?up|state folder",
    "holds": r"hold|held|state folder",
    "asking": r"question|approval|answer|asked|state folder",
    "api_key": r"key|state folder",
    "running": r"their files|file of a deletion|state folder",
    "node_reports": r"report|state folder",
}
"""By what a file is known to a person, by how its path in the state folder begins."""


@dataclass(frozen=True)
class Case:
    """The call at which the disk fails, and how it fails."""

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
    """Run the action on the failing disk, check the results, and return the disk.

    Args:
        usual: the seconds that the action takes without a fault.
    """
    disk = FaultyDisk(folder, case.call, case.name, case.nth, case.number, case.stays, case.how)
    async with furnished(template, folder, disk, case.deed) as scene:
        began = time.monotonic()
        with short_limits(), in_place(disk):
            await asyncio.wait_for(DEEDS[case.deed](scene), 60)
            took = time.monotonic() - began
        scene.cloud.faults.clear()
        check(scene, case)
        assert took - usual < MAX_WAIT_SECONDS * SCALE + NOISE, f"it took {took:.1f} s"
        await next_works(scene, case)
    return disk


@contextmanager
def short_limits() -> Iterator[None]:
    """Reduce all time limits to a fraction."""
    with pytest.MonkeyPatch.context() as patch:
        for module, names in _LIMITS.items():
            for name in names:
                patch.setattr(module, name, getattr(module, name) * SCALE)
        patch.setattr(disk, "MIN_BYTES_PER_SECOND", disk.MIN_BYTES_PER_SECOND / SCALE)
        yield


def check(scene: Scene, case: Case) -> None:
    """Check what must be true after every action."""
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
    """Return whether the reported outcome of each job is true."""
    words = {job_id: each["outcome"] for job_id, each in result["jobs"].items()}
    for job_id, word in words.items():
        if word == "already_gone":
            assert job_id in scene.gone, job_id
        elif word in ("failed", "not_attempted", "protected", "active"):
            assert job_id not in scene.gone, job_id
    # The report counts the jobs that are gone and does not list their ids.
    others = scene.gone - set(words)
    assert len(others) == result["counts"]["deleted"]


async def _is_allowed(scene: Scene) -> bool:
    """Return whether deletions are allowed now. If they are not, check that no request is sent."""
    posts = len(scene.cloud.history_posts)
    try:
        await delete_jobs(scene.stage.operations, [scene.older], "node 9", Unwatched())
    except (StateUnwritable, ProtectionDamaged):
        assert len(scene.cloud.history_posts) == posts
        return False
    return True


async def next_works(scene: Scene, case: Case) -> None:
    """Check that the repaired disk causes no request by itself, and that a deletion works with its safeguards."""
    if case.deed in (START_ANEW, START_EMPTY) and scene.answers[0].status != 200 and not await _is_allowed(scene):
        return  # nothing is deleted until a person has reset the state
    if case.deed in ("remove key", "save key"):
        return  # the hold may be missing now, or a different one
    posts = len(scene.cloud.history_posts)
    operations = Operations(
        scene.folder,
        {"COMFY_CLOUD_BASE_URL": scene.cloud.base_url},
        open_client=impatient_client,
        sleep=no_wait,
    )
    assert len(scene.cloud.history_posts) == posts
    result = await delete_jobs(operations, [scene.protected, scene.untouched], "node 9", Unwatched())
    said = {job_id: each.outcome.value for job_id, each in result.jobs.items()}
    assert (said[scene.protected] == "protected") is (case.deed != START_EMPTY)
    assert said[scene.untouched] in ("deleted", "already_gone")
    assert scene.cloud.jobs[scene.untouched].deleted
    if scene.backs_up:
        assert scene.gone <= scene.saved() | {scene.older}
