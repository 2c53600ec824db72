"""Fixtures for the routes: served on a bare application, connected to the simulated cloud."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from cloud_history.state.node_reports import NodeReports
from simulated_cloud import SimulatedCloud
from support.route_stage import Gate, Stage, serving


@pytest_asyncio.fixture
async def stage(cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path) -> AsyncIterator[Stage]:
    """The routes with the key from the environment, as ComfyUI would serve them. Nothing is held before it is sent."""
    async with serving(cloud, tmp_path / "state", environ) as stage:
        stage.operations.settings.change(hold_seconds=0, backup="off")
        yield stage


@pytest_asyncio.fixture
async def target(stage: Stage) -> AsyncIterator[Stage]:
    """Routes with previews, a hold, a lost hold, a question and an unresolved operation: everything there is to
    attack.
    """
    stage.operations.queue.in_flight.begin(stage.unresolved)
    pictures = [job.id for job in stage.cloud.listed("completed") if job.files and job.media == "images"]
    first, second, third, fourth = pictures[:4]
    stage.hold = (await stage.held(ids=[first]))["id"]
    await stage.set_hold(0)
    stage.job, stage.file = third, stage.cloud.jobs[third].files[0]
    await stage.issue_ticket()
    stage.token = (await stage.preview())["token"]
    stage.delete_token = (await stage.preview(ids=[second]))["token"]
    lost = {"id": stage.lost_hold, "kind": "delete", "jobs": 1, "ids": [first]}
    (stage.folder / "holds" / f"{stage.lost_hold}.json").write_text(json.dumps(lost))
    await stage.back_up(third)
    stage.report = NodeReports(stage.folder).keep("12", "Stopped: 2 of 12 jobs removed.")
    # Otherwise the cloud would draw the pictures of all its jobs, to tell the sizes of its assets.
    stage.cloud.switches.has_assets_route = False
    await stage.prepare_saves(third, fourth)
    question = await stage.open_question()
    stage.cloud.requests.clear()
    yield stage
    question.release()


@pytest_asyncio.fixture
async def brief(cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path) -> AsyncIterator[Stage]:
    """Routes whose time limit is so short that requests time out while the gate is closed."""
    async with serving(cloud, tmp_path / "state", environ, max_seconds=0.5) as stage:
        stage.operations.settings.change(hold_seconds=0, backup="off")
        yield stage


@pytest_asyncio.fixture
async def gate(cloud: SimulatedCloud) -> AsyncIterator[Gate]:
    """Return a gate that delays the answers of the cloud while it is closed."""
    gate = Gate(cloud)
    yield gate
    gate.open()
