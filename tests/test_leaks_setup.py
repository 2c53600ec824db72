"""The key is never seen, when what is around an operation fails: proxy, network, disk, or the key's own file."""

from __future__ import annotations

import base64
import json
import logging
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from cloud_history.errors import CloudError, StateUnwritable
from cloud_history.secret import Secret
from cloud_history.service import Operations
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import SimulatedCloud
from support.requests import clear_history, delete_jobs

Evidence = Any
KEY = "comfyui-Setup+Canary/%7E=0123456789abcdefWXYZ"
USER, PASSWORD, SENT_AS = "proxy-someone", "Pr0xy/W@rd", "Pr0xy%2FW%40rd"
PROXY_SECRETS = (USER, PASSWORD, SENT_AS, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())


@pytest.mark.parametrize("manner", ["refuse", "hang up", "hang", "establish", "not there", "socks"])
async def test_no_failing_proxy_shows_the_key_or_its_own_credentials(
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
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
    proxy.manner, proxy.status = manner, 407
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://{USER}:{SENT_AS}@127.0.0.1:{port}")
    environ = {"COMFY_CLOUD_BASE_URL": "https://cloud-history.invalid", "COMFY_CLOUD_API_KEY": KEY}
    operations = hurry(
        Operations(tmp_path, environ, evidence.event), connect=0.05 if manner == "hang" else 1.0
    )
    await run_core(evidence, operations, cloud)
    evidence.add("operations", operations, operations.keys, operations.queue.in_flight)
    evidence.add_files(tmp_path)
    assert len([where for where, _ in evidence.texts if "Error" in where or "UnusableProxy" in where]) >= 8
    assert evidence.find(KEY, *PROXY_SECRETS) == []


async def test_no_server_that_is_not_there_shows_the_key(
    cloud: SimulatedCloud, tmp_path: Path, evidence: Evidence, hurry: Any, run_core: Any
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    environ = {"COMFY_CLOUD_BASE_URL": url, "COMFY_CLOUD_API_KEY": KEY}
    await run_core(evidence, hurry(Operations(tmp_path, environ, evidence.event)), cloud)
    evidence.add_files(tmp_path)
    assert any("CloudConnectionError" in where for where, _ in evidence.texts)
    assert evidence.find(KEY) == []


async def test_a_disk_that_refuses_shows_no_key(
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


def test_the_search_finds_what_does_leak(evidence: Evidence, tmp_path: Path) -> None:
    other = "unremembered-key+0123456789"
    try:
        try:
            raise ValueError(other)
        except ValueError:
            raise CloudError("innocent") from None
    except CloudError as error:
        evidence.add_error("context", error)
    evidence.add("body", json.dumps({"url": f"https://x/?k={quote(other, safe='')}"}))
    logging.getLogger("anything").debug("said %s", other)
    (tmp_path / "left.txt").write_text(other)
    (tmp_path / "api_key.json").write_text(other)
    evidence.add_files(tmp_path)
    assert evidence.find(other) == ["body", "context: ValueError", "file", "log", "log record"]
