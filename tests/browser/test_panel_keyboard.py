"""The panel works without a mouse, and ComfyUI does not react to the keys pressed in it."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from browser.comfy_page import button, dialog
from browser.panel_page import TAB_BUTTON, Panel, cards, newest_first, shown_panel
from simulated_cloud import SimulatedCloud

# PrimeVue moves the focus after a dialog has opened, which can take this long on a busy machine.
SLOW_TO_COME_UP = ".p-dialog-enter-active { transition-duration: 0.8s !important }"
COME_UP = "dialog => Promise.all(dialog.getAnimations().map(each => each.finished)).then(() => undefined)"


@pytest.mark.stage(connected=True)
async def test_the_panel_works_by_keyboard_and_comfyui_receives_none_of_its_keys(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_delete_and_undo(page, cloud)
    await reach_the_search_the_tabs_and_the_row_menu(panel)
    await expect_comfyui_to_receive_no_key(panel)


async def open_delete_and_undo(page: Page, cloud: SimulatedCloud) -> Panel:
    """Open the panel, delete a job and undo the deletion by keyboard."""
    oldest = newest_first(cloud.finished)[-1]
    await page.locator(TAB_BUTTON).focus()
    await page.keyboard.press("Enter")
    panel = await shown_panel(page)
    await expect(panel.list).to_be_focused()
    await panel.expect_count(0, 24, 24)
    await page.keyboard.press("End")
    focused = page.locator(f"[id='{await panel.list.get_attribute('aria-activedescendant')}']")
    await expect(focused).to_contain_text(oldest.id[:8])
    await page.keyboard.press("Shift+ArrowUp")
    await page.keyboard.press("Shift+ArrowUp")
    await panel.expect_count(3, 24, 24)

    await page.keyboard.press("Delete")
    opened = await panel.delete_dialog()
    await expect(button(opened, "Cancel")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(opened).to_have_count(0)
    await expect(panel.list).to_be_focused()
    await page.add_style_tag(content=SLOW_TO_COME_UP)
    await page.keyboard.press("Delete")
    opened = await panel.delete_dialog()
    await expect(button(opened, "Cancel")).to_be_focused()
    await page.keyboard.press("Tab")
    await opened.evaluate(COME_UP)
    await expect(button(opened, "Delete 3 jobs")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(button(panel.cards, "Undo")).to_be_focused()
    await panel.expect_count(0, 21, 24, waiting=3)
    await page.keyboard.press("Control+z")
    await expect(cards(page, "Nothing was deleted")).to_contain_text("3 jobs are back in the list.")
    await panel.expect_count(3, 24, 24)
    await expect(panel.list).to_be_focused()
    await page.keyboard.press("Escape")
    await panel.expect_count(0, 24, 24)
    assert cloud.history_posts == []
    return panel


async def reach_the_search_the_tabs_and_the_row_menu(panel: Panel) -> None:
    """Check that each has keys, and returns the focus to the list."""
    page = panel.page
    await page.keyboard.press("/")
    await expect(panel.root.get_by_placeholder("Search Jobs...")).to_be_focused()
    await page.keyboard.type("r/w")
    await panel.expect_count(0, 0, 24)
    await page.keyboard.press("Escape")
    await panel.expect_count(0, 24, 24)

    await panel.tab("All").focus()
    await page.keyboard.press("ArrowRight")
    await expect(panel.tab("Completed")).to_be_focused()
    await expect(panel.tab("Completed")).to_have_attribute("aria-selected", "true")

    await panel.list.focus()
    await page.keyboard.press("Shift+F10")
    menu = panel.root.get_by_role("menu")
    await expect(menu.get_by_role("menuitem").first).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(menu).to_have_count(0)
    await expect(panel.list).to_be_focused()

    await page.keyboard.press("Enter")
    await expect(panel.root.get_by_role("button", name="Back to the list")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(panel.list).to_be_focused()


async def expect_comfyui_to_receive_no_key(panel: Panel) -> None:
    """Check that ComfyUI's shortcuts have no effect inside the panel, and that the graph does not change."""
    page = panel.page
    await page.evaluate(
        """() => {
            const { app } = window;
            app.canvas.selectItems?.();
            window.before = [app.graph.nodes.length, Object.keys(app.canvas.selected_nodes ?? {}).length];
            window.heard = [];
            window.addEventListener('keydown', event => window.heard.push(event.key));
        }"""
    )
    await panel.list.focus()
    for key in ("w", "n", "q", "r", "m", ".", "Backspace", "Control+a", "Control+c", " ", "Escape"):
        await page.keyboard.press(key)
        if await dialog(page).count():
            await page.keyboard.press("Escape")
            await expect(dialog(page)).to_have_count(0)
    await panel.search("")
    await page.keyboard.type("wnqr")
    await expect(panel.root.get_by_placeholder("Search Jobs...")).to_have_value("wnqr")
    await expect(panel.root).to_be_visible()
    heard = await page.evaluate("() => window.heard.filter(key => key.length === 1 || key === 'Backspace')")
    assert heard == []
    same = """() => JSON.stringify(window.before) === JSON.stringify(
        [window.app.graph.nodes.length, Object.keys(window.app.canvas.selected_nodes ?? {}).length])"""
    assert await page.evaluate(same)
