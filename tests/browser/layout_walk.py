"""Walks a panel through widths, and finds controls that overlap, are cut or are covered."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from playwright.async_api import Page

WALK = Path(__file__).with_suffix(".js").read_text()


async def faults_at_all_widths(page: Page, widths: Iterable[int], height: int = 860) -> list[str]:
    """Give the open panel each width, and return a line for each control that overlaps, is cut or is covered.

    A line names the first and the last width with the fault.
    """
    found: dict[str, list[int]] = {}
    for width, fault in await page.evaluate(WALK, {"widths": list(widths), "height": height, "everyText": False}):
        found.setdefault(fault, []).append(width)
    return [f"{at[0]} to {at[-1]} px: {fault}" for fault, at in found.items()]


async def faults_now(page: Page, *, every_text: bool = False) -> list[str]:
    """Return a line for each control, or each text, that overlaps, is cut or is covered at its present width."""
    return [
        fault for _, fault in await page.evaluate(WALK, {"widths": [None], "height": None, "everyText": every_text})
    ]
