"""The list of jobs: scrolling, tabs, search, filters, order and the count line."""

from __future__ import annotations

import re
import time

import pytest
from playwright.async_api import Locator, Page, expect

from browser.comfy_page import button
from browser.conftest import ONE_FRONTEND
from browser.panel_page import Panel, newest_first, open_list
from simulated_cloud import ACTIVE, SimulatedCloud

DAY = 86_400_000
MAX_ROWS = 100
TABS: dict[str, str | tuple[str, ...] | None] = {
    "All": None,
    "Completed": "completed",
    "Failed": "failed",
    "Cancelled": "cancelled",
    "Active": ACTIVE,
}


@ONE_FRONTEND
@pytest.mark.stage(jobs=2000, connected=True)
async def test_two_thousand_jobs_scroll_with_few_row_elements_and_visible_rows_are_filled_first(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    await expect_a_long_jump_to_fill_visible_rows_first(panel)
    await panel.list.press("Home")
    await expect(panel.list.get_by_text("Today", exact=True)).to_be_visible()
    most, headings, filled = await panel.list.evaluate(
        """async list => {
            const frame = () => new Promise(requestAnimationFrame);
            let [most, filled] = [0, true];
            const headings = new Set();
            for (let top = 0; top < list.scrollHeight; top += list.clientHeight * 4) {
                list.scrollTop = top;
                await frame(); await frame();
                const rows = [...list.querySelectorAll('[role=option]')];
                most = Math.max(most, rows.length);
                const box = list.getBoundingClientRect();
                const seen = rows.map(row => row.getBoundingClientRect())
                    .filter(row => row.bottom > box.top && row.top < box.bottom);
                filled &&= seen.length >= Math.floor(box.height / 48) - 4;
                for (const day of list.querySelectorAll('.cch-day')) headings.add(day.textContent);
            }
            return [most, [...headings], filled];
        }"""
    )
    assert most <= MAX_ROWS
    assert filled, "the rows in view were not drawn"
    assert "Yesterday" in headings
    assert len(headings) > 5
    await panel.list.press("End")
    oldest = newest_first(cloud.listed())[-1]
    await expect(panel.row(oldest)).to_have_attribute("aria-posinset", "2000")
    await expect(panel.row(oldest)).to_be_in_viewport()


ROWS_OUTSIDE = """list => {
    const box = list.getBoundingClientRect();
    const rows = [...list.querySelectorAll("[role=option]")].map((row) => row.getBoundingClientRect());
    return rows.filter((row) => row.bottom <= box.top || row.top >= box.bottom).length;
}"""


async def expect_a_long_jump_to_fill_visible_rows_first(panel: Panel) -> None:
    """Check that the visible rows are filled at once, and the rows near them after scrolling ends.

    The rows are counted at the change that brings the first of them into view, before any timer can run.
    """
    outside = await panel.list.evaluate(
        f"""list => new Promise((resolve) => {{
            const changes = new MutationObserver(() => {{
                const outside = ({ROWS_OUTSIDE})(list);
                if (outside === list.querySelectorAll("[role=option]").length) return;
                changes.disconnect();
                resolve(outside);
            }});
            changes.observe(list, {{ childList: true, subtree: true, attributes: true }});
            list.scrollTop = list.scrollHeight / 2;
        }})"""
    )
    assert outside <= 2
    handle = await panel.list.element_handle()
    await panel.page.wait_for_function(f"list => ({ROWS_OUTSIDE})(list) >= 14", arg=handle)


@ONE_FRONTEND
@pytest.mark.stage(jobs=240, connected=True)
async def test_selection_filters_tabs_search_and_order_match_the_jobs_of_the_cloud(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    await select_by_click_shift_control_and_all(panel, cloud)
    await panel.list.press("Escape")
    await panel.expect_count(0, 240, 240)
    await narrow_the_list_by_filters(panel, cloud)
    await panel.root.get_by_role("button", name="Remove filter:").click()
    await panel.list.press("Escape")
    await panel.expect_count(0, 240, 240)
    await go_through_the_tabs(panel, cloud)
    await search_for_ids_and_errors(panel, cloud)
    await sort_the_completed(panel, cloud)


async def go_through_the_tabs(panel: Panel, cloud: SimulatedCloud) -> None:
    """Check that each tab shows the jobs of the cloud and their number."""
    for name, statuses in TABS.items():
        matching = len(cloud.listed(statuses))
        await expect(panel.tab(name)).to_have_accessible_name(f"{name}, {matching} jobs")
        await panel.tab(name).click()
        await panel.expect_count(0, matching, 240)
    await panel.tab("All").click()


async def search_for_ids_and_errors(panel: Panel, cloud: SimulatedCloud) -> None:
    """Find a new job by its id, by a part of the id and by its error, and find nothing by an unknown name."""
    failed = cloud.add_job("failed", error_kind=2)
    await panel.root.get_by_role("button", name="Refresh", exact=True).click()
    await panel.expect_count(0, 241, 241)
    for text in (failed.id, failed.id[:13].upper()):
        await panel.search(text)
        await panel.expect_count(0, 1, 241)
    await panel.search("no such file")
    with_that_error = [job for job in cloud.listed("failed") if job.error_kind in (2, None)]
    await expect(panel.row(failed)).to_contain_text("No such file or directory")
    assert 1 <= await panel.rows.count() <= len(with_that_error)
    # Pressing a tab right after typing does not discard the typed text.
    await panel.search(failed.id)
    await panel.tab("Failed").click()
    await panel.expect_count(0, 1, 241)
    await panel.tab("All").click()
    await panel.search("none is called so")
    await expect(panel.root).to_contain_text("No job matches: “none is called so”")
    await button(panel.root, "Clear filters").click()
    await panel.expect_count(0, 241, 241)


async def sort_the_completed(panel: Panel, cloud: SimulatedCloud) -> None:
    """Sort completed jobs by longest duration, then by age."""
    await panel.tab("Completed").click()
    longest = max(cloud.listed("completed"), key=lambda job: job.duration)
    oldest = newest_first(cloud.listed("completed"))[-1]
    for order, first in {"Longest generation time": longest, "Oldest": oldest}.items():
        await panel.root.get_by_role("button", name="Sort", exact=True).click()
        await panel.page.get_by_role("menuitemradio", name=order).click()
        await expect(panel.row(first)).to_have_attribute("aria-posinset", "1")


async def narrow_the_list_by_filters(panel: Panel, cloud: SimulatedCloud) -> None:
    """Check that filters show as removable chips, and that a deletion of all matching jobs covers the listed jobs."""
    jobs = cloud.listed()
    before = time.time() * 1000 - 7 * DAY
    old = [job for job in jobs if job.create_time < before]
    assert old
    await open_filter(panel)
    await field(panel, "Time").select_option("Older than 7 days")
    await panel.expect_count(0, len(old), 240)
    workflow = next(job.workflow_id for job in old if job.workflow_id)
    await field(panel, "Workflow").select_option(workflow)
    of_workflow = [job for job in old if job.workflow_id == workflow]
    await panel.expect_count(0, len(of_workflow), 240)
    await button(panel.root, "Done").click()
    await expect(panel.root.get_by_role("button", name="Filter, 2 in force")).to_be_focused()

    await panel.root.get_by_role("button", name="Remove filter: Older than 7 days").click()
    await panel.expect_count(0, sum(job.workflow_id == workflow for job in jobs), 240)
    await panel.root.get_by_role("button", name="Remove filter:").click()
    for kind, media in {"Video": "gifs", "Image": "images"}.items():
        await open_filter(panel)
        await panel.root.locator("label").filter(has_text=re.compile(f"^{kind}$")).click()
        await panel.page.keyboard.press("Escape")
        matching = sum(bool(job.files) and job.media == media for job in jobs)
        await panel.expect_count(0, matching, 240)
    # This includes jobs that were cancelled after their first picture.
    images = sum(bool(job.files) and job.media == "images" for job in jobs)
    await panel.list.press(" ")
    await button(panel.root, f"Select all {images} matching").click()
    asked = await panel.ask_to_delete(images)
    await expect(asked).to_contain_text(f"Delete {images} jobs")
    await button(asked, "Cancel").click()
    await expect(asked).to_have_count(0)


def field(panel: Panel, label: str) -> Locator:
    """Return a field in the popover of filters."""
    return panel.root.get_by_role("combobox", name=re.compile(f"^{label}"))


async def open_filter(panel: Panel) -> None:
    """Open the popover of filters."""
    await panel.root.get_by_role("button", name="Filter").first.click()
    await expect(panel.root.get_by_role("dialog", name="Filter")).to_be_visible()


async def select_by_click_shift_control_and_all(panel: Panel, cloud: SimulatedCloud) -> None:
    """Check that rows, count line and checkbox show the selection, also while a filter hides some of it."""
    jobs = newest_first(cloud.listed())[:9]
    name = [panel.row(job).locator(".cch-name") for job in jobs]
    ticks = [panel.row(job).locator(".cch-pick") for job in jobs]
    await ticks[0].click()
    await ticks[2].click()
    await panel.expect_count(2, 240, 240)
    await name[5].click(modifiers=["Shift"])
    await panel.expect_count(5, 240, 240)
    await name[0].click(modifiers=["ControlOrMeta"])
    await panel.expect_count(4, 240, 240)
    selected = jobs[2:6]
    for job in jobs:
        await expect(panel.row(job)).to_have_attribute("aria-selected", "true" if job in selected else "false")

    # Jobs that a filter hides stay selected and are counted.
    failed = len(cloud.listed("failed"))
    await panel.tab("Failed").click()
    shown = sum(job.status == "failed" for job in selected)
    await expect(panel.count).to_contain_text(f"4 selected, {shown or 'none'} shown here")
    await panel.list.press("Control+a")
    both = failed + sum(job.status != "failed" for job in selected)
    await expect(panel.count).to_contain_text(f"{both} selected, {failed} shown here")
    await button(panel.root, "Deselect all").click()
    await panel.expect_count(0, failed, 240)
    await expect(panel.list).to_be_focused()

    await panel.list.press(" ")
    await button(panel.root, f"Select all {failed} matching").click()
    await panel.expect_count(failed, failed, 240)
    tick = panel.root.get_by_role("checkbox", name="Select all shown")
    await expect(tick).to_be_checked()
    await panel.tab("All").click()
    await expect(tick).to_have_attribute("aria-checked", "mixed")


@ONE_FRONTEND
@pytest.mark.stage(jobs=5, connected=True)
async def test_a_press_is_ignored_if_another_job_moves_under_the_pointer(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_list(page, cloud)
    pressed = newest_first(cloud.finished)[0]
    box = await panel.row(pressed).locator(".cch-pick").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await page.mouse.down()
    pressed.delete(cloud.clock())
    come = cloud.add_job("completed", create_time=pressed.create_time)
    await page.evaluate("() => document.querySelector('.cch-panel [aria-label^=Refresh]').click()")
    await expect(panel.row(come)).to_be_visible()
    await expect(panel.row(pressed)).to_have_count(0)
    await page.mouse.up()
    await expect(panel.row(come)).to_have_attribute("aria-selected", "false")
    await expect(panel.row(come)).to_have_attribute("aria-current", "false")
    await panel.row(come).locator(".cch-pick").click()
    await expect(panel.row(come)).to_have_attribute("aria-selected", "true")


@ONE_FRONTEND
@pytest.mark.stage(jobs=5, connected=True)
async def test_the_element_of_a_pressed_row_is_not_moved(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_list(page, cloud)
    pressed = panel.row(newest_first(cloud.finished)[0])
    await pressed.locator(".cch-pick").hover()
    await page.mouse.down()
    # As after a deletion, the order of the elements differs from that of the rows until scrolling ends.
    await pressed.evaluate(
        "row => { row.parentElement.insertBefore(row.nextElementSibling, row);"
        " row.closest('.cch-list').dispatchEvent(new Event('scroll')); }"
    )
    await page.wait_for_timeout(400)
    await page.mouse.up()
    await expect(pressed).to_have_attribute("aria-selected", "true")
