"""In each language, no text or control of the panel, its dialogs and its settings is cut, covered or turned around.

Widths are measured with the fonts of this machine. Without a font for a script, a browser draws boxes in place of its
letters, which are about as wide: the tests pass, and the pictures are of no use.
`CLOUD_HISTORY_PICTURES=/tmp/pictures` saves a picture of each state.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from browser.comfy_page import choose_in_menu
from browser.conftest import ONE_FRONTEND
from browser.layout_walk import faults_now
from browser.panel_page import DELETE, Panel, newest_first, open_list, open_page, set_hold, shown_panel
from browser.test_languages import SET_LOCALE
from browser.test_panel_layout import select_some
from browser.test_panel_widths import let_most_jobs_go
from cloud_history.routes.words import LANGUAGES
from simulated_cloud import Fault, SimulatedCloud

RIGHT_TO_LEFT = ("ar", "fa", "he")
# A sidebar, and in it dialogs and the viewer, of the width that ComfyUI gives it at first.
NARROW = """
.cch-panel.sidebar { position: fixed; inset: 0 auto 0 0; z-index: 999; width: 312px; }
.cch-panel.sidebar > .cch-viewer { width: 312px; }
.cch-dialog { --cch-width: 19.5rem !important; }
"""
RESTED = "() => new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go)))"

pytestmark = pytest.mark.deep


class Walk:
    """Looks at each state in one language after the other, and collects what is wrong."""

    def __init__(self, page: Page, place: str) -> None:
        self.page = page
        self.place = place
        self.faults: list[str] = []
        self.language = "en"
        pictures = os.environ.get("CLOUD_HISTORY_PICTURES")
        self._pictures = Path(pictures) if pictures else None

    async def change_to(self, language: str, roots: Locator) -> None:
        """Change ComfyUI's language without a reload."""
        self.language = language
        await self.page.evaluate(SET_LOCALE, language)
        await expect(roots.first).to_have_attribute("lang", language)
        await expect(roots.first).to_have_attribute("dir", "rtl" if language in RIGHT_TO_LEFT else "ltr")

    async def see(self, state: str, root: Locator) -> None:
        """Measure what is on screen."""
        await self.page.evaluate(RESTED)
        self.faults += [
            f"{self.language}, {self.place}, {state}: {fault}" for fault in await faults_now(self.page, every_text=True)
        ]
        if self._pictures:
            path = self._pictures / f"{self.place}-{state}-{self.language}.png"
            await root.screenshot(path=path, animations="disabled")


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60)
@pytest.mark.timeout(600)
async def test_no_text_of_a_narrow_panel_is_cut_in_any_language(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_list(page, cloud)
    await page.set_viewport_size({"width": 700, "height": 900})
    await page.add_style_tag(content=NARROW)
    await set_rules(panel)
    await select_some(panel, cloud)
    cloud.faults[:] = [Fault(DELETE, "status", times=None, status=400, json={"message": "This job is locked."})]
    await set_hold(page, 0)
    await panel.delete(2)
    await expect(panel.cards.locator(".cch-tally")).to_be_visible()
    await set_hold(page, 60)
    await walk_languages(Walk(page, "narrow"), ".sidebar", cloud)


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60)
@pytest.mark.timeout(600)
async def test_no_text_of_the_large_window_is_cut_in_any_language(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_list(page, cloud)
    await panel.root.get_by_role("button", name="Open in a large window").click()
    large = await shown_panel(page, ".large")
    await set_rules(large)
    await select_some(large, cloud)
    await set_hold(page, 0)
    opened = await large.ask_to_delete(2)
    # It is gone when the deletion is sent, which the result says.
    cloud.account.delete([newest_first(cloud.finished)[0].id], 0)
    await opened.locator(".cch-btn.danger").click()
    await expect(large.cards.locator(".cch-tally")).to_be_visible()
    await set_hold(page, 60)
    await walk_languages(Walk(page, "large"), ".large", cloud)


@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_no_text_of_the_settings_is_cut_in_any_language(page: Page) -> None:
    await choose_in_menu(page, "Settings")
    await page.get_by_role("dialog").get_by_role("button", name="Cloud history", exact=True).click()
    fields = page.locator(".cch-setting")
    await expect(fields.locator("select").first).to_be_enabled()
    walk = Walk(page, "settings")
    for language in LANGUAGES:
        await walk.change_to(language, fields)
        await walk.see("settings", page.get_by_role("dialog"))
    assert not walk.faults, "\n".join(walk.faults)


async def set_rules(panel: Panel) -> None:
    """Let most jobs go by the rules of Clean up, which are kept while its page is closed."""
    await open_page(panel, "Clean up")
    await let_most_jobs_go(panel)
    await panel.root.get_by_role("button", name="Back").click()


async def walk_languages(walk: Walk, which: str, cloud: SimulatedCloud) -> None:
    """Walk through the states of an open panel in each language. Below its list is a result that stays."""
    root = walk.page.locator(f".cch-panel{which}")
    # ComfyUI words its nodes anew in each language.
    await walk.page.evaluate("() => window.app.graph.clear()")
    for language in LANGUAGES:
        await walk.change_to(language, root)
        await walk_deletion(walk, root, cloud)
        await walk_pages(walk, root)
        await root.locator(".cch-list").press("Escape")
        await expect(root.locator(".cch-tally")).to_be_visible()
        await walk.see("result", root)
    assert not walk.faults, "\n".join(walk.faults)


async def walk_deletion(walk: Walk, root: Locator, cloud: SimulatedCloud) -> None:
    """Walk with two selected jobs, with the question before their deletion, with its hold, and after the undo."""
    dialog = walk.page.locator(".cch-dialog")
    await select_some(Panel(walk.page, root), cloud)
    await walk.see("selection", root)
    await root.locator(".cch-actions .danger-quiet").click()
    await dialog.locator(".cch-before select").select_option("workflows" if walk.place == "narrow" else "outputs")
    await expect(dialog.locator(".cch-skel:visible")).to_have_count(0)
    await expect(dialog.locator(".cch-btn.danger")).to_be_enabled()
    await walk.see("dialog", dialog)
    await dialog.locator(".cch-btn.danger").click()
    undo = root.locator(".cch-card .hd.mid > .cch-btn")
    await expect(undo).to_be_visible()
    await walk.see("hold", root)
    await undo.click()
    await expect(undo).to_have_count(0)
    if walk.place == "narrow":
        await walk.see("undone", root)


async def walk_pages(walk: Walk, root: Locator) -> None:
    """Walk with the menu, with pages over the list, with the details of a job, and with its outputs."""
    for at, page in enumerate(("clean up", "recently deleted") if walk.place == "narrow" else ("clean up",)):
        await root.locator(".cch-head [aria-haspopup=menu]").evaluate("button => button.click()")
        if not at and walk.place == "narrow":
            await walk.see("menu", root)
        await root.locator(".cch-menu .cch-mi").nth(at).click()
        await expect(root.locator(".cch-page")).to_be_visible()
        await expect(root.locator(".cch-page [aria-busy=true]")).to_have_count(0)
        await walk.see(page, root)
        await walk.page.keyboard.press("Escape")
        await expect(root.locator(".cch-page")).to_have_count(0)
    rows = root.locator(".cch-list")
    await root.locator(".cch-row:has(.cch-thumb img:not([hidden]))").first.locator(".cch-name").click()
    await rows.press("Enter")
    if walk.place == "narrow":
        # The large window has them beside its list.
        await expect(root.locator(".cch-details .cch-scroll[aria-busy=false]")).to_be_visible()
        await walk.see("details", root)
        await walk.page.keyboard.press("Escape")
    await rows.press("v")
    viewer = root.locator("dialog.cch-viewer[open]")
    await expect(viewer.locator("img")).to_have_js_property("complete", True)
    await walk.see("viewer", viewer)
    await walk.page.keyboard.press("Escape")
    await expect(viewer).to_have_count(0)
