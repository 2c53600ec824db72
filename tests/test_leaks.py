"""The API key is never shown: all output of every operation is searched, after success and each failure."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from cloud_history.errors import CloudError, StateUnwritable
from cloud_history.routes.app import make_handlers
from cloud_history.routes.table import add_routes
from cloud_history.secret import Secret
from cloud_history.service import Operations
from cloud_history.state.credentials import KeyStore
from cloud_history.tasks.stopping import Unwatched
from hosts import free_port
from simulated_cloud import Fault, SimulatedCloud
from support.leaking_cloud import ALL, FAILURES, KEY, ONE_OF_EACH_KIND, POST, QUOTED
from support.no_backups import without_backups
from support.requests import clear_history, delete_jobs

Evidence = Any
pytestmark = pytest.mark.usefixtures("one_megabyte")


@pytest_asyncio.fixture
async def cloud() -> AsyncIterator[SimulatedCloud]:
    cloud = SimulatedCloud(jobs=12, api_key=KEY)
    async with cloud.serving():
        yield cloud


def seconds(name: str) -> float:
    return 0.05 if name == "timeout" else 5.0


@pytest.mark.parametrize("match", [ALL, POST], ids=["everywhere", "when sent"])
@pytest.mark.parametrize("name", ["success", *FAILURES])
async def test_no_operation_shows_the_api_key(
    cloud: SimulatedCloud,
    environ: dict[str, str],
    tmp_path: Path,
    evidence: Evidence,
    hurry: Any,
    run_core: Any,
    name: str,
    match: Any,
) -> None:
    if name in FAILURES:
        cloud.faults.append(Fault(match, times=None, **FAILURES[name]()))
    operations = hurry(Operations(without_backups(tmp_path / "state"), environ, evidence.event), request=seconds(name))
    await run_core(evidence, operations, cloud)
    evidence.add_files(tmp_path / "state")
    assert all(request.headers["X-API-Key"] == KEY for request in cloud.requests)
    assert len(evidence.texts) > 20
    assert evidence.find(KEY) == []
    assert not any("Traceback" in text for where, text in evidence.texts if where == "log")


async def use_routes_of_jobs(send: Any, ids: list[str]) -> None:
    """Call the routes for previews, lists, details, cancelling and thumbnails."""
    await send("POST", "preview", {"ids": ids})
    await send("POST", "preview", {"ids": [KEY]})
    for name in ("search", "workflow_id", "output_type", KEY):
        await send("POST", "preview", {"filter": {name: KEY}})
        await send("POST", "jobs", {"filter": {name: KEY}})
    await send("POST", "jobs", {"filter": {}})
    await send("GET", f"jobs/{ids[0]}")
    await send("GET", f"jobs/{QUOTED}")
    await send("POST", "cancel", {"ids": ids})
    await send("POST", "cancel", {"ids": [KEY]})
    await send("GET", f"thumbnail?job={ids[0]}&file={QUOTED}")


async def use_routes_of_what_is_kept(send: Any, ids: list[str]) -> None:
    """Call the routes for protection, policies, the audit log, backups and approvals."""
    await send("POST", "protection", {"protect": True, "ids": ids[:1], "workflows": [KEY, f"x{QUOTED}"]})
    await send("POST", "protection", {"protect": True, "ids": [KEY]})
    await send("GET", "protection")
    for policy in ({"keep_last": 1, "workflow_id": KEY}, {"keep_within": KEY}, {"statuses": [KEY]}, {KEY: 1}):
        await send("POST", "clean_up", {"policy": policy})
        await send("POST", "preview", {"policy": policy, "allow_large": True})
    for name in ("backup", "nodes", "backup_days", KEY):
        await send("POST", "settings", {name: KEY})
    await send("POST", "settings", {"hold_seconds": 0})
    token = (await send("POST", "preview", {"ids": ids})).get("token", "")
    await send("POST", "delete", {"token": token, "backup": True})
    entries = (await send("GET", "record")).get("entries") or [{"operation": "0" * 32}]
    for name in (entries[0]["operation"], KEY, QUOTED):
        await send("GET", f"record/{name}")
        await send("GET", f"backups/{name}")
        await send("GET", f"backups/{name}/{ids[0]}")
    await send("GET", "record.csv")
    await send("DELETE", f"backups/{QUOTED}", {})
    await send("POST", "ask/seen", {"question": KEY, "token": KEY})
    await send("POST", "ask/answer", {"question": KEY, "token": KEY, "answer": KEY, "always": True})


async def use_routes_of_saves(send: Any, ids: list[str]) -> None:
    """Call the routes that save outputs, and wait until the save has ended."""
    token = (await send("POST", "outputs/preview", {"ids": ids})).get("token", "")
    for each in (token, KEY):
        await send("POST", "outputs/save", {"token": each})
    for _ in range(2000):
        if all(save["ended"] for save in (await send("GET", "outputs/saves")).get("saves", [])):
            break
        await asyncio.sleep(0.01)
    for name in ("stop", "continue", "retry", "dismiss"):
        await send("POST", f"outputs/{name}", {"operation": KEY})
    for body in ({"ids": ids}, {"token": KEY}, {"question": KEY, "token": KEY}):
        await send("POST", "outputs/facts", body)
    await send("POST", "outputs/saved", {"ids": ids})
    for job in (*ids, QUOTED):
        await send("GET", f"outputs/of/{job}")
    await send("GET", f"outputs/of/{ids[0]}/{QUOTED}")
    await send("POST", "settings", {"outputs_folder": KEY})
    await send("POST", "settings", {"outputs_folder": f"/{KEY}"})


async def use_the_key_route_oddly(send: Any) -> None:
    """Send invalid bodies that contain the key."""
    for odd in (
        KEY,
        [KEY],
        {KEY: KEY},
        {"api_key": [KEY]},
        {"api_key": KEY, KEY: 1},
        {"api_key": KEY + " \n" + KEY},
    ):
        await send("POST", "key", odd)
    for raw in (
        f'{{"api_key": "{KEY}'.encode(),
        f'{{"api_key": "{KEY}"}}'.encode() + b"\xff",
        KEY.encode() * 2000,
    ):
        await send("POST", "key", raw)


async def use_routes(evidence: Evidence, operations: Operations, cloud: SimulatedCloud, faults: list[Fault]) -> None:
    """Call every route with valid and hostile input. `faults` apply from the clear on."""
    table, app = web.RouteTableDef(), web.Application()
    handlers = make_handlers(operations)
    add_routes(table, lambda: handlers)
    app.add_routes(table)

    async with TestClient(TestServer(app)) as browser:

        async def send(method: str, path: str, body: object = None, **headers: str) -> dict[str, Any]:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            usual = {"X-Cloud-History": "1", "Content-Type": "application/json", **headers}
            async with browser.request(method, f"/cloud_history/{path}", data=raw, headers=usual) as answer:
                evidence.add(f"{method} {path}", answer.status, dict(answer.headers), await answer.text())
                found: dict[str, Any] = await answer.json() if answer.content_type == "application/json" else {}
                return found

        token = (await send("POST", "preview", {"clear": True})).get("token", "")
        cloud.faults += faults
        await send("POST", "key", {"api_key": KEY})
        await send("POST", "clear", {"token": token})
        await send("POST", "preview", {"clear": True})
        ids = [job.id for job in cloud.finished[:2]] or ["01234567-89ab-cdef-0123-456789abcdef"]
        await use_routes_of_jobs(send, ids)
        await use_routes_of_saves(send, ids)
        await send("POST", "delete", {"token": KEY})
        await send("POST", "undo", {"hold": KEY})
        await send("POST", "settings", {"hold_seconds": KEY})
        await send("POST", "holds/dismiss", {"hold": KEY})
        await send("POST", "key", {"api_key": f" “{KEY}” ", "unchecked": True})
        await send("GET", "status")
        await use_routes_of_what_is_kept(send, ids)
        await use_the_key_route_oddly(send)
        await send("POST", "key", {"api_key": KEY}, **{"Content-Type": "text/plain"})
        await send("POST", "key", {"api_key": KEY}, Origin=f"http://{quote(KEY, safe='')}")
        await send("POST", "clear", {"token": KEY})
        await send("POST", "unresolved/dismiss", {"operation": KEY})
        await send("DELETE", "key", {})
        await send("GET", "status")


@pytest.mark.parametrize("name", ["success", *FAILURES])
async def test_no_route_shows_the_api_key(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, evidence: Evidence, hurry: Any, name: str
) -> None:
    faults = [Fault(ALL, times=None, **FAILURES[name]())] if name in FAILURES else []
    KeyStore(tmp_path / "state", {}).save(Secret(KEY))
    del environ["COMFY_CLOUD_API_KEY"]
    output = tmp_path / "output"
    made = Operations(tmp_path / "state", environ, evidence.event, output_folder=output)
    operations = hurry(made, request=seconds(name))
    await use_routes(evidence, operations, cloud, faults)
    evidence.add_files(tmp_path / "state")
    evidence.add_files(output)
    assert evidence.find(KEY) == []


@pytest.fixture
def own_pack(
    pack: ModuleType, cloud: SimulatedCloud, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> ModuleType:
    """Return the pack in a fake ComfyUI that has only a websocket."""
    monkeypatch.setenv("COMFY_CLOUD_BASE_URL", cloud.base_url)
    monkeypatch.setenv("COMFY_CLOUD_API_KEY", KEY)
    server = type("Server", (), {"send_sync": staticmethod(evidence.event), "client_id": "browser"})
    monkeypatch.setattr(sys.modules[f"{pack.__name__}.comfy_host"], "_server", lambda: server)
    return pack


@pytest.mark.parametrize("match", [ALL, POST], ids=["everywhere", "when sent"])
@pytest.mark.parametrize("name", ["success", *ONE_OF_EACH_KIND])
async def test_no_node_shows_the_api_key(
    own_pack: ModuleType,
    cloud: SimulatedCloud,
    tmp_path: Path,
    evidence: Evidence,
    hurry: Any,
    name: str,
    match: Any,
) -> None:
    if name in FAILURES:
        cloud.faults.append(Fault(match, times=None, **FAILURES[name]()))
    host, errors = (sys.modules[f"{own_pack.__name__}.{each}"] for each in ("comfy_host", "cloud_history.errors"))
    hurry(host.operations(), f"{own_pack.__name__}.cloud_history", seconds(name))
    delete = own_pack.NODE_CLASS_MAPPINGS["CloudHistoryDeleteJobs"]
    clear = own_pack.NODE_CLASS_MAPPINGS["CloudHistoryClear"]
    ids = [job.id for job in cloud.finished[:2]]
    evidence.add("validate", delete.VALIDATE_INPUTS(job_ids=KEY), delete.VALIDATE_INPUTS(job_ids=f"{ids[0]}, {KEY}"))
    listing = own_pack.NODE_CLASS_MAPPINGS["CloudHistoryListJobs"]
    every: dict[str, list[object]] = {
        "status": ["any"],
        "older_than": [""],
        "workflow_id": [""],
        "limit": [0],
    }
    runs: tuple[Callable[[], Any], ...] = (
        lambda: listing().run(**every),
        lambda: listing().run(**{**every, "status": [KEY]}),
        lambda: listing().run(**{**every, "older_than": [KEY]}),
        lambda: listing().run(**{**every, "workflow_id": [KEY]}),
        lambda: listing().run(**{**every, "limit": [KEY]}),
        lambda: delete().run(job_ids=[KEY], dry_run=[True]),
        lambda: delete().run(job_ids=ids, dry_run=[True]),
        lambda: delete().run(job_ids=ids, dry_run=[False]),
        lambda: clear().run(clear=[True]),
        lambda: clear().run(clear=[KEY]),
        lambda: delete().run(job_ids=[f"{ids[0]} {KEY[:30]}", KEY], dry_run=[False]),
    )
    for run in runs:
        try:
            evidence.add("node", await run())
        except errors.CloudError as error:
            evidence.add_error("node", error)
    evidence.add_files(tmp_path / "state")
    assert any(request.headers["X-API-Key"] == KEY for request in cloud.requests)
    assert evidence.find(KEY) == []


# Failures of proxy, network and disk


USER, PASSWORD, SENT_AS = "proxy-someone", "Pr0xy/W@rd", "Pr0xy%2FW%40rd"
PROXY_SECRETS = (USER, PASSWORD, SENT_AS, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())


@pytest.mark.parametrize("manner", ["refuse", "hang up", "hang", "establish", "not there", "socks"])
async def test_no_proxy_error_shows_the_api_key_or_the_proxy_credentials(
    cloud: SimulatedCloud,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    evidence: Evidence,
    hurry: Any,
    run_core: Any,
    proxy: Any,
    manner: str,
) -> None:
    scheme, port = ("socks5" if manner == "socks" else "http"), proxy.port
    if manner == "not there":
        port = free_port()
    proxy.manner, proxy.status = manner, 407
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://{USER}:{SENT_AS}@127.0.0.1:{port}")
    environ = {"COMFY_CLOUD_BASE_URL": "https://cloud-history.invalid", "COMFY_CLOUD_API_KEY": KEY}
    operations = hurry(Operations(tmp_path, environ, evidence.event), connect=0.05 if manner == "hang" else 1.0)
    await run_core(evidence, operations, cloud)
    evidence.add("operations", operations, operations.keys, operations.queue.in_flight)
    evidence.add_files(tmp_path)
    assert len([where for where, _ in evidence.texts if "Error" in where or "UnusableProxy" in where]) >= 8
    assert evidence.find(KEY, *PROXY_SECRETS) == []


async def test_no_error_about_an_unreachable_server_shows_the_api_key(
    cloud: SimulatedCloud, tmp_path: Path, evidence: Evidence, hurry: Any, run_core: Any
) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    environ = {"COMFY_CLOUD_BASE_URL": url, "COMFY_CLOUD_API_KEY": KEY}
    await run_core(evidence, hurry(Operations(tmp_path, environ, evidence.event)), cloud)
    evidence.add_files(tmp_path)
    assert any("CloudConnectionError" in where for where, _ in evidence.texts)
    assert evidence.find(KEY) == []


async def test_no_disk_error_shows_the_api_key(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, evidence: Evidence
) -> None:
    (tmp_path / "state").write_text("in the way", encoding="utf-8")
    environ["COMFY_CLOUD_API_KEY"] = KEY
    operations = Operations(tmp_path / "state", environ, evidence.event)
    with pytest.raises(StateUnwritable) as first:
        await delete_jobs(operations, [cloud.finished[0].id], "menu", Unwatched())
    with pytest.raises(StateUnwritable) as second:
        await clear_history(operations, "menu", Unwatched())
    with pytest.raises(StateUnwritable) as third:
        operations.keys.save(Secret(KEY))
    for caught in (first, second, third):
        evidence.add_error("disk", caught.value)
    assert cloud.history_posts == []
    assert evidence.find(KEY) == []


def test_the_search_for_the_api_key_finds_a_real_leak(evidence: Evidence, tmp_path: Path) -> None:
    other = "unremembered-key+0123456789"
    try:
        try:
            raise ValueError(other)
        except ValueError:
            raise CloudError() from None
    except CloudError as error:
        evidence.add_error("context", error)
    evidence.add("body", json.dumps({"url": f"https://x/?k={quote(other, safe='')}"}))
    logging.getLogger("anything").debug("said %s", other)
    (tmp_path / "left.txt").write_text(other)
    (tmp_path / "api_key.json").write_text(other)
    evidence.add_files(tmp_path)
    assert evidence.find(other) == ["body", "context: ValueError", "file", "log", "log record"]
