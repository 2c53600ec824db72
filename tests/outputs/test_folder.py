"""Each job has its own folder below the folder for outputs, and nothing outside that folder is read or written."""

from __future__ import annotations

import json
import os
from datetime import datetime, timezone
from pathlib import Path
from uuid import UUID

import pytest

from cloud_history.errors import CloudError
from cloud_history.outputs import folder as module
from cloud_history.outputs.directory import HAS_DIR_FD
from cloud_history.outputs.errors import OutputFileRefused, OutputFolderRefused, OutputsUnwritable
from cloud_history.outputs.folder import OutputFolder, find_output_folder, output_roots
from cloud_history.outputs.names import MAX_FOLDER_BYTES
from cloud_history.secret import Secret
from support.output_stage import CONTENT, ordinary_user, sha256, write
from support.trap_names import TRAP_NAMES

JOB = "0f8fad5b-d9cb-469f-a165-70867728950e"
SISTER = "0f8fad5b-d9cb-469f-a165-000000000000"
CREATED = datetime(2026, 11, 29, 12, 0, tzinfo=timezone.utc)
DAY = CREATED.astimezone().strftime("%Y-%m-%d")
FILE = f"comfy-cloud/{DAY}/portrait 0f8fad5b/a.png"
WAYS = [pytest.param(True, id="by descriptor", marks=pytest.mark.skipif(not HAS_DIR_FD, reason="POSIX")), False]


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sync nothing: no test here is about power cuts, and a busy machine syncs for seconds."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.fixture(params=WAYS, ids=["by descriptor", "by path"])
def outputs(request: pytest.FixtureRequest, tmp_path: Path) -> OutputFolder:
    (tmp_path / "output").mkdir()
    (tmp_path / "outside").mkdir()
    return OutputFolder(tmp_path / "output", by_descriptor=request.param)


def save(outputs: OutputFolder, label: str = "portrait", job_id: str = JOB, name: str = "a.png") -> str:
    """Save a file in the folder of a job. Return its path."""
    with outputs.open_job_folder(CREATED, label, job_id) as job:
        return f"{job.path}/{write(job.directory, name).name}"


def tree(top: Path) -> set[str]:
    """Return the paths of everything below a folder. Links are not followed."""
    return {
        os.path.relpath(os.path.join(path, name), top)
        for path, folders, files in os.walk(top)
        for name in (*folders, *files)
    }


# The folder of a job


def test_a_job_has_a_folder_with_its_date_its_name_and_its_id(outputs: OutputFolder) -> None:
    assert save(outputs) == FILE
    assert (outputs.root / FILE).read_bytes() == CONTENT
    assert outputs.place == "output/comfy-cloud"


def test_the_same_job_has_the_same_folder_in_each_run(outputs: OutputFolder) -> None:
    assert save(outputs) == save(outputs, job_id=JOB.upper()) == FILE
    assert tree(outputs.root / "comfy-cloud" / DAY) == {
        "portrait 0f8fad5b",
        "portrait 0f8fad5b/a.png",
        "portrait 0f8fad5b/job.json",
    }


def test_two_jobs_whose_ids_begin_alike_have_two_folders(outputs: OutputFolder) -> None:
    assert save(outputs) == FILE
    assert save(outputs, job_id=SISTER) == f"comfy-cloud/{DAY}/portrait {SISTER}/a.png"
    assert save(outputs, job_id=SISTER) == f"comfy-cloud/{DAY}/portrait {SISTER}/a.png"
    assert save(outputs) == FILE


def test_the_folder_is_claimed_before_anything_is_saved(outputs: OutputFolder) -> None:
    with outputs.open_job_folder(CREATED, "portrait", JOB) as one:
        with outputs.open_job_folder(CREATED, "portrait", SISTER) as other:
            assert one.path != other.path
        assert json.loads((outputs.root / one.path / "job.json").read_text()) == {"id": JOB, "whole": False}


@pytest.mark.parametrize("content", [b"", b"{}", b'{"id": 5}', b"\xff", b'{"name": "mine"}', b'{"id": "%36d"' % 1])
def test_a_folder_with_a_job_file_of_a_person_is_left_alone(outputs: OutputFolder, content: bytes) -> None:
    theirs = (outputs.root / FILE).parent
    theirs.mkdir(parents=True)
    (theirs / "job.json").write_bytes(content)
    assert save(outputs) == f"comfy-cloud/{DAY}/portrait {JOB}/a.png"
    assert (theirs / "job.json").read_bytes() == content
    assert os.listdir(theirs) == ["job.json"]


def test_folders_that_all_belong_to_others_are_reported(outputs: OutputFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_FOLDERS_OF_A_JOB", 4)
    for name in ("portrait 0f8fad5b", f"portrait {JOB}", f"portrait {JOB} (2)", f"portrait {JOB} (3)"):
        theirs = outputs.root / "comfy-cloud" / DAY / name
        theirs.mkdir(parents=True)
        (theirs / "job.json").write_text("theirs")
    with pytest.raises(OutputFileRefused, match="too many"):
        save(outputs)


def test_a_job_without_time_or_name_has_a_folder_too(outputs: OutputFolder) -> None:
    with outputs.open_job_folder(None, "", JOB) as job:
        assert job.path == "comfy-cloud/undated/0f8fad5b"


def test_the_key_is_never_in_the_name_of_a_folder_or_file(outputs: OutputFolder) -> None:
    key = Secret("comfyui-0123456789abcdef0123456789abcdef")
    path = save(outputs, label=f"my {key.reveal()} workflow", name=f"{key.reveal()}.png")
    assert path == f"comfy-cloud/{DAY}/my [hidden] workflow 0f8fad5b/[hidden].png"


@pytest.mark.parametrize("part", range(10))
def test_a_trap_name_leads_nowhere_as_the_name_of_a_job_and_of_a_file(outputs: OutputFolder, part: int) -> None:
    known = tree(outputs.root.parent)
    for number, trap in list(enumerate(TRAP_NAMES))[part::10]:
        path = save(outputs, label=trap, job_id=str(UUID(int=number)), name=trap)
        folder = path.rpartition("/")[0]
        new = tree(outputs.root.parent) - known
        ours = {"comfy-cloud", f"comfy-cloud/{DAY}", folder, f"{folder}/job.json", path}
        assert new <= {f"output/{each}" for each in ours}, trap
        assert {f"output/{folder}/job.json", f"output/{path}"} <= new
        known |= new
        assert len(os.path.basename(folder).encode()) <= MAX_FOLDER_BYTES
        stat = outputs.stat(path)
        assert stat is not None
        assert stat.size == len(CONTENT)


# Links


LEVELS = {
    "the folder for outputs": "comfy-cloud",
    "the folder of a day": f"comfy-cloud/{DAY}",
    "the folder of a job": f"comfy-cloud/{DAY}/portrait 0f8fad5b",
}


@pytest.mark.parametrize("target", ["outside", "output", "missing", "output/itself"])
@pytest.mark.parametrize("level", LEVELS)
def test_a_link_at_any_level_stops_the_save(outputs: OutputFolder, level: str, target: str) -> None:
    link = outputs.root / LEVELS[level]
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(link if "itself" in target else outputs.root.parent / target)
    before = tree(outputs.root.parent)
    with pytest.raises(OutputFileRefused) as caught:
        save(outputs)
    assert caught.value.sentence == "output_link_in_the_way"
    assert link.name in caught.value.message
    assert tree(outputs.root.parent) == before


@pytest.mark.parametrize("level", LEVELS)
def test_a_file_in_the_place_of_a_folder_stops_the_save(outputs: OutputFolder, level: str) -> None:
    theirs = outputs.root / LEVELS[level]
    theirs.parent.mkdir(parents=True, exist_ok=True)
    theirs.write_text("theirs")
    with pytest.raises(OutputFileRefused, match="is not a folder"):
        save(outputs)
    assert theirs.read_text() == "theirs"


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_is_read_through_a_link(outputs: OutputFolder, level: str) -> None:
    assert save(outputs) == FILE
    folder = outputs.root / LEVELS[level]
    folder.rename(outputs.root.parent / "outside" / "moved")
    folder.symlink_to(outputs.root.parent / "outside" / "moved")
    assert (outputs.root / FILE).read_bytes() == CONTENT
    assert outputs.stat(FILE) is None
    assert outputs.sha256(FILE) is None
    assert outputs.open_saved(FILE) is None
    assert outputs.remove_unfinished() == 0


def test_a_root_that_is_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "big disk").mkdir()
    (tmp_path / "output").symlink_to("big disk")
    assert save(OutputFolder(tmp_path / "output")) == FILE
    assert (tmp_path / "big disk" / FILE).exists()


# Saved files


def test_size_time_and_hash_of_a_saved_file_are_read(outputs: OutputFolder) -> None:
    path = save(outputs)
    stat = outputs.stat(path)
    assert stat == (len(CONTENT), (outputs.root / path).stat().st_mtime_ns)
    assert outputs.sha256(path) == sha256(CONTENT)
    file = outputs.open_saved(path)
    assert file is not None
    with file:
        assert file.read() == CONTENT


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "a.png",
        "missing/a.png",
        "../outside/a.png",
        "comfy-cloud/../a",
        "/etc/passwd",
        "comfy-cloud",
        "comfy-cloud/",
        *["comfy-cloud//a", "C:\\a", "a\\b", "a\0b", "./a", "x/" * 30 + "a", f"{FILE}/x", "\udcff", FILE.upper() + "X"],
    ],
)
def test_a_path_that_is_no_saved_file_is_not_read(outputs: OutputFolder, path: str) -> None:
    (outputs.root.parent / "outside" / "a.png").write_text("secret")
    save(outputs)
    assert outputs.stat(path) is None
    assert outputs.sha256(path) is None
    assert outputs.open_saved(path) is None


def test_a_stop_ends_the_reading_of_a_large_file(outputs: OutputFolder) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    path = save(outputs)
    with pytest.raises(KeyboardInterrupt):
        outputs.sha256(path, stop)


def test_a_saved_file_that_may_not_be_read_is_an_error_and_not_missing(tmp_path: Path) -> None:
    outputs = OutputFolder(tmp_path / "output")
    path = save(outputs)
    (outputs.root / path).chmod(0)
    with ordinary_user(tmp_path / "output"), pytest.raises(OutputsUnwritable, match="can’t be read"):
        outputs.stat(path)


# The disk


def test_the_root_is_created_as_comfyui_creates_it(tmp_path: Path) -> None:
    outputs = OutputFolder(tmp_path / "output")
    assert outputs.stat(FILE) is None
    assert outputs.free_bytes() > 0
    assert save(outputs) == FILE


def test_a_root_on_a_disk_that_is_not_mounted_is_not_created(tmp_path: Path) -> None:
    outputs = OutputFolder(tmp_path / "mount" / "output")
    for action in (lambda: save(outputs), outputs.free_bytes):
        with pytest.raises(OutputFolderRefused, match="does not exist"):
            action()
    assert outputs.stat(FILE) is None
    assert outputs.remove_unfinished() == 0
    assert os.listdir(tmp_path) in ([], ["state"])


def test_the_free_space_is_that_of_the_disk(outputs: OutputFolder) -> None:
    found = os.statvfs(outputs.root)
    free = found.f_bavail * found.f_frsize
    assert abs(outputs.free_bytes() - free) < max(2**30, free // 4)


def test_what_ended_saves_left_is_removed_from_all_jobs(outputs: OutputFolder) -> None:
    path = save(outputs)
    left = (outputs.root / path).with_name(f".a.png.{'0' * 32}.part")
    other = outputs.root / "comfy-cloud" / "undated" / "x" / left.name
    other.parent.mkdir(parents=True)
    mine = outputs.root / left.name
    for each in (left, other, mine):
        each.write_bytes(b"left")
    assert outputs.remove_unfinished() == 2
    assert not left.exists()
    assert not other.exists()
    assert mine.exists()
    assert (outputs.root / path).read_bytes() == CONTENT


# Which folder


@pytest.fixture
def roots(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "output").mkdir()
    (tmp_path / "big").mkdir()
    return tmp_path / "output", tmp_path / "big"


@pytest.mark.parametrize(
    ("chosen", "place"),
    [
        ("", "output/comfy-cloud"),
        ("cloud", "output/cloud"),
        ("my/cloud jobs", "output/my/cloud jobs"),
        ("./cloud/", "output/cloud"),
        ("{output}", "output"),
        ("{output}/a/b", "output/a/b"),
        ("{big}", "big"),
        ("{big}/a", "big/a"),
    ],
)
def test_a_folder_inside_an_allowed_folder_can_be_chosen(roots: tuple[Path, Path], chosen: str, place: str) -> None:
    output, big = roots
    environ = {"COMFY_CLOUD_HISTORY_OUTPUTS": f"{big}{os.pathsep}"}
    assert find_output_folder(chosen.format(output=output, big=big), output, environ).place == place


@pytest.mark.parametrize(
    "chosen",
    [
        "..",
        "../x",
        "a/../../x",
        "a/..",
        "/",
        "/etc",
        "{big}",
        "{big}/a",
        "{output}x",
        "{output}/../big",
        "{output}/.hidden",
        "~",
        "~/x",
        "~root",
        "C:",
        "C:\\x",
        "\\\\server\\x",
        "a\\b",
        "nul",
        "a/con.x",
        "a\0b",
        "a\nb",
        "-x",
        "x.",
        " ",
        "x ",
        *["a/b/c/d/e/f/g/h/i", "x" * 200, "\ud800", "job.json", "x.part", "file:///x"],
    ],
)
def test_a_folder_outside_the_allowed_folders_is_refused(roots: tuple[Path, Path], chosen: str) -> None:
    output, big = roots
    with pytest.raises(OutputFolderRefused):
        find_output_folder(chosen.format(output=output, big=big), output, {})
    assert os.listdir(output) == os.listdir(big) == []


def test_outside_comfyui_a_folder_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(OutputFolderRefused, match="COMFY_CLOUD_HISTORY_OUTPUTS"):
        find_output_folder("", None, {})
    named = {"COMFY_CLOUD_HISTORY_OUTPUTS": f'"{tmp_path}"'}
    assert find_output_folder("", None, named).root == tmp_path.resolve()


@pytest.mark.parametrize("named", ["outputs", "./outputs", "{ok}:outputs", "~nobody-has-this-name/x"])
def test_a_named_folder_must_be_a_whole_path(tmp_path: Path, named: str) -> None:
    environ = {"COMFY_CLOUD_HISTORY_OUTPUTS": named.format(ok=tmp_path)}
    with pytest.raises(OutputFolderRefused, match="whole path"):
        find_output_folder("", tmp_path, environ)


def test_a_folder_can_be_chosen_by_the_path_that_a_link_leads_to(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "output").symlink_to("disk")
    for chosen in (tmp_path / "output" / "a", tmp_path / "disk" / "a"):
        found = find_output_folder(str(chosen), tmp_path / "output", {})
        assert (found.root, found.inside) == ((tmp_path / "disk").resolve(), ("a",))


def test_the_roots_are_those_of_comfyui_and_of_the_environment(roots: tuple[Path, Path]) -> None:
    output, big = roots
    environ = {"COMFY_CLOUD_HISTORY_OUTPUTS": str(big)}
    assert output_roots(output, environ) == [output.resolve(), big.resolve()]
    assert output_roots(None, {}) == []


def test_every_refusal_says_what_to_do(tmp_path: Path) -> None:
    for refused in ("..", "/etc"):
        with pytest.raises(CloudError) as caught:
            find_output_folder(refused, tmp_path, {})
        assert caught.value.hint
