"""A disk that fails for a moment: nothing that it hides counts as empty, free, abandoned or damaged."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloud_history import files, locks, settings
from cloud_history.backup import BackupFolder
from cloud_history.errors import SettingsDamaged
from cloud_history.files import Claim, write_private
from cloud_history.journal import Journal
from cloud_history.settings import SettingsFile

FAILURES = [errno.EIO, errno.ESTALE, errno.EACCES]


def failing(number: int) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("number", FAILURES)
def test_settings_that_the_disk_does_not_give_are_not_written_anew(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = SettingsFile(tmp_path)
    kept.change(nodes="never")
    with monkeypatch.context() as patch:
        patch.setattr(settings, "read_private", failing(number))
        with pytest.raises(SettingsDamaged, match=os.strerror(number)) as caught:
            kept.change(hold_seconds=5)
    assert "the disk that settings.json is on" in caught.value.hint
    assert kept.load().nodes == "never"


def test_settings_that_are_damaged_are_written_anew_when_one_is_set(tmp_path: Path) -> None:
    kept = SettingsFile(tmp_path)
    kept.change(nodes="never")
    (tmp_path / "settings.json").write_text("{")
    assert kept.change(hold_seconds=5).hold_seconds == 5


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE])
def test_nobody_has_a_lock_that_a_failing_disk_did_not_give(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_lock", failing(number))
    with (tmp_path / "a.lock").open("a+b") as file, pytest.raises(OSError, match=os.strerror(number)):
        locks.try_lock(file)


def test_on_a_file_system_without_locks_the_process_goes_by_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_lock", failing(errno.ENOLCK))
    with (tmp_path / "a.lock").open("a+b") as file:
        assert locks.try_lock(file)


@pytest.mark.parametrize("number", FAILURES)
def test_what_a_failing_disk_hides_is_taken_for_held_and_not_for_abandoned(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    write_private(path, "{}")
    assert (Claim.is_held(path), Claim.is_abandoned(path)) == (False, True)
    monkeypatch.setattr(files, "open_private", failing(number))
    assert (Claim.is_held(path), Claim.is_abandoned(path)) == (True, False)


def test_what_is_gone_is_not_held(tmp_path: Path) -> None:
    assert (Claim.is_held(tmp_path / "a.json"), Claim.is_abandoned(tmp_path / "a.json")) == (False, True)


def test_a_backup_that_the_disk_can_t_tell_of_is_not_counted_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "is_file", failing(errno.EIO))
    assert not BackupFolder(tmp_path).has("0" * 32)


def test_notes_of_deletions_that_can_t_be_read_leave_a_word_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(tmp_path)
    monkeypatch.setattr(Path, "iterdir", failing(errno.EIO))
    with caplog.at_level(logging.WARNING, logger="cloud_history"):
        assert journal.entries() == []
    assert str(tmp_path / "running") in caplog.text
