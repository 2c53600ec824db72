"""The example workflows open and run in ComfyUI's real page, and delete nothing unless they are changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from browser.comfy_page import load_workflow, open_comfyui, press_run, widget_values
from browser.conftest import ONE_FRONTEND
from hosts import CHECKOUT, HostProcess
from simulated_cloud import SimulatedCloud

EXAMPLES = CHECKOUT / "example_workflows"
HARMLESS: dict[str, tuple[str, dict[str, Any]]] = {
    "delete-cloud-jobs": ("CloudHistoryDeleteJobs", {"job_ids": "", "dry_run": True}),
    "clean_up_failed_jobs": ("CloudHistoryDeleteJobs", {"dry_run": True}),
    "clean-up-cloud-history": (
        "CloudHistoryPrune",
        {"keep_last": 20, "keep_within": "30d", "allow_large": False, "dry_run": True, "backup": "setting"},
    ),
    "clear-cloud-history": ("CloudHistoryClear", {"clear": False}),
    "list-save-and-delete": ("CloudHistoryDeleteJobs", {"dry_run": True, "backup": "setting"}),
}


def read(file: Path) -> dict[str, Any]:
    workflow: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return workflow


def test_this_file_lists_every_example_workflow() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.json")} == set(HARMLESS)


@ONE_FRONTEND
@pytest.mark.stage(connected=True, env={"COMFY_CLOUD_HISTORY_NODES": "allow"})
async def test_without_approvals_an_example_deletes_nothing_until_a_job_id_is_pasted(
    page: Page, cloud: SimulatedCloud
) -> None:
    await page.evaluate(
        "() => window.app.api.addEventListener('executed', event => { window.shown = event.detail.output.text })"
    )
    for name in HARMLESS:
        await run_as_shipped(page, cloud, name)
        assert cloud.history_posts == []
    await paste_a_job_and_run(page, cloud)


async def run_as_shipped(page: Page, cloud: SimulatedCloud, name: str) -> None:
    """Open an example, check the values of its node, and press Run."""
    class_type, values = HARMLESS[name]
    await load_workflow(page, read(EXAMPLES / f"{name}.json"))
    # A node adds a widget with its report to the saved ones.
    assert (await widget_values(page, class_type)).items() >= values.items()
    if name == "delete-cloud-jobs":
        some = cloud.finished[0].id
        await page.evaluate("id => { window.app.graph.getNodeById(2).widgets[0].value = id }", some)
    await page.evaluate("() => { window.shown = undefined }")
    await press_run(page)
    await page.wait_for_function("() => window.shown?.length")


async def paste_a_job_and_run(page: Page, cloud: SimulatedCloud) -> None:
    """Switch the dry run off, paste one job id, and check that only this job is deleted."""
    chosen = cloud.finished[0]
    await load_workflow(page, read(EXAMPLES / "delete-cloud-jobs.json"))
    await page.evaluate(
        """id => {
            const [ids, dryRun] = window.app.graph.getNodeById(2).widgets;
            ids.value = id;
            dryRun.value = false;
            window.shown = undefined;
        }""",
        chosen.id,
    )
    await press_run(page)
    await page.wait_for_function("() => window.shown?.length")
    assert cloud.history_posts == [{"delete": [chosen.id]}]
    assert cloud.deleted == [chosen]


@pytest.mark.stage(connected=True)
async def test_a_fresh_clean_up_node_runs_as_it_is_and_only_says_what_would_go(
    page: Page, cloud: SimulatedCloud
) -> None:
    await page.evaluate(
        """() => {
            const { app, LiteGraph } = window;
            app.graph.clear();
            app.graph.add(LiteGraph.createNode('CloudHistoryPrune'));
            app.api.addEventListener('executed', event => { window.shown = event.detail.output.text });
            app.api.addEventListener('execution_error', event => { window.shown = [event.detail.exception_message] });
        }"""
    )
    fresh = {"keep_last": 20, "keep_within": "30d", "dry_run": True}
    assert (await widget_values(page, "CloudHistoryPrune")).items() >= fresh.items()
    await press_run(page)
    await page.wait_for_function("() => window.shown?.length")
    report = await page.evaluate("() => window.shown[0]")
    assert report.startswith("Dry run: nothing was sent."), report
    assert cloud.history_posts == []


@ONE_FRONTEND
async def test_the_playground_s_first_page_shows_an_example_whose_nodes_are_all_known_and_in_view(
    page: Page, host: HostProcess
) -> None:
    await open_comfyui(page, host.example_url)
    await page.wait_for_function(
        "() => window.app.graph.nodes.some(node => node.type === 'CloudHistoryDeleteJobs')", timeout=15_000
    )
    await page.wait_for_function(
        """() => {
            const { ds, canvas, graph } = window.app.canvas;
            const [left, top] = [-ds.offset[0], -ds.offset[1]];
            const [right, bottom] = [left + canvas.clientWidth / ds.scale, top + canvas.clientHeight / ds.scale];
            return graph.nodes.every(({ pos, size }) => pos[0] >= left && pos[1] >= top
                && pos[0] + size[0] <= right && pos[1] + size[1] <= bottom);
        }"""
    )
    unknown = "() => window.app.graph.nodes.filter(node => node.has_errors).map(node => node.type)"
    assert await page.evaluate(unknown) == []
