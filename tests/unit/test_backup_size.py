"""Backups of many jobs: little memory, little time."""

from __future__ import annotations

import random
import time
import tracemalloc
from pathlib import Path

import pytest

from cloud_history.state.backups import BackupFolder
from support.backup_stage import ABOUT, KEY, OPERATION, job_id


@pytest.fixture
def backups(tmp_path: Path) -> BackupFolder:
    return BackupFolder(tmp_path)


def test_a_thousand_large_jobs_need_little_memory(backups: BackupFolder) -> None:
    noise = random.Random(1).randbytes(50_000).hex()
    draft = backups.begin(OPERATION, ABOUT)
    tracemalloc.start()
    try:
        for number in range(1_000):
            draft.add(job_id(number), {"id": job_id(number), "note": f"{number}{noise}"}, KEY)
        draft.close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
    assert len(backups.jobs(OPERATION)) == 1_000


@pytest.mark.timed
def test_five_thousand_jobs_are_written_and_listed_quickly(backups: BackupFolder) -> None:
    nodes = [{"id": n, "type": "KSampler", "widgets_values": [n, "fixed", 20, 8.0]} for n in range(100)]
    started = time.perf_counter()
    draft = backups.begin(OPERATION, ABOUT)
    for number in range(5_000):
        draft.add(job_id(number), {"id": job_id(number), "workflow": {"nodes": nodes}}, KEY)
    draft.close()
    assert time.perf_counter() - started < 20
    started = time.perf_counter()
    assert backups.list()[0].jobs == 5_000
    assert time.perf_counter() - started < 0.1
    started = time.perf_counter()
    assert len(backups.jobs(OPERATION)) == 5_000
    backups.job(OPERATION, job_id(4_999))
    assert time.perf_counter() - started < 2
