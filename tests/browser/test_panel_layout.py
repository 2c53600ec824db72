"""No control of the panel overlaps another, is cut or is covered, at any width, text size or direction."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from browser.conftest import ONE_FRONTEND
from browser.layout_walk import faults_at_all_widths
from browser.panel_page import Panel, newest_first, open_list, open_page
from simulated_cloud import SimulatedCloud

FULL_SIZE = {"width": 1440, "height": 900}
SETTINGS = {
    "as usual": ("ltr", "100%"),
    # "with text of twice the size": ("ltr", "200%"),
    "from right to left": ("rtl", "100%"),
}


@pytest_asyncio.fixture(loop_scope="session")
async def styled(page: Page) -> AsyncIterator[Callable[[str, str], Awaitable[None]]]:
    """A function that sets the direction and the text size of the page until the end of the test."""

    async def style(direction: str, size: str) -> None:
        await page.evaluate(
            "([dir, size]) => { document.dir = dir; document.documentElement.style.fontSize = size; }",
            [direction, size],
        )

    yield style


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60, jobs=60)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.timeout(300)
async def test_no_control_overlaps_is_cut_or_covered_at_any_width(
    page: Page, cloud: SimulatedCloud, styled: Callable[[str, str], Awaitable[None]], setting: str
) -> None:
    panel = await open_list(page, cloud)
    await styled(*SETTINGS[setting])
    faults: list[str] = []

    async def walk(state: str, **options: Any) -> None:
        faults.extend(f"{state}, {fault}" for fault in await faults_at_all_widths(page, **options))

    await walk("list")
    await select_some(panel, cloud)
    await walk("selection")
    await panel.root.get_by_role("button", name="Filter").evaluate("button => button.click()")
    await walk("filters")
    await panel.root.locator(".cch-menu").press("Escape")
    await show_details(panel)
    await walk("details", widths=range(300, 981, 40))
    await panel.root.get_by_role("button", name="Back").evaluate("button => button.click()")
    for item, state in (("Clean up", "clean up"), ("Recently deleted", "recently deleted")):
        await styled("ltr", "100%")
        await open_page(panel, item)
        await styled(*SETTINGS[setting])
        await walk(state)
        await panel.root.get_by_role("button", name="Back").evaluate("button => button.click()")
    await styled("ltr", "100%")
    await panel.delete(2)
    await expect(panel.cards).to_have_count(1)
    await styled(*SETTINGS[setting])
    await walk("hold")
    assert not faults, "\n".join(faults)


async def select_some(panel: Panel, cloud: SimulatedCloud) -> None:
    """Select two finished jobs."""
    for job in newest_first(cloud.finished)[:2]:
        await panel.row(job).locator(".cch-check").evaluate("tick => tick.click()")


async def show_details(panel: Panel) -> None:
    """Open the details of the newest job over the list."""
    await panel.list.press("Home")
    await panel.list.press("Enter")
    await expect(panel.root.locator(".cch-details")).to_contain_text("Job ID")
