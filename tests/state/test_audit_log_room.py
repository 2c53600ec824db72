"""Unknown ids do not fill up the audit log."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from cloud_history.deletion.request import MAX_UNSEEN_IDS_LOGGED
from cloud_history.errors import OperationStopped
from cloud_history.jobs.filters import Selection
from cloud_history.service import Operations
from cloud_history.state.audit_log import AuditLog
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import SimulatedCloud
from support.requests import delete_jobs

MANY = 5_000
A_LINE = 2_000
"""Bytes that a line without ids has at the most."""


def unknown(count: int) -> list[str]:
    return [str(uuid.UUID(int=number + 1)) for number in range(count)]


async def delete_shown(operations: Operations, job_ids: list[str]) -> None:
    """Delete the jobs that a person approved, as a node does."""
    connection = await operations.find_connection()
    preview = await operations.preview(connection, Selection(job_ids=job_ids), Unwatched())
    await delete_jobs(operations, job_ids, "node 5", preview=preview)


async def test_a_deletion_that_sends_nothing_logs_only_a_count(
    operations: Operations, tmp_path: Path, cloud: SimulatedCloud
) -> None:
    await delete_shown(operations, unknown(MANY))
    (deletion,) = AuditLog(tmp_path / "state").entries()
    assert (deletion.entry.asked, deletion.outcome and deletion.outcome.counts) == (
        MANY,
        {"already_gone": MANY},
    )
    assert (tmp_path / "state" / "deletions.jsonl").stat().st_size < 2 * A_LINE
    assert cloud.history_posts == []


async def test_existing_jobs_are_logged_even_among_many_unknown_ids(
    operations: Operations, tmp_path: Path, cloud: SimulatedCloud
) -> None:
    finished, active = [job.id for job in cloud.finished[:2]], cloud.active[0].id
    await delete_shown(operations, [*unknown(MANY), *finished, active])
    record = AuditLog(tmp_path / "state")
    jobs = record.jobs(record.entries()[0].entry.operation)
    assert {each.id: each.outcome for each in jobs} == {
        **dict.fromkeys(finished, "deleted"),
        active: "active",
    }


async def test_a_deletion_without_approval_logs_only_a_few_unknown_ids(
    operations: Operations, tmp_path: Path, cloud: SimulatedCloud
) -> None:
    finished = [job.id for job in cloud.finished[:3]]
    await delete_jobs(operations, [*unknown(MANY), *finished], "node 5", Unwatched())
    record = AuditLog(tmp_path / "state")
    jobs = record.jobs(record.entries()[0].entry.operation)
    assert {each.id for each in jobs if each.outcome == "deleted"} == set(finished)
    assert len(jobs) == MAX_UNSEEN_IDS_LOGGED + len(finished)


class StoppedAtOnce(Unwatched):
    """A person who stops the deletion during its lookup."""

    def __init__(self) -> None:
        self.asked = 0

    def stop_requested(self) -> bool:
        self.asked += 1
        return self.asked > 4


async def test_a_deletion_stopped_before_its_first_request_logs_only_a_few_ids(
    operations: Operations, tmp_path: Path, cloud: SimulatedCloud
) -> None:
    with pytest.raises(OperationStopped):
        await delete_jobs(operations, unknown(MANY), "node 5", StoppedAtOnce())
    path = tmp_path / "state" / "deletions.jsonl"
    assert not path.exists() or path.stat().st_size < 2 * A_LINE + 2 * 40 * MAX_UNSEEN_IDS_LOGGED


async def test_a_node_that_nobody_was_asked_about_logs_what_its_lookup_found(
    operations: Operations, tmp_path: Path, cloud: SimulatedCloud
) -> None:
    finished = cloud.finished[:3]
    await delete_jobs(operations, [*unknown(2), *(job.id for job in finished)], "node 5", Unwatched())
    record = AuditLog(tmp_path / "state")
    jobs = {each.id: each for each in record.jobs(record.entries()[0].entry.operation)}
    for job in finished:
        known = jobs[job.id].job
        assert known is not None
        assert (known.status.value, known.name) == (job.status, job.files[0] if job.files else "")
    assert [jobs[job_id].job for job_id in unknown(2)] == [None, None]
