"""The time that importing the pack adds to ComfyUI's start.

Modules that ComfyUI itself loads before any pack do not count.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .paths import ROOT, environment
from .table import Figure

RUNS = 5

LOAD = """
import asyncio, concurrent.futures, dataclasses, importlib.resources
import importlib.util, ipaddress, json, logging, secrets, sys, time, traceback, types
import urllib.request, uuid, zlib
import aiohttp, aiohttp.web, yarl

name, path = sys.argv[1], sys.argv[2]
instance = types.SimpleNamespace(routes=aiohttp.web.RouteTableDef())
server = types.ModuleType("server")
server.PromptServer = types.SimpleNamespace(instance=instance)
folder_paths = types.ModuleType("folder_paths")
folder_paths.get_system_user_directory = lambda name: sys.argv[3]
sys.modules.update(server=server, folder_paths=folder_paths)
start, cpu = time.perf_counter(), time.process_time()
spec = importlib.util.spec_from_file_location(name, path)
module = importlib.util.module_from_spec(spec)
sys.modules[name] = module
spec.loader.exec_module(module)
took, cpu = time.perf_counter() - start, time.process_time() - cpu
print(json.dumps([took, cpu, len(module.NODE_CLASS_MAPPINGS), len(instance.routes)]))
"""


def measure(runs: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        _load(Path(folder))
        times = [_load(Path(folder)) for _ in range(max(runs, RUNS))]
    took, cpu = min(each[0] for each in times), min(each[1] for each in times)
    data = f"best of {len(times)} processes, bytecode cached"
    ours = f"{took * 1000:.1f} ms by the clock"
    yield Figure(
        "import of the pack",
        data,
        ours,
        "without the modules ComfyUI loads",
        cpu * 1000,
        "ms of CPU time",
    )


def _load(folder: Path) -> tuple[float, float]:
    env = environment()
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    # Bytecode is cached, as it is from ComfyUI's second start on, but not beside the sources.
    env["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    name = str(ROOT).replace(".", "_x_")
    arguments = [name, str(ROOT / "__init__.py"), str(folder / "state")]
    done = subprocess.run([sys.executable, "-c", LOAD, *arguments], capture_output=True, text=True, check=True, env=env)
    took, cpu, nodes, routes = json.loads(done.stdout)
    if not (nodes and routes):
        raise AssertionError("the pack was loaded without its nodes or routes")
    return took, cpu
