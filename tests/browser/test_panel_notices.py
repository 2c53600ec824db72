"""In the large window, whose header lies where ComfyUI shows its toasts, warnings and errors are shown on cards."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from browser.comfy_page import button, dialog, toasts
from browser.conftest import ONE_FRONTEND
from browser.panel_page import open_list, shown_panel
from simulated_cloud import Fault, SimulatedCloud


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_an_error_in_the_large_window_is_shown_in_it_and_covers_none_of_its_buttons(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    await button(panel.root, "Open in a large window").click()
    large = await shown_panel(page, ".large")
    waiting = cloud.listed("pending")[0]
    cloud.faults.append(Fault(("POST", "/api/jobs/cancel"), "status", times=None, status=404))
    await large.row(waiting).hover()
    await large.row(waiting).get_by_text("Cancel job").click()
    await button(dialog(page, "Cancel this job?"), "Cancel job").click()
    await expect(large.cards).to_contain_text("No job was cancelled")
    await expect(toasts(page)).to_have_count(0)
    await button(large.root, "More").click()
    await expect(large.root.get_by_role("menu")).to_be_visible()
    await page.keyboard.press("Escape")
    await button(large.cards, "Dismiss").click()
    await expect(large.cards).to_have_count(0)
