"""ComfyUI in a frame of another page, which could trick a person into clicking (clickjacking)."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from browser.comfy_page import BOOT_TIMEOUT, READY
from browser.conftest import ONE_FRONTEND
from hosts import HostProcess
from simulated_cloud import SimulatedCloud


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_in_a_frame_of_another_page_a_clear_is_refused_with_a_reason_and_sends_nothing(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    await page.goto(f"{host.base_url}/system_stats")
    await page.evaluate(
        """address => {
            const frame = document.createElement("iframe");
            Object.assign(frame, { src: address, width: 1200, height: 700 });
            document.body.append(frame);
        }""",
        host.base_url,
    )
    frame = page.frames[1]
    await frame.wait_for_function(READY, timeout=BOOT_TIMEOUT)
    await frame.evaluate("() => void window.app.extensionManager.command.execute('CloudHistory.Clear')")
    refused = frame.get_by_role("dialog").filter(has_text="Not from inside another page")
    await expect(refused).to_contain_text("Open ComfyUI in a tab of its own to delete.")
    await expect(refused.locator(".cch-btn.danger")).to_have_count(0)
    assert cloud.requests_to("GET", "/api/jobs") == []
    assert cloud.history_posts == []
