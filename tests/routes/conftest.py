"""Fixtures for the routes: served on a bare application, connected to the simulated cloud."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from routes.stage import Gate, Stage, serving
from simulated_cloud import SimulatedCloud


@pytest_asyncio.fixture
async def stage(cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path) -> AsyncIterator[Stage]:
    """The routes with the key from the environment, as ComfyUI would serve them."""
    async with serving(cloud, tmp_path / "state", environ) as stage:
        yield stage


@pytest_asyncio.fixture
async def target(stage: Stage) -> Stage:
    """The routes with a preview to confirm, a saved key and an unresolved operation: all there is to attack."""
    stage.operations.journal.begin(stage.unresolved)
    stage.token = (await stage.ask("preview")).json["token"]
    stage.cloud.requests.clear()
    return stage


@pytest_asyncio.fixture
async def brief(cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path) -> AsyncIterator[Stage]:
    """The routes with a hold so short that no answer of the cloud is quick enough while the gate is closed."""
    async with serving(cloud, tmp_path / "state", environ, longest_hold=0.5) as stage:
        yield stage


@pytest_asyncio.fixture
async def gate(cloud: SimulatedCloud) -> AsyncIterator[Gate]:
    """Holds the cloud's answers back on demand."""
    gate = Gate(cloud)
    yield gate
    gate.open()
