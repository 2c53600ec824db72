"""Whole operations against rate limits, plan refusals, false 401s and removed routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cloud_history.cloud.client import CloudClient
from cloud_history.cloud.pages import EVERY_JOB
from cloud_history.cloud.retry import RetryPolicy
from cloud_history.config import read_base_url
from cloud_history.deletion.outcomes import DeletionResult, Outcome
from cloud_history.deletion.report import deletion_report
from cloud_history.secret import Secret
from cloud_history.service import Operations
from cloud_history.tasks.stopping import ASKED_TO_WAIT, Unwatched
from simulated_cloud import Fault, SimulatedCloud
from simulated_cloud.error_shapes import bare_rate_limit, plan_refusal, rate_limited
from support.no_backups import without_backups
from support.requests import delete_jobs

POST, LIST = ("POST", "/api/history"), ("GET", "/api/jobs")
SECOND_401 = {"message": "Invalid API key"}


@dataclass
class Told(Unwatched):
    """A person who records the waits in the progress and can stop the operation."""

    waits: list[int] = field(default_factory=list)
    stopping: bool = False
    stops_at_a_wait: bool = False

    def stop_requested(self) -> bool:
        return self.stopping

    def progress(self, phase: str, done: int, total: int) -> None:
        if phase == ASKED_TO_WAIT:
            self.waits.append(total)
            self.stopping = self.stops_at_a_wait


class Clock:
    """A clock that advances only while a task sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def cloud(clock: Clock) -> AsyncIterator[SimulatedCloud]:
    cloud = SimulatedCloud(jobs=1100, clock=clock)
    async with cloud.serving():
        yield cloud


@pytest.fixture
def operations(cloud: SimulatedCloud, clock: Clock, tmp_path: Path) -> Operations:
    environ = {"COMFY_CLOUD_BASE_URL": cloud.base_url, "COMFY_CLOUD_API_KEY": cloud.api_key}
    return Operations(
        without_backups(tmp_path),
        environ,
        open_client=lambda base_url, key: CloudClient(
            base_url, key.secret, retries=RetryPolicy(rand=lambda: 0.0), sleep=clock.sleep
        ),
        sleep=clock.sleep,
    )


def client_of(cloud: SimulatedCloud, sleep: Callable[[float], object]) -> CloudClient:
    base_url = read_base_url({"COMFY_CLOUD_BASE_URL": cloud.base_url})
    return CloudClient(base_url, Secret(cloud.api_key), sleep=sleep)  # type: ignore[arg-type]


def check_outcomes_against_cloud(cloud: SimulatedCloud, result: DeletionResult) -> None:
    """Check that exactly the jobs reported as removed are gone from the simulated cloud."""
    for job_id, each in result.jobs.items():
        assert cloud.jobs[job_id].deleted is (each.outcome is Outcome.DELETED), each


async def delete(operations: Operations, cloud: SimulatedCloud, watch: Told, count: int = 1000) -> DeletionResult:
    job_ids = [job.id for job in cloud.finished[:count]]
    result = await delete_jobs(operations, job_ids, "menu", watch)
    check_outcomes_against_cloud(cloud, result)
    return result


@pytest.mark.parametrize("told", [True, False], ids=["with Retry-After", "without"])
async def test_a_deletion_of_1000_jobs_completes_despite_rate_limits(
    cloud: SimulatedCloud, operations: Operations, told: bool
) -> None:
    cloud.switches.rate_limit = 5
    cloud.switches.rate_limit_seconds = 12
    cloud.switches.rate_limit_told = told
    watch = Told()
    result = await delete(operations, cloud, watch)
    assert result.removed == 1000
    assert not result.failed
    assert any(request.status == 429 for request in cloud.requests_to(*POST))
    assert watch.waits
    assert max(watch.waits) == (12 if told else max(watch.waits))


async def test_an_operation_sends_no_request_while_the_service_asks_to_wait(
    cloud: SimulatedCloud, clock: Clock
) -> None:
    let_go, asleep = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await let_go.wait()

    cloud.faults.append(Fault.shaped(LIST, rate_limited("12")))
    async with client_of(cloud, sleep) as client:
        first = asyncio.create_task(client.list_jobs({}, EVERY_JOB, limit=1))
        await asleep.wait()
        others = [asyncio.create_task(client.get_user()) for _ in range(3)]
        await asyncio.wait(others, timeout=0.05)
        assert len(cloud.requests) == 1
        let_go.set()
        await asyncio.gather(first, *others)
    assert len(cloud.requests) == 5


async def test_other_requests_continue_after_a_waiting_request_is_cancelled(cloud: SimulatedCloud) -> None:
    asleep = asyncio.Event()

    async def sleep(seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    cloud.faults.append(Fault.shaped(LIST, bare_rate_limit()))
    async with client_of(cloud, sleep) as client:
        first = asyncio.create_task(client.list_jobs({}, EVERY_JOB, limit=1))
        await asleep.wait()
        first.cancel()
        await asyncio.wait({first})
        assert await client.get_user() == "active"


@pytest.mark.parametrize("shape", [rate_limited("30"), bare_rate_limit()], ids=["30 s", "bare"])
async def test_a_wait_that_the_service_asks_for_can_be_stopped_at_once(
    cloud: SimulatedCloud,
    operations: Operations,
    clock: Clock,
    shape: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def never(seconds: float) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(clock, "sleep", never)
    cloud.faults.append(Fault.shaped(POST, shape, times=None))  # type: ignore[arg-type]
    result = await delete(operations, cloud, Told(stops_at_a_wait=True), count=10)
    assert (result.stopped, result.removed) == (True, 0)


@pytest.mark.parametrize("status", [402, 429])
@pytest.mark.parametrize("after", [0, 3])
async def test_a_plan_refusal_ends_the_operation_even_with_retry_after_and_says_why(
    cloud: SimulatedCloud, operations: Operations, status: int, after: int
) -> None:
    shape = plan_refusal("PAYMENT_REQUIRED", status, retry_after="2")
    cloud.faults.append(Fault.shaped(POST, shape, times=None, after=after))
    watch = Told()
    result = await delete(operations, cloud, watch)
    assert result.removed == after * 100
    assert watch.waits == []
    # All five concurrent requests may be refused. No request is sent after them.
    assert len(cloud.requests_to(*POST)) <= after + 5
    report = deletion_report(result)
    assert "Comfy Cloud asks for a payment" in report
    assert "“Please check your plan (PAYMENT_REQUIRED).”" in report
    assert "again" not in report


@pytest.mark.parametrize("every", [2, 7])
async def test_single_false_401s_do_not_end_an_operation(
    cloud: SimulatedCloud, operations: Operations, every: int
) -> None:
    cloud.faults.append(Fault(POST, "status", status=401, json=SECOND_401, after=2, times=1))
    cloud.faults.append(Fault(LIST, "status", status=401, json=SECOND_401, after=every, times=1))
    result = await delete(operations, cloud, Told())
    assert result.removed == 1000
    assert sum(request.status == 401 for request in cloud.requests) >= 1


async def test_a_key_that_is_refused_twice_in_a_row_ends_the_operation(
    cloud: SimulatedCloud, operations: Operations
) -> None:
    cloud.faults.append(Fault(POST, "status", status=401, json=SECOND_401, after=4, times=None))
    result = await delete(operations, cloud, Told())
    assert result.removed == 400
    refused = [request for request in cloud.requests_to(*POST) if request.status == 401]
    assert len(refused) <= 2 * 5
    assert {str(each.why) for each in result.jobs.values()} == {"", "the key was refused"}
    assert "untouched" not in deletion_report(result)


@pytest.mark.parametrize("status", [404, 405, 410, 501])
async def test_a_removed_deletion_route_ends_the_operation_and_asks_to_update_the_pack(
    cloud: SimulatedCloud, operations: Operations, status: int
) -> None:
    cloud.switches.history_route = status
    result = await delete(operations, cloud, Told())
    assert result.removed == 0
    assert len(cloud.requests_to(*POST)) <= 5
    assert Outcome.UNCONFIRMED not in {each.outcome for each in result.jobs.values()}
    report = deletion_report(result)
    assert "look for a newer version of Comfy Cloud History" in report
    assert "ry again" not in report
