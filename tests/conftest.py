"""What all tests share: a clean environment, a simulated cloud, and the pack loaded as ComfyUI loads it."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

from cloud_history.operations import Operations
from simulated_cloud import SimulatedCloud

CHECKOUT = Path(__file__).parent.parent

AMBIENT = ("COMFY_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _no_ambient_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key, address or proxy of this machine reaches a test; the state folder is the test's own."""
    for name in list(os.environ):
        if name.upper().startswith(AMBIENT) and not name.startswith(("COMFYUI_DIR", "COMFYUI_PYTHON")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COMFY_CLOUD_HISTORY_HOME", str(tmp_path / "state"))


@pytest_asyncio.fixture
async def cloud() -> AsyncIterator[SimulatedCloud]:
    """A simulated Comfy Cloud with 240 jobs, on real sockets."""
    cloud = SimulatedCloud(jobs=240)
    async with cloud.serving():
        yield cloud


@pytest.fixture
def environ(cloud: SimulatedCloud) -> dict[str, str]:
    """An environment that connects to the simulated cloud."""
    return {"COMFY_CLOUD_BASE_URL": cloud.base_url, "COMFY_CLOUD_API_KEY": cloud.api_key}


@pytest.fixture
def operations(environ: dict[str, str], tmp_path: Path) -> Operations:
    """The operations of a process of its own, connected to the simulated cloud."""
    return Operations(tmp_path / "state", environ)


LoadPack = Callable[[], ModuleType]


@pytest.fixture
def load_pack() -> Iterator[LoadPack]:
    """Loads the checkout as ComfyUI's `load_custom_node` does: under its path, with every "." as "_x_"."""
    name = str(CHECKOUT).replace(".", "_x_")

    def forget() -> None:
        for each in [each for each in sys.modules if each == name or each.startswith(f"{name}.")]:
            del sys.modules[each]

    def load() -> ModuleType:
        forget()
        spec = importlib.util.spec_from_file_location(name, CHECKOUT / "__init__.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    yield load
    forget()


@pytest.fixture
def pack(load_pack: LoadPack) -> Any:
    """The pack, loaded outside ComfyUI."""
    return load_pack()
