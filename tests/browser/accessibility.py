"""Checks of our elements on ComfyUI's page, by axe-core and by measuring, and what a screen reader would hear."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Locator, Page
from playwright.async_api import TimeoutError as PlaywrightTimeout

# Where a picture of each state in forced colours is saved, if this is set.
FOLDER = os.environ.get("FORCED_COLORS_PICTURES")
REPOSITORY = Path(__file__).parents[2]
AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"]
# Only our elements, because ComfyUI's are not ours to mend.
CHECK = """async rules => {
    const isVisible = each => each.checkVisibility({ visibilityProperty: true });
    const all = [...document.querySelectorAll('.cch')].filter(isVisible);
    const roots = all.filter(each => !each.parentElement.closest('.cch'));
    if (!roots.length) throw new Error('none of our elements is visible');
    // Our texts are English on a page in any language.
    if (roots.some(each => each.lang !== 'en')) throw new Error('a root has no language');
    const { violations } = await axe.run({ include: roots }, {
        runOnly: rules, resultTypes: ['violations'], elementRef: false,
    });
    const why = ({ any, all, none }) => [...any, ...all, ...none].map(({ message }) => message).join(' ');
    // Once for all elements of a kind, which have the same tag and classes.
    return violations.flatMap(({ id, nodes }) => nodes.map(node =>
        [`${id} ${node.html.match(/^<\\w+/)}.${node.html.match(/class="(.*?)"/)?.[1]}`, `${node.html} ${why(node)}`]));
}"""
HERE = Path(__file__).parent
CONTRAST = (HERE / "contrast.js").read_text()
FORCED_COLORS = (HERE / "forced_colors.js").read_text()
TOUCH = (HERE / "touch.js").read_text()
# Collects each text that a live region of ours speaks, and each text of the region in which ComfyUI repeats its toasts.
# A region is read as a whole, but of ComfyUI's only what is added to it.
LISTEN = """() => {
    const LIVE = ':is([role=status], [role=alert], [role=log], [aria-live=polite], [aria-live=assertive])';
    const TOASTS = '[aria-label=Notification]';
    const REGIONS = `.cch ${LIVE}, .cch${LIVE}, ${TOASTS} > *`;
    const OFF = '[aria-live=off], [role=timer], [aria-hidden=true]';
    const text = node => node.innerText.replace(/\\s+/g, ' ').trim();
    const said = new WeakMap();
    window.heard = [];
    const speak = region => {
        if (!region.isConnected || region.closest(OFF)) return;
        const now = text(region);
        if (said.get(region) === now) return;
        said.set(region, now);
        if (now) window.heard.push(now);
    };
    for (const region of document.querySelectorAll(REGIONS)) said.set(region, text(region));
    window.listening = new MutationObserver(changes => {
        for (const { target, addedNodes } of changes) {
            const at = target.nodeType === 1 ? target : target.parentElement;
            const around = at?.closest(REGIONS);
            if (around && !at.closest(OFF)) speak(around);
            for (const node of addedNodes) {
                if (node.nodeType !== 1) continue;
                for (const each of [node, ...node.querySelectorAll(REGIONS)]) if (each.matches(REGIONS)) speak(each);
            }
        }
    });
    window.listening.observe(document.documentElement, { subtree: true, childList: true, characterData: true });
}"""


@asynccontextmanager
async def touch_screen(page: Page) -> AsyncIterator[None]:
    """Give the page a touch screen instead of a mouse."""
    session = await page.context.new_cdp_session(page)
    await session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        yield
    finally:
        await session.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
        await session.detach()


class Inspection:
    """Collects what is wrong in the states in which a page was seen.

    Args:
        contrast_alone: whether nothing but contrast is measured, as for another palette of ComfyUI.
    """

    def __init__(self, page: Page, *, contrast_alone: bool = False) -> None:
        self.page = page
        self.contrast_alone = contrast_alone
        self.states: list[str] = []
        self._found: dict[str, tuple[str, list[str]]] = {}

    async def see(self, state: str) -> None:
        """Check the page as it is now."""
        self.states.append(state)
        self._note(state, await self.page.evaluate(CONTRAST, state))
        if self.contrast_alone:
            return
        if not await self.page.evaluate("() => 'axe' in window"):
            await self.page.evaluate(AXE.read_text())
        self._note(state, await self.page.evaluate(CHECK, RULES))
        await self.page.emulate_media(forced_colors="active")
        self._note(state, await self.page.evaluate(FORCED_COLORS))
        self._note(state, await self.page.evaluate(CONTRAST, f"{state}, forced colours"))
        await self._take_picture(state)
        await self.page.emulate_media(forced_colors="none")
        async with touch_screen(self.page):
            self._note(state, await self.page.evaluate(TOUCH))

    async def _take_picture(self, state: str) -> None:
        if FOLDER:
            await self.page.screenshot(path=Path(FOLDER) / f"{re.sub('[^a-z0-9]+', '-', state)}.png")

    def _note(self, state: str, violations: list[tuple[str, str]]) -> None:
        for kind, example in violations:
            states = self._found.setdefault(kind, (example, []))[1]
            if state not in states:
                states.append(state)

    def report(self) -> str:
        """Return each kind of violation with an example and the states that have it; "" without any."""
        return "\n".join(
            f"{kind}: {example}\n    in: {', '.join(states)}" for kind, (example, states) in self._found.items()
        )


async def listen(page: Page) -> None:
    """Begin to record what live regions say."""
    await page.evaluate(LISTEN)


async def heard(page: Page) -> list[str]:
    """Return what live regions have said since the last call."""
    texts: list[str] = await page.evaluate("() => window.heard.splice(0)")
    return texts


async def focused(page: Page) -> str:
    """Return role, name and states of what has the focus, as the accessibility tree has them: `button "Undo"`."""
    # Not `:focus`, which does not match a field of a date while one of its inner buttons has the focus.
    element = page.locator("body :focus-within, body :focus").last
    for _ in range(40):  # a dialog takes the focus once it is drawn
        try:
            if await element.count():
                return await _heard_name(page, element)
        except PlaywrightTimeout:
            continue  # the element or its row went between the two looks
        await page.wait_for_timeout(50)
    return "nothing"


async def _heard_name(page: Page, element: Locator) -> str:
    active = await element.get_attribute("aria-activedescendant", timeout=500)
    tree = await (page.locator(f"[id='{active}']") if active else element).aria_snapshot(timeout=500)
    return tree.splitlines()[0].removeprefix("- ").removesuffix(":") if tree else "something without a name"


class KeyboardUser:
    """Presses keys, and notes what a screen reader would say after each."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.notes: list[str] = []

    async def note(self) -> str:
        """Note what is heard now, and return what has the focus, which must not be nothing for a second."""
        now = await focused(self.page)
        for _ in range(20):
            if now != "nothing":
                break
            await asyncio.sleep(0.05)  # a dialog that closes gives the focus back in one of the next frames
            now = await focused(self.page)
        for text in await heard(self.page):
            self.notes.append(f"  said: {text}")
        self.notes.append(f"focus: {now}")
        assert now != "nothing", "\n".join(["the focus is lost", *self.notes])
        return now

    async def press(self, *keys: str) -> str:
        """Press keys one after the other, and return what has the focus then."""
        for key in keys:
            self.notes.append(f"[{key}]")
            await self.page.keyboard.press(key)
        return await self.note()

    async def press_until(self, key: str, wanted: str, most: int = 25) -> None:
        """Press a key until what has the focus begins with `wanted`."""
        for _ in range(most):
            if (await self.press(key)).startswith(wanted):
                return
        raise AssertionError("\n".join([f"{wanted} is never reached by {key}", *self.notes]))

    async def wait_for(self, wanted: str) -> None:
        """Wait until what has the focus begins with `wanted`."""
        for _ in range(100):
            if (await focused(self.page)).startswith(wanted):
                await self.note()
                return
            await self.page.wait_for_timeout(50)
        await self.note()
        raise AssertionError("\n".join([f"{wanted} never has the focus", *self.notes]))
