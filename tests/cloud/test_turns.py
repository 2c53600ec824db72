"""Whose turn it is to send: looking at it, or being cancelled while taking it, costs nobody theirs."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cloud_history.deletion.outcomes import ClearResult
from cloud_history.service import Operations
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import SimulatedCloud


async def test_being_cancelled_while_taking_the_turn_gives_it_back(
    cloud: SimulatedCloud, operations: Operations, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, go_on = threading.Event(), threading.Event()
    take = operations.queue._lock.take

    def slow_disk(operation: str) -> bool:
        has_it = take(operation)
        taken.set()
        go_on.wait(10)
        return has_it

    with monkeypatch.context() as slow:
        slow.setattr(operations.queue._lock, "take", slow_disk)
        running = asyncio.ensure_future(operations.delete_jobs([cloud.finished[0].id], "node 1", Unwatched()))
        await asyncio.to_thread(taken.wait, 10)
        running.cancel()
        asyncio.get_running_loop().call_later(0.05, go_on.set)
        with pytest.raises(asyncio.CancelledError):
            await running
    result = await asyncio.wait_for(operations.clear_history("menu", Unwatched()), 10)
    assert isinstance(result, ClearResult)
    assert result.listed == 0


def test_looking_who_sends_never_keeps_anybody_from_sending(tmp_path: Path) -> None:
    operations, stop = Operations(tmp_path, {}), threading.Event()
    other = Operations(tmp_path, {})

    def look(at: Operations) -> None:
        while not stop.is_set():
            at.queue.running()

    with ThreadPoolExecutor(2) as threads:
        looking = [threads.submit(look, each) for each in (operations, other)]
        try:
            refused = 0
            for number in range(300):
                if operations.queue._lock.take(f"{number:032x}"):
                    operations.queue._lock.free()
                else:
                    refused += 1
        finally:
            stop.set()
        assert not [each for each in looking if each.exception(10)]
    assert refused == 0
