"""Looking at jobs, selecting them, and what becomes of a selection that the list does not show."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from browser.comfy_page import button, dialog, toasts
from browser.conftest import ONE_FRONTEND
from browser.panel_page import Panel, newest_first, open_list, open_panel, shown_panel
from simulated_cloud import Fault, SimulatedCloud

NOT_ACTIVE = ("completed", "failed", "cancelled")
JOBS = ("GET", "/api/jobs")

# The background and the mark at the edge of a row, which must not depend on the focus.
LOOK = """row => [getComputedStyle(row).backgroundColor, getComputedStyle(row, '::before').width]"""


async def click_twice(page: Page, target: Locator) -> None:
    """Press twice at the place where the target is now, as a person does."""
    box = await target.bounding_box()
    assert box is not None
    x, y = box["x"] + min(box["width"] / 2, 40), box["y"] + box["height"] / 2
    await page.mouse.click(x, y)
    await page.wait_for_timeout(120)
    await page.mouse.click(x, y, click_count=2)


async def last_visible_row(panel: Panel) -> Locator:
    """Return the lowest row that is wholly visible."""
    row_id = await panel.list.evaluate(
        """list => {
            const bottom = list.getBoundingClientRect().bottom;
            const rows = [...list.querySelectorAll('[role=option]')];
            const whole = rows.filter(row => row.getBoundingClientRect().bottom <= bottom);
            return whole.sort((a, b) => a.ariaPosInSet - b.ariaPosInSet).at(-1).id;
        }"""
    )
    return panel.page.locator(f"[id='{row_id}']")


@ONE_FRONTEND
@pytest.mark.stage(jobs=60, connected=True)
async def test_a_click_marks_a_row_without_selecting_it_and_a_double_click_opens_its_details(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    jobs = newest_first(cloud.finished)
    first, second, third = (panel.row(job) for job in jobs[:3])
    await second.locator(".cch-name").click()
    await expect(second).to_have_attribute("aria-current", "true")
    await expect(second).to_have_attribute("aria-selected", "false")
    await panel.expect_count(0, 60, 60)
    await page.mouse.move(0, 0)
    await panel.root.get_by_role("button", name="Refresh").focus()
    assert await second.evaluate(LOOK) != await third.evaluate(LOOK)

    await first.locator(".cch-pick").click()
    await third.locator(".cch-name").click(modifiers=["ControlOrMeta"])
    await panel.expect_count(2, 60, 60)
    await second.locator(".cch-name").click()
    await panel.expect_count(2, 60, 60)

    details = panel.root.locator(".cch-details")
    await first.locator(".cch-pick").dblclick()
    await third.locator(".cch-pick").dblclick()
    await panel.expect_count(2, 60, 60)
    await expect(details).to_have_count(0)
    await second.locator(".cch-name").dblclick()
    await expect(details).to_be_visible()


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=60, connected=True)
async def test_a_double_click_at_the_end_of_the_list_acts_on_its_row_alone(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_list(page, cloud)
    row = await last_visible_row(panel)
    name = await row.locator(".cch-name").get_attribute("data-tip")
    await click_twice(page, row.locator(".cch-name"))
    # The details may add the workflow's name.
    title = panel.root.locator(".cch-details .cch-title .cch-name")
    await expect(title).to_have_attribute("data-tip", re.compile(re.escape(str(name)) + "$"))
    await page.keyboard.press("Escape")

    # The first click on the tick shows the buttons, which then lie under the pointer.
    row = await last_visible_row(panel)
    await click_twice(page, row.locator(".cch-pick"))
    await page.wait_for_timeout(300)
    await expect(dialog(page)).to_have_count(0)
    await expect(toasts(page)).to_have_count(0)
    assert await page.locator("[role=option][aria-selected=true]").count() <= 1


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=240, connected=True)
async def test_the_details_beside_the_list_follow_the_row_and_are_no_second_place_to_delete(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    await panel.root.get_by_role("button", name="Open in a large window").click()
    panel = await shown_panel(page, ".cch-panel.large")
    first, second = newest_first(cloud.finished)[:2]
    side = panel.root.locator(".cch-side")
    await panel.row(second).locator(".cch-name").click()
    await expect(side).to_contain_text(second.id)
    await expect(button(side, "Delete…")).to_be_enabled()
    await expect(side.get_by_text("outside the visible part")).to_be_hidden()

    await panel.select([first])
    await panel.row(second).locator(".cch-name").click()
    await expect(side).to_contain_text(second.id)
    for name in ("Delete…", "Protect"):
        off = side.get_by_role("button", name=name, exact=True)
        await expect(off).to_have_attribute("aria-disabled", "true")
        await expect(off).to_have_attribute(
            "data-tip", "1 job is selected. Use the buttons below the list, or deselect it."
        )
        await off.click(force=True)
    await expect(dialog(page, "from your cloud history?")).to_have_count(0)
    await panel.list.press("Escape")
    await expect(button(side, "Delete…")).to_be_enabled()

    await panel.list.evaluate("list => { list.scrollTop = list.scrollHeight / 2; }")
    await expect(side.get_by_text("outside the visible part")).to_be_visible()
    await button(side, "Show in the list").click()
    await expect(panel.row(second)).to_be_in_viewport()
    await expect(side.get_by_text("outside the visible part")).to_be_hidden()


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=30, connected=True, hold_seconds=60)
async def test_after_the_shown_job_is_deleted_the_details_stay_empty_until_a_job_is_chosen(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    await panel.root.get_by_role("button", name="Open in a large window").click()
    panel = await shown_panel(page, ".cch-panel.large")
    side = panel.root.locator(".cch-side")
    shown = newest_first(cloud.finished)[0]
    await panel.row(shown).locator(".cch-name").click()
    await expect(side).to_contain_text(shown.id)
    await button(side, "Delete…").click()
    opened = await panel.delete_dialog()
    await opened.locator(".cch-btn.danger").click()
    await expect(panel.row(shown)).to_have_count(0)
    await expect(side.get_by_text("Choose a job to see its details.")).to_be_visible()
    await expect(button(side, "Delete…")).to_be_hidden()
    next_row = panel.root.locator(".cch-row.is-focus")
    await next_row.locator(".cch-name").click()
    await expect(side.locator(".cch-details")).to_be_visible()
    await expect(side.get_by_text("Choose a job to see its details.")).to_be_hidden()


@ONE_FRONTEND
@pytest.mark.stage(jobs=240, connected=True, hold_seconds=60)
async def test_a_selection_that_a_filter_hides_is_named_before_it_is_deleted(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_list(page, cloud)
    completed = newest_first(cloud.listed("completed"))[:2]
    failed = newest_first(cloud.listed("failed"))[:3]
    await panel.select(completed)
    await panel.tab("Failed").click()
    await expect(panel.count).to_contain_text("2 selected, none shown here")
    opened = await panel.ask_to_delete(2)
    await expect(opened).to_contain_text("2 jobs are selected. The list shows none of them.")
    await expect(opened.get_by_role("button", name="hidden")).to_have_count(0)
    await button(opened, "Cancel").click()

    await panel.select(failed)
    await expect(panel.count).to_contain_text("5 selected, 3 shown here")
    opened = await panel.ask_to_delete(5)
    await expect(opened).to_contain_text("5 jobs are selected. The list shows 3 of them and hides 2.")
    await opened.get_by_text("Show the 5 jobs").click()
    await expect(opened.locator(".cch-mini > div").filter(has_text="hidden")).to_have_count(2)
    await button(opened, "Deselect the 2 hidden jobs").click()
    await expect(opened).to_contain_text("Delete 3 jobs from your cloud history?")
    await expect(opened).not_to_contain_text("jobs are selected")
    await button(opened, "Cancel").click()
    await expect(panel.count).to_contain_text("3 selected,")
    await expect(panel.count).not_to_contain_text("shown here")

    await panel.tab("All").click()
    await panel.select(completed[:1])
    await panel.tab("Failed").click()
    await button(panel.root, "Deselect the hidden job").click()
    await expect(panel.count).to_contain_text("3 selected,")


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=240, connected=True, hold_seconds=60)
async def test_an_undo_restores_the_selection_the_row_and_the_scroll_position(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    await panel.list.evaluate("list => { list.scrollTop = 2000; }")
    chosen = [job for job in newest_first(cloud.listed()) if job.status in NOT_ACTIVE][44:46]
    await panel.select(chosen)
    before = await panel.list.evaluate("list => list.scrollTop")
    await panel.list.press("Delete")
    opened = await panel.delete_dialog()
    await opened.locator(".cch-btn.danger").click()
    await expect(panel.row(chosen[1])).to_have_count(0)
    await panel.list.evaluate("list => { list.scrollTop = 0; }")
    await page.keyboard.press("Control+z")
    for job in chosen:
        await expect(panel.row(job)).to_have_attribute("aria-selected", "true")
    await expect(panel.row(chosen[1])).to_have_attribute("aria-current", "true")
    await expect(panel.list).to_be_focused()
    assert await panel.list.evaluate("list => list.scrollTop") == before
    await panel.expect_count(2, 240, 240)


COMPOSING = """(element, key) => {
    const event = new KeyboardEvent('keydown', { key, isComposing: true, bubbles: true, cancelable: true });
    element.dispatchEvent(event);
    return event.defaultPrevented;
}"""


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_escape_that_ends_a_composition_closes_and_clears_nothing(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_list(page, cloud)
    await panel.select(newest_first(cloud.finished)[:1])
    await panel.root.get_by_role("button", name="Open in a large window").click()
    panel = await shown_panel(page, ".cch-panel.large")
    search = panel.root.get_by_placeholder("Search Jobs...")
    await search.fill("png")
    for element in (search, panel.list):
        assert not await element.evaluate(COMPOSING, "Escape")
        await page.wait_for_timeout(200)
        await expect(search).to_have_value("png")
        await expect(panel.count).to_contain_text("1 selected")

    await panel.list.press("Delete")
    opened = await panel.delete_dialog()
    await button(opened, "Cancel").evaluate(COMPOSING, "Escape")
    await page.wait_for_timeout(200)
    await expect(opened).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(opened).to_have_count(0)


SPOKEN = """() => {
    window.spoken = new Set();
    const hear = () => {
        for (const each of document.querySelectorAll('.cch-panel [role=status]')) window.spoken.add(each.textContent);
    };
    new MutationObserver(hear).observe(document, { childList: true, subtree: true, characterData: true });
}"""


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=24, connected=True)
async def test_screen_readers_hear_no_result_before_a_list_is_there(page: Page, cloud: SimulatedCloud) -> None:
    await page.evaluate(SPOKEN)
    cloud.faults.append(Fault(JOBS, "slow", seconds=2.0, times=1))
    panel = await open_panel(page)
    await panel.expect_count(0, 24, 24)
    assert "No Results Found" not in await page.evaluate("() => [...window.spoken]")
    assert "24 jobs loaded" in await page.evaluate("() => [...window.spoken]")


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=24, connected=True)
async def test_a_row_is_named_by_its_visible_text_and_its_date(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_list(page, cloud)
    job = newest_first(cloud.listed("completed"))[0]
    row = panel.row(job)
    shown = " ".join((await row.inner_text()).split())
    year = await page.evaluate("at => String(new Date(at).getFullYear())", job.create_time)
    snapshot = await row.aria_snapshot()
    name = snapshot.split('"')[1]
    assert year in name
    for word in shown.split():
        assert word.strip(",") in name, (word, name)
    for tab in ("All", "Failed"):
        text = " ".join((await panel.tab(tab).inner_text()).split())
        await expect(panel.tab(tab)).to_have_accessible_name(f"{tab}, {text.split()[1]} jobs")
