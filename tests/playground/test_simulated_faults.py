"""A client on a real socket sees every kind of fault of the simulated cloud."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any, Literal

import aiohttp
import pytest

from simulated_cloud import DEFAULT_API_KEY, ERROR_SHAPES, Fault, SimulatedCloud

CLEAR = ("POST", "/api/history")
LIST = ("GET", "/api/jobs")


@pytest.fixture
def cloud() -> SimulatedCloud:
    return SimulatedCloud(jobs=30)


async def get(http: aiohttp.ClientSession, path: str) -> tuple[int, Any]:
    async with http.get(path) as answer:
        return answer.status, await answer.json()


async def clear(http: aiohttp.ClientSession) -> tuple[int, bytes]:
    async with http.post("/api/history", json={"clear": True}, allow_redirects=False) as answer:
        return answer.status, await answer.read()


@pytest.mark.parametrize("name", ERROR_SHAPES)
async def test_every_error_shape_arrives_unchanged(
    cloud: SimulatedCloud, http: aiohttp.ClientSession, name: str
) -> None:
    shape = ERROR_SHAPES[name]
    cloud.faults.append(Fault.shaped(CLEAR, shape))
    async with http.post("/api/history", json={"clear": True}) as answer:
        assert (answer.status, await answer.read()) == (shape.status, shape.body)
        assert {header: answer.headers[header] for header in shape.headers} == shape.headers
    assert not cloud.deleted
    assert cloud.requests[-1].status == shape.status
    assert (await clear(http))[0] == 200


async def test_an_error_can_follow_a_request_that_took_effect(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    cloud.faults.append(Fault(CLEAR, "status", status=502, json={"message": "late"}, acted=True))
    assert await clear(http) == (502, b'{"message": "late"}')
    assert not cloud.finished


@pytest.mark.parametrize(
    ("kind", "acted", "removes"),
    [
        ("reset_before_body", None, False),
        ("reset_after_body", None, True),
        ("reset_after_body", False, False),
    ],
)
async def test_a_reset_cuts_the_connection_before_or_after_the_request_takes_effect(
    cloud: SimulatedCloud,
    http: aiohttp.ClientSession,
    kind: Literal["reset_before_body", "reset_after_body"],
    acted: bool | None,
    removes: bool,
) -> None:
    cloud.faults.append(Fault(CLEAR, kind, acted=acted))
    with pytest.raises(aiohttp.ClientConnectionError):
        await clear(http)
    assert bool(cloud.deleted) == removes
    request = cloud.requests[-1]
    assert (request.status, bool(request.body)) == (None, kind == "reset_after_body")


@pytest.mark.parametrize(("acted", "removes"), [(None, True), (False, False)])
async def test_a_slow_request_takes_effect_before_or_after_the_client_times_out(
    cloud: SimulatedCloud,
    http: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    acted: bool | None,
    removes: bool,
) -> None:
    gate = asyncio.Event()

    async def pause(seconds: float) -> None:
        if seconds:
            await gate.wait()

    monkeypatch.setattr(cloud, "pause", pause)
    cloud.faults.append(Fault(CLEAR, "slow", seconds=60, acted=acted))
    with pytest.raises(asyncio.TimeoutError):
        async with http.post("/api/history", json={"clear": True}, timeout=aiohttp.ClientTimeout(total=0.05)):
            pass
    await get(http, "/api/user")
    gate.set()
    await get(http, "/api/user")
    assert cloud.faults[0].fired == 1
    assert bool(cloud.deleted) == removes


@pytest.mark.parametrize("acted", [True, False])
async def test_a_slow_answer_arrives_if_the_client_waits(
    cloud: SimulatedCloud, http: aiohttp.ClientSession, acted: bool
) -> None:
    cloud.faults.append(Fault(CLEAR, "slow", seconds=0.05, acted=acted))
    started = time.perf_counter()
    assert await clear(http) == (200, b"")
    assert time.perf_counter() - started >= 0.05
    assert not cloud.finished


async def test_a_truncated_answer_ends_before_its_announced_length(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    cloud.faults += [
        Fault(CLEAR, "truncated"),
        Fault(LIST, "truncated"),
        Fault(LIST, "truncated", acted=False),
    ]
    for request in (clear(http), get(http, "/api/jobs"), get(http, "/api/jobs")):
        with pytest.raises(aiohttp.ClientPayloadError):
            await request
    assert not cloud.finished


async def test_a_huge_answer_has_the_given_size_and_may_be_left_half_read(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    cloud.faults.append(Fault(LIST, "huge", mebibytes=2.5, times=2))
    _, answer = await get(http, "/api/jobs")
    assert len(answer["padding"]) == 2.5 * 1024 * 1024
    async with http.get("/api/jobs") as response:
        assert len(await response.content.readexactly(10)) == 10
    assert (await get(http, "/api/jobs"))[0] == 200


async def test_html_and_empty_answers_have_any_status(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    cloud.faults += [Fault(LIST, "html"), Fault(LIST, "html", status=503), Fault(LIST, "empty")]
    seen = []
    for _ in range(3):
        async with http.get("/api/jobs") as answer:
            seen.append((answer.status, answer.content_type, bool(await answer.read())))
    assert seen[:2] == [(200, "text/html", True), (503, "text/html", True)]
    assert (seen[2][0], seen[2][2]) == (200, False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_leads_to_its_location(
    cloud: SimulatedCloud, http: aiohttp.ClientSession, status: int
) -> None:
    other = SimulatedCloud(jobs=3)
    async with other.serving() as elsewhere:
        cloud.faults.append(Fault(CLEAR, "redirect", status=status, location=f"{elsewhere}/api/history"))
        async with http.post("/api/history", json={"clear": True}) as answer:
            await answer.read()
    # A client that follows the redirect sends the key along, which is why ours must not follow it.
    assert [request.headers["X-API-Key"] for request in other.requests] == [DEFAULT_API_KEY]
    assert not cloud.deleted


async def test_a_fault_starts_and_ends_when_it_is_due(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    fault = Fault(LIST, "status", status=500, after=1, times=2)
    cloud.faults += [fault, Fault(LIST, "status", status=503, after=2, times=None)]
    assert [(await get_status(http, "/api/jobs")) for _ in range(6)] == [200, 500, 500, 503, 503, 503]
    assert (fault.seen, fault.fired) == (6, 2)


async def get_status(http: aiohttp.ClientSession, path: str) -> int:
    async with http.get(path) as answer:
        return answer.status


async def test_a_fault_is_matched_by_method_path_prefix_pattern_and_body(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    cloud.faults += [
        Fault(("GET", r"/api/jobs\?.*status=failed"), "status", status=501, times=None),
        Fault(("*", re.compile("/api/u.er$")), "status", status=502, times=None),
        Fault(CLEAR, "status", status=504, predicate=lambda body: body == {"delete": ["b"]}, times=None),
    ]
    assert await get_status(http, "/api/jobs?limit=1&status=failed") == 501
    assert await get_status(http, "/api/jobs?limit=1") == 200
    assert await get_status(http, "/api/user?x=1") == 502
    for name, status in (("a", 200), ("b", 504)):
        async with http.post("/api/history", json={"delete": [name]}) as answer:
            assert answer.status == status
    assert cloud.history_posts == [{"delete": ["a"]}, {"delete": ["b"]}]


def test_an_invalid_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="kind"):
        Fault(CLEAR, "explode")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="status"):
        Fault(CLEAR, "status")
    with pytest.raises(ValueError, match="before its body"):
        Fault(CLEAR, "reset_before_body", acted=True)


async def test_stopping_does_not_wait_for_slow_answers(cloud: SimulatedCloud) -> None:
    arrived = asyncio.Event()

    def note(body: Any) -> bool:
        arrived.set()
        return True

    cloud.faults.append(Fault(("*", "/"), "slow", seconds=3600, predicate=note))
    headers = {"X-API-Key": DEFAULT_API_KEY}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with cloud.serving() as base_url:
            waiting = asyncio.create_task(get_status(session, f"{base_url}/api/user"))
            await arrived.wait()
            started = time.perf_counter()
        assert time.perf_counter() - started < 1
        await asyncio.gather(waiting, return_exceptions=True)
