"""The stage of the browser tests: a simulated cloud, a host with the pack, and ComfyUI's real page in Chromium.

Each test has its own cloud and host, and a fresh page in a browser with empty storage.
Mark a test to set its stage:
`@pytest.mark.stage(jobs=3, connected=True, hold_seconds=1, settings={"Comfy.ColorPalette": "light"}, env={...})`.
With COMFYUI_DIR, the host is the real ComfyUI in that folder. FRONTENDS="1.49.6,1.58.0" chooses frontends.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from browser.accessibility import Inspection
from browser.comfy_page import open_comfyui, set_direction
from browser.tabs import USUAL_SIZE, Ear, Tabs, forget
from hosts import HostProcess, free_port, frontend_dir, start_host
from project_setup import NEWEST_FRONTEND
from simulated_cloud import SimulatedCloud

HERE = Path(__file__).parent
# tests/deep runs some of the tests on the oldest frontend, and tours the others.
FRONTENDS = tuple(os.environ.get("FRONTENDS", NEWEST_FRONTEND).split(","))
# The first frontend is enough for tests that do not depend on how a frontend draws.
ONE_FRONTEND = pytest.mark.parametrize("frontend", FRONTENDS[:1], indirect=True)
# How long an expectation waits. Other tests may need the processors too.
PATIENCE_MS = 15_000
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Aborts every request to another machine, by name or by number, sockets and the browser's own included.
    # This does not slow down the start of the page, unlike Playwright's routing, which takes seconds.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# An error that a frontend causes on an older real ComfyUI, but not on the embedded host: it requests a missing route.
FAULT_OF_CORE = re.compile(r"JobsApiError: Failed to fetch jobs: 404")
# Frontends request the size of the model in their default graph, and the nodes of other packs. The content policy of
# ComfyUI 0.33.0 blocks this, and Chromium logs the blocked request twice, with different texts. From 1.44 on they also
# read `app.rootGraph` too early, while they start. The pack reads `app.graph`, the same graph, which logs nothing.
FAULTS_OF_FRONTENDS = re.compile(
    r"^(|Connecting to '|Fetch API cannot load )https://(api\.comfy\.org/comfy-nodes|huggingface\.co/Comfy-Org)/"
    r"|^ComfyApp graph accessed before initialization$"
)

# A page that still loads can get our events before our script listens. They are repeated.
TOO_EARLY = re.compile(r"^Unknown message type cloud_history\.(ask|changed|progress)$")


class Frontend(NamedTuple):
    """One version of ComfyUI's frontend."""

    version: str
    static: Path


class Stage(NamedTuple):
    """The options of the mark `stage`. `hold_seconds` None leaves the default."""

    jobs: int = 24
    connected: bool = False
    hold_seconds: int | None = None
    settings: dict[str, Any] = {}  # noqa: RUF012 - never changed
    env: dict[str, str] = {}  # noqa: RUF012 - never changed


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "stage(jobs, connected, hold_seconds, settings, env): the surroundings of a browser test"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run all browser tests on one event loop, because they share one Chromium; give a real ComfyUI more time."""
    for item in items:
        if HERE in item.path.parents:
            if pytest_asyncio.is_async_test(item):
                item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            item.add_marker(pytest.mark.timeout(300 if os.environ.get("COMFYUI_DIR") else 120))


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Stage:
    """Return the test's `stage` mark, or the defaults."""
    mark = request.node.get_closest_marker("stage")
    return Stage(**mark.kwargs) if mark else Stage()


@pytest.fixture(params=FRONTENDS)
def frontend(request: pytest.FixtureRequest) -> Frontend:
    """Each frontend version in turn."""
    return Frontend(request.param, frontend_dir(request.param))


@pytest.fixture
def cloud(stage: Stage) -> Iterator[SimulatedCloud]:
    """A simulated cloud that serves in its own thread, at `cloud.base_url`."""
    simulated = SimulatedCloud(jobs=stage.jobs)
    with simulated.serving_in_thread():
        yield simulated


@pytest.fixture(scope="session")
def ports() -> dict[str, int]:
    """Ports by frontend version. Hosts of a version reuse one port, because another port is another site."""
    return {}


@pytest.fixture
def host(
    stage: Stage, cloud: SimulatedCloud, frontend: Frontend, ports: dict[str, int], tmp_path: Path
) -> Iterator[HostProcess]:
    """A host that serves the frontend and has loaded the pack; its cloud is `cloud`."""
    base_dir = tmp_path / "comfyui"
    if stage.hold_seconds is not None:
        set_hold_seconds(base_dir / "user" / "__cloud_history", stage.hold_seconds)
    started = start_host(
        base_dir,
        port=ports.setdefault(frontend.version, free_port()),
        cloud_url=cloud.base_url,
        api_key=cloud.api_key if stage.connected else None,
        frontend=frontend.static,
        settings={"Comfy.InstalledVersion": frontend.version, **stage.settings},
        env=stage.env,
    )
    yield started
    started.stop()


def set_hold_seconds(state_dir: Path, seconds: int) -> None:
    """Set how long a deletion can be undone, as the settings do, and turn backups off."""
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    (state_dir / "settings.json").write_text(json.dumps({"hold_seconds": seconds, "backup": "off"}))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One Chromium for all tests: env CHROMIUM, else the one on the path."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        pytest.fail("no Chromium: install one, or name it in the environment variable CHROMIUM")
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found,
            args=CHROMIUM_FLAGS,
            # Scrollbars take space, as they do for most people.
            ignore_default_args=["--hide-scrollbars"],
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def tabs(chromium: Browser) -> Tabs:
    """The pages that tests reuse one after the other."""
    return Tabs(chromium)


@pytest.fixture
def console_errors() -> Iterator[list[str]]:
    """Errors and uncaught exceptions of the page. A test that expects some removes them."""
    errors: list[str] = []
    yield errors
    assert without_errors_of_comfyui(errors) == [], "the page reported errors"


@pytest.fixture
def asked() -> list[str]:
    """Collect every address that the page has requested since its start."""
    return []


@pytest.fixture
def external_requests() -> Iterator[list[str]]:
    """Addresses beyond 127.0.0.1 that the page requested. All are aborted, and the test fails if there are any."""
    addresses: list[str] = []
    yield addresses
    assert without_errors_of_comfyui(addresses) == [], "the page tried to reach the network"


def without_errors_of_comfyui(found: list[str]) -> list[str]:
    """Return the errors that ComfyUI and its frontend did not cause themselves."""
    of_core = [FAULTS_OF_FRONTENDS, TOO_EARLY] + ([FAULT_OF_CORE] if os.environ.get("COMFYUI_DIR") else [])
    return [text for text in found if not any(each.search(text) for each in of_core)]


@pytest_asyncio.fixture(loop_scope="session")
async def page(
    tabs: Tabs,
    frontend: Frontend,
    host: HostProcess,
    console_errors: list[str],
    asked: list[str],
    external_requests: list[str],
) -> AsyncIterator[Page]:
    """ComfyUI's page, open and ready, in a browser whose storage is empty except for cached files.

    Listeners that a test adds stay until the browser ends, so they may only record events.
    """
    opened = await tabs.take(frontend.version)
    size = opened.viewport_size
    assert size
    await forget(opened, host.base_url)
    with Ear(console_errors, asked, external_requests).on(opened):
        await open_comfyui(opened, host.base_url)
        yield opened
        await opened.goto("about:blank")
        # The next test must not get the window of this one, which may have failed before it could restore the size.
        await opened.set_viewport_size(size)
        await opened.context.clear_permissions()


@pytest_asyncio.fixture(loop_scope="session")
async def styled(page: Page) -> AsyncIterator[Callable[[str, str], Awaitable[None]]]:
    """A function that sets the direction and the text size of the page until the end of the test."""

    async def style(direction: str, size: str) -> None:
        await set_direction(page, direction)
        await page.evaluate("size => { document.documentElement.style.fontSize = size; }", size)

    yield style
    await page.set_viewport_size(USUAL_SIZE)


@pytest_asyncio.fixture(loop_scope="session")
async def inspection(page: Page) -> AsyncIterator[Inspection]:
    """The findings of a test, which must be empty at its end."""
    seen = Inspection(page)
    yield seen
    assert seen.states
    if found := seen.report():
        pytest.fail(f"axe-core found violations:\n{found}", pytrace=False)
