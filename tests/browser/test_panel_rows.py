"""A row of the list: what it shows, what a screen reader reads, and its menu."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from browser.comfy_page import set_direction
from browser.conftest import ONE_FRONTEND
from browser.panel_page import Panel, newest_first, open_list
from simulated_cloud import SimulatedCloud, SimulatedJob

pytestmark = ONE_FRONTEND
DAY_MS = 86_400_000
CLOCK = "at => new Intl.DateTimeFormat(navigator.language, { timeStyle: 'medium' }).format(at)"
FILE = {"filename": "Coast storm at night_0001.png", "subfolder": "", "type": "output", "mediaType": "images"}
NAME_BOXES = """name => [name, ...name.children].map(each => {
    const { left, right } = each.getBoundingClientRect();
    return { left, right, text: each.textContent, isCut: each.scrollWidth > each.clientWidth + 1 };
})"""
ERROR = {"exception_message": "no memory", "exception_type": "E", "node_type": "KSampler", "node_id": "3"}


async def heard_row(panel: Panel, job: SimulatedJob) -> str:
    """Return the name of a row in the accessibility tree."""
    found = re.match(r'- option "(.*?)"', await panel.row(job).aria_snapshot())
    assert found
    return found[1].replace("\xa0", " ")


async def visible_texts(row: Locator) -> str:
    """Return the text of a row that is on screen."""
    script = "row => { row.querySelector('.cch-unseen').remove(); return row.innerText.replace(/\\s+/g, ' '); }"
    return str(await row.evaluate(script))


@pytest.mark.deep
@pytest.mark.stage(jobs=3, connected=True)
async def test_a_row_says_each_thing_once_to_eyes_and_ears(page: Page, cloud: SimulatedCloud) -> None:
    named = cloud.add_job("completed", overrides={"preview_output": FILE})
    failed = cloud.add_job("failed", overrides={"preview_output": None, "workflow_id": None, "execution_error": ERROR})
    failed.create_time = named.create_time - 3 * DAY_MS
    panel = await open_list(page, cloud)
    clock = str(await page.evaluate(CLOCK, failed.create_time)).replace("\u202f", " ")

    # The end of the name is a box of its own, so that the rest can be cut. It is read without a gap.
    name = await heard_row(panel, named)
    assert name.startswith("Coast storm at night_0001.png, Completed, "), name
    words = (await heard_row(panel, failed)).replace("\u202f", " ")
    assert words.startswith(f"Failed KSampler, {clock}, no memory, "), words
    assert (words.count("Failed"), words.count(clock)) == (1, 1), words
    assert words.endswith(f", {failed.id[:8]}"), words
    shown = (await visible_texts(panel.row(failed))).replace("\u202f", " ")
    assert (shown.count("Failed"), shown.count(clock)) == (1, 1), shown

    # Each word of the name finds the job, and so does all of it.
    for text in (f"Failed KSampler, {clock}", "ksampler", clock.split()[0], "FAILED memory"):
        await panel.search(text)
        await expect(panel.row(failed)).to_have_count(1)
        await expect(panel.row(named)).to_have_count(0)


@pytest.mark.deep
@pytest.mark.stage(jobs=12, connected=True)
async def test_a_long_press_opens_the_menu_of_a_row_and_does_nothing_else(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_list(page, cloud)
    job = newest_first(cloud.finished)[2]
    row = panel.row(job)
    menu = panel.root.get_by_role("menu")
    box = await row.locator(".cch-pick").bounding_box()
    assert box
    at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    touch = await page.context.new_cdp_session(page)
    await touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    await expect(menu).to_be_visible()
    await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    labels = ["Details", "View outputs", "Open workflow", "Download workflow", "Copy job ID", "Protect", "Delete…"]
    items = menu.get_by_role("menuitem")
    await expect(items).to_have_count(len(labels))
    for label, item in zip(labels, await items.all(), strict=True):
        await expect(item).to_contain_text(label)
    await expect(items.first).to_be_focused()
    await expect(row).to_have_attribute("aria-selected", "false")
    await panel.expect_count(0, len(cloud.listed()), len(cloud.listed()))
    await page.keyboard.press("Escape")
    await expect(menu).to_have_count(0)
    await expect(panel.list).to_be_focused()

    # A short touch still ticks the row.
    await touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
    await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await expect(row).to_have_attribute("aria-selected", "true")
    await touch.detach()


@pytest.mark.deep
@pytest.mark.stage(jobs=12, connected=True)
async def test_tooltips_come_on_hover_and_focus_and_say_only_what_is_not_visible(
    page: Page, cloud: SimulatedCloud
) -> None:
    long = cloud.add_job(
        "completed", overrides={"preview_output": {**FILE, "filename": f"{'very ' * 20}long_0001.png"}}
    )
    short = cloud.add_job("completed", overrides={"preview_output": {**FILE, "filename": "a_0001.png"}})
    panel = await open_list(page, cloud)
    tip = page.locator(".cch-tip")
    assert await panel.root.locator("[title]").count() == 0, "the browser's own tooltips are late and never for keys"
    await panel.row(long).locator(".cch-name").hover()
    await expect(tip).to_be_visible()
    await expect(tip).to_have_text(re.compile(r"^very .*long_0001\.png$"))
    await page.mouse.move(0, 0)
    await expect(tip).to_have_count(0)

    # The whole name is on screen.
    await panel.row(short).locator(".cch-name").hover()
    await page.wait_for_timeout(600)
    await expect(tip).to_have_count(0)

    refresh = panel.root.get_by_role("button", name="Refresh", exact=True)
    await refresh.focus()
    await page.keyboard.press("Tab")
    await expect(tip).to_have_text("Open in a large window")
    await page.keyboard.press("Shift+Tab")
    await expect(refresh).to_be_focused()
    await expect(tip).to_contain_text("Last read at")
    await expect(refresh).to_have_accessible_description(re.compile("^Last read at"))
    await expect(tip).to_be_visible()
    box, near = await tip.bounding_box(), await refresh.bounding_box()
    assert box
    assert near
    assert box["y"] >= near["y"] + near["height"], "it does not cover its button"
    await page.keyboard.press("Escape")
    await expect(tip).to_be_hidden()
    await expect(refresh).to_be_focused()
    await expect(refresh).to_have_accessible_description("")


@pytest.mark.deep
@pytest.mark.stage(jobs=3, connected=True)
async def test_a_name_from_right_to_left_is_cut_in_its_middle_and_begins_where_other_names_begin(
    page: Page, cloud: SimulatedCloud
) -> None:
    hebrew, arabic, short = (
        cloud.add_job("completed", overrides={"workflow_id": None, "preview_output": {**FILE, "filename": name}})
        for name in (f"{'תמונה_יפה_' * 9}00012_.png", f"{'صورة_جميلة_' * 9}00012_.png", "תמונה_00012_.png")
    )
    panel = await open_list(page, cloud)
    for direction in ("ltr", "rtl"):
        await set_direction(page, direction)
        for job in (hebrew, arabic, short):
            name, begin, end = await panel.row(job).locator(".cch-name").evaluate(NAME_BOXES)
            assert (begin["isCut"], end["isCut"], end["text"]) == (job is not short, False, "_00012_.png")
            assert abs(end["right"] - begin["left"]) < 1, "the end is beside the cut, at the left of the beginning"
            outer, at = (end, "left") if direction == "ltr" else (begin, "right")
            assert abs(outer[at] - name[at]) < 1
    await set_direction(page, "ltr")
