"""Another tab replaces the key while jobs of the previous account are selected."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from browser.conftest import ONE_FRONTEND
from browser.panel_page import newest_first, open_list
from simulated_cloud import SimulatedCloud

OTHER_KEY = "comfyui-another-key-fedcba9876543210-wxyz"
SAVE_KEY = """(key) => fetch("/api/cloud_history/key", {
  method: "POST", headers: { "X-Cloud-History": "1", "Content-Type": "application/json" },
  body: JSON.stringify({ api_key: key, unchecked: true }),
}).then((answer) => answer.status)"""


@pytest.mark.deep
@ONE_FRONTEND
async def test_a_key_of_another_account_resets_the_selection_and_open_pages(page: Page, cloud: SimulatedCloud) -> None:
    chosen = newest_first(cloud.finished)[:2]
    assert await page.evaluate(SAVE_KEY, cloud.api_key) == 200
    panel = await open_list(page, cloud)
    await panel.select(chosen)
    await panel.list.press("Enter")
    details = panel.root.locator(".cch-details")
    await expect(details).to_be_visible()
    cloud.api_key = OTHER_KEY
    cloud.jobs.clear()
    theirs = cloud.add_job("failed")
    assert await page.evaluate(SAVE_KEY, OTHER_KEY) == 200
    await expect(panel.row(theirs)).to_be_visible()
    await panel.expect_count(0, 1, 1)
    await expect(details).to_be_hidden()
    for job in chosen:
        await expect(panel.row(job)).to_have_count(0)
