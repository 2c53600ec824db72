"""Hostile names, errors and messages from the cloud are shown as plain text."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from browser.comfy_page import button, dialog
from browser.conftest import ONE_FRONTEND
from browser.panel_page import Panel, open_list
from simulated_cloud import Fault, SimulatedCloud, SimulatedJob

TRAPS = (
    '<img src="http://127.0.0.1:9/trap" onerror="window.harmed = 1">.png',
    "<script>window.harmed = 1</script>.png",
    '"><svg onload="window.harmed = 1"><iframe srcdoc="<script>parent.harmed = 1</script>">.png',
    "javascript:window.harmed=1//{{constructor.constructor('window.harmed = 1')()}}",
    "\u202egnp.exe\u2066 \u200f\u05e9\u05dc\u05d5\u05dd\u202b.png",
    "\x00\x07\x1b[31mred\x7f\u0085\r\n\t.png",
    "long " + "n" * 9_980 + ".png",
    "../../../../etc/passwd",
    "__proto__",
    " \u200b\u2060 ",
)
MARKUP = "img[src*='trap'], script:not([src]), iframe, svg[onload], [onerror], [onload]"


def add_traps(cloud: SimulatedCloud, name: str) -> list[SimulatedJob]:
    """Add a failed job and a job in an unknown state, with this text in every text field."""
    file = {"filename": name, "subfolder": name, "type": "output", "nodeId": name, "mediaType": name}
    error = {
        "node_id": name,
        "node_type": name,
        "exception_message": name,
        "exception_type": name,
        "traceback": [name, name],
        "current_inputs": {name: [name]},
        "current_outputs": {},
    }
    overrides = {"preview_output": file, "workflow_id": name, "execution_error": error}
    return [
        cloud.add_job("failed", overrides=overrides),
        cloud.add_job("completed", overrides={"preview_output": file, "status": name}),
    ]


async def open_each(panel: Panel, jobs: list[SimulatedJob]) -> None:
    """Open the row and the details of each job."""
    for job in jobs:
        await panel.search(job.id)
        await expect(panel.count).to_contain_text("1 of ")
        await panel.row(job).dblclick()
        details = panel.root.locator(".cch-details")
        await expect(details.locator(".cch-scroll")).to_have_attribute("aria-busy", "false")
        if await details.get_by_text("Traceback").count():
            await details.get_by_text("Traceback").first.click()
        await panel.page.keyboard.press("Escape")
        await expect(details).to_have_count(0)
    await panel.search("")


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=5, connected=True, hold_seconds=0)
async def test_hostile_texts_create_no_element_run_no_script_and_send_no_request(
    page: Page, cloud: SimulatedCloud, asked: list[str]
) -> None:
    traps = [job for name in TRAPS for job in add_traps(cloud, name)]
    await page.evaluate(f"() => {{ window.ours = document.querySelectorAll(`{MARKUP}`).length }}")

    panel = await open_list(page, cloud)
    await open_each(panel, traps)
    await panel.tab("Failed").click()
    await expect(panel.rows.first).to_be_visible()
    wide = await panel.list.evaluate("list => list.scrollWidth > list.clientWidth")
    assert not wide, "a long name makes the list scroll sideways"
    text = await panel.list.inner_text()
    assert not set(text) & set("\u202e\u202b\u2066\x1b\x00\x07\x7f")

    harm = TRAPS[0]
    cloud.faults.append(Fault(("POST", "/api/history"), "status", times=None, status=400, json={"message": harm}))
    await panel.list.press("Control+a")
    failed = len(cloud.listed("failed"))
    opened = await panel.ask_to_delete(failed)
    await opened.locator("summary").first.click()
    await button(opened, f"Delete {failed} jobs").click()
    await expect(dialog(page)).to_have_count(0)
    await expect(panel.cards).to_contain_text("No job was removed", timeout=15_000)

    assert await page.evaluate("() => window.harmed") is None
    assert await page.evaluate(f"() => document.querySelectorAll(`{MARKUP}`).length - window.ours") == 0
    assert [url for url in asked if "trap" in url and "/cloud_history/thumbnail" not in url] == []
