"""The main paths in Chromium, Firefox and WebKitGTK, which stands in for Safari: one set of steps with a mouse.

With CLOUD_HISTORY_PICTURES a picture of each step is saved in that folder. Look at them.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from browser.comfy_page import READY
from browser.conftest import Frontend
from browser.panel_page import TAB_BUTTON, newest_first
from browser_finder import OTHER_BROWSERS, missing_programs
from deep.driven_browsers import BROWSERS, DrivenBrowser
from hosts import HostProcess, frontend_dir
from simulated_cloud import SimulatedCloud

FRONTEND = "1.49.6"
HOLD_SECONDS = 8

PANEL = ".cch-panel"
VIEWER = ".cch-viewer"
LARGE = ".cch-panel.large"
ROW = f"{PANEL} [role=option]"
LIST = f"{PANEL} [role=listbox]"
DIALOG = ".cch-dialog"
TOAST = "[data-testid=toast], .p-toast-message"

# Waits until a function of the page returns something true, and gives up after 15 seconds.
UNTIL = """async (...given) => {
    const end = Date.now() + 15000;
    for (;;) {
        const found = await (CHECK)(...given);
        if (found || Date.now() > end) return found;
        await new Promise(resolve => setTimeout(resolve, 50));
    }
}"""
SHOWN = """(selector, words) => [...document.querySelectorAll(selector)].filter(element => {
    const text = [element.getAttribute('aria-label'), element.textContent, element.dataset.tip].join(' ');
    return element.checkVisibility({ visibilityProperty: true }) && new RegExp(words).test(text);
})"""
# The place of an element where a click would meet it, or what lies over it.
# It has been there for a moment, because these browsers click at a place, whatever has moved there meanwhile.
PLACE = f"""async (selector, words, index) => {{
    const element = ({SHOWN})(selector, words).at(index);
    if (!element || element.disabled || element.getAttribute('aria-disabled') === 'true') return null;
    element.scrollIntoView({{ block: 'nearest' }});
    const before = element.getBoundingClientRect();
    await new Promise(resolve => setTimeout(resolve, 200));
    const {{ left, top, width, height }} = element.getBoundingClientRect();
    if (!width || left !== before.left || top !== before.top) return null;
    const [x, y] = [left + width / 2, top + height / 2];
    const over = document.elementFromPoint(x, y);
    return over && (element.contains(over) || over.contains(element)) ? {{ x, y }} : null;
}}"""
RAW_SCROLLBARS = """() => [...document.querySelectorAll('.cch, .cch *')].filter(element => {
    const { overflowX, overflowY, scrollbarColor, scrollbarWidth } = getComputedStyle(element);
    const scrolls = [overflowX, overflowY].some(value => value === 'auto' || value === 'scroll');
    return scrolls && (scrollbarColor === 'auto' || scrollbarWidth === 'auto');
}).map(element => element.className)"""
NOTE_ERRORS = """() => {
    window.faults = [];
    window.addEventListener('error', event => window.faults.push(String(event.message)));
    window.addEventListener('unhandledrejection', event => window.faults.push(String(event.reason)));
}"""


class Visitor:
    """A person who looks at the page and uses the mouse and the keyboard."""

    def __init__(self, browser: DrivenBrowser, folder: Path | None) -> None:
        self.browser = browser
        self._folder = folder
        self._taken = 0

    async def until(self, check: str, *given: Any) -> Any:
        """Wait until a function of the page returns something true, and return it."""
        found = await self.browser.call(UNTIL.replace("CHECK", check), *given)
        if not found:
            await self.picture("failed")
        assert found, f"waited in vain for {given or check}"
        return found

    async def sees(self, selector: str, words: str = "") -> str:
        """Wait until such an element is shown, and return its text."""
        return str(
            (
                await self.until(
                    f"(...given) => ({SHOWN})(...given).map(({{ textContent }}) => [textContent])[0]", selector, words
                )
            )[0]
        )

    async def sees_no_more(self, selector: str, words: str = "") -> None:
        """Wait until no such element is shown."""
        await self.until(f"(...given) => !({SHOWN})(...given).length", selector, words)

    async def click(self, selector: str, words: str = "", *, index: int = 0, times: int = 1) -> None:
        """Click in the middle of an element as soon as it is enabled and nothing lies over it."""
        place = await self.until(PLACE, selector, words, index)
        await self.browser.click(place["x"], place["y"], times)

    async def number_of(self, selector: str) -> int:
        """Return how many of these elements are shown."""
        return int(await self.browser.call(f"selector => ({SHOWN})(selector, '').length", selector))

    async def picture(self, name: str, *, moving: bool = False) -> None:
        """Look at the scrollbars, and take a screenshot if a folder is chosen. A `moving` page is not waited for."""
        self._taken += 1
        assert await self.browser.call(RAW_SCROLLBARS) == [], f"{name}: scrollbars unlike ComfyUI's"
        if self._folder:
            taken = await self.browser.picture(stable=not moving)
            (self._folder / f"{self._taken:02} {name}.png").write_bytes(taken)


@pytest.fixture
def frontend() -> Frontend:
    """The frontend that ComfyUI 0.33 has."""
    return Frontend(FRONTEND, frontend_dir(FRONTEND))


@pytest_asyncio.fixture(params=BROWSERS, loop_scope="session")
async def visitor(request: pytest.FixtureRequest, pictures: Path | None) -> AsyncIterator[Visitor]:
    """A visitor in each browser in turn."""
    packages = OTHER_BROWSERS.get(request.param, ())
    if packages and (missing := missing_programs(request.param)):
        pytest.skip(f"not found: {', '.join(missing)}. On Debian, as root: apt-get install {' '.join(packages)}")
    folder = pictures and pictures / request.param
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    async with BROWSERS[request.param]() as browser:
        yield Visitor(browser, folder)


@pytest.mark.stage(jobs=120, connected=True, hold_seconds=HOLD_SECONDS)
async def test_the_main_paths_work_in_every_browser(visitor: Visitor, host: HostProcess, cloud: SimulatedCloud) -> None:
    await open_the_list(visitor, host)
    await scroll_and_filter(visitor)
    await delete_and_undo(visitor, cloud)
    await delete_for_good(visitor, cloud)
    await look_at_details(visitor)
    await look_at_clean_up(visitor)
    await look_at_the_large_window(visitor)
    await look_at_settings(visitor)
    assert await visitor.browser.call("() => window.faults") == []
    assert "Traceback" not in host.log()


async def open_the_list(visitor: Visitor, host: HostProcess) -> None:
    """Open ComfyUI and the panel in its sidebar."""
    await visitor.browser.open(host.base_url)
    await visitor.until(READY)
    await visitor.browser.call(NOTE_ERRORS)
    await visitor.click(TAB_BUTTON)
    await visitor.sees(ROW)
    await visitor.sees(f"{PANEL} .cch-count", "120")
    await visitor.picture("list")


async def scroll_and_filter(visitor: Visitor) -> None:
    """Scroll the list with the wheel, and show the failed jobs alone."""
    first = await visitor.sees(ROW)
    place = await visitor.until(PLACE, ROW, "", 2)
    await visitor.browser.scroll(place["x"], place["y"], 3000)
    await visitor.until("selector => document.querySelector(selector).scrollTop > 2000", LIST)
    await visitor.sees_no_more(ROW, f"^{re.escape(first)}$")
    await visitor.picture("scrolled")
    every = await visitor.browser.call("selector => document.querySelector(selector).scrollHeight", LIST)
    await visitor.click(f"{PANEL} [role=tab]", "Failed")
    await visitor.until("(selector, every) => document.querySelector(selector).scrollHeight < every", LIST, every)
    await visitor.picture("failed jobs")
    await visitor.click(f"{PANEL} [role=tab]", "^(?!.*(Failed|Completed|Active|Cancelled)).*All")
    await visitor.until("(selector, every) => document.querySelector(selector).scrollHeight === every", LIST, every)


async def select_and_delete(visitor: Visitor, cloud: SimulatedCloud) -> None:
    """Tick the two newest finished jobs, and confirm their deletion."""
    for job in newest_first(cloud.finished)[:2]:
        await visitor.click(f"{ROW}:has(code) .cch-check", index=await row_of(visitor, job.id))
    await visitor.click(f"{PANEL} button", "Delete 2…")
    await visitor.until(PLACE, f"{DIALOG} .cch-btn.danger", "Delete 2 jobs", 0)
    await visitor.picture("question")
    await visitor.click(f"{DIALOG} .cch-btn.danger", "Delete 2 jobs")
    await visitor.sees_no_more(DIALOG)


async def row_of(visitor: Visitor, job_id: str) -> int:
    """Return the position of a job among the rows in the page."""
    found = await visitor.until(
        f"""(selector, id) => {{
            const at = ({SHOWN})(selector, '').findIndex(row => row.textContent.includes(id));
            return at < 0 ? null : [at];
        }}""",
        ROW,
        job_id[:8],
    )
    return int(found[0])


async def delete_and_undo(visitor: Visitor, cloud: SimulatedCloud) -> None:
    """Delete two jobs and undo it in time, so that nothing is sent."""
    await select_and_delete(visitor, cloud)
    await visitor.sees(f"{PANEL} .cch-card", "Removing 2 jobs")
    await visitor.picture("countdown", moving=True)
    await visitor.click(f"{PANEL} .cch-card button", "Undo")
    await visitor.sees_no_more(f"{PANEL} .cch-card")
    for job in newest_first(cloud.finished)[:2]:
        await row_of(visitor, job.id)
    assert cloud.history_posts == []
    await visitor.picture("undone")
    await visitor.click(LIST)
    await visitor.browser.press("Escape")


async def delete_for_good(visitor: Visitor, cloud: SimulatedCloud) -> None:
    """Delete two jobs, and see that they are gone."""
    chosen = newest_first(cloud.finished)[:2]
    await select_and_delete(visitor, cloud)
    await visitor.sees(f"{PANEL} .cch-card, {TOAST}", "2 jobs removed")
    await visitor.picture("result")
    assert sorted(job.id for job in cloud.deleted) == sorted(job.id for job in chosen)


async def look_at_details(visitor: Visitor) -> None:
    """Open the details of a job that has pictures, and one picture in the viewer, and close both."""
    await visitor.click(f"{ROW} .cch-name", r"\.png", times=2)
    await visitor.sees(f"{PANEL} .cch-details", "Job ID")
    await visitor.until(
        "selector => [...document.querySelectorAll(selector)].some(image => image.complete && image.naturalWidth)",
        f"{PANEL} .cch-details img",
    )
    await visitor.picture("details")
    await visitor.click(f"{PANEL} .cch-details img")
    await visitor.until(
        "selector => [...document.querySelectorAll(selector)].some(image => image.complete && image.naturalWidth)",
        f"{VIEWER} img",
    )
    await visitor.picture("viewer")
    await visitor.browser.press("Escape")
    await visitor.sees_no_more(VIEWER)
    await visitor.browser.press("Escape")
    await visitor.sees_no_more(f"{PANEL} .cch-details")


async def look_at_clean_up(visitor: Visitor) -> None:
    """Open Clean up, and see what its rules would delete."""
    await visitor.click(f"{PANEL} button", "^More")
    await visitor.click("[role=menuitem]", "Clean up")
    for rule in ("Everything from the last", "One job a week"):
        await visitor.click(f"{PANEL} .cch-page [role=checkbox], {PANEL} .cch-page input[type=checkbox]", rule)
    await visitor.sees(f"{PANEL} .cch-verdict", r"\d+ of \d+ jobs would go")
    await visitor.picture("clean up")
    await visitor.click(f"{PANEL} .cch-page button", "Back to the list")
    await visitor.sees(ROW)


async def look_at_the_large_window(visitor: Visitor) -> None:
    """Open the panel in its window, with its table and a job beside it, and close it."""
    await visitor.click(f"{PANEL} button", "Open in a large window")
    await visitor.sees(f"{LARGE} [role=option]")
    await visitor.click(f"{LARGE} [role=option] .cch-name", r"\.png")
    await visitor.sees(f"{LARGE} .cch-side", "Job ID")
    await visitor.picture("large window")
    await visitor.click(f"{LARGE} button", "^Close")
    await visitor.sees_no_more(LARGE)


async def look_at_settings(visitor: Visitor) -> None:
    """Open the pack's settings among ComfyUI's."""
    await visitor.browser.call("() => { window.app.extensionManager.command.execute('Comfy.ShowSettingsDialog'); }")
    await visitor.click("[role=dialog] *", "^ *Cloud history *$", index=-1)
    await visitor.until("() => [...document.querySelectorAll('select')].some(({ value }) => value === 'ask')")
    await visitor.picture("settings")
