"""Tooltips as WCAG 2.2 asks in 1.4.13: the pointer can move onto them, they stay, and Escape closes them alone."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from browser.comfy_page import button
from browser.conftest import ONE_FRONTEND
from browser.panel_page import Panel, newest_first, open_list, shown_panel
from simulated_cloud import SimulatedCloud


async def centre(of: Locator) -> tuple[float, float]:
    """Return the middle of an element."""
    box = await of.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def show_by_pointer(panel: Panel, name: str) -> Locator:
    """Move the pointer onto a button of the panel, and return its tooltip."""
    await panel.page.mouse.move(*await centre(button(panel.root, name)), steps=5)
    tip = panel.page.locator(".cch-tip")
    await expect(tip).to_be_visible()
    return tip


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=12, connected=True)
async def test_the_pointer_can_move_onto_a_tooltip_and_back_and_the_tooltip_goes_when_it_leaves_both(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    tip = await show_by_pointer(panel, "Open in a large window")
    words = await tip.inner_text()
    # In small steps, so that the pointer is also in the gap between the two.
    await page.mouse.move(*await centre(tip), steps=60)
    await page.wait_for_timeout(1_000)
    await expect(tip).to_have_text(words)
    await page.mouse.move(*await centre(button(panel.root, "Open in a large window")), steps=60)
    await page.wait_for_timeout(500)
    await expect(tip).to_have_text(words)
    await page.mouse.move(*await centre(tip), steps=60)
    await page.mouse.move(900, 500, steps=10)
    await expect(tip).to_have_count(0)


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=12, connected=True)
async def test_the_tooltip_of_a_focused_button_stays_while_the_pointer_moves_elsewhere(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    await button(panel.root, "Refresh").focus()
    await page.keyboard.press("Tab")
    tip = page.locator(".cch-tip")
    await expect(tip).to_have_text("Open in a large window")
    await page.mouse.move(*await centre(panel.count), steps=5)
    await page.mouse.move(900, 500, steps=5)
    await expect(tip).to_have_text("Open in a large window")
    await page.wait_for_timeout(500)
    await expect(tip).to_be_visible()
    await show_by_pointer(panel, "More")
    await expect(tip).to_have_text("More")
    await page.mouse.move(*await centre(panel.count), steps=5)
    await expect(tip).to_have_text("Open in a large window")
    await expect(tip).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(tip).to_have_count(0)
    await page.mouse.move(900, 500, steps=5)
    await page.wait_for_timeout(500)
    await expect(tip).to_have_count(0)
    await expect(button(panel.root, "Open in a large window")).to_be_focused()


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=12, connected=True)
async def test_escape_closes_a_tooltip_and_neither_the_window_nor_the_selection(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    await button(panel.root, "Open in a large window").click()
    large = await shown_panel(page, ".large")
    await large.select(newest_first(cloud.finished)[:2])
    tip = await show_by_pointer(large, "Refresh")
    await page.keyboard.press("Escape")
    await expect(tip).to_have_count(0)
    x, y = await centre(button(large.root, "Refresh"))
    await page.mouse.move(x + 3, y + 3)
    await page.wait_for_timeout(600)
    await expect(tip).to_have_count(0)
    await large.expect_count(2, 12, 12)
    await show_by_pointer(large, "More")
    await show_by_pointer(large, "Refresh")
    await page.mouse.move(*await centre(large.count), steps=5)
    await expect(tip).to_have_count(0)
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await expect(large.root).to_have_count(0)


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=12, connected=True)
async def test_a_button_that_gets_the_focus_when_a_page_opens_has_no_tooltip_for_escape_to_close_first(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    await panel.list.press("ArrowDown")
    await panel.list.press("Enter")
    await expect(button(panel.root, "Back to the list")).to_be_focused()
    await page.wait_for_timeout(600)
    await expect(page.locator(".cch-tip")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(panel.list).to_be_focused()


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=12, connected=True)
async def test_a_button_that_appears_under_a_pointer_at_rest_has_no_tooltip(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_list(page, cloud)
    await panel.list.press("ArrowDown")
    await panel.list.press("Enter")
    place = await centre(button(panel.root, "Back to the list"))
    await page.keyboard.press("Escape")
    await expect(panel.list).to_be_focused()
    await page.mouse.move(*place)
    await panel.list.press("Enter")
    await expect(button(panel.root, "Back to the list")).to_be_focused()
    await page.wait_for_timeout(600)
    await expect(page.locator(".cch-tip")).to_have_count(0)
    await page.mouse.move(place[0] + 2, place[1])
    await expect(page.locator(".cch-tip")).to_be_visible()
