"""Deletions cancelled at any moment are logged with what they sent, and release every lock."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cloud_history.errors import OperationStopped
from cloud_history.service import Operations
from cloud_history.tasks.stopping import Unwatched
from cloud_history.tasks.threads import run_in_thread
from simulated_cloud import SimulatedCloud
from support.clocks import Gate
from support.no_backups import without_backups
from support.requests import clear_history, delete_jobs

CANCELLED = "Nothing was sent. It was cancelled."


@pytest_asyncio.fixture
async def gate(cloud: SimulatedCloud) -> AsyncIterator[Gate]:
    gate = Gate(cloud)
    yield gate
    gate.open()


@pytest.fixture
def events() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def operations(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, events: list[dict[str, Any]]
) -> Operations:
    return Operations(
        without_backups(tmp_path / "state"), environ, lambda event, payload: events.append({**payload, "event": event})
    )


def some(cloud: SimulatedCloud) -> list[str]:
    return [job.id for job in cloud.finished[:3]]


class Slowed:
    """Blocks the first call of a function, before or after it runs, until `go_on` is set."""

    def __init__(self, call: Callable[..., Any], *, after: bool) -> None:
        self.began, self.go_on = threading.Event(), threading.Event()
        self._call = call
        self._after = after

    def __call__(self, *args: Any) -> Any:
        if not self._after:
            self._wait()
        result = self._call(*args)
        if self._after:
            self._wait()
        return result

    def _wait(self) -> None:
        if not self.began.is_set():
            self.began.set()
            self.go_on.wait(10)


STEPS = ["queue._lock.take", "queue.in_flight.begin", "queue.audit_log.intent"]


@pytest.fixture(params=STEPS)
def slowed(request: pytest.FixtureRequest, operations: Operations, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slowed]:
    """Block the thread of one step before the first request, after the step has run."""
    owner: Any = operations
    *path, name = request.param.split(".")
    for each in path:
        owner = getattr(owner, each)
    slowed = Slowed(getattr(owner, name), after=True)
    monkeypatch.setattr(owner, name, slowed)
    yield slowed
    slowed.go_on.set()


async def check_resolved(operations: Operations) -> None:
    """Check that no operation is unresolved, that the log is correct and that the next clear works."""
    assert await run_in_thread(operations.queue.unresolved) == []
    assert {each.state for each in operations.queue.audit_log.entries()} <= {"done"}
    assert {each.outcome.report for each in operations.queue.audit_log.entries() if each.outcome} <= {CANCELLED}
    result = await asyncio.wait_for(clear_history(operations, "menu", Unwatched()), 10)
    assert result.removed


@pytest.mark.parametrize("cancels", [1, 2])
async def test_a_deletion_cancelled_while_being_recorded_leaves_no_in_flight_file(
    cloud: SimulatedCloud, operations: Operations, slowed: Slowed, cancels: int
) -> None:
    running = asyncio.ensure_future(delete_jobs(operations, some(cloud), "node 1", Unwatched()))
    await run_in_thread(slowed.began.wait, 5)
    for _ in range(cancels):
        running.cancel()
        await asyncio.sleep(0)
    asyncio.get_running_loop().call_later(0.02, slowed.go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await running
    await until_free(operations)
    assert cloud.deleted == []
    await check_resolved(operations)


async def test_closing_the_event_loop_while_a_deletion_is_recorded_leaves_no_in_flight_file(
    cloud: SimulatedCloud, operations: Operations, slowed: Slowed
) -> None:
    async def another_node_fails() -> None:
        left.append(asyncio.ensure_future(delete_jobs(operations, some(cloud), "node 1", Unwatched())))
        await run_in_thread(slowed.began.wait, 5)
        raise RuntimeError("out of memory")

    left: list[asyncio.Task[Any]] = []
    threading.Timer(0.3, slowed.go_on.set).start()
    with pytest.raises(RuntimeError):
        await run_in_thread(lambda: asyncio.run(another_node_fails()))
    await until_free(operations)
    assert cloud.deleted == []
    await check_resolved(operations)


async def until_free(operations: Operations) -> None:
    """Wait until the lock is free: a thread releases it shortly after the task was cancelled."""
    ends = time.monotonic() + 5
    while operations.queue.unresolved() or not operations.queue._lock.take("f" * 32):
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)
    operations.queue._lock.free()


class Impatient(Unwatched):
    def stop_requested(self) -> bool:
        return True


async def test_stopping_a_deletion_takes_effect_at_once_while_the_disk_hangs(
    cloud: SimulatedCloud, operations: Operations, slowed: Slowed
) -> None:
    begin = time.monotonic()
    with pytest.raises(OperationStopped):
        await delete_jobs(operations, some(cloud), "node 1", Impatient())
    assert time.monotonic() - begin < 0.5 * 4  # four times the limit, for busy machines
    slowed.go_on.set()
    await until_free(operations)
    assert cloud.requests == []


async def test_a_deletion_cancelled_during_its_first_lookup_is_logged_as_having_sent_no_request(
    cloud: SimulatedCloud, operations: Operations, gate: Gate, events: list[dict[str, Any]]
) -> None:
    gate.close()
    running = asyncio.ensure_future(delete_jobs(operations, some(cloud), "node 7", Unwatched()))
    await gate.waiting.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    gate.open()
    (recorded,) = operations.queue.audit_log.entries()
    assert recorded.outcome is not None
    assert (recorded.state, recorded.outcome.removed) == ("done", 0)
    assert recorded.outcome.report == CANCELLED
    assert (events[-1]["event"], events[-1]["ended"]) == ("cloud_history.changed", True)
    await check_resolved(operations)


@pytest.mark.parametrize("clear", [False, True], ids=["a deletion", "a clear"])
async def test_an_operation_cancelled_during_its_request_is_logged_as_unresolved(
    cloud: SimulatedCloud,
    operations: Operations,
    gate: Gate,
    events: list[dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
    clear: bool,
) -> None:
    send = cloud.pause

    async def only_what_changes(seconds: float) -> None:
        if cloud.history_posts:
            await send(seconds)

    cloud.pause = only_what_changes  # type: ignore[method-assign]
    gate.close()
    work: Any = (
        clear_history(operations, "node 7", Unwatched())
        if clear
        else delete_jobs(operations, some(cloud), "node 7", Unwatched())
    )
    running = asyncio.ensure_future(work)
    await gate.waiting.wait()
    running.cancel()
    with caplog.at_level(logging.WARNING, logger="cloud_history"), pytest.raises(asyncio.CancelledError):
        await running
    gate.open()
    kind = "clear" if clear else "delete"
    assert f"Cancelled while it was being sent ({kind}): the outcome is unknown." in caplog.text
    assert [each.kind for each in operations.queue.unresolved()] == [kind]
    assert (events[-1]["event"], events[-1]["ended"]) == ("cloud_history.changed", True)
    assert list(operations.queue.finished) == []
    others = [job.id for job in cloud.finished[5:7]]
    if not clear:
        assert (await delete_jobs(operations, others, "node 8", Unwatched())).removed == 2
    assert [each.kind for each in operations.queue.unresolved()] == [kind]
