"""Provide nodes loaded as ComfyUI loads them, connected to a simulated cloud, with no wait between retries."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from support.fake_comfyui import FakeComfyUI
from support.no_backups import without_backups

PackModule = Callable[[str], Any]


@pytest.fixture
def pack_module(pack: ModuleType) -> PackModule:
    """Return a function that finds a module of the loaded pack, whose classes differ from imported ones."""
    return lambda name: importlib.import_module(f"{pack.__name__}.{name}")


@pytest.fixture
def errors(pack_module: PackModule) -> Any:
    """Return the module with the error classes of the loaded pack."""
    return pack_module("cloud_history.errors")


@pytest.fixture
def connected(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Connect this process to the simulated cloud, and let workflows delete jobs without approval and backups."""
    without_backups(tmp_path / "state")
    for name, value in {**environ, "COMFY_CLOUD_HISTORY_NODES": "allow"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def at_once(pack_module: PackModule, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Skip all waits before retries and repeated lookups."""

    async def no_time(seconds: float) -> None:
        return None

    operations = pack_module("cloud_history.service")
    client = pack_module("cloud_history.cloud.client")
    host = pack_module("comfy_host")
    made = operations.Operations(
        pack_module("cloud_history.config").state_folder(),
        os.environ,
        host.announce,
        lambda base_url, key: client.CloudClient(base_url, key.secret, sleep=no_time),
        no_time,
        output_folder=tmp_path / "output",
    )
    nodes = ("delete_jobs", "list_jobs", "clean_up_history", "save_outputs", "job_ids")
    for name in (*(f"nodes.{each}" for each in nodes), "comfy_host"):
        monkeypatch.setattr(pack_module(name), "operations", lambda: made)


@pytest.fixture
def comfyui(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeComfyUI:
    """Install a fake ComfyUI before the pack is loaded."""
    made = FakeComfyUI(tmp_path / "user")
    made.install(monkeypatch)
    return made
