"""Find a Chromium on this machine, and what Firefox and WebKitGTK need."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
WINDOWS = r"Google\Chrome\Application\chrome.exe"
ASK_PLAYWRIGHT = (
    "from playwright.sync_api import sync_playwright\nwith sync_playwright() as p: print(p.chromium.executable_path)"
)
# The Debian packages of the browsers that the deep tests use besides Chromium.
OTHER_BROWSERS = {"firefox": ("firefox-esr",), "webkit": ("webkit2gtk-driver", "xvfb", "xauth")}
MINI_BROWSERS = "*/webkit2gtk-4.*/MiniBrowser"


def missing_programs(browser: str) -> list[str]:
    """Return the programs that `firefox` or `webkit` needs and that are not installed."""
    if browser == "firefox":
        found = {"firefox-esr": shutil.which("firefox-esr") or shutil.which("firefox")}
    else:
        found = {name: shutil.which(name) for name in ("WebKitWebDriver", "Xvfb")}
        found["MiniBrowser"] = find_mini_browser()
    return [program for program, path in found.items() if path is None]


def find_mini_browser() -> str | None:
    """Return the path of WebKitGTK's MiniBrowser, which is not on PATH, or None."""
    return next((str(path) for path in sorted(Path("/usr/lib").glob(MINI_BROWSERS))), None)


def find_browser(python: Path) -> str | None:
    """Return the path of a Chromium, or None.

    The variable CHROMIUM is never replaced by another browser, even if the program that it names is missing. Without
    it PATH, the usual folders and the browser of the Playwright of `python` are searched.
    """
    wished = os.environ.get("CHROMIUM", "").strip()
    if wished:
        return shutil.which(wished)
    for name in NAMES:
        if path := shutil.which(name):
            return path
    folders = [os.environ.get(key, "") for key in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")]
    for place in [*MAC, *(os.path.join(folder, WINDOWS) for folder in folders if folder)]:
        if os.path.isfile(place):
            return place
    return _playwrights_own(python)


def _playwrights_own(python: Path) -> str | None:
    answer = subprocess.run([str(python), "-c", ASK_PLAYWRIGHT], capture_output=True, text=True, check=False)
    path = answer.stdout.strip()
    return path if path and os.path.isfile(path) else None
