"""Protected jobs show a lock in the panel and are excluded from every deletion."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from browser.comfy_page import agree_if_asked, button, dialog, kept_first, run_command, toasts
from browser.conftest import ONE_FRONTEND
from browser.panel_page import Panel, expect_removed, newest_first, open_list, sent_ids
from simulated_cloud import SimulatedCloud, SimulatedJob

pytestmark = ONE_FRONTEND

FROM_ANOTHER_WINDOW = """ids => window.app.api.fetchApi("/cloud_history/protection", {
    method: "POST", headers: {"X-Cloud-History": "1", "Content-Type": "application/json"},
    body: JSON.stringify({protect: true, ids}),
}).then(answer => answer.status)"""


@dataclass(frozen=True)
class State:
    """The state folder of the server."""

    folder: Path

    def protected(self) -> Any:
        """The list of protected jobs."""
        return json.loads((self.folder / "protected.json").read_text())

    def damage(self) -> None:
        """Make that list unreadable."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "protected.json").write_text("{")

    def lose(self) -> None:
        """Remove the whole state folder."""
        self.folder.rename(self.folder.with_name("away"))

    def put_aside(self) -> list[str]:
        """Return the contents of the damaged lists that were moved aside."""
        return [path.read_text() for path in self.folder.glob("protected.damaged-*")]

    def backups(self) -> int:
        """Return the number of backups."""
        return len(list((self.folder / "backups").glob("*.zip")))


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "comfyui" / "user" / "__cloud_history")


async def expect_locked(panel: Panel, jobs: list[SimulatedJob]) -> None:
    """Check that exactly these jobs show the lock and are named as protected."""
    # The row under the pointer shows buttons instead of the lock.
    await panel.root.get_by_placeholder("Search Jobs...").hover()
    await expect(panel.root.get_by_role("option", name=", protected")).to_have_count(len(jobs))
    await expect(panel.root.locator(".lock:visible")).to_have_count(len(jobs))
    for job in jobs:
        await expect(panel.row(job).locator(".lock")).to_be_visible()
        is_cut = await panel.row(job).locator("code").evaluate("code => code.scrollWidth > code.clientWidth")
        assert not is_cut, f"the id of {job.id} is cut"


@pytest.mark.stage(jobs=12, connected=True, hold_seconds=0)
async def test_protected_jobs_show_a_lock_and_are_not_deleted(page: Page, cloud: SimulatedCloud, state: State) -> None:
    first, second, third, fourth = newest_first(cloud.finished)[:4]
    panel = await open_list(page, cloud)
    await panel.select([first, second])
    await button(panel.root, "Protect").click()
    await expect(toasts(page, "2 jobs protected")).to_be_visible()
    await expect_locked(panel, [first, second])
    assert state.protected()["jobs"] == sorted([first.id, second.id])
    await panel.list.press("p")
    await expect(toasts(page, "2 jobs no longer protected")).to_be_visible()
    await expect_locked(panel, [])
    await panel.list.press("Escape")

    await panel.row(first).hover()
    await panel.row(first).locator("[data-tip=Protect]").click()
    assert await page.evaluate(FROM_ANOTHER_WINDOW, [second.id]) == 200
    await expect_locked(panel, [first, second])
    await panel.expect_count(0, 12, 12)

    await panel.select([first, second])
    await panel.list.press("Delete")
    nothing = dialog(page, "Nothing to delete")
    await expect(nothing).to_contain_text("All 2 selected jobs stay: 2\u00a0protected.")
    await page.keyboard.press("Escape")
    await panel.select([third, fourth])
    opened = await panel.ask_to_delete(2)
    await expect(opened).to_contain_text("2of these will stay2\u00a0protected")
    await kept_first(opened).select_option("workflows")
    async with page.expect_request("**/cloud_history/delete") as sent:
        await button(opened, "Delete 2 jobs").click()
    assert '"backup":"workflows"' in str((await sent.value).post_data)
    await expect_removed(page, 2)
    await expect(panel.cards).to_contain_text("Assets stay. 2 workflows backed up.")
    assert state.backups() == 1
    assert sorted(sent_ids(cloud)) == sorted([third.id, fourth.id])

    await button(panel.root, "Filter").click()
    await panel.root.get_by_text("Not protected").click()
    await button(panel.root, "Done").click()
    await expect(panel.rows.first).to_have_attribute("aria-setsize", "8")
    await expect_locked(panel, [])


@pytest.mark.stage(jobs=12, connected=True, hold_seconds=1)
async def test_a_clear_with_protected_jobs_deletes_all_other_jobs_by_id(page: Page, cloud: SimulatedCloud) -> None:
    kept = newest_first(cloud.finished)[2]
    going = [job.id for job in cloud.finished if job is not kept]
    panel = await open_list(page, cloud)
    await panel.select([kept])
    await panel.list.press("p")
    await expect_locked(panel, [kept])
    await run_command(page, "CloudHistory.Clear")
    opened = dialog(page, "Delete all finished jobs but the protected one?")
    await expect(opened).to_contain_text(f"{len(going)}will be removed")
    await expect(opened).to_contain_text(f"will stay{len(cloud.active)}\u00a0active, 1\u00a0protected")
    await expect(opened).to_contain_text("You can undo for 1 s; after that it can’t be undone.")
    await agree_if_asked(opened)
    await button(opened, f"Delete {len(going)} jobs").click()
    await expect_removed(page, len(going))
    assert sorted(sent_ids(cloud)) == sorted(going)
    await panel.expect_count(1, 1 + len(cloud.active), 1 + len(cloud.active))

    await run_command(page, "CloudHistory.Clear")
    await expect(dialog(page, "Nothing to clear")).to_contain_text("The only finished job is protected.")


@pytest.mark.stage(jobs=12, connected=True)
async def test_a_job_protected_by_its_workflow_stays_protected_and_a_damaged_or_lost_list_stops_deletions(
    page: Page, cloud: SimulatedCloud, state: State
) -> None:
    job = next(job for job in newest_first(cloud.finished) if job.workflow_id)
    others = [each for each in cloud.listed() if each.workflow_id == job.workflow_id]
    panel = await open_list(page, cloud)
    await protect_a_job_by_its_workflow(panel, job, len(others))
    assert state.protected() == {"jobs": [], "workflows": []}
    await panel.root.get_by_role("button", name="Back to the list").click()
    await damage_the_list_and_start_with_an_empty_one(panel, cloud, state)
    await lose_the_state_folder_and_start_with_an_empty_one(panel, state)
    assert cloud.history_posts == []


async def protect_a_job_by_its_workflow(panel: Panel, job: SimulatedJob, of_workflow: int) -> None:
    """Protect a workflow, and check that unprotecting one of its jobs asks to unprotect all of them."""
    page = panel.page
    await panel.row(job).dblclick()
    await button(panel.root, "Protect").click()
    await expect(panel.root.get_by_text("Deletions made in this ComfyUI leave this job out.")).to_be_visible()
    await panel.root.get_by_role("button", name="Protect all jobs of this workflow").click()
    await expect(panel.root.get_by_text("All jobs of this workflow are protected.")).to_be_visible()

    unprotect = button(panel.root, "Unprotect")
    await unprotect.click()
    asked = dialog(page, "This job is protected by its workflow")
    await button(asked, "Cancel").click()
    await expect(asked).to_have_count(0)
    await expect(unprotect).to_be_visible()
    await unprotect.click()
    jobs = f"{of_workflow} job{'s are' if of_workflow > 1 else ' is'} no longer protected."
    await expect(asked).to_contain_text(jobs)
    await button(asked, "Unprotect the workflow").click()
    await expect(button(panel.root, "Protect")).to_be_visible()


async def lose_the_state_folder_and_start_with_an_empty_one(panel: Panel, state: State) -> None:
    """Check that nothing can be deleted until the person accepts an empty list instead of the lost one."""
    page = panel.page
    state.lose()
    await panel.root.get_by_role("button", name="Refresh", exact=True).click()
    banner = panel.root.locator(".cch-zone.top .cch-card").filter(has_text="Deletions are stopped")
    await expect(banner).to_contain_text(f"the state folder {state.folder} is not there any more")
    await expect(banner).to_contain_text("Put the folder back")
    await expect(button(panel.root, "Delete 1…")).to_have_attribute("aria-disabled", "true")
    await button(banner, "Start anew…").click()
    opened = dialog(page, "Start anew?")
    await expect(opened).to_contain_text("What is missing counts as empty: no job is protected")
    await button(opened, "Cancel").click()
    await expect(banner).to_be_visible()
    assert not state.folder.exists()
    await button(banner, "Start anew…").click()
    await button(dialog(page, "Start anew?"), "Start anew").click()
    await expect(banner).to_have_count(0)
    await expect(button(panel.root, "Delete 1…")).to_have_attribute("aria-disabled", "false")
    assert (state.folder / "state_folder.json").exists()


async def damage_the_list_and_start_with_an_empty_one(panel: Panel, cloud: SimulatedCloud, state: State) -> None:
    """Check that nothing can be deleted until the person accepts an empty list instead of the damaged one."""
    page = panel.page
    state.damage()
    await panel.root.get_by_role("button", name="Refresh", exact=True).click()
    banner = panel.root.locator(".cch-zone.top .cch-card").filter(has_text="Deletions are stopped")
    await expect(banner).to_contain_text("The list of protected jobs can’t be read, so nothing is deleted.")
    await panel.select(newest_first(cloud.finished)[:1])
    await expect(button(panel.root, "Delete 1…")).to_have_attribute("aria-disabled", "true")
    await panel.list.press("Delete")
    await expect(panel.root.get_by_role("alert")).to_have_text("Deletions are stopped.")

    await button(banner, "Details").click()
    opened = dialog(page, "The list of protected jobs is damaged")
    await expect(opened).to_contain_text("The file was kept as protected.json.")
    await button(opened, "Start with an empty list").click()
    await expect(banner).to_have_count(0)
    await expect(button(panel.root, "Delete 1…")).to_have_attribute("aria-disabled", "false")
    assert state.put_aside() == ["{"]


@pytest.mark.deep
@pytest.mark.stage(jobs=12, connected=True, hold_seconds=0)
async def test_keys_act_on_the_framed_row_and_a_deletion_leaves_nothing_selected(
    page: Page, cloud: SimulatedCloud, state: State
) -> None:
    active = newest_first(cloud.active)[0]
    first, second, third = newest_first(cloud.finished)[:3]
    panel = await open_list(page, cloud)
    await panel.select([first, active])
    await panel.list.press("Delete")
    opened = await panel.delete_dialog()
    await button(opened, "Delete 1 job").click()
    await expect_removed(page, 1)
    await panel.expect_count(0, 11, 11)
    await expect(panel.row(active)).to_have_attribute("aria-selected", "false")

    await panel.select([active, third])
    await panel.row(second).locator(".cch-name").click()
    await panel.list.press("p")
    name = await panel.row(second).locator(".cch-name").get_attribute("data-tip")
    await expect(toasts(page, f"{name} is protected")).to_be_visible()
    await expect_locked(panel, [second])
    assert state.protected()["jobs"] == [second.id]
    await panel.select([active])
    await panel.row(second).locator(".cch-name").click()
    await panel.list.press("p")
    await expect_locked(panel, [])
    async with page.expect_request("**/cloud_history/preview") as asked:
        await panel.list.press("Delete")
    assert json.loads((await asked.value).post_data or "")["ids"] == [second.id]
    await expect(button(await panel.delete_dialog(), "Delete 1 job")).to_be_visible()


@pytest.mark.deep
@pytest.mark.stage(jobs=5, connected=True)
async def test_a_double_click_on_protect_protects_the_job(page: Page, cloud: SimulatedCloud, state: State) -> None:
    first, second, third = newest_first(cloud.finished)[:3]
    panel = await open_list(page, cloud)
    await panel.select([first])
    await button(panel.root, "Protect").dblclick(delay=150)
    await expect(toasts(page).filter(has_text="is protected")).to_be_visible()
    await button(panel.root, "Deselect all").click()
    await panel.row(second).hover()
    await panel.row(second).locator("[data-do=protect]").dblclick(delay=150)
    await panel.row(third).locator(".cch-name").click()
    await panel.list.press("Enter")
    await panel.root.locator("[data-guard]").dblclick(delay=150)
    await button(panel.root.locator(".cch-details"), "Unprotect").hover()
    assert state.protected()["jobs"] == sorted(job.id for job in (first, second, third))
