"""Which backups go when there are too many: the old, the oldest, and never the newest ten."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from cloud_history.state.backups import MIN_BACKUPS, BackupFolder
from support.backup_stage import make

NOW = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def backups(tmp_path: Path) -> BackupFolder:
    return BackupFolder(tmp_path)


def made_over_time(folder: Path, ages: list[int]) -> list[str]:
    """Backups of so many days ago; returns their operations in that order."""
    operations = [f"{number:032x}" for number in range(len(ages))]
    for operation, age in zip(operations, ages, strict=True):
        make(folder, operation, created_at=(NOW - timedelta(days=age)).isoformat())
    return operations


def left(backups: BackupFolder) -> list[str]:
    return [each.operation for each in backups.list()]


def test_the_newest_come_first(backups: BackupFolder, tmp_path: Path) -> None:
    first, second, third = made_over_time(tmp_path, [5, 1, 9])
    assert left(backups) == [second, first, third]


def test_those_older_than_the_limit_go_but_never_the_newest_ten(
    backups: BackupFolder, tmp_path: Path
) -> None:
    operations = made_over_time(tmp_path, [100 + number for number in range(MIN_BACKUPS + 3)])
    removed = backups.prune(90, 1000, NOW)
    assert sorted(removed) == operations[MIN_BACKUPS:]
    assert left(backups) == operations[:MIN_BACKUPS]


def test_those_within_the_limit_stay(backups: BackupFolder, tmp_path: Path) -> None:
    operations = made_over_time(tmp_path, list(range(MIN_BACKUPS + 3)))
    assert backups.prune(MIN_BACKUPS + 3, 1000, NOW) == []
    assert left(backups) == operations


def test_the_oldest_go_until_the_others_have_room(
    backups: BackupFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations = made_over_time(tmp_path, list(range(MIN_BACKUPS + 5)))
    sizes = [each.size for each in backups.list()]
    monkeypatch.setattr("cloud_history.state.backups._MEGABYTE", 1)
    removed = backups.prune(90, sum(sizes[: MIN_BACKUPS + 2]), NOW)
    assert sorted(removed) == operations[MIN_BACKUPS + 2 :]
    assert sorted(backups.prune(90, sum(sizes[: MIN_BACKUPS + 2]) - 1, NOW)) == [operations[MIN_BACKUPS + 1]]
    assert sorted(backups.prune(90, 1, NOW)) == [operations[MIN_BACKUPS]]
    assert backups.prune(90, 1, NOW) == []
    assert len(left(backups)) == MIN_BACKUPS


def test_a_clock_that_stands_wrong_takes_no_backup_for_old(backups: BackupFolder, tmp_path: Path) -> None:
    made_over_time(tmp_path, [-400] * (MIN_BACKUPS + 3))
    assert backups.prune(90, 1000, NOW) == []


def test_a_new_backup_stays_where_older_ones_are_dated_later_than_now(tmp_path: Path) -> None:
    backups = BackupFolder(tmp_path, lambda: NOW)
    wrong = made_over_time(tmp_path, [-400] * (MIN_BACKUPS + 2))
    make(tmp_path, "f" * 32, created_at=NOW.isoformat())
    assert len(backups.prune(90, 0, NOW)) == 3
    assert "f" * 32 in left(backups)
    assert len(set(wrong) & set(left(backups))) == MIN_BACKUPS - 1


def test_a_deleted_backup_is_gone_and_the_others_stay(backups: BackupFolder, tmp_path: Path) -> None:
    first, second = made_over_time(tmp_path, [1, 2])
    backups.delete(first)
    backups.delete(first)
    assert left(backups) == [second]
