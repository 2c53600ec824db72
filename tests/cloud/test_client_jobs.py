"""One job, cancelling, and where a file is: what leaves the client, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cloud_history.cloud.client import CloudClient, Timeouts
from cloud_history.errors import (
    BadRequest,
    CloudConnectionError,
    CloudError,
    CloudTimeoutError,
    NotComfyCloud,
    NotFound,
    RateLimited,
    SchemaMismatch,
    ServerFault,
    Unauthorized,
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


async def test_one_job_is_asked_for_by_its_id_alone_and_read(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    async with open_client() as client:
        for known in cloud.listed(("failed", "pending")):
            job = await client.get_job(known.id)
            assert (job.id, job.status.value, job.name) == (known.id, known.status, (*known.files, "")[0])
            detail = await client.get_job_detail(known.id)
            assert (detail["id"], "workflow" in detail) == (known.id, True)
            request = cloud.requests[-1]
            assert (request.method, request.path) == ("GET", f"/api/jobs/{known.id}")
            assert (request.query, request.body) == ({}, b"")


@pytest.mark.parametrize(
    "odd", ["", "..", "../user", "cancel", "%2e%2e", f"{ids(1)[0]}/x", f"{{{ids(1)[0]}}}"]
)
async def test_what_is_no_job_id_never_becomes_a_path_or_a_cancellation(
    cloud: SimulatedCloud, open_client: OpenClient, odd: str
) -> None:
    async with open_client() as client:
        for call in (client.get_job(odd), client.get_job_detail(odd), client.cancel_jobs([ids(1)[0], odd])):
            with pytest.raises(SchemaMismatch):
                await call
    assert cloud.requests == []


async def test_a_job_that_is_not_there_is_not_found_and_is_asked_for_once(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    async with open_client() as client:
        for call in (client.get_job, client.get_job_detail):
            with pytest.raises(NotFound):
                await call(ids(1)[0])
    assert len(cloud.requests) == 2


@pytest.mark.parametrize("body", [{}, [], None, {"id": "x"}, {"id": ids(2)[1], "status": "failed"}], ids=str)
async def test_an_answer_that_is_not_this_job_is_not_taken_for_it(
    cloud: SimulatedCloud, open_client: OpenClient, body: object
) -> None:
    cloud.faults.append(Fault(ANY, "status", times=None, status=200, json=body, body=b"null"))
    async with open_client() as client:
        with pytest.raises(UnreadableAnswer):
            await client.get_job(ids(1)[0])


async def test_cancelling_sends_exactly_its_bytes_and_gives_the_ids_that_were_stopped(
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


async def test_one_unknown_id_cancels_nothing(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    active = [job.id for job in cloud.active]
    async with open_client() as client:
        with pytest.raises(NotFound):
            await client.cancel_jobs([*active, ids(1)[0]])
    assert [job.id for job in cloud.active] == active
    assert len(cloud.requests) == 1


@pytest.mark.parametrize("count", [0, 101])
async def test_no_job_and_more_than_100_are_refused_and_none_is_left_out_silently(
    cloud: SimulatedCloud, open_client: OpenClient, count: int
) -> None:
    async with open_client() as client:
        with pytest.raises(SchemaMismatch):
            await client.cancel_jobs(ids(count))
    assert cloud.requests == []


def says(status: int, retry_after: str | None = None) -> Fault:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Fault(ANY, "status", times=None, status=status, headers=headers, json={"message": "no"})


# What happens each time, the error at the end, and how often a cancellation and a read of one job are sent.
TABLE: dict[str, tuple[Callable[[], Fault], type[CloudError], int, int]] = {
    "lost": (lambda: Fault(ANY, "reset_after_body", times=None), CloudConnectionError, 1, 4),
    "lost early": (lambda: Fault(ANY, "reset_before_body", times=None), CloudConnectionError, 1, 4),
    "timeout": (lambda: Fault(ANY, "slow", seconds=60, times=None), CloudTimeoutError, 1, 4),
    "truncated": (lambda: Fault(ANY, "truncated", times=None), CloudConnectionError, 1, 4),
    "429 Retry-After": (lambda: says(429, "2"), RateLimited, 8, 8),
    "429": (lambda: says(429), RateLimited, 1, 8),
    "500": (lambda: says(500), ServerFault, 1, 4),
    "503": (lambda: says(503), ServerFault, 1, 4),
    "503 Retry-After": (lambda: says(503, "2"), ServerFault, 4, 4),
    "400": (lambda: says(400), BadRequest, 1, 1),
    "401": (lambda: says(401), Unauthorized, 1, 1),
    "404": (lambda: says(404), NotFound, 1, 1),
    "page": (lambda: Fault(ANY, "html", times=None), NotComfyCloud, 1, 1),
    "redirect": (lambda: Fault(ANY, "redirect", times=None, location="/api/user"), NotComfyCloud, 1, 1),
    "huge": (lambda: Fault(ANY, "huge", times=None, mebibytes=20), UnreadableAnswer, 1, 1),
    "empty": (lambda: Fault(ANY, "empty", times=None), UnreadableAnswer, 1, 1),
}


@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("what", ["cancel", "job"])
async def test_a_cancellation_is_sent_again_only_when_it_certainly_did_nothing_and_a_read_at_will(
    cloud: SimulatedCloud, open_client: OpenClient, name: str, what: str
) -> None:
    make, kind, cancels, reads = TABLE[name]
    cloud.faults.append(make())
    timeouts = Timeouts(connect=5.0, request=0.2) if name == "timeout" else None
    job_id = cloud.active[0].id
    async with open_client(timeouts=timeouts) as client:
        with pytest.raises(kind) as caught:
            await (client.cancel_jobs([job_id]) if what == "cancel" else client.get_job(job_id))
    assert type(caught.value) is kind
    assert len(cloud.requests) == (cancels if what == "cancel" else reads)


async def test_a_file_is_where_the_server_says_and_nobody_goes_there(
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
async def test_a_redirect_of_a_file_is_never_followed_with_the_key(
    cloud: SimulatedCloud, open_client: OpenClient, other_server: OtherServer, status: int
) -> None:
    location = f"{other_server.url}/file?signed=1"
    cloud.faults.append(Fault(VIEW, "redirect", times=None, status=status, location=location))
    async with open_client() as client:
        assert await client.view_file(with_file(cloud)) == location
    assert other_server.received == []
    assert len(cloud.requests) == 1


async def test_a_redirect_without_an_address_is_no_file(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    cloud.faults.append(Fault(VIEW, "status", times=None, status=302))
    async with open_client() as client:
        with pytest.raises(NotComfyCloud):
            await client.view_file(with_file(cloud))


async def test_a_file_the_server_gives_itself_is_taken_up_to_20_mb(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    picture = {"Content-Type": "image/png"}
    cloud.faults.append(Fault(VIEW, "status", status=200, headers=picture, body=b"\x89PNG" * 1000))
    cloud.faults.append(Fault(VIEW, "huge", mebibytes=21, times=None))
    async with open_client() as client:
        assert await client.view_file(with_file(cloud)) == b"\x89PNG" * 1000
        with pytest.raises(UnreadableAnswer):
            await client.view_file(with_file(cloud))


@pytest.mark.parametrize("name", ["a&type=input", "../../x", "é ü#?%2F", "a b+c", "x" * 500])
async def test_no_file_name_can_say_more_than_a_name(
    cloud: SimulatedCloud, open_client: OpenClient, name: str
) -> None:
    async with open_client() as client:
        with pytest.raises(NotFound):
            await client.view_file(OutputFile(name, "sub/../folder&x=1"))
    (request,) = cloud.requests
    assert request.path == "/api/view"
    assert request.query == {"filename": name, "subfolder": "sub/../folder&x=1", "type": "output"}
