"""How long ComfyUI's event loop is blocked while the routes serve a list of 20,000 jobs to the panel.

The routes run on a bare aiohttp application in this process; the cloud and the reader are processes of their own.
A timer is due every 2 ms. A late timer counts once for each 2 ms of delay, so a stall of 20 ms gives ten samples,
and the percentile is the wait of a request that arrives at a random moment. An idle loop is measured for comparison,
because a busy machine delays an idle loop as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from cloud_history.routes.app import make_handlers
from cloud_history.routes.table import add_routes
from cloud_history.service import Operations

from .cloud import running_cloud
from .paths import ROOT, environment
from .table import Figure, percentile

JOBS = 20_000
MAX_P99_SECONDS = 0.020
MAX_STALL_SECONDS = 0.060
TICK_SECONDS = 0.002
IDLE_SECONDS = 2.0

# This program reads the answer as a browser would, in a process of its own.
READER = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=120)
headers = {"X-Cloud-History": "1", "Content-Type": "application/json"}
connection.request("POST", "/cloud_history/jobs", '{"filter":{}}', headers)
answer = connection.getresponse()
size, last = 0, b""
while piece := answer.read1(65536):
    size, last = size + len(piece), (last + piece)[-1000:]
print(answer.status, size, last.decode().splitlines()[-1])
"""


@dataclass(frozen=True)
class Stalls:
    """How long the event loop was blocked, in seconds."""

    p99: float
    worst: float
    size: int = 0


def measure(runs: int) -> Iterator[Figure]:
    for failed, words in ((False, "jobs of all kinds"), (True, "failed jobs, pages of {:.1f} MB")):
        with running_cloud(JOBS, failed=failed) as cloud:
            served, idle, page = asyncio.run(_measure(cloud.environ, runs))
        data = f"{JOBS:,} {words.format(page / 1e6)}, {runs} runs"
        for name, most in (("p99", MAX_P99_SECONDS), ("worst", MAX_STALL_SECONDS)):
            ours = [getattr(each, name) * 1000 for each in served]
            yield Figure(
                f"event loop waits, {name}",
                data,
                f"from {min(ours):.1f} to {max(ours):.1f} ms",
                f"idle loop: {statistics.median(getattr(each, name) for each in idle) * 1000:.1f} ms",
                statistics.median(ours),
                "ms",
                most * 1000,
            )


async def _measure(environ: dict[str, str], runs: int) -> tuple[list[Stalls], list[Stalls], int]:
    served, idle = [], []
    with tempfile.TemporaryDirectory() as folder:
        operations = Operations(Path(folder), environ)
        page = await _page_size(operations)
        async with _routes(operations) as port:
            await _serve_once(port)
            for _ in range(runs):
                idle.append(await watch(asyncio.sleep(IDLE_SECONDS)))
                served.append(await watch(_serve_once(port)))
    return served, idle, page


async def _page_size(operations: Operations) -> int:
    """Return the size in bytes of a full page of the list."""
    from cloud_history.cloud import protocol

    async with operations.open(await operations.find_connection()) as client:
        return len((await client._send(protocol.list_jobs({}, limit=1000))).body)


@contextlib.asynccontextmanager
async def _routes(operations: Operations) -> AsyncIterator[int]:
    table = web.RouteTableDef()
    handlers = make_handlers(operations)
    add_routes(table, lambda: handlers)
    app = web.Application()
    app.add_routes(table)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _serve_once(port: int) -> None:
    reader = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        READER,
        str(port),
        cwd=ROOT,
        env=environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    said = (await reader.communicate())[0].decode()
    status, _, last = said.split(" ", 2)
    end = json.loads(last)
    if (status, end["complete"], end["read"]) != ("200", True, JOBS):
        raise AssertionError(f"the list is incomplete: {said[:300]}")


async def watch(work: object) -> Stalls:
    """Do the work, an awaitable, while measuring how late each timer fires."""
    waits: list[float] = []
    ticking = asyncio.ensure_future(_tick(waits))
    await work  # type: ignore[misc]
    ticking.cancel()
    return Stalls(percentile(waits, 99), max(waits))


async def _tick(waits: list[float]) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        due = clock() + TICK_SECONDS
        await asyncio.sleep(TICK_SECONDS)
        late = max(0.0, clock() - due)
        while late >= 0:
            waits.append(late)
            late -= TICK_SECONDS
