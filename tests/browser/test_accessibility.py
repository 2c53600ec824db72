"""No state of the interface violates WCAG 2.2 A and AA.

axe-core finds nothing, text and icons have enough contrast in ComfyUI's palettes and in forced colours, what is chosen
has a border in forced colours, and a finger can hit every control.
"""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from browser.accessibility import Inspection
from browser.comfy_page import (
    button,
    dialog,
    kept_first,
    run_command,
)
from browser.conftest import ONE_FRONTEND
from browser.panel_page import Panel, newest_first, open_list
from browser.test_panel_record import write_a_crash_and_a_damaged_backup
from hosts import HostProcess
from simulated_cloud import Fault, SimulatedCloud, SimulatedJob

JOBS = ("GET", "/api/jobs")
DELETE = ("POST", "/api/history")
DETAILS = ("GET", re.compile(r"/api/jobs/[^/]+$"))
# Its message and its traceback are longer than their boxes, which scroll.
LONG_ERROR = {
    "node_id": "3",
    "node_type": "KSampler",
    "exception_type": "RuntimeError",
    "exception_message": "\n".join(f"line {n} of a long message" for n in range(60)),
    "traceback": [f"  File sampler_{n}.py, in sample\n" for n in range(60)],
}
RESTED = "() => new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))"


async def focus_job(panel: Panel, job: SimulatedJob) -> None:
    """Move through the list by keys until a job has the focus."""
    await panel.list.focus()
    await panel.list.press("Home")
    for _ in range(30):
        active = await panel.list.get_attribute("aria-activedescendant")
        if job.id[:8] in (await panel.page.locator(f"[id='{active}']").text_content() or ""):
            return
        await panel.list.press("ArrowDown")
    raise AssertionError("the job is not in the list")


async def select_jobs(panel: Panel, count: int) -> None:
    """Select the newest finished jobs by keys."""
    await panel.list.focus()
    await panel.list.press("Escape")
    await panel.tab("Completed").click()
    await panel.list.press("Home")
    await panel.list.press(" ")
    for _ in range(count - 1):
        await panel.list.press("ArrowDown")
        await panel.list.press(" ")


async def open_page(panel: Panel, item: str) -> Locator:
    """Choose a page in the menu More by keys, because a toast may cover the button."""
    await panel.root.get_by_role("button", name="More").press("Enter")
    await panel.root.get_by_role("menuitem", name=item).press("Enter")
    return panel.root.locator(".cch-page")


async def close_dialog(page: Page) -> None:
    """Close the topmost dialog."""
    before = await dialog(page).count()
    await page.keyboard.press("Escape")
    await expect(dialog(page)).to_have_count(before - 1)


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60)
async def test_the_list_its_popups_and_details_have_no_violation(
    page: Page, cloud: SimulatedCloud, inspection: Inspection
) -> None:
    failed = cloud.add_job("failed", overrides={"execution_error": LONG_ERROR})
    cloud.add_job("in_progress")
    panel = await open_list(page, cloud)
    await inspection.see("list")
    await see_popups(panel, inspection)
    await see_details(panel, inspection, cloud, failed)
    await panel.search("no such job")
    await expect(panel.root.locator(".cch-state")).to_be_visible()
    await inspection.see("nothing found")
    await panel.search("")
    await expect(panel.rows.first).to_be_visible()
    await see_dialogs(panel, inspection)
    await see_hold_and_undo(panel, inspection)


async def see_popups(panel: Panel, inspection: Inspection) -> None:
    """Check the selection, the filter popover and the menus."""
    page = panel.page
    await select_jobs(panel, 2)
    await panel.tab("All").click()
    await inspection.see("selection")
    await panel.root.get_by_role("button", name=re.compile("^Filter")).click()
    await inspection.see("filter popover")
    await panel.root.locator(".cch-pop select").first.select_option("between")
    await inspection.see("filter popover with two dates")
    await panel.root.locator(".cch-pop select").first.select_option("last30")
    await page.keyboard.press("Escape")
    await inspection.see("filter chip")
    await panel.root.get_by_role("button", name=re.compile("^Remove filter")).click()
    for name in ("Sort", "More"):
        await panel.root.get_by_role("button", name=name, exact=True).click()
        await inspection.see(f"menu {name}")
        await page.keyboard.press("Escape")
    await panel.list.focus()
    await page.keyboard.press("Shift+F10")
    await expect(panel.root.get_by_role("menu")).to_be_visible()
    await inspection.see("row menu")
    await page.keyboard.press("Escape")
    await panel.list.press("p")
    await expect(panel.root.locator(".cch-row .lock:not(.none)").first).to_be_visible()
    await inspection.see("protected jobs")
    await panel.list.press("Escape")


async def see_details(panel: Panel, inspection: Inspection, cloud: SimulatedCloud, failed: SimulatedJob) -> None:
    """Check the details of a failed, an active and a completed job, and the viewer."""
    page = panel.page
    pictured = next(job for job in newest_first(cloud.listed("completed")) if job.files)
    for name, job in {"failed": failed, "active": cloud.active[0], "completed": pictured}.items():
        await focus_job(panel, job)
        await panel.list.press("Enter")
        details = panel.root.locator(".cch-details")
        await expect(details.locator(".cch-scroll")).to_have_attribute("aria-busy", "false")
        if name == "failed":
            await details.get_by_text("Traceback").click()
        await inspection.see(f"details of a job that is {name}")
        await page.keyboard.press("Escape")
        await expect(panel.list).to_be_focused()
    await panel.list.press("v")
    await expect(page.locator("dialog.cch-viewer[open]")).to_be_visible()
    await expect(page.locator("dialog.cch-viewer img")).to_have_js_property("complete", True)
    await inspection.see("viewer")
    await page.keyboard.press("Escape")


async def see_dialogs(panel: Panel, inspection: Inspection) -> None:
    """Check the dialogs for deletions and for the connection."""
    page = panel.page
    await select_jobs(panel, 3)
    await panel.list.press("Delete")
    opened = await panel.delete_dialog()
    await inspection.see("delete dialog")
    await opened.locator("summary").first.click()
    await inspection.see("delete dialog with its jobs")
    await kept_first(opened).select_option("off")
    await expect(opened).to_contain_text("There will be no backup")
    await inspection.see("delete dialog without a backup")
    await close_dialog(page)
    await panel.list.press("Control+a")
    await panel.list.press("Delete")
    await panel.delete_dialog()
    await inspection.see("delete dialog for many jobs")
    await close_dialog(page)
    await see_hidden_jobs(panel, inspection)
    await panel.list.press("Escape")
    await see_cancelling(panel, inspection)
    await run_command(page, "CloudHistory.Clear")
    await expect(dialog(page).locator("[aria-busy=true]")).to_have_count(0)
    await expect(dialog(page).locator(".cch-btn.danger")).to_be_visible()
    await inspection.see("clear dialog")
    await close_dialog(page)
    await run_command(page, "CloudHistory.Connect")
    await expect(dialog(page)).to_contain_text("Connected")
    await inspection.see("connection dialog")
    await close_dialog(page)


async def see_hidden_jobs(panel: Panel, inspection: Inspection) -> None:
    """Check the selection of jobs of which the list hides some, and its dialog."""
    await panel.tab("All").click()
    await panel.list.press("Control+a")
    await panel.tab("Failed").click()
    await expect(panel.root.locator(".cch-actions")).to_contain_text("hidden jobs")
    await inspection.see("selection with hidden jobs")
    await panel.list.press("Delete")
    opened = await panel.delete_dialog()
    await opened.locator("summary").first.click()
    await inspection.see("delete dialog with hidden jobs")
    await close_dialog(panel.page)


async def see_cancelling(panel: Panel, inspection: Inspection) -> None:
    """Check the selection of active jobs, and the dialog before they are cancelled."""
    await panel.tab("Active").click()
    await panel.list.press("Control+a")
    await inspection.see("selection of active jobs")
    await panel.root.get_by_role("button", name=re.compile("^Cancel .* active job")).click()
    await expect(dialog(panel.page)).to_contain_text("can’t be undone")
    await inspection.see("cancel dialog")
    await close_dialog(panel.page)
    await panel.list.press("Escape")
    await panel.tab("All").click()


async def see_hold_and_undo(panel: Panel, inspection: Inspection) -> None:
    """Check the card of a hold, and the list after the undo."""
    await select_jobs(panel, 4)
    await panel.list.press("Delete")
    await confirm_deletion(panel)
    await expect(button(panel.cards, "Undo")).to_be_focused()
    await inspection.see("hold")
    await panel.page.keyboard.press("Enter")
    await expect(panel.cards).to_have_count(0)
    await inspection.see("undone")


async def confirm_deletion(panel: Panel) -> None:
    """Confirm the open delete dialog, without a backup."""
    opened = await panel.delete_dialog()
    await opened.locator(".cch-btn.danger").click()
    await expect(opened).to_have_count(0)


@ONE_FRONTEND
@pytest.mark.stage(jobs=40, connected=True, hold_seconds=0)
async def test_deletions_pages_and_the_large_window_have_no_violation(
    page: Page, cloud: SimulatedCloud, host: HostProcess, inspection: Inspection
) -> None:
    write_a_crash_and_a_damaged_backup(host.state_dir)
    panel = await open_list(page, cloud)
    await see_sending_and_results(panel, inspection, cloud)
    await see_recently_deleted(panel, inspection)
    await see_clean_up(panel, inspection, "sidebar")
    await panel.root.get_by_role("button", name="Open in a large window").click()
    large = Panel(page, page.locator(".cch-panel.large"))
    await expect(large.list).to_be_focused()
    await large.list.press("Home")
    await expect(large.root.locator(".cch-side .cch-details")).to_be_visible()
    await expect(large.root.locator(".cch-side .cch-scroll")).to_have_attribute("aria-busy", "false")
    await inspection.see("large window")
    await see_clean_up(large, inspection, "large window")
    await see_recently_deleted(large, inspection)


async def see_sending_and_results(panel: Panel, inspection: Inspection, cloud: SimulatedCloud) -> None:
    """Check a deletion that makes backups, sends and succeeds, one that fails, and one that is unconfirmed."""
    cloud.faults[:] = [Fault(DETAILS, "slow", times=None, seconds=2.0), Fault(DELETE, "slow", seconds=2.0)]
    await select_jobs(panel, 2)
    await panel.list.press("Delete")
    opened = await panel.delete_dialog()
    await kept_first(opened).select_option("workflows")
    await opened.locator(".cch-btn.danger").click()
    await expect(panel.root.get_by_role("progressbar", name="Backing up")).to_be_visible()
    await inspection.see("backing up")
    await expect(panel.root.get_by_role("progressbar", name=re.compile("^(?!Backing)"))).to_be_visible()
    await inspection.see("sending")
    cloud.faults.clear()
    await expect(panel.cards).to_contain_text("removed")
    await inspection.see("result: success")
    cloud.faults[:] = [Fault(DELETE, "status", times=None, status=400, json={"message": "not this one"})]
    await select_jobs(panel, 2)
    await panel.list.press("Delete")
    await confirm_deletion(panel)
    await expect(panel.cards).to_contain_text("not this one")
    await inspection.see("result: error")
    cloud.faults[:] = [Fault(DELETE, "reset_after_body", times=None, acted=False)]
    await panel.list.focus()
    await panel.list.press("Delete")
    await confirm_deletion(panel)
    await expect(panel.cards).to_contain_text("unconfirmed", timeout=20_000)
    await inspection.see("result: unconfirmed")
    cloud.faults.clear()


async def see_recently_deleted(panel: Panel, inspection: Inspection) -> None:
    """Check the page of past deletions, folded and unfolded."""
    where = "large window" if "large" in (await panel.root.get_attribute("class") or "") else "sidebar"
    record = await open_page(panel, "Recently deleted")
    await expect(record.locator(".cch-entry").filter(has_text="removed").first).to_be_visible()
    await inspection.see(f"recently deleted, {where}")
    folded = record.get_by_role("button", name="Show jobs")
    while await folded.count():
        await folded.first.click()
    await expect(record.locator(".cch-kept").first).to_be_visible()
    await inspection.see(f"recently deleted, unfolded, {where}")
    await panel.page.keyboard.press("Escape")


async def see_clean_up(panel: Panel, inspection: Inspection, where: str) -> None:
    """Check the rules, their effect and a fault in a rule."""
    clean_up = await open_page(panel, "Clean up…")
    await expect(clean_up.locator("[aria-busy=true]")).to_have_count(0)
    await inspection.see(f"clean up, {where}")
    await clean_up.get_by_label("Jobs to keep", exact=True).fill("1")
    for label in ("Everything from the last", "One job a week, for"):
        await clean_up.get_by_role("checkbox", name=label, exact=True).click()
    await expect(clean_up.locator("[aria-busy=true]")).to_have_count(0)
    await inspection.see(f"clean up of almost all, {where}")
    await clean_up.get_by_label("Jobs to keep", exact=True).fill("x")
    await expect(clean_up.get_by_role("alert")).to_be_visible()
    await inspection.see(f"clean up with a fault, {where}")
    await clean_up.get_by_label("Jobs to keep", exact=True).fill("5")
    for label in ("Everything from the last", "One job a week, for"):
        await clean_up.get_by_role("checkbox", name=label, exact=True).click()
    await panel.page.keyboard.press("Escape")
