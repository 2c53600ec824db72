"""Storages that answer oddly: without a size, compressed, with another range than asked, or the service itself."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from cloud_history.cloud import file_receiver
from cloud_history.cloud.client import CloudClient
from cloud_history.cloud.file_receiver import FileReceiver, Received
from cloud_history.errors import FileTooLarge, NotComfyCloud, UnreadableAnswer
from cloud_history.jobs.job import OutputFile
from simulated_cloud import Fault, Periodic, SimulatedCloud
from support.memory_sink import MemorySink

OpenClient = Callable[..., CloudClient]
CLOUD_JOBS = 3
VIEW, STORE = ("GET", "/api/view"), ("GET", "/comfy-outputs/")
FILE = OutputFile("a.mp4")
BODY = Periodic("film", 3_000_001).part(0, 3_000_001)
OTHER = Periodic("another", 3_000_001).part(0, 3_000_001)


@pytest.fixture(autouse=True)
def body(cloud: SimulatedCloud) -> None:
    cloud.add_job(files=("a.mp4",))
    cloud.account.contents["a.mp4"] = BODY


async def receive(
    open_client: OpenClient, sink: MemorySink, *, most: int = 2**30, start: int = 0, etag: str = ""
) -> Received:
    async with open_client() as client, FileReceiver(client, most=most, idle_seconds=5.0) as receiver:
        return await receiver.receive(FILE, sink, start=start, etag=etag)


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def own_storage(cloud: SimulatedCloud, answer: Handler) -> AsyncIterator[list[web.Request]]:
    """Redirect to a storage that answers like this. Yields its requests."""
    asked: list[web.Request] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        return await answer(request)

    app = web.Application()
    app.router.add_get("/file", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    location = f"http://127.0.0.1:{runner.addresses[0][1]}/file"
    cloud.faults.append(Fault(VIEW, "redirect", location=location, times=None))
    yield asked
    await runner.cleanup()


async def in_chunks(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    for at in range(0, len(BODY), 100_000):
        await response.write(BODY[at : at + 100_000])
    return response


async def test_a_file_of_unknown_size_is_received_and_nothing_is_said_of_its_size(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    sink = MemorySink()
    async with own_storage(cloud, in_chunks):
        assert await receive(open_client, sink) == Received(len(BODY), None)
    assert sink.content == BODY
    assert sink.begun == [(0, None, "")]


async def test_a_file_of_unknown_size_above_the_limit_is_broken_off(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    sink = MemorySink()
    async with own_storage(cloud, in_chunks) as asked:
        with pytest.raises(FileTooLarge):
            await receive(open_client, sink, most=2_000_000)
    assert len(sink.content) <= 2_000_000
    assert len(asked) == 1


async def test_a_file_that_is_compressed_although_it_should_not_be_is_received_plain(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    packed = gzip.compress(BODY, 1)

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip", "ETag": '"packed"'})

    sink = MemorySink()
    async with own_storage(cloud, answer):
        assert await receive(open_client, sink) == Received(len(BODY), None)
    assert sink.content == BODY
    assert sink.begun == [(0, None, "")]


async def test_a_compression_bomb_is_broken_off_at_the_limit(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    packed = gzip.compress(bytes(200_000_000), 1)

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    sink = MemorySink()
    async with own_storage(cloud, answer):
        with pytest.raises(FileTooLarge):
            await receive(open_client, sink, most=5_000_000)
    assert len(sink.content) <= 5_000_000


RANGE_LIES = {
    "another place": (206, f"bytes 7-{len(BODY) - 1}/{len(BODY)}", '"tag"'),
    "another size": (206, f"bytes 999-{len(BODY)}/{len(BODY) + 1}", '"tag"'),
    "only a part": (206, f"bytes 999-1500/{len(BODY)}", '"tag"'),
    "no place": (206, "", '"tag"'),
    "an unknown size": (206, f"bytes 999-{len(BODY) - 1}/*", '"tag"'),
    "another file": (206, f"bytes 999-{len(BODY) - 1}/{len(BODY)}", '"other"'),
    "no tag": (206, f"bytes 999-{len(BODY) - 1}/{len(BODY)}", ""),
    "a weak tag": (206, f"bytes 999-{len(BODY) - 1}/{len(BODY)}", 'W/"tag"'),
    "not satisfiable": (416, f"bytes */{len(BODY)}", '"tag"'),
}


@pytest.mark.parametrize("lie", RANGE_LIES)
async def test_a_range_that_is_not_the_rest_of_the_same_file_is_never_appended(
    cloud: SimulatedCloud, open_client: OpenClient, lie: str
) -> None:
    status, place, tag = RANGE_LIES[lie]

    async def answer(request: web.Request) -> web.StreamResponse:
        if "Range" in request.headers:
            return web.Response(
                status=status,
                body=OTHER[7 if lie == "another place" else 999 :],
                headers={"Content-Range": place, "ETag": tag},
            )
        return web.Response(body=BODY, headers={"ETag": '"tag"'})

    earlier = MemorySink(BODY[:1000])
    async with own_storage(cloud, answer) as asked:
        await receive(open_client, earlier, start=1000, etag='"tag"')
    assert earlier.content == BODY
    assert ["Range" in each.headers for each in asked] == [True, False]


async def test_a_storage_that_sends_a_range_unasked_is_given_up(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=206, body=BODY, headers={"Content-Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}"})

    sink = MemorySink()
    async with own_storage(cloud, answer) as asked:
        with pytest.raises(UnreadableAnswer):
            await receive(open_client, sink)
    assert len(asked) == file_receiver.MAX_CHANGES + 1
    assert sink.begun == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_chain_of_redirects_is_not_followed(
    cloud: SimulatedCloud, open_client: OpenClient, status: int
) -> None:
    cloud.faults.append(Fault(STORE, "redirect", status=status, location=f"{cloud.storage_url}/comfy-outputs/x"))
    with pytest.raises(NotComfyCloud):
        await receive(open_client, MemorySink())
    assert len(cloud.storage_requests) == 1


async def test_a_file_that_the_cloud_sends_itself_may_be_of_any_size_and_is_continued_too(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    """ComfyUI's own server answers like this, with ranges and entity tags but without `If-Range` for them."""
    content = Periodic("local", 25 * 2**20)
    body = content.part(0, content.size)
    asked: list[web.Request] = []

    async def view(request: web.Request) -> web.StreamResponse:
        asked.append(request)
        headers = {"ETag": '"local"'}
        first = 0
        if "Range" in request.headers:
            first = int(request.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
        response = web.StreamResponse(status=206 if first else 200, headers=headers)
        response.content_length = len(body) - first
        await response.prepare(request)
        # The first answer ends too soon.
        end = len(body) if first else 22 * 2**20
        for at in range(first, end, 2**20):
            await response.write(body[at : min(at + 2**20, end)])
        if not first and request.transport is not None:
            request.transport.close()
        return response

    app = web.Application()
    app.router.add_get("/api/view", view)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sink = MemorySink()
    async with open_client(f"http://127.0.0.1:{runner.addresses[0][1]}") as client:
        async with FileReceiver(client, most=2**30) as receiver:
            assert await receiver.receive(FILE, sink) == Received(len(body), len(body))
        assert not client.awaits_answer
    await runner.cleanup()
    assert sink.content == body
    assert [at > 0 for at, *_ in sink.begun] == [False, True]
    assert len(asked) == 2
