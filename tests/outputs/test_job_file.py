"""job.json says what a job was and which of its files are here, without any key, and replaces no other file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_history.errors import NotBackedUp
from cloud_history.outputs.directory import Directory
from cloud_history.outputs.errors import OutputsDiskFull
from cloud_history.outputs.job_file import claim, write_job_file
from cloud_history.secret import Secret
from cloud_history.state.saved_outputs import SavedFile
from support.output_stage import folder, shown
from support.small_disk import file_size_limited_to

JOB, OTHER = "0f8fad5b-d9cb-469f-a165-70867728950e", "11111111-d9cb-469f-a165-70867728950e"
KEY = "comfyui-0123456789abcdef0123456789abcdef"
FILE = SavedFile("a:b.png", "comfy-cloud/2026-11-29/x/a_b.png", 5, "ab" * 32, "blake3", 1)
CANVAS = {"nodes": [{"id": 1, "type": "KSampler"}], "seed": 2**60}
DETAIL: dict[str, Any] = {
    "id": JOB,
    "status": "completed",
    "create_time": 1_764_000_000_000,
    "execution_start_time": 1_764_000_001_000,
    "execution_end_time": 1_764_000_002_500,
    "workflow_id": "wf-1",
    "workflow": {"prompt": {"1": {"class_type": "KSampler"}}, "extra_data": {"extra_pnginfo": {"workflow": CANVAS}}},
}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Directory]:
    with folder(tmp_path / "job") as found:
        yield found


def put(here: Directory, detail: dict[str, Any] = DETAIL, key: str = KEY, **more: Any) -> None:
    about: dict[str, Any] = {"name": "portrait", "host": "cloud.comfy.org", "files": [FILE], "whole": True}
    write_job_file(here, detail, key, **about | more)


def kept(here: Directory, name: str = "job.json") -> dict[str, Any]:
    found = json.loads((here.path / name).read_text())
    assert isinstance(found, dict)
    return found


def test_the_job_file_has_the_workflow_the_times_and_the_files(here: Directory) -> None:
    assert claim(here, JOB)
    put(here)
    found = kept(here)
    assert found.pop("saved")
    assert found == {
        "id": JOB,
        "status": "completed",
        "workflow_name": "portrait",
        "workflow_id": "wf-1",
        "created": "2025-11-24T16:00:00.000+00:00",
        "started": "2025-11-24T16:00:01.000+00:00",
        "finished": "2025-11-24T16:00:02.500+00:00",
        "host": "cloud.comfy.org",
        "whole": True,
        "files": [{"name": "a:b.png", "file": "a_b.png", "size": 5, "sha256": "ab" * 32, "checked": "blake3"}],
        "workflow": CANVAS,
        "prompt": {"1": {"class_type": "KSampler"}},
    }
    assert os.listdir(here.path) == ["job.json"]


def test_a_second_save_of_the_same_job_replaces_the_job_file(here: Directory) -> None:
    put(here, whole=False)
    put(here)
    assert kept(here)["whole"] is True
    assert os.listdir(here.path) == ["job.json"]


def test_a_claim_does_not_change_the_job_file_of_an_earlier_save(here: Directory) -> None:
    put(here)
    before = shown(here.path)
    assert claim(here, JOB.upper())
    assert not claim(here, OTHER)
    assert shown(here.path) == before


@pytest.mark.parametrize("theirs", ["theirs", json.dumps({"id": OTHER}), ""])
def test_a_job_file_of_somebody_else_is_not_replaced(here: Directory, theirs: str) -> None:
    (here.path / "job.json").write_text(theirs)
    put(here)
    put(here)
    assert (here.path / "job.json").read_text() == theirs
    assert kept(here, "job (2).json")["id"] == JOB
    assert sorted(os.listdir(here.path)) == ["job (2).json", "job.json"]


@pytest.mark.parametrize("make", ["link", "folder"])
def test_a_link_or_folder_named_like_the_job_file_is_left_alone(here: Directory, make: str, tmp_path: Path) -> None:
    (tmp_path / "theirs.json").write_text(json.dumps({"id": JOB}))
    if make == "link":
        (here.path / "job.json").symlink_to("../theirs.json")
    else:
        (here.path / "job.json").mkdir()
    assert not claim(here, JOB)
    put(here)
    assert json.loads((tmp_path / "theirs.json").read_text()) == {"id": JOB}
    assert kept(here, "job (2).json")["id"] == JOB


def test_the_key_is_in_no_member_of_the_job_file(here: Directory) -> None:
    key = Secret(KEY).reveal()
    workflow = {"nodes": [{"widget": f"Bearer {key}"}], key: key}
    put(here, {**DETAIL, "workflow": workflow, "workflow_id": key}, name=key, host=key, files=[FILE._replace(name=key)])
    text = (here.path / "job.json").read_text()
    assert key not in text
    assert text.count("[hidden]") >= 6


def test_a_workflow_that_cannot_be_freed_of_the_key_is_left_out(here: Directory) -> None:
    put(here, {**DETAIL, "workflow": {"nodes": [], "seed": 98765432109876}}, key="98765432109876")
    assert kept(here)["workflow"] is None
    assert kept(here)["files"]


def test_a_job_file_that_would_contain_the_key_all_the_same_is_not_written(here: Directory) -> None:
    with pytest.raises(NotBackedUp):
        put(here, key="sha256")
    assert os.listdir(here.path) == []


def test_a_workflow_that_is_nested_too_deeply_is_left_out(here: Directory) -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"nodes": [deep]}
    put(here, {**DETAIL, "workflow": deep})
    assert kept(here)["workflow"] is None


@pytest.mark.parametrize("room", [0, 1, 30, 200])
def test_on_a_full_disk_the_earlier_job_file_stays(here: Directory, room: int) -> None:
    assert claim(here, JOB)
    before = shown(here.path)
    with file_size_limited_to(room), pytest.raises(OutputsDiskFull):
        put(here)
    assert shown(here.path) == before
    assert os.listdir(here.path) == ["job.json"]
