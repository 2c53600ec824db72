"""A graph from somebody else with Clear switched on deletes nothing without the approval of the person who ran it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from browser.comfy_page import READY, button, choose_in_menu, dialog, kept_first, load_workflow, press_run, toasts
from browser.conftest import ONE_FRONTEND
from hosts import HostProcess
from simulated_cloud import SimulatedCloud

TITLE = "Let this workflow delete"
CHOICES_BELOW_THE_FOLD = """(dialog) =>
  [...dialog.querySelectorAll("label, .cch-hint, .cch-answers > button")].filter((each) => {
    const { left, right, top, bottom } = each.getBoundingClientRect();
    const isSeen = (y) => each.contains(document.elementFromPoint((left + right) / 2, y));
    return left < 0 || top < 0 || right > innerWidth || bottom > innerHeight || !isSeen(top + 3) || !isSeen(bottom - 3);
  }).map((each) => each.textContent)"""
"""JavaScript that returns the texts of the choices and sentences that are not wholly visible."""


def clear_graph() -> dict[str, Any]:
    node = {"id": 7, "type": "CloudHistoryClear", "pos": [200, 200], "widgets_values": [True, "setting"]}
    return {"version": 0.4, "last_node_id": 7, "last_link_id": 0, "nodes": [node], "links": []}


@pytest.mark.stage(connected=True)
async def test_a_run_sends_nothing_before_its_approval_and_always_allow_is_asked_once(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    finished, active = len(cloud.finished), len(cloud.active)
    await load_workflow(page, clear_graph())
    await press_run(page)
    asked = dialog(page, f"{TITLE} {finished} jobs?")
    # As the first test of a worker, this one also waits for the host and the page to warm up.
    await expect(asked).to_contain_text(f"{active} active", timeout=15_000)
    await expect(asked).to_contain_text("Clear Cloud History, node 7")
    await expect(asked).to_contain_text("Unsaved Workflow")
    await expect(kept_first(asked)).to_have_value("workflows")
    await expect(asked).to_contain_text(f"{finished} workflows, about ")
    await expect(asked.locator(".cch-dp")).to_contain_text(
        "by cancelling the run in ComfyUI. After that it is sent and can’t be undone."
    )
    await expect(asked).to_contain_text(re.compile(r"the node stops in [12]:\d\d\."))
    await expect(button(asked, "Skip")).to_be_focused()
    assert cloud.history_posts == []
    await expect(asked.locator(".cch-btn.danger")).to_be_disabled()
    await asked.get_by_text(f"Yes, delete all {finished} finished jobs").click()
    await asked.get_by_text("Always allow workflows to delete").click()
    await button(asked, f"Delete {finished} jobs").click()
    report = page.get_by_label("Report")
    await expect(report).to_have_value(re.compile(f"{finished} jobs removed from your cloud history"))
    [sent] = cloud.history_posts
    assert len(sent["delete"]) == finished
    assert len(list(host.state_dir.glob("backups/*.zip"))) == 1
    assert json.loads((host.state_dir / "settings.json").read_text())["nodes"] == "allow"

    cloud.add_job("completed")
    await press_run(page)
    await expect(report).to_have_value(re.compile("^1 job removed from your cloud history"))
    await expect(dialog(page, TITLE)).to_have_count(0)


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_every_choice_of_an_approval_is_visible_without_scrolling_in_a_small_window(page: Page) -> None:
    await load_workflow(page, clear_graph())
    await press_run(page)
    asked = dialog(page, TITLE)
    await expect(asked).to_be_visible()
    for width in (312, 480, 1100):
        await page.set_viewport_size({"width": width, "height": 600})
        hidden = await asked.evaluate(CHOICES_BELOW_THE_FOLD)
        assert hidden == [], width


@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_a_reload_asks_again_until_the_settings_forbid_deletions(
    page: Page, cloud: SimulatedCloud, host: HostProcess, asked: list[str]
) -> None:
    await skip_the_approval_after_a_reload(page)
    assert cloud.history_posts == []
    await set_never_and_a_number_that_is_refused(page, asked)
    kept = json.loads((host.state_dir / "settings.json").read_text())
    assert (kept["nodes"], kept["backup_days"]) == ("never", 90)
    await load_workflow(page, clear_graph())
    await press_run(page)
    await expect(page.get_by_label("Report")).to_have_value(
        re.compile("change “Workflows may delete” in Settings > Cloud history")
    )
    assert cloud.history_posts == []


async def skip_the_approval_after_a_reload(page: Page) -> None:
    """Expect the approval dialog again after a reload, and skip it with Escape."""
    await load_workflow(page, clear_graph())
    await press_run(page)
    asked = dialog(page, TITLE)
    await expect(asked).to_be_visible()
    await page.reload()
    await page.wait_for_function(READY)
    await expect(asked).to_be_visible()
    await expect(button(asked, "Skip")).to_be_focused()
    await expect(button(asked, "Skip")).to_be_enabled()
    await page.keyboard.press("Escape")
    await expect(asked).to_have_count(0)
    await expect(toasts(page, "Nothing was deleted")).to_contain_text("The workflow was told to skip.")


@asynccontextmanager
async def status_delayed(page: Page) -> AsyncIterator[None]:
    """Delay ComfyUI's answer about our status while entered."""
    seen = asyncio.Event()

    async def wait(route: Route) -> None:
        await seen.wait()
        await route.fallback()

    await page.route("**/cloud_history/status", wait)
    try:
        yield
    finally:
        seen.set()
        await page.unroute("**/cloud_history/status", wait)


async def set_never_and_a_number_that_is_refused(page: Page, asked: list[str]) -> None:
    """Check that settings are stored on the server, and that the page requests them once."""
    asked.clear()
    may_delete = page.get_by_role("combobox", name="Workflows may delete")
    async with status_delayed(page):
        await choose_in_menu(page, "Settings")
        await page.get_by_text("Cloud history", exact=True).last.click()
        await expect(may_delete).to_be_disabled()
        assert await may_delete.input_value() == ""  # empty, because the setting was never set
    await expect(may_delete).to_have_value("ask")
    await expect(page.get_by_role("spinbutton", name="Seconds to undo a deletion")).to_have_value("10")
    await expect(page.get_by_role("combobox", name="Keep names in the record")).to_have_value("on")
    assert sum(address.endswith("/status") for address in asked) == 1
    await may_delete.focus()
    await page.keyboard.press("N")
    days = page.get_by_role("spinbutton", name="Keep backups for (days)")
    await days.fill("0")
    await days.press("Tab")
    await expect(page.get_by_text("1 to 36,500.")).to_be_visible()
    await expect(page.get_by_text("Saved", exact=True)).to_have_count(1)
    await page.keyboard.press("Escape")
