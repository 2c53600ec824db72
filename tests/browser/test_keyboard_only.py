"""What a person can do with a keyboard and a screen reader alone, and what they hear."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from browser.accessibility import KeyboardUser, heard, listen
from browser.comfy_page import button, toasts
from browser.conftest import ONE_FRONTEND, set_hold_seconds
from browser.panel_page import TAB_BUTTON, Panel, open_list, sent_ids, shown_panel
from hosts import HostProcess
from simulated_cloud import SimulatedCloud, SimulatedJob

WORKFLOWS = "() => window.app.extensionManager.workflow.openWorkflows.length"


def add_failed_jobs(cloud: SimulatedCloud) -> tuple[datetime, list[SimulatedJob]]:
    """Add two failed jobs of one day, and one of the day before. Return that day and the two, newest first."""
    day = (datetime.now().astimezone() - timedelta(days=3)).replace(hour=12, minute=0, second=0, microsecond=0)
    made = [
        cloud.add_job("failed", create_time=int(at.timestamp() * 1000), files=(), error_kind=0)
        for at in (day, day - timedelta(hours=1), day - timedelta(days=1))
    ]
    return day, made[:2]


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60)
async def test_the_failed_jobs_of_a_day_are_found_looked_at_and_deleted_by_keys_and_ears_alone(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    day, failed = add_failed_jobs(cloud)
    person = KeyboardUser(page)
    await listen(page)
    await page.locator(TAB_BUTTON).focus()
    await person.press("Enter")
    panel = await shown_panel(page)
    await expect(panel.count).to_contain_text(f"{len(cloud.listed())}")
    await person.wait_for("option")
    await find_the_failed_jobs_of(day, person)
    await look_at_both(person)
    await delete_and_undo(person, panel)
    set_hold_seconds(host.state_dir, 1)
    await delete_again(person, cloud, failed)
    await reopen_a_workflow(person)


async def find_the_failed_jobs_of(day: datetime, person: KeyboardUser) -> None:
    """Choose the tab of failed jobs and a day in the filter."""
    await person.press_until("Shift+Tab", "tab ")
    await person.press_until("ArrowRight", 'tab "Failed')
    await person.press_until("Tab", 'button "Filter')
    assert (await person.press("Enter")).startswith('combobox "Time"')
    await person.press("B")
    for name in ("From", "To"):
        await person.press_until("Tab", f'textbox "{name}"', 8)
        # The fields have the order of the browser's language, which is American English in the tests.
        await person.page.keyboard.type(day.strftime("%m%d%Y"))
        person.notes.append(f"typed the day into {name}")
    assert (await person.press("Escape")).startswith('button "Filter, 1 in force"')
    await person.press_until("Tab", "option")
    await expect(person.page.get_by_role("tab", name="Failed")).to_be_visible()


async def look_at_both(person: KeyboardUser) -> None:
    """Open the viewer, and step on to the second job."""
    await person.press("Home")
    await person.press("v")
    await person.wait_for("dialog")
    seen = person.page.locator("dialog.cch-viewer[open]")
    await expect(seen).to_contain_text("This job has no outputs")
    await person.press("ArrowRight")
    await expect(seen).to_contain_text("This job has no outputs")
    await person.note()
    assert "option" in await person.press("Escape")


async def delete_and_undo(person: KeyboardUser, panel: Panel) -> None:
    """Delete both with a backup, and undo."""
    await person.press("Home")
    selected = panel.root.get_by_role("option", selected=True)
    await person.press(" ")
    await expect(selected).to_have_count(1)
    await person.press("ArrowDown")
    await person.press(" ")
    await expect(selected).to_have_count(2)
    assert "[selected]" in await person.note()
    await person.press("Delete")
    await person.wait_for('button "Cancel"')
    await panel.delete_dialog()
    await keep_the_workflows(person)
    await person.press_until("Tab", 'button "Delete 2 jobs"')
    await person.press("Enter")
    await person.wait_for('button "Undo"')
    await person.press("Enter")
    await expect(panel.cards).to_have_count(0)
    await person.wait_for("option")


async def keep_the_workflows(person: KeyboardUser) -> None:
    """Choose in the open dialog that the workflows are kept before the jobs go."""
    await person.press_until("Shift+Tab", 'combobox "Before they go"')
    for key in ("Home", "ArrowDown", "ArrowDown"):
        if await person.page.locator(":focus").input_value() == "workflows":
            return
        await person.press(key)
    await expect(person.page.locator(":focus")).to_have_value("workflows")


async def delete_again(person: KeyboardUser, cloud: SimulatedCloud, failed: list[SimulatedJob]) -> None:
    """Delete both, and wait until they are removed."""
    await person.press("Control+a")
    await person.press("Delete")
    await person.wait_for('button "Cancel"')
    await expect(person.page.locator(".cch-btn.danger")).to_be_enabled()
    await keep_the_workflows(person)
    await person.press_until("Tab", 'button "Delete 2 jobs"')
    await person.press("Enter")
    await expect(
        toasts(person.page, "2 jobs removed").or_(person.page.locator(".cch-card", has_text="2 jobs removed")).first
    ).to_be_visible(timeout=15_000)
    await person.page.wait_for_timeout(600)
    await person.note()
    assert sorted(sent_ids(cloud)) == sorted(job.id for job in failed)


async def reopen_a_workflow(person: KeyboardUser) -> None:
    """Open the workflow of a deleted job from its backup."""
    before = await person.page.evaluate(WORKFLOWS)
    # No listed job is left, so the panel itself has the focus.
    assert (await person.press("/")).startswith("textbox")
    await person.press_until("Shift+Tab", 'button "More"')
    await person.press("Enter")
    await person.press_until("ArrowDown", 'menuitem "Recently deleted"')
    assert (await person.press("Enter")).startswith('button "Back to the list"')
    await expect(person.page.get_by_role("button", name="Show jobs").first).to_be_visible()
    await person.press_until("Tab", 'button "Show jobs"')
    assert (await person.press("Enter")).startswith('button "Hide jobs"')
    # The jobs are asked for when the entry is opened, and Tab goes past them until they are there.
    opens = person.page.locator(".cch-panel").get_by_role("button", name=re.compile("^Open(?! in a large window)"))
    await expect(opens.first).to_be_visible()
    await person.press_until("Tab", 'button "Open')
    await person.press("Enter")
    await expect(toasts(person.page, "Workflow opened in a new tab")).to_be_visible()
    assert await person.page.evaluate(WORKFLOWS) == before + 1
    await person.note()


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60)
async def test_a_deletion_says_each_sentence_once(page: Page, cloud: SimulatedCloud, host: HostProcess) -> None:
    panel = await open_list(page, cloud)
    said: dict[str, list[str]] = {}
    for hold_seconds in (60, 0):
        set_hold_seconds(host.state_dir, hold_seconds)
        await panel.list.focus()
        await panel.list.press("Escape")
        await panel.tab("Completed").click()
        await panel.list.press("Home")
        await panel.list.press(" ")
        await page.wait_for_timeout(700)
        await listen(page)
        await panel.list.press("Delete")
        opened = await panel.delete_dialog()
        await opened.locator(".cch-btn.danger").click()
        if hold_seconds:
            await button(panel.cards, "Undo").press("Enter")
            await expect(panel.cards).to_have_count(0)
        else:
            await expect(panel.cards).to_contain_text("1 job removed")
        await page.wait_for_timeout(1200)
        said["undone" if hold_seconds else "removed"] = await heard(page)
        await page.evaluate("() => window.listening.disconnect()")
    for texts in said.values():
        assert [text for text, times in Counter(texts).items() if times > 1] == []


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_the_focus_is_never_lost_when_a_popup_a_page_a_dialog_or_the_panel_closes(
    page: Page, cloud: SimulatedCloud
) -> None:
    person = KeyboardUser(page)
    panel = await open_list(page, cloud)
    await listen(page)
    await expect(panel.list).to_be_focused()
    await tab_through_the_filters(person)
    await delete_with_the_button(person, panel)
    await delete_in_the_details(person, panel)
    await close_the_large_window_and_the_panel(person, panel)


async def tab_through_the_filters(person: KeyboardUser) -> None:
    """Check that Tab leaves the popover to what follows its button, and Shift+Tab to the button."""
    await person.press_until("Shift+Tab", 'button "Filter"')
    await person.press("Enter")
    await person.press_until("Tab", 'button "Done"')
    assert (await person.press("Tab")).startswith('button "Sort"')
    await person.press_until("Shift+Tab", 'button "Filter"')
    assert (await person.press("Enter")).startswith("combobox")
    assert (await person.press("Shift+Tab")).startswith('button "Filter"')
    await person.press_until("Tab", 'button "Sort"')
    assert (await person.press("Enter")).startswith("menuitemradio")
    assert (await person.press("Tab")).startswith("option")
    assert not (await person.press("Tab")).startswith("option")
    await person.press_until("Shift+Tab", "option")


async def delete_with_the_button(person: KeyboardUser, panel: Panel) -> None:
    """Delete with the button below the list, which is hidden afterwards."""
    await panel.tab("Completed").click()
    await panel.list.press("Home")
    await person.press(" ")
    await person.press_until("Tab", 'button "Delete 1')
    await person.press("Enter")
    opened = await panel.delete_dialog()
    await person.wait_for('button "Cancel"')
    await opened.locator(".cch-btn.danger").press("Enter")
    await expect(opened).to_have_count(0)
    await expect(panel.cards).to_contain_text("1 job removed")
    await person.wait_for("option")
    await button(panel.cards, "Dismiss").press("Enter")
    await expect(panel.cards).to_have_count(0)
    await person.wait_for("option")


async def delete_in_the_details(person: KeyboardUser, panel: Panel) -> None:
    """Delete a job in its details."""
    await person.press("Enter")
    await expect(panel.root.locator(".cch-details .cch-scroll")).to_have_attribute("aria-busy", "false")
    await person.press_until("Tab", 'button "Delete')
    await person.press("Enter")
    opened = await panel.delete_dialog()
    await opened.locator(".cch-btn.danger").press("Enter")
    await expect(opened).to_have_count(0)
    await expect(panel.root.locator(".cch-card")).to_contain_text("1 job removed")
    await person.note()
    await person.press("Escape")


async def close_the_large_window_and_the_panel(person: KeyboardUser, panel: Panel) -> None:
    """Check the focus after both ways of closing the panel."""
    page = person.page
    await person.press_until("Shift+Tab", 'button "Open in a large window"')
    await person.press("Enter")
    await expect(page.locator(".cch-panel.large .cch-list")).to_be_focused()
    await person.press("Escape")
    await expect(page.locator(".cch-panel.large")).to_have_count(0)
    await page.wait_for_timeout(400)
    await person.note()
    if not await panel.root.count():
        await page.locator(TAB_BUTTON).press("Enter")
        await person.wait_for("option")
    await person.press_until("Tab", 'button "Close"')
    await person.press("Enter")
    await expect(panel.root).to_have_count(0)
    await page.wait_for_timeout(400)
    await person.note()
