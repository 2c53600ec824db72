"""A process that is killed at any step of a save leaves each file whole or absent, and the next save ends the work."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import pytest

from cloud_history.outputs import directory, part_file
from cloud_history.outputs.folder import OutputFolder
from cloud_history.outputs.job_file import write_job_file
from cloud_history.outputs.unfinished import is_part_name
from cloud_history.state.saved_outputs import SavedFile, SavedJob, SavedOutputs
from cloud_history.state.saves import InFlightSave, InFlightSaves
from support.killing_disk import calls_of, killed_at
from support.output_stage import append, sha256

JOB = "0f8fad5b-d9cb-469f-a165-70867728950e"
OPERATION = "ab" * 16
CREATED = datetime(2026, 11, 29, tzinfo=timezone.utc)
STEP = 16_384
LARGE = os.urandom(5 * STEP + 100)
CONTENTS = {"a.png": LARGE, "b.txt": b"small", "a.PNG": b"theirs alike"}
"""The outputs of the job. The first needs several steps, the last has a name that clashes with the first."""
ENTRY = InFlightSave([JOB], "h", "", "/srv", "output/comfy-cloud", "panel", OPERATION, "2026-11-29T10:00:00+00:00")
MIN_STEPS = 100


def save(root: Path) -> None:
    """Save the job as the pack does, or go on with it."""
    saves, manifest, outputs = (
        InFlightSaves(root / "state"),
        SavedOutputs(root / "state"),
        OutputFolder(root / "output"),
    )
    if saves.interrupted():
        saves.take(OPERATION)
    else:
        saves.begin(ENTRY)
    with outputs.open_job_folder(CREATED, "x", JOB) as job:
        files = []
        for name, content in CONTENTS.items():
            part = part_file.PartFile.begin(job.directory, name, name)
            part.rehash()
            part.validator = part.validator or '"tag"'
            append(part, content[part.size :])
            placed = part.finish()
            path = f"{job.path}/{placed.name}"
            files.append(SavedFile(name, path, placed.size, placed.sha256, "size", placed.modified_ns))
        write_job_file(job.directory, {"id": JOB}, "", name="x", host="h", files=files, whole=True)
        manifest.append(SavedJob(JOB, OPERATION, str(outputs.root), job.path, tuple(files), True))
    saves.end(OPERATION)


def visible(root: Path) -> list[Path]:
    """Return all files in the folder for outputs that are not unfinished files of this pack."""
    return [each for each in (root / "output").rglob("*") if each.is_file() and not is_part_name(each.name)]


def check_killed(root: Path, *, may_be_empty: bool) -> None:
    """Check what must be true whenever the process ends."""
    for path in visible(root):
        if path.name == "job.json" and not (may_be_empty and not path.stat().st_size):
            assert json.loads(path.read_bytes())["id"] == JOB
        else:
            content = path.read_bytes()
            assert content in CONTENTS.values() or (may_be_empty and not content), f"{path.name} is not whole"
    outputs = OutputFolder(root / "output")
    for job in SavedOutputs(root / "state").jobs([JOB]).values():
        assert job.whole
        assert {file.name: outputs.sha256(file.path) for file in job.files} == {
            name: sha256(content) for name, content in CONTENTS.items()
        }


def check_done(root: Path, *, may_be_empty: bool) -> None:
    """Check the result of the save that followed."""
    OutputFolder(root / "output").remove_unfinished()
    contents = sorted(path.read_bytes() for path in visible(root) if path.name != "job.json")
    assert [each for each in contents if each or not may_be_empty] == sorted(CONTENTS.values())
    assert not [each for each in (root / "output").rglob("*") if is_part_name(each.name)]
    (job,) = SavedOutputs(root / "state").jobs([JOB]).values()
    assert job.whole
    assert InFlightSaves(root / "state").interrupted() == []


def _refuse_links(patch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    patch.setattr(os, "link", refuse)


def _refuse_both(patch: pytest.MonkeyPatch) -> None:
    _refuse_links(patch)
    patch.setattr(directory, "rename_new", lambda *arguments: False)


DISKS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "hard links": lambda patch: None,
    "no hard links": _refuse_links,
    "neither links nor exclusive renames": _refuse_both,
}


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make syncs quick: a killed process, unlike a power cut, loses nothing that it has written."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(part_file, "SYNC_BYTES", STEP)


def steps_of(root: Path, kind: str) -> list[int]:
    """Return the numbers of the system calls at which the process is killed."""
    (root / "output").mkdir(parents=True)
    trail = calls_of(lambda: save(root))
    assert len(trail) > MIN_STEPS
    if kind == "every call":
        return list(range(1, len(trail) + 1))
    if kind == "writes":
        return [number for number, call in enumerate(trail, 1) if call == "write"]
    placings = [number for number, call in enumerate(trail, 1) if call == "link"]
    return sorted({number + offset for number in placings for offset in range(-2, 6)})


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("disk", "kind"),
    [
        ("hard links", "every call"),
        ("hard links", "writes"),
        ("no hard links", "placings"),
        ("neither links nor exclusive renames", "placings"),
    ],
)
def test_a_save_that_is_killed_at_any_step_is_whole_or_absent_and_ends_well_the_next_time(
    tmp_path: Path, disk: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_be_empty = disk.startswith("neither")
    steps = steps_of(tmp_path / "whole", kind)
    DISKS[disk](monkeypatch)
    for step in steps:
        root = tmp_path / str(step)
        (root / "output").mkdir(parents=True)
        killed_at(step, partial(save, root), half=kind == "writes")
        check_killed(root, may_be_empty=may_be_empty)
        save(root)
        check_done(root, may_be_empty=may_be_empty)


def test_a_save_that_is_killed_again_and_again_ends_at_last(tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    times = 0
    while killed_at(60 + 7 * times, partial(save, tmp_path), half=True):
        check_killed(tmp_path, may_be_empty=False)
        times += 1
    assert times > 3
    check_done(tmp_path, may_be_empty=False)
