"""Outputs with hostile names, from a cloud over real sockets: all are saved, and nothing is written anywhere else."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from cloud_history.outputs.names import safe_folder, safe_name, same_on_disk
from simulated_cloud import Periodic
from simulated_cloud.trap_names import TRAP_NAMES as TRAP_PLACES
from support.saving_stage import SavingStage
from support.trap_names import TRAP_NAMES

CLOUD_JOBS = 0
FILES_OF_A_JOB = 40


def everything_in(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return each path below a folder, without following links, with its kind, size and content."""
    found = {}
    for path in folder.rglob("*"):
        known = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path.relative_to(folder))] = (known.st_mode, len(content), content)
    return found


def check_names(saving: SavingStage) -> None:
    """Check that each name below the output folder is safe on all systems, and differs from its neighbours there."""
    for folder, folders, files in os.walk(saving.output):
        inside = Path(folder).relative_to(saving.output).parts
        if len(inside) > 1:
            assert all(safe_folder(each) == each for each in folders)
            assert all(safe_name(each) == each for each in files if each != "job.json")
        names = [*folders, *files]
        clashes = [(a, b) for at, a in enumerate(names) for b in names[at + 1 :] if same_on_disk(a, b)]
        assert not clashes
        assert not [each for each in names if each.endswith(".part")]


@pytest.mark.timeout(180)
async def test_all_outputs_with_hostile_names_are_saved_inside_the_folder(saving: SavingStage) -> None:
    """The names come as the names of outputs, as their subfolders, and as the name of the workflow."""
    places = [*TRAP_PLACES, *(("", name) for name in TRAP_NAMES), *((name, "x.png") for name in TRAP_NAMES[::5])]
    places = list(dict.fromkeys((folder[:280], name) for folder, name in places if 0 < len(name) <= 1200))
    assert len(places) >= 600
    jobs = []
    for at in range(0, len(places), FILES_OF_A_JOB):
        part = places[at : at + FILES_OF_A_JOB]
        # Below a folder of its own, so that the storage has one file for each.
        subfolders = tuple(f"{at}/{folder}" for folder, _ in part)
        workflow = TRAP_NAMES[at % len(TRAP_NAMES)]
        job = saving.cloud.add_job(files=tuple(name for _, name in part), subfolders=subfolders, workflow_name=workflow)
        jobs.append(job)
        for number, path in enumerate(job.paths):
            saving.cloud.account.contents[path] = Periodic(f"{at}", 50 + number)
    outside = saving.folder / "outside"
    outside.mkdir()
    (outside / "mine.txt").write_text("mine")
    before = everything_in(saving.folder)
    result = await saving.save(jobs)
    assert [each.failed for each in result.jobs.values() if each.failed] == []
    assert result.whole_ids == [job.id for job in jobs]
    # Names that differ only in lone surrogates are one file in the storage.
    asked = Counter(saving.cloud.account.facts_of(path).sha256 for job in jobs for path in set(job.paths))
    assert Counter(set(saving.saved().values())) == Counter(set(asked))
    check_names(saving)
    after = everything_in(saving.folder)
    added = {path for path in after if path not in before}
    assert {path.split("/")[0] for path in added} <= {"output", "state"}
    assert {path: after[path] for path in before if not path.startswith("state")} == {
        path: known for path, known in before.items() if not path.startswith("state")
    }
    assert {path.split("/")[1] for path in added if path.startswith("output/")} == {"comfy-cloud"}


async def test_a_hostile_name_in_a_folder_with_links_leads_nowhere(saving: SavingStage) -> None:
    outside = saving.folder / "outside"
    outside.mkdir()
    (jobs,) = [saving.jobs(1, files=1)]
    await saving.save(jobs)
    (folder,) = {path.parent for path in saving.output.rglob("*.png")}
    for name in ("link.png", "dangling.png"):
        (folder / name).symlink_to(outside / ("mine.txt" if name == "link.png" else "new.txt"))
    (outside / "mine.txt").write_text("mine")
    job = jobs[0]
    job.files = (*job.files, "link.png", "dangling.png")
    saving.cloud.account.note_files(job)
    result = await saving.save(jobs)
    assert result.whole_ids == [job.id]
    assert everything_in(outside)["mine.txt"][2] == b"mine"
    assert list(everything_in(outside)) == ["mine.txt"]
    assert saving.cloud.facts("link.png").sha256 in saving.saved().values()
