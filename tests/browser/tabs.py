"""ComfyUI's page in Chromium. Tests reuse it; its storage is cleared before each test, and its events are recorded."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from playwright.async_api import Browser, ConsoleMessage, Error, Page, Request, ViewportSize, WebSocket

NOT_THIS_MACHINE = re.compile(r"^(?!data:|blob:|about:|chrome-extension:|(?:https?|wss?)://127\.0\.0\.1[:/])")
# Every kind of storage of a site in the browser, except the cache of its files.
REMEMBERED = "cookies,file_systems,indexeddb,local_storage,service_workers,cache_storage"
USUAL_SIZE: ViewportSize = {"width": 1440, "height": 900}


class Tabs:
    """One page for each frontend version, reused by all tests.

    The page's process keeps compiled scripts, so that ComfyUI starts in a third of the time.
    """

    def __init__(self, chromium: Browser) -> None:
        self._chromium = chromium
        self._open: dict[str, Page] = {}

    async def take(self, version: str) -> Page:
        """Return the page for a frontend version, and open it if necessary."""
        if version not in self._open:
            context = await self._chromium.new_context(viewport=USUAL_SIZE, reduced_motion="reduce", locale="en-GB")
            self._open[version] = await context.new_page()
        return self._open[version]


async def forget(page: Page, origin: str) -> None:
    """Clear everything that this site has stored in the browser and in this tab, except cached files."""
    # `window.name` survives navigation, and ComfyUI reads it.
    await page.evaluate("() => { window.name = ''; }")
    session = await page.context.new_cdp_session(page)
    await session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": REMEMBERED})
    await session.detach()


class Ear:
    """Records the console messages and the requests of a page, until it is removed."""

    def __init__(self, console_errors: list[str], asked: list[str], external_requests: list[str]) -> None:
        self._errors = console_errors
        self._asked = asked
        self._external = external_requests

    @contextlib.contextmanager
    def on(self, page: Page) -> Iterator[None]:
        """Listen to this page."""
        context = page.context
        # Listens on the context, because requests of workers belong to no page.
        context.on("request", self._note_address)
        page.on("console", self._note_console)
        page.on("pageerror", self._note_exception)
        page.on("websocket", self._note_address)
        try:
            yield
        finally:
            context.remove_listener("request", self._note_address)
            page.remove_listener("console", self._note_console)
            page.remove_listener("pageerror", self._note_exception)
            page.remove_listener("websocket", self._note_address)

    def _note_address(self, sent: Request | WebSocket) -> None:
        self._asked.append(sent.url)
        if NOT_THIS_MACHINE.match(sent.url):
            self._external.append(sent.url)

    def _note_console(self, message: ConsoleMessage) -> None:
        # Chromium itself reports each 404 and 500; those of optional files are part of every start.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self._errors.append(message.text)

    def _note_exception(self, error: Error) -> None:
        self._errors.append(error.stack or error.message)
