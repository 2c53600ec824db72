"""Clicks and keys meant for something else do not answer an approval that nobody can have read yet."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import FloatRect, Locator, Page, expect

from browser.comfy_page import button, dialog, load_workflow, press_run
from browser.conftest import ONE_FRONTEND
from simulated_cloud import SimulatedCloud

pytestmark = pytest.mark.stage(connected=True)
FIRST, SECOND = "Let this workflow delete 1 job?", "Let this workflow delete 3 jobs?"


def graph_with_two_deletions(cloud: SimulatedCloud) -> dict[str, Any]:
    """Return a graph with two deletions, the first of them harmless."""
    ids = [job.id for job in cloud.finished[:4]]
    nodes = [
        {
            "id": number,
            "type": "CloudHistoryDeleteJobs",
            "pos": [200, 300 * number - 200],
            "size": [320, 240],
            "flags": {},
            "order": number,
            "mode": 0,
            "properties": {},
            "widgets_values": ["\n".join(job_ids), False, "setting"],
        }
        for number, job_ids in enumerate((ids[:1], ids[1:]), 1)
    ]
    return {"version": 0.4, "last_node_id": 2, "last_link_id": 0, "nodes": nodes, "links": []}


async def box(element: Locator) -> FloatRect:
    found = await element.bounding_box()
    assert found is not None
    return found


def apart(one: FloatRect, other: FloatRect) -> bool:
    across = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
    return across or one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]


def middle(rect: FloatRect) -> tuple[float, float]:
    return rect["x"] + rect["width"] / 2, rect["y"] + rect["height"] / 2


async def first_approval(page: Page) -> tuple[Locator, Locator]:
    """Return the first approval, which can be answered now, and the one that waits behind it."""
    one, other = dialog(page, FIRST), dialog(page, SECOND)
    await expect(one.or_(other)).to_be_visible(timeout=15_000)
    first, behind = (one, other) if await one.is_visible() else (other, one)
    await expect(first).to_contain_text("Question 1 of 2")
    await expect(button(first, "Skip")).to_be_enabled()
    return first, behind


@ONE_FRONTEND
async def test_a_double_click_on_one_approval_does_not_answer_the_next(page: Page, cloud: SimulatedCloud) -> None:
    graph = graph_with_two_deletions(cloud)
    await load_workflow(page, graph)
    await press_run(page)
    first, behind = await first_approval(page)
    delete = first.get_by_role("button", name="Delete")
    skip_before, delete_before = await box(button(first, "Skip")), await box(delete)
    place = middle(delete_before)
    await page.mouse.click(*place)
    for _ in range(12):
        await page.mouse.click(*place, click_count=2)
    await expect(behind).to_be_visible()
    await expect(behind).to_contain_text("Question 2 of 2")
    skip, delete = button(behind, "Skip"), behind.get_by_role("button", name="Delete")
    # Single clicks on the button do nothing either while the approval is new.
    await expect(delete).to_be_disabled()
    await page.mouse.click(*middle(await box(delete)))
    await expect(behind).to_be_visible()
    assert len(cloud.history_posts) <= 1
    await expect(skip).to_be_enabled()
    for shown in (await box(skip), await box(delete)):
        assert apart(shown, skip_before)
        assert apart(shown, delete_before)
    await skip.click()
    await expect(behind).to_have_count(0)
    await expect(page.get_by_label("Report").first).not_to_have_value("")
    await expect(page.get_by_label("Report").last).not_to_have_value("")
    assert len(cloud.history_posts) == 1


@pytest.mark.deep
@ONE_FRONTEND
async def test_clicks_and_a_held_key_do_not_answer_an_approval_that_just_appeared(
    page: Page, cloud: SimulatedCloud
) -> None:
    await load_workflow(page, graph_with_two_deletions(cloud))
    await press_run(page)
    places = []
    for _ in range(2):
        shown = dialog(page, "Let this workflow delete")
        await expect(button(shown, "Skip")).to_be_enabled()
        places.append(middle(await box(shown.get_by_role("button", name="Delete"))))
        title = SECOND if await dialog(page, SECOND).is_visible() else FIRST
        await button(shown, "Skip").click()
        await expect(dialog(page, title)).to_have_count(0)
    await press_run(page)
    shown = dialog(page, "Let this workflow delete")
    for _ in range(20):
        for place in places:
            await page.mouse.click(*place)
    await expect(shown).to_be_visible()
    await button(shown, "Skip").focus()
    for _ in range(20):
        await page.keyboard.down("Enter")
    await page.keyboard.up("Enter")
    await page.keyboard.press("Escape")
    await expect(shown).to_be_visible()
    assert cloud.history_posts == []
    await expect(button(shown, "Skip")).to_be_enabled()
    await expect(button(shown, "Skip")).to_be_focused()
    await page.keyboard.down("Enter")
    for _ in range(20):
        await page.keyboard.down("Enter")
    await page.keyboard.up("Enter")
    # The first press skips one approval. Holding the key skips no other.
    await expect(shown).to_contain_text("Question 4 of 4")
    assert cloud.history_posts == []
