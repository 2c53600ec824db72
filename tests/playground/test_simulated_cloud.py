"""The simulated cloud behaves on real sockets as Comfy Cloud is documented."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from typing import Any

import aiohttp
import pytest

from simulated_cloud import ACTIVE, DEFAULT_API_KEY, FINISHED, STATUSES, SimulatedCloud
from simulated_cloud.media import MAX_SIDE_PIXELS

KEY = {"X-API-Key": DEFAULT_API_KEY}
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
NOON = 1_764_590_400.0


@pytest.fixture
def cloud() -> SimulatedCloud:
    return SimulatedCloud(jobs=60, now=lambda: NOON)


async def get(http: aiohttp.ClientSession, path: str, **query: str | int) -> tuple[int, Any]:
    async with http.get(path, params=query) as answer:
        return answer.status, await answer.json()


async def post_history(http: aiohttp.ClientSession, body: Any) -> tuple[int, bytes]:
    async with http.post("/api/history", json=body) as answer:
        return answer.status, await answer.read()


async def all_ids(http: aiohttp.ClientSession, **query: str | int) -> list[str]:
    ids: list[str] = []
    while True:
        _, page = await get(http, "/api/jobs", offset=len(ids), **query)
        ids += [job["id"] for job in page["jobs"]]
        if not page["pagination"]["has_more"]:
            return ids


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": "wrong"},
        {"Authorization": f"Bearer {DEFAULT_API_KEY}"},
        {**KEY, "Authorization": "Basic bmV0cmM6cGFzcw=="},
    ],
)
async def test_a_missing_wrong_or_second_credential_is_refused(cloud: SimulatedCloud, headers: dict[str, str]) -> None:
    async with cloud.serving() as base_url, aiohttp.ClientSession(base_url, headers=headers) as session:
        for path in ("/api/user", "/api/jobs", "/api/nothing"):
            status, answer = await get(session, path)
            assert (status, list(answer)[-1]) == (401, "message")
        assert (await post_history(session, {"clear": True}))[0] == 401
    assert not cloud.deleted


async def test_an_unknown_route_and_a_wrong_method_answer_in_json(http: aiohttp.ClientSession) -> None:
    assert await get(http, "/api/history_v3") == (404, {"code": "not_found", "message": "No such route"})
    assert (await get(http, "/api/history"))[0] == 405


async def test_a_deletion_removes_finished_jobs_and_skips_all_others_silently(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    gone = {status: cloud.listed(status)[0].id for status in FINISHED}
    stay = {status: cloud.add_job(status).id for status in ACTIVE}
    ids = [*gone.values(), *stay.values(), UNKNOWN_ID, "no id at all"]
    for _ in range(2):
        assert await post_history(http, {"delete": ids}) == (200, b"")
        assert {job.id for job in cloud.deleted} == set(gone.values())
    listed = await all_ids(http, limit=1000)
    assert not set(gone.values()) & set(listed)
    assert set(stay.values()) <= set(listed)
    assert (await get(http, f"/api/jobs/{gone['failed']}"))[0] == 404
    assert (await get(http, f"/api/jobs/{stay['pending']}"))[0] == 200
    assert cloud.history_posts == [{"delete": ids}] * 2


async def test_an_id_in_upper_case_is_another_id(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    await post_history(http, {"delete": [cloud.finished[0].id.upper()]})
    assert not cloud.deleted


async def test_clearing_removes_all_finished_jobs_and_no_others(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    active = {job.id for job in cloud.active}
    assert active
    assert await post_history(http, {"clear": True}) == (200, b"")
    assert set(await all_ids(http)) == active == {job.id for job in cloud.listed()}
    assert Counter(job.deleted for job in cloud.jobs.values()) == {True: 60 - len(active), False: len(active)}


@pytest.mark.parametrize(
    "body",
    [
        [],
        "clear",
        {"clear": "true"},
        {"clear": 1},
        {"clear": None},
        {"delete": "abc"},
        {"delete": None},
        {"delete": [5]},
        {"clear": True, "all": True},
    ],
)
async def test_a_body_that_breaks_the_schema_is_refused_and_deletes_nothing(
    cloud: SimulatedCloud, http: aiohttp.ClientSession, body: Any
) -> None:
    status, answer = await post_history(http, body)
    assert (status, b'"code"' in answer) == (400, True)
    assert not cloud.deleted


@pytest.mark.parametrize(("data", "kind"), [(b"{", "application/json"), (b'{"clear": true}', "text/plain"), (b"", "")])
async def test_a_body_that_is_not_json_is_refused_and_deletes_nothing(
    cloud: SimulatedCloud, http: aiohttp.ClientSession, data: bytes, kind: str
) -> None:
    async with http.post("/api/history", data=data, headers={"Content-Type": kind}) as answer:
        assert answer.status == 400
    assert not cloud.deleted


@pytest.mark.parametrize("body", [{}, {"delete": []}, {"clear": False}])
async def test_a_request_that_deletes_nothing_is_accepted(
    cloud: SimulatedCloud, http: aiohttp.ClientSession, body: Any
) -> None:
    assert await post_history(http, body) == (200, b"")
    assert not cloud.deleted


async def test_offset_paging_lists_every_job_once_newest_first(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    _, first = await get(http, "/api/jobs", limit=7)
    assert first["pagination"] == {"offset": 0, "limit": 7, "total": 60, "has_more": True}
    assert await all_ids(http, limit=7) == list(reversed(cloud.jobs))
    assert await all_ids(http, limit=7, sort_order="asc") == list(cloud.jobs)


async def test_cursor_paging_misses_nothing_when_jobs_are_deleted_meanwhile(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    cloud.switches.cursor = True
    seen: list[str] = []
    after = ""
    while True:
        _, page = await get(http, "/api/jobs", limit=9, after=after)
        seen += [job["id"] for job in page["jobs"]]
        after = page["pagination"]["next_cursor"]
        if not page["pagination"]["has_more"]:
            break
        await post_history(http, {"delete": [page["jobs"][-1 if len(seen) % 2 else 0]["id"]]})
    assert after == ""
    assert seen == list(reversed(cloud.jobs))
    assert (await get(http, "/api/jobs", after="%%%"))[0] == 400


async def test_lists_are_filtered_and_sorted_by_the_query_parameters(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    for status in STATUSES:
        assert set(await all_ids(http, status=status)) == {job.id for job in cloud.listed(status)}
    assert set(await all_ids(http, status=",".join(ACTIVE))) == {job.id for job in cloud.active}
    workflow_id = next(job.workflow_id for job in cloud.finished if job.workflow_id)
    same = {job.id for job in cloud.jobs.values() if job.workflow_id == workflow_id}
    assert set(await all_ids(http, workflow_id=workflow_id)) == same != set(cloud.jobs)
    assert {cloud.jobs[job_id].media for job_id in await all_ids(http, output_type="image")} == {"images"}
    durations = [cloud.jobs[job_id].duration for job_id in await all_ids(http, sort_by="execution_time")]
    assert durations == sorted(durations, reverse=True)


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 1001},
        {"limit": "many"},
        {"offset": -1},
        {"status": "done"},
        {"sort_by": "name"},
        {"sort_order": "up"},
        {"output_type": "text"},
    ],
)
async def test_an_invalid_parameter_is_refused(http: aiohttp.ClientSession, query: dict[str, str | int]) -> None:
    status, answer = await get(http, "/api/jobs", **query)
    assert (status, answer["code"]) == (400, "bad_request")


async def test_requests_that_destroy_more_than_history_are_refused_and_counted(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    job_id = cloud.finished[0].id
    for method, path in [
        ("DELETE", f"/api/jobs/{job_id}"),
        ("DELETE", f"/api/assets/{job_id}"),
        ("POST", "/api/queue"),
        ("POST", "/api/interrupt"),
    ]:
        async with http.request(method, path, json={}) as answer:
            assert answer.status in (404, 405)
    assert cloud.forbidden_calls == 4
    assert not cloud.deleted


async def test_cancelling_affects_active_jobs_and_none_if_one_id_is_unknown(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    active, finished = cloud.active[0].id, cloud.finished[0].id

    async def cancel(job_ids: list[str]) -> tuple[int, Any]:
        async with http.post("/api/jobs/cancel", json={"job_ids": job_ids}) as answer:
            return answer.status, await answer.json()

    assert (await cancel([active, UNKNOWN_ID]))[0] == 404
    assert cloud.jobs[active].status in ACTIVE
    assert await cancel([active, finished]) == (200, {"cancelled": [active]})
    assert cloud.jobs[active].status == "cancelled"
    assert (await cancel([]))[0] == (await cancel([active] * 101))[0] == (await cancel(["x"]))[0] == 400
    async with http.post(f"/api/jobs/{cloud.active[0].id}/cancel") as answer:
        assert await answer.json() == {"cancelled": True}


async def test_a_view_redirects_to_a_storage_that_needs_no_key(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    job = next(job for job in cloud.finished if job.output_type == "image" and job.width != job.height)
    await post_history(http, {"delete": [job.id]})
    async with http.get("/api/view", params={"filename": job.files[0]}, allow_redirects=False) as answer:
        assert answer.status == 302
        location = answer.headers["Location"]
    assert location.startswith(cloud.storage_url)
    assert cloud.storage_url != cloud.base_url
    async with aiohttp.ClientSession() as bare:
        async with bare.get(location) as answer:
            picture = await answer.read()
        async with bare.get(location.partition("?")[0]) as answer:
            assert answer.status == 403
    width, height = check_png(picture)
    assert max(width, height) == MAX_SIDE_PIXELS
    assert width / height == pytest.approx(job.width / job.height, abs=0.02)
    assert [request.status for request in cloud.storage_requests] == [200, 403]
    assert not any("X-API-Key" in request.headers for request in cloud.storage_requests)
    assert (await get(http, "/api/view", filename="nobody_00001_.png"))[0] == 404
    assert (await get(http, "/api/view"))[0] == 400


def check_png(content: bytes) -> tuple[int, int]:
    """Check every chunk of a PNG, and return its width and height."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    chunks: dict[bytes, bytes] = {}
    place = 8
    while place < len(content):
        (length,) = struct.unpack_from(">I", content, place)
        kind, data = content[place + 4 : place + 8], content[place + 8 : place + 8 + length]
        assert struct.unpack_from(">I", content, place + 8 + length)[0] == zlib.crc32(kind + data)
        chunks[kind] = data
        place += 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + 3 * width)
    return width, height


async def test_every_request_is_recorded_as_it_arrived(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    await get(http, "/api/jobs", limit=3)
    await post_history(http, {"delete": ["a"]})
    listing, deletion = cloud.requests
    assert (listing.method, listing.path, listing.status) == ("GET", "/api/jobs", 200)
    assert listing.query == {"limit": "3"}
    assert listing.headers["x-api-key"] == DEFAULT_API_KEY
    assert (deletion.body, deletion.json) == (b'{"delete": ["a"]}', {"delete": ["a"]})
    assert deletion.at > listing.at
