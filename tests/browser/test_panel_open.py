"""Opening and closing the panel, which sends no request before it is opened or after it is closed."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, Route, expect

from browser.comfy_page import READY, button_at_the_top, choose_cloud_history, dialog, run_command, toasts
from browser.conftest import ONE_FRONTEND
from browser.panel_page import TAB_BUTTON, open_list, shown_panel
from simulated_cloud import SimulatedCloud

TEN_MINUTES = 600_000
# Speeds up our timers of a second or more by a factor of 1000, until the page is reloaded.
HURRY = """() => {
    const { setTimeout, setInterval } = window;
    const caller = () => new Error().stack.split('\\n')[3];
    const soon = (time, from) => (time >= 1000 && from.includes('/comfy-cloud-history/') ? time / 1000 : time);
    window.setTimeout = (what, time, ...more) => setTimeout(what, soon(time, caller()), ...more);
    window.setInterval = (what, time, ...more) => setInterval(what, soon(time, caller()), ...more);
}"""

# Finds the table rows whose cells extend beyond the table.
CUT_OFF = """root => [...root.querySelectorAll('.cch-thead, .cch-row:not(.wait)')]
    .filter(row => row.scrollWidth > row.clientWidth + 1).map(row => row.textContent)"""


@pytest.mark.stage(connected=True)
async def test_the_sidebar_lists_jobs_and_sends_no_request_while_closed(
    page: Page, cloud: SimulatedCloud, asked: list[str]
) -> None:
    await page.evaluate(HURRY)
    tab = page.locator(TAB_BUTTON)
    await tab.click()
    panel = await shown_panel(page)
    await panel.expect_count(0, 24, 24)
    await expect(panel.list).to_be_focused()

    await panel.root.get_by_role("button", name="Close", exact=True).click()
    await expect(panel.root).to_have_count(0)
    await page.wait_for_load_state("networkidle")
    asked.clear()
    cloud.add_job("completed")
    await page.wait_for_timeout(TEN_MINUTES / 1000)
    assert [address for address in asked if "cloud_history" in address] == []

    await choose_cloud_history(page, "Open cloud history")
    await panel.expect_count(0, 25, 25)


@pytest.mark.stage(connected=True, settings={"Comfy.UseNewMenu": "Disabled"})
async def test_with_the_old_menu_the_panel_opens_as_a_window(
    page: Page, cloud: SimulatedCloud, console_errors: list[str]
) -> None:
    # Frontend 1.27 itself logs this when it starts with the old menu.
    console_errors[:] = [text for text in console_errors if "graph that was never set up" not in text]
    panel = await open_list(page, cloud)
    await expect(dialog(page)).to_have_accessible_name("Cloud history")
    await expect(dialog(page).locator(panel.list)).to_be_focused()
    # The window is wide enough for the details beside the list.
    await page.keyboard.press("ArrowDown")
    await expect(panel.root.get_by_role("complementary", name="Details")).to_contain_text("Job ID")
    await page.keyboard.press("Escape")
    await expect(dialog(page)).to_have_count(0)
    again = await open_list(page, cloud)
    await again.root.get_by_role("button", name="Close", exact=True).click()
    await expect(dialog(page)).to_have_count(0)


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_the_panel_shows_that_it_loads_and_offers_a_retry_after_a_failure(
    page: Page, cloud: SimulatedCloud, console_errors: list[str]
) -> None:
    await lose_a_script_and_retry(page, "row.mjs")
    await page.reload()
    await page.wait_for_function(READY)
    await lose_a_script_and_retry(page, "list.css")
    # ComfyUI reports every command that fails.
    console_errors[:] = [text for text in console_errors if "could not be loaded" not in text]
    assert cloud.history_posts == []


async def lose_a_script_and_retry(page: Page, name: str) -> None:
    """Delay the panel's script, then let it fail, and check the message of a menu entry that needs it."""
    waiting: asyncio.Queue[Route] = asyncio.Queue()
    await page.route(f"**/{name}", lambda route: waiting.put_nowait(route))
    await page.locator(TAB_BUTTON).click()
    await expect(page.get_by_text("Loading…", exact=True)).to_be_visible()
    await (await waiting.get()).abort()
    failure = page.get_by_role("alert").filter(has=page.get_by_role("button", name="Try again"))
    await expect(failure).to_contain_text("Cloud history could not be loaded")
    pressed = asyncio.create_task(run_command(page, "CloudHistory.Clear"))
    await (await waiting.get()).abort()
    await pressed
    await expect(toasts(page, "Check that ComfyUI is running, then try again.")).to_be_visible()
    await page.unroute(f"**/{name}")
    await failure.get_by_role("button", name="Try again").click()
    await (await shown_panel(page)).expect_count(0, 24, 24)


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_the_optional_top_button_opens_the_panel_and_its_window_shows_the_sidebar_s_selection(
    page: Page, cloud: SimulatedCloud
) -> None:
    await open_by_the_button_at_the_top(page)
    panel = await open_list(page, cloud)
    await panel.list.press(" ")
    await panel.expect_count(1, 24, 24)
    large = panel.root.get_by_role("button", name="Open in a large window")
    await large.focus()
    await page.keyboard.press("Enter")
    window = dialog(page)
    await expect(window.locator(".cch-count")).to_contain_text("1 selected")
    await expect_the_columns_to_fit_at_every_width(page)
    # The first Escape clears the selection, the second closes the window.
    await page.keyboard.press("Escape")
    await expect(window.locator(".cch-count")).to_have_text("24 jobs")
    await page.keyboard.press("Escape")
    await expect(window).to_have_count(0)
    await expect(large).to_be_focused()


async def expect_the_columns_to_fit_at_every_width(page: Page) -> None:
    """Check that columns are never cut off, and that the details are beside them only if both fit."""
    root = page.locator(".cch-panel.large")
    details = root.locator(".cch-side")
    size = page.viewport_size
    assert size is not None
    with_details = []
    for width in [760, 900, *range(1020, 1071, 5), 1150]:
        await page.set_viewport_size({"width": width, "height": size["height"]})
        if await details.is_visible():
            with_details.append(width)
        assert await root.evaluate(CUT_OFF) == [], f"in a window of {width} px"
    assert with_details[-1:] == [1150]
    assert 900 not in with_details
    # The list shows to which job the details belong.
    await page.keyboard.press("ArrowDown")
    await expect(root.locator(".cch-row.is-focus")).not_to_have_css("background-color", "rgba(0, 0, 0, 0)")
    await page.set_viewport_size(size)


async def open_by_the_button_at_the_top(page: Page) -> None:
    """Enable the setting of the top button, and open the panel by the button."""
    top = button_at_the_top(page)
    await expect(top).to_have_count(0)
    await page.evaluate("() => window.app.extensionManager.setting.set('CloudHistory.ShowActionBarButton', true)")
    await top.click()
    await (await shown_panel(page)).expect_count(0, 24, 24)
