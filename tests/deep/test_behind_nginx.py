"""Test the pack behind a real nginx, at "/" and below a path, with another pack whose middleware reads every body."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from browser.comfy_page import open_comfyui
from browser.panel_page import open_panel
from hosts import HostProcess, free_port, frontend_dir, start_host
from simulated_cloud import SimulatedCloud

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
NAME = "studio.example"
NOSY_PACK = """
from aiohttp import web
from server import PromptServer

@web.middleware
async def read_everything(request, handler):
    await request.read()
    return await handler(request)

PromptServer.instance.app.middlewares.append(read_everything)
NODE_CLASS_MAPPINGS = {}
"""
LOCATION = """
        location %(path)s {
            proxy_pass %(host)s/;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
            %(header)s
        }
"""
CONFIG = """
daemon off;
pid %(folder)s/nginx.pid;
error_log %(folder)s/error.log;
events {}
http {
    access_log off;
    # nginx workers may run as a user without write access to this folder, so bodies stay in memory.
    proxy_max_temp_file_size 0;
    client_body_buffer_size 16m;
    client_max_body_size 16m;
    client_body_temp_path %(folder)s/body;
    proxy_temp_path %(folder)s/proxy;
    fastcgi_temp_path %(folder)s/fastcgi;
    uwsgi_temp_path %(folder)s/uwsgi;
    scgi_temp_path %(folder)s/scgi;
    server {
        listen 127.0.0.1:%(port)s;
        %(locations)s
    }
}
"""
HEADERS = {
    "host": "proxy_set_header Host $host;",
    "http_host": "proxy_set_header Host $http_host;",
}
PREFIXES = ["/", "/comfy/"]

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


@dataclass
class Answer:
    status: int
    json: Any


@dataclass
class Proxy:
    """An nginx in front of a host."""

    port: int

    def ask(
        self, prefix: str, route: str, body: object = None, *, name: str = NAME, origin: str | None = None
    ) -> Answer:
        """Send a request with the headers of a page at `name` and this proxy's port."""
        place = f"{name}:{self.port}"
        content = None if body is None else json.dumps(body)
        headers = {"Host": place, "X-Cloud-History": "1", "Origin": origin or f"http://{place}"}
        if content is not None:
            headers |= {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            method = "GET" if content is None else "POST"
            connection.request(method, f"{prefix}api/cloud_history/{route}", content, headers)
            answer = connection.getresponse()
            return Answer(answer.status, json.loads(answer.read()))
        finally:
            connection.close()


@pytest.fixture
def cloud() -> Iterator[SimulatedCloud]:
    cloud = SimulatedCloud(jobs=30)
    with cloud.serving_in_thread():
        yield cloud


@pytest.fixture
def host(cloud: SimulatedCloud, tmp_path: Path) -> Iterator[HostProcess]:
    base = tmp_path / "comfyui"
    nosy = base / "custom_nodes" / "nosy"
    nosy.mkdir(parents=True)
    (nosy / "__init__.py").write_text(NOSY_PACK)
    env = {"COMFY_CLOUD_HISTORY_HOSTS": f".{NAME.partition('.')[2]}"}
    host = start_host(base, cloud_url=cloud.base_url, api_key=cloud.api_key, env=env, frontend=frontend_dir())
    yield host
    host.stop()


@pytest.fixture(params=HEADERS)
def header(request: pytest.FixtureRequest) -> str:
    """Return the name of an nginx configuration for the Host header."""
    return str(request.param)


@pytest.fixture
def proxy(host: HostProcess, header: str, tmp_path: Path) -> Iterator[Proxy]:
    port, folder = free_port(), tmp_path / "nginx"
    folder.mkdir()
    parts = {"host": host.base_url, "header": HEADERS[header]}
    locations = "".join(LOCATION % {"path": prefix, **parts} for prefix in PREFIXES)
    config = folder / "nginx.conf"
    config.write_text(CONFIG % {"folder": folder, "port": port, "locations": locations})
    assert NGINX is not None
    process = subprocess.Popen([NGINX, "-e", str(folder / "start.log"), "-p", str(folder), "-c", str(config)])
    try:
        _wait_until_it_answers(port, process)
        yield Proxy(port)
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_it_answers(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse()
        except OSError:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
        else:
            return
        finally:
            connection.close()
    pytest.fail("nginx did not start")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_clear_works_behind_nginx_beside_a_pack_that_reads_bodies(
    proxy: Proxy, cloud: SimulatedCloud, prefix: str
) -> None:
    assert proxy.ask(prefix, "status").status == 200
    assert proxy.ask(prefix, "settings", {"hold_seconds": 0, "backup": "off"}).status == 200
    preview = proxy.ask(prefix, "preview", {"clear": True})
    assert preview.status == 200, preview
    cleared = proxy.ask(prefix, "clear", {"token": preview.json["token"]})
    assert (cleared.status, cleared.json["state"]) == (200, "done")
    assert not cloud.finished


def test_foreign_host_names_and_origins_are_refused_behind_nginx(proxy: Proxy, cloud: SimulatedCloud) -> None:
    for options in (
        {"name": "evil.test"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://evil.test:1"},
    ):
        answer = proxy.ask("/", "preview", {"clear": True}, **options)
        assert answer.status == 403, options
    assert cloud.requests == []


@pytest.mark.parametrize("prefix", PREFIXES)
async def test_a_browser_lists_and_clears_jobs_behind_nginx(
    proxy: Proxy, cloud: SimulatedCloud, chromium: Browser, prefix: str
) -> None:
    page = await chromium.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce", locale="en-GB")
    try:
        await open_comfyui(page, f"http://127.0.0.1:{proxy.port}{prefix}")
        panel = await open_panel(page)
        await expect(panel.rows.first).to_be_visible()
        left = await page.evaluate(CLEAR)
        assert left == 200
        assert not cloud.finished
    finally:
        await page.close()


CLEAR = """async () => {
    const ask = (route, body) => window.app.api.fetchApi(`/cloud_history/${route}`, {
        method: "POST",
        headers: { "X-Cloud-History": "1", "Content-Type": "application/json" },
        body: JSON.stringify(body),
    });
    await ask("settings", { hold_seconds: 0, backup: "off" });
    const { token } = await (await ask("preview", { clear: true })).json();
    return (await ask("clear", { token })).status;
}"""
