"""The record when its file is full: put aside, still read, and kept within bounds."""

from __future__ import annotations

import os
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from cloud_history.deletion.outcomes import DeletionResult
from cloud_history.deletion.queue import outcome_of
from cloud_history.state.audit_log import AuditLog
from support.record_stage import DELETED, FAILED, entry, job_id, name, outcome

NOW = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def record(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path, clock=lambda: NOW)


def test_a_full_file_is_put_aside_and_all_of_it_is_still_read(tmp_path: Path) -> None:
    record = AuditLog(tmp_path, clock=lambda: NOW, largest=2_000)
    for number in range(30):
        record.intent(entry(number))
        record.outcome(name(number), outcome(DELETED, FAILED))
    files = sorted(path.name for path in tmp_path.glob("deletions*.jsonl"))
    assert len(files) > 5
    assert all(path.stat().st_size <= 2_000 for path in tmp_path.glob("deletions*.jsonl"))
    assert [each.entry.operation for each in record.entries()] == [name(n) for n in range(29, -1, -1)]
    assert {each.state for each in record.entries()} == {"done"}
    assert record.removed_in_all() == 30
    assert len(list(record.csv())) == 61


def test_an_intent_and_its_outcome_in_two_files_are_one_deletion(tmp_path: Path) -> None:
    record = AuditLog(tmp_path, largest=1)
    record.intent(entry(1))
    record.outcome(name(1), outcome(DELETED, FAILED))
    assert (tmp_path / "deletions.1.jsonl").exists()
    (read,) = record.entries()
    assert read.state == "done"
    assert [each.outcome for each in record.jobs(name(1))] == ["deleted", "failed"]


def test_so_many_older_files_are_kept_and_no_more(tmp_path: Path) -> None:
    record = AuditLog(tmp_path, largest=1, older=3)
    for number in range(10):
        record.intent(entry(number))
    assert sorted(path.name for path in tmp_path.glob("deletions*.jsonl")) == [
        "deletions.1.jsonl",
        "deletions.2.jsonl",
        "deletions.3.jsonl",
        "deletions.jsonl",
    ]
    assert [each.entry.operation for each in record.entries()] == [name(n) for n in (9, 8, 7, 6)]


def test_a_line_larger_than_a_file_may_be_is_still_written(tmp_path: Path) -> None:
    record = AuditLog(tmp_path, largest=100)
    record.intent(entry(1, job_ids=tuple(job_id(n) for n in range(100))))
    assert len(record.jobs(name(1))) == 100


def test_a_file_that_cannot_be_put_aside_grows_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError

    record = AuditLog(tmp_path, largest=1)
    record.intent(entry(1))
    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", refuse)
        record.intent(entry(2))
    record.intent(entry(3))
    assert [each.entry.operation for each in record.entries()] == [name(3), name(2), name(1)]


@pytest.mark.timed
def test_a_hundred_deletions_of_twenty_thousand_jobs_are_listed_in_a_moment(tmp_path: Path) -> None:
    record = AuditLog(tmp_path)
    ids = tuple(job_id(number) for number in range(20_000))
    result = outcome_of(DeletionResult(dict.fromkeys(ids, DELETED)), "20,000 jobs removed.", 60.0)
    for number in range(100):
        record.intent(entry(number, asked=20_000, job_ids=ids))
        record.outcome(name(number), result)
    started = time.perf_counter()
    entries = record.entries(100)
    assert time.perf_counter() - started < 1
    assert len(entries) == 100
    assert {each.state for each in entries} == {"done"}
    started = time.perf_counter()
    assert record.removed_in_all() == 2_000_000
    assert time.perf_counter() - started < 1
    started = time.perf_counter()
    assert len(record.jobs(name(50))) == 20_000
    assert time.perf_counter() - started < 1
