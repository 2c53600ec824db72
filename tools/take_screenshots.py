"""Take the screenshots of the README and of the example workflows, on ComfyUI's real page in the embedded host.

.venv/bin/python tools/take_screenshots.py              all
.venv/bin/python tools/take_screenshots.py examples     those of the example workflows alone, which ComfyUI shows among
                                                        its templates
.venv/bin/python tools/take_screenshots.py languages    those of docs/languages.md alone, which need fonts
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "playground"), str(ROOT / "tests")]

from playwright.async_api import Locator, Page, ViewportSize, async_playwright, expect

from browser.comfy_page import (
    button,
    choose_cloud_history,
    dialog,
    kept_first,
    load_workflow,
    open_comfyui,
    press_run,
    run_command,
    toasts,
)
from browser.conftest import CHROMIUM_FLAGS
from browser.panel_page import Panel, cards, open_page, shown_panel
from hosts import frontend_dir, start_host
from simulated_cloud import SimulatedCloud

DOCS = ROOT / "docs"
EXAMPLES = ROOT / "example_workflows"
MARGIN = 24
EXAMPLE_QUALITY = 82
EXAMPLE_WINDOW: ViewportSize = {"width": 1100, "height": 900}
README_WINDOW: ViewportSize = {"width": 1200, "height": 760}
LANGUAGES_WINDOW: ViewportSize = {"width": 900, "height": 640}


SHOW_OUR_NODES = """() => {
    const { ds, graph } = window.app.canvas;
    const ours = graph.nodes.filter(({ type }) => type.startsWith("CloudHistory"));
    const left = Math.min(...ours.map(({ pos }) => pos[0]));
    const top = Math.min(...ours.map(({ pos }) => pos[1]));
    ds.scale = 1;
    ds.offset = [120 - left, 180 - top];
    window.app.canvas.setDirty(true, true);
}"""
# Of the pack's nodes, in pixels of the page, with the titles above them.
PLACE_OF_OUR_NODES = """margin => {
    const { ds, canvas, graph } = window.app.canvas;
    const box = canvas.getBoundingClientRect();
    const ours = graph.nodes.filter(({ type }) => type.startsWith("CloudHistory"));
    const x = ours.flatMap(({ pos, size }) => [pos[0], pos[0] + size[0]]);
    const y = ours.flatMap(({ pos, size }) => [pos[1] - 50, pos[1] + size[1]]);
    const at = (value, axis) => (value + ds.offset[axis]) * ds.scale + [box.left, box.top][axis];
    return { x: at(Math.min(...x), 0) - margin, y: at(Math.min(...y), 1) - margin,
        width: (Math.max(...x) - Math.min(...x)) * ds.scale + 2 * margin,
        height: (Math.max(...y) - Math.min(...y)) * ds.scale + 2 * margin };
}"""

Take = Callable[[Page, SimulatedCloud], Awaitable[None]]


async def around(page: Page, what: Locator, name: str) -> None:
    """Take a picture of an element with a margin."""
    box = await what.bounding_box()
    assert box is not None
    clip: Any = {
        "x": max(0, box["x"] - MARGIN),
        "y": max(0, box["y"] - MARGIN),
        "width": box["width"] + 2 * MARGIN,
        "height": box["height"] + 2 * MARGIN,
    }
    await page.screenshot(path=DOCS / name, clip=clip)


async def close_toasts(page: Page, text: str, many: int = 1) -> None:
    await expect(toasts(page, text)).to_have_count(many)
    for left in range(many, 0, -1):
        await toasts(page, text).first.get_by_role("button").first.click()
        await expect(toasts(page, text)).to_have_count(left - 1)


async def take(page: Page, cloud: SimulatedCloud) -> None:
    await take_connect(page, cloud)
    await take_nodes(page, cloud)
    # take_panel protects jobs, which changes the text of the clear dialog.
    await take_clear(page)
    await take_panel(page)
    await take_pages(page)


async def take_connect(page: Page, cloud: SimulatedCloud) -> None:
    await choose_cloud_history(page, "Connect to Comfy Cloud…")
    connect = dialog(page, "Connect to Comfy Cloud")
    await connect.get_by_placeholder("Paste your API key").fill(cloud.api_key)
    await around(page, connect.locator(".cch-dialog").first, "connect-dialog.png")
    await button(connect, "Test and save").click()
    await close_toasts(page, "Connected to Comfy Cloud")


async def take_nodes(page: Page, cloud: SimulatedCloud) -> None:
    job_ids = [job.id for job in cloud.finished[:3]]
    nodes = [
        node(1, "CloudHistoryListJobs", [60, 120], [340, 330], ["failed", "30d", "", 3]),
        node(2, "CloudHistoryDeleteJobs", [440, 120], [340, 330], ["\n".join(job_ids), False]),
        node(3, "CloudHistoryClear", [820, 120], [320, 250], [False]),
    ]
    await load_workflow(page, {"version": 0.4, "nodes": nodes, "links": []})
    await press_run(page)
    asked = dialog(page, "Let this workflow delete 3 jobs?")
    # The button is disabled for the first second.
    await expect(asked.locator(".cch-btn.danger")).to_be_enabled()
    await page.wait_for_timeout(500)
    await page.screenshot(path=DOCS / "ask-dialog.png")
    await button(asked, "Delete 3 jobs").click()
    for index in range(3):
        await expect(page.get_by_label("Report").nth(index)).not_to_have_value("")
    await page.wait_for_timeout(5000)
    await page.screenshot(path=DOCS / "nodes.png", clip={"x": 60, "y": 90, "width": 1140, "height": 440})


def node(number: int, kind: str, pos: list[int], size: list[int], values: list[object]) -> dict[str, object]:
    return {"id": number, "type": kind, "pos": pos, "size": size, "widgets_values": values}


async def take_panel(page: Page) -> None:
    await run_command(page, "CloudHistory.Open")
    await page.get_by_role("option").first.wait_for()
    await page.get_by_role("option").filter(has_text=".png").first.dblclick()
    await page.wait_for_timeout(1500)
    await page.screenshot(path=DOCS / "details.png")
    await page.keyboard.press("Escape")
    await page.get_by_role("tab", name="Failed").click()
    for key in ("Home", "p", "ArrowDown", "ArrowDown", "ArrowDown", "p"):
        await page.get_by_role("listbox", name="Jobs").press(key)
    await close_toasts(page, "is protected", 2)
    for index in (1, 2, 4):
        await page.get_by_role("option").nth(index).locator(".cch-pick").click()
    await page.get_by_placeholder("Search Jobs...").hover()
    await page.wait_for_timeout(500)
    await page.screenshot(path=DOCS / "panel.png")
    await page.keyboard.press("Delete")
    await page.locator(".cch-btn.danger").first.wait_for()
    await page.wait_for_timeout(500)
    await page.screenshot(path=DOCS / "delete-dialog.png")
    await page.keyboard.press("Escape")


async def take_pages(page: Page) -> None:
    """Take the pages over the list, in the large window."""
    panel = await shown_panel(page)
    await delete_with_backup(page, panel)
    await panel.root.get_by_role("button", name="Open in a large window").click()
    large = Panel(page, page.locator(".cch-panel.large"))
    await expect(large.list).to_be_focused()
    clean_up = await open_page(large, "Clean up…")
    await clean_up.get_by_label("Jobs to keep", exact=True).fill("50")
    await expect(clean_up.get_by_role("row").filter(has_text="Last 50").first).to_be_visible()
    await page.wait_for_timeout(500)
    await page.screenshot(path=DOCS / "clean-up.png")
    await clean_up.get_by_role("button", name="Back to the list").click()
    record = await open_page(large, "Recently deleted")
    await record.get_by_role("button", name="Show jobs").first.click()
    await expect(record.get_by_role("button", name="Open", exact=True).first).to_be_visible()
    await page.wait_for_timeout(500)
    await page.screenshot(path=DOCS / "recently-deleted.png")
    await record.get_by_role("button", name="Close").click()


async def delete_with_backup(page: Page, panel: Panel) -> None:
    await button(panel.root, "Deselect all").click()
    await panel.tab("Completed").click()
    named = panel.rows.filter(has_text=".png")
    for index in range(3):
        await named.nth(index).locator(".cch-check").click()
    await panel.list.press("Delete")
    opened = await panel.delete_dialog()
    await expect(kept_first(opened)).to_have_value("workflows")
    await opened.locator(".cch-btn.danger").click()
    await expect(cards(page, "removed from your cloud history")).to_be_visible(timeout=30_000)


async def take_clear(page: Page) -> None:
    await choose_cloud_history(page, "Clear cloud history…")
    clear = dialog(page, "Clear your cloud history?")
    await expect(clear.locator(".cch-btn.danger")).to_be_visible()
    await page.screenshot(path=DOCS / "clear-dialog.png")
    await button(clear, "Cancel").click()


async def take_examples(page: Page, cloud: SimulatedCloud) -> None:
    """Take a picture of each example workflow after a run as it is shipped, beside its file."""
    for file in sorted(EXAMPLES.glob("*.json")):
        workflow = json.loads(file.read_text("utf-8"))
        nodes = workflow["nodes"]
        for each in nodes:
            if file.stem == "delete-cloud-jobs" and each["type"] == "CloudHistoryDeleteJobs":
                each["widgets_values"][0] = "\n".join(job.id for job in cloud.finished[:2])
        await load_workflow(page, workflow)
        await page.evaluate(SHOW_OUR_NODES)
        await press_run(page)
        reports = page.get_by_label("Report").filter(visible=True)
        for index in range(sum(each["type"].startswith("CloudHistory") for each in nodes)):
            await expect(reports.nth(index)).not_to_have_value("", timeout=60_000)
        # The message “Job queued” covers a part of the graph for some seconds.
        await page.wait_for_timeout(5000)
        clip = await page.evaluate(PLACE_OF_OUR_NODES, MARGIN)
        await page.screenshot(
            path=file.with_suffix(".jpg"), clip=clip, type="jpeg", quality=EXAMPLE_QUALITY, animations="disabled"
        )


async def take_languages(page: Page, cloud: SimulatedCloud) -> None:
    """Take a picture in each of six languages, which are changed without a reload, as a person changes them."""
    # ComfyUI draws the nodes of an open workflow in the former language.
    await page.evaluate("() => window.app.graph.clear()")
    await run_command(page, "CloudHistory.Open")
    root = page.locator(".cch-panel")
    await expect(root.locator(".cch-row").first).to_be_visible()
    await root.get_by_role("tab", name="Completed").click()
    for index in range(3):
        await root.locator(".cch-row .cch-pick").nth(index).click()
    opened = page.locator(".cch-dialog")
    for language in ("ja", "ar"):
        await change_language(page, root, language)
        await root.locator(".cch-actions .danger-quiet").click()
        await expect(opened.locator(".cch-btn.danger")).to_be_enabled()
        await take_language(page, "delete", language)
        await page.keyboard.press("Escape")
        await expect(opened).to_have_count(0)
    await change_language(page, root, "ru")
    await root.locator(".cch-actions .danger-quiet").click()
    await opened.locator(".cch-before select").select_option("off")
    await opened.locator(".cch-btn.danger").click()
    await expect(root.locator(".cch-ring")).to_be_visible()
    await take_language(page, "undo", "ru")
    await expect(root.locator(".cch-ring")).to_have_count(0, timeout=20_000)
    await change_language(page, root, "fr")
    await take_language(page, "removed", "fr")
    for language in ("zh", "ko"):
        await change_language(page, root, language)
        await root.locator(".cch-head [aria-haspopup=menu]").click()
        await root.locator(".cch-menu .cch-mi").first.click()
        await expect(root.locator(".cch-page [aria-busy=true]")).to_have_count(0)
        await take_language(page, "clean-up", language)
        await page.keyboard.press("Escape")


async def change_language(page: Page, root: Locator, language: str) -> None:
    await page.evaluate("name => window.app.extensionManager.setting.set('Comfy.Locale', name)", language)
    await expect(root).to_have_attribute("lang", language)


async def take_language(page: Page, what: str, language: str) -> None:
    if what != "undo":
        # ComfyUI tells of its change of the language.
        await expect(toasts(page)).to_have_count(0, timeout=15_000)
    await page.wait_for_timeout(500)
    await page.screenshot(
        path=DOCS / f"{what}-{language}.jpg", type="jpeg", quality=EXAMPLE_QUALITY, animations="disabled"
    )


async def take_pictures(size: ViewportSize, take_all: Take, *, connected: bool) -> None:
    """Start a cloud, a host and a page of its own, and take pictures of it."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    cloud = SimulatedCloud(jobs=240)
    key = cloud.api_key if connected else None
    with cloud.serving_in_thread(), tempfile.TemporaryDirectory() as folder:
        host = start_host(Path(folder), cloud_url=cloud.base_url, api_key=key, frontend=frontend_dir("1.58.1"))
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=chromium, args=CHROMIUM_FLAGS, ignore_default_args=["--hide-scrollbars"]
                )
                page = await browser.new_page(viewport=size, reduced_motion="reduce", locale="en-GB")
                await open_comfyui(page, host.base_url)
                await take_all(page, cloud)
                await browser.close()
        finally:
            host.stop()


async def main(only: list[str]) -> None:
    DOCS.mkdir(exist_ok=True)
    parts = only or ["examples", "readme", "languages"]
    if "examples" in parts:
        await take_pictures(EXAMPLE_WINDOW, take_examples, connected=True)
    if "readme" in parts:
        await take_pictures(README_WINDOW, take, connected=False)
    if "languages" in parts:
        await take_pictures(LANGUAGES_WINDOW, take_languages, connected=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
