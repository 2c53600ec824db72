"""Chromium, Firefox and WebKitGTK behind one small interface.

Firefox and WebKitGTK are driven by the protocols that they speak themselves, WebDriver BiDi and WebDriver, so that no
package is needed for them. Every request to another machine goes to a proxy that does not exist.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import re
import shutil
import signal
import tempfile
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Page, async_playwright

from browser.conftest import CHROMIUM_FLAGS
from browser_finder import find_mini_browser
from hosts import free_port

WIDTH, HEIGHT = 1440, 900
START_SECONDS = 30
NOWHERE = 9  # the port “discard”, on which nothing listens
# The keys that have no character, as WebDriver writes them.
KEYS = {"Delete": "\ue017", "Enter": "\ue007", "Escape": "\ue00c", "Home": "\ue011", "End": "\ue010"}
MAX_PICTURES = 6

FIREFOX_SETTINGS: dict[str, Any] = {
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": NOWHERE,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": NOWHERE,
    "network.proxy.no_proxies_on": "127.0.0.1",
    "ui.prefersReducedMotion": 1,
    # Scrollbars that take room, as on most desktops.
    "widget.gtk.overlay-scrollbars.enabled": False,
}
Actions = list[dict[str, Any]]


class DrivenBrowser(ABC):
    """One page of a browser."""

    @abstractmethod
    async def open(self, url: str) -> None:
        """Go to an address and wait until the document has loaded."""

    @abstractmethod
    async def call(self, function: str, *arguments: Any) -> Any:
        """Call a JavaScript function with JSON values, and return what it returns or resolves to, as JSON."""

    @abstractmethod
    async def click(self, x: float, y: float, times: int = 1) -> None:
        """Click at a place of the page as a mouse does."""

    @abstractmethod
    async def scroll(self, x: float, y: float, by: int) -> None:
        """Turn the mouse wheel at a place of the page."""

    @abstractmethod
    async def press(self, key: str) -> None:
        """Press and release one key, such as `Enter` or `a`."""

    @abstractmethod
    async def picture(self, *, stable: bool = True) -> bytes:
        """Take a screenshot as PNG, once the page is `stable` or a short time has passed."""


class Chromium(DrivenBrowser):
    """A page of Chromium, driven by Playwright."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def open(self, url: str) -> None:
        await self._page.goto(url)

    async def call(self, function: str, *arguments: Any) -> Any:
        return await self._page.evaluate(f"given => ({function})(...given)", list(arguments))

    async def click(self, x: float, y: float, times: int = 1) -> None:
        await self._page.mouse.click(x, y, click_count=times)

    async def scroll(self, x: float, y: float, by: int) -> None:
        await self._page.mouse.move(x, y)
        await self._page.mouse.wheel(0, by)

    async def press(self, key: str) -> None:
        await self._page.keyboard.press(key)

    async def picture(self, *, stable: bool = True) -> bytes:
        return await self._page.screenshot(animations="disabled")


class WebDriverBrowser(DrivenBrowser):
    """A page that is driven by the actions of WebDriver, which BiDi has taken over."""

    @abstractmethod
    async def perform(self, actions: Actions) -> None:
        """Perform WebDriver actions."""

    @abstractmethod
    async def take(self) -> str:
        """Take a screenshot as PNG, written in base64."""

    async def click(self, x: float, y: float, times: int = 1) -> None:
        moves: Actions = [{"type": "pointerMove", "x": round(x), "y": round(y), "duration": 0}]
        for _ in range(times):
            moves += [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        mouse = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": moves}
        await self.perform([mouse])

    async def scroll(self, x: float, y: float, by: int) -> None:
        turn = {"type": "scroll", "x": round(x), "y": round(y), "deltaX": 0, "deltaY": by}
        await self.perform([{"type": "wheel", "id": "wheel", "actions": [turn]}])

    async def press(self, key: str) -> None:
        value = KEYS.get(key, key)
        strokes = [{"type": "keyDown", "value": value}, {"type": "keyUp", "value": value}]
        await self.perform([{"type": "key", "id": "keyboard", "actions": strokes}])

    async def picture(self, *, stable: bool = True) -> bytes:
        # These browsers take a picture of what is drawn at that moment, so two equal ones in a row are waited for.
        last = ""
        for _ in range(MAX_PICTURES if stable else 1):
            taken = await self.take()
            if taken == last:
                break
            last = taken
            await asyncio.sleep(0.1)
        return base64.b64decode(last)


class Firefox(WebDriverBrowser):
    """A page of Firefox, driven by WebDriver BiDi over a websocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        self._socket = socket
        self._commands = 0
        self._context = ""

    async def start(self) -> None:
        """Begin the session and set the size of the page."""
        await self._send("session.new", capabilities={})
        tree = await self._send("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]
        await self._send("browsingContext.setViewport", viewport={"width": WIDTH, "height": HEIGHT}, **self._here)

    @property
    def _here(self) -> dict[str, str]:
        return {"context": self._context}

    async def _send(self, method: str, **parameters: Any) -> Any:
        self._commands += 1
        await self._socket.send_json({"id": self._commands, "method": method, "params": parameters})
        while True:
            answer = await self._socket.receive_json()
            if answer.get("id") == self._commands:
                assert answer["type"] == "success", f"{method}: {answer}"
                return answer["result"]

    async def open(self, url: str) -> None:
        await self._send("browsingContext.navigate", url=url, wait="complete", **self._here)

    async def call(self, function: str, *arguments: Any) -> Any:
        answer = await self._send(
            "script.callFunction",
            functionDeclaration=f"async given => JSON.stringify(await ({function})(...JSON.parse(given)) ?? null)",
            arguments=[{"type": "string", "value": json.dumps(arguments)}],
            awaitPromise=True,
            target=self._here,
        )
        assert answer["type"] == "success", answer["exceptionDetails"]["text"]
        return json.loads(answer["result"]["value"])

    async def perform(self, actions: Actions) -> None:
        await self._send("input.performActions", actions=actions, **self._here)

    async def take(self) -> str:
        answer = await self._send("browsingContext.captureScreenshot", **self._here)
        return str(answer["data"])


class WebKit(WebDriverBrowser):
    """A page of WebKitGTK's MiniBrowser, driven by WebDriver over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        self._session = session
        self._url = base_url

    async def start(self, mini_browser: str) -> None:
        """Begin the session and set the size of the window."""
        proxy = [f"--proxy=http://127.0.0.1:{NOWHERE}", "--ignore-host=127.0.0.1"]
        options = {"binary": mini_browser, "args": ["--automation", *proxy]}
        wanted = {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options}
        begun = await self._send("POST", "/session", capabilities={"alwaysMatch": wanted})
        self._url += f"/session/{begun['sessionId']}"
        await self._send("POST", "/window/rect", x=0, y=0, width=WIDTH, height=HEIGHT)

    async def close(self) -> None:
        """End the session, which closes the browser."""
        await self._send("DELETE", "")

    async def _send(self, method: str, path: str, **body: Any) -> Any:
        given = {"json": body} if method == "POST" else {}
        async with self._session.request(method, self._url + path, **given) as response:
            value = (await response.json(content_type=None))["value"]
            assert response.status == 200, f"{method} {path}: {value}"
            return value

    async def open(self, url: str) -> None:
        await self._send("POST", "/url", url=url)

    async def call(self, function: str, *arguments: Any) -> Any:
        return await self._send("POST", "/execute/sync", script=f"return ({function})(...arguments)", args=arguments)

    async def perform(self, actions: Actions) -> None:
        await self._send("POST", "/actions", actions=actions)

    async def take(self) -> str:
        return str(await self._send("GET", "/screenshot"))


@asynccontextmanager
async def chromium() -> AsyncIterator[DrivenBrowser]:
    """A page of the Chromium in the environment variable CHROMIUM, or of the one on PATH."""
    program = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    async with async_playwright() as playwright:
        # Scrollbars are shown as people see them.
        browser = await playwright.chromium.launch(
            executable_path=program, args=CHROMIUM_FLAGS, ignore_default_args=["--hide-scrollbars"]
        )
        yield Chromium(await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce"))
        await browser.close()


@asynccontextmanager
async def firefox() -> AsyncIterator[DrivenBrowser]:
    """A page of Firefox without a window."""
    with _folder() as profile:
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in FIREFOX_SETTINGS.items())
        (profile / "user.js").write_text("\n".join(lines), "utf-8")
        command = [shutil.which("firefox-esr") or "firefox", "--headless", "--no-remote", "--profile", str(profile)]
        async with (
            _program([*command, "--remote-debugging-port=0"], {"HOME": str(profile)}, stderr=True) as started,
            aiohttp.ClientSession() as session,
        ):
            address = await _line_with(r"listening on (ws://\S+)", started.stderr)
            async with session.ws_connect(f"{address}/session", max_msg_size=0) as socket:
                browser = Firefox(socket)
                await browser.start()
                yield browser


@asynccontextmanager
async def webkit() -> AsyncIterator[DrivenBrowser]:
    """A page of WebKitGTK in a window on a screen of its own, because it has no mode without windows."""
    mini_browser = find_mini_browser()
    assert mini_browser is not None
    screen = ["Xvfb", "-displayfd", "1", "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp"]
    with _folder() as home:
        async with _program(screen, {}, stdout=True) as shown:
            number = await _line_with(r"(\d+)", shown.stdout)
            surroundings = {"DISPLAY": f":{number}", "HOME": str(home), "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1"}
            port = free_port()
            async with (
                _program(["WebKitWebDriver", f"--port={port}"], surroundings),
                aiohttp.ClientSession() as session,
            ):
                await _until_answered(session, f"http://127.0.0.1:{port}/status")
                browser = WebKit(session, f"http://127.0.0.1:{port}")
                await browser.start(mini_browser)
                yield browser
                await browser.close()


BROWSERS = {"chromium": chromium, "firefox": firefox, "webkit": webkit}


@contextlib.contextmanager
def _folder() -> Any:
    # A browser may still write into its folder when it has just ended.
    with tempfile.TemporaryDirectory(prefix="cloud-history-browser-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@asynccontextmanager
async def _program(
    command: Sequence[str], environment: Mapping[str, str], *, stdout: bool = False, stderr: bool = False
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a program while the context is entered, and end it with all programs that it has started."""
    read = {True: asyncio.subprocess.PIPE, False: asyncio.subprocess.DEVNULL}
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=read[stdout],
        stderr=read[stderr],
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 5)
        except asyncio.TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _line_with(pattern: str, stream: asyncio.StreamReader | None) -> str:
    """Read lines until one matches, and return the first group."""
    assert stream is not None

    async def read() -> str:
        async for line in stream:
            if found := re.search(pattern, line.decode(errors="replace")):
                return found[1]
        raise AssertionError(f"the program ended without a line like {pattern}")

    return await asyncio.wait_for(read(), START_SECONDS)


async def _until_answered(session: aiohttp.ClientSession, url: str) -> None:
    for _ in range(START_SECONDS * 10):
        with contextlib.suppress(aiohttp.ClientError):
            async with session.get(url) as answer:
                assert answer.status == 200
                return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{url} did not answer")
