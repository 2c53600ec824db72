"""The panel with 20,000 jobs on ComfyUI's real page: the time to the first row, and frame times while scrolling."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, Page

from hosts import HostProcess

from .cloud import running_cloud
from .page import FRONTEND, new_page, open_comfyui, running_browser, running_host
from .table import Figure, percentile

JOBS = 20_000
MAX_ELEMENTS = 100
MAX_FIRST_ROW_MS = 300.0
MAX_FRAME_MS = 34.0
FRAMES = 240
STEPS = (40, 600, 9000)
"""Pixels for each frame: reading, a flick of the wheel, dragging the scroll bar."""

# This script records when the line with the first jobs has arrived and when the first row has been painted.
NOTES = """
window.noted = {};
const plainFetch = window.fetch;
window.fetch = async (...given) => {
  const answer = await plainFetch(...given);
  if (!String(given[0]?.url ?? given[0]).includes("/cloud_history/jobs") || !answer.body) return answer;
  const getReader = answer.body.getReader.bind(answer.body);
  answer.body.getReader = (...options) => {
    const reader = getReader(...options);
    const read = reader.read.bind(reader);
    let lines = 0;
    reader.read = async () => {
      const got = await read();
      for (const byte of got.value ?? []) {
        if (byte === 10 && ++lines === 2) window.noted.data ??= performance.now();
        if (lines >= 2) break;
      }
      return got;
    };
    return reader;
  };
  return answer;
};
const watch = new MutationObserver(() => {
  if (!document.querySelector("[role=listbox] [role=option]")) return;
  watch.disconnect();
  window.noted.inserted = performance.now();
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => (window.noted.row = performance.now());
    port2.postMessage(0);
  });
});
const begin = () => watch.observe(document, { childList: true, subtree: true });
document.documentElement ? begin() : addEventListener("DOMContentLoaded", begin);
"""
LISTED = f"""() => {{
  const rows = document.querySelectorAll("[role=listbox] [role=option]");
  return rows.length > 5 && [...rows].some((row) => row.getAttribute("aria-setsize") === "{JOBS}");
}}"""
SCROLL = """async ([step, frames]) => {
  const list = document.querySelector("[role=option]").closest("[role=listbox]");
  const next = () => new Promise((done) => requestAnimationFrame(done));
  const [times, start] = [[], list.scrollTop];
  let [before, most] = [await next(), 0];
  for (let at = 0; at < frames; at += 1) {
    list.scrollTop = step ? start + (step * at) % Math.max(1, list.scrollHeight - start - list.clientHeight) : start;
    const now = await next();
    times.push(now - before);
    before = now;
    most = Math.max(most, list.querySelectorAll("[role=option]").length);
  }
  return { times, most, moved: list.scrollTop !== start };
}"""


def measure(runs: int) -> Iterator[Figure]:
    first: list[float] = []
    idle: list[float] = []
    frames: dict[int, list[float]] = {step: [] for step in STEPS}
    with running_cloud(JOBS) as cloud, running_host(cloud) as host, running_browser() as browser:
        for _ in range(runs):
            _run(browser, host, first, idle, frames)
    data = f"{JOBS:,} jobs, frontend {FRONTEND}, {runs} runs"
    words = f"from {min(first):.0f} to {max(first):.0f} ms"
    value = statistics.median(first)
    yield Figure("data to first row", data, words, "", value, "ms", MAX_FIRST_ROW_MS, "under")
    still = f"nothing moving: {percentile(idle, 95):.1f} ms"
    for step, times in frames.items():
        worst = f"median {statistics.median(times):.1f} ms, worst {max(times):.0f} ms"
        data = f"{len(times):,} frames, {step:,} pixels each"
        value = percentile(times, 95)
        yield Figure("frames while scrolling, p95", data, worst, still, value, "ms", MAX_FRAME_MS)


def _run(
    browser: Browser,
    host: HostProcess,
    first: list[float],
    idle: list[float],
    frames: dict[int, list[float]],
) -> None:
    with new_page(browser, NOTES) as page:
        open_comfyui(page, host)
        page.evaluate("() => window.app.extensionManager.command.execute('CloudHistory.Open')")
        page.wait_for_function("() => window.noted.row", timeout=60_000)
        noted = page.evaluate("() => window.noted")
        first.append(noted["row"] - noted["data"])
        page.wait_for_function(LISTED, timeout=60_000)
        idle += _scroll(page, 0)["times"]
        for step, times in frames.items():
            seen = _scroll(page, step)
            if not seen["moved"] or seen["most"] > MAX_ELEMENTS:
                raise AssertionError(f"the list does not scroll, or has {seen['most']} elements")
            times += seen["times"]


def _scroll(page: Page, step: int) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(SCROLL, [step, FRAMES])
    return found
