"""Actions on ComfyUI's page that work in every frontend version of the tests."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Locator, Page, expect

READY = """() => window.app?.extensionManager && window.app.canvas && !window.app.extensionManager.spinner
    && !document.getElementById('splash-loader')"""
BOOT_TIMEOUT = 45_000
# The logo has a test id in the newest frontend, and various classes in older ones.
LOGO = '[data-testid="comfy-menu-button"], .comfyui-logo-wrapper, .comfy-menu-button-wrapper'


async def open_comfyui(page: Page, url: str) -> None:
    """Go to the page and wait until the app has started and all extensions have been set up."""
    await page.goto(url)
    await page.wait_for_function(READY, timeout=BOOT_TIMEOUT)


async def open_menu(page: Page) -> None:
    """Open the drop-down of the logo."""
    await page.locator(LOGO).first.click()
    await page.get_by_role("menuitem", name="Settings", exact=True).wait_for()


async def choose_in_menu(page: Page, *path: str) -> None:
    """Open the menu and click through it: `choose_in_menu(page, "Extensions", "Cloud history", "Clear…")`."""
    await open_menu(page)
    for name in path[:-1]:
        # The newest frontend has two entries "Extensions". The first one has our menu.
        await page.get_by_role("menuitem", name=name, exact=True).first.hover()
    await page.get_by_role("menuitem", name=path[-1], exact=True).first.click()


async def choose_cloud_history(page: Page, item: str) -> None:
    """Choose Extensions > Cloud history > `item`."""
    await choose_in_menu(page, "Extensions", "Cloud history", item)


async def choose_in_canvas_menu(page: Page, *path: str) -> None:
    """Right-click the empty canvas and click through its menu. Frontend 1.27 has no entries of packs there."""
    await page.locator("#graph-canvas").click(button="right", position={"x": 700, "y": 700})
    for name in path:
        await page.locator(".litemenu-entry", has_text=name).last.click()


def dialog(page: Page, title: str | None = None) -> Locator:
    """Return the open dialog, or the one that contains this text."""
    dialogs = page.get_by_role("dialog")
    return dialogs if title is None else dialogs.filter(has_text=title)


async def agree_if_asked(opened: Locator) -> None:
    """Take the extra step of a large deletion, if this dialog has one, and wait until its red button is enabled."""
    await expect(opened.locator(".cch-btn.danger")).to_be_visible()
    if await opened.locator(".cch-agree").is_visible():
        await opened.locator(".cch-agree").click()
    await expect(opened.locator(".cch-btn.danger")).to_be_enabled()


def kept_first(opened: Locator) -> Locator:
    """Return the choice of what is kept before jobs are deleted: `off`, `workflows` or `outputs`."""
    return opened.get_by_label("Before they go")


def button(scope: Page | Locator, name: str) -> Locator:
    """Return a button by its text, which may follow the glyph of an icon."""
    return scope.get_by_role("button", name=re.compile(rf"(^|\W){re.escape(name)}$"))


# Our elements carry the direction of their language. Those that are added later turn too.
TURN = """direction => {
    const turn = () => {
        for (const root of document.querySelectorAll(".cch[lang]")) if (root.dir !== direction) root.dir = direction;
    };
    document.dir = direction;
    window.turning?.disconnect();
    window.turning = new MutationObserver(turn);
    window.turning.observe(document.body, { childList: true, subtree: true });
    turn();
}"""


async def set_direction(page: Page, direction: str) -> None:
    """Show the page, and everything of ours in it, from right to left ("rtl") or from left to right ("ltr")."""
    await page.evaluate(TURN, direction)


def button_at_the_top(page: Page) -> Locator:
    """Return our button in ComfyUI's top bar, which is not the button of our sidebar tab."""
    return page.locator('button:has(.pi-cloud), button[aria-label="Cloud history"]').locator(
        "visible=true >> xpath=self::*[not(contains(@class, 'side-bar-button'))]"
    )


def toasts(page: Page, text: str | None = None) -> Locator:
    """Return the visible toasts, or those with this text."""
    # Toasts have a test id from 1.57 on, and PrimeVue's class in older frontends.
    shown = page.locator('[data-testid="toast"], .p-toast-message')
    return shown if text is None else shown.filter(has_text=text)


async def toasts_have_buttons(page: Page) -> bool:
    """Tell the two kinds of toasts apart.

    From 1.57 on they have buttons and can be updated. In older frontends they keep their first text.
    """
    return bool(await page.evaluate("() => typeof window.app.extensionManager.toast.success === 'function'"))


async def load_workflow(page: Page, workflow: dict[str, Any]) -> None:
    """Open a workflow in UI form, as dropping its file on the page does."""
    await page.evaluate("workflow => window.app.loadGraphData(workflow)", workflow)


async def press_run(page: Page) -> None:
    """Queue the open workflow once."""
    await page.evaluate("() => window.app.queuePrompt(0)")


async def run_command(page: Page, command: str) -> None:
    """Run a command as a key binding would, and wait until its function returns."""
    await page.evaluate("id => window.app.extensionManager.command.execute(id)", command)


async def widget_values(page: Page, class_type: str) -> dict[str, Any]:
    """Return the name and the value of every widget on the first node of a class."""
    values: dict[str, Any] = await page.evaluate(
        """type => Object.fromEntries((window.app.graph.nodes.find(node => node.type === type)?.widgets ?? [])
            .map(widget => [widget.name, widget.value]))""",
        class_type,
    )
    return values
