"""Every question before a deletion says what goes, what stays and whether it can be undone, in any window."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from browser.comfy_page import button, choose_cloud_history, dialog, kept_first
from browser.conftest import ONE_FRONTEND
from browser.panel_page import expect_removed, open_list
from cloud_history.deletion.thresholds import LARGE_SHARE, MANY_FINAL_JOBS
from simulated_cloud import SimulatedCloud

VISIBLE = """dialog => [...dialog.querySelectorAll(".cch-dp > :not([hidden]), .cch-df button")].map(each => {
    const box = each.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
    const top = document.elementFromPoint(x, y);
    return box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight && each.contains(top);
})"""
OVERFLOWS = """dialog => [dialog.querySelector(".cch-db")].some(each => each.scrollWidth > each.clientWidth + 1)"""


async def expect_pinned_in_view(opened: Locator) -> None:
    """Expect the pinned sentences and the buttons to be wholly visible and not covered."""
    assert all(await opened.evaluate(VISIBLE))
    assert not await opened.evaluate(OVERFLOWS)


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=60, connected=True)
async def test_undo_and_buttons_stay_in_view_in_a_small_window_while_the_rest_scrolls(
    page: Page, cloud: SimulatedCloud
) -> None:
    before = page.viewport_size
    assert before is not None
    panel = await open_list(page, cloud)
    await panel.list.press("Control+a")
    await panel.list.press("Delete")
    opened = dialog(page, "from your cloud history?")
    finished = len(cloud.finished)
    await expect(opened.locator(".cch-dp")).to_contain_text(
        "You can undo for 10 s, and then stop it while the backup is made."
    )
    await expect(opened.locator(".cch-strip")).to_contain_text(f"and {finished - 12} more")
    await expect(opened.locator(".cch-strip img:visible").first).to_be_visible()
    await opened.get_by_text(f"Show the {finished} jobs").click()
    for width, height in ((1100, 600), (480, 600), (312, 600), (312, 480)):
        await page.set_viewport_size({"width": width, "height": height})
        await expect_pinned_in_view(opened.locator(".cch-dialog"))
    body = opened.locator(".cch-db")
    await body.evaluate("body => body.scrollTo(0, body.scrollHeight)")
    await expect_pinned_in_view(opened.locator(".cch-dialog"))
    await page.set_viewport_size(before)


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=1)
async def test_a_deletion_of_almost_all_jobs_needs_one_more_step(page: Page, cloud: SimulatedCloud) -> None:
    finished = len(cloud.finished)
    panel = await open_list(page, cloud)
    await panel.list.press("Control+a")
    await panel.list.press("Delete")
    opened = dialog(page, f"Delete {finished} jobs from your cloud history?")
    remove = button(opened, f"Delete {finished} jobs")
    await expect(remove).to_be_disabled()
    await page.wait_for_timeout(1500)
    await remove.press("Enter")
    agreement = opened.get_by_role("checkbox", name=f"Yes, delete all {finished} finished jobs")
    await expect(agreement).to_be_focused()
    await agreement.press(" ")
    await expect(remove).to_be_enabled()
    await agreement.press(" ")
    await expect(remove).to_be_disabled()
    await agreement.press(" ")
    assert cloud.history_posts == []
    await remove.press("Enter")
    await expect_removed(page, finished)


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=240, connected=True, hold_seconds=0)
async def test_many_jobs_with_neither_undo_nor_backup_need_one_more_step_that_follows_the_choice_of_a_backup(
    page: Page, cloud: SimulatedCloud
) -> None:
    chosen, finished = len(cloud.listed("completed")), len(cloud.finished)
    assert MANY_FINAL_JOBS <= chosen <= LARGE_SHARE * finished
    panel = await open_list(page, cloud)
    await panel.tab("Completed").click()
    await panel.list.press("Control+a")
    await panel.list.press("Delete")
    opened = dialog(page, f"Delete {chosen} jobs from your cloud history?")
    remove = button(opened, f"Delete {chosen} jobs")
    kept = kept_first(opened)
    step = opened.get_by_role("checkbox", name=f"Yes, delete {chosen} jobs without undo and without a backup")
    await expect(step).to_be_visible()
    await page.wait_for_timeout(1000)
    await expect(remove).to_be_disabled()
    await step.press(" ")
    await expect(remove).to_be_enabled()
    await kept.focus()
    await kept.select_option("workflows")
    await expect(step).to_have_count(0)
    await expect(remove).to_be_enabled()
    await kept.select_option("off")
    await expect(step).not_to_be_checked()
    await expect(remove).to_be_disabled()
    await expect(kept).to_be_focused()
    await expect(opened.get_by_role("status")).to_contain_text("To delete, also tick")
    await remove.press("Enter")
    await expect(step).to_be_focused()
    assert cloud.history_posts == []
    await step.press(" ")
    await remove.press("Enter")
    await expect_removed(page, chosen)


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_a_backup_chosen_for_a_clear_deletes_the_exact_jobs_after_the_backup(
    page: Page, cloud: SimulatedCloud
) -> None:
    finished = [job.id for job in cloud.finished]
    await choose_cloud_history(page, "Clear cloud history…")
    opened = dialog(page, "Clear your cloud history?")
    await expect(opened.locator(".cch-dp")).to_contain_text("The deletion is sent at once and can’t be undone.")
    await kept_first(opened).select_option("workflows")
    await expect(kept_first(opened)).to_have_value("workflows")
    await expect(opened).to_contain_text(f"{len(finished)} workflows, about")
    await expect(opened.locator(".cch-dp")).to_contain_text(
        "The backup starts at once. You can stop it while the backup is made."
    )
    await opened.locator(".cch-agree").click()
    await button(opened, f"Clear {len(finished)} jobs").click()
    await expect_removed(page, len(finished))
    assert sorted(each for body in cloud.history_posts for each in body["delete"]) == sorted(finished)
