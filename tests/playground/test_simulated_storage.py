"""The storage of the simulated cloud serves ranges, signed URLs that expire, and downloads that break off."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from simulated_cloud import Fault, Periodic, SimulatedCloud
from simulated_cloud.storage import signed_url
from support.clocks import Timer

BODY = bytes(range(256)) * 1000
STORE = ("GET", "/comfy-outputs/")


@pytest.fixture
def clock() -> Timer:
    return Timer()


@pytest.fixture
def cloud(clock: Timer) -> SimulatedCloud:
    cloud = SimulatedCloud(jobs=0, clock=clock)
    cloud.add_job(files=("a.mp4",))
    cloud.account.contents["a.mp4"] = BODY
    return cloud


async def get(http: aiohttp.ClientSession, url: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http.get(url, headers=named) as answer:
        return answer.status, await answer.read(), {name.lower(): value for name, value in answer.headers.items()}


async def test_a_range_is_served_from_any_byte(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    url = signed_url(cloud, "a.mp4")
    whole = await get(http, url)
    assert whole[:2] == (200, BODY)
    assert whole[2]["accept-ranges"] == "bytes"
    for first in (0, 1, 70_000, len(BODY) - 1):
        status, body, headers = await get(http, url, Range=f"bytes={first}-")
        assert (status, body) == (206, BODY[first:])
        assert headers["content-range"] == f"bytes {first}-{len(BODY) - 1}/{len(BODY)}"
    assert (await get(http, url, Range="bytes=5-9"))[:2] == (206, BODY[5:10])
    status, _, headers = await get(http, url, Range=f"bytes={len(BODY)}-")
    assert (status, headers["content-range"]) == (416, f"bytes */{len(BODY)}")


async def test_a_range_is_served_only_if_its_condition_holds(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    url = signed_url(cloud, "a.mp4")
    tag = (await get(http, url))[2]["etag"]
    assert (await get(http, url, Range="bytes=9-", If_Range=tag))[:2] == (206, BODY[9:])
    assert (await get(http, url, Range="bytes=9-", If_Range='"another"'))[:2] == (200, BODY)
    cloud.account.contents["a.mp4"] = BODY[::-1]
    assert (await get(http, url, Range="bytes=9-", If_Range=tag))[:2] == (200, BODY[::-1])
    cloud.account.contents["a.mp4"] = BODY
    cloud.switches.etags = "weak"
    weak = (await get(http, url))[2]["etag"]
    assert weak.startswith('W/"')
    assert (await get(http, url, Range="bytes=9-", If_Range=weak))[:2] == (200, BODY)
    cloud.switches.etags = "none"
    assert "etag" not in (await get(http, url))[2]


async def test_a_storage_without_ranges_serves_whole_files(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    cloud.switches.ranges = False
    status, body, headers = await get(http, signed_url(cloud, "a.mp4"), Range="bytes=9-")
    assert (status, body) == (200, BODY)
    assert "accept-ranges" not in headers


@pytest.mark.parametrize("status", [403, 400])
async def test_a_signed_url_expires_and_another_one_is_valid_again(
    cloud: SimulatedCloud, http: aiohttp.ClientSession, clock: Timer, status: int
) -> None:
    cloud.switches.url_seconds, cloud.switches.expired_status = 60, status
    url = signed_url(cloud, "a.mp4")
    clock.now += 59
    assert (await get(http, url))[0] == 200
    clock.now += 1
    assert (await get(http, url))[0] == status
    assert (await get(http, signed_url(cloud, "a.mp4")))[0] == 200


async def test_a_signed_url_cannot_be_prolonged(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    url = signed_url(cloud, "a.mp4")
    for old, new in (("Expires=3600.0", "Expires=9999.0"), ("Date=1000.0", "Date=2000.0")):
        assert old in url
        assert (await get(http, url.replace(old, new)))[0] == 403


async def test_a_file_that_the_storage_has_lost_is_404_by_its_url_too(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    url = signed_url(cloud, "a.mp4")
    cloud.account.lost.add("a.mp4")
    assert (await get(http, url))[0] == 404


async def test_a_cut_download_ends_with_an_error_after_its_first_bytes(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    cloud.faults.append(Fault(STORE, "cut", sent=100_000))
    async with http.get(signed_url(cloud, "a.mp4")) as answer:
        assert answer.content_length == len(BODY)
        assert await answer.content.readexactly(100_000) == BODY[:100_000]
        with pytest.raises((aiohttp.ClientError, ConnectionError)):
            await answer.content.read()


async def test_a_stalled_download_sends_its_first_bytes_and_then_nothing(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    cloud.faults.append(Fault(STORE, "stall", sent=100_000))
    async with http.get(signed_url(cloud, "a.mp4")) as answer:
        assert await answer.content.readexactly(100_000) == BODY[:100_000]
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(answer.content.read(1), 0.05)


async def test_a_truncated_download_sends_half_of_the_file(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    cloud.faults.append(Fault(STORE, "truncated"))
    async with http.get(signed_url(cloud, "a.mp4")) as answer:
        assert await answer.content.readexactly(len(BODY) // 2) == BODY[: len(BODY) // 2]
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.content.read()


async def test_a_video_of_two_gigabytes_is_served_from_its_end(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    film = Periodic("film", 2 * 2**30)
    cloud.account.contents["a.mp4"] = film
    status, body, headers = await get(http, signed_url(cloud, "a.mp4"), Range=f"bytes={film.size - 1000}-")
    assert (status, body) == (206, film.part(film.size - 1000, 1000))
    assert headers["content-range"].endswith(f"/{2**31}")
