"""How the client reads answers on real sockets: errors, pages, and huge, truncated and compressed answers."""

from __future__ import annotations

import functools
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from cloud_history.cloud import protocol
from cloud_history.cloud.client import CloudClient
from cloud_history.cloud.evidence import DefectKind
from cloud_history.cloud.listing import list_jobs
from cloud_history.cloud.pages import EVERY_JOB
from cloud_history.config import BaseUrl
from cloud_history.errors import AnswerTooLarge, CloudResponseError, ServerFault, UnreadableAnswer
from cloud_history.jobs.filters import JobFilter
from cloud_history.secret import Secret
from simulated_cloud import ERROR_SHAPES, Fault, SimulatedCloud
from simulated_cloud.bends import Bend
from support.fake_history_client import ids

OpenClient = Callable[..., CloudClient]
MEBIBYTE = 1024 * 1024
POST, LIST, USER = ("POST", "/api/history"), ("GET", "/api/jobs"), ("GET", "/api/user")


def ids_of(cloud: SimulatedCloud, many: int) -> list[str]:
    return [job.id for job in cloud.finished[:many]]


@pytest.mark.parametrize("name", ERROR_SHAPES)
async def test_every_error_body_becomes_the_error_of_its_http_status(
    cloud: SimulatedCloud, open_client: OpenClient, name: str
) -> None:
    shape = ERROR_SHAPES[name]
    cloud.faults.append(Fault.shaped(POST, shape, times=None))
    async with open_client() as client:
        with pytest.raises(CloudResponseError) as caught:
            await client.clear_history()
    assert caught.value.status == shape.status
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert not cloud.deleted


@pytest.mark.parametrize("cut", [1, 7, 20])
async def test_a_gzip_answer_with_several_members_is_read_completely(
    cloud: SimulatedCloud, open_client: OpenClient, cut: int
) -> None:
    text = b'{"status": "active"}'
    body = gzip.compress(text[:cut]) + gzip.compress(text[cut:])
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    cloud.faults.append(Fault(USER, "status", status=200, headers=headers, body=body))
    async with open_client() as client:
        assert await client.get_user() == "active"


@pytest.mark.parametrize("encode", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
async def test_a_compressed_answer_is_read(
    cloud: SimulatedCloud, open_client: OpenClient, encode: Callable[[bytes], bytes]
) -> None:
    name = "gzip" if encode is gzip.compress else "deflate"
    body = encode(b'{"status": "active", "more": "' + b"x" * 300_000 + b'"}')
    cloud.faults.append(Fault(USER, "status", status=200, headers={"Content-Encoding": name}, body=body))
    async with open_client() as client:
        assert await client.get_user() == "active"


@functools.cache
def bomb(mebibytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1024 * 1024)
    return b"".join(packer.compress(zeros) for _ in range(mebibytes)) + packer.flush()


@pytest.mark.parametrize(
    "make",
    [
        lambda: bomb(200),
        lambda: gzip.compress(b'{"status": "active"}')[:-9],
        lambda: b'{"status": "active"}',
        lambda: b"\x1f\x8b\x08",
    ],
    ids=["bomb", "cut", "not compressed", "head only"],
)
async def test_a_compressed_answer_that_is_huge_truncated_or_not_compressed_is_unreadable(
    cloud: SimulatedCloud, open_client: OpenClient, make: Callable[[], bytes]
) -> None:
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    cloud.faults.append(Fault(USER, "status", times=None, status=200, headers=headers, body=make()))
    async with open_client() as client:
        with pytest.raises(UnreadableAnswer):
            await client.get_user()
    assert len(cloud.requests) == 1


async def test_a_small_answer_that_would_unpack_to_gigabytes_takes_little_memory(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    headers, packed = {"Content-Encoding": "gzip"}, bomb(200)
    cloud.faults.append(Fault(USER, "status", status=200, headers=headers, body=packed))
    async with open_client() as client:
        tracemalloc.start()
        try:
            with pytest.raises(UnreadableAnswer):
                await client.get_user()
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 12 * 1024 * 1024


async def test_a_huge_answer_is_read_only_up_to_the_size_limit(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    fault = Fault(("*", "/api"), "huge", times=None, mebibytes=64)
    cloud.faults.append(fault)
    async with open_client() as client:
        for call in (client.get_user(), client.clear_history(), client.list_jobs({}, EVERY_JOB, limit=1)):
            with pytest.raises(UnreadableAnswer):
                await call
    assert fault.fired == 3


async def test_a_large_page_below_the_size_limit_is_read(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    rows = [{"id": job_id, "status": "failed", "more": "x" * 1500} for job_id in ids(10_000)]
    fault = Fault(LIST, "status", status=200, json={"jobs": rows})
    assert 15 * MEBIBYTE < len(fault.shape().body) < 16 * MEBIBYTE
    cloud.faults.append(fault)
    async with open_client() as client:
        page = await client.list_jobs({}, EVERY_JOB, limit=1000)
    assert (page.received, page.job_ids) == (10_000, ids(10_000))


async def test_a_page_of_more_than_16_mebibytes_is_requested_again_in_halves(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    rows = [{"id": job_id, "status": "failed", "more": "x" * 1700} for job_id in ids(10_000)]
    fault = Fault(LIST, "status", status=200, json={"jobs": rows})
    assert 16 * MEBIBYTE < len(fault.shape().body) < 18 * MEBIBYTE
    cloud.faults.append(fault)
    async with open_client() as client:
        page = await client.list_jobs({}, EVERY_JOB, limit=1000)
    assert set(page.job_ids) == {job.id for job in cloud.listed()}
    assert [request.query["limit"] for request in cloud.requests] == ["1000", "500"]


async def test_an_empty_answer_is_valid_for_a_deletion_but_not_for_a_list(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    cloud.faults.append(Fault(("*", "/api"), "empty", times=None))
    async with open_client() as client:
        await client.delete_history(ids_of(cloud, 1))
        await client.clear_history()
        with pytest.raises(UnreadableAnswer):
            await client.list_jobs({}, EVERY_JOB, limit=1)


async def test_an_error_answer_with_an_unreadable_body_is_classified_by_its_status(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    cloud.faults.append(Fault(POST, "status", status=500, json={"message": "x"}, headers={"Content-Encoding": "gzip"}))
    async with open_client() as client:
        with pytest.raises(ServerFault):
            await client.clear_history()


# Large answers


@asynccontextmanager
async def client_of(cloud: SimulatedCloud) -> AsyncIterator[CloudClient]:
    async with CloudClient(BaseUrl(cloud.base_url, "127.0.0.1"), Secret(cloud.api_key)) as client:
        yield client


@pytest.mark.parametrize("cursors", [False, True])
async def test_a_page_that_is_too_large_is_read_in_halves_and_still_proves_absence(
    cloud: SimulatedCloud, cursors: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MAX_PAGE_BYTES", 200_000)
    cloud.switches.cursor = cursors
    cloud.bends.append(Bend("huge_jobs", size=4))
    async with client_of(cloud) as client:
        found = await list_jobs(client, JobFilter())
    assert (found.error, found.defects) == (None, ())
    assert set(found.jobs) == {job.id for job in cloud.listed()}
    assert found.proof() is not None


async def test_a_list_with_a_single_job_over_the_size_limit_is_unreadable(
    cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "MAX_PAGE_BYTES", 200_000)
    cloud.bends.append(Bend("huge_jobs", size=300, rows="one"))
    async with client_of(cloud) as client:
        found = await list_jobs(client, JobFilter())
    assert isinstance(found.error, AnswerTooLarge)
    assert "too large" in str(found.error)
    assert "newer version" not in str(found.error)
    assert found.proof() is None


async def test_a_null_list_is_shown_as_empty_but_does_not_prove_that_jobs_are_gone(cloud: SimulatedCloud) -> None:
    cloud.bends.append(Bend("null_list"))
    async with client_of(cloud) as client:
        found = await list_jobs(client, JobFilter())
    assert (found.error, found.jobs, found.proof()) == (None, {}, None)
    assert DefectKind.NO_ROWS in {defect.kind for defect in found.defects}


async def test_a_job_up_to_the_size_limit_of_backups_is_read_and_a_larger_one_is_reported_as_too_large(
    cloud: SimulatedCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = cloud.finished[0]
    cloud.bends.append(Bend("huge_jobs", size=20_000, where="details"))
    async with client_of(cloud) as client:
        assert (await client.get_job(job.id)).id == job.id
        monkeypatch.setattr(protocol, "MAX_JOB_BYTES", 1_000_000)
        with pytest.raises(AnswerTooLarge):
            await client.get_job(job.id)
