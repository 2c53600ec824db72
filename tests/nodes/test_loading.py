"""Loading the pack: its state folder, its routes, and broken modules of other packs."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from cloud_history.state.locks import LOCK_SECONDS
from conftest import LoadPack
from simulated_cloud import SimulatedCloud
from support import loaded_pack
from support.fake_comfyui import FakeComfyUI
from support.loaded_pack import NODES, KeptPack


@pytest.mark.parametrize("system_user_folder", [True, False], ids=["0.3.76 and later", "before"])
def test_the_state_is_kept_in_the_system_user_folder_of_comfyui(
    system_user_folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load_pack: LoadPack
) -> None:
    monkeypatch.delenv("COMFY_CLOUD_HISTORY_HOME")
    FakeComfyUI(tmp_path / "user").install(monkeypatch, system_user_folder=system_user_folder)
    name = load_pack().__name__
    secret = sys.modules[f"{name}.cloud_history.secret"]
    sys.modules[f"{name}.comfy_host"].operations().keys.save(secret.Secret("comfyui-a-key-to-keep-0001"))
    kept = tmp_path / "user" / "__cloud_history" / "api_key.json"
    assert "comfyui-a-key-to-keep-0001" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


def test_another_pack_that_changes_the_working_directory_does_not_move_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load_pack: LoadPack
) -> None:
    monkeypatch.delenv("COMFY_CLOUD_HISTORY_HOME")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "first")
    FakeComfyUI(Path("user")).install(monkeypatch)
    host = sys.modules[f"{load_pack().__name__}.comfy_host"]
    monkeypatch.chdir(tmp_path / "second")
    assert host.operations().folder == tmp_path / "first" / "user" / "__cloud_history"


async def test_a_configured_state_folder_missing_at_the_next_start_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load_pack: LoadPack
) -> None:
    FakeComfyUI(tmp_path / "user").install(monkeypatch)
    host = sys.modules[f"{load_pack().__name__}.comfy_host"]
    assert not (tmp_path / "user").exists()
    host.operations().protection.change(protect=True, jobs=["a"])
    (tmp_path / "state").rename(tmp_path / "away")
    host = sys.modules[f"{load_pack().__name__}.comfy_host"]
    with pytest.raises(Exception, match="is not there any more"):
        await host.operations().protected()
    (tmp_path / "away").rename(tmp_path / "state")
    assert (await host.operations().protected()).jobs == {"a"}


async def test_a_refused_state_folder_is_reported_at_startup_by_the_nodes_and_by_every_route(
    comfyui: FakeComfyUI,
    monkeypatch: pytest.MonkeyPatch,
    load_pack: LoadPack,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("COMFY_CLOUD_HISTORY_HOME", "$HOME/x")
    with caplog.at_level(logging.ERROR, logger="cloud_history"):
        pack = load_pack()
    told = "COMFY_CLOUD_HISTORY_HOME is “$HOME/x”"
    assert told in caplog.text
    assert "Traceback" not in caplog.text
    host = sys.modules[f"{pack.__name__}.comfy_host"]
    with pytest.raises(Exception, match=re.escape(told)):
        host.operations()
    app = web.Application()
    app.add_routes(comfyui.routes)
    async with TestClient(TestServer(app)) as client:
        for path in ("status", "record", "protection"):
            answer = await client.get(f"/cloud_history/{path}", headers={"X-Cloud-History": "1"})
            assert answer.status == 409
            assert told in (await answer.json())["error"]["message"]
        assert (await client.get("/cloud_history/status")).status == 403


def test_all_routes_are_below_cloud_history(comfyui: FakeComfyUI, pack: Any) -> None:
    paths = [route.path for route in comfyui.routes]
    assert paths
    assert all(path.startswith("/cloud_history/") for path in paths)


def test_loading_the_pack_again_in_a_test_resets_its_state(kept_pack: KeptPack) -> None:
    host, secret = (f"{kept_pack.load().__name__}.{each}" for each in ("comfy_host", "cloud_history.secret"))
    first = sys.modules[host].operations()
    sys.modules[secret].remember("a-key-of-the-first-test")
    vars(sys.modules[host]).update(announce=None, more=1)
    kept_pack.load()
    assert sys.modules[host].operations() is not first
    assert sys.modules[secret].scrub("a-key-of-the-first-test") == "a-key-of-the-first-test"
    assert callable(sys.modules[host].announce)
    assert not hasattr(sys.modules[host], "more")
    loaded_pack.forget()


def test_the_nodes_load_even_if_the_server_refuses_our_routes(
    comfyui: FakeComfyUI, load_pack: LoadPack, caplog: pytest.LogCaptureFixture
) -> None:
    sys.modules["server"].PromptServer.instance.routes = object()
    with caplog.at_level(logging.ERROR, logger="cloud_history"):
        pack = load_pack()
    assert set(pack.NODE_CLASS_MAPPINGS) == NODES
    assert "could not add its routes" in caplog.text


@pytest.mark.parametrize("content", ["import surely_not_installed", "raise RuntimeError('no')", "x = 1"])
def test_a_foreign_or_broken_server_module_does_not_prevent_the_nodes_from_loading(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load_pack: LoadPack
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "server.py").write_text(content)
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    monkeypatch.delitem(sys.modules, "server", raising=False)
    try:
        assert set(load_pack().NODE_CLASS_MAPPINGS) == NODES
    finally:
        sys.modules.pop("server", None)


@pytest.mark.parametrize(
    ("may_have_sent", "words"),
    [(True, "the outcome is unknown"), (False, "nothing had been sent, and nothing was deleted")],
)
def test_unresolved_operations_are_reported_at_startup_and_not_sent(
    comfyui: FakeComfyUI,
    cloud: SimulatedCloud,
    load_pack: LoadPack,
    caplog: pytest.LogCaptureFixture,
    may_have_sent: bool,
    words: str,
) -> None:
    name = load_pack().__name__
    journal = sys.modules[f"{name}.cloud_history.state.in_flight"]
    entry = journal.InFlightOperation("delete", "node 7", "cloud.comfy.org", "", asked=3)
    in_flight = sys.modules[f"{name}.comfy_host"].operations().queue.in_flight
    in_flight.begin(entry)
    if may_have_sent:
        in_flight.begin_sending(entry)
    said = threading.Event()
    listener = logging.Handler()
    listener.emit = lambda record: said.set()  # type: ignore[method-assign]
    logger = logging.getLogger()  # added last, so that caplog has recorded the line first
    logger.addHandler(listener)
    try:
        with caplog.at_level(logging.WARNING, logger="cloud_history"):
            load_pack()
            assert said.wait(10)
    finally:
        logger.removeHandler(listener)
    assert words in caplog.text
    assert "delete, 3 jobs" in caplog.text
    assert "node 7" in caplog.text
    assert cloud.requests == []


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGSTOP")
def test_a_suspended_process_that_holds_a_lock_does_not_block_the_start_of_comfyui(
    comfyui: FakeComfyUI, load_pack: LoadPack
) -> None:
    name = load_pack().__name__
    journal = sys.modules[f"{name}.cloud_history.state.in_flight"]
    operations = sys.modules[f"{name}.comfy_host"].operations()
    operations.queue.in_flight.begin(journal.InFlightOperation("delete", "node 7", "cloud.comfy.org", "", asked=3))
    hold = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); print(1, flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", hold, str(operations.folder / "sending.gate")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        child.send_signal(signal.SIGSTOP)
        loading = threading.Thread(target=load_pack, daemon=True)
        loading.start()
        loading.join(LOCK_SECONDS * 0.9)
        assert not loading.is_alive()
    finally:
        child.kill()
        child.communicate()


def test_importing_a_missing_comfyui_module_returns_none(pack_module: Any) -> None:
    host = pack_module("comfy_host")
    for name in ("surely_not_installed", "surely_not_installed.at_all"):
        assert host._import_or_none(name, partial(importlib.import_module, name)) is None


def test_an_import_error_inside_a_comfyui_module_is_raised(
    pack_module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_of_comfyui.py").write_text("import surely_not_installed")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="surely_not_installed"):
        pack_module("comfy_host")._import_or_none(
            "half_of_comfyui", partial(importlib.import_module, "half_of_comfyui")
        )


def test_outside_comfyui_each_function_of_comfy_host_has_a_fallback(pack_module: Any) -> None:
    host = pack_module("comfy_host")
    host.announce("cloud_history.changed", {})
    watch = host.NodeWatch()
    assert (watch.node_id, watch.stopped) == (None, False)
    requester = host.requesting_node("Clear Cloud History")
    assert (requester.client, requester.origin, requester.key) == (None, "node", None)
    assert requester.title == "Clear Cloud History"
    assert not watch.stop_requested()
    watch.progress("sending", 1, 2)
    asyncio.run(watch.end_stopped("report"))
    watch.raise_if_stopped()
    assert host._system_user_folder() is None
    assert isinstance(sys.modules.get("server"), ModuleType | None)
