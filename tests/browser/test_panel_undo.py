"""The time in which a deletion can be undone: nothing is sent before it ends, even if the panel is closed."""

from __future__ import annotations

import re
import signal

import pytest
from playwright.async_api import Page, expect

from browser.comfy_page import READY, button, toasts, toasts_have_buttons
from browser.conftest import ONE_FRONTEND, set_hold_seconds
from browser.panel_page import Panel, expect_removed, newest_first, open_list, open_panel, sent_ids, shown_panel
from hosts import HostProcess
from simulated_cloud import SimulatedCloud


@pytest.mark.stage(connected=True, hold_seconds=60)
async def test_undo_restores_the_rows_and_control_z_in_the_panel_never_changes_the_graph(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    await delete_and_undo(panel, cloud)
    await undo_by_keys_beside_an_edited_graph(panel, cloud)
    assert cloud.history_posts == []


async def delete_and_undo(panel: Panel, cloud: SimulatedCloud) -> None:
    """Check that rows disappear at once, and return after an undo."""
    page = panel.page
    chosen = newest_first(cloud.finished)[:2]
    await panel.select(chosen)
    await panel.delete(2)
    for job in chosen:
        await expect(panel.row(job)).to_have_count(0)
    await panel.expect_count(0, 22, 24, waiting=2)
    await expect(panel.tab("All")).to_have_accessible_name("All, 24 jobs")
    await button(panel.cards.filter(has_text="Removing 2 jobs in"), "Undo").click()
    await expect(panel.cards).to_contain_text("Nothing was deleted2 jobs are back in the list.")
    await expect(toasts(page)).to_have_count(0)
    for job in chosen:
        await expect(panel.row(job)).to_be_visible()
    await expect(panel.cards).to_have_count(0)
    await panel.list.press("Escape")


async def undo_by_keys_beside_an_edited_graph(panel: Panel, cloud: SimulatedCloud) -> None:
    """Check that Ctrl+Z undoes the deletion, then says that nothing is left to undo, and never changes the graph."""
    page = panel.page
    nodes = await page.evaluate(EDIT_GRAPH)
    chosen = newest_first(cloud.finished)[0]
    await panel.select([chosen])
    await panel.delete(1)
    await expect(button(panel.cards, "Undo")).to_be_focused()
    await page.keyboard.press("Control+z")
    await expect(panel.cards).to_contain_text("Nothing was deleted1 job is back in the list.")
    await expect(panel.row(chosen)).to_be_visible()
    await expect(panel.list).to_be_focused()
    assert await page.evaluate(NODES_LATER) == nodes

    await page.keyboard.press("Control+z")
    await expect(toasts(page, "Nothing to undo")).to_be_visible()
    await expect(panel.root.get_by_role("status")).not_to_contain_text("undo")
    assert await page.evaluate(NODES_LATER) == nodes


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60)
async def test_undoing_one_hold_does_not_stop_another(page: Page, cloud: SimulatedCloud, host: HostProcess) -> None:
    panel = await open_list(page, cloud)
    first, second, *_ = newest_first(cloud.finished)
    await panel.select([first])
    await panel.delete(1)
    await expect(panel.cards).to_have_count(1)
    set_hold_seconds(host.state_dir, 2)
    await panel.select([second])
    await panel.delete(1)
    await expect(panel.cards).to_have_count(2)
    await expect_removed(page, 1)
    await button(panel.cards.filter(has_text="Removing 1 job in"), "Undo").click()
    await expect(panel.row(first)).to_be_visible()
    assert sent_ids(cloud) == [second.id]
    assert cloud.deleted == [second]


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60)
async def test_a_hold_continues_after_the_page_is_closed(page: Page, cloud: SimulatedCloud, host: HostProcess) -> None:
    panel = await open_list(page, cloud)
    chosen = newest_first(cloud.finished)[0]
    await panel.select([chosen])
    await panel.delete(1)
    await expect(panel.cards).to_have_count(1)
    await page.reload()
    await page.wait_for_function(READY)
    panel = await open_panel(page)
    await expect(panel.cards).to_contain_text("Removing 1 job in")
    await panel.expect_count(0, 23, 24, waiting=1)
    await button(panel.cards, "Undo").click()
    await expect(panel.row(chosen)).to_be_visible()
    assert cloud.history_posts == []

    await expect(panel.cards).to_have_count(0)
    set_hold_seconds(host.state_dir, 2)
    await panel.select([chosen])
    await panel.delete(1)
    await expect(panel.cards).to_have_count(1)
    await page.goto("about:blank")
    while not chosen.deleted:
        await page.wait_for_timeout(50)
    assert sent_ids(cloud) == [chosen.id]


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=5)
async def test_if_comfyui_stops_answering_during_a_hold_the_panel_says_so_and_later_says_what_became_of_the_deletion(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    panel = await open_list(page, cloud)
    await panel.select(newest_first(cloud.finished)[:2])
    await panel.delete(2)
    await expect(panel.cards).to_contain_text("Removing 2 jobs in")
    host.process.send_signal(signal.SIGSTOP)
    try:
        await expect(panel.cards).to_contain_text("Asking ComfyUI whether it was sent…", timeout=10_000)
        await expect(panel.cards).to_contain_text("ComfyUI doesn’t answer", timeout=15_000)
        await expect(panel.cards).to_contain_text("It is not known whether the deletion of 2 jobs was sent.")
        await expect(panel.cards).not_to_contain_text("The deletion goes on")
        assert cloud.history_posts == []
        await expect(toasts(page, "ComfyUI doesn")).to_have_count(0)
    finally:
        host.process.send_signal(signal.SIGCONT)
    await expect_removed(page, 2)


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60)
async def test_a_click_just_after_a_card_has_gone_reaches_neither_another_card_nor_a_row(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    first, second = newest_first(cloud.finished)[:2]
    for job in (first, second):
        await panel.select([job])
        await panel.delete(1)
    await expect(panel.cards).to_have_count(2)
    names = await panel.cards.locator("bdi").all_inner_texts()
    assert len(set(names)) == 2, "two deletions can be told apart"
    for left in (1, 0):
        undo = await button(panel.cards.nth(left), "Undo").bounding_box()
        assert undo is not None
        at = undo["x"] + undo["width"] / 2, undo["y"] + undo["height"] / 2
        await page.mouse.click(*at)
        if left:
            await expect(panel.cards).to_have_count(1)
        else:
            await expect(panel.cards).to_contain_text("Nothing was deleted")
            await expect(panel.cards).to_have_count(0)
        current = await panel.root.locator('[role=option][aria-current="true"]').all_inner_texts()
        await page.mouse.click(*at)
        await expect(panel.root.locator(".cch-gone")).to_have_count(0)
        if left:
            await expect(button(panel.cards, "Undo")).not_to_have_attribute("aria-disabled", "true")
        assert await panel.root.locator('[role=option][aria-current="true"]').all_inner_texts() == current
    assert cloud.history_posts == []


@pytest.mark.deep
@pytest.mark.stage(connected=True, hold_seconds=60)
async def test_a_reloaded_page_shows_the_hold_in_a_toast_and_a_page_without_a_hold_requests_nothing(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    ours: list[str] = []
    page.on("request", lambda request: ours.append(request.url) if OURS.search(request.url) else None)
    await page.reload()
    await page.wait_for_function(READY)
    assert ours == []
    panel = await open_list(page, cloud)
    chosen = newest_first(cloud.finished)[0]
    await panel.select([chosen])
    await panel.delete(1)
    await expect(toasts(page)).to_have_count(0)
    await panel.root.get_by_role("button", name="Close", exact=True).click()
    has_buttons = await toasts_have_buttons(page)
    held = toasts(page, f"Removing 1 job {'in' if has_buttons else 'at'}")
    await expect(held).to_contain_text("Nothing has been sent yet")
    await expect(held).to_contain_text("Undo" if has_buttons else "Open Cloud history to undo it.")
    ours.clear()
    await page.reload()
    await page.wait_for_function(READY)
    if has_buttons:
        await expect(held).to_contain_text("Nothing has been sent yet")
        asked = [url.partition("/api/cloud_history/")[2].partition("?")[0] for url in ours]
        assert [name for name in asked if name] == ["words/en", "status"]
        panel = await open_panel(page)
    else:
        # Only the panel has an Undo, so it opens by itself.
        panel = await shown_panel(page)
    await expect(panel.cards).to_contain_text("Removing 1 job in")
    await expect(held).to_have_count(0)
    if has_buttons:
        await panel.root.get_by_role("button", name="Close", exact=True).click()
        await button(held, "Undo").click()
        await expect(toasts(page, "Nothing was deleted")).to_contain_text("1 job is back in the list.")
    else:
        await button(panel.cards, "Undo").click()
        await expect(panel.cards).to_contain_text("1 job is back in the list.")
    assert cloud.history_posts == []
    await page.reload()
    await page.wait_for_function(READY)
    await expect(toasts(page)).to_have_count(0)


# Requests for the pack's routes, and for the modules that it loads at first use.
OURS = re.compile(r"/cloud_history/|/ui-[\d.]+/")
# Adds a node in a way that ComfyUI can undo, and returns the number of nodes.
EDIT_GRAPH = """() => {
    const { app } = window;
    const tracker = app.extensionManager.workflow.activeWorkflow.changeTracker;
    const look = () => (tracker.captureCanvasState ?? tracker.checkState).call(tracker);
    look();
    const undoable = tracker.undoQueue.length;
    app.graph.add(window.LiteGraph.createNode('Note'));
    look();
    if (tracker.undoQueue.length !== undoable + 1) throw new Error('the edit was not noticed');
    return app.graph.nodes.length;
}"""
# An undo of ComfyUI begins in the next frame and takes several frames.
NODES_LATER = """async () => {
    await new Promise(resolve => setTimeout(resolve, 500));
    return window.app.graph.nodes.length;
}"""
