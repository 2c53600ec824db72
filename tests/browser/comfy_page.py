"""What a person does on ComfyUI's page, in every frontend version that the tests use."""

from __future__ import annotations

import re
from typing import Any

from playwright.async_api import Locator, Page

READY = """() => window.app?.extensionManager && window.app.canvas && !window.app.extensionManager.spinner
    && !document.getElementById('splash-loader')"""
BOOT_TIMEOUT = 45_000
# The logo has a test id in the newest frontend, and has had one class or another before.
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
        # The newest frontend has two entries "Extensions": ours is the first.
        await page.get_by_role("menuitem", name=name, exact=True).first.hover()
    await page.get_by_role("menuitem", name=path[-1], exact=True).first.click()


async def choose_cloud_history(page: Page, item: str) -> None:
    """Extensions > Cloud history > `item`."""
    await choose_in_menu(page, "Extensions", "Cloud history", item)


async def choose_in_canvas_menu(page: Page, *path: str) -> None:
    """Right-click the empty canvas and click through its menu. Frontend 1.27 has no entries of packs there."""
    await page.locator("#graph-canvas").click(button="right", position={"x": 700, "y": 700})
    for name in path:
        await page.locator(".litemenu-entry", has_text=name).last.click()


def dialog(page: Page, title: str | None = None) -> Locator:
    """The open dialog, or the one with this text in it."""
    dialogs = page.get_by_role("dialog")
    return dialogs if title is None else dialogs.filter(has_text=title)


def button(scope: Page | Locator, name: str) -> Locator:
    """A button by its words; the glyph of an icon may stand before them."""
    return scope.get_by_role("button", name=re.compile(rf"(^|\W){re.escape(name)}$"))


def button_at_the_top(page: Page) -> Locator:
    """Our button in ComfyUI's bar at the top, and not that of our tab."""
    return page.locator('button:has(.pi-history), button[aria-label="Cloud history"]').locator(
        "visible=true >> xpath=self::*[not(contains(@class, 'side-bar-button'))]"
    )


def toasts(page: Page, text: str | None = None) -> Locator:
    """The toasts that are shown, or those with this text."""
    # From 1.57 on toasts have a test id; before they are PrimeVue's.
    shown = page.locator('[data-testid="toast"], .p-toast-message')
    return shown if text is None else shown.filter(has_text=text)


async def load_workflow(page: Page, workflow: dict[str, Any]) -> None:
    """Open a workflow in UI form, as dropping its file on the page does."""
    await page.evaluate("workflow => window.app.loadGraphData(workflow)", workflow)


async def press_run(page: Page) -> None:
    """Queue the open workflow once."""
    await page.evaluate("() => window.app.queuePrompt(0)")


async def run_command(page: Page, command: str) -> None:
    """Run a command as a key binding would; returns when the command's function has."""
    await page.evaluate("id => window.app.extensionManager.command.execute(id)", command)


async def widget_values(page: Page, class_type: str) -> dict[str, Any]:
    """Name and value of every widget on the first node of a class."""
    values: dict[str, Any] = await page.evaluate(
        """type => Object.fromEntries((window.app.graph.nodes.find(node => node.type === type)?.widgets ?? [])
            .map(widget => [widget.name, widget.value]))""",
        class_type,
    )
    return values
