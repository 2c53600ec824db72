"""No control of the panel overlaps another, is cut or is covered, at any width, text size or direction."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import nullcontext

import pytest
from playwright.async_api import Page, expect

from browser.accessibility import touch_screen
from browser.conftest import ONE_FRONTEND
from browser.layout_walk import faults_at_all_widths, faults_now
from browser.panel_page import Panel, newest_first, open_list, open_page, set_hold, shown_panel
from browser.tabs import USUAL_SIZE
from browser.test_panel_layout import select_some
from simulated_cloud import SimulatedCloud
from simulated_cloud.stored_files import Periodic

pytestmark = pytest.mark.deep

AS_USUAL, ON_TOUCH = "as usual", "on a touch screen"
SETTINGS = {
    AS_USUAL: ("ltr", "100%"),
    "with text of twice the size": ("ltr", "200%"),
    "from right to left": ("rtl", "100%"),
    ON_TOUCH: ("ltr", "100%"),
}
# The size of the window, and the text's. A zoom of 200 % halves what the page has of the window's width and height.
WINDOWS = {(width, 900): "100%" for width in (480, 560, 640, 733, 844, 980, 1100, 1280, 1440, 1600)} | {
    (640, 450): "100%",
    (720, 450): "100%",
    (960, 540): "100%",
    (1281, 900): "200%",
    (1601, 900): "200%",
}


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60, jobs=60)
@pytest.mark.timeout(400)
async def test_no_control_overlaps_is_cut_or_covered_at_any_width(
    page: Page, cloud: SimulatedCloud, styled: Callable[[str, str], Awaitable[None]]
) -> None:
    panel = await open_list(page, cloud)
    await protect_some(panel, cloud)
    faults: list[str] = []

    async def walk_with(setting: str, state: str, widths: Iterable[int] | None = None) -> None:
        await styled(*SETTINGS[setting])
        step = 20 if state == "list" else 40
        widths = widths or range(300, 1401, step if setting == AS_USUAL else 110)
        async with touch_screen(page) if setting == ON_TOUCH else nullcontext():
            found = await faults_at_all_widths(page, widths)
        faults.extend(f"{state}, {setting}, {fault}" for fault in found)
        # Between the walks the panel is used as in other tests.
        await styled("ltr", "100%")

    async def walk(state: str, widths: Iterable[int] | None = None) -> None:
        for setting in SETTINGS:
            await walk_with(setting, state, widths)

    async def walk_coarsely(state: str) -> None:
        for setting in SETTINGS:
            await walk_with(setting, state, range(300, 1401, 80 if setting == AS_USUAL else 275))

    await walk("list")
    # The buttons of a row are shown while the pointer is on it.
    await page.mouse.move(150, 400)
    await walk("list with the pointer on a row", range(300, 1401, 100))
    await page.mouse.move(1439, 0)
    await select_some(panel, cloud)
    await walk("selection")
    await panel.tab("Cancelled").click()
    await expect(panel.root.locator(".cch-actions")).to_contain_text("hidden jobs")
    await walk("selection with hidden jobs", [*range(300, 1401, 100), 740])
    await panel.tab("All").click()
    await walk_filters(panel, styled, walk_with)
    await show_details(panel)
    await walk("details", range(300, 981, 40))
    await panel.root.get_by_role("button", name="Back").evaluate("button => button.click()")
    await walk_pages(panel, walk_coarsely)
    await walk_cards(panel, cloud, walk_coarsely)
    assert not faults, "\n".join(faults)


async def walk_filters(
    panel: Panel, styled: Callable[[str, str], Awaitable[None]], walk_with: Callable[[str, str], Awaitable[None]]
) -> None:
    """Walk with the filters open, which are placed when they open."""
    for setting in SETTINGS:
        await styled(*SETTINGS[setting])
        await panel.root.get_by_role("button", name="Filter").evaluate("button => button.click()")
        await walk_with(setting, "filters")
        await panel.root.locator(".cch-menu").press("Escape")


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60, jobs=60)
@pytest.mark.timeout(300)
async def test_no_control_of_the_large_window_overlaps_is_cut_or_covered(
    page: Page, cloud: SimulatedCloud, styled: Callable[[str, str], Awaitable[None]]
) -> None:
    panel = await open_list(page, cloud)
    await protect_some(panel, cloud)
    await panel.root.get_by_role("button", name="Open in a large window").click()
    large = await shown_panel(page, ".large")
    await expect(large.rows.first).to_be_visible()
    faults: list[str] = []

    async def walk(state: str) -> None:
        # The pages of the window change fewer things than the list.
        for (width, height), text in list(WINDOWS.items())[:: 1 if state == "list" else 4]:
            await page.set_viewport_size({"width": width, "height": height})
            await styled("ltr", text)
            faults.extend(f"{state}, {width} × {height}, text {text}: {fault}" for fault in await faults_now(page))
        await styled("ltr", "100%")
        await page.set_viewport_size(USUAL_SIZE)

    await walk("list")
    await select_some(large, cloud)
    await walk("selection")
    await walk_pages(large, walk)
    await large.root.get_by_role("button", name="Filter").evaluate("button => button.click()")
    await walk("filters")
    assert not faults, "\n".join(faults)


async def walk_pages(panel: Panel, walk: Callable[[str], Awaitable[None]]) -> None:
    """Walk with each page over the list."""
    for page in ("Clean up", "Recently deleted"):
        await open_page(panel, page)
        if page == "Clean up":
            await let_most_jobs_go(panel)
        await walk(page)
        await panel.root.get_by_role("button", name="Back").evaluate("button => button.click()")


async def let_most_jobs_go(panel: Panel) -> None:
    """Change the rules of Clean up so that they keep few jobs."""
    await panel.root.get_by_label("Jobs to keep", exact=True).fill("5")
    for label in ("Everything from the last", "One job a week, for"):
        await panel.root.get_by_role("checkbox", name=label, exact=True).click()
    await expect(panel.root.locator(".cch-verdict")).to_have_text(re.compile("jobs would go"))
    await expect(panel.root.locator("[aria-busy=true]")).to_have_count(0)


async def walk_cards(panel: Panel, cloud: SimulatedCloud, walk: Callable[[str], Awaitable[None]]) -> None:
    """Walk while outputs are saved and with what came of it, while a deletion can be undone, and with its result."""
    for job in newest_first(cloud.finished)[:2]:
        cloud.account.contents.update({name: Periodic(name, 50_000_000) for name in job.files})
    cloud.switches.storage_rate = 20_000
    await panel.root.locator(".cch-actions .cch-btn", has_text="Save outputs").evaluate("button => button.click()")
    save = panel.page.locator(".cch-dialog .cch-btn.primary")
    await save.click(timeout=20_000)
    await expect(panel.cards).to_contain_text("Saving outputs…")
    await walk("saving")
    await panel.cards.get_by_role("button", name="Stop").evaluate("button => button.click()")
    await expect(panel.cards).to_contain_text("Saving was stopped", timeout=15_000)
    cloud.switches.storage_rate = 0
    await walk("saving was stopped")
    await panel.cards.get_by_role("button", name="Dismiss").evaluate("button => button.click()")
    await expect(panel.cards).to_have_count(0)
    await panel.delete(2)
    await expect(panel.cards).to_have_count(1)
    await walk("hold")
    await panel.cards.get_by_role("button", name="Undo").evaluate("button => button.click()")
    await expect(panel.cards).to_have_count(0)
    await set_hold(panel.page, 0)
    await panel.list.press("Escape")
    await select_some(panel, cloud)
    await panel.delete(2)
    await expect(panel.cards).to_contain_text("removed from your cloud history")
    await walk("result")


async def protect_some(panel: Panel, cloud: SimulatedCloud) -> None:
    """Protect two finished jobs, whose rows then have a lock."""
    for job in newest_first(cloud.finished)[2:4]:
        await panel.row(job).locator(".cch-check").evaluate("tick => tick.click()")
    await panel.list.press("p")
    await expect(panel.root.locator(".cch-row .lock:not(.none)")).to_have_count(2)
    await panel.list.press("Escape")


async def show_details(panel: Panel) -> None:
    """Open the details of the newest job over the list."""
    await panel.list.press("Home")
    await panel.list.press("Enter")
    await expect(panel.root.locator(".cch-details")).to_contain_text("Job ID")
