"""The estimate of a backup is based on earlier backups, and never stops a preview."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_history.deletion.backup_estimate import TYPICAL_BYTES, BackupEstimates
from cloud_history.errors import StateFolderLost
from cloud_history.state.backups import BackupFolder
from support import backup_stage


def test_without_a_backup_the_estimate_uses_typical_values(tmp_path: Path) -> None:
    estimate = BackupEstimates(BackupFolder(tmp_path)).estimate(231)
    assert estimate == (231, 231 * TYPICAL_BYTES, 21)


def test_the_backups_on_disk_determine_the_size(tmp_path: Path) -> None:
    size = backup_stage.make(tmp_path).stat().st_size
    assert BackupEstimates(BackupFolder(tmp_path)).estimate(10).size == 10 * size


def test_a_backup_just_made_determines_size_and_duration(tmp_path: Path) -> None:
    estimates = BackupEstimates(BackupFolder(tmp_path))
    estimates.learn(100, 250_000, 40.0)
    assert estimates.estimate(50) == (50, 125_000, 20)


def test_an_unreadable_backup_folder_does_not_stop_the_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(folder: BackupFolder) -> None:
        raise StateFolderLost("state_replaced", folder=str(tmp_path))

    monkeypatch.setattr(BackupFolder, "list", lost)
    assert BackupEstimates(BackupFolder(tmp_path)).estimate(2).size == 2 * TYPICAL_BYTES
