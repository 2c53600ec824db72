"""Files to be saved are received whole, are continued where a connection broke, and are never mixed with others."""

from __future__ import annotations

import asyncio
import hashlib
import tracemalloc
from collections.abc import Callable

import pytest

from cloud_history.cloud.client import CloudClient
from cloud_history.cloud.file_receiver import MAX_BEGINNINGS, PIECE_BYTES, READ_AHEAD_BYTES, FileReceiver, Received
from cloud_history.errors import (
    CloudConnectionError,
    CloudError,
    CloudTimeoutError,
    FileTooLarge,
    NotComfyCloud,
    NotFound,
    RateLimited,
    ServerFault,
    StateUnwritable,
    UnreadableAnswer,
)
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
def body(cloud: SimulatedCloud) -> bytes:
    cloud.add_job(files=("a.mp4",))
    cloud.account.contents["a.mp4"] = BODY
    return BODY


async def receive(
    open_client: OpenClient,
    sink: MemorySink,
    *,
    file: OutputFile = FILE,
    most: int = 2**30,
    idle_seconds: float = 5.0,
    start: int = 0,
    etag: str = "",
) -> Received:
    async with open_client() as client, FileReceiver(client, most=most, idle_seconds=idle_seconds) as receiver:
        return await receiver.receive(file, sink, start=start, etag=etag)


async def etag_of(open_client: OpenClient) -> str:
    sink = MemorySink()
    await receive(open_client, sink)
    return sink.begun[0][2]


def ranges(cloud: SimulatedCloud) -> list[str]:
    return [request.headers.get("Range", "") for request in cloud.storage_requests]


async def test_a_file_is_received_as_it_is_stored(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    sink = MemorySink()
    assert await receive(open_client, sink) == Received(len(BODY), len(BODY))
    assert hashlib.sha256(sink.content).hexdigest() == cloud.facts("a.mp4").sha256
    ((at, size, etag),) = sink.begun
    assert (at, size) == (0, len(BODY))
    assert etag.startswith('"')
    assert sink.largest <= PIECE_BYTES + READ_AHEAD_BYTES


async def test_the_storage_is_asked_for_the_plain_file_without_the_key(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    await receive(open_client, MemorySink())
    (asked,) = cloud.storage_requests
    assert asked.headers["Accept-Encoding"] == "identity"
    assert cloud.api_key not in f"{asked.path}{asked.query}{dict(asked.headers)}"
    assert not {"x-api-key", "authorization", "cookie", "referer", "range"} & {name.lower() for name in asked.headers}


async def test_an_empty_file_is_received(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    cloud.account.contents["a.mp4"] = b""
    sink = MemorySink()
    assert await receive(open_client, sink) == Received(0, 0)
    assert sink.begun[0][:2] == (0, 0)


@pytest.mark.parametrize("sent", [1, 70_000, 1_500_000, 2_999_999, 3_000_000])
@pytest.mark.parametrize("kind", ["cut", "stall"])
async def test_a_broken_download_continues_where_it_broke(
    cloud: SimulatedCloud, open_client: OpenClient, sent: int, kind: str
) -> None:
    cloud.faults.append(Fault(STORE, kind, sent=sent))  # type: ignore[arg-type]
    sink = MemorySink()
    received = await receive(open_client, sink, idle_seconds=0.5 if kind == "stall" else 5.0)
    assert received == Received(len(BODY), len(BODY))
    assert sink.content == BODY
    (first, _, etag), (second, size, again) = sink.begun[:2]
    # A reset may overtake bytes that have arrived.
    assert first == 0 <= second <= sent
    assert kind == "cut" or second == sent
    assert (size, again) == (len(BODY), etag)
    if second:
        asked = cloud.storage_requests[1]
        assert (asked.headers["Range"], asked.headers["If-Range"]) == (f"bytes={second - 1}-", etag)


async def test_a_download_that_breaks_again_and_again_but_advances_is_completed(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    content = Periodic("long", 30_000_000)
    cloud.account.contents["a.mp4"] = content
    cloud.faults.append(Fault(STORE, "stall", sent=2_000_000, times=12))
    sink = MemorySink()
    assert (await receive(open_client, sink, idle_seconds=0.1)).size == content.size
    assert hashlib.sha256(sink.content).hexdigest() == cloud.facts("a.mp4").sha256
    assert len(sink.begun) >= 13


async def test_a_download_that_breaks_again_and_again_without_advancing_is_given_up(
    cloud: SimulatedCloud, open_client: OpenClient, waits: list[float]
) -> None:
    cloud.faults.append(Fault(STORE, "cut", sent=1000, times=None))
    with pytest.raises(CloudConnectionError):
        await receive(open_client, MemorySink())
    assert len(cloud.storage_requests) == 4
    assert len(waits) == 3


async def test_every_try_has_a_fresh_address(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    cloud.faults.append(Fault(STORE, "cut", sent=1_000_000))
    await receive(open_client, MemorySink())
    assert len(cloud.requests_to(*VIEW)) == len(cloud.storage_requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 410])
async def test_an_address_that_has_expired_is_replaced(
    cloud: SimulatedCloud, open_client: OpenClient, waits: list[float], status: int
) -> None:
    cloud.faults += [Fault(STORE, "cut", sent=1_000_000), Fault(STORE, "status", status=status, after=1)]
    sink = MemorySink()
    await receive(open_client, sink)
    assert sink.content == BODY
    assert len(cloud.storage_requests) == 3
    assert waits[1:] == [0.0]


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, UnreadableAnswer), (401, UnreadableAnswer), (403, NotFound), (404, NotFound), (410, NotFound)],
)
async def test_a_file_that_the_storage_does_not_give_out_is_asked_for_at_most_twice(
    cloud: SimulatedCloud, open_client: OpenClient, status: int, error: type[CloudError]
) -> None:
    cloud.faults.append(Fault(STORE, "status", status=status, times=None, body=b"<Error>secret text</Error>"))
    sink = MemorySink()
    with pytest.raises(error) as caught:
        await receive(open_client, sink)
    assert caught.value.status == status
    assert type(caught.value) is error
    assert "secret text" not in str(caught.value)
    assert len(cloud.storage_requests) == (1 if status == 404 else 2)
    assert sink.begun == []


async def test_an_output_that_the_cloud_has_lost_says_so(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    cloud.account.lost.add("a.mp4")
    with pytest.raises(NotFound) as caught:
        await receive(open_client, MemorySink())
    assert caught.value.short == "it is no longer on Comfy Cloud"
    assert cloud.storage_requests == []


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
async def test_a_storage_with_a_problem_is_asked_again(
    cloud: SimulatedCloud, open_client: OpenClient, waits: list[float], status: int
) -> None:
    cloud.faults.append(Fault(STORE, "status", status=status, times=2, headers={"Retry-After": "3"}))
    sink = MemorySink()
    await receive(open_client, sink)
    assert sink.content == BODY
    assert waits == [3.0, 3.0]


@pytest.mark.parametrize(("status", "error"), [(500, ServerFault), (429, RateLimited), (418, UnreadableAnswer)])
async def test_a_storage_with_a_lasting_problem_is_given_up(
    cloud: SimulatedCloud, open_client: OpenClient, status: int, error: type[CloudError]
) -> None:
    cloud.faults.append(Fault(STORE, "status", status=status, times=None))
    with pytest.raises(error):
        await receive(open_client, MemorySink())
    assert len(cloud.storage_requests) == {500: 4, 429: 8, 418: 1}[status]


async def test_errors_of_the_cloud_are_retried_by_its_client_alone(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    cloud.faults.append(Fault(VIEW, "status", status=503, times=None))
    with pytest.raises(ServerFault):
        await receive(open_client, MemorySink())
    assert len(cloud.requests_to(*VIEW)) == 4


@pytest.mark.parametrize("etags", ["weak", "none"])
async def test_without_a_strong_entity_tag_a_broken_download_begins_anew(
    cloud: SimulatedCloud, open_client: OpenClient, etags: str
) -> None:
    cloud.switches.etags = etags  # type: ignore[assignment]
    cloud.faults.append(Fault(STORE, "stall", sent=2_000_000))
    sink = MemorySink()
    await receive(open_client, sink, idle_seconds=0.5)
    assert sink.content == BODY
    assert sink.begun[:2] == [(0, len(BODY), "")] * 2
    assert set(ranges(cloud)) == {""}


async def test_a_storage_without_ranges_sends_a_broken_download_anew(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    cloud.switches.ranges = False
    cloud.faults.append(Fault(STORE, "stall", sent=2_000_000))
    sink = MemorySink()
    await receive(open_client, sink, idle_seconds=0.5)
    assert sink.content == BODY
    assert [at for at, *_ in sink.begun][:2] == [0, 0]


@pytest.mark.parametrize("etags", ["strong", "none"])
async def test_a_storage_without_ranges_is_not_asked_for_the_whole_file_forever(
    cloud: SimulatedCloud, open_client: OpenClient, etags: str
) -> None:
    cloud.switches.ranges, cloud.switches.etags = False, etags  # type: ignore[assignment]
    cloud.faults.append(Fault(STORE, "stall", sent=2_000_000, times=None))
    with pytest.raises(CloudTimeoutError):
        await receive(open_client, MemorySink(), idle_seconds=0.1)
    assert len(cloud.storage_requests) <= 5


async def test_a_storage_without_ranges_that_sends_a_little_more_each_time_is_given_up(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    cloud.switches.ranges, cloud.switches.etags = False, "none"
    cloud.account.contents["a.mp4"] = Periodic("long", 20_000_000)
    cloud.faults += [Fault(STORE, "stall", sent=2_000_000 * number) for number in range(1, 9)]
    with pytest.raises(CloudTimeoutError):
        await receive(open_client, MemorySink(), idle_seconds=0.1)
    assert len(cloud.storage_requests) <= MAX_BEGINNINGS


async def test_a_file_that_changed_meanwhile_begins_anew(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    cloud.faults.append(Fault(STORE, "stall", sent=2_000_000))

    class Changing(MemorySink):
        async def write(self, piece: bytes) -> None:
            await super().write(piece)
            cloud.account.contents["a.mp4"] = OTHER

    sink = Changing()
    await receive(open_client, sink, idle_seconds=0.5)
    assert sink.content == OTHER
    assert [at for at, *_ in sink.begun][:2] == [0, 0]


@pytest.mark.parametrize("start", [1, 2_000_000, 3_000_000, 3_000_001])
async def test_what_is_there_from_an_earlier_run_is_not_received_again(
    cloud: SimulatedCloud, open_client: OpenClient, start: int
) -> None:
    etag = await etag_of(open_client)
    cloud.storage_requests.clear()
    sink = MemorySink(BODY[:start])
    assert await receive(open_client, sink, start=start, etag=etag) == Received(len(BODY), len(BODY))
    assert sink.content == BODY
    assert sink.begun == [(start, len(BODY), etag)]
    assert ranges(cloud) == [f"bytes={start - 1}-"]


@pytest.mark.parametrize("etag", ["", 'W/"weak"', "no tag", '"another"', '"bad\r\nX: y"', '"a"b"'])
async def test_what_is_there_from_another_file_is_dropped(
    cloud: SimulatedCloud, open_client: OpenClient, etag: str
) -> None:
    sink = MemorySink(OTHER[:1000])
    await receive(open_client, sink, start=1000, etag=etag)
    assert sink.content == BODY
    assert [at for at, *_ in sink.begun] == [0]
    assert len(cloud.storage_requests) == 1


async def test_more_than_the_whole_file_from_an_earlier_run_is_dropped(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    etag = await etag_of(open_client)
    sink = MemorySink(BODY + b"more than there is")
    await receive(open_client, sink, start=len(sink.content), etag=etag)
    assert sink.content == BODY


async def test_a_file_above_the_limit_is_refused_before_its_first_byte(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    sink = MemorySink()
    with pytest.raises(FileTooLarge) as caught:
        await receive(open_client, sink, most=len(BODY) - 1)
    assert sink.begun == []
    assert len(cloud.storage_requests) == 1
    assert "limit for one saved file" in caught.value.message
    assert (await receive(open_client, sink, most=len(BODY))).size == len(BODY)


async def test_a_page_instead_of_a_file_is_not_saved(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    cloud.faults.append(Fault(VIEW, "html", times=None))
    sink = MemorySink()
    with pytest.raises(NotComfyCloud):
        await receive(open_client, sink)
    assert sink.begun == []


@pytest.mark.parametrize("error", [OSError("the disk is full"), StateUnwritable("state_unwritable"), KeyError("x")])
@pytest.mark.parametrize("when", ["begin", "write"])
async def test_an_error_of_the_sink_ends_the_download_unchanged(
    cloud: SimulatedCloud, open_client: OpenClient, error: Exception, when: str
) -> None:
    class Broken(MemorySink):
        async def begin(self, at: int, size: int | None, etag: str) -> None:
            await super().begin(at, size, etag)
            if when == "begin":
                raise error

        async def write(self, piece: bytes) -> None:
            raise error

    with pytest.raises(type(error)) as caught:
        await receive(open_client, Broken())
    assert caught.value is error
    assert len(cloud.storage_requests) == 1


async def test_many_files_are_received_at_once(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    names = [f"{number}.mp4" for number in range(12)]
    cloud.add_job(files=tuple(names))
    for name in names:
        cloud.account.contents[name] = Periodic(name, 1_000_000)
    cloud.faults += [Fault(STORE, "cut", sent=500_000, after=number) for number in (1, 4, 6)]
    sinks = [MemorySink() for _ in names]
    async with open_client() as client, FileReceiver(client, most=2**30) as receiver:
        await asyncio.gather(*map(receiver.receive, map(OutputFile, names), sinks))
    for name, sink in zip(names, sinks, strict=True):
        assert hashlib.sha256(sink.content).hexdigest() == cloud.facts(name).sha256


async def test_a_cancelled_download_ends_at_once(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    cloud.faults.append(Fault(STORE, "stall", sent=1_000_000))
    arrived = asyncio.Event()

    class Telling(MemorySink):
        async def write(self, piece: bytes) -> None:
            await super().write(piece)
            arrived.set()

    work = asyncio.ensure_future(receive(open_client, Telling()))
    await asyncio.wait_for(arrived.wait(), 10)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(work, 2)


async def test_a_large_file_takes_little_memory(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    cloud.account.contents["a.mp4"] = Periodic("film", 100 * 2**20)

    class Counting(MemorySink):
        size = 0

        async def write(self, piece: bytes) -> None:
            self.size += len(piece)

    sink = Counting()
    tracemalloc.start()
    await receive(open_client, sink)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sink.size == 100 * 2**20
    assert peak < 10 * 2**20
