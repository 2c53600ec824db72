"""Rules about the age of jobs on a machine whose clock is wrong."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from cloud_history.cloud.clock import CloudClock
from cloud_history.cloud.lookup import look_up
from cloud_history.errors import ClockWrong
from cloud_history.retention.cleanup import CleanUp, resolve
from cloud_history.retention.policy import Policy
from cloud_history.service import Operations
from cloud_history.state.backups import MIN_BACKUPS
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import ACTIVE, Bend, SimulatedCloud
from support.requests import list_jobs

MONTH = Policy(keep_within=timedelta(days=30))


def made(tmp_path: Path, environ: dict[str, str], **ahead: float) -> Operations:
    """Return the operations of a machine whose clock is ahead by the time span `ahead`."""
    clock = CloudClock(lambda: datetime.now(timezone.utc) + timedelta(**ahead))
    return Operations(tmp_path / "state", environ, clock=clock)


@pytest.mark.parametrize("days", [10, -10])
async def test_a_clock_wrong_by_ten_days_stops_only_age_rules(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, days: int
) -> None:
    operations = made(tmp_path, environ, days=days)
    connection = await operations.find_connection()
    with pytest.raises(ClockWrong):
        await resolve(operations, connection, MONTH, Unwatched(), allow_large=True)
    with pytest.raises(ClockWrong):
        await CleanUp(operations).preview(connection, MONTH, Unwatched())
    last = Policy(keep_last=len(cloud.finished) - 3)
    would, preview = await resolve(operations, connection, last, Unwatched(), allow_large=True)
    assert preview.size == len(would.go) == 3
    assert cloud.history_posts == []


@pytest.mark.parametrize("hours", [20, -20])
async def test_an_age_rule_deletes_no_younger_job_if_the_clock_is_wrong_by_hours(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, hours: int
) -> None:
    cloud.jobs.clear()
    made_at = datetime.now(timezone.utc) - timedelta(hours=1)
    job = cloud.add_job("completed", create_time=int(made_at.timestamp() * 1000))
    operations = made(tmp_path, environ, hours=hours)
    within = Policy(keep_within=timedelta(hours=12))
    would, _ = await resolve(operations, await operations.find_connection(), within, Unwatched(), allow_large=True)
    assert list(would.kept) == [job.id]


@pytest.mark.parametrize("ahead", [0, 365, -365])
async def test_old_backups_are_not_deleted_if_the_clock_is_wrong(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, ahead: int
) -> None:
    operations = made(tmp_path, environ, days=ahead)
    today = datetime.now(timezone.utc)
    for age in range(MIN_BACKUPS + 3):
        created_at = (today - timedelta(days=age)).isoformat()
        operations.backups.begin(f"{age:032x}", {"created_at": created_at}).close()
    await list_jobs(operations)
    await operations.delete_old_backups()
    assert len(operations.backups.list()) == MIN_BACKUPS + 3


async def test_a_clock_wrong_by_ten_minutes_gives_a_warning_and_stops_no_rule(
    environ: dict[str, str], tmp_path: Path
) -> None:
    operations = made(tmp_path, environ, minutes=10, seconds=30)
    connection = await operations.find_connection()
    await resolve(operations, connection, MONTH, Unwatched(), allow_large=True)
    assert operations.clock.warning.startswith("This machine’s clock is 10 minutes ahead of Comfy Cloud’s:")


async def test_a_correct_clock_gives_no_warning(environ: dict[str, str], tmp_path: Path) -> None:
    operations = made(tmp_path, environ)
    await resolve(operations, await operations.find_connection(), MONTH, Unwatched(), allow_large=True)
    assert operations.clock.warning == ""


@pytest.mark.parametrize(("hours", "bent"), [(0, ""), (1, ""), (0, "date_wrong,size=3600")])
async def test_a_job_counts_as_old_only_if_it_is_old_by_both_clocks(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, hours: int, bent: str
) -> None:
    operations = made(tmp_path, environ, hours=hours)
    cloud.bends += [Bend.read(bent)] if bent else []
    failed = [job for job in cloud.finished if job.status == "failed"]
    for just_now in (True, False):
        for job in failed:
            job.end_time = int(time.time() * 1000) - (5 * 60_000 if just_now else 15 * 60_000)
        cloud.requests.clear()
        async with operations.open(await operations.find_connection()) as client:
            await client.get_job(failed[0].id)
            await look_up(client, [job.id for job in failed])
        asked = {request.query.get("status", "") for request in cloud.requests_to("GET", "/api/jobs")}
        # Only the list of active and failed jobs is checked, because the whole list may be requested in parallel.
        assert (",".join((*ACTIVE, "failed")) in asked) is not just_now
