"""The messages of the panel when there are no jobs, or when the list is unreliable."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from browser.comfy_page import button, choose_in_menu, dialog
from browser.conftest import ONE_FRONTEND
from browser.panel_page import Panel, newest_first, open_panel
from hosts import HostProcess
from simulated_cloud import Fault, SimulatedCloud
from simulated_cloud.error_shapes import ErrorShape, message_only, rate_limited, subscription_inactive

JOBS = ("GET", "/api/jobs")
TROUBLES: dict[str, tuple[ErrorShape, str]] = {
    "Your API key was refused": (message_only(401, "unknown key"), "unknown key"),
    "This key can’t manage your history": (message_only(403, "not yours"), "not yours"),
    "This needs a Comfy Cloud subscription": (subscription_inactive(), "Look at your plan"),
    "Too many requests in a short time": (rate_limited("120"), "Try again in 120 s."),
}


async def refresh(panel: Panel) -> None:
    """Refresh the list."""
    await panel.root.get_by_role("button", name="Refresh", exact=True).first.click()


@ONE_FRONTEND
async def test_without_a_key_the_panel_offers_to_connect(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_panel(page)
    await expect(panel.root).to_contain_text("Add your API key once to see and tidy the jobs")
    await panel.root.evaluate("root => { root.style.width = '1100px' }")
    columns, beside = panel.root.locator(".cch-thead"), panel.root.locator(".cch-side")
    await expect(columns, "without a list there are no columns").to_be_hidden()
    await expect(beside, "without a list there is nothing beside it").to_have_js_property("offsetWidth", 0)
    assert cloud.requests == []
    await button(panel.root, "Connect…").click()
    await dialog(page).get_by_placeholder("Paste your API key").fill(cloud.api_key)
    await page.keyboard.press("Enter")
    await panel.expect_count(0, 24, 24)
    await expect(columns).to_be_visible()
    await panel.search("no such job")
    await expect(columns, "nothing is found").to_be_hidden()
    await panel.search("")
    await expect(columns).to_be_visible()
    await expect(beside).not_to_have_js_property("offsetWidth", 0)
    await panel.root.evaluate("root => { root.style.width = '' }")
    await button(panel.root, "More").click()
    await expect(panel.root.get_by_role("menu")).to_contain_text(f"Key ending in {cloud.api_key[-4:]}")


@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_the_panel_names_each_error_until_it_is_over_and_keeps_the_list_while_offline(
    page: Page, cloud: SimulatedCloud
) -> None:
    panel = await expect_each_error(page, cloud)
    await go_offline_and_online_again(panel, cloud)


async def expect_each_error(page: Page, cloud: SimulatedCloud) -> Panel:
    """Check that each error replaces the list until it is over."""
    panel: Panel | None = None
    for title, (shape, words) in TROUBLES.items():
        cloud.faults[:] = [Fault.shaped(JOBS, shape, times=None)]
        if panel is None:
            panel = await open_panel(page)
        else:
            await button(panel.root, "Try again").click()
        state = panel.root.locator(".cch-state").filter(has=page.get_by_role("heading", name=title))
        await expect(state).to_contain_text(words, timeout=20_000)
        await expect(panel.root.get_by_role("alert")).to_have_text(title)
        await expect(panel.rows).to_have_count(0)
    assert panel
    cloud.faults.clear()
    await button(panel.root, "Try again").click()
    await panel.expect_count(0, 24, 24)
    return panel


async def go_offline_and_online_again(panel: Panel, cloud: SimulatedCloud) -> None:
    """Check that the list stays while offline, and that nothing can be deleted."""
    chosen = newest_first(cloud.finished)[0]
    await panel.select([chosen])
    cloud.faults.append(Fault(JOBS, "reset_before_body", times=None))
    await refresh(panel)
    banner = panel.root.locator(".cch-card").filter(has_text="The connection was lost")
    await expect(banner).to_contain_text("You can look, but not delete.", timeout=20_000)
    await expect(panel.count).to_contain_text("1 selected")
    await expect(button(panel.root, "Delete 1…")).to_be_disabled()
    await panel.list.press("Delete")
    await expect(dialog(panel.page)).to_have_count(0)
    await panel.list.press("Escape")
    await expect(panel.count).to_contain_text("24 jobs at ")
    await panel.select([chosen])

    cloud.faults.clear()
    await button(banner, "Try again").click()
    await expect(banner).to_have_count(0)
    await expect(button(panel.root, "Delete 1…")).to_be_enabled()


@ONE_FRONTEND
@pytest.mark.stage(jobs=0, connected=True)
async def test_the_panel_says_that_the_history_is_empty_until_a_job_arrives(page: Page, cloud: SimulatedCloud) -> None:
    panel = await open_panel(page)
    await expect(panel.root).to_contain_text("No jobs in your cloud history")
    cloud.add_job("completed")
    await button(panel.root.locator(".cch-state"), "Refresh").click()
    await panel.expect_count(0, 1, 1)


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=2000, connected=True)
async def test_the_panel_says_that_a_list_is_incomplete(page: Page, cloud: SimulatedCloud) -> None:
    cloud.faults.append(Fault(JOBS, "status", after=1, times=None, status=500))
    panel = await open_panel(page)
    await expect(panel.count).to_have_text("At least 1,000 jobs", timeout=30_000)
    await expect(panel.tab("All")).to_contain_text("1,000+")
    cloud.faults.clear()
    await panel.root.locator(".cch-zone.top").get_by_role("button", name="again").click()
    await panel.expect_count(0, 2000, 2000)


# Finds visible texts whose contrast with their background is below 4.5, by WCAG's formula.
CONTRASTS = r"""root => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
    const paint = canvas.getContext('2d', { willReadFrequently: true });
    const over = (layers) => {
        paint.clearRect(0, 0, 1, 1);
        for (const colour of layers) { paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1); }
        return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (colour) => colour.map(part => part / 255)
        .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    const faint = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement;
        if (!node.data.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
        if (element.closest('.cch-unseen, [disabled], [aria-disabled=true]')) continue;
        const layers = [];
        for (let at = element; at; at = at.parentElement) layers.unshift(getComputedStyle(at).backgroundColor);
        const ground = light(over(['white', ...layers]));
        const text = light(over(['white', ...layers, getComputedStyle(element).color]));
        const contrast = (Math.max(ground, text) + 0.05) / (Math.min(ground, text) + 0.05);
        if (contrast < 4.5) faint.push(`${node.data} ${contrast.toFixed(2)}`);
    }
    return faint;
}"""


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_a_setting_that_cannot_be_saved_is_reported_with_its_own_message(page: Page, host: HostProcess) -> None:
    (host.state_dir / "settings.gate").mkdir(parents=True)  # a folder at the path of the lock file
    await choose_in_menu(page, "Settings")
    await page.get_by_text("Cloud history", exact=True).last.click()
    days = page.get_by_role("spinbutton", name="Keep backups for (days)")
    await expect(days).to_be_enabled()
    await days.fill("7")
    await days.press("Tab")
    told = "The setting can’t be saved. settings.gate is a folder and not a file. Remove it."
    await expect(page.get_by_text(told, exact=True)).to_be_visible()
    assert not (host.state_dir / "settings.json").exists()
