"""The report that a node shows after a run, in classic mode and in Nodes 2.0."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from browser.comfy_page import load_workflow, press_run
from browser.conftest import ONE_FRONTEND
from simulated_cloud import Fault, SimulatedCloud

ALLOWED = {"COMFY_CLOUD_HISTORY_NODES": "allow"}
BOTH_MODES = pytest.mark.parametrize(
    "mode",
    [
        pytest.param("classic", marks=pytest.mark.stage(connected=True, env=ALLOWED)),
        pytest.param(
            "nodes 2.0",
            marks=pytest.mark.stage(connected=True, env=ALLOWED, settings={"Comfy.VueNodes.Enabled": True}),
        ),
    ],
)


def delete_graph(job_ids: list[str]) -> dict[str, Any]:
    values = ["\n".join(job_ids), False]
    node = {"id": 1, "type": "CloudHistoryDeleteJobs", "pos": [200, 200], "widgets_values": values}
    return {"version": 0.4, "last_node_id": 1, "last_link_id": 0, "nodes": [node], "links": []}


@ONE_FRONTEND
@BOTH_MODES
async def test_a_node_shows_its_report_and_a_failed_run_removes_the_old_report(
    page: Page, cloud: SimulatedCloud, mode: str
) -> None:
    job_ids = [job.id for job in cloud.finished[:3]]
    await load_workflow(page, delete_graph(job_ids))
    await press_run(page)
    report = page.get_by_label("Report")
    await expect(report).to_have_value(re.compile("3 jobs removed from your cloud history"))
    assert cloud.history_posts == [{"delete": job_ids}]
    saved = await page.evaluate("() => JSON.stringify(window.app.graph.serialize())")
    assert "removed from your" not in saved

    cloud.faults.append(Fault(("POST", "/api/history"), "status", times=None, status=403))
    await press_run(page)
    await expect(report).to_have_value(re.compile("No job was removed"))
