"""The assets of the simulated cloud, and the files behind them, are those of its own books."""

from __future__ import annotations

import hashlib
import tracemalloc
from typing import Any

import aiohttp
import pytest

from simulated_cloud import ABSENT, Periodic, SimulatedCloud
from simulated_cloud.stored_files import PERIOD_BYTES, Fixed, facts_of, pieces
from simulated_cloud.trap_names import TRAP_NAMES


@pytest.fixture
def cloud() -> SimulatedCloud:
    return SimulatedCloud(jobs=12)


async def get(http: aiohttp.ClientSession, path: str, **query: str | int) -> tuple[int, Any]:
    async with http.get(path, params=query) as answer:
        return answer.status, await answer.json()


async def own_assets(http: aiohttp.ClientSession, **query: str | int) -> list[dict[str, Any]]:
    status, page = await get(http, "/api/assets", **{"include_public": "false", "limit": 500, **query})
    assert status == 200
    assets: list[dict[str, Any]] = page["assets"]
    return assets


async def view(http: aiohttp.ClientSession, name: str, subfolder: str = "") -> tuple[int, bytes]:
    async with http.get("/api/view", params={"filename": name, "subfolder": subfolder, "type": "output"}) as answer:
        return answer.status, await answer.read()


async def test_the_assets_of_all_jobs_have_the_size_and_the_hash_of_what_the_storage_serves(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    pytest.importorskip("blake3")
    outputs = {(job.id, name) for job in cloud.jobs.values() for name in job.files}
    found = {(each["prompt_id"], each["name"]): each for each in await own_assets(http) if each["prompt_id"]}
    assert set(found) == outputs
    for (_, name), asset in found.items():
        status, body = await view(http, name)
        facts = cloud.facts(name)
        assert (status, len(body)) == (200, asset["size"])
        assert (facts.size, facts.sha256) == (len(body), hashlib.sha256(body).hexdigest())
        assert asset["asset_hash"] == f"blake3:{facts.blake3}"


async def test_assets_come_in_pages_with_those_of_others_unless_they_are_refused(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    mine = await own_assets(http)
    everything = (await get(http, "/api/assets", limit=500))[1]
    assert everything["total"] > len(mine) == len({each["id"] for each in mine})
    paged: list[str] = []
    while True:
        page = (await get(http, "/api/assets", include_public="false", limit=3, offset=len(paged)))[1]
        paged += [each["id"] for each in page["assets"]]
        assert page["total"] == len(mine)
        if not page["has_more"]:
            break
    assert paged == [each["id"] for each in mine]
    assert len((await get(http, "/api/assets"))[1]["assets"]) == 20
    for wrong in ({"limit": 501}, {"limit": 0}, {"offset": -1}, {"sort": "colour"}, {"include_public": "maybe"}):
        assert (await get(http, "/api/assets", **wrong))[0] == 400


async def test_assets_outlive_the_removal_of_their_job(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    before = await own_assets(http)
    async with http.post("/api/history", json={"clear": True}) as answer:
        assert answer.status == 200
    assert await own_assets(http) == before


async def test_the_assets_of_one_job_have_a_route_of_their_own_in_the_newer_contract_only(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    job = cloud.add_job(files=("a.png", "b.png"))
    assert (await get(http, f"/api/jobs/{job.id}/assets"))[0] == 404
    cloud.switches.has_job_assets_route = True
    status, page = await get(http, f"/api/jobs/{job.id}/assets")
    assert status == 200
    assert [(each["name"], each["prompt_id"]) for each in page["assets"]] == [("a.png", job.id), ("b.png", job.id)]
    cloud.switches.has_assets_route = False
    assert (await get(http, "/api/assets"))[0] == 404
    assert (await get(http, f"/api/jobs/{job.id}/assets"))[0] == 200


async def test_assets_say_less_or_something_else_where_a_test_wants_that(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    cloud.add_job(files=("a.png",))

    async def asset() -> dict[str, Any]:
        return next(each for each in await own_assets(http) if each["name"] == "a.png")

    cloud.switches.assets_told = "size"
    assert "asset_hash" not in await asset()
    assert (await asset())["size"] == cloud.facts("a.png").size
    cloud.switches.assets_told = "nothing"
    assert "size" not in await asset()
    cloud.account.told["a.png"] = {"size": 7, "mime_type": ABSENT}
    told = await asset()
    assert told["size"] == 7
    assert "mime_type" not in told


async def test_a_lost_file_has_no_asset_and_is_not_found(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    cloud.add_job(files=("kept.png", "lost.png"))
    cloud.account.lost.add("lost.png")
    names = {each["name"] for each in await own_assets(http)}
    assert "kept.png" in names
    assert "lost.png" not in names
    assert (await view(http, "kept.png"))[0] == 200
    assert (await view(http, "lost.png"))[0] == 404


async def test_files_of_one_name_in_two_subfolders_are_two_files(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    job = cloud.add_job(files=("same.png", "same.png"), subfolders=("", "b"))
    first, second = [await view(http, name, subfolder) for subfolder, name in job.places]
    assert first[0] == second[0] == 200
    assert first[1] != second[1]
    assert len(second[1]) == cloud.facts("same.png", "b").size


async def test_every_trap_name_is_listed_and_served(http: aiohttp.ClientSession) -> None:
    cloud = SimulatedCloud(jobs=200, trap_names=True)
    assert {name for _, name in TRAP_NAMES} == {name for job in cloud.jobs.values() for name in job.files}
    paths = [path for job in cloud.jobs.values() for path in job.paths]
    assert len(paths) == len(set(paths)) > len(TRAP_NAMES)
    async with (
        cloud.serving() as base_url,
        aiohttp.ClientSession(base_url, headers={"X-API-Key": cloud.api_key}) as session,
    ):
        for job in [job for job in cloud.jobs.values() if job.files][: len(TRAP_NAMES) // 4 + 1]:
            detail = (await get(session, f"/api/jobs/{job.id}"))[1]
            files = detail["outputs"]["9"][job.media]
            assert [(file["subfolder"], file["filename"]) for file in files] == job.places
            for subfolder, name in job.places:
                sent = [text.encode("utf-8", "replace").decode() for text in (name, subfolder)]
                status, body = await view(session, *sent)
                assert (status, len(body)) == (200, cloud.facts(name, subfolder).size)


def test_a_periodic_file_of_gigabytes_is_read_anywhere_without_memory() -> None:
    content = Periodic("film", 3 * 2**30)
    whole = Fixed(Periodic("film", 3 * PERIOD_BYTES + 17).part(0, 3 * PERIOD_BYTES + 17))
    assert len(whole.body) == 3 * PERIOD_BYTES + 17
    for first in (0, 1, PERIOD_BYTES - 1, PERIOD_BYTES, 2 * PERIOD_BYTES + 5):
        assert content.part(first, 70_000) == whole.part(first, 70_000)
    assert len(content.part(content.size - 3, 100)) == 3
    tracemalloc.start()
    assert sum(map(len, pieces(content, 2**31, 2**31 + 2**26))) == 2**26
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_the_facts_of_a_file_are_those_of_its_bytes() -> None:
    content = Periodic("film", 2 * PERIOD_BYTES + 1)
    body = content.part(0, content.size)
    assert facts_of(content) == facts_of(Fixed(body))
    assert facts_of(content).sha256 == hashlib.sha256(body).hexdigest()
    blake3 = pytest.importorskip("blake3")
    assert facts_of(content).blake3 == blake3.blake3(body).hexdigest()
