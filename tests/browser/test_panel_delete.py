"""Deleting from the panel sends exactly the confirmed jobs, and reports the true outcome."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from browser.comfy_page import button, dialog, toasts
from browser.conftest import ONE_FRONTEND
from browser.panel_page import DELETE, Panel, expect_removed, newest_first, open_list, sent_ids
from simulated_cloud import Fault, SimulatedCloud


@pytest.mark.stage(connected=True, hold_seconds=3)
async def test_only_the_selected_jobs_are_deleted(page: Page, cloud: SimulatedCloud) -> None:
    active, chosen = newest_first(cloud.active)[0], newest_first(cloud.finished)[:3]
    panel = await open_list(page, cloud)
    await panel.select([active, *chosen])
    await expect(panel.count).to_contain_text("4 selected")
    opened = await panel.ask_to_delete(3)
    await expect(opened).to_contain_text("Delete 3 jobs from your cloud history?")
    await expect(opened).to_contain_text("1 active")
    await expect(opened).to_contain_text(f"Key ending in {cloud.api_key[-4:]}")
    await expect(opened).to_contain_text("Your outputs stay in your assets.")
    await expect(opened).to_contain_text("You can undo for 3 s; after that it can’t be undone.")
    await opened.get_by_text("Show the 3 jobs").click()
    unfolded = opened.get_by_role("group", name="Show the 3 jobs")
    await expect(unfolded.locator(".cch-name")).to_have_count(3)
    times = await unfolded.locator(".r").all_inner_texts()
    assert {"Newest, created": times[0], "Oldest, created": times[-1]}.items() <= (await facts(opened)).items()
    assert cloud.history_posts == []

    await button(opened, "Delete 3 jobs").click()
    await expect(panel.cards).to_contain_text("Nothing has been sent yet.")
    await expect_removed(page, 3)
    assert sorted(sent_ids(cloud)) == sorted(job.id for job in chosen)
    assert {job.id for job in cloud.deleted} == {job.id for job in chosen}
    for job in chosen:
        await expect(panel.row(job)).to_have_count(0)
    # What a deletion was asked for is deselected, so that a later key does not act on a row that has scrolled away.
    await expect(panel.row(active)).to_have_attribute("aria-selected", "false")
    await panel.expect_count(0, 21, 21)
    assert cloud.forbidden_calls == 0


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60)
async def test_a_deletion_from_the_details_returns_to_the_list_and_to_its_undo(
    page: Page, cloud: SimulatedCloud
) -> None:
    job = newest_first(cloud.finished)[0]
    panel = await open_list(page, cloud)
    await panel.row(job).dblclick()
    details = panel.root.locator(".cch-details")
    await button(details, "Delete…").click()
    opened = await panel.delete_dialog()
    await button(opened, "Delete 1 job").click()
    await expect(details).to_have_count(0)
    await expect(button(panel.cards.filter(has_text="Nothing has been sent yet."), "Undo")).to_be_focused()
    await expect(panel.row(job)).to_have_count(0)


@ONE_FRONTEND
@pytest.mark.stage(jobs=240, connected=True, hold_seconds=0)
async def test_deleting_all_matching_jobs_deletes_only_those_of_the_preview(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_list(page, cloud)
    await panel.tab("Failed").click()
    seen = cloud.listed("failed")
    await panel.list.press(" ")
    await button(panel.root, f"Select all {len(seen)} matching").click()
    opened = await panel.ask_to_delete(len(seen))
    await expect(opened).to_contain_text("The deletion is sent at once and can’t be undone.")
    # Between the preview and the confirmation, more jobs fail and one of the previewed jobs vanishes.
    late = [cloud.add_job("failed") for _ in range(30)]
    seen[0].delete(cloud.clock())
    await button(opened, f"Delete {len(seen)} jobs").click()
    card = panel.cards.filter(has_text=f"{len(seen) - 1} of {len(seen)} jobs removed")
    await expect(card).to_contain_text("1already gone")
    assert set(sent_ids(cloud)) <= {job.id for job in seen}
    assert len(cloud.listed("failed")) == len(late)
    await panel.expect_count(0, len(late), 240 - len(seen) + len(late))


@ONE_FRONTEND
@pytest.mark.stage(jobs=450, connected=True, hold_seconds=0)
async def test_retry_sends_only_the_jobs_of_failed_requests(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_list(page, cloud)
    await panel.tab("Completed").click()
    chosen = {job.id for job in cloud.listed("completed")}
    chunks = -(-len(chosen) // 100)
    fault = Fault(DELETE, "status", times=chunks // 2, status=400, json={"message": "not this one"})
    cloud.faults.append(fault)
    await panel.list.press("Control+a")
    await panel.delete(len(chosen))
    left = {job.id for job in cloud.listed("completed")}
    card = panel.cards.filter(has_text=f"of {len(chosen)} jobs removed")
    await expect(card).to_be_visible(timeout=15_000)
    left = {job.id for job in cloud.listed("completed")}
    gone = len(chosen) - len(left)
    assert gone
    assert len(left) >= 100
    await expect(card).to_contain_text(f"{gone} of {len(chosen)} jobs removed")
    await expect(card).to_contain_text(f"{len(left)}not removed: ")
    await expect(toasts(page, "removed from your cloud history")).to_have_count(0)
    await expect(toasts(page, f"{gone} of {len(chosen)} jobs removed")).to_have_count(0)

    await button(card, f"Show the {len(left)}").click()
    await panel.expect_count(0, len(left), len(cloud.listed()))
    await expect(panel.rows.first).to_contain_text("Not removed")
    before = len(cloud.history_posts)
    await button(card, f"Try again ({len(left)})").click()
    opened = await panel.delete_dialog()
    await button(opened, f"Delete {len(left)} jobs").click()
    await expect_removed(page, len(left))
    again: list[dict[str, Any]] = cloud.history_posts[before:]
    assert {job_id for post in again for job_id in post["delete"]} == left
    assert cloud.listed("completed") == []


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_active_jobs_cannot_be_deleted_and_a_false_success_is_not_reported_as_removal(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await open_list(page, cloud)
    await select_only_active_jobs(panel, cloud)
    assert cloud.history_posts == []
    await panel.list.press("Escape")
    await panel.expect_count(0, 24, 24)

    cloud.switches.lies = True
    chosen = newest_first(cloud.finished)[:2]
    await panel.select(chosen)
    await panel.delete(2)
    # The lookup repeats for five seconds, because a list may lag behind a deletion.
    card = panel.cards.filter(has_text="Outcome unknown: 2 jobs")
    await expect(card).to_contain_text("2unconfirmed", timeout=20_000)
    await expect(toasts(page, "removed")).to_have_count(0)
    for job in chosen:
        await expect(panel.row(job)).to_contain_text("Unconfirmed")
    assert cloud.deleted == []


async def select_only_active_jobs(panel: Panel, cloud: SimulatedCloud) -> None:
    """Check that active jobs can be cancelled but not deleted, and that the Delete key says why."""
    await panel.select(cloud.active)
    await expect(button(panel.root, f"Cancel {len(cloud.active)} active jobs…")).to_be_visible()
    delete = button(panel.root, "Delete…")
    await expect(delete).to_have_attribute("aria-disabled", "true")
    await expect(panel.root.locator(".cch-foot .cch-why")).to_have_text("Active jobs can’t be deleted.")
    await expect(delete).to_have_accessible_description("Active jobs can’t be deleted.")
    await panel.list.press("Delete")
    await expect(panel.root.get_by_role("alert")).to_have_text("Active jobs can’t be deleted.")
    await expect(dialog(panel.page)).to_have_count(0)


async def facts(opened: Locator) -> dict[str, str]:
    """Return the lines of the dialog."""
    names = await opened.locator("dt").all_inner_texts()
    return dict(zip(names, await opened.locator("dd").all_inner_texts(), strict=True))
