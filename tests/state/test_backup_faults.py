"""Backups are complete or absent after disk errors, a killed process, or damage to a file."""

from __future__ import annotations

import errno
import io
import json
import os
import random
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from cloud_history.errors import BackupDamaged, StateFolderLost, StateUnwritable
from cloud_history.state.backups import BackupFolder
from cloud_history.state.folder import state_folder_at
from support.backup_stage import ABOUT, CREATED, DETAIL, JOB, KEY, OPERATION, OTHER, make, names
from support.examples import examples
from support.small_disk import file_size_limited_to

NOISE = random.Random(1).randbytes(60_000).hex()


def assert_the_next_one_works(folder: Path) -> None:
    make(folder)
    assert names(folder) == {f"{OPERATION}.zip"}
    assert BackupFolder(folder).job(OPERATION, JOB) == DETAIL


# The disk refuses

SYSTEM_REFUSES = [
    (step, number)
    for step in ("open", "fsync", "replace")
    for number in (errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES)
]


@pytest.mark.parametrize(
    ("step", "number"), SYSTEM_REFUSES, ids=[f"{s}-{errno.errorcode[n]}" for s, n in SYSTEM_REFUSES]
)
def test_a_system_error_leaves_neither_backup_nor_draft_and_the_next_backup_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    def refuse(*arguments: object, **more: object) -> None:
        raise OSError(number, os.strerror(number))

    state_folder_at(tmp_path).ensure("backups")
    with monkeypatch.context() as broken:
        broken.setattr(os, step, refuse)
        with pytest.raises((OSError, StateFolderLost), match=os.strerror(number)):
            make(tmp_path)
    assert names(tmp_path) == set()
    assert BackupFolder(tmp_path).list() == []
    assert_the_next_one_works(tmp_path)


@pytest.mark.parametrize("room", [0, 100, 8_192, 70_000])
def test_a_disk_that_fills_up_while_jobs_are_added_leaves_no_backup_file(tmp_path: Path, room: int) -> None:
    writer = BackupFolder(tmp_path).begin(OPERATION, ABOUT)

    def add_many() -> None:
        for number in range(1, 9):
            job = str(UUID(int=number))
            writer.add(job, {**DETAIL, "id": job, "note": NOISE}, KEY)

    with file_size_limited_to(room), pytest.raises(OSError, match="large"):
        add_many()
    assert names(tmp_path) == set()  # at once, because other files need the space
    with pytest.raises(OSError, match="could not be written"):
        writer.add(JOB, DETAIL, KEY)
    with pytest.raises(OSError, match="could not be written"):
        writer.close()
    assert_the_next_one_works(tmp_path)


@pytest.mark.parametrize("short", range(0, 400, 40))
def test_a_disk_that_fills_up_while_a_backup_is_closed_leaves_no_backup_file(tmp_path: Path, short: int) -> None:
    whole = make(tmp_path, OTHER).stat().st_size
    writer = BackupFolder(tmp_path).begin(OPERATION, {**ABOUT, "created_at": CREATED})
    writer.add(JOB, DETAIL, KEY)
    with file_size_limited_to(whole - 1 - short), pytest.raises(OSError, match="large"):
        writer.close()
    assert names(tmp_path) == {f"{OTHER}.zip"}
    assert_the_next_one_works(tmp_path / "next")


def test_an_interrupt_while_a_job_is_added_leaves_no_backup_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = BackupFolder(tmp_path).begin(OPERATION, ABOUT)

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(zipfile.ZipFile, "writestr", interrupted)
        with pytest.raises(KeyboardInterrupt):
            writer.add(JOB, DETAIL, KEY)
    assert names(tmp_path) == set()


@pytest.mark.parametrize("place", ["", "backups"])
def test_a_file_in_place_of_the_backup_folder_is_an_error_and_is_not_deleted(tmp_path: Path, place: str) -> None:
    state = tmp_path / "state"
    blocked = state / place
    blocked.parent.mkdir(exist_ok=True)
    blocked.write_text("theirs")
    backups = BackupFolder(state)
    with pytest.raises(OSError, match=r"irectory|exists"):
        backups.begin(OPERATION, ABOUT)
    assert backups.list() == []
    assert backups.delete_old(1, 1, datetime.now(timezone.utc)) == []
    with pytest.raises(BackupDamaged):
        backups.jobs(OPERATION)
    assert blocked.read_text() == "theirs"


def test_a_missing_backup_folder_gives_an_empty_list(tmp_path: Path) -> None:
    backups = BackupFolder(tmp_path / "never")
    assert backups.list() == []
    assert backups.delete_old(1, 1, datetime.now(timezone.utc)) == []
    backups.delete(OPERATION)


def test_a_folder_named_like_a_backup_is_not_a_backup_and_is_not_deleted(tmp_path: Path) -> None:
    (tmp_path / "backups" / f"{OPERATION}.zip" / "inside").mkdir(parents=True)
    backups = BackupFolder(tmp_path)
    assert backups.list() == []
    with pytest.raises(BackupDamaged):
        backups.job(OPERATION, JOB)
    with pytest.raises(StateUnwritable):
        backups.delete(OPERATION)


# The process dies

_DIES = """
import os, signal, sys, zipfile
from pathlib import Path
from cloud_history.state import backup_file as backup_draft, backups as backup
job, detail, operation = {job!r}, {detail!r}, {operation!r}

def die(*arguments, **more):
    os.kill(os.getpid(), signal.SIGKILL)

step = sys.argv[2]
writer = backup.BackupFolder(Path(sys.argv[1])).begin(operation, {{}})
if step == "begun":
    die()
writer.add(job, detail, "")
if step == "added":
    die()
if step == "directory":
    zipfile.ZipFile._write_end_record = die
elif step in ("fsync", "replace"):
    setattr(os, step, die)
elif step == "sync_folder":
    backup_draft.sync_folder = die
writer.close()
die()
"""
LIVES = {"sync_folder", "closed"}


@pytest.mark.parametrize("step", ["begun", "added", "directory", "fsync", "replace", "sync_folder", "closed"])
def test_a_killed_process_leaves_a_complete_backup_or_a_draft_that_the_next_start_removes(
    tmp_path: Path, step: str
) -> None:
    code = _DIES.format(job=JOB, detail=DETAIL, operation=OTHER)
    died = subprocess.run([sys.executable, "-c", code, str(tmp_path), step], check=False, timeout=30)
    assert died.returncode == -signal.SIGKILL
    backups = BackupFolder(tmp_path)
    if step in LIVES:
        assert names(tmp_path) == {f"{OTHER}.zip"}
        assert backups.job(OTHER, JOB) == DETAIL
    else:
        (unfinished,) = names(tmp_path)
        assert unfinished.startswith(".")
        assert backups.list() == []
        with pytest.raises(BackupDamaged):
            backups.jobs(OTHER)
    backups.begin(OPERATION, ABOUT).discard()
    assert names(tmp_path) == ({f"{OTHER}.zip"} if step in LIVES else set())


def test_the_draft_backup_of_a_running_process_is_not_deleted(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from cloud_history.state.backups import BackupFolder\n"
        f"writer = BackupFolder(Path(sys.argv[1])).begin({OTHER!r}, {{}})\n"
        "print('begun', flush=True)\n"
        "sys.stdin.readline()\n"
        "writer.close()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as living:
        assert living.stdout is not None
        assert living.stdout.readline() == "begun\n"
        make(tmp_path)
        BackupFolder(tmp_path).delete_old(1, 1, datetime.now(timezone.utc))
        living.communicate("go on\n", timeout=30)
        assert living.returncode == 0
    assert names(tmp_path) == {f"{OTHER}.zip", f"{OPERATION}.zip"}


def test_pruning_removes_draft_backups_of_ended_processes_and_no_other_file(tmp_path: Path) -> None:
    make(tmp_path)
    folder = tmp_path / "backups"
    (folder / f".{OTHER}.zip.{OTHER}").write_bytes(b"PK")
    for name in ("readme.txt", ".DS_Store", f"{OTHER}.zip.bak", f".{OTHER}.zip", "x.zip"):
        (folder / name).write_text("theirs")
    BackupFolder(tmp_path).delete_old(1, 1, datetime.now(timezone.utc))
    assert f".{OTHER}.zip.{OTHER}" not in names(tmp_path)
    assert len(names(tmp_path)) == 6
    assert [each.operation for each in BackupFolder(tmp_path).list()] == [OPERATION]


# Damaged files


def packed(members: dict[str, object], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, value in members.items():
            archive.writestr(name, value if isinstance(value, (str, bytes)) else json.dumps(value))
    return file.getvalue()


ROW = {
    "id": JOB,
    "status": "completed",
    "created": 1,
    "finished": None,
    "name": "",
    "workflow_id": "",
    "has_workflow": True,
}
MEMBER = f"jobs/{JOB}.json"


def index_of(**wrong: object) -> bytes:
    return packed({"index.json": {"jobs": [{**ROW, **wrong}]}, MEMBER: []})


def encrypted() -> bytes:
    content = bytearray(packed({"index.json": {"jobs": []}, MEMBER: {}}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(signature, at + 1)
    return bytes(content)


def lying_about_its_size() -> bytes:
    """A compressed bomb that declares a small size is unpacked only up to that size, and its checksum is wrong."""
    content = bytearray(packed({"index.json": b" " * 3_000_000, MEMBER: b" " * 3_000_000}))
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + 24 : at + 28] = (50).to_bytes(4, "little")
        at = content.find(b"PK\x01\x02", at + 1)
    return bytes(content)


DAMAGED: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "no zip": lambda: b"not a zip at all",
    "random": lambda: random.Random(2).randbytes(50_000),
    "large and random": lambda: random.Random(3).randbytes(5_000_000),
    "zeros": lambda: b"\0" * 100_000,
    "an end alone": lambda: b"PK\x05\x06" + b"\0" * 18,
    "an end that points nowhere": lambda: b"PK\x05\x06" + b"\xff" * 18,
    "no members": lambda: packed({}),
    "no json": lambda: packed({"index.json": "{", MEMBER: "x"}),
    "no utf-8": lambda: packed({"index.json": b"\xff\xfe\xff", MEMBER: b"\x80"}),
    "a list": lambda: packed({"index.json": [], MEMBER: []}),
    "null": lambda: packed({"index.json": None, MEMBER: None}),
    "too deep": lambda: packed({"index.json": "[" * 100_000, MEMBER: '{"a":' * 100_000}),
    "no rows": lambda: packed({"index.json": {"jobs": 7}, MEMBER: 7}),
    "rows of text": lambda: packed({"index.json": {"jobs": ["x"]}, MEMBER: "7"}),
    "an id that is none": lambda: index_of(id="../../x"),
    "a number for an id": lambda: index_of(id=5),
    "a status that is none": lambda: index_of(status=None),
    "a name that is none": lambda: index_of(name=["x"]),
    "a time that is none": lambda: index_of(created="yesterday"),
    "no workflow's word": lambda: index_of(has_workflow="yes"),
    "a bomb": lambda: packed({"index.json": b" " * 70_000_000, MEMBER: b" " * 70_000_000}),
    "a bomb that lies": lying_about_its_size,
    "packed in another way": lambda: packed({"index.json": {"jobs": []}, MEMBER: {}}, zipfile.ZIP_LZMA),
    "with a password": encrypted,
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_reading_a_damaged_backup_names_its_file_and_the_backup_can_still_be_deleted(
    tmp_path: Path, damage: str
) -> None:
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / f"{OPERATION}.zip").write_bytes(DAMAGED[damage]())
    make(tmp_path, OTHER)
    backups = BackupFolder(tmp_path)
    with pytest.raises(BackupDamaged) as damaged:
        backups.jobs(OPERATION)
    assert damaged.value.code == "backup_damaged"
    assert damaged.value.hint == f"The file {OPERATION}.zip is damaged or missing."
    assert str(tmp_path) not in str(damaged.value)
    with pytest.raises(BackupDamaged):
        backups.job(OPERATION, JOB)
    listed = {each.operation: each.jobs for each in backups.list()}
    assert listed == {OPERATION: None, OTHER: 1}
    assert backups.job(OTHER, JOB) == DETAIL
    backups.delete(OPERATION)
    assert [each.operation for each in backups.list()] == [OTHER]


@examples(100, HealthCheck.function_scoped_fixture)
@given(data=st.data())
def test_reading_a_corrupted_backup_gives_the_original_job_or_an_error(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "backups" / f"{OPERATION}.zip"
    path.unlink(missing_ok=True)
    content = bytearray(make(tmp_path).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    path.write_bytes(content)
    backups = BackupFolder(tmp_path)
    assert [each.operation for each in backups.list()] == [OPERATION]
    with suppress(BackupDamaged):
        assert backups.job(OPERATION, JOB) == DETAIL
    with suppress(BackupDamaged):
        assert [row["id"] for row in backups.jobs(OPERATION)] == [JOB]


def test_a_backup_that_the_disk_cannot_describe_is_listed_without_its_details(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path)
    stat = Path.stat

    def fail(path: Path, **options: bool) -> os.stat_result:
        if path.suffix == ".zip":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", fail)
    (listed,) = BackupFolder(tmp_path).list()
    assert (listed.operation, listed.jobs, listed.size) == (OPERATION, None, 0)
