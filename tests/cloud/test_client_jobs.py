"""Requests for one job, cancellations and files, and how the client reads their answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cloud_history.cloud.client import CloudClient
from cloud_history.errors import (
    NotFound,
    UnreadableAnswer,
)
from cloud_history.jobs.job import OutputFile
from simulated_cloud import Fault, SimulatedCloud
from support.fake_history_client import ids

OpenClient = Callable[..., CloudClient]
OtherServer = Any
ANY, CANCEL, VIEW = ("*", "/api"), ("POST", "/api/jobs/cancel"), ("GET", "/api/view")


def with_file(cloud: SimulatedCloud) -> OutputFile:
    return OutputFile(next(job.files[0] for job in cloud.finished if job.files))


async def test_a_job_is_requested_by_its_id_and_read(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    async with open_client() as client:
        for known in cloud.listed(("failed", "pending")):
            job = await client.get_job(known.id)
            assert (job.id, job.status.value, job.name) == (known.id, known.status, (*known.files, "")[0])
            detail = await client.get_job_detail(known.id)
            assert (detail["id"], "workflow" in detail) == (known.id, True)
            request = cloud.requests[-1]
            assert (request.method, request.path) == ("GET", f"/api/jobs/{known.id}")
            assert (request.query, request.body) == ({}, b"")


async def test_a_missing_job_raises_not_found_without_a_retry(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    async with open_client() as client:
        for call in (client.get_job, client.get_job_detail):
            with pytest.raises(NotFound):
                await call(ids(1)[0])
    assert len(cloud.requests) == 2


@pytest.mark.parametrize("body", [{}, [], None, {"id": "x"}, {"id": ids(2)[1], "status": "failed"}], ids=str)
async def test_an_answer_with_the_id_of_another_job_is_unreadable(
    cloud: SimulatedCloud, open_client: OpenClient, body: object
) -> None:
    cloud.faults.append(Fault(ANY, "status", times=None, status=200, json=body, body=b"null"))
    async with open_client() as client:
        with pytest.raises(UnreadableAnswer):
            await client.get_job(ids(1)[0])


async def test_cancelling_sends_the_expected_body_and_returns_the_cancelled_ids(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    active, finished = [job.id for job in cloud.active], cloud.finished[0]
    async with open_client() as client:
        assert await client.cancel_jobs([finished.id, *active]) == active
    (request,) = cloud.requests
    assert (request.method, request.path) == CANCEL
    assert (
        request.body
        == f'{{"job_ids":["{finished.id}",{",".join(chr(34) + each + chr(34) for each in active)}]}}'.encode()
    )
    assert request.headers["Content-Type"] == "application/json"
    assert [cloud.jobs[each].status for each in active] == ["cancelled"] * len(active)
    assert (cloud.history_posts, cloud.deleted, cloud.forbidden_calls) == ([], [], 0)


async def test_no_job_is_cancelled_if_one_id_is_unknown(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    active = [job.id for job in cloud.active]
    async with open_client() as client:
        with pytest.raises(NotFound):
            await client.cancel_jobs([*active, ids(1)[0]])
    assert [job.id for job in cloud.active] == active
    assert len(cloud.requests) == 1


# The fault, the final error, and how often a cancellation and a read of one job are sent.


async def test_view_file_returns_the_redirect_without_following_it(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    file = with_file(cloud)
    async with open_client() as client:
        found = await client.view_file(file)
    assert isinstance(found, str)
    assert found.startswith(cloud.storage_url)
    assert cloud.storage_requests == []
    (request,) = cloud.requests
    assert request.path == "/api/view"
    assert request.query == {"filename": file.filename, "subfolder": "", "type": "output"}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_the_api_key_is_never_sent_to_the_target_of_a_file_redirect(
    cloud: SimulatedCloud, open_client: OpenClient, other_server: OtherServer, status: int
) -> None:
    location = f"{other_server.url}/file?signed=1"
    cloud.faults.append(Fault(VIEW, "redirect", times=None, status=status, location=location))
    async with open_client() as client:
        assert await client.view_file(with_file(cloud)) == location
    assert other_server.received == []
    assert len(cloud.requests) == 1
