"""Only one operation sends at a time, across threads, event loops and processes, and is recorded on disk first."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import pytest_asyncio

from cloud_history.cloud.client import CloudClient
from cloud_history.cloud.retry import BeforeSend
from cloud_history.config import BaseUrl
from cloud_history.deletion.outcomes import Outcome
from cloud_history.deletion.preview import ClearPreview
from cloud_history.deletion.request import DeletionRequest
from cloud_history.errors import Busy, HistoryGrew, OperationStopped, Unauthorized
from cloud_history.service import Operations
from cloud_history.state.credentials import ApiKey
from cloud_history.state.in_flight import InFlightOperation
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import ERROR_SHAPES, Fault, SimulatedCloud
from support.requests import clear_history, delete_jobs
from support.route_stage import Gate

HISTORY = ("POST", "/api/history")


class SendingGate(Gate):
    """A gate that lets lookups pass, and holds requests back once a delete request was sent."""

    def __init__(self, cloud: SimulatedCloud) -> None:
        super().__init__(cloud)
        self._cloud = cloud
        self._sent = 0

    def close(self) -> None:
        super().close()
        self._sent = len(self._cloud.history_posts)

    async def _pause(self, seconds: float) -> None:
        if len(self._cloud.history_posts) > self._sent:
            await super()._pause(seconds)


@pytest_asyncio.fixture
async def gate(cloud: SimulatedCloud) -> AsyncIterator[Gate]:
    gate = SendingGate(cloud)
    yield gate
    gate.open()


def some(cloud: SimulatedCloud, count: int = 3) -> list[str]:
    return [job.id for job in cloud.finished[:count]]


async def shown(operations: Operations) -> DeletionRequest:
    """Return the confirmed request to clear the whole history."""
    connection = await operations.find_connection()
    preview = ClearPreview(await operations.count(connection))
    return DeletionRequest(None, connection, "menu", preview=preview)


class Waiter(Unwatched):
    """Records that it had to wait for another operation, and stops then if `stops` is set."""

    def __init__(self, *, stops: bool = False) -> None:
        self.waited = threading.Event()
        self._stops = stops

    def progress(self, phase: str, done: int, total: int) -> None:
        if phase == "waiting":
            self.waited.set()

    def stop_requested(self) -> bool:
        return self._stops and self.waited.is_set()


class Meeting:
    """Opens clients that count how many send at once. The first sends once another operation waits."""

    def __init__(self, somebody_waits: threading.Event) -> None:
        self.lock = threading.Lock()
        self.now = self.most = self.met = 0
        self.first_is_in = threading.Event()
        self.somebody_waits = somebody_waits

    def open_client(self, base_url: BaseUrl, key: ApiKey) -> CloudClient:
        meeting = self

        class Meets(CloudClient):
            async def delete_history(self, job_ids: list[str], before_send: BeforeSend | None = None) -> None:
                with meeting.lock:
                    meeting.now += 1
                    meeting.met += 1
                    meeting.most = max(meeting.most, meeting.now)
                meeting.first_is_in.set()
                waited = await asyncio.to_thread(meeting.somebody_waits.wait, 10)
                await super().delete_history(job_ids, before_send)
                with meeting.lock:
                    meeting.now -= 1
                assert waited, "no operation waited for another"

        return Meets(base_url, key.secret)


def test_two_deletions_on_two_event_loops_run_one_after_the_other(tmp_path: Path) -> None:
    cloud = SimulatedCloud(jobs=20)
    second = Waiter()
    meeting = Meeting(second.waited)
    with cloud.serving_in_thread() as base_url, ThreadPoolExecutor(2) as threads:
        environ = {"COMFY_CLOUD_BASE_URL": base_url, "COMFY_CLOUD_API_KEY": cloud.api_key}
        operations = Operations(tmp_path, environ, open_client=meeting.open_client)
        jobs = some(cloud, 2)
        one = threads.submit(lambda: asyncio.run(delete_jobs(operations, jobs[:1], "node 1", Unwatched())))
        assert meeting.first_is_in.wait(10)
        two = threads.submit(lambda: asyncio.run(delete_jobs(operations, jobs[1:], "node 2", second)))
        assert one.result(20).removed == 1
        assert two.result(20).removed == 1
    assert (meeting.met, meeting.most) == (2, 1)
    assert cloud.history_posts == [{"delete": [job]} for job in jobs]


async def test_a_node_stopped_while_it_waits_for_another_deletion_sends_no_request(
    cloud: SimulatedCloud, operations: Operations, gate: Gate
) -> None:
    first, second = some(cloud, 2)
    gate.close()
    running = asyncio.ensure_future(delete_jobs(operations, [first], "node 1", Unwatched()))
    await gate.waiting.wait()
    with pytest.raises(OperationStopped):
        await delete_jobs(operations, [second], "node 2", Waiter(stops=True))
    assert [entry.origin for entry in operations.queue.in_flight.entries()] == ["node 1"]
    gate.open()
    assert (await running).removed == 1
    assert cloud.history_posts == [{"delete": [first]}]


async def test_the_busy_error_names_the_origin_of_the_running_operation(
    cloud: SimulatedCloud, operations: Operations, gate: Gate
) -> None:
    gate.close()
    running = asyncio.ensure_future(delete_jobs(operations, some(cloud), "node 1", Unwatched()))
    await gate.waiting.wait()
    with pytest.raises(Busy) as busy:
        await clear_history(operations, "menu", Unwatched(), wait=False)
    assert busy.value.origin == "node 1"
    gate.open()
    await running
    assert len(cloud.history_posts) == 1


@pytest.fixture
def seen(cloud: SimulatedCloud, operations: Operations) -> list[list[InFlightOperation]]:
    """Return the in-flight operations on disk at the time of each request that deletes jobs."""
    seen: list[list[InFlightOperation]] = []

    def look(body: object) -> bool:
        seen.append(Operations(operations.keys._path.parent, {}).queue.in_flight.entries())
        return False

    cloud.faults.append(Fault(HISTORY, "empty", times=None, predicate=look))
    return seen


async def test_a_deletion_is_recorded_on_disk_before_its_first_request(
    cloud: SimulatedCloud, operations: Operations, seen: list[list[InFlightOperation]]
) -> None:
    ids = some(cloud, 120)
    await delete_jobs(operations, ids, "node 7", Unwatched())
    assert len(seen) == 2
    for (entry,) in seen:
        assert (entry.kind, entry.origin, entry.asked, list(entry.job_ids)) == ("delete", "node 7", 120, ids)
        assert (entry.host, entry.last4) == (cloud.base_url.removeprefix("http://"), cloud.api_key[-4:])
    assert operations.queue.in_flight.entries() == []


async def test_every_log_line_about_a_deletion_begins_with_its_shortened_id(
    cloud: SimulatedCloud, operations: Operations, caplog: pytest.LogCaptureFixture
) -> None:
    job_ids = [job.id for job in cloud.finished[:3]]
    with caplog.at_level(logging.INFO, logger="cloud_history"):
        await delete_jobs(operations, job_ids, "node 4", Unwatched())
    (recorded,) = operations.queue.audit_log.entries()
    name = f"[{recorded.entry.operation[:8]}] "
    assert [each.partition("\n")[0] for each in caplog.messages] == [
        f"{name}Asked by node 4 to delete 3 jobs.",
        f"{name}3 jobs removed from your cloud history. Assets stay.",
    ]


async def test_a_clear_is_recorded_on_disk_before_its_request(
    cloud: SimulatedCloud, operations: Operations, seen: list[list[InFlightOperation]]
) -> None:
    confirmed, finished = await shown(operations), len(cloud.finished)
    await operations.carry_out(confirmed, Unwatched())
    ((entry,),) = seen
    assert (entry.kind, entry.origin, entry.asked) == ("clear", "menu", finished)
    assert entry.operation == confirmed.operation
    assert operations.queue.in_flight.entries() == []


async def test_a_deletion_with_a_known_outcome_leaves_no_in_flight_record(
    cloud: SimulatedCloud, operations: Operations
) -> None:
    confirmed = await shown(operations)
    cloud.add_job("failed")
    cloud.faults.append(Fault.shaped(HISTORY, ERROR_SHAPES["message_only"], times=2))
    result = await delete_jobs(operations, some(cloud), "node 1", Unwatched())
    assert len(result.ids(Outcome.FAILED)) == 3
    with pytest.raises(HistoryGrew):
        await operations.carry_out(confirmed, Unwatched())
    cloud.faults.append(Fault.shaped(("GET", "/api/jobs"), ERROR_SHAPES["message_only"], times=None))
    with pytest.raises(Unauthorized):
        await clear_history(operations, "menu", Unwatched())
    assert operations.queue.in_flight.entries() == []
    assert len(operations.queue.finished) == 3
