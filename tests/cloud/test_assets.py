"""The sizes and hashes of outputs are read from the assets, are never needed, and never prove anything."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from cloud_history.cloud import assets
from cloud_history.cloud.assets import Asset, AssetFacts, read_assets
from cloud_history.cloud.client import CloudClient
from cloud_history.errors import CloudError, OperationStopped
from cloud_history.secret import remember
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import ABSENT, Fault, SimulatedCloud, SimulatedJob
from support.fake_history_client import Person, ids

OpenClient = Callable[..., CloudClient]
LIST, SINGLE = ("GET", "/api/assets"), ("GET", r"/api/jobs/[^/]+/assets")
CLOUD_JOBS = 40


def with_files(cloud: SimulatedCloud) -> list[SimulatedJob]:
    return [job for job in cloud.finished if job.files]


async def read(open_client: OpenClient, job_ids: list[str]) -> AssetFacts:
    async with open_client() as client:
        return await read_assets(client, job_ids, Unwatched())


def assert_true_of(cloud: SimulatedCloud, facts: AssetFacts, jobs: list[SimulatedJob]) -> None:
    for job in jobs:
        assert {each.name for each in facts.of(job.id)} == set(job.files)
        for name in job.files:
            truth, found = cloud.facts(name), facts.find(job.id, name)
            assert found is not None
            assert (found.job_id, found.name) == (job.id, name)
            assert (found.size, found.blake3) == (truth.size, truth.blake3)


@pytest.mark.parametrize("has_job_assets", [True, False])
@pytest.mark.parametrize("count", [1, 9, 21])
async def test_the_facts_are_those_in_the_books_of_the_cloud(
    cloud: SimulatedCloud, open_client: OpenClient, has_job_assets: bool, count: int
) -> None:
    cloud.switches.has_job_assets_route = has_job_assets
    jobs = with_files(cloud)[:count]
    facts = await read(open_client, [job.id for job in jobs])
    assert (facts.known, facts.why) == (True, None)
    assert_true_of(cloud, facts, jobs)
    assert bool(cloud.requests_to(*LIST)) is not (has_job_assets and count <= 20)


async def test_only_the_accounts_own_assets_are_asked_for(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    await read(open_client, [job.id for job in with_files(cloud)[:21]])
    assert [each.query for each in cloud.requests_to(*LIST)] == [
        {"include_public": "false", "limit": "500", "offset": "0"}
    ]


async def test_a_server_without_the_route_for_one_job_is_asked_for_it_once(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    job_ids = [job.id for job in with_files(cloud)[:5]]
    async with open_client() as client:
        for _ in range(2):
            assert (await read_assets(client, job_ids, Unwatched())).known
    singly = [each.path for each in cloud.requests if each.path.startswith("/api/jobs/")]
    assert singly == [f"/api/jobs/{min(job_ids)}/assets"]
    assert len(cloud.requests_to(*LIST)) == 2


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_every_refusal_of_the_route_for_one_job_leads_to_the_list(
    cloud: SimulatedCloud, open_client: OpenClient, status: int
) -> None:
    cloud.switches.has_job_assets_route = True
    cloud.faults.append(Fault(SINGLE, "status", status=status, times=None))
    jobs = with_files(cloud)[:3]
    facts = await read(open_client, [job.id for job in jobs])
    assert facts.known
    assert_true_of(cloud, facts, jobs)
    assert cloud.faults[0].fired == 1


@pytest.mark.parametrize("page", [1, 7, 30, 500])
async def test_the_list_is_read_to_its_end_whatever_the_size_of_its_pages(
    cloud: SimulatedCloud, open_client: OpenClient, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(assets, "PAGE_ASSETS", page)
    jobs = with_files(cloud)
    facts = await read(open_client, [job.id for job in jobs])
    assert facts.known
    assert_true_of(cloud, facts, jobs)


class Server:
    """A server with a list of assets of its own, and its manners."""

    has_job_assets = True

    def __init__(self, rows: list[Any], *, most: int = 500, **answer: Any) -> None:
        self.rows, self.most, self.answer = rows, most, answer
        self.asked: list[tuple[int, int]] = []

    async def list_assets(self, *, limit: int, offset: int) -> dict[str, Any]:
        self.asked.append((limit, offset))
        shown = self.rows[offset : offset + min(limit, self.most)]
        return {"assets": shown, "has_more": offset + len(shown) < len(self.rows), **self.answer}

    async def get_job_assets(self, job_id: str) -> dict[str, Any]:
        return {"assets": self.rows, **self.answer}


def row(number: int, job_id: str, **more: Any) -> dict[str, Any]:
    return {"id": ids(5000)[number], "name": f"{number}.png", "prompt_id": job_id, "size": number, **more}


async def facts_from(server: Server, job_ids: list[str], **more: Any) -> AssetFacts:
    return await read_assets(server, job_ids, Unwatched(), **more)


@pytest.mark.parametrize("most", [1, 3, 100, 499])
async def test_a_server_with_smaller_pages_than_asked_is_read_without_gaps(most: int) -> None:
    jobs = ids(30)
    server = Server([row(number, jobs[number % 30]) for number in range(1000 if most > 3 else 60)], most=most)
    facts = await facts_from(server, jobs)
    assert facts.known
    assert sum(len(facts.of(job_id)) for job_id in jobs) == len(server.rows)


@pytest.mark.parametrize("rows", [500, 3])
async def test_a_list_that_never_ends_is_given_up_when_it_repeats(rows: int) -> None:
    jobs = ids(30)

    class Repeats(Server):
        async def list_assets(self, *, limit: int, offset: int) -> dict[str, Any]:
            self.asked.append((limit, offset))
            return {"assets": self.rows[:limit], "has_more": True}

    server = Repeats([row(number, jobs[number % 30]) for number in range(rows)])
    facts = await facts_from(server, jobs)
    assert (facts.known, str(facts.why)) == (False, "the list of assets repeats a page")
    assert len(server.asked) <= 5
    assert len(facts.of(jobs[0])) > 0


async def test_a_list_of_empty_pages_that_never_ends_is_given_up() -> None:
    server = Server([], has_more=True)
    assert not (await facts_from(server, ids(30))).known
    assert len(server.asked) == 1


async def test_a_list_with_always_new_assets_is_given_up_at_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assets, "MAX_ASSETS", 4000)
    server = Server([row(number, ids(1)[0]) for number in range(5000)], has_more=True)
    facts = await facts_from(server, ids(30))
    assert (facts.known, str(facts.why)) == (False, "there are too many assets to look through")
    assert len(server.asked) <= 9


@pytest.mark.parametrize("size", [-1, True, 1.0, "7", None, 2**53 + 1, [], float("nan")])
async def test_a_malformed_size_is_unknown(size: object) -> None:
    facts = await facts_from(Server([row(1, ids(1)[0], size=size)]), ids(1))
    assert facts.find(ids(1)[0], "1.png") == Asset(ids(1)[0], "1.png")


@pytest.mark.parametrize(
    "digest", ["", "blake3:", f"blake3:{'a' * 63}", f"sha256:{'a' * 64}", f"blake3:{'g' * 64}", f"blake3:{'a' * 65}", 7]
)
async def test_a_malformed_hash_is_unknown(digest: object) -> None:
    facts = await facts_from(Server([row(1, ids(1)[0], asset_hash=digest)]), ids(1))
    assert facts.find(ids(1)[0], "1.png") == Asset(ids(1)[0], "1.png", size=1)


@pytest.mark.parametrize("wrong", [None, 7, "text", [], {}, {"name": "x.png"}, {"prompt_id": "x", "name": "x.png"}])
async def test_rows_that_are_no_assets_of_a_job_are_skipped(wrong: object) -> None:
    job_id, other = ids(2)
    rows = [wrong, row(1, job_id, name=None), row(2, job_id, name=""), row(3, other), row(4, job_id)]
    facts = await read_assets(Server([*rows] * 3), [job_id, *ids(40)[10:]], Unwatched())
    assert [each.name for each in facts.of(job_id)] == ["4.png"]
    assert facts.of(other) == ()


async def test_assets_belong_to_the_job_that_was_asked_for_where_they_name_none() -> None:
    (job_id,) = ids(1)
    facts = await facts_from(Server([{"id": "x", "name": "a.png", "size": 3}]), [job_id])
    assert facts.find(job_id, "a.png") == Asset(job_id, "a.png", 3)


async def test_a_job_id_in_upper_case_is_the_same_job() -> None:
    (job_id,) = ids(1)
    facts = await facts_from(Server([row(1, job_id.upper())]), [job_id])
    assert facts.find(job_id, "1.png") is not None


async def test_two_outputs_of_one_name_are_known_only_as_far_as_they_agree() -> None:
    (job_id,) = ids(1)
    first = row(1, job_id, name="same.png", size=7, asset_hash=f"blake3:{'a' * 64}")
    server = Server([first, {**first, "id": "another", "asset_hash": f"blake3:{'b' * 64}"}])
    assert (await facts_from(server, [job_id])).find(job_id, "same.png") == Asset(job_id, "same.png", 7)
    server.rows[1]["size"] = 8
    assert (await facts_from(server, [job_id])).find(job_id, "same.png") == Asset(job_id, "same.png")


async def test_an_output_named_by_its_hash_is_found_by_it() -> None:
    (job_id,), digest = ids(1), "ab" * 32
    facts = await facts_from(Server([row(1, job_id, asset_hash=f"blake3:{digest}")]), [job_id])
    found = facts.find(job_id, f"{digest}.png")
    assert found is not None
    assert (found.size, found.blake3) == (1, digest)
    assert facts.find(job_id, f"{'cd' * 32}.png") is None


async def test_a_secret_in_a_name_is_scrubbed() -> None:
    remember("a-secret-in-a-name")
    (job_id,) = ids(1)
    facts = await facts_from(
        Server([row(1, job_id, name="a-secret-in-a-name.png", mime_type="a-secret-in-a-name")]), [job_id]
    )
    assert len(facts.of(job_id)) == 1
    assert "a-secret-in-a-name" not in repr(facts.of(job_id))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 429, 500, 501, 503])
async def test_assets_that_cannot_be_read_are_unknown_and_say_why(
    cloud: SimulatedCloud, open_client: OpenClient, status: int
) -> None:
    cloud.faults.append(Fault(LIST, "status", status=status, times=None))
    job = with_files(cloud)[0]
    facts = await read(open_client, [job.id])
    assert not facts.known
    assert facts.why
    assert facts.find(job.id, job.files[0]) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"assets": null}', b"<html>", b'{"assets": {}}'])
async def test_an_answer_that_is_no_list_of_assets_leaves_them_unknown(
    cloud: SimulatedCloud, open_client: OpenClient, body: bytes
) -> None:
    cloud.faults.append(Fault(LIST, "status", status=200, body=body, times=None))
    facts = await read(open_client, [with_files(cloud)[0].id])
    assert not facts.known


async def test_a_page_that_is_too_large_is_asked_for_again_with_fewer_rows(
    cloud: SimulatedCloud, open_client: OpenClient, one_megabyte: None
) -> None:
    cloud.faults.append(Fault(LIST, "huge", mebibytes=2, times=2))
    jobs = with_files(cloud)
    facts = await read(open_client, [job.id for job in jobs])
    assert facts.known
    assert_true_of(cloud, facts, jobs)
    assert [each.query["limit"] for each in cloud.requests_to(*LIST)][:3] == ["500", "250", "125"]


async def test_assets_that_say_less_are_known_as_far_as_they_go(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    job = with_files(cloud)[0]
    cloud.account.told[job.files[0]] = {"size": ABSENT, "asset_hash": "blake3:no", "mime_type": ABSENT}
    facts = await read(open_client, [job.id])
    assert facts.find(job.id, job.files[0]) == Asset(job.id, job.files[0])


async def test_what_was_read_before_an_error_is_kept(
    cloud: SimulatedCloud, open_client: OpenClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "PAGE_ASSETS", 5)
    cloud.faults.append(Fault(LIST, "status", status=400, after=1, times=None))
    jobs = with_files(cloud)
    facts = await read(open_client, [job.id for job in jobs])
    assert not facts.known
    assert sum(len(facts.of(job.id)) for job in jobs) >= 1


async def test_no_jobs_need_no_request(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    assert (await read(open_client, [])).known
    assert cloud.requests == []


async def test_a_stop_ends_the_reading(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    cloud.faults.append(Fault(LIST, "slow", seconds=60, times=None))
    person = Person(lambda: bool(cloud.requests))
    async with open_client() as client:
        with pytest.raises(OperationStopped):
            await asyncio.wait_for(read_assets(client, ids(30), person), 5)
    assert len(cloud.requests) == 1


async def test_a_server_that_does_not_answer_in_time_leaves_the_assets_unknown(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    cloud.faults.append(Fault(LIST, "slow", seconds=60, times=None))
    async with open_client() as client:
        facts = await read_assets(client, ids(30), Unwatched(), seconds=0.05)
    assert not facts.known
    assert facts.why


async def test_an_error_in_this_program_is_not_swallowed() -> None:
    class Broken(Server):
        async def get_job_assets(self, job_id: str) -> dict[str, Any]:
            raise KeyError("a mistake")

    with pytest.raises(KeyError):
        await facts_from(Broken([]), ids(1))
    assert not issubclass(KeyError, CloudError)
