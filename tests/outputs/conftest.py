"""Provide a folder for outputs, and operations that save to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulated_cloud import SimulatedCloud
from support.no_backups import without_backups
from support.saving_stage import SavingStage


@pytest.fixture
def saving(cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path) -> SavingStage:
    """Return a stage for saving. The state folder has backups off."""
    without_backups(tmp_path / "state")
    return SavingStage(cloud, tmp_path, environ)
