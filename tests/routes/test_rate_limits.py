"""A rate limit in the middle of a deletion, as the panel sees it: how long it waits, and that it can be stopped."""

from __future__ import annotations

import asyncio

import pytest

from cloud_history.client import CloudClient
from routes.stage import Stage
from simulated_cloud import Fault
from simulated_cloud.error_shapes import ErrorShape, bare_rate_limit, rate_limited

POST = ("POST", "/api/history")


class Waiting:
    """Has the client of the next operation wait until it is let go."""

    def __init__(self, stage: Stage) -> None:
        self.begun, self.let_go = asyncio.Event(), asyncio.Event()
        stage.operations._open_client = lambda base_url, key: CloudClient(
            base_url, key.secret, sleep=self._sleep
        )

    async def _sleep(self, seconds: float) -> None:
        self.begun.set()
        await self.let_go.wait()


@pytest.mark.parametrize("shape", [rate_limited("12"), bare_rate_limit()], ids=["12 s", "bare"])
async def test_a_page_learns_how_long_comfy_cloud_asks_to_wait_and_the_deletion_goes_on(
    stage: Stage, shape: ErrorShape
) -> None:
    token = (await stage.ask("preview", {"ids": [job.id for job in stage.cloud.finished]})).json["token"]
    waiting = Waiting(stage)
    stage.cloud.faults.append(Fault.shaped(POST, shape))
    deletion = asyncio.create_task(stage.ask("delete", {"token": token}))
    await waiting.begun.wait()
    sending, told = (await stage.ask("progress")).json["operations"]
    assert (sending["phase"], told["phase"]) == ("sending", "asked_to_wait")
    assert sending["operation"] == told["operation"]
    assert told["total"] in ((11, 12) if shape == rate_limited("12") else (1,))
    waiting.let_go.set()
    answer = await deletion
    assert (answer.status, answer.json["result"]["counts"]["deleted"]) == (
        200,
        answer.json["result"]["total"],
    )
    assert not stage.cloud.finished
    assert (await stage.ask("progress")).json == {"operations": []}


async def test_a_wait_that_comfy_cloud_asks_for_is_stopped_by_the_panel(stage: Stage) -> None:
    job_ids = [job.id for job in stage.cloud.finished]
    token = (await stage.ask("preview", {"ids": job_ids})).json["token"]
    waiting = Waiting(stage)
    stage.cloud.faults.append(Fault.shaped(POST, rate_limited("30"), times=None))
    deletion = asyncio.create_task(stage.ask("delete", {"token": token}))
    await waiting.begun.wait()
    told = (await stage.ask("progress")).json["operations"][-1]
    assert (await stage.ask("stop", {"operation": told["operation"]})).status == 200
    result = (await deletion).json["result"]
    assert (result["stopped"], result["counts"]["deleted"]) == (True, 0)
    assert len(stage.cloud.finished) == len(job_ids)
