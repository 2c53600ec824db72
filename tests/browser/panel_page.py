"""Actions in the panel, and the elements that a person sees there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from browser.comfy_page import agree_if_asked, button, dialog, run_command, toasts
from simulated_cloud import SimulatedCloud, SimulatedJob

# The second selector is for frontends up to 1.45.
TAB_BUTTON = '[data-testid="comfy-cloud-history-tab-button"], .comfy-cloud-history-tab-button'
DELETE = ("POST", "/api/history")
SET_HOLD = """seconds => window.app.api.fetchApi("/cloud_history/settings", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Cloud-History": "1" },
    body: JSON.stringify({ hold_seconds: seconds }),
})"""


@dataclass(frozen=True)
class Panel:
    """A visible panel."""

    page: Page
    root: Locator

    @property
    def list(self) -> Locator:
        """The list element, which takes the focus."""
        return self.root.get_by_role("listbox", name="Jobs")

    @property
    def rows(self) -> Locator:
        """The row elements in the page, which are fewer than the jobs."""
        return self.root.get_by_role("option")

    @property
    def count(self) -> Locator:
        """The count line."""
        return self.root.locator(".cch-count")

    @property
    def cards(self) -> Locator:
        """Holds, progress and results below the list."""
        return self.root.locator(".cch-cards .cch-card")

    def row(self, job: SimulatedJob) -> Locator:
        """Return the row of a job, if it is near the visible part of the list."""
        return self.rows.filter(has=self.page.locator("code", has_text=job.id[:8]))

    def tab(self, name: str) -> Locator:
        """Return a status tab."""
        return self.root.get_by_role("tab", name=re.compile(f"^{name}"))

    async def search(self, text: str) -> None:
        """Type into the search field."""
        await self.root.get_by_placeholder("Search Jobs...").fill(text)

    async def select(self, jobs: Iterable[SimulatedJob]) -> None:
        """Click the tick of each job."""
        for job in jobs:
            await self.row(job).locator(".cch-pick").click()

    async def expect_count(self, selected: int, shown: int, every: int, waiting: int = 0) -> None:
        """Expect these numbers of jobs in the count line, the list and the tab All."""
        jobs = counted(every)
        words = f"{selected:,} selected" if selected else jobs if shown + waiting == every else f"{shown:,} of {jobs}"
        held = f", {waiting:,} about to be removed" if waiting else ""
        await expect(self.count).to_have_text(re.compile(rf"^{words}(, .*of run time)?{held}$"))
        await expect(self.tab("All")).to_have_accessible_name(f"All, {jobs}")
        if shown:
            await expect(self.rows.first).to_have_attribute("aria-setsize", str(shown))

    async def ask_to_delete(self, jobs: int) -> Locator:
        """Press Delete… for the selection, and return the dialog once it shows the numbers."""
        await button(self.root, f"Delete {jobs:,}…").click()
        return await self.delete_dialog()

    async def delete_dialog(self) -> Locator:
        """Wait until the delete dialog shows its numbers, and return it."""
        opened = dialog(self.page, "from your cloud history?")
        await agree_if_asked(opened)
        return opened

    async def delete(self, jobs: int) -> None:
        """Press Delete… for the selection, and confirm."""
        opened = await self.ask_to_delete(jobs)
        await opened.locator(".cch-btn.danger").click()
        await expect(opened).to_have_count(0)


async def open_panel(page: Page) -> Panel:
    """Open the panel as its command does."""
    await run_command(page, "CloudHistory.Open")
    return await shown_panel(page)


async def open_list(page: Page, cloud: SimulatedCloud) -> Panel:
    """Open the panel and wait until all jobs are listed."""
    panel = await open_panel(page)
    await expect(panel.count).to_contain_text(counted(len(cloud.listed())))
    return panel


async def open_page(panel: Panel, item: str) -> Locator:
    """Choose a page in the menu More, and return the page, which covers the list."""
    await panel.root.get_by_role("button", name="More").click()
    await panel.root.get_by_role("menuitem", name=item).click()
    return panel.root.locator(".cch-page")


async def shown_panel(page: Page, which: str = "*") -> Panel:
    """Return the visible panel, in the sidebar or in its window. `which` is a selector if both are open."""
    root = page.get_by_role("region", name="Cloud history").and_(page.locator(which))
    await expect(root).to_be_visible()
    return Panel(page, root)


def counted(jobs: int) -> str:
    """Return a number of jobs in words."""
    return f"{jobs:,} job{'s' if jobs != 1 else ''}"


def newest_first(jobs: Iterable[SimulatedJob]) -> list[SimulatedJob]:
    """Sort jobs in the order of the list."""
    return sorted(jobs, key=lambda job: job.create_time, reverse=True)


def sent_ids(cloud: SimulatedCloud) -> list[str]:
    """Return all ids in deletion requests to the cloud, in order."""
    assert all(set(post) == {"delete"} for post in cloud.history_posts)
    return [job_id for post in cloud.history_posts for job_id in post["delete"]]


def cards(page: Page, text: str) -> Locator:
    """Return the cards with this text in an open panel."""
    return page.locator(".cch-cards .cch-card", has_text=text)


async def expect_removed(page: Page, jobs: int) -> None:
    """Expect the message of a complete success: on a card of the panel or in a toast, but never on both."""
    words = f"{counted(jobs)} removed from your cloud history"
    await expect(cards(page, words).or_(toasts(page, words))).to_be_visible()


async def set_hold(page: Page, seconds: int) -> None:
    """Set how long a deletion can be undone, by the route of the settings; 0 sends it at once."""
    await page.evaluate(SET_HOLD, seconds)
