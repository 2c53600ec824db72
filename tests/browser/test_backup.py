"""While workflows are backed up, nothing has been deleted: the screen says so, and the deletion can be stopped."""

from __future__ import annotations

import json
import re

import pytest
from playwright.async_api import Page, expect

from browser.comfy_page import READY, button, toasts, toasts_have_buttons
from browser.conftest import ONE_FRONTEND
from browser.panel_page import Panel, expect_removed, newest_first, open_list, open_panel
from hosts import HostProcess
from simulated_cloud import SimulatedCloud


def back_up_after(host: HostProcess, seconds: int) -> None:
    """Turn backups on, with a hold of `seconds`."""
    (host.state_dir / "settings.json").write_text(json.dumps({"hold_seconds": seconds, "backup": "workflows"}))


async def delete_from_a_slow_cloud(panel: Panel, cloud: SimulatedCloud, count: int, sentence: str) -> None:
    """Delete the newest finished jobs while each answer takes 1.5 s. The dialog must have the sentence on undo."""
    await panel.select(newest_first(cloud.finished)[:count])
    opened = await panel.ask_to_delete(count)
    await expect(opened.locator(".cch-dp")).to_contain_text(sentence)
    cloud.switches.latency = 1.5
    await opened.locator(".cch-btn.danger").click()
    await expect(opened).to_have_count(0)


@pytest.mark.deep
@pytest.mark.stage(connected=True, hold_seconds=2)
async def test_a_backup_is_announced_shown_also_after_a_reload_and_can_be_stopped_without_loss(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    back_up_after(host, 2)
    panel = await open_list(page, cloud)
    await delete_from_a_slow_cloud(panel, cloud, 20, "and then stop it while the backup is made")
    await expect(panel.cards).to_contain_text(re.compile(r"Backup starts in [12] s, then 20 jobs are removed"))
    await expect(panel.cards).to_contain_text("and 19 more")
    await expect(panel.cards).to_contain_text("Backing up workflows…", timeout=15_000)
    await expect(panel.cards).to_contain_text("Nothing has been deleted yet.")

    # A reloaded page shows the backup in a toast that can stop it, or says where it can be stopped.
    await page.reload()
    await page.wait_for_function(READY)
    running = toasts(page, "Backing up workflows…")
    await expect(running).to_contain_text("Nothing has been deleted yet.")
    if await toasts_have_buttons(page):
        await button(running, "Stop").click()
        await expect(toasts(page, "Nothing was deleted")).to_be_visible(timeout=10_000)
        panel = await open_panel(page)
    else:
        await expect(running).to_contain_text("Open Cloud history to stop it.")
        panel = await open_panel(page)
        await expect(toasts(page)).to_have_count(0)
        await button(panel.cards, "Stop").click()
    await expect(panel.cards).to_contain_text("Nothing was deleted", timeout=10_000)
    cloud.switches.latency = 0
    assert cloud.history_posts == []


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_a_deletion_without_time_to_undo_can_be_stopped_during_its_backup(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    back_up_after(host, 0)
    panel = await open_list(page, cloud)
    await delete_from_a_slow_cloud(panel, cloud, 6, "The backup starts at once.")
    await expect(panel.cards).to_contain_text("Backing up workflows…", timeout=15_000)
    await button(panel.cards, "Stop").click()
    await expect(panel.cards).to_contain_text("Nothing was deleted", timeout=10_000)
    cloud.switches.latency = 0
    assert cloud.history_posts == []
    await button(panel.cards, "Dismiss").click()
    await panel.delete(6)
    await expect_removed(page, 6)
