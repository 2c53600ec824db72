"""One job in the panel: its details, its workflow, its pictures, and cancelling it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import Page, Request, expect

from browser.comfy_page import button, dialog, toasts
from browser.conftest import ONE_FRONTEND
from browser.panel_page import Panel, newest_first, open_list
from simulated_cloud import Fault, SimulatedCloud, SimulatedJob

MARK_THE_CANVAS = """() => {
    const { app } = window;
    app.graph.add(window.LiteGraph.createNode('PreviewAny'));
    app.graph.nodes.at(-1).title = 'not saved anywhere';
    app.extensionManager.workflow.activeWorkflow.changeTracker.checkState();
    return app.extensionManager.workflow.activeWorkflow.path;
}"""
TABS = "() => window.app.extensionManager.workflow.openWorkflows.map(each => each.path)"
TITLES = "() => window.app.graph.nodes.map(node => node.title)"
SWITCH = """async path => {
    const { workflow } = window.app.extensionManager;
    await window.app.loadGraphData(workflow.getWorkflowByPath(path).activeState, true, true,
        workflow.getWorkflowByPath(path));
}"""


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True)
async def test_the_panel_shows_error_details_and_images_and_cancels_a_running_job(
    page: Page, cloud: SimulatedCloud
) -> None:
    failed = cloud.add_job("failed", error_kind=0)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))
    panel = await open_list(page, cloud)
    await read_and_copy_the_details(panel, failed)
    await look_at_the_pictures(panel, cloud)
    await expect_pictures_by_our_route_and_no_key(sent, cloud)
    await panel.root.get_by_role("button", name="Back to the list").click()
    await panel.search("")
    await cancel_where_the_server_can(panel, cloud)


async def read_and_copy_the_details(panel: Panel, job: SimulatedJob) -> None:
    """Check the failed node, the error, the folded traceback, and the copy buttons."""
    page = panel.page
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await panel.row(job).dblclick()
    details = panel.root.locator(".cch-details")
    await expect(details).to_contain_text("KSampler (node 3)")
    await expect(details).to_contain_text("Allocation on device 0 would exceed allowed memory.")
    trace = details.locator("pre")
    await expect(trace).to_be_hidden()
    await details.get_by_text("Traceback").click()
    await expect(trace).to_contain_text("denoise.py")
    for label, text in {"Copy job ID": job.id, "Copy workflow ID": job.workflow_id or ""}.items():
        if text:
            await details.get_by_role("button", name=label).click()
            assert await page.evaluate("() => navigator.clipboard.readText()") == text
    await button(details, "Copy error").click()
    copied = await page.evaluate("() => navigator.clipboard.readText()")
    assert "KSampler (node 3)" in copied
    assert "denoise.py" in copied
    await details.get_by_role("button", name="Back to the list").click()
    await expect(panel.list).to_be_focused()
    await expect(details).to_have_count(0)


@pytest.mark.stage(connected=True)
async def test_a_workflow_opens_in_a_new_tab_and_can_be_downloaded(
    page: Page, cloud: SimulatedCloud, tmp_path: Path
) -> None:
    job = next(job for job in newest_first(cloud.listed("completed")) if job.files)
    mine = await page.evaluate(MARK_THE_CANVAS)
    before = await page.evaluate(TABS)
    panel = await open_list(page, cloud)
    await panel.row(job).dblclick()
    details = panel.root.locator(".cch-details")
    await button(details, "Open workflow").click()
    await expect(toasts(page, "Workflow opened in a new tab")).to_be_visible()
    after = await page.evaluate(TABS)
    assert mine in after
    assert len(after) == len(before) + 1
    assert "not saved anywhere" not in await page.evaluate(TITLES)
    # The second time it opens in another new tab, and does not replace the first.
    await button(details, "Open workflow").click()
    await page.wait_for_function(f"count => ({TABS})().length === count", arg=len(before) + 2)
    await page.evaluate(SWITCH, mine)
    assert "not saved anywhere" in await page.evaluate(TITLES)

    async with page.expect_download() as started:
        await details.get_by_role("button", name="Download workflow").click()
    saved = tmp_path / "workflow.json"
    download = await started.value
    await download.save_as(saved)
    assert job.id[:8] in download.suggested_filename
    assert json.loads(saved.read_text("utf-8"))["nodes"]


async def look_at_the_pictures(panel: Panel, cloud: SimulatedCloud) -> None:
    """Check that rows show pictures as blobs, and that the details show each output."""
    shown = panel.rows.locator("img:not([hidden])")
    await expect(shown.first).to_be_visible()
    addresses = await shown.evaluate_all("images => images.map(image => image.src)")
    assert all(address.startswith("blob:") for address in addresses)
    pictured = next(
        job for job in newest_first(cloud.listed("completed")) if job.media == "images" and len(job.files) > 1
    )
    await panel.search(pictured.id)
    # Before, the row moves, and the second click hits another row or a picture.
    await expect(panel.rows).to_have_count(1)
    await panel.row(pictured).locator(".cch-name").dblclick()
    outputs = panel.root.locator(".cch-outgrid img:not([hidden])")
    await expect(outputs).to_have_count(len(pictured.files))


async def expect_pictures_by_our_route_and_no_key(sent: list[Request], cloud: SimulatedCloud) -> None:
    """Check that pictures are requested with our header, and that neither the browser nor the storage gets the key."""
    asked = [request for request in sent if "/cloud_history/thumbnail" in request.url]
    assert asked
    for request in asked:
        assert (await request.all_headers()).get("x-cloud-history") == "1"
    for request in sent:
        heard = request.url + json.dumps(await request.all_headers()) + (request.post_data or "")
        assert cloud.api_key not in heard
    assert cloud.storage_requests
    assert all("X-API-Key" not in request.headers for request in cloud.storage_requests)


async def cancel_where_the_server_can(panel: Panel, cloud: SimulatedCloud) -> None:
    """Cancel a running job, and check that cancelling is no longer offered after the server refused."""
    page = panel.page
    running, waiting = cloud.listed("in_progress")[0], cloud.listed("pending")[0]
    await panel.row(running).hover()
    await panel.row(running).get_by_text("Cancel job").click()
    opened = dialog(page, "Cancel this job?")
    await expect(button(opened, "Keep it running")).to_be_focused()
    await expect(opened).to_contain_text(
        "It stops now, and its unfinished work is lost. It stays in your history as cancelled."
    )
    await button(opened, "Cancel job").click()
    await expect(toasts(page, "1 job cancelled")).to_be_visible()
    await expect(panel.row(running)).to_contain_text("Cancelled")
    assert running.status == "cancelled"

    cloud.faults.append(Fault(("POST", "/api/jobs/cancel"), "status", times=None, status=404))
    await panel.row(waiting).hover()
    await panel.row(waiting).get_by_text("Cancel job").click()
    await button(dialog(page, "Cancel this job?"), "Cancel job").click()
    await expect(toasts(page, "No job was cancelled")).to_be_visible()
    await expect(panel.row(waiting).get_by_text("Cancel job")).to_be_hidden()
    await panel.select([waiting])
    await expect(panel.root.get_by_role("button", name="Cancel")).to_have_count(0)
    await expect(button(panel.root, "Delete…")).to_be_disabled()
    assert waiting.status == "pending"
