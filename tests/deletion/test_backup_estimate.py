"""The estimate of a backup is based on earlier backups, and never stops a preview."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from cloud_history.deletion import backup_estimate
from cloud_history.deletion.backup_estimate import TYPICAL_BYTES, BackupEstimates
from cloud_history.deletion.safeguards import BackingUp
from cloud_history.errors import NotFound, StateFolderLost
from cloud_history.secret import Secret
from cloud_history.state.backups import BackupFolder
from cloud_history.tasks.stopping import Unwatched
from support import backup_stage


def test_without_a_backup_the_estimate_uses_typical_values(tmp_path: Path) -> None:
    estimate = BackupEstimates(BackupFolder(tmp_path)).estimate(231)
    assert estimate == (231, 231 * TYPICAL_BYTES, 21, 4)


def test_the_backups_on_disk_determine_the_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_estimate, "MIN_MEASURED_WORKFLOWS", 1)
    size = backup_stage.make(tmp_path).stat().st_size
    assert BackupEstimates(BackupFolder(tmp_path)).estimate(10).size == 10 * size


def test_a_backup_of_one_job_is_no_basis_for_an_estimate(tmp_path: Path) -> None:
    backup_stage.make(tmp_path)
    estimates = BackupEstimates(BackupFolder(tmp_path))
    estimates.learn(1, 90_000, 4.0)
    assert estimates.estimate(20_000) == (20_000, 20_000 * TYPICAL_BYTES, 1800, 300)


def test_backups_just_made_determine_size_and_duration_with_a_spread(tmp_path: Path) -> None:
    estimates = BackupEstimates(BackupFolder(tmp_path))
    estimates.learn(40, 130_000, 30.0)
    estimates.learn(60, 120_000, 10.0)
    assert estimates.estimate(50) == (50, 125_000, 25, 16)


def test_a_backup_much_larger_than_those_measured_may_take_longer_because_comfy_cloud_may_ask_to_wait(
    tmp_path: Path,
) -> None:
    estimates = BackupEstimates(BackupFolder(tmp_path))
    estimates.learn(100, 500_000, 2.0)
    assert estimates.estimate(2_000).seconds == 50
    assert (estimates.estimate(20_000).least_seconds, estimates.estimate(20_000).seconds) == (320, 1800)


def test_an_unreadable_backup_folder_does_not_stop_the_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(folder: BackupFolder) -> None:
        raise StateFolderLost("state_replaced", folder=str(tmp_path))

    monkeypatch.setattr(BackupFolder, "list", lost)
    assert BackupEstimates(BackupFolder(tmp_path)).estimate(2).size == 2 * TYPICAL_BYTES


class HalfTheJobs:
    """A client that finds only the jobs with an even number."""

    async def get_job_detail(self, job_id: str) -> dict[str, Any]:
        if UUID(job_id).int % 2:
            raise NotFound(404)
        return {**backup_stage.DETAIL, "id": job_id}


class Steps(Unwatched):
    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def progress(self, phase: str, done: int, total: int) -> None:
        self.seen.append((done, total))


async def test_the_progress_of_a_backup_counts_the_jobs_that_cannot_be_backed_up_too(tmp_path: Path) -> None:
    folder, steps = BackupFolder(tmp_path), Steps()
    back_up = BackingUp(HalfTheJobs(), folder, backup_stage.OPERATION, backup_stage.ABOUT, Secret(backup_stage.KEY))
    done = await back_up([backup_stage.job_id(number) for number in range(1, 9)], steps)
    assert done.workflows == 4
    assert steps.seen[0] == (0, 8)
    assert steps.seen[-1] == (8, 8), "the time left is computed from these numbers"
