"""A save that was interrupted is listed until a person continues or dismisses it, and never while it runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cloud_history.errors import InputRefused, StateFolderLost, StateUnreadable, StateUnwritable
from cloud_history.jobs.ids import new_hex_id
from cloud_history.secret import Secret
from cloud_history.state.saves import InFlightSave, InFlightSaves
from support.small_disk import file_size_limited_to

JOB = "0f8fad5b-d9cb-469f-a165-70867728950e"
ENTRY = InFlightSave([JOB], "cloud.comfy.org", "9abc", "/srv/output", "output/comfy-cloud", "panel")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def written(folder: Path) -> Path:
    return folder / "saving" / f"{ENTRY.operation}.json"


def left_behind(folder: Path, content: str | None = None) -> Path:
    """Leave the file of a save as a killed process leaves it."""
    saves = InFlightSaves(folder)
    saves.begin(ENTRY)
    saves.interrupt(ENTRY.operation)
    if content is not None:
        written(folder).write_text(content)
    return written(folder)


def test_a_save_that_runs_is_not_interrupted(folder: Path) -> None:
    saves = InFlightSaves(folder)
    saves.begin(ENTRY)
    assert saves.interrupted() == []
    assert InFlightSaves(folder).interrupted() == []
    saves.end(ENTRY.operation)
    assert saves.interrupted() == []
    assert os.listdir(folder / "saving") == []


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from cloud_history.state.saves import InFlightSave, InFlightSaves
saves = InFlightSaves(Path(sys.argv[1]))
saves.begin(InFlightSave([sys.argv[3]], "h", "", "/srv", "output", "panel", "ab" * 16))
print("begun", flush=True)
sys.stdin.read()
"""


def test_a_save_whose_process_was_killed_is_interrupted_and_can_be_continued(folder: Path) -> None:
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", CHILD, str(folder), root, JOB]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "begun\n"
        saves = InFlightSaves(folder)
        assert saves.interrupted() == []
        with pytest.raises(InputRefused):
            saves.take("ab" * 16)
        child.send_signal(signal.SIGKILL)
        child.wait(30)
    (entry,) = saves.interrupted()
    assert (entry.operation, list(entry.job_ids)) == ("ab" * 16, [JOB])
    assert saves.take("ab" * 16) == entry
    assert saves.interrupted() == []


def test_a_save_is_continued_by_one_process_only(folder: Path) -> None:
    left_behind(folder)
    one, other = InFlightSaves(folder), InFlightSaves(folder)
    assert one.take(ENTRY.operation) == ENTRY
    for saves in (one, other):
        with pytest.raises(InputRefused, match="no interrupted save"):
            saves.take(ENTRY.operation)
        assert saves.interrupted() == []
    one.interrupt(ENTRY.operation)
    assert other.take(ENTRY.operation) == ENTRY


def test_interrupted_saves_are_listed_the_oldest_first(folder: Path) -> None:
    saves = InFlightSaves(folder)
    times = ["2026-11-29T10:00:00+00:00", "2026-11-28T10:00:00+00:00", "2026-11-30T10:00:00+00:00"]
    for each in times:
        entry = replace(ENTRY, operation=new_hex_id(), begun=each)
        saves.begin(entry)
        saves.interrupt(entry.operation)
    assert [each.begun for each in saves.interrupted()] == sorted(times)


def test_a_dismissed_save_is_gone(folder: Path) -> None:
    left_behind(folder)
    saves = InFlightSaves(folder)
    saves.end(ENTRY.operation)
    saves.end(ENTRY.operation)
    assert saves.interrupted() == []
    with pytest.raises(InputRefused):
        saves.take(ENTRY.operation)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "5", "{}", '{"job_ids": []}', "\x00", "[" * 50_000]
    + [json.dumps({**ENTRY.__dict__, name: value}) for name, value in {"job_ids": ["x"], "host": 5, "more": 1}.items()]
    + [json.dumps({**ENTRY.__dict__, "operation": "0" * 32})],
)
def test_a_damaged_file_is_listed_so_that_it_can_be_dismissed_and_is_never_continued(
    folder: Path, content: str
) -> None:
    left_behind(folder, content)
    saves = InFlightSaves(folder)
    (entry,) = saves.interrupted()
    assert (entry.operation, list(entry.job_ids), entry.begun) == (ENTRY.operation, [], "")
    with pytest.raises(InputRefused):
        saves.take(ENTRY.operation)
    saves.end(ENTRY.operation)
    assert saves.interrupted() == []


@pytest.mark.parametrize("name", ["x.json", f"{'0' * 31}.json", "../x.json", f".{'0' * 32}.json"])
def test_a_file_of_another_name_is_no_save(folder: Path, name: str) -> None:
    left_behind(folder)
    (folder / "saving" / name).write_text("{}")
    assert [each.operation for each in InFlightSaves(folder).interrupted()] == [ENTRY.operation]


@pytest.mark.parametrize("operation", ["", "x", "../../x", "0" * 33, "A" * 32])
def test_an_operation_that_is_no_id_is_refused(folder: Path, operation: str) -> None:
    saves = InFlightSaves(folder)
    for action in (saves.take, saves.end):
        with pytest.raises(ValueError, match="32 hex digits"):
            action(operation)


def test_the_key_is_not_in_the_file(folder: Path) -> None:
    key = Secret("comfyui-0123456789abcdef0123456789abcdef").reveal()
    InFlightSaves(folder).begin(replace(ENTRY, origin=f"node {key}"))
    assert key not in written(folder).read_text()


@pytest.mark.parametrize("room", [0, 1, 100])
def test_on_a_full_disk_no_save_begins_and_none_is_listed(folder: Path, room: int) -> None:
    left_behind(folder)
    InFlightSaves(folder).end(ENTRY.operation)
    saves = InFlightSaves(folder)
    with file_size_limited_to(room), pytest.raises(StateUnwritable, match="recorded in the state folder first"):
        saves.begin(ENTRY)
    assert saves.interrupted() == []
    assert os.listdir(folder / "saving") == []
    saves.begin(ENTRY)


def test_a_lost_state_folder_is_noticed(folder: Path) -> None:
    left_behind(folder)
    folder.rename(folder.with_name("moved"))
    saves = InFlightSaves(folder)
    with pytest.raises(StateFolderLost):
        saves.begin(ENTRY)
    with pytest.raises(StateFolderLost):
        saves.end(ENTRY.operation)


def test_a_folder_that_cannot_be_read_is_an_error_and_not_an_empty_list(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    left_behind(folder)
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(StateUnreadable):
        InFlightSaves(folder).interrupted()
