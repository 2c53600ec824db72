"""Extensions > Cloud history > Connect to Comfy Cloud…, as a person clicks it."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Page, expect

from browser.comfy_page import button, choose_cloud_history, dialog, toasts
from browser.conftest import ONE_FRONTEND
from hosts import HostProcess
from simulated_cloud import Fault, SimulatedCloud

CONNECT = "Connect to Comfy Cloud…"
TITLE = "Connect to Comfy Cloud"


async def test_no_jobs_are_requested_before_a_key_is_tested_and_saved_and_the_browser_never_gets_the_key(
    page: Page, cloud: SimulatedCloud, host: HostProcess, asked: list[str]
) -> None:
    assert any("/extensions/comfy-cloud-history/" in address for address in asked)
    assert [address for address in asked if "cloud_history" in address] == []
    assert cloud.requests == []

    await choose_cloud_history(page, CONNECT)
    opened = dialog(page, TITLE)
    field = opened.get_by_placeholder("Paste your API key")
    assert await field.get_attribute("type") == "password"
    await field.fill(f'  "{cloud.api_key}"\n')
    await field.press("Enter")
    await expect(toasts(page, "Connected to Comfy Cloud")).to_be_visible()
    assert json.loads((host.state_dir / "api_key.json").read_text()) == {"api_key": cloud.api_key}
    assert [request.path for request in cloud.requests] == ["/api/user"]
    stored = await page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert cloud.api_key not in stored
    assert cloud.api_key not in (host.base_dir / "user/default/comfy.settings.json").read_text()
    assert cloud.api_key not in host.log()


@ONE_FRONTEND
async def test_a_refused_key_is_not_saved_and_an_untested_key_only_on_request(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    await choose_cloud_history(page, CONNECT)
    opened = dialog(page, TITLE)
    await opened.get_by_placeholder("Paste your API key").fill("comfyui-not-the-key-of-anybody")
    await button(opened, "Test and save").click()
    await expect(opened).to_contain_text("Your API key was refused. It may have been revoked, or not copied whole.")
    assert not (host.state_dir / "api_key.json").exists()
    assert len(cloud.requests) == 1

    cloud.faults.append(Fault(("GET", "/api/user"), "status", times=None, status=503))
    await opened.get_by_placeholder("Paste your API key").fill(cloud.api_key)
    await button(opened, "Test and save").click()
    await button(opened, "Save without testing").click(timeout=20_000)
    await expect(toasts(page, "API key saved, not tested")).to_be_visible()
    assert (host.state_dir / "api_key.json").exists()


@pytest.mark.deep
@ONE_FRONTEND
async def test_clearing_without_a_key_asks_for_a_key_which_can_be_removed(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    await choose_cloud_history(page, "Clear cloud history…")
    opened = dialog(page, TITLE)
    await opened.get_by_placeholder("Paste your API key").fill(cloud.api_key)
    await button(opened, "Test and save").click()
    asked = dialog(page, "Clear your cloud history?")
    await expect(asked).to_contain_text("will be removed")
    assert cloud.history_posts == []
    await button(asked, "Cancel").click()
    await expect(asked).to_have_count(0)

    await choose_cloud_history(page, CONNECT)
    connection = dialog(page, "Connection")
    await expect(connection).to_contain_text(f"Ending in {cloud.api_key[-4:]}, saved on this server")
    await button(connection, "Remove key…").click()
    await button(dialog(page, "Remove the key from this server?"), "Remove key").click()
    await expect(toasts(page, "The key was removed from this server")).to_be_visible()
    assert not (host.state_dir / "api_key.json").exists()


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_the_connect_dialog_says_that_the_key_is_from_the_environment(page: Page, cloud: SimulatedCloud) -> None:
    await choose_cloud_history(page, CONNECT)
    connection = dialog(page, "Connection")
    await expect(connection).to_contain_text("from COMFY_CLOUD_API_KEY")
    await expect(button(connection, "Remove key…")).to_have_count(0)
