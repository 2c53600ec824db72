"""Ways to the panel and back, and what it asks for: nothing before it is opened, nothing after it is closed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from browser.comfy_page import choose_cloud_history, dialog
from browser.panel_page import TAB_BUTTON, open_list, shown_panel
from simulated_cloud import SimulatedCloud

NEWEST = pytest.mark.parametrize("frontend", ["1.58.1"], indirect=True)
TEN_MINUTES = 600_000


@pytest_asyncio.fixture(loop_scope="session")
async def let_time_pass(page: Page) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Lets the page's time pass, in milliseconds. Its context, which keeps such a clock, ends with the test."""
    await page.clock.install()
    yield page.clock.run_for
    await page.context.close()


@pytest.mark.stage(connected=True)
async def test_the_sidebar_shows_the_jobs_and_asks_for_nothing_while_it_is_closed(
    page: Page, cloud: SimulatedCloud, let_time_pass: Callable[[int], Awaitable[None]]
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "cloud_history" in request.url else None)
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
    await let_time_pass(TEN_MINUTES)
    assert asked == []

    await choose_cloud_history(page, "Open cloud history")
    await panel.expect_count(0, 25, 25)


@pytest.mark.stage(connected=True, settings={"Comfy.UseNewMenu": "Disabled"})
async def test_with_the_old_menu_it_is_a_window(
    page: Page, cloud: SimulatedCloud, console_errors: list[str]
) -> None:
    # Frontend 1.27 itself says so when it starts with the old menu.
    console_errors[:] = [text for text in console_errors if "graph that was never set up" not in text]
    panel = await open_list(page, cloud)
    await expect(dialog(page)).to_have_accessible_name("Cloud history")
    await expect(dialog(page).locator(panel.list)).to_be_focused()
    # Wide enough for the details beside the list.
    await page.keyboard.press("ArrowDown")
    await expect(panel.root.get_by_role("complementary", name="Details")).to_contain_text("Job ID")
    await page.keyboard.press("Escape")
    await expect(dialog(page)).to_have_count(0)
    again = await open_list(page, cloud)
    await again.root.get_by_role("button", name="Close", exact=True).click()
    await expect(dialog(page)).to_have_count(0)


@NEWEST
@pytest.mark.stage(connected=True)
async def test_the_window_and_the_sidebar_show_one_selection_and_give_the_focus_back(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    await panel.list.press(" ")
    await panel.expect_count(1, 24, 24)
    large = panel.root.get_by_role("button", name="Open in a large window")
    await large.focus()
    await page.keyboard.press("Enter")
    window = dialog(page)
    await expect(window.locator(".cch-count")).to_have_text("1 selected of 24 shown, 24 in all")
    # The first Escape drops the selection, the second leaves.
    await page.keyboard.press("Escape")
    await expect(window.locator(".cch-count")).to_contain_text("0 selected")
    await page.keyboard.press("Escape")
    await expect(window).to_have_count(0)
    await expect(large).to_be_focused()


@NEWEST
@pytest.mark.stage(connected=True)
async def test_a_button_at_the_top_is_there_when_it_is_wanted(page: Page, cloud: SimulatedCloud) -> None:
    top = page.locator('button:has(.pi-history), button[aria-label="Cloud history"]').locator(
        "visible=true >> xpath=self::*[not(contains(@class, 'side-bar-button'))]"
    )
    await expect(top).to_have_count(0)
    await page.evaluate(
        "() => window.app.extensionManager.setting.set('CloudHistory.ShowActionBarButton', true)"
    )
    await top.click()
    await (await shown_panel(page)).expect_count(0, 24, 24)
