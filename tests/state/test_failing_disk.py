"""A disk that fails for a moment: nothing unreadable counts as empty, free, abandoned or damaged."""

from __future__ import annotations

import errno
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloud_history.deletion.holds import Holds
from cloud_history.errors import (
    ProtectionDamaged,
    SettingsDamaged,
    StateFolderLost,
    StateNotAnswering,
    StateUnreadable,
    StateUnwritable,
)
from cloud_history.service import Operations
from cloud_history.state import append_log, folder, in_flight, locks, protection, settings
from cloud_history.state.audit_log import AuditEntry, AuditLog
from cloud_history.state.backups import BackupFolder
from cloud_history.state.files import read_json, write_private
from cloud_history.state.in_flight import InFlight, InFlightOperation
from cloud_history.state.locks import OwnerLock
from cloud_history.state.protection import ProtectionFile
from cloud_history.state.settings import SettingsFile
from cloud_history.tasks import threads
from cloud_history.tasks.disk import disk_access
from cloud_history.tasks.threads import run_large_in_thread
from support.small_disk import file_size_limited_to

FAILURES = [errno.EIO, errno.ESTALE, errno.EACCES]


def failing(number: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", FAILURES)
def test_unreadable_settings_are_not_overwritten(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = SettingsFile(tmp_path)
    kept.change(nodes="never")
    with monkeypatch.context() as patch:
        patch.setattr(settings, "read_json", failing(number))
        with pytest.raises(SettingsDamaged, match=os.strerror(number)) as caught:
            kept.change(hold_seconds=5)
    assert "the disk that settings.json is on" in caught.value.hint
    assert kept.load().nodes == "never"


@pytest.mark.parametrize("number", FAILURES)
def test_an_unreadable_list_of_protected_jobs_is_not_treated_as_empty(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ProtectionFile(tmp_path)
    kept.change(protect=True, jobs=["one"])
    with monkeypatch.context() as patch:
        patch.setattr(protection, "read_json", failing(number))
        for use in (kept.load, lambda: kept.change(protect=True, jobs=["two"])):
            with pytest.raises(ProtectionDamaged):
                use()
    assert kept.load().jobs == {"one"}


@pytest.mark.parametrize("number", FAILURES)
def test_an_unreadable_in_flight_record_is_still_listed(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = InFlightOperation("delete", "panel", "host", "abcd")
    InFlight(tmp_path).begin(entry)
    monkeypatch.setattr(in_flight, "read_json", failing(number))
    assert [each.operation for each in InFlight(tmp_path).entries()] == [entry.operation]


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE])
def test_a_lock_that_could_not_be_acquired_on_a_failing_disk_is_not_held(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_lock", failing(number))
    with (tmp_path / "a.lock").open("a+b") as file, pytest.raises(OSError, match=os.strerror(number)):
        locks.try_lock(file)


def test_a_file_lock_can_be_acquired_on_a_file_system_without_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_lock", failing(errno.ENOLCK))
    with (tmp_path / "a.lock").open("a+b") as file:
        assert locks.try_lock(file)


@pytest.mark.parametrize("number", FAILURES)
def test_an_owner_lock_on_a_failing_disk_counts_as_held(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    write_private(path, "{}")
    assert (OwnerLock.is_held(path), OwnerLock.is_abandoned(path)) == (False, True)
    monkeypatch.setattr(locks, "open_private", failing(number))
    assert (OwnerLock.is_held(path), OwnerLock.is_abandoned(path)) == (True, False)


def test_a_missing_lock_file_is_not_held(tmp_path: Path) -> None:
    assert (OwnerLock.is_held(tmp_path / "a.json"), OwnerLock.is_abandoned(tmp_path / "a.json")) == (
        False,
        True,
    )


def test_an_unreadable_backup_counts_as_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_file", failing(errno.EIO))
    assert not BackupFolder(tmp_path).has("0" * 32)


@pytest.mark.parametrize("number", FAILURES)
def test_unreadable_state_is_never_reported_as_empty(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("running", "holds", "backups"):
        (tmp_path / name).mkdir()
    record = AuditLog(tmp_path)
    record.intent(AuditEntry("0" * 32, "delete", "panel"))
    operations = Operations(tmp_path, {})
    asked: list[Callable[[], object]] = [
        operations.queue.in_flight.entries,
        Holds(operations).lost,
        operations.backups.list,
    ]
    with monkeypatch.context() as patch:
        patch.setattr(Path, "iterdir", failing(number))
        for ask in asked:
            with pytest.raises(StateUnreadable) as unread:
                ask()
            assert unread.value.hint.startswith(os.strerror(number))
    assert [ask() for ask in asked] == [[], [], []]
    monkeypatch.setattr(append_log, "open_private", failing(number))
    for read in (record.entries, record.removed_in_all, lambda: record.jobs("0" * 32)):
        with pytest.raises(StateUnreadable):
            read()


def test_settings_are_not_overwritten_while_the_folder_marker_is_unreadable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = SettingsFile(tmp_path)
    kept.change(nodes="never", hold_seconds=30)
    real, left = read_json, [1]

    def fail_once(path: Path, most: int) -> dict[str, Any]:
        if left.pop() if left else 0:
            raise OSError(errno.EIO, "gone")
        return real(path, most)

    monkeypatch.setattr(folder, "read_json", fail_once)
    with pytest.raises(StateFolderLost):
        kept.change(backup="workflows")
    assert (kept.load().nodes, kept.load().hold_seconds) == ("never", 30)


def test_a_full_disk_is_reported_with_the_file_it_refused(tmp_path: Path) -> None:
    with file_size_limited_to(200), pytest.raises(StateUnwritable) as full:
        AuditLog(tmp_path).intent(AuditEntry("0" * 32, "delete", "panel", job_ids=("x" * 300,)))
    assert re.match(r"File too large \([\w.]+\)\. Free some disk space", full.value.hint)


async def test_a_hanging_file_is_named_and_the_next_file_has_a_shorter_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "FILE_SECONDS", 1.0)
    monkeypatch.setattr(threads, "UNANSWERED_SECONDS", 0.05)
    go_on = threading.Event()

    def hang(name: str) -> None:
        with disk_access(tmp_path / name):
            go_on.wait(10)

    took = 1.0
    for name in ("first", "second"):
        began = time.monotonic()
        with pytest.raises(StateNotAnswering) as silent:
            await run_large_in_thread(hang, name)
        assert f"Access to {name} hangs." in silent.value.hint
        took = time.monotonic() - began
    assert took < 0.9
    go_on.set()
