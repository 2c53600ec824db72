"""Provide a deletion with backup and audit log in a temporary state folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulated_cloud import SimulatedCloud
from support.deletion_stage import Stage, stage_of


@pytest.fixture
def stage(cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path) -> Stage:
    return stage_of(cloud, environ, tmp_path.resolve() / "state")
