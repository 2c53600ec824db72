"""Find a Chromium on this machine."""

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
