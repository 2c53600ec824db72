"""No control of the list or of a dialog overlaps another, is cut or is covered. tests/deep has all states."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page

from browser.conftest import ONE_FRONTEND
from browser.layout_walk import faults_at_all_widths
from browser.panel_page import Panel, newest_first, open_list
from simulated_cloud import SimulatedCloud

# The corners of an element, two pixels inside, at which something else would be hit.
CORNERS_NOT_HIT = """el => {
    const { left, top, right, bottom } = el.getBoundingClientRect();
    const corners = [[left + 2, top + 9], [right - 2, top + 9], [left + 2, bottom - 9], [right - 2, bottom - 9]];
    return corners.filter(([x, y]) => !el.contains(document.elementFromPoint(x, y)));
}"""
CAN_BE_SCROLLED = """el => el.scrollHeight <= el.clientHeight + 1
    || window.getComputedStyle(el).overflowY === 'auto'"""


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60, jobs=60)
async def test_no_control_of_a_list_overlaps_is_cut_or_covered_at_any_width(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_list(page, cloud)
    faults = await faults_at_all_widths(page, range(300, 1401, 40))
    await select_some(panel, cloud)
    faults += await faults_at_all_widths(page, range(320, 1401, 40))
    assert not faults, "\n".join(faults)


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60, jobs=30)
@pytest.mark.parametrize(
    ("width", "height", "text"), [(312, 860, "200%"), (320, 256, "100%"), (480, 600, "200%"), (640, 450, "100%")]
)
async def test_all_buttons_of_a_dialog_can_be_reached_in_a_small_window(
    page: Page, cloud: SimulatedCloud, styled: Callable[[str, str], Awaitable[None]], width: int, height: int, text: str
) -> None:
    panel = await open_list(page, cloud)
    await panel.list.press("Control+a")
    await panel.list.press("Delete")
    opened = await panel.delete_dialog()
    await page.set_viewport_size({"width": width, "height": height})
    await styled("ltr", text)
    # A test can scroll what a person can't.
    assert await opened.locator(".cch-dialog").evaluate(CAN_BE_SCROLLED), "a part can't be scrolled to"
    for name in ("Close", "Cancel", "Delete"):
        found = opened.get_by_role("button", name=re.compile(f"^{name}")).last
        await found.scroll_into_view_if_needed()
        missed = await found.evaluate(CORNERS_NOT_HIT)
        assert missed == [], f"{name} is cut or covered at {missed}"


async def select_some(panel: Panel, cloud: SimulatedCloud) -> None:
    """Select two finished jobs."""
    for job in newest_first(cloud.finished)[:2]:
        await panel.row(job).locator(".cch-check").evaluate("tick => tick.click()")
