"""More states without a violation of WCAG 2.2 A and AA: without a list, light, with large text, from right to left."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from browser.accessibility import Inspection
from browser.comfy_page import (
    button,
    choose_in_menu,
    dialog,
    load_workflow,
    press_run,
    run_command,
    set_direction,
    toasts,
)
from browser.conftest import ONE_FRONTEND
from browser.panel_page import Panel, open_list, open_panel
from browser.test_accessibility import JOBS, RESTED, close_dialog, confirm_deletion, open_page, select_jobs
from browser.test_asking import clear_graph
from simulated_cloud import Fault, SimulatedCloud

pytestmark = pytest.mark.deep

# Other tests check ComfyUI's dark palette and its light one.
OTHER_PALETTES = ("solarized", "arc", "nord", "github")
SET_PALETTE = "name => window.app.extensionManager.setting.set('Comfy.ColorPalette', name)"


@ONE_FRONTEND
async def test_states_without_a_list_have_no_violation(
    page: Page, cloud: SimulatedCloud, inspection: Inspection
) -> None:
    panel = await open_panel(page)
    await expect(button(panel.root, "Connect…")).to_be_visible()
    await inspection.see("no key")
    await button(panel.root, "Connect…").click()
    key = dialog(page).get_by_placeholder("Paste your API key")
    await expect(key).to_be_focused()
    await inspection.see("connect dialog")
    await key.fill("comfyui-wrong")
    await page.keyboard.press("Enter")
    await expect(dialog(page).get_by_role("alert")).to_contain_text("refused")
    await inspection.see("connect dialog with a refused key")
    cloud.faults[:] = [Fault(JOBS, "slow", times=None, seconds=3.0)]
    await key.fill(cloud.api_key)
    await page.keyboard.press("Enter")
    await expect(panel.root.locator(".cch-skel").first).to_be_visible()
    await inspection.see("list loading")
    cloud.faults[:] = [Fault(JOBS, "status", times=None, status=500)]
    await expect(button(panel.root, "Try again")).to_be_visible(timeout=20_000)
    await inspection.see("error")
    cloud.faults.clear()
    await button(panel.root, "Try again").click()
    await expect(panel.rows.first).to_be_visible()
    cloud.faults[:] = [Fault(JOBS, "reset_before_body", times=None)]
    await panel.root.get_by_role("button", name="Refresh", exact=True).first.click()
    await expect(panel.root.locator(".cch-zone.top .cch-card")).to_be_visible(timeout=20_000)
    await inspection.see("offline with an old list")
    cloud.faults.clear()
    cloud.account.delete([job.id for job in cloud.finished], 0)
    for job in cloud.active:
        cloud.finish(job.id)
    cloud.account.delete([job.id for job in cloud.finished], 0)
    await panel.root.get_by_role("button", name="Refresh", exact=True).first.click()
    await expect(panel.root).to_contain_text("No jobs in your cloud history")
    await inspection.see("empty")
    await run_command(page, "CloudHistory.Connect")
    await button(dialog(page), "Remove key…").click()
    await expect(button(dialog(page), "Remove key")).to_be_visible()
    await inspection.see("dialog that removes the key")
    await close_dialog(page)


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60, settings={"Comfy.ColorPalette": "light"})
async def test_the_light_palette_large_text_and_right_to_left_have_no_violation(
    page: Page, cloud: SimulatedCloud, inspection: Inspection
) -> None:
    panel = await open_list(page, cloud)
    for name, direction, size in (
        ("light", "ltr", ""),
        ("light, right to left", "rtl", ""),
        ("200 % text", "ltr", "200%"),
    ):
        await set_direction(page, direction)
        await page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
        await page.evaluate(RESTED)
        await see_the_main_states(panel, inspection, name)
    await page.evaluate("() => { document.documentElement.style.fontSize = '' }")


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=60)
async def test_the_main_states_have_enough_contrast_in_every_palette(page: Page, cloud: SimulatedCloud) -> None:
    inspection = Inspection(page, contrast_alone=True)
    panel = await open_list(page, cloud)
    for name in OTHER_PALETTES:
        await page.evaluate(SET_PALETTE, name)
        await page.evaluate(RESTED)
        await see_the_main_states(panel, inspection, name)
    assert not inspection.report()


async def see_the_main_states(panel: Panel, inspection: Inspection, name: str) -> None:
    """Check the states that a person sees most."""
    page = panel.page
    await select_jobs(panel, 2)
    await inspection.see(f"{name}: selection")
    await panel.list.press("Enter")
    await expect(panel.root.locator(".cch-details .cch-scroll")).to_have_attribute("aria-busy", "false")
    await inspection.see(f"{name}: details")
    await page.keyboard.press("Escape")
    await panel.list.press("Delete")
    await panel.delete_dialog()
    await inspection.see(f"{name}: delete dialog")
    await confirm_deletion(panel)
    await inspection.see(f"{name}: hold")
    await button(panel.cards, "Undo").press("Enter")
    await expect(panel.cards).to_have_count(0)
    clean_up = await open_page(panel, "Clean up…")
    await expect(clean_up.locator("[aria-busy=true]")).to_have_count(0)
    await inspection.see(f"{name}: clean up")
    await page.keyboard.press("Escape")


@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_the_settings_and_the_approval_dialog_have_no_violation(
    page: Page, cloud: SimulatedCloud, inspection: Inspection
) -> None:
    await choose_in_menu(page, "Settings")
    await page.get_by_text("Cloud history", exact=True).last.click()
    days = page.get_by_role("spinbutton", name="Keep backups for (days)")
    await expect(days).to_be_enabled()
    await inspection.see("settings")
    await days.fill("0")
    await days.press("Tab")
    await expect(page.get_by_text("1 to 36,500.")).to_be_visible()
    await inspection.see("settings with a refused number")
    await page.keyboard.press("Escape")
    await load_workflow(page, clear_graph())
    await press_run(page)
    asked = dialog(page, "Let this workflow delete")
    await expect(button(asked, "Skip")).to_be_enabled()
    await inspection.see("approval dialog")
    await page.keyboard.press("Escape")
    await expect(toasts(page, "Nothing was deleted")).to_be_visible()
