"""Fixtures of all tests: a clean environment, a simulated cloud, and the pack loaded as ComfyUI loads it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

from cloud_history import secret
from cloud_history.cloud import schema
from cloud_history.service import Operations
from simulated_cloud import SimulatedCloud
from support import loaded_pack
from support.loaded_pack import KeptPack
from support.no_backups import without_backups

pytest_plugins = ["support.cloud_fixtures"]

AMBIENT = ("COMFY_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def pytest_collection_finish() -> None:
    """Freeze the collected tests, so that the garbage collector does not scan them in every test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_ambient_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Remove keys, addresses and proxies of this machine, and give each test its own state folder."""
    for name in list(os.environ):
        if name.upper().startswith(AMBIENT) and not name.startswith(("COMFYUI_DIR", "COMFYUI_PYTHON")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COMFY_CLOUD_HISTORY_HOME", str(tmp_path / "state"))


@pytest.fixture(autouse=True)
def _no_secrets_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the secrets of each test at its end, so that other tests may use the same text."""
    for name in ("_literals", "_shortest"):
        monkeypatch.setattr(secret, name, getattr(secret, name))


@pytest_asyncio.fixture
async def cloud(request: pytest.FixtureRequest) -> AsyncIterator[SimulatedCloud]:
    """Run a simulated Comfy Cloud on real sockets. The test module may set `CLOUD_JOBS` (default: 240)."""
    cloud = SimulatedCloud(jobs=getattr(request.module, "CLOUD_JOBS", 240))
    async with cloud.serving():
        yield cloud


@pytest.fixture
def environ(cloud: SimulatedCloud) -> dict[str, str]:
    """Return environment variables that connect to the simulated cloud."""
    return {"COMFY_CLOUD_BASE_URL": cloud.base_url, "COMFY_CLOUD_API_KEY": cloud.api_key}


@pytest.fixture
def operations(environ: dict[str, str], tmp_path: Path) -> Operations:
    """Return operations that are connected to the simulated cloud, with their own state folder and no backups."""
    return Operations(without_backups(tmp_path / "state"), environ)


@pytest.fixture
def no_jsonschema(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Make jsonschema impossible to import."""
    schema.checker.cache_clear()
    for name in [each for each in sys.modules if each.split(".")[0] == "jsonschema"]:
        monkeypatch.setitem(sys.modules, name, None)
    yield
    schema.checker.cache_clear()


LoadPack = Callable[[], ModuleType]


@pytest.fixture
def load_pack() -> Iterator[LoadPack]:
    """Return a function that loads the pack from the checkout as ComfyUI does."""
    yield loaded_pack.load
    loaded_pack.forget()


@pytest.fixture(scope="session")
def kept_pack() -> KeptPack:
    """Return the modules of the pack, loaded once per session."""
    return KeptPack()


@pytest.fixture
def pack(kept_pack: KeptPack) -> Iterator[Any]:
    """Return the pack as if just loaded, into the fake ComfyUI if one is installed."""
    yield kept_pack.load()
    loaded_pack.forget()
