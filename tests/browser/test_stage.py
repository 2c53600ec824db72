"""The test stage itself: ComfyUI's real page starts, runs a graph and sends no request to other machines."""

from __future__ import annotations

from functools import partial

import pytest
from playwright.async_api import Page, Request, expect

from browser.comfy_page import (
    button,
    choose_cloud_history,
    choose_in_canvas_menu,
    choose_in_menu,
    dialog,
    load_workflow,
    press_run,
    toasts,
)
from browser.conftest import ONE_FRONTEND
from browser.tabs import forget
from hosts import HostProcess

TEXT_GRAPH = {
    "version": 0.4,
    "last_node_id": 2,
    "last_link_id": 1,
    "nodes": [
        {
            "id": 1,
            "type": "PrimitiveString",
            "pos": [100, 200],
            "size": [300, 60],
            "inputs": [{"name": "value", "type": "STRING", "widget": {"name": "value"}, "link": None}],
            "outputs": [{"name": "STRING", "type": "STRING", "links": [1]}],
            "widgets_values": ["shown by the real frontend"],
        },
        {
            "id": 2,
            "type": "PreviewAny",
            "pos": [500, 200],
            "size": [300, 120],
            "inputs": [{"name": "source", "type": "*", "link": 1}],
            "outputs": [],
        },
    ],
    "links": [[1, 1, 0, 2, 0, "STRING"]],
}


async def test_the_page_has_our_menu_and_a_queued_graph_shows_its_text_or_its_error(page: Page) -> None:
    await choose_cloud_history(page, "Connect to Comfy Cloud…")
    await button(dialog(page, "Connect to Comfy Cloud"), "Cancel").click()
    await expect(dialog(page)).to_have_count(0)

    await page.evaluate(
        "() => window.app.api.addEventListener('executed', event => { window.shown = event.detail.output.text })"
    )
    await load_workflow(page, TEXT_GRAPH)
    await press_run(page)
    shown = await page.wait_for_function("() => window.shown")
    assert await shown.json_value() == ["shown by the real frontend"]

    graph = {"nodes": [{"id": 1, "type": "PlaygroundFail", "pos": [100, 200], "widgets_values": ["on purpose"]}]}
    await load_workflow(page, {"version": 0.4, "links": [], **graph})
    await press_run(page)
    await page.wait_for_function("() => window.app.lastExecutionError?.exception_message.includes('on purpose')")


@pytest.mark.deep
@pytest.mark.stage(settings={"Comfy.ColorPalette": "light"})
async def test_the_stage_reaches_settings_toasts_menus_and_dialogs(page: Page) -> None:
    palette = await page.evaluate("() => window.app.extensionManager.setting.get('Comfy.ColorPalette')")
    assert palette == "light"
    await page.evaluate(
        "() => { window.app.extensionManager.toast.add({severity: 'info', summary: 'Sum', detail: 'Detail'}) }"
    )
    await expect(toasts(page, "Detail")).to_have_count(1)
    await choose_in_menu(page, "Settings")
    await expect(dialog(page).first).to_be_visible()


@ONE_FRONTEND
async def test_external_requests_are_aborted_and_counted_and_the_canvas_menu_has_our_entry(
    page: Page, external_requests: list[str]
) -> None:
    await choose_in_canvas_menu(page, "Cloud history", "Connect to Comfy Cloud…")
    await expect(dialog(page, "Connect to Comfy Cloud")).to_be_visible()
    # This page has no content policy. ComfyUI 0.33.0's policy blocks these requests before they are sent.
    await page.goto("about:blank")
    for address in ("https://example.com/", "http://192.0.2.1/", "http://[2001:db8::1]/"):
        async with page.expect_event("requestfailed", partial(is_for, address)) as failed:
            await page.evaluate("address => fetch(address, {mode: 'no-cors'}).catch(() => {})", address)
        assert (await failed.value).failure == "net::ERR_NAME_NOT_RESOLVED"
        assert address in external_requests
        external_requests.remove(address)


@pytest.mark.deep
@ONE_FRONTEND
async def test_browser_storage_is_cleared_before_the_next_test(page: Page, host: HostProcess) -> None:
    await page.evaluate("() => { sessionStorage.mark = localStorage.mark = window.name = document.cookie = 'x=1' }")
    await page.goto("about:blank")
    await forget(page, host.base_url)
    await page.goto(f"{host.base_url}/api/users")
    left = "() => [sessionStorage.length, localStorage.length, window.name, document.cookie]"
    assert await page.evaluate(left) == [0, 0, "", ""]


def is_for(address: str, sent: Request) -> bool:
    """Return whether a request went to this address."""
    return sent.url == address
