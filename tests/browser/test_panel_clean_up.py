"""Clean up shows the effect of the rules as they change, and deletes only what the person confirmed."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from browser.comfy_page import button, dialog
from browser.conftest import ONE_FRONTEND
from browser.panel_page import Panel, expect_removed, newest_first, open_list, open_page, sent_ids
from simulated_cloud import SimulatedCloud

SCROLL = "element => element.scrollTop"
SET_TEXT_SIZE = "size => { document.documentElement.style.fontSize = size; }"


async def disable_all_rules_but_the_first(clean_up: Locator, jobs: int) -> None:
    """Switch all rules off but the first."""
    for label in ("Everything from the last", "One job a week, for"):
        await clean_up.get_by_role("checkbox", name=label, exact=True).click()
    await clean_up.get_by_label("Jobs to keep", exact=True).fill(str(jobs))


async def large_window(panel: Panel) -> Panel:
    """Return the panel in its large window."""
    await panel.root.get_by_role("button", name="Open in a large window").click()
    root = panel.page.locator(".cch-panel.large")
    await expect(root.get_by_role("listbox", name="Jobs")).to_be_focused()
    return Panel(panel.page, root)


@ONE_FRONTEND
@pytest.mark.stage(jobs=60, connected=True, hold_seconds=1)
async def test_clean_up_deletes_jobs_that_no_rule_keeps_after_confirmation(page: Page, cloud: SimulatedCloud) -> None:
    everything, goes = len(cloud.listed()), newest_first(cloud.finished)[5:]
    panel = await open_list(page, cloud)
    clean_up = await open_page(panel, "Clean up…")
    await disable_all_rules_but_the_first(clean_up, 5)
    await expect(clean_up.locator(".cch-verdict")).to_have_text(f"{len(goes)} of {everything} jobs would go")
    await expect(clean_up.get_by_role("row").filter(has_text="Last 5")).to_contain_text("5")
    await expect(button(clean_up, f"Would go {len(goes)}")).to_have_attribute("aria-pressed", "true")
    await expect(clean_up.locator(".cch-verdicts tbody tr")).to_have_count(len(goes))
    await expect(clean_up.get_by_role("row").filter(has_text="Active")).to_contain_text(str(len(cloud.active)))
    remove = button(clean_up, f"Delete {len(goes)}…")
    await expect(clean_up.get_by_role("checkbox", name=re.compile("^Yes, delete"))).to_have_count(0)
    await remove.click()
    opened = dialog(page)
    await expect(opened).to_contain_text(f"{len(goes)}will be removed")
    agreement = opened.get_by_role("checkbox", name=re.compile(r"^Yes, delete \d\d% of my finished jobs"))
    await expect(button(opened, f"Delete {len(goes)} jobs")).to_have_attribute("aria-disabled", "true")
    await agreement.click()
    assert cloud.history_posts == []
    await button(opened, f"Delete {len(goes)} jobs").click()
    await expect(clean_up).to_have_count(0)
    await expect(button(panel.cards, "Undo")).to_be_focused()
    await expect_removed(page, len(goes))
    assert sorted(sent_ids(cloud)) == sorted(job.id for job in goes)
    assert cloud.forbidden_calls == 0

    # The chosen rules are still set, and no job is left to delete.
    clean_up = await open_page(panel, "Clean up…")
    await expect(clean_up.get_by_label("Jobs to keep", exact=True)).to_have_value("5")
    left = everything - len(goes)
    await expect(clean_up).to_contain_text(f"Nothing would go. These rules keep all {left} jobs.")
    await expect(button(clean_up, "Delete…")).to_have_attribute("aria-disabled", "true")
    await expect(button(clean_up, "Delete…")).to_have_accessible_description("No job would go.")


@ONE_FRONTEND
@pytest.mark.stage(jobs=200, connected=True, hold_seconds=1)
async def test_invalid_rules_delete_nothing_and_the_list_keeps_its_scroll_position(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    for key in ("End", " ", "PageUp", "ArrowDown"):
        await panel.list.press(key)
    scrolled = await panel.list.evaluate(SCROLL)
    active = await panel.list.get_attribute("aria-activedescendant")
    assert scrolled > 0
    clean_up = await open_page(panel, "Clean up…")
    await expect(clean_up.get_by_role("button", name="Back to the list")).to_be_focused()
    days = clean_up.get_by_label("Days to keep", exact=True)
    for text in ("3O", "", "-1", "0"):
        await days.fill(text)
        told = f"“{text}” is not a number of days. Nothing is deleted until it is."
        await expect(clean_up.get_by_role("alert")).to_have_text(told)
        await expect(days).to_have_attribute("aria-invalid", "true")
        await button(clean_up, "Delete…").press("Enter")
    await disable_all_rules_but_the_first(clean_up, 5)
    await clean_up.get_by_role("checkbox", name="The last", exact=True).click()
    await expect(clean_up).to_contain_text("Set at least one rule. Without one, nothing would be kept.")
    await button(clean_up, "Delete…").press("Enter")
    await expect(dialog(page)).to_have_count(0)

    # Entering a number enables its rule. Without a status nothing is deleted.
    await days.fill("30")
    await expect(clean_up.locator(".cch-verdict")).to_contain_text("jobs would go")
    for status in ("Completed", "Failed", "Cancelled"):
        await button(clean_up, status).click()
    await expect(clean_up).to_contain_text("Nothing would go.")
    await page.keyboard.press("Escape")
    await expect(panel.list).to_be_focused()
    assert await panel.list.evaluate(SCROLL) == scrolled
    assert await panel.list.get_attribute("aria-activedescendant") == active
    await panel.expect_count(1, 200, 200)
    assert cloud.history_posts == []


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=60, connected=True)
async def test_the_large_clean_up_window_lists_for_each_job_whether_it_stays(page: Page, cloud: SimulatedCloud) -> None:
    oldest = newest_first(cloud.finished)[-1]
    panel = await large_window(await open_list(page, cloud))
    await panel.list.press("End")
    await panel.list.press("p")
    clean_up = await open_page(panel, "Clean up…")
    await disable_all_rules_but_the_first(clean_up, 5)
    goes = len(cloud.finished) - 6
    verdicts = clean_up.locator(".cch-verdicts tbody tr")
    await expect(clean_up.locator(".cch-verdict")).to_have_text(f"{goes} of 60 jobs would go")
    await expect(verdicts).to_have_count(goes)
    await expect(clean_up.locator(".cch-legend")).to_have_text(f"Would go {goes}Kept {60 - goes}")
    await button(clean_up, "All 60").click()
    await expect(verdicts).to_have_count(60)
    await expect(verdicts.filter(has_text="Kept: last 5")).to_have_count(5)
    await expect(verdicts.filter(has_text="Kept: active")).to_have_count(len(cloud.active))
    protected = verdicts.filter(has_text="Kept: protected")
    await expect(protected).to_have_count(1)
    await expect(protected.locator(".cch-name")).to_have_attribute("data-tip", re.compile(oldest.id[:8] + "|."))
    await button(clean_up, f"Would go {goes}").click()
    await expect(verdicts).to_have_count(goes)
    await expect(verdicts.filter(has_text="Would go")).to_have_count(goes)
    await button(clean_up, f"Kept {60 - goes}").click()
    await expect(verdicts).to_have_count(60 - goes)
    # Escape goes back to the list, and does not close the window.
    await page.keyboard.press("Escape")
    await expect(panel.list).to_be_focused()


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=60, connected=True)
async def test_an_open_panel_follows_a_change_of_the_text_size(page: Page, cloud: SimulatedCloud) -> None:
    panel = await large_window(await open_list(page, cloud))
    await expect(panel.root.locator(".cch-side")).to_be_visible()
    await page.evaluate(SET_TEXT_SIZE, "200%")
    await expect(panel.root.locator(".cch-side")).to_be_hidden()
    await panel.list.press("ArrowDown")
    await panel.list.press("Enter")
    await expect(panel.root.locator(".cch-details.cch-over")).to_be_visible()
    await page.evaluate(SET_TEXT_SIZE, "100%")
    await expect(panel.root.locator(".cch-over")).to_have_count(0)
    await expect(panel.root.locator(".cch-side .cch-details")).to_be_visible()

    # The jobs are beside the rules, or below them where the text is large. No half of the page is empty.
    clean_up = await open_page(panel, "Clean up…")
    await disable_all_rules_but_the_first(clean_up, 5)
    beside = clean_up.locator(".cch-pane .cch-verdicts")
    below = clean_up.locator(".cch-rule >> xpath=ancestor::*[contains(@class, 'cch-scroll')]").last.locator(
        ".cch-verdicts"
    )
    await expect(beside).to_be_visible()
    await page.evaluate(SET_TEXT_SIZE, "200%")
    await expect(below).to_be_visible()
    await expect(clean_up.locator(".cch-pane")).to_be_hidden()
    await page.evaluate(SET_TEXT_SIZE, "100%")
    await expect(beside).to_be_visible()
    await expect(below).to_have_count(0)
