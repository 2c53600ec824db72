"""In every supported frontend, each dialog is one centred box and keeps its focus, and a hold can be undone.

Faults are reported together at the end. With CLOUD_HISTORY_PICTURES a screenshot of each dialog is saved in that
folder. Look at the screenshots, also with CLOUD_HISTORY_PALETTE=light.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, ViewportSize, expect

from browser.comfy_page import (
    agree_if_asked,
    button,
    button_at_the_top,
    choose_cloud_history,
    choose_in_menu,
    dialog,
    load_workflow,
    press_run,
    toasts,
    toasts_have_buttons,
)
from browser.conftest import Frontend
from browser.panel_page import Panel, newest_first, open_list, open_page, open_panel
from deep.seen_box import FOCUS_SECONDS, faults_of_box, focused
from hosts import HostProcess
from project_setup import OLDEST_FRONTEND
from simulated_cloud import Fault, SimulatedCloud, SimulatedJob

SMALL: ViewportSize = {"width": 800, "height": 560}
WINDOW: ViewportSize = {"width": 1440, "height": 900}

SHOW_BUTTON = "() => window.app.extensionManager.setting.set('CloudHistory.ShowActionBarButton', true)"


class Tour:
    """The tour through one frontend, with the faults found so far."""

    def __init__(self, page: Page, folder: Path | None) -> None:
        self.page = page
        self.faults: list[str] = []
        self._folder = folder
        self._stop = 0

    def note(self, where: str, *faults: str) -> None:
        """Add the faults of a dialog or page."""
        self.faults += [f"{where}: {fault}" for fault in faults]

    async def picture(self, name: str) -> None:
        """Save a screenshot of the page, if a folder is chosen."""
        self._stop += 1
        if self._folder:
            await self.page.screenshot(path=self._folder / f"{self._stop:02} {name}.png", animations="disabled")

    async def look(self, name: str, focus: str, selector: str = ".cch-dialog") -> None:
        """Check the topmost dialog. The element with the text `focus` must have the focus and keep it."""
        page = self.page
        first = await focused(page)
        await page.wait_for_timeout(FOCUS_SECONDS * 1000)
        self.note(name, *await faults_of_box(page, selector))
        last = await focused(page)
        if first != focus:
            self.note(name, f"the focus is on {first!r}, not on {focus!r}")
        if last != first:
            self.note(name, f"the focus was on {first!r}, and after {FOCUS_SECONDS} s on {last!r}")
        await self.picture(name)

    async def look_when_small(self, name: str, selector: str = ".cch-dialog") -> None:
        """Check that the topmost dialog fits into a small window."""
        await self.page.set_viewport_size(SMALL)
        await self.page.wait_for_timeout(200)
        self.note(f"{name}, small", *await faults_of_box(self.page, selector))
        await self.picture(f"{name}, small")
        await self.page.set_viewport_size(WINDOW)


@pytest.mark.stage(
    jobs=60,
    hold_seconds=0,
    settings={
        "Comfy.ColorPalette": os.environ.get("CLOUD_HISTORY_PALETTE") or "dark",
        "Comfy.RightSidePanel.ShowErrorsTab": False,
        "Comfy.Validation.Workflows": True,
    },
)
async def test_each_dialog_is_one_centred_box_and_keeps_its_focus(
    page: Page, cloud: SimulatedCloud, host: HostProcess, frontend: Frontend, pictures: Path | None
) -> None:
    tour = Tour(page, pictures and pictures / frontend.version)
    await keys(tour, cloud)
    panel = await open_list(page, cloud)
    await tour.picture("panel")
    await deletions(tour, panel, cloud)
    await panel_pages(tour, panel, cloud)
    await large_window(tour, panel, cloud)
    await panel.root.get_by_role("button", name="Close", exact=True).click()
    await approval_and_report(tour, cloud)
    await settings(tour, frontend)
    tour.note("workflows", *await toasts(page, "schema").all_inner_texts())
    assert "Traceback" not in host.log()
    assert not tour.faults, f"frontend {frontend.version}\n" + "\n".join(tour.faults)


@pytest.mark.stage(jobs=12, connected=True, hold_seconds=60)
async def test_with_the_panel_closed_a_toast_offers_the_undo_or_says_where_it_is(
    page: Page, cloud: SimulatedCloud, frontend: Frontend, pictures: Path | None
) -> None:
    tour = Tour(page, pictures and pictures / frontend.version)
    panel = await open_list(page, cloud)
    await panel.select(newest_first(cloud.finished)[:2])
    await panel.delete(2)
    await expect(panel.cards).to_contain_text(re.compile(r"Removing 2 jobs in \d+ s"))
    await panel.root.get_by_role("button", name="Close", exact=True).click()
    held = toasts(page, "Removing 2 jobs")
    await expect(held).to_contain_text("Nothing has been sent yet")
    await tour.picture("hold")
    if await toasts_have_buttons(page):
        await expect(held).to_contain_text(re.compile(r"in \d+ s"))
        await expect(held).not_to_contain_text("Open Cloud history")
        await button(held, "Undo").click()
        await expect(toasts(page, "Nothing was deleted")).to_contain_text("2 jobs are back in the list.")
    else:
        # Such a toast keeps its first text, so it names a time instead of counting.
        await expect(held).to_contain_text(re.compile(r"at \d+:\d\d:\d\d"))
        await expect(held).to_contain_text("Open Cloud history to undo it.")
        panel = await open_panel(page)
        await expect(held).to_have_count(0)
        await button(panel.cards, "Undo").click()
        await expect(panel.cards).to_contain_text("2 jobs are back in the list.")
    assert cloud.history_posts == []


def delete_graph(job_id: str) -> dict[str, Any]:
    """Return a workflow of one node that deletes a job, with all fields that the frontends check."""
    node = {
        "id": 7,
        "type": "CloudHistoryDeleteJobs",
        "pos": [200, 200],
        "size": [400, 320],
        "flags": {},
        "order": 0,
        "mode": 0,
        "properties": {},
        "widgets_values": [job_id, False],
    }
    return {"version": 0.4, "last_node_id": 7, "last_link_id": 0, "nodes": [node], "links": []}


async def wait_until_closed(opened: Locator) -> None:
    """Wait until a dialog is closed."""
    await expect(opened).to_have_count(0)


async def keys(tour: Tour, cloud: SimulatedCloud) -> None:
    """Check the dialogs that enter, show and remove the API key, and the error dialog of a failing cloud."""
    page = tour.page
    await choose_cloud_history(page, "Connect to Comfy Cloud…")
    opened = dialog(page, "Connect to Comfy Cloud")
    await expect(opened).to_be_visible()
    await tour.look("connect", "API key")
    await tour.look_when_small("connect")
    await page.keyboard.type(cloud.api_key)
    if await opened.get_by_placeholder("Paste your API key").input_value() != cloud.api_key:
        tour.note("connect", "the field lost its focus while a key was typed")
        await opened.get_by_placeholder("Paste your API key").fill(cloud.api_key)
    await button(opened, "Test and save").click()
    await expect(toasts(page, "Connected to Comfy Cloud")).to_be_visible()
    await wait_until_closed(opened)
    await choose_cloud_history(page, "Connect to Comfy Cloud…")
    opened = dialog(page, "Connection")
    await expect(opened).to_be_visible()
    await tour.look("connection", "Close")
    await expect(opened).to_contain_text("Connected")
    await button(opened, "Remove key…").click()
    await tour.look("remove key", "Cancel")
    await page.keyboard.press("Escape")
    await wait_until_closed(page.locator(".cch-dialog"))
    cloud.faults.append(Fault(("GET", "/api/jobs"), "status", times=None, status=500))
    await choose_cloud_history(page, "Clear cloud history…")
    opened = dialog(page, "Comfy Cloud has a problem")
    await expect(opened).to_be_visible(timeout=20_000)
    await tour.look("error", "Close")
    cloud.faults.clear()
    await page.keyboard.press("Escape")
    await wait_until_closed(opened)


async def deletions(tour: Tour, panel: Panel, cloud: SimulatedCloud) -> None:
    """Check the dialogs that confirm a clear, a deletion and a cancellation."""
    page = tour.page
    await choose_cloud_history(page, "Clear cloud history…")
    opened = dialog(page, "Clear your cloud history?")
    await expect(opened.locator(".cch-btn.danger")).to_be_visible()
    await tour.look("clear", "Cancel")
    await tour.look_when_small("clear")
    await page.keyboard.press("Escape")
    await wait_until_closed(opened)

    chosen: Sequence[SimulatedJob] = newest_first(cloud.finished)[:3]
    await panel.select(chosen)
    opened = await panel.ask_to_delete(3)
    await tour.look("delete", "Cancel")
    await opened.get_by_text("Show the 3 jobs").click()
    await expect(opened.get_by_role("group", name="Show the 3 jobs").locator(".cch-name")).to_have_count(3)
    tour.note("delete, unfolded", *await faults_of_box(page))
    await tour.picture("delete, unfolded")
    await button(opened, "Delete 3 jobs").click()
    await expect(panel.cards).to_contain_text("3 jobs removed", timeout=20_000)
    await tour.picture("result")
    await wait_until_closed(opened)

    await panel.select(cloud.listed("in_progress")[:1])
    await button(panel.root, "Cancel 1 active job…").click()
    opened = dialog(page, "Cancel this job?")
    await expect(opened).to_be_visible()
    await tour.look("cancel job", "Keep it running")
    await page.keyboard.press("Escape")
    await wait_until_closed(opened)


async def panel_pages(tour: Tour, panel: Panel, cloud: SimulatedCloud) -> None:
    """Check the details, Clean up with its confirmation, and Recently deleted."""
    page = tour.page
    await panel.list.press("Escape")
    await panel.row(newest_first(cloud.listed("failed"))[0]).click()
    await page.keyboard.press("Enter")
    await expect(panel.root.locator(".cch-details")).to_be_visible()
    await tour.picture("details")
    await button(panel.root.locator(".cch-details"), "Open workflow").click()
    await expect(toasts(page, "Workflow opened in a new tab")).to_be_visible()
    alerts = await toasts(page, "schema").all_inner_texts()
    tour.note("workflow", *alerts)
    await panel.root.get_by_role("button", name="Back to the list").click()

    clean_up = await open_page(panel, "Clean up…")
    for label in ("Everything from the last", "One job a week, for"):
        await clean_up.get_by_role("checkbox", name=label, exact=True).click()
    await clean_up.get_by_label("Jobs to keep", exact=True).fill("40")
    await expect(clean_up.locator(".cch-verdict")).to_have_text(re.compile(r"^\d+ of \d+ jobs would go"))
    await tour.picture("clean up")
    await button(clean_up, f"Delete {len(cloud.finished) - 40}…").click()
    opened = await panel.delete_dialog()
    await tour.look("clean up, question", "Cancel")
    await page.keyboard.press("Escape")
    await wait_until_closed(opened)
    await clean_up.get_by_role("button", name="Back to the list").click()
    await open_page(panel, "Recently deleted")
    await tour.picture("recently deleted")
    await panel.root.locator(".cch-page").get_by_role("button", name="Back to the list").click()


async def large_window(tour: Tour, panel: Panel, cloud: SimulatedCloud) -> None:
    """Check the panel in its large window, and a confirmation above that window."""
    page = tour.page
    await panel.root.get_by_role("button", name="Open in a large window").click()
    large = Panel(page, page.locator(".cch-panel.large"))
    await expect(large.list).to_be_focused()
    await tour.look("large window", "Jobs", ".cch-panel.large")
    await tour.look_when_small("large window", ".cch-panel.large")
    await large.select(newest_first(cloud.finished)[:1])
    await large.list.press("Delete")
    opened = dialog(page, "from your cloud history?").last
    await agree_if_asked(opened)
    await tour.look("delete above the large window", "Cancel")
    await page.keyboard.press("Escape")
    await wait_until_closed(page.locator(".cch-dialog"))
    # The first Escape clears the selection, the second closes the window.
    await large.list.press("Escape")
    await large.list.press("Escape")
    await wait_until_closed(page.locator(".cch-panel.large"))


async def approval_and_report(tour: Tour, cloud: SimulatedCloud) -> None:
    """Approve the deletion of a running workflow, and check the report on its node."""
    page = tour.page
    job_id = newest_first(cloud.finished)[0].id
    await load_workflow(page, delete_graph(job_id))
    await press_run(page)
    opened = dialog(page, "Let this workflow delete 1 job?")
    await expect(opened).to_be_visible()
    await tour.look("approval", "Skip")
    await button(opened, "Delete 1 job").click()
    await expect(page.get_by_label("Report")).to_have_value(re.compile("1 job removed from your cloud history"))
    await tour.picture("report on the node")


async def settings(tour: Tour, frontend: Frontend) -> None:
    """Check that the settings of this pack and the button at the top are drawn."""
    page = tour.page
    await choose_in_menu(page, "Settings")
    await page.get_by_text("Cloud history", exact=True).last.click()
    await expect(page.get_by_role("combobox", name="Workflows may delete")).to_have_value("ask")
    await tour.picture("settings")
    at_the_top = page.get_by_text("Show the Cloud history button at the top", exact=True)
    has_place = frontend.version != OLDEST_FRONTEND
    if await at_the_top.count() != has_place:
        tour.note("settings", "the button at the top is " + ("not " if has_place else "") + "offered")
    await page.keyboard.press("Escape")
    if has_place:
        await page.evaluate(SHOW_BUTTON)
        await expect(button_at_the_top(page)).to_be_visible()
        await tour.picture("button at the top")
