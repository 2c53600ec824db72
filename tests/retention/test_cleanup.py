"""Clean-up previews in the panel: the job list is cached for a minute and never shared between keys."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from cloud_history.errors import ServerFault, Unauthorized
from cloud_history.jobs.job import Job
from cloud_history.retention import cleanup
from cloud_history.retention.cleanup import CleanUp
from cloud_history.retention.policy import CleanUpPreview, Policy, decide
from cloud_history.secret import Secret
from cloud_history.service import Operations
from cloud_history.state.credentials import ApiKey
from cloud_history.tasks.stopping import Unwatched
from cloud_history.tasks.threads import run_in_thread
from simulated_cloud import Fault, SimulatedCloud

POLICY = Policy(keep_last=5)
LIST = ("GET", "/api/jobs")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_clean_up_previews_cache_the_job_list_for_one_minute(
    cloud: SimulatedCloud, operations: Operations
) -> None:
    clock = Clock()
    cleaning, connection = CleanUp(operations, clock), await operations.find_connection()
    _, before = await cleaning.preview(connection, POLICY, Unwatched())
    cloud.add_job("completed")
    clock.now += 60
    assert len((await cleaning.preview(connection, POLICY, Unwatched()))[1]) == len(before)
    clock.now += 0.1
    assert len((await cleaning.preview(connection, POLICY, Unwatched()))[1]) == len(before) + 1


async def test_the_cached_job_list_of_one_key_is_not_used_for_another_key(operations: Operations) -> None:
    cleaning, connection = CleanUp(operations), await operations.find_connection()
    await cleaning.preview(connection, POLICY, Unwatched())
    other = replace(connection, key=ApiKey(Secret("comfyui-another-key-0123456789"), "env"))
    with pytest.raises(Unauthorized):
        await cleaning.preview(other, POLICY, Unwatched())


async def test_clean_up_previews_requested_at_once_read_the_job_list_once(
    cloud: SimulatedCloud, operations: Operations
) -> None:
    cleaning, connection = CleanUp(operations), await operations.find_connection()
    policies = [Policy(keep_last=number) for number in range(1, 6)]
    previews = await asyncio.gather(*(cleaning.preview(connection, each, Unwatched()) for each in policies))
    assert [len(preview.kept) - len(previews[0][0].kept) for preview, _ in previews] == [0, 1, 2, 3, 4]
    assert len(cloud.requests) == 1


async def test_clean_up_previews_work_on_two_event_loops_at_once(cloud: SimulatedCloud, operations: Operations) -> None:
    cleaning, connection = CleanUp(operations), await operations.find_connection()

    async def try_rules() -> int:
        both = (cleaning.preview(connection, POLICY, Unwatched()) for _ in range(2))
        return len({len(preview.kept) for preview, _ in await asyncio.gather(*both)})

    elsewhere = run_in_thread(lambda: asyncio.run(try_rules()))
    here, there = await asyncio.gather(try_rules(), elsewhere)
    assert (here, there) == (1, 1)


async def test_a_failed_read_of_the_job_list_is_not_cached_and_does_not_block_the_next_read(
    cloud: SimulatedCloud, operations: Operations
) -> None:
    cleaning, connection = CleanUp(operations), await operations.find_connection()
    fault = Fault(LIST, "status", times=None, status=500)
    cloud.faults.append(fault)
    with pytest.raises(ServerFault):
        await cleaning.preview(connection, POLICY, Unwatched())
    cloud.faults.remove(fault)
    assert (await cleaning.preview(connection, POLICY, Unwatched()))[0].go


async def test_a_cancelled_read_of_the_job_list_does_not_block_the_next_read(
    cloud: SimulatedCloud, operations: Operations
) -> None:
    cleaning, connection = CleanUp(operations), await operations.find_connection()
    asked, forever = asyncio.Event(), asyncio.Event()

    async def wait(seconds: float) -> None:
        asked.set()
        await forever.wait()

    cloud.pause, usual = wait, cloud.pause  # type: ignore[method-assign]
    first = asyncio.ensure_future(cleaning.preview(connection, POLICY, Unwatched()))
    await asked.wait()
    second = asyncio.ensure_future(cleaning.preview(connection, POLICY, Unwatched()))
    cloud.pause = usual  # type: ignore[method-assign]
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await asyncio.wait_for(second, 10))[0].go
    forever.set()


async def test_policies_are_evaluated_off_the_event_loop(
    operations: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = []

    def watched(jobs: Iterable[Job], policy: Policy, now: datetime, protected: Callable[[Job], bool]) -> CleanUpPreview:
        threads.append(threading.current_thread())
        return decide(jobs, policy, now, protected)

    monkeypatch.setattr(cleanup, "decide", watched)
    connection: Any = await operations.find_connection()
    await CleanUp(operations).preview(connection, POLICY, Unwatched())
    await cleanup.preview_now(operations, connection, POLICY, Unwatched())
    await cleanup.resolve(operations, connection, POLICY, Unwatched(), allow_large=True)
    assert len(threads) == 3
    assert threading.main_thread() not in threads
