"""The state folder: a new one is created, and a lost one is never treated as new."""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from cloud_history.errors import InputRefused, ProtectionDamaged, StateFolderLost, StateUnwritable
from cloud_history.jobs.filters import NOTHING_PROTECTED
from cloud_history.secret import Secret
from cloud_history.state import folder as state_folder
from cloud_history.state import protection
from cloud_history.state.audit_csv import csv_lines
from cloud_history.state.audit_log import AuditLog
from cloud_history.state.backups import BackupFolder
from cloud_history.state.credentials import KeyStore
from cloud_history.state.files import read_json, write_private
from cloud_history.state.folder import MARKER, PROTECTION, SETTINGS, StateFolder, state_folder_at
from cloud_history.state.in_flight import InFlight, InFlightOperation, SenderLock
from cloud_history.state.protection import ProtectionFile
from cloud_history.state.settings import SAFE_SETTINGS, Settings, SettingsFile
from support import record_stage
from support.fake_history_client import ids

Harm = Callable[[Path], None]
JOBS = ids(2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def used(folder: Path) -> Path:
    """A state folder that this process has used: a protected job, settings, and a backup."""
    ProtectionFile(folder).change(protect=True, jobs=JOBS)
    SettingsFile(folder).change(backup="workflows")
    BackupFolder(folder).begin("ab" * 16, {}).close()
    state_folder_at(folder).check()
    return folder


def restart() -> None:
    """Forget all state folders, as a process that has just started."""
    state_folder_at.cache_clear()


def id_of(folder: Path) -> str:
    return str(json.loads((folder / MARKER).read_text())["id"])


# How a folder gets lost


def removed(folder: Path) -> None:
    shutil.rmtree(folder)


def emptied(folder: Path) -> None:
    removed(folder)
    folder.mkdir()


def replaced(folder: Path) -> None:
    removed(folder)
    StateFolder(folder).ensure()


def replaced_by_an_older_version(folder: Path) -> None:
    emptied(folder)
    (folder / "settings.json").write_text('{"hold_seconds": 0}')


def replaced_by_a_file(folder: Path) -> None:
    removed(folder)
    folder.write_text("a file")


def marker_removed(folder: Path) -> None:
    (folder / MARKER).unlink()


def marker_damaged(folder: Path) -> None:
    (folder / MARKER).write_text("{")


def marker_of_no_id(folder: Path) -> None:
    (folder / MARKER).write_text('{"id": "", "safeguards": []}')


def marker_without_a_list(folder: Path) -> None:
    (folder / MARKER).write_text('{"id": "x", "safeguards": "protected.json"}')


def marker_a_link(folder: Path) -> None:
    (folder / MARKER).rename(folder / "elsewhere.json")
    (folder / MARKER).symlink_to(folder / "elsewhere.json")


def marker_huge(folder: Path) -> None:
    with (folder / MARKER).open("wb") as file:
        file.truncate(2**36)


def list_removed(folder: Path) -> None:
    (folder / "protected.json").unlink()


def settings_removed(folder: Path) -> None:
    (folder / "settings.json").unlink()


def backups_removed(folder: Path) -> None:
    shutil.rmtree(folder / "backups")


def backups_emptied(folder: Path) -> None:
    backups_removed(folder)
    (folder / "backups").mkdir()


OF_THE_FOLDER = [removed, emptied, replaced, replaced_by_an_older_version, replaced_by_a_file, marker_removed]
OF_THE_MARKER = [marker_damaged, marker_of_no_id, marker_without_a_list, marker_a_link, marker_huge]
OF_A_PART = [list_removed, settings_removed, backups_removed, backups_emptied]
LOSSES: list[Harm] = [*OF_THE_FOLDER, *OF_THE_MARKER, *OF_A_PART]
KNOWN_AFTER_A_RESTART: list[Harm] = [*OF_THE_MARKER, *OF_A_PART]


@pytest.mark.parametrize("harm", LOSSES)
def test_a_lost_state_folder_is_reported_with_its_path_and_what_to_do(used: Path, harm: Harm) -> None:
    harm(used)
    with pytest.raises(StateFolderLost) as caught:
        ProtectionFile(used).load()
    assert str(used) in caught.value.message
    assert "Start anew" in caught.value.hint
    assert caught.value.code == "state_lost"


@pytest.mark.parametrize("harm", LOSSES)
def test_lost_safeguards_never_count_as_empty_or_off(used: Path, harm: Harm) -> None:
    harm(used)
    before = sorted(str(each) for each in used.rglob("*")) if used.is_dir() else []
    asking: list[Callable[[], object]] = [
        ProtectionFile(used).load,
        SettingsFile(used).in_force,
        lambda: ProtectionFile(used).change(protect=False, jobs=JOBS),
        lambda: SettingsFile(used).change(backup="off"),
        BackupFolder(used).list,
        lambda: BackupFolder(used).begin("cd" * 16, {}),
        KeyStore(used, {}).find,
        lambda: KeyStore(used, {}).save(Secret("comfyui-a-key")),
        KeyStore(used, {}).remove,
        AuditLog(used).entries,
        AuditLog(used).removed_in_all,
        lambda: list(csv_lines(AuditLog(used)))[1:],
        lambda: AuditLog(used).intent(record_stage.entry(1)),
        lambda: InFlight(used).begin(InFlightOperation("clear", "menu", "host", "abcd")),
        lambda: InFlight(used).resolve("ab" * 16),
        lambda: SenderLock(used).take("ab" * 16),
    ]
    for ask in asking:
        with pytest.raises(StateFolderLost):
            ask()
    assert SettingsFile(used).load() == SAFE_SETTINGS
    assert BackupFolder(used).delete_old(1, 1, datetime.now(timezone.utc)) == []
    # Nothing was written into the folder, because the next start would take the folder for a valid one.
    after = sorted(str(each) for each in used.rglob("*")) if used.is_dir() else []
    assert [each for each in after if not each.endswith(".gate")] == [
        each for each in before if not each.endswith(".gate")
    ]


@pytest.mark.parametrize("harm", KNOWN_AFTER_A_RESTART)
def test_a_lost_folder_is_still_detected_after_a_restart(used: Path, harm: Harm) -> None:
    harm(used)
    restart()
    with pytest.raises(StateFolderLost):
        ProtectionFile(used).load()


def test_a_lost_state_folder_that_comes_back_is_used_again(used: Path) -> None:
    used.rename(used.with_name("away"))
    with pytest.raises(StateFolderLost, match="is not there any more"):
        ProtectionFile(used).load()
    used.mkdir()  # the mount point
    with pytest.raises(StateFolderLost, match="is empty"):
        ProtectionFile(used).load()
    used.rmdir()
    used.with_name("away").rename(used)
    assert ProtectionFile(used).load().jobs == frozenset(JOBS)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root can read everything")
def test_an_unreadable_state_folder_is_not_treated_as_empty(used: Path) -> None:
    used.chmod(0)
    try:
        with pytest.raises(StateFolderLost, match="can’t be read"):
            ProtectionFile(used).load()
    finally:
        used.chmod(0o700)


def test_an_unreadable_state_folder_is_not_treated_as_empty_on_first_use(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    restart()

    def refuse(*arguments: object, **more: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(StateFolderLost, match="can’t be read: Permission denied"):
        state_folder_at(used).check()


# A folder from the environment variable, with a copy of its id in ComfyUI's own folder


@pytest.mark.parametrize("harm", [removed, emptied, replaced, replaced_by_an_older_version, marker_removed])
def test_a_state_folder_missing_at_startup_is_detected_by_the_copy_of_its_id(
    folder: Path, tmp_path: Path, harm: Harm
) -> None:
    state_folder_at(folder).keep_id_copy_in(tmp_path / "inside")
    ProtectionFile(folder).change(protect=True, jobs=JOBS)
    restart()
    state_folder_at(folder).keep_id_copy_in(tmp_path / "inside")
    assert ProtectionFile(folder).load().jobs == frozenset(JOBS)
    harm(folder)
    restart()
    state_folder_at(folder).keep_id_copy_in(tmp_path / "inside")
    with pytest.raises(StateFolderLost):
        ProtectionFile(folder).load()
    state_folder_at(folder).start_anew()
    restart()
    state_folder_at(folder).keep_id_copy_in(tmp_path / "inside")
    ProtectionFile(folder).load()


def test_a_copied_folder_id_that_is_damaged_or_of_another_folder_is_ignored(folder: Path, tmp_path: Path) -> None:
    state_folder_at(tmp_path / "other").keep_id_copy_in(tmp_path / "inside")
    SettingsFile(tmp_path / "other").change(hold_seconds=5)
    state_folder_at(folder).keep_id_copy_in(tmp_path / "inside")
    assert ProtectionFile(folder).load() == NOTHING_PROTECTED
    (tmp_path / "inside" / "state_is_elsewhere.json").write_text("[")
    restart()
    state_folder_at(folder).keep_id_copy_in(tmp_path / "inside")
    SettingsFile(folder).change(hold_seconds=5)
    assert str(folder) in (tmp_path / "inside" / "state_is_elsewhere.json").read_text()


def test_the_folder_id_is_not_copied_into_the_state_folder_itself(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    state_folder_at(folder).keep_id_copy_in(tmp_path / "link")
    SettingsFile(folder).change(hold_seconds=5)
    assert not (folder / "state_is_elsewhere.json").exists()


def test_the_state_folder_works_if_the_copy_of_its_id_cannot_be_written(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "inside").write_text("a file")
    state_folder_at(folder).keep_id_copy_in(tmp_path / "inside")
    SettingsFile(folder).change(hold_seconds=5)
    assert SettingsFile(folder).in_force().hold_seconds == 5


# Starting anew


@pytest.mark.parametrize("harm", [each for each in LOSSES if each is not replaced_by_a_file])
def test_starting_anew_after_a_lost_folder_writes_a_new_marker(used: Path, harm: Harm) -> None:
    harm(used)
    state_folder_at(used).start_anew()
    file = ProtectionFile(used)
    kept = (used / "protected.json").exists()
    assert file.load().jobs == (frozenset(JOBS) if kept else frozenset())
    SettingsFile(used).in_force()
    file.change(protect=True, jobs=ids(3))
    restart()
    assert ProtectionFile(used).load().jobs >= frozenset(ids(3))
    assert stat.S_IMODE((used / MARKER).stat().st_mode) == 0o600


def test_starting_anew_is_refused_if_the_state_folder_is_not_lost(used: Path, tmp_path: Path) -> None:
    before = id_of(used)
    for folder in (used, tmp_path / "new"):
        with pytest.raises(InputRefused):
            state_folder_at(folder).start_anew()
    assert id_of(used) == before
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_created_is_still_lost(used: Path) -> None:
    replaced_by_a_file(used)
    with pytest.raises(StateUnwritable, match="can’t be created"):
        state_folder_at(used).start_anew()
    with pytest.raises(StateFolderLost):
        ProtectionFile(used).load()


def test_starting_anew_accepts_a_folder_with_another_marker(used: Path) -> None:
    replaced(used)
    another = id_of(used)
    state_folder_at(used).start_anew()
    assert id_of(used) == another


# New and older folders


def test_a_new_folder_is_marked_when_something_is_first_written(folder: Path) -> None:
    assert ProtectionFile(folder).load() == NOTHING_PROTECTED
    assert SettingsFile(folder).in_force() == Settings()
    assert BackupFolder(folder).list() == []
    assert KeyStore(folder, {}).find() is None
    assert AuditLog(folder).entries() == []
    assert not folder.exists()
    SettingsFile(folder).change(hold_seconds=5)
    assert id_of(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_empty_folder_counts_as_new_and_that_is_logged(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder.mkdir()
    SettingsFile(folder).change(hold_seconds=5)
    assert f"The state folder {folder} was empty" in caplog.text


def test_a_folder_with_only_foreign_files_counts_as_new(folder: Path) -> None:
    (folder / "lost+found").mkdir(parents=True)
    assert ProtectionFile(folder).load() == NOTHING_PROTECTED
    assert not (folder / MARKER).exists()


def test_a_folder_of_version_1_2_0_gets_a_marker(folder: Path) -> None:
    folder.mkdir()
    content = json.dumps({"jobs": JOBS, "workflows": []})
    (folder / "protected.json").write_text(content)
    assert ProtectionFile(folder).load().jobs == frozenset(JOBS)
    assert id_of(folder)
    assert (folder / "protected.json").read_text() == content
    list_removed(folder)
    with pytest.raises(StateFolderLost, match=r"protected\.json is missing"):
        ProtectionFile(folder).load()


@pytest.mark.parametrize("name", ["api_key.json", "deletions.jsonl", "sending.lock"])
def test_any_file_of_version_1_2_0_identifies_its_folder(folder: Path, name: str) -> None:
    folder.mkdir()
    (folder / name).touch()
    state_folder_at(folder).check()
    assert id_of(folder)


def test_an_older_folder_that_cannot_be_marked_is_still_recognised(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    (folder / "protected.json").write_text(json.dumps({"jobs": JOBS, "workflows": []}))
    real = os.open

    def read_only(path: object, flags: int, *more: int, **named: object) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(30, "Read-only file system")
        return real(path, flags, *more, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", read_only)
        assert ProtectionFile(folder).load().jobs == frozenset(JOBS)
        emptied(folder)
        with pytest.raises(StateFolderLost):
            ProtectionFile(folder).load()


def test_the_state_folder_and_its_backups_may_be_links_to_other_folders(tmp_path: Path) -> None:
    (tmp_path / "disk" / "backups").mkdir(parents=True)
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "backups").symlink_to(tmp_path / "disk" / "backups")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    folder = tmp_path / "link"
    BackupFolder(folder).begin("ab" * 16, {}).close()
    assert [each.operation for each in BackupFolder(folder).list()] == ["ab" * 16]
    shutil.rmtree(tmp_path / "disk")
    with pytest.raises(StateFolderLost, match="backups"):
        BackupFolder(folder).list()


# Several at once


def test_processes_that_make_the_folder_at_once_agree_on_its_marker(folder: Path) -> None:
    states = [StateFolder(folder) for _ in range(8)]
    barrier = threading.Barrier(len(states))

    def make(state: StateFolder) -> None:
        barrier.wait()
        state.ensure()

    threads = [threading.Thread(target=make, args=(state,)) for state in states]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for state in states:
        state.check()


def test_a_disk_that_hangs_in_one_thread_does_not_block_another_forever(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answers = threading.Event(), threading.Event()
    real = read_json

    def hang(path: Path, most: int) -> dict[str, Any]:
        asked.set()
        answers.wait(10)
        return real(path, most)

    monkeypatch.setattr(state_folder, "read_json", hang)
    monkeypatch.setattr(state_folder, "THREAD_LOCK_SECONDS", 0.01)
    thread = threading.Thread(target=state_folder_at(used).check)
    thread.start()
    asked.wait(10)
    try:
        with pytest.raises(StateFolderLost, match="does not answer"):
            state_folder_at(used).check()
    finally:
        answers.set()
        thread.join()
    state_folder_at(used).check()


def test_a_safeguard_file_of_another_process_is_noted_by_the_first_process_that_reads_it(folder: Path) -> None:
    mine, theirs = StateFolder(folder), StateFolder(folder)
    mine.ensure()
    theirs.check()
    (folder / "protected.json").write_text('{"jobs": [], "workflows": []}')  # as version 1.2.0 does
    theirs.check()
    list_removed(folder)
    with pytest.raises(StateFolderLost, match=r"protected\.json"):
        mine.check()


def test_a_safeguard_file_noted_by_two_processes_at_once_stays_noted(folder: Path) -> None:
    class Slow(StateFolder):
        """Let another process protect a job after this process has listed the folder and before it notes the files."""

        def _update_marker(self, seen: str) -> None:
            write_private(folder / PROTECTION, "{}")
            StateFolder(folder).check()
            (folder / PROTECTION).unlink()
            super()._update_marker(seen)

    slow = Slow(folder)
    slow.ensure()
    write_private(folder / SETTINGS, "{}")
    slow.check()
    with pytest.raises(StateFolderLost, match=r"protected\.json is missing"):
        StateFolder(folder).check()


def test_a_protection_list_that_vanishes_while_it_is_read_does_not_count_as_empty(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(path: Path, most: int) -> bytes:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(protection, "read_json", away)
    with pytest.raises(ProtectionDamaged):
        ProtectionFile(used).load()


def test_a_foreign_file_in_place_of_a_safeguard_file_may_be_removed_again(folder: Path) -> None:
    SettingsFile(folder).change(hold_seconds=5)
    (folder / "protected.json").mkdir()
    state_folder_at(folder).check()
    (folder / "protected.json").rmdir()
    assert ProtectionFile(folder).load() == NOTHING_PROTECTED
