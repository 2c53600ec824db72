"""Retries on real sockets, with one row for each kind of answer. The complete table is in test_retry.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest

from cloud_history.cloud.client import CloudClient, Timeouts
from cloud_history.cloud.pages import EVERY_JOB
from cloud_history.errors import (
    ApiMovedOn,
    BadRequest,
    CloudConnectionError,
    CloudError,
    CloudTimeoutError,
    NotComfyCloud,
    PlanRefused,
    RateLimited,
    ServerFault,
    Unauthorized,
)
from cloud_history.service import Operations
from cloud_history.tasks.stopping import Unwatched
from hosts import free_port
from simulated_cloud import Fault, SimulatedCloud
from simulated_cloud.error_shapes import ErrorShape, bare_rate_limit, plan_refusal
from support.no_backups import without_backups
from support.requests import clear_history

OpenClient = Callable[..., CloudClient]
ANY = ("*", "/api")
POST = ("POST", "/api/history")
IMPATIENT = Timeouts(connect=5.0, request=0.2)


def says(status: int, retry_after: str | None = None) -> Fault:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Fault(ANY, "status", times=None, status=status, headers=headers, json={"message": "no"})


def shaped(shape: ErrorShape) -> Fault:
    return Fault.shaped(ANY, shape, times=None)


def kind(name: str, **more: object) -> Fault:
    return Fault(ANY, name, times=None, **more)  # type: ignore[arg-type]


# The fault, the final error, and how often a read, a delete and a clear are sent.
Row = tuple[Callable[[], Fault], type[CloudError], int, int, int]
TABLE: dict[str, Row] = {
    #                                                                             read delete clear
    "reset before the body": (lambda: kind("reset_before_body"), CloudConnectionError, 4, 4, 1),
    "reset after the body": (lambda: kind("reset_after_body"), CloudConnectionError, 4, 4, 1),
    "timeout": (lambda: kind("slow", seconds=60), CloudTimeoutError, 4, 4, 1),
    "truncated": (lambda: kind("truncated"), CloudConnectionError, 4, 4, 1),
    "429 Retry-After": (lambda: says(429, "2"), RateLimited, 8, 8, 8),
    "429 Retry-After 61": (lambda: says(429, "61"), RateLimited, 1, 1, 1),
    "429": (lambda: says(429), RateLimited, 8, 8, 1),
    "429 text": (lambda: shaped(bare_rate_limit()), RateLimited, 8, 8, 1),
    "429 Retry-After nonsense": (lambda: says(429, "soon"), RateLimited, 8, 8, 1),
    "429 plan": (lambda: shaped(plan_refusal("FREE_TIER_EXHAUSTED")), PlanRefused, 1, 1, 1),
    "429 plan Retry-After": (
        lambda: shaped(plan_refusal("PAYMENT_REQUIRED", retry_after="2")),
        PlanRefused,
        1,
        1,
        1,
    ),
    "402 plan Retry-After": (
        lambda: shaped(plan_refusal("PAYMENT_REQUIRED", 402, retry_after="2")),
        PlanRefused,
        1,
        1,
        1,
    ),
    "500": (lambda: says(500), ServerFault, 4, 2, 1),
    "502 page": (lambda: kind("html", status=502), ServerFault, 4, 4, 1),
    "503": (lambda: says(503), ServerFault, 4, 4, 1),
    "503 Retry-After": (lambda: says(503, "2"), ServerFault, 4, 4, 4),
    "501": (lambda: says(501), ApiMovedOn, 1, 1, 1),
    "400": (lambda: says(400), BadRequest, 1, 1, 1),
    "401": (lambda: says(401), Unauthorized, 1, 1, 1),
    "304": (lambda: kind("status", status=304), NotComfyCloud, 1, 1, 1),
    "page": (lambda: kind("html"), NotComfyCloud, 1, 1, 1),
}


async def call(client: CloudClient, what: str, cloud: SimulatedCloud) -> None:
    if what == "read":
        await client.list_jobs({}, EVERY_JOB, limit=1)
    elif what == "delete":
        await client.delete_history(
            [cloud.finished[0].id] if cloud.finished else ["0" * 8 + "-0000" * 3 + "-" + "0" * 12]
        )
    else:
        await client.clear_history()


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize(("what", "column"), [("read", 2), ("delete", 3), ("clear", 4)])
async def test_each_kind_of_request_is_retried_as_often_as_the_table_says(
    cloud: SimulatedCloud, open_client: OpenClient, waits: list[float], name: str, what: str, column: int
) -> None:
    row = TABLE[name]
    cloud.faults.append(row[0]())
    timeouts = IMPATIENT if "timeout" in name else None
    async with open_client(timeouts=timeouts) as client:
        with pytest.raises(row[1]) as caught:
            await call(client, what, cloud)
    assert type(caught.value) is row[1]
    assert (len(cloud.requests), len(waits)) == (row[column], row[column] - 1)  # type: ignore[operator]
    assert len({request.body for request in cloud.requests if request.body}) <= 1, "each try sends the same bytes"
    if "Retry-After 6" in name:
        assert caught.value.retry_after is not None  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row[4] == 1])
async def test_a_clear_sends_its_request_once_whatever_goes_wrong(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, open_client: OpenClient, name: str
) -> None:
    fault = TABLE[name][0]()
    fault.match = POST
    cloud.faults.append(fault)
    client = open_client(timeouts=Timeouts(connect=5.0, request=0.3) if "timeout" in name else None)

    async def no_time(seconds: float) -> None:
        await asyncio.sleep(0)

    whole = Operations(
        without_backups(tmp_path),
        environ,
        open_client=lambda base_url, key: client,
        sleep=no_time,
    )
    await clear_history(whole, "menu", Unwatched())
    assert len(cloud.requests_to("POST", "/api/history")) == 1


@pytest.mark.parametrize("name", ["reset after the body", "timeout", "truncated"])
async def test_a_clear_without_an_answer_is_not_repeated_and_later_jobs_stay(
    cloud: SimulatedCloud, open_client: OpenClient, name: str
) -> None:
    fault = TABLE[name][0]()
    fault.times = 1
    cloud.faults.append(fault)
    async with open_client(timeouts=IMPATIENT if name == "timeout" else None) as client:
        with pytest.raises(CloudConnectionError) as caught:
            await client.clear_history()
        assert caught.value.sent is True
    later = cloud.add_job("completed")
    assert [job.id for job in cloud.finished] == [later.id]


@pytest.mark.parametrize("failures", [1, 2, 3])
@pytest.mark.parametrize("what", ["read", "delete"])
@pytest.mark.parametrize("name", ["reset before the body", "reset after the body", "truncated", "503"])
async def test_a_read_or_delete_succeeds_if_one_of_its_retries_succeeds(
    cloud: SimulatedCloud, open_client: OpenClient, waits: list[float], name: str, what: str, failures: int
) -> None:
    fault = TABLE[name][0]()
    fault.times = failures
    cloud.faults.append(fault)
    async with open_client() as client:
        await call(client, what, cloud)
    assert len(cloud.requests) == failures + 1
    assert waits == [0.5, 1.0, 2.0][:failures]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_rate_limited_clear_is_sent_again_after_the_seconds_in_retry_after(
    cloud: SimulatedCloud, open_client: OpenClient, waits: list[float], status: int
) -> None:
    fault = says(status, "7")
    fault.times = 2
    cloud.faults.append(fault)
    async with open_client() as client:
        await client.clear_history()
    assert (len(cloud.requests), waits) == (3, [7.0, 7.0])
    assert not cloud.finished


async def test_the_client_waits_until_the_date_in_retry_after(
    cloud: SimulatedCloud, open_client: OpenClient, waits: list[float]
) -> None:
    when = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=20), usegmt=True)
    fault = says(503, when)
    fault.times = 1
    cloud.faults.append(fault)
    async with open_client() as client:
        await client.clear_history()
    assert len(waits) == 1
    assert 15 < waits[0] <= 20


async def test_a_retry_after_of_more_than_a_minute_raises_an_error_with_the_seconds(
    cloud: SimulatedCloud, open_client: OpenClient, waits: list[float]
) -> None:
    cloud.faults.append(says(429, "120"))
    async with open_client() as client:
        with pytest.raises(RateLimited) as caught:
            await client.clear_history()
    assert (caught.value.retry_after, waits) == (120.0, [])
    assert "120 s" in str(caught.value)


@pytest.mark.parametrize("what", ["read", "delete", "clear"])
async def test_a_request_is_retried_when_the_connection_was_refused(open_client: OpenClient, what: str) -> None:
    port = free_port()
    late = SimulatedCloud(jobs=20)
    serving = late.serving(port)
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            await serving.__aenter__()

    async with open_client(f"http://127.0.0.1:{port}", key=late.api_key, sleep=sleep) as client:
        await call(client, what, late)
    assert waited == [0.5, 1.0]
    assert [request.status for request in late.requests] == [200]
    await serving.__aexit__(None, None, None)


@pytest.mark.parametrize("what", ["read", "delete", "clear"])
async def test_an_unreachable_server_is_tried_four_times_and_reported_with_its_host(
    cloud: SimulatedCloud, open_client: OpenClient, waits: list[float], what: str
) -> None:
    port = free_port()
    async with open_client(f"http://127.0.0.1:{port}") as client:
        with pytest.raises(CloudConnectionError) as caught:
            await call(client, what, cloud)
    assert (caught.value.sent, caught.value.code, waits) == (False, "unreachable", [0.5, 1.0, 2.0])
    assert f"127.0.0.1:{port}" in caught.value.message
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


async def test_a_clear_on_a_keep_alive_connection_that_broke_is_not_sent_again(
    cloud: SimulatedCloud, open_client: OpenClient, waits: list[float]
) -> None:
    cloud.faults.append(Fault(POST, "reset_before_body", times=None))
    async with open_client() as client:
        await client.list_jobs({}, EVERY_JOB, limit=1)
        with pytest.raises(CloudConnectionError) as caught:
            await client.clear_history()
    assert (caught.value.sent, waits) == (True, [])
    assert len(cloud.requests_to("POST", "/api/history")) == 1
