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

OURS = "ours"
"""The account."""


def test_without_a_backup_the_estimate_uses_typical_values(tmp_path: Path) -> None:
    estimate = BackupEstimates(BackupFolder(tmp_path)).estimate(231, OURS)
    assert estimate == (231, 231 * TYPICAL_BYTES, 21, 4, False)


def test_the_backups_on_disk_determine_the_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_estimate, "MIN_MEASURED_WORKFLOWS", 1)
    size = backup_stage.make(tmp_path).stat().st_size
    assert BackupEstimates(BackupFolder(tmp_path)).estimate(10, OURS).size == 10 * size


def test_a_backup_of_one_job_is_no_basis_for_an_estimate(tmp_path: Path) -> None:
    backup_stage.make(tmp_path)
    estimates = BackupEstimates(BackupFolder(tmp_path))
    estimates.pace(OURS).learn(1, 90_000, 4.0)
    assert estimates.estimate(20_000, OURS) == (20_000, 20_000 * TYPICAL_BYTES, 1800, 300, True)


def test_backups_just_made_determine_size_and_duration_with_a_spread(tmp_path: Path) -> None:
    estimates = BackupEstimates(BackupFolder(tmp_path))
    estimates.pace(OURS).learn(40, 130_000, 30.0)
    estimates.pace(OURS).learn(60, 120_000, 10.0)
    assert estimates.estimate(50, OURS) == (50, 125_000, 25, 16, False)


def test_the_pace_of_one_account_says_nothing_about_another(tmp_path: Path) -> None:
    estimates = BackupEstimates(BackupFolder(tmp_path))
    estimates.pace("slow").learn(100, 500_000, 60.0)
    estimates.pace(OURS).learn(100, 500_000, 2.0)
    assert estimates.estimate(100, "slow").seconds == 75
    assert estimates.estimate(100, OURS).seconds == 3
    assert estimates.estimate(100, "new").seconds == 9


def test_before_the_first_backup_the_answers_of_comfy_cloud_determine_the_duration(tmp_path: Path) -> None:
    estimates = BackupEstimates(BackupFolder(tmp_path))
    fast, slow = estimates.pace("fast").latencies, estimates.pace("slow").latencies
    fast.extend([0.05, 0.06])
    assert estimates.estimate(20_000, "fast").seconds == 1800, "two answers are too few"
    fast.extend([0.05, 0.05])
    slow.extend([0.6] * 4)
    estimate = estimates.estimate(20_000, "fast")
    # In fact 150 to 220 s, on a simulated cloud that answers in 50 ms.
    assert (estimate.least_seconds, estimate.seconds) == pytest.approx((134, 580), abs=1)
    assert estimate.may_wait
    assert estimates.estimate(20_000, "slow").least_seconds == pytest.approx(1600, abs=1)


def test_an_unreadable_backup_folder_does_not_stop_the_estimate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(folder: BackupFolder) -> None:
        raise StateFolderLost("state_replaced", folder=str(tmp_path))

    monkeypatch.setattr(BackupFolder, "list", lost)
    assert BackupEstimates(BackupFolder(tmp_path)).estimate(2, OURS).size == 2 * TYPICAL_BYTES


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


async def test_the_progress_of_a_backup_counts_only_the_jobs_that_were_backed_up(tmp_path: Path) -> None:
    folder, steps = BackupFolder(tmp_path), Steps()
    back_up = BackingUp(HalfTheJobs(), folder, backup_stage.OPERATION, backup_stage.ABOUT, Secret(backup_stage.KEY))
    done = await back_up([backup_stage.job_id(number) for number in range(1, 9)], steps)
    assert done.workflows == 4
    assert steps.seen[0] == (0, 8)
    assert steps.seen[-1] == (4, 8)
