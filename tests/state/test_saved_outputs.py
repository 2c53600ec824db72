"""The list of saved outputs: the newest line of a job counts, and nothing damaged or lost counts as saved."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from cloud_history.errors import StateFolderLost, StateUnreadable, StateUnwritable
from cloud_history.secret import Secret
from cloud_history.state.folder import state_folder_at
from cloud_history.state.saved_outputs import LOG, SavedFile, SavedJob, SavedOutputs
from support.small_disk import file_size_limited_to

OPERATION = "0123456789abcdef" * 2
TIME = 1_700_000_000_123_456_789
FILE = SavedFile("a.png", "comfy-cloud/2026-11-29/x 1/a.png", 5, "ab" * 32, "blake3", TIME, "sub", "temp")
JOB = "0f8fad5b-d9cb-469f-a165-70867728950e"


def saved(
    job_id: str = JOB, *, whole: bool = True, files: tuple[SavedFile, ...] = (FILE,), at: str = "now"
) -> SavedJob:
    return SavedJob(job_id, OPERATION, "/srv/output", "comfy-cloud/2026-11-29/x 1", files, whole, at)


def ids(number: int) -> list[str]:
    return [str(UUID(int=each)) for each in range(number)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_what_was_saved_is_found_again_by_a_new_process(folder: Path) -> None:
    SavedOutputs(folder).append(saved())
    found = SavedOutputs(folder)
    assert found.jobs([JOB, ids(1)[0]]) == {JOB: saved()}
    assert found.whole_ids() == {JOB: True}


def test_a_new_list_is_empty(folder: Path) -> None:
    assert SavedOutputs(folder).jobs([JOB]) == {}
    assert SavedOutputs(folder).whole_ids() == {}
    assert not folder.exists()


def test_a_job_is_found_by_its_id_in_upper_case(folder: Path) -> None:
    SavedOutputs(folder).append(saved(JOB.upper()))
    assert SavedOutputs(folder).jobs([JOB.upper()]) == {JOB.upper(): saved()}


def test_the_newest_line_of_a_job_counts(folder: Path) -> None:
    outputs = SavedOutputs(folder)
    for whole in (True, False):
        outputs.append(saved(whole=whole))
        assert outputs.jobs([JOB])[JOB].whole is whole
        assert outputs.whole_ids() == {JOB: whole}


def test_lines_of_another_process_are_seen_at_once(folder: Path) -> None:
    one, other = SavedOutputs(folder), SavedOutputs(folder)
    for job_id in ids(5):
        one.append(saved(job_id))
        assert list(other.whole_ids()) == ids(5)[: int(job_id[-1]) + 1]
        assert other.jobs([job_id]) == {job_id: saved(job_id)}


def test_full_files_are_kept_and_the_oldest_dropped(folder: Path) -> None:
    outputs = SavedOutputs(folder, largest=2000, older=2)
    for job_id in ids(40):
        outputs.append(saved(job_id))
        assert outputs.jobs([job_id]) == {job_id: saved(job_id)}
    found = outputs.whole_ids()
    assert found == SavedOutputs(folder, largest=2000, older=2).whole_ids()
    assert set(ids(40)[-8:]) <= set(found) < set(ids(40))


def test_the_newest_line_counts_after_a_rotation_too(folder: Path) -> None:
    outputs = SavedOutputs(folder, largest=2000, older=5)
    outputs.append(saved(whole=True))
    for job_id in ids(10):
        outputs.append(saved(job_id))
    outputs.append(saved(whole=False))
    for job_id in ids(10):
        outputs.append(saved(job_id))
    assert (folder / "saved_outputs.2.jsonl").exists()
    assert outputs.jobs([JOB])[JOB].whole is False


def test_the_key_is_in_no_line(folder: Path) -> None:
    key = Secret("comfyui-0123456789abcdef0123456789abcdef").reveal()
    file = FILE._replace(name=key, path=f"x/{key}", subfolder=key)
    SavedOutputs(folder).append(SavedJob(JOB, OPERATION, f"/srv/{key}", key, (file,), True))
    assert key not in (folder / LOG).read_text()


# Damage

CUTS = [1, 10, 60, 100, 200, -3, -2, -1]


@pytest.mark.parametrize("cut", CUTS)
def test_a_line_that_a_crash_cut_is_not_saved_and_later_lines_are(folder: Path, cut: int) -> None:
    outputs = SavedOutputs(folder)
    outputs.append(saved())
    line = (folder / LOG).read_bytes()
    (folder / LOG).write_bytes(line.rstrip(b"\n")[:cut])
    assert outputs.jobs([JOB]) == SavedOutputs(folder).jobs([JOB]) == {}
    other = ids(1)[0]
    outputs.append(saved(other))
    for each in (outputs, SavedOutputs(folder)):
        assert each.jobs([JOB, other]) == {other: saved(other)}


DAMAGE: dict[str, Callable[[dict[str, object]], object]] = {
    "another job": lambda line: line.update(job_id=ids(1)[0]),
    "no files": lambda line: line.pop("files"),
    "files are no list": lambda line: line.update(files=5),
    "a file is no object": lambda line: line.update(files=["a.png"]),
    "a file lacks its size": lambda line: line.update(files=[{"name": "a.png"}]),
    "a size is negative": lambda line: line.update(files=[{**FILE._asdict(), "size": -1}]),
    "a size is a truth": lambda line: line.update(files=[{**FILE._asdict(), "size": True}]),
    "a size is a text": lambda line: line.update(files=[{**FILE._asdict(), "size": "5"}]),
    "a hash is too short": lambda line: line.update(files=[{**FILE._asdict(), "sha256": "ab"}]),
    "a hash is none": lambda line: line.update(files=[{**FILE._asdict(), "sha256": None}]),
    "an unknown check": lambda line: line.update(files=[{**FILE._asdict(), "checked": "prayer"}]),
    "an unknown member": lambda line: line.update(files=[{**FILE._asdict(), "more": 1}]),
    "a path without a part": lambda line: line.update(files=[{**FILE._asdict(), "path": "a//b"}]),
    "no root": lambda line: line.pop("root"),
    "a root that is no text": lambda line: line.update(root=5),
    "an operation that is none": lambda line: line.update(operation="x"),
    "an unknown member of the line": lambda line: line.update(more=1),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_line_is_not_saved_even_if_an_older_line_is_good(folder: Path, damage: str) -> None:
    outputs = SavedOutputs(folder)
    outputs.append(saved())
    line = json.loads((folder / LOG).read_bytes())
    DAMAGE[damage](line)
    with open(folder / LOG, "ab") as file:
        file.write(json.dumps(line).replace(ids(1)[0], JOB, 1).encode() + b"\n")
    if damage == "another job":
        changed = (folder / LOG).read_bytes().replace(b'"whole": true', b'"whole": true, "job_id": "x"')
        (folder / LOG).write_bytes(changed)
    assert outputs.jobs([JOB]) == {}
    assert SavedOutputs(folder).jobs([JOB]) == {}


@pytest.mark.parametrize("noise", [b"\x00" * 5000, b"{}\n[]\n5\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n", b"\n\n\n"])
def test_lines_that_are_not_from_this_pack_are_skipped(folder: Path, noise: bytes) -> None:
    outputs = SavedOutputs(folder)
    outputs.append(saved())
    with open(folder / LOG, "ab") as file:
        file.write(noise)
    other = ids(1)[0]
    outputs.append(saved(other))
    assert SavedOutputs(folder).jobs([JOB, other]) == {JOB: saved(), other: saved(other)}


def test_a_list_that_was_replaced_is_read_anew(folder: Path) -> None:
    outputs = SavedOutputs(folder)
    for job_id in ids(3):
        outputs.append(saved(job_id))
    assert len(outputs.whole_ids()) == 3
    lines = (folder / LOG).read_bytes().splitlines(keepends=True)
    (folder / LOG).write_bytes(lines[2])
    assert outputs.whole_ids() == {ids(3)[2]: True}
    assert outputs.jobs(ids(3)) == {ids(3)[2]: saved(ids(3)[2])}


# Loss


@pytest.mark.parametrize("fresh", [True, False])
def test_the_loss_of_the_list_is_noticed(folder: Path, fresh: bool) -> None:
    outputs = SavedOutputs(folder)
    outputs.append(saved())
    assert outputs.whole_ids()
    (folder / LOG).unlink()
    with pytest.raises(StateUnreadable, match="missing"):
        (SavedOutputs(folder) if fresh else outputs).whole_ids()
    with pytest.raises(StateUnreadable, match="missing"):
        outputs.jobs([JOB])


def test_the_loss_of_the_list_and_of_its_mark_stops_deletions(folder: Path) -> None:
    SavedOutputs(folder).append(saved())
    state_folder_at(folder).check()
    for path in folder.glob("saved_outputs*"):
        path.unlink()
    with pytest.raises(StateFolderLost, match=r"saved_outputs\.begun"):
        state_folder_at(folder).check()
    with pytest.raises(StateFolderLost):
        SavedOutputs(folder).append(saved())


def test_a_list_in_rotation_is_not_lost(folder: Path) -> None:
    outputs = SavedOutputs(folder)
    outputs.append(saved())
    os.replace(folder / LOG, folder / "saved_outputs.1.jsonl")  # a crash between the two steps of a rotation
    assert outputs.jobs([JOB]) == SavedOutputs(folder).jobs([JOB]) == {JOB: saved()}
    state_folder_at(folder).check()


def test_the_lists_of_two_state_folders_are_apart(tmp_path: Path) -> None:
    SavedOutputs(tmp_path / "one").append(saved())
    assert SavedOutputs(tmp_path / "other").jobs([JOB]) == {}


def test_a_planted_link_is_not_read(folder: Path, tmp_path: Path) -> None:
    SavedOutputs(folder).append(saved())
    os.replace(folder / LOG, tmp_path / "elsewhere.jsonl")
    (folder / LOG).symlink_to(tmp_path / "elsewhere.jsonl")
    with pytest.raises(StateUnreadable):
        SavedOutputs(folder).jobs([JOB])


# The disk


@pytest.mark.parametrize("room", [0, 1, 50, 300])
def test_on_a_full_disk_the_job_does_not_count_as_saved(folder: Path, room: int) -> None:
    outputs = SavedOutputs(folder)
    outputs.append(saved(ids(1)[0]))
    size = (folder / LOG).stat().st_size
    with file_size_limited_to(size + room), pytest.raises(StateUnwritable):
        outputs.append(saved(files=(FILE,) * 5))
    assert (folder / LOG).stat().st_size == size
    assert list(outputs.whole_ids()) == [ids(1)[0]]


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from cloud_history.state.saved_outputs import SavedFile, SavedJob, SavedOutputs
outputs = SavedOutputs(Path(sys.argv[1]), largest=20_000)
for number in range(100):
    job_id = f"{int(sys.argv[3]):08x}-0000-0000-0000-{number:012x}"
    outputs.append(SavedJob(job_id, "0" * 32, "/srv", "x", (SavedFile("a", "x/a", 1, "ab" * 32, "size", 1),), True))
"""


def test_processes_that_write_at_once_lose_no_line(folder: Path) -> None:
    SavedOutputs(folder).append(saved())
    root = str(Path(__file__).parents[2])
    children = [subprocess.Popen([sys.executable, "-c", CHILD, str(folder), root, str(each)]) for each in range(3)]
    assert [child.wait(120) for child in children] == [0, 0, 0]
    assert len(SavedOutputs(folder).whole_ids()) == 301
