"""Backups when the disk refuses, the process dies, or something else is in its place: whole, or not there."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import zipfile
from datetime import datetime, timezone
from pathlib import Path
from uuid import UUID

import pytest

from cloud_history.errors import BackupDamaged, StateFolderLost, StateUnwritable
from cloud_history.state.backups import BackupFolder
from cloud_history.state.folder import state_folder_at
from support.backup_stage import ABOUT, CREATED, DETAIL, JOB, KEY, OPERATION, OTHER, make, names
from support.small_disk import no_file_larger_than

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
def test_where_the_system_refuses_there_is_no_backup_no_draft_and_the_next_works(
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
def test_a_disk_that_really_is_full_while_jobs_are_added_leaves_nothing(tmp_path: Path, room: int) -> None:
    draft = BackupFolder(tmp_path).begin(OPERATION, ABOUT)

    def add_many() -> None:
        for number in range(1, 9):
            job = str(UUID(int=number))
            draft.add(job, {**DETAIL, "id": job, "note": NOISE}, KEY)

    with no_file_larger_than(room), pytest.raises(OSError, match="large"):
        add_many()
    assert names(tmp_path) == set()  # at once: others need the room
    with pytest.raises(OSError, match="could not be written"):
        draft.add(JOB, DETAIL, KEY)
    with pytest.raises(OSError, match="could not be written"):
        draft.close()
    assert_the_next_one_works(tmp_path)


@pytest.mark.parametrize("short", range(0, 400, 40))
def test_a_disk_that_is_full_at_the_very_end_leaves_nothing(tmp_path: Path, short: int) -> None:
    whole = make(tmp_path, OTHER).stat().st_size
    draft = BackupFolder(tmp_path).begin(OPERATION, {**ABOUT, "created_at": CREATED})
    draft.add(JOB, DETAIL, KEY)
    with no_file_larger_than(whole - 1 - short), pytest.raises(OSError, match="large"):
        draft.close()
    assert names(tmp_path) == {f"{OTHER}.zip"}
    assert_the_next_one_works(tmp_path / "next")


def test_being_interrupted_while_a_job_is_added_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = BackupFolder(tmp_path).begin(OPERATION, ABOUT)

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(zipfile.ZipFile, "writestr", interrupted)
        with pytest.raises(KeyboardInterrupt):
            draft.add(JOB, DETAIL, KEY)
    assert names(tmp_path) == set()


@pytest.mark.parametrize("place", ["", "backups"])
def test_a_file_where_the_folder_should_be_is_an_error_and_stays(tmp_path: Path, place: str) -> None:
    state = tmp_path / "state"
    blocked = state / place
    blocked.parent.mkdir(exist_ok=True)
    blocked.write_text("theirs")
    backups = BackupFolder(state)
    with pytest.raises(OSError, match=r"irectory|exists"):
        backups.begin(OPERATION, ABOUT)
    assert backups.list() == []
    assert backups.prune(1, 1, datetime.now(timezone.utc)) == []
    with pytest.raises(BackupDamaged):
        backups.jobs(OPERATION)
    assert blocked.read_text() == "theirs"


def test_a_folder_that_is_not_there_has_no_backups(tmp_path: Path) -> None:
    backups = BackupFolder(tmp_path / "never")
    assert backups.list() == []
    assert backups.prune(1, 1, datetime.now(timezone.utc)) == []
    backups.delete(OPERATION)


def test_a_folder_in_the_place_of_a_backup_is_none_and_cannot_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "backups" / f"{OPERATION}.zip" / "inside").mkdir(parents=True)
    backups = BackupFolder(tmp_path)
    assert backups.list() == []
    with pytest.raises(BackupDamaged):
        backups.job(OPERATION, JOB)
    with pytest.raises(StateUnwritable):
        backups.delete(OPERATION)


def test_a_pipe_in_the_place_of_a_backup_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    os.mkfifo(tmp_path / "backups" / f"{OPERATION}.zip")
    backups = BackupFolder(tmp_path)
    assert backups.list() == []
    with pytest.raises(BackupDamaged):
        backups.jobs(OPERATION)


# The process dies

_DIES = """
import os, signal, sys, zipfile
from pathlib import Path
from cloud_history.state import backup_file as backup_draft, backups as backup
job, detail, operation = {job!r}, {detail!r}, {operation!r}

def die(*arguments, **more):
    os.kill(os.getpid(), signal.SIGKILL)

step = sys.argv[2]
draft = backup.BackupFolder(Path(sys.argv[1])).begin(operation, {{}})
if step == "begun":
    die()
draft.add(job, detail, "")
if step == "added":
    die()
if step == "directory":
    zipfile.ZipFile._write_end_record = die
elif step in ("fsync", "replace"):
    setattr(os, step, die)
elif step == "sync_folder":
    backup_draft.sync_folder = die
draft.close()
die()
"""
LIVES = {"sync_folder", "closed"}


@pytest.mark.parametrize("step", ["begun", "added", "directory", "fsync", "replace", "sync_folder", "closed"])
def test_a_process_killed_anywhere_leaves_a_whole_backup_or_a_draft_that_the_next_start_removes(
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
        (draft,) = names(tmp_path)
        assert draft.startswith(".")
        assert backups.list() == []
        with pytest.raises(BackupDamaged):
            backups.jobs(OTHER)
    backups.begin(OPERATION, ABOUT).discard()
    assert names(tmp_path) == ({f"{OTHER}.zip"} if step in LIVES else set())


def test_the_draft_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from cloud_history.state.backups import BackupFolder\n"
        f"draft = BackupFolder(Path(sys.argv[1])).begin({OTHER!r}, {{}})\n"
        "print('begun', flush=True)\n"
        "sys.stdin.readline()\n"
        "draft.close()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as living:
        assert living.stdout is not None
        assert living.stdout.readline() == "begun\n"
        make(tmp_path)
        BackupFolder(tmp_path).prune(1, 1, datetime.now(timezone.utc))
        living.communicate("go on\n", timeout=30)
        assert living.returncode == 0
    assert names(tmp_path) == {f"{OTHER}.zip", f"{OPERATION}.zip"}


def test_pruning_removes_the_drafts_of_the_dead_and_no_other_file(tmp_path: Path) -> None:
    make(tmp_path)
    folder = tmp_path / "backups"
    (folder / f".{OTHER}.zip.{OTHER}").write_bytes(b"PK")
    for name in ("readme.txt", ".DS_Store", f"{OTHER}.zip.bak", f".{OTHER}.zip", "x.zip"):
        (folder / name).write_text("theirs")
    BackupFolder(tmp_path).prune(1, 1, datetime.now(timezone.utc))
    assert f".{OTHER}.zip.{OTHER}" not in names(tmp_path)
    assert len(names(tmp_path)) == 6
    assert [each.operation for each in BackupFolder(tmp_path).list()] == [OPERATION]
