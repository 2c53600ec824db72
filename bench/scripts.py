"""What the pack's scripts add to the start of ComfyUI's page: their size, and the time they take to run.

ComfyUI imports every `.js` file of a pack at its start; the modules that these import count as well. Each file is
served with a timer around its code. The time that the browser's main thread takes to compile the files is added,
read from the browser's trace.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, Route

from hosts import HostProcess

from .cloud import running_cloud
from .page import new_page, open_comfyui, running_browser, running_host
from .paths import PACK, ROOT
from .table import Figure

SCRIPTS = ROOT / "js"
MAX_BYTES = 15_000
MAX_MILLISECONDS = 20.0
BEGIN = "const benchBegin = performance.now();\n"
END = "\n(window.benchTimes ??= []).push(performance.now() - benchBegin);\n"


def measure(runs: int) -> Iterator[Figure]:
    with running_cloud(10) as cloud, running_host(cloud) as host, running_browser() as browser:
        starts = [_start(browser, host) for _ in range(runs)]
    files = starts[0].files
    missing = set(SCRIPTS.glob("**/*.js")) - files
    if missing or any(start.files != files for start in starts):
        raise AssertionError("the page has not loaded all scripts")
    later = sum(file.stat().st_size for file in SCRIPTS.glob("**/*.mjs") if file not in files)
    size = sum(file.stat().st_size for file in files)
    data = f"{len(files)} files, uncompressed"
    words = f"{later / 1000:.1f} KB more at first use"
    yield Figure("scripts at start", data, words, "", size / 1000, "KB", MAX_BYTES / 1000, "under")
    took = [start.running + start.compiling for start in starts]
    words = f"from {min(took):.1f} to {max(took):.1f} ms"
    compiling = f"of which compiling: {statistics.median(start.compiling for start in starts):.1f} ms"
    value = statistics.median(took)
    data = f"{len(files)} files, {runs} starts of ComfyUI"
    yield Figure("their evaluation", data, words, compiling, value, "ms", MAX_MILLISECONDS, "under")


@dataclass(frozen=True)
class Start:
    """One start of the page: the scripts it loaded, and milliseconds of running and of compiling them."""

    files: set[Path]
    running: float
    compiling: float


def _start(browser: Browser, host: HostProcess) -> Start:
    files: set[Path] = set()

    def timed(route: Route) -> None:
        file = SCRIPTS / unquote(urlsplit(route.request.url).path.split(f"/extensions/{PACK}/")[1])
        files.add(file)
        body = BEGIN + file.read_text("utf-8") + END
        route.fulfill(body=body, content_type="text/javascript")

    with new_page(browser) as page:
        page.route(re.compile(rf"/extensions/{PACK}/.*\.m?js(\?|$)"), timed)
        browser.start_tracing(page=page, categories=["v8", "devtools.timeline"])
        open_comfyui(page, host)
        events = json.loads(browser.stop_tracing())["traceEvents"]
        times: list[float] = page.evaluate("() => window.benchTimes")
    if len(times) != len(files):
        raise AssertionError(f"{len(times)} of {len(files)} scripts ran")
    compiled = [each for each in events if each["name"] == "v8.compileModule" and PACK in json.dumps(each)]
    return Start(files, sum(times), sum(each.get("tdur", each.get("dur", 0)) for each in compiled) / 1000)
