"""For a rate limit during a deletion, the panel shows the waiting time and can stop the deletion."""

from __future__ import annotations

import asyncio
import threading

import pytest

from cloud_history.cloud.client import CloudClient
from simulated_cloud import Fault
from simulated_cloud.error_shapes import ErrorShape, bare_rate_limit, rate_limited
from support.route_stage import Stage

POST = ("POST", "/api/history")


class Waiting:
    """Makes the client of the next operation wait until the test releases it, even on another event loop."""

    def __init__(self, stage: Stage) -> None:
        self._begun, self._let_go = threading.Event(), threading.Event()
        # The clock stands still, so that the remaining seconds do not change during a check.
        stage.operations.events._clock = lambda: 0.0
        stage.operations._open_client = lambda base_url, key: CloudClient(base_url, key.secret, sleep=self._sleep)

    async def begun(self) -> None:
        assert await asyncio.to_thread(self._begun.wait, 30)

    def let_go(self) -> None:
        self._let_go.set()

    async def _sleep(self, seconds: float) -> None:
        self._begun.set()
        await asyncio.to_thread(self._let_go.wait, 30)


@pytest.mark.parametrize("shape", [rate_limited("12"), bare_rate_limit()], ids=["12 s", "bare"])
async def test_a_rate_limited_deletion_shows_its_waiting_time_and_then_continues(
    stage: Stage, shape: ErrorShape
) -> None:
    token = (await stage.ask("preview", {"ids": [job.id for job in stage.cloud.finished]})).json["token"]
    waiting = Waiting(stage)
    stage.cloud.faults.append(Fault.shaped(POST, shape))
    deletion = asyncio.create_task(stage.ask("delete", {"token": token}))
    await waiting.begun()
    sending, told = (await stage.ask("progress")).json["operations"]
    assert (sending["phase"], told["phase"]) == ("sending", "asked_to_wait")
    assert sending["operation"] == told["operation"]
    assert told["total"] == (12 if shape == rate_limited("12") else 1)
    waiting.let_go()
    answer = await deletion
    assert (answer.status, answer.json["result"]["counts"]["deleted"]) == (
        200,
        answer.json["result"]["total"],
    )
    assert not stage.cloud.finished
    assert (await stage.ask("progress")).json == {"operations": []}


async def test_stopping_a_deletion_ends_its_wait_for_a_rate_limit(stage: Stage) -> None:
    job_ids = [job.id for job in stage.cloud.finished]
    token = (await stage.ask("preview", {"ids": job_ids})).json["token"]
    waiting = Waiting(stage)
    stage.cloud.faults.append(Fault.shaped(POST, rate_limited("30"), times=None))
    deletion = asyncio.create_task(stage.ask("delete", {"token": token}))
    await waiting.begun()
    told = (await stage.ask("progress")).json["operations"][-1]
    assert (await stage.ask("stop", {"operation": told["operation"]})).status == 200
    result = (await deletion).json["result"]
    waiting.let_go()
    assert (result["stopped"], result["counts"]["deleted"]) == (True, 0)
    assert len(stage.cloud.finished) == len(job_ids)
