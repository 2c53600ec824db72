"""A client on a real socket sees every switch of the simulated cloud."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Literal

import aiohttp
import pytest

from simulated_cloud import ABSENT, FINISHED, SimulatedCloud
from simulated_cloud.error_shapes import error_response
from simulated_cloud.jobs import RAW_STATES
from support.clocks import Timer


@pytest.fixture
def clock() -> Timer:
    return Timer()


@pytest.fixture
def cloud(clock: Timer) -> SimulatedCloud:
    return SimulatedCloud(jobs=30, clock=clock)


async def get(http: aiohttp.ClientSession, path: str) -> tuple[int, Any]:
    async with http.get(path) as answer:
        return answer.status, await answer.json()


async def clear(http: aiohttp.ClientSession) -> tuple[int, bytes]:
    async with http.post("/api/history", json={"clear": True}, allow_redirects=False) as answer:
        return answer.status, await answer.read()


async def test_latency_delays_every_answer(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    cloud.switches.latency = 0.05
    started = time.perf_counter()
    await asyncio.gather(*(get(http, "/api/user") for _ in range(3)), clear(http))
    assert time.perf_counter() - started >= 0.05
    assert sorted(request.in_flight for request in cloud.requests) == [1, 2, 3, 4]


@pytest.mark.parametrize(("unit", "divisor"), [("ms", 1), ("s", 1000)])
async def test_times_are_in_the_unit_of_the_switch(
    cloud: SimulatedCloud, http: aiohttp.ClientSession, unit: Literal["ms", "s"], divisor: int
) -> None:
    cloud.switches.time_unit = unit
    job = cloud.listed("completed")[0]
    _, page = await get(http, "/api/jobs?sort_order=asc&status=completed&limit=1")
    _, detail = await get(http, f"/api/jobs/{job.id}")
    assert page["jobs"][0]["create_time"] == detail["create_time"] == job.create_time // divisor
    assert detail["update_time"] == job.update_time // divisor
    assert detail["execution_end_time"] == job.end_time


async def test_raw_states_are_shown_and_the_filter_still_takes_documented_statuses(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    cloud.switches.raw_states = True
    for status, words in RAW_STATES.items():
        cloud.add_job(status)
        _, page = await get(http, f"/api/jobs?status={status}")
        assert page["jobs"]
        assert {job["status"] for job in page["jobs"]} <= set(words)


async def test_with_lag_lists_show_deleted_jobs_for_a_while(
    cloud: SimulatedCloud, http: aiohttp.ClientSession, clock: Timer
) -> None:
    cloud.switches.lag = 5
    finished = cloud.finished[0].id
    await clear(http)
    assert (await get(http, "/api/jobs"))[1]["pagination"]["total"] == 30
    assert (await get(http, f"/api/jobs/{finished}"))[0] == 404
    clock.now += 5
    assert (await get(http, "/api/jobs"))[1]["pagination"]["total"] == len(cloud.active) < 30


async def test_a_lying_cloud_accepts_deletions_and_deletes_nothing(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    cloud.switches.lies = True
    assert await clear(http) == (200, b"")
    assert not cloud.deleted


@pytest.mark.parametrize(("total", "expected"), [("exact", 30), ("zero", 0), ("absent", None)])
async def test_the_total_can_be_exact_zero_or_absent(
    cloud: SimulatedCloud,
    http: aiohttp.ClientSession,
    total: Literal["exact", "zero", "absent"],
    expected: int | None,
) -> None:
    cloud.switches.total = total
    _, page = await get(http, "/api/jobs?limit=1")
    assert page["pagination"].get("total") == expected
    assert len(page["jobs"]) == 1


async def test_the_status_filter_can_be_ignored(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    cloud.switches.ignores_status_filter = True
    assert (await get(http, "/api/jobs?status=failed"))[1]["pagination"]["total"] == 30


async def test_routes_can_be_missing(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    cloud.switches.has_jobs_route = cloud.switches.has_user_route = False
    for path in ("/api/user", "/api/jobs", f"/api/jobs/{cloud.finished[0].id}"):
        assert (await get(http, path))[0] == 404
    assert (await clear(http))[0] == 200


async def test_a_rate_limit_refuses_further_requests_until_its_window_ends(
    cloud: SimulatedCloud, http: aiohttp.ClientSession, clock: Timer
) -> None:
    cloud.switches.rate_limit, cloud.switches.rate_limit_seconds = 2, 10.0
    assert [(await get(http, "/api/jobs"))[0] for _ in range(3)] == [200, 200, 429]
    clock.now += 3
    async with http.get("/api/jobs") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    cloud.switches.rate_limit_told = False
    async with http.get("/api/jobs") as answer:
        assert "Retry-After" not in answer.headers
    clock.now += 7
    assert [(await get(http, "/api/jobs"))[0] for _ in range(3)] == [200, 200, 429]


async def test_the_right_key_can_be_refused_every_few_requests(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    cloud.switches.false_401 = 3
    assert [(await get(http, "/api/jobs"))[0] for _ in range(6)] == [200, 200, 401] * 2


@pytest.mark.parametrize("status", [402, 429])
async def test_a_plan_refusal_has_its_type_and_a_misleading_retry_after(
    cloud: SimulatedCloud, http: aiohttp.ClientSession, status: int
) -> None:
    cloud.switches.plan_refusal, cloud.switches.plan_refusal_status = "FREE_TIER_EXHAUSTED", status
    async with http.get("/api/jobs") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (status, "1")
        assert (await answer.json())["error"]["type"] == "FREE_TIER_EXHAUSTED"
    assert (await clear(http))[0] == status
    assert not cloud.deleted


@pytest.mark.parametrize("status", [404, 410, 501])
async def test_the_deletion_route_can_be_gone_while_the_list_works(
    cloud: SimulatedCloud, http: aiohttp.ClientSession, status: int
) -> None:
    cloud.switches.history_route = status
    assert (await clear(http))[0] == status
    assert (await get(http, "/api/jobs"))[0] == 200
    assert not cloud.deleted


def test_switches_are_set_from_texts_of_a_command_line(cloud: SimulatedCloud) -> None:
    for text in ("rate_limit=20", "lag=2.5", "cursor=true", "plan_refusal=PAYMENT_REQUIRED", "lies=false"):
        cloud.switches.set(text)
    switches = cloud.switches
    assert (switches.rate_limit, switches.lag, switches.cursor) == (20, 2.5, True)
    assert (switches.plan_refusal, switches.lies) == ("PAYMENT_REQUIRED", False)


@pytest.mark.parametrize("text", ["", "odd=1", "rate_limit", "rate_limit=many", "lies=1", "unauthorized=x", "set=1"])
def test_an_invalid_switch_is_refused(cloud: SimulatedCloud, text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        cloud.switches.set(text)


async def test_an_inactive_subscription_is_a_429_without_retry_after(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    cloud.switches.subscription = "inactive"
    cloud.switches.user_status = "waitlisted"
    async with http.get("/api/jobs") as answer:
        assert answer.status == 429
        assert "Retry-After" not in answer.headers
    assert (await clear(http))[0] == 429
    assert await get(http, "/api/user") == (200, {"status": "waitlisted"})
    assert not cloud.deleted


async def test_a_malformed_id_can_refuse_the_whole_deletion(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    cloud.switches.refuses_malformed_ids = True
    async with http.post("/api/history", json={"delete": [cloud.finished[0].id, "12"]}) as answer:
        assert answer.status == 400
    assert not cloud.deleted


async def test_the_401_can_have_another_shape(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    cloud.api_key = "changed"
    assert await get(http, "/api/user") == (401, {"message": "Invalid API key"})
    cloud.switches.unauthorized = error_response(401, "unauthorized", "Who are you?")
    assert await get(http, "/api/user") == (401, {"code": "unauthorized", "message": "Who are you?"})


async def test_overrides_change_the_fields_of_a_job(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    job = cloud.add_job("completed", overrides={"status": "paused", "create_time": ABSENT})
    _, detail = await get(http, f"/api/jobs/{job.id}")
    assert detail["status"] == "paused"
    assert "create_time" not in detail


def test_only_finished_jobs_are_listed_as_finished(cloud: SimulatedCloud) -> None:
    assert {job.status for job in cloud.finished} == set(FINISHED)
    assert len(cloud.finished) + len(cloud.active) == 30
