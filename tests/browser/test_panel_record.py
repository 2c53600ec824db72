"""The page "Recently deleted": past deletions, workflows from backups, and unknown outcomes."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from browser.comfy_page import button, dialog, kept_first, toasts
from browser.conftest import ONE_FRONTEND
from browser.panel_page import expect_removed, newest_first, open_list, open_page
from cloud_history.jobs.job import Job, JobError, OutputFile
from cloud_history.jobs.status import JobStatus
from cloud_history.state.audit_log import AuditEntry, AuditLog, AuditOutcome
from hosts import HostProcess
from simulated_cloud import SimulatedCloud

TABS = "() => window.app.extensionManager.workflow.openWorkflows.length"
CRASHED, DAMAGED, LARGE = "c" * 32, "d" * 32, "e" * 32


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_a_workflow_can_be_opened_from_its_backup(
    page: Page, cloud: SimulatedCloud, host: HostProcess, tmp_path: Path
) -> None:
    chosen = [job for job in newest_first(cloud.listed("completed")) if job.files][:2]
    panel = await open_list(page, cloud)
    await panel.select(chosen)
    opened = await panel.ask_to_delete(2)
    await kept_first(opened).select_option("workflows")
    await button(opened, "Delete 2 jobs").click()
    await expect_removed(page, 2)

    record = await open_page(panel, "Recently deleted")
    await expect(record).to_contain_text("Removed jobs can’t be brought back. If there is a backup")
    entry = record.locator(".cch-entry").filter(has_text="2 jobs removed")
    await expect(entry).to_contain_text("Panel")
    await expect(entry).to_contain_text("Backup, ")
    await expect(record).to_contain_text("2 jobs removed in this record")
    await entry.locator(".ttl").click()
    await expect(entry.get_by_role("button", name="Open", exact=True)).to_have_count(2)
    before = await page.evaluate(TABS)
    await entry.get_by_role("button", name="Open", exact=True).first.click()
    await expect(toasts(page, "Workflow opened in a new tab")).to_be_visible()
    assert await page.evaluate(TABS) == before + 1
    async with page.expect_download() as coming:
        await entry.get_by_role("button", name="Download workflow").last.click()
    saved = tmp_path / "workflow.json"
    await (await coming.value).save_as(saved)
    assert json.loads(saved.read_text())["nodes"]
    async with page.expect_download() as coming:
        await button(record, "Export as CSV").click()
    await (await coming.value).save_as(saved)
    lines = saved.read_text().splitlines()
    assert all(any(job.id in line for line in lines) for job in chosen)

    assert list(host.state_dir.glob("backups/*.zip"))
    await button(entry, "Delete backup…").click()
    asked = dialog(page, "Delete this backup?")
    await expect(asked).to_contain_text("2 workflows can’t be restored after that.")
    await button(asked, "Delete").click()
    await expect(entry).to_contain_text("No backup")
    await expect(entry).to_contain_text("2 jobs removed")
    assert list(host.state_dir.glob("backups/*.zip")) == []


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_recently_deleted_shows_interrupted_deletions_and_damaged_backups_as_unknown(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    panel = await open_list(page, cloud)
    record = await open_page(panel, "Recently deleted")
    await expect(record).to_contain_text("Nothing deleted yet")
    await page.keyboard.press("Escape")
    await expect(panel.list).to_be_focused()

    write_a_crash_and_a_damaged_backup(host.state_dir)
    record = await open_page(panel, "Recently deleted")
    crash = record.locator(".cch-entry").filter(has_text="Outcome unknown: 3 jobs")
    await expect(crash).to_contain_text("ComfyUI stopped while it was deleting.")
    await crash.get_by_role("button", name="Show jobs").click()
    await expect(crash.locator("code").first).to_have_text("job-0")
    damaged = record.locator(".cch-entry").filter(has_text="1 job removed")
    await expect(damaged).to_contain_text("Delete Cloud Jobs, node 14")
    await damaged.get_by_role("button", name="Show jobs").click()
    told = f"This backup can’t be read. The file {DAMAGED}.zip is damaged or missing."
    await expect(damaged).to_contain_text(told)
    await expect(damaged.locator("code")).to_have_text("job-9")
    await expect(damaged.get_by_role("button", name="Open", exact=True)).to_have_count(0)


def write_a_crash_and_a_damaged_backup(state_dir: Path) -> None:
    """Write a deletion that a crash of ComfyUI interrupted, and one whose backup another program has overwritten."""
    record = AuditLog(state_dir)
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    ids = tuple(f"job-{n}" for n in range(3))
    about = {"at": now, "host": "cloud.comfy.org", "last4": "a1b2", "version": "1.2.0"}
    record.intent(
        AuditEntry(DAMAGED, "delete", "node", "14", "Delete Cloud Jobs", asked=1, job_ids=("job-9",), **about)
    )
    record.outcome(DAMAGED, AuditOutcome({"deleted": 1}, {}, 1, "1 job removed", 1.0, f"{DAMAGED}.zip", now))
    record.intent(AuditEntry(CRASHED, "delete", "panel", asked=3, job_ids=ids, **about))
    (state_dir / "backups").mkdir(mode=0o700, exist_ok=True)
    (state_dir / "backups" / f"{DAMAGED}.zip").write_bytes(b"no zip at all")


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_recently_deleted_says_what_went_without_a_backup(
    page: Page, cloud: SimulatedCloud, host: HostProcess, tmp_path: Path
) -> None:
    failed = next(job for job in newest_first(cloud.listed("failed")) if job.error_kind is not None and not job.files)
    completed = next(job for job in newest_first(cloud.listed("completed")) if job.files)
    panel = await open_list(page, cloud)
    await panel.select([failed, completed])
    opened = await panel.ask_to_delete(2)
    await kept_first(opened).select_option("off")
    await button(opened, "Delete 2 jobs").click()
    await expect_removed(page, 2)

    record = await open_page(panel, "Recently deleted")
    entry = record.locator(".cch-entry").filter(has_text="2 jobs removed")
    await expect(entry).to_contain_text("No backup")
    await expect(entry).to_contain_text(re.compile(r"\d+ (s|min) of run time, \d+ (s|min) of it by failed jobs"))
    await entry.get_by_role("button", name="Show jobs").click()
    lines = entry.locator(".cch-kept")
    await expect(lines).to_have_count(2)
    gone = lines.filter(has_text="Completed")
    await expect(gone).to_contain_text(completed.files[0])
    await expect(gone).to_contain_text("Created: ")
    await expect(lines.filter(has_text="Failed")).to_contain_text(re.compile("Failed .+Created:.+: .+"))
    async with page.expect_download() as coming:
        await button(record, "Export as CSV").click()
    saved = tmp_path / "deletions.csv"
    await (await coming.value).save_as(saved)
    assert completed.files[0] in saved.read_text()


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_a_deletion_of_twenty_thousand_jobs_unfolds_in_pieces_and_can_be_searched(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    write_a_large_deletion(host.state_dir, 20_000)
    panel = await open_list(page, cloud)
    record = await open_page(panel, "Recently deleted")
    entry = record.locator(".cch-entry").filter(has_text="20,000 jobs removed")
    await page.evaluate(
        "() => { window.longest = 0; new PerformanceObserver(list => list.getEntries().forEach("
        "each => { window.longest = Math.max(window.longest, each.duration); })).observe({type: 'longtask'}); }"
    )
    await entry.get_by_role("button", name="Show jobs").click()
    lines = entry.locator(".cch-kept")
    await expect(lines).to_have_count(3)
    await button(entry, "Show all 20,000").click()
    await expect(lines).not_to_have_count(3)
    assert await lines.count() <= 600
    await entry.get_by_role("searchbox", name="Search these jobs").fill("portrait 19999_")
    await expect(lines).to_have_count(1)
    await expect(lines).to_contain_text("portrait_19999_.png")
    await expect(entry).to_contain_text("1 of 20,000 jobs")
    assert await page.evaluate("() => window.longest") < 1_000


def write_a_large_deletion(state_dir: Path, count: int) -> None:
    """Write a deletion of this many jobs without a backup."""
    now = datetime.now(timezone.utc)
    error = JobError("CUDA out of memory", node_type="KSampler")
    jobs = [
        Job(
            str(UUID(int=number)),
            *(JobStatus.COMPLETED, "", now, now, now + timedelta(seconds=12)),
            preview=OutputFile(f"portrait_{number}_.png"),
            error=error if number % 7 == 0 else None,
        )
        for number in range(count)
    ]
    record = AuditLog(state_dir)
    ids = tuple(job.id for job in jobs)
    record.intent(AuditEntry(LARGE, "delete", "panel", asked=count, job_ids=ids, version="1.2.0"), jobs)
    outcomes = dict.fromkeys(ids, ("deleted", ""))
    run = AuditOutcome({"deleted": count}, outcomes, count, "", 60.0, run_seconds=12.0 * count, timed_jobs=count)
    record.outcome(LARGE, run)
