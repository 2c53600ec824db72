"""ComfyUI's real page in Chromium, connected to the simulated cloud through the embedded host."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from browser_finder import find_browser
from hosts import HostProcess, frontend_dir, start_embedded

from .cloud import Cloud
from .paths import environment

FRONTEND = "1.58.1"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
READY = """() => window.app?.extensionManager && window.app.canvas && !window.app.extensionManager.spinner
    && !document.getElementById('splash-loader')"""
BOOT_TIMEOUT_MS = 90_000


@contextlib.contextmanager
def running_host(cloud: Cloud) -> Iterator[HostProcess]:
    """Run the embedded host, connected to the cloud."""
    with tempfile.TemporaryDirectory() as folder:
        host = start_embedded(
            Path(folder),
            cloud_url=cloud.base_url,
            api_key=cloud.api_key,
            frontend=frontend_dir(FRONTEND),
            settings={"Comfy.InstalledVersion": FRONTEND},
            env={"PYTHONPATH": environment()["PYTHONPATH"]},
        )
        try:
            yield host
        finally:
            host.stop()


@contextlib.contextmanager
def running_browser() -> Iterator[Browser]:
    found = find_browser(Path(sys.executable))
    if found is None:
        raise FileNotFoundError(
            "Chromium was not found. Install it, or set the environment variable CHROMIUM to its path."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found, args=FLAGS, ignore_default_args=["--hide-scrollbars"]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def new_page(browser: Browser, script: str = "") -> Iterator[Page]:
    """Open an empty page in a context of its own, with a script that runs before all others."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        page.add_init_script(script)
        yield page
    finally:
        context.close()


def open_comfyui(page: Page, host: HostProcess) -> None:
    """Open ComfyUI and wait until all extensions have been set up."""
    page.goto(host.base_url)
    page.wait_for_function(READY, timeout=BOOT_TIMEOUT_MS)
