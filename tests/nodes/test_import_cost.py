"""Loading the pack hardly delays the start of ComfyUI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timed

CHECKOUT = Path(__file__).parent.parent.parent
MAX_SECONDS = 0.020
"""CPU seconds that loading the pack may take, best of five runs."""

# The first imports are modules that ComfyUI, numpy and torch load before any pack.
LOAD = """
import asyncio, concurrent.futures, dataclasses, importlib.resources
import importlib.util, ipaddress, json, logging, secrets, sys, time, traceback, types
import urllib.request, uuid, zlib
import aiohttp, aiohttp.web, yarl

name, path = sys.argv[1], sys.argv[2]
server = types.ModuleType("server")
server.PromptServer = types.SimpleNamespace(instance=types.SimpleNamespace(routes=aiohttp.web.RouteTableDef()))
sys.modules["server"] = server
folder_paths = types.ModuleType("folder_paths")
folder_paths.get_system_user_directory = lambda name: sys.argv[3]
sys.modules["folder_paths"] = folder_paths
before = set(sys.modules)
start, cpu = time.perf_counter(), time.process_time()
spec = importlib.util.spec_from_file_location(name, path)
module = importlib.util.module_from_spec(spec)
sys.modules[name] = module
spec.loader.exec_module(module)
took, cpu = time.perf_counter() - start, time.process_time() - cpu
new = sorted(each for each in set(sys.modules) - before if not each.startswith(name))
print(json.dumps({"took": took, "cpu": cpu, "new": new, "nodes": list(module.NODE_CLASS_MAPPINGS)}))
"""


def environment(folder: Path) -> dict[str, str]:
    """Return our environment with bytecode caching on, as at later starts of ComfyUI, into `folder`."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder), "COMFY_CLOUD_HISTORY_HOME": str(folder / "state")}


def load_once(folder: Path) -> tuple[float, list[str], list[str]]:
    """Load the pack in a new process. Return the seconds, the other imported modules and the node ids."""
    name = str(CHECKOUT).replace(".", "_x_")
    done = subprocess.run(
        [sys.executable, "-c", LOAD, name, str(CHECKOUT / "__init__.py"), str(folder / "state")],
        capture_output=True,
        text=True,
        check=True,
        env=environment(folder),
    )
    found = json.loads(done.stdout)
    return min(found["took"], found["cpu"]), found["new"], found["nodes"]


def test_loading_the_pack_takes_under_20_ms_and_does_not_import_jsonschema(tmp_path: Path) -> None:
    load_once(tmp_path)
    runs = [load_once(tmp_path) for _ in range(5)]
    assert min(took for took, _, _ in runs) < MAX_SECONDS
    for _, new, nodes in runs:
        assert nodes == [
            "CloudHistoryDeleteJobs",
            "CloudHistoryClear",
            "CloudHistoryListJobs",
            "CloudHistoryPrune",
            "CloudHistorySaveOutputs",
        ]
        foreign = {each.partition(".")[0] for each in new}
        assert not foreign & {
            "jsonschema",
            "jsonschema_specifications",
            "referencing",
            "rpds",
            "attrs",
            "torch",
        }


def test_loading_the_pack_creates_no_state_folder(tmp_path: Path) -> None:
    load_once(tmp_path)
    assert not (tmp_path / "state").exists()
