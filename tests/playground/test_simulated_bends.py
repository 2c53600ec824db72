"""A client on a real socket sees every bend of the simulated cloud, and only when it is due."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest

from simulated_cloud import ACTIVE, BENDS, DEFAULT_API_KEY, Bend, SimulatedCloud
from simulated_cloud.__main__ import parser

JOBS = 30
FINISHED = "completed,failed,cancelled"
EMPTY = {"offset": 0, "limit": 1000, "has_more": False, "next_cursor": "", "total": 0}
ABSENT = "absent"


@dataclass
class Client:
    """A client of the cloud that returns JSON as it comes."""

    cloud: SimulatedCloud
    session: aiohttp.ClientSession

    async def page(self, **query: Any) -> Any:
        async with self.session.get("/api/jobs", params={"limit": 1000, **query}) as answer:
            return json.loads(await answer.read())

    async def ids(self, **query: Any) -> list[Any]:
        return [row["id"] for row in (await self.page(**query))["jobs"]]

    async def pagination(self, **query: Any) -> dict[str, Any]:
        page = await self.page(**query)
        return dict(page["pagination"])

    async def raw(self, path: str = "/api/jobs") -> tuple[aiohttp.ClientResponse, bytes]:
        async with self.session.get(path, headers={"Accept-Encoding": "identity"}) as answer:
            return answer, await answer.read()

    async def detail(self, job_id: str = "") -> tuple[int, Any]:
        async with self.session.get(f"/api/jobs/{job_id or self.cloud.finished[0].id}") as answer:
            return answer.status, json.loads(await answer.read())

    async def delete(self, *job_ids: str) -> tuple[int, bytes]:
        body = {"delete": list(job_ids)} if job_ids else {"clear": True}
        async with self.session.post("/api/history", json=body) as answer:
            return answer.status, await answer.read()


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    cloud = SimulatedCloud(jobs=JOBS)
    cloud.switches.cursor = True
    headers = {"X-API-Key": DEFAULT_API_KEY}
    async with (
        cloud.serving() as base_url,
        aiohttp.ClientSession(base_url, headers=headers, auto_decompress=False) as session,
    ):
        yield Client(cloud, session)


class Checks:
    """What a client sees of each bend: a method for each, named as the bend."""

    async def keeps_jobs(self, client: Client) -> None:
        assert await client.delete() == (200, b"")
        assert not client.cloud.deleted

    async def removes_later(self, client: Client) -> None:
        assert await client.delete() == (200, b"")
        seen = [len(await client.ids(status=FINISHED)) > 0 for _ in range(5)]
        assert seen == [True, True, True, False, False]

    async def removes_active(self, client: Client) -> None:
        assert client.cloud.active
        await client.delete()
        assert not client.cloud.listed()

    async def refuses_and_removes(self, client: Client) -> None:
        assert (await client.delete())[0] == 400
        assert not client.cloud.finished

    async def refuses_with_200(self, client: Client) -> None:
        status, body = await client.delete()
        assert (status, b"error" in body, client.cloud.deleted) == (200, True, [])

    async def jobs_vanish(self, client: Client) -> None:
        assert [len(await client.ids()), len(await client.ids())] == [JOBS - 1, JOBS - 2]

    async def jobs_finish(self, client: Client) -> None:
        active = len(client.cloud.active)
        assert len(await client.ids(status=",".join(ACTIVE))) == active - 1

    async def jobs_arrive(self, client: Client) -> None:
        assert len(await client.ids()) == JOBS + 1

    async def jobs_change_places(self, client: Client) -> None:
        finished = {job.id for job in client.cloud.finished}
        now = set(await client.ids(status=FINISHED))
        assert (len(now), len(now - finished)) == (len(finished), 1)

    async def caps_limit(self, client: Client) -> None:
        client.cloud.bends[-1].size = 10
        page = await client.page(limit=500)
        assert len(page["jobs"]) == 10
        page["pagination"].pop("next_cursor")
        assert page["pagination"] == {"offset": 0, "limit": 10, "has_more": True, "total": JOBS}

    async def caps_limit_without_a_word(self, client: Client) -> None:
        client.cloud.bends[-1].size = 10
        page = await client.page(limit=500)
        assert (len(page["jobs"]), set(page["pagination"])) == (10, {"offset", "next_cursor"})

    async def caps_limit_in_silence(self, client: Client) -> None:
        client.cloud.bends[-1].size = 10
        told = {"offset": 0, "limit": 500, "has_more": False, "total": 10}
        assert await client.pagination(limit=500) == told
        assert len(await client.ids(limit=500)) == 10

    async def ignores_offset(self, client: Client) -> None:
        assert await client.ids(limit=3, offset=9) == await client.ids(limit=3)

    async def ignores_filter(self, client: Client) -> None:
        assert len(await client.ids(status="failed")) == JOBS

    async def filters_wrongly(self, client: Client) -> None:
        assert {row["status"] for row in (await client.page(status="completed"))["jobs"]} == {"failed"}

    async def filter_misses_jobs(self, client: Client) -> None:
        completed = len(client.cloud.listed("completed"))
        assert (await client.pagination(status="completed"))["total"] == completed - 1
        assert len(await client.ids(status="completed")) == completed - 1
        assert len(await client.ids()) == JOBS

    async def hides_jobs(self, client: Client) -> None:
        client.cloud.bends[-1].rows = "one"
        assert (await client.pagination())["total"] == JOBS - 1
        assert len(await client.ids()) == JOBS - 1

    async def lists_deleted_jobs(self, client: Client) -> None:
        await client.delete(client.cloud.finished[0].id)
        assert len(await client.ids()) == JOBS

    async def shuffles_jobs(self, client: Client) -> None:
        first, second = await client.ids(), await client.ids()
        assert first != second
        assert set(first) == set(second)

    async def repeats_jobs(self, client: Client) -> None:
        assert len(await client.ids()) == 2 * JOBS

    async def drops_rows(self, client: Client) -> None:
        assert len(await client.ids()) == JOBS - 1
        assert (await client.pagination())["total"] == JOBS

    async def empty_list(self, client: Client) -> None:
        assert await client.page() == {"jobs": [], "pagination": EMPTY}

    async def bare_empty_list(self, client: Client) -> None:
        assert await client.page() == {"jobs": []}

    async def null_list(self, client: Client) -> None:
        assert await client.page() == {"jobs": None, "pagination": EMPTY}

    async def no_jobs(self, client: Client) -> None:
        assert await client.page() == {"pagination": {**EMPTY, "total": JOBS}}

    async def no_pagination(self, client: Client) -> None:
        page = await client.page()
        assert (set(page), len(page["jobs"])) == ({"jobs"}, JOBS)

    async def total_changes(self, client: Client) -> None:
        assert len({(await client.pagination())["total"] for _ in range(3)}) == 3

    async def always_more(self, client: Client) -> None:
        assert (await client.pagination(offset=JOBS))["has_more"] is True

    async def same_cursor(self, client: Client) -> None:
        first = await client.pagination(limit=3)
        assert await client.pagination(limit=3, after=first["next_cursor"]) == first

    async def endless_cursors(self, client: Client) -> None:
        assert (await client.pagination())["next_cursor"] != (await client.pagination())["next_cursor"]

    async def more_members(self, client: Client) -> None:
        page = await client.page()
        assert page["data"] == []
        assert page["jobs"][0]["labels"] == ["a"]

    async def huge_jobs(self, client: Client) -> None:
        _, body = await client.raw()
        assert len(body) > JOBS * 200_000

    async def null_rows(self, client: Client) -> None:
        assert (await client.page())["jobs"] == [None] * JOBS

    async def text_rows(self, client: Client) -> None:
        assert set((await client.page())["jobs"]) == set(client.cloud.jobs)

    async def details_not_found(self, client: Client) -> None:
        assert (await client.detail())[0] == 404

    async def details_of_deleted_jobs(self, client: Client) -> None:
        job = client.cloud.finished[0].id
        await client.delete(job)
        assert (await client.detail(job))[1]["id"] == job

    async def details_of_another_job(self, client: Client) -> None:
        status, found = await client.detail(client.cloud.finished[0].id)
        assert (status, found["id"] == client.cloud.finished[0].id) == (200, False)

    async def plain_text(self, client: Client) -> None:
        answer, body = await client.raw()
        assert (answer.content_type, len(json.loads(body)["jobs"])) == ("text/plain", JOBS)

    async def html(self, client: Client) -> None:
        answer, body = await client.raw()
        assert (answer.content_type, len(json.loads(body)["jobs"])) == ("text/html", JOBS)

    async def gzip_members(self, client: Client) -> None:
        answer, body = await client.raw()
        assert answer.headers["Content-Encoding"] == "gzip"
        text, members = b"", 0
        while body:
            decoder = zlib.decompressobj(31)
            text, body, members = text + decoder.decompress(body), decoder.unused_data, members + 1
        assert (members, len(json.loads(text)["jobs"])) == (3, JOBS)

    async def byte_order_mark(self, client: Client) -> None:
        assert (await client.raw())[1].startswith(b"\xef\xbb\xbf{")

    async def text_after_json(self, client: Client) -> None:
        assert (await client.raw())[1].endswith(b"}\n{}")

    async def half_an_answer(self, client: Client) -> None:
        with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
            json.loads((await client.raw())[1])

    async def date_wrong(self, client: Client) -> None:
        answer, _ = await client.raw()
        date = parsedate_to_datetime(answer.headers["Date"]).timestamp()
        assert abs(date - client.cloud.now() - 10 * 86400) < 60

    async def date_unreadable(self, client: Client) -> None:
        answer, _ = await client.raw()
        assert answer.headers["Date"] == "the day before yesterday"


PAGINATION = {
    "total_too_small": ("total", JOBS - 3),
    "total_too_large": ("total", JOBS + 3),
    "total_negative": ("total", -1),
    "total_zero": ("total", 0),
    "total_as_text": ("total", str(JOBS)),
    "total_of_page": ("total", 1),
    "no_total": ("total", ABSENT),
    "never_more": ("has_more", False),
    "more_not_told": ("has_more", ABSENT),
    "more_as_text": ("has_more", "false"),
}
Compare = Callable[[Any, Any], bool]
ROWS: dict[str, tuple[str, Compare]] = {
    "ids_without_dashes": ("id", lambda found, right: found == right.replace("-", "")),
    "ids_with_prefix": ("id", lambda found, right: found == f"job_{right}"),
    "ids_in_braces": ("id", lambda found, right: found == f"{{{right}}}"),
    "ids_as_urn": ("id", lambda found, right: found == f"urn:uuid:{right}"),
    "ids_padded": ("id", lambda found, right: found == f" {right} "),
    "ids_upper_case": ("id", lambda found, right: found == right.upper() != right),
    "ids_null": ("id", lambda found, right: found is None),
    "ids_as_number": ("id", lambda found, right: isinstance(found, int)),
    "ids_of_others": ("id", lambda found, right: found != right and len(found) == len(right)),
    "no_ids": ("id", lambda found, right: found == ABSENT),
    "status_unknown": ("status", lambda found, right: found == "archived"),
    "status_upper_case": ("status", lambda found, right: found == right.upper()),
    "status_as_number": ("status", lambda found, right: found == len(right)),
    "status_wrong": ("status", lambda found, right: found == "in_progress"),
    "no_status": ("status", lambda found, right: found == ABSENT),
    "times_in_microseconds": ("create_time", lambda found, right: found == right * 1000),
    "times_in_nanoseconds": ("create_time", lambda found, right: found == right * 1_000_000),
    "times_later": ("create_time", lambda found, right: found == right + 400 * 86_400_000),
    "times_nan": ("create_time", lambda found, right: math.isnan(found)),
    "times_infinite": ("create_time", lambda found, right: found == math.inf),
    "times_negative": ("create_time", lambda found, right: found == -right),
    "times_null": ("create_time", lambda found, right: found is None),
    "times_as_text": ("create_time", lambda found, right: found == str(right)),
    "times_zero": ("create_time", lambda found, right: found == 0),
}
DETAILS: dict[str, Callable[[Any], bool]] = {
    "details_null": lambda found: found is None,
    "details_empty": lambda found: found == {},
    "details_as_list": lambda found: found == [],
    "details_wrapped": lambda found: set(found) == {"job"},
    "details_bare": lambda found: set(found) == {"id"},
    "errors_with_200": lambda found: set(found) == {"error"},
    "not_found_with_200": lambda found: found["code"] == "not_found",
}


async def check(client: Client, name: str) -> None:
    """Check what a client sees of the last bend, which has this name."""
    if name in PAGINATION:
        member, expected = PAGINATION[name]
        assert (await client.pagination(limit=1)).get(member, ABSENT) == expected
    elif name in ROWS:
        await check_row(client, *ROWS[name])
    elif name in DETAILS:
        status, found = await client.detail()
        assert (status, DETAILS[name](found)) == (200, True)
    else:
        await getattr(Checks(), name)(client)


async def check_row(client: Client, member: str, is_bent: Compare) -> None:
    """Check a member of one job, in the list and in details."""
    client.cloud.bends[-1].where = "both"
    job = client.cloud.listed("completed")[0]
    right = job.entry()[member]
    newest_first = sorted(client.cloud.listed(), key=lambda job: (-job.create_time, job.id))
    number = [each.id for each in newest_first].index(job.id)
    for found in ((await client.page())["jobs"][number], (await client.detail(job.id))[1]):
        assert is_bent(found.get(member, ABSENT), right), found.get(member)


@pytest.mark.parametrize("name", BENDS)
async def test_every_bend_is_visible_to_a_client(client: Client, name: str) -> None:
    client.cloud.bends.append(Bend(name))
    await check(client, name)
    assert client.cloud.bends[0].fired


async def test_a_bend_starts_and_ends_when_it_is_due(client: Client) -> None:
    client.cloud.bends.append(Bend("empty_list", after=1, times=2))
    assert [len(await client.ids()) for _ in range(5)] == [JOBS, 0, 0, JOBS, JOBS]


async def test_a_bend_can_start_with_the_first_deletion(client: Client) -> None:
    client.cloud.bends.append(Bend("empty_list", after_deletion=True))
    before = await client.ids()
    await client.delete(client.cloud.finished[0].id)
    assert (len(before), await client.ids()) == (JOBS, [])


@pytest.mark.parametrize(("rows", "least", "most"), [("all", JOBS, JOBS), ("some", 2, JOBS - 2), ("one", 1, 1)])
async def test_a_bend_applies_to_the_same_jobs_each_time(client: Client, rows: Any, least: int, most: int) -> None:
    client.cloud.bends.append(Bend("ids_null", rows=rows))
    first, second = await client.ids(), await client.ids()
    assert first == second
    assert least <= first.count(None) <= most


async def test_several_bends_apply_to_one_answer(client: Client) -> None:
    client.cloud.bends += [Bend("null_rows", rows="some"), Bend("ids_upper_case"), Bend("total_zero")]
    page = await client.page()
    assert page["pagination"]["total"] == 0
    assert None in page["jobs"]
    assert any(row and row["id"].isupper() for row in page["jobs"])


async def test_a_bend_changes_nothing_else_in_the_answer(client: Client) -> None:
    plain = (await client.raw())[1]
    client.cloud.bends.append(Bend("date_wrong"))
    assert json.loads((await client.raw())[1]) == json.loads(plain)


def test_the_command_line_accepts_bends_with_options() -> None:
    options = parser().parse_args(["--bend", "ids_null,rows=one,after=2,after_deletion=true", "--bend", "html"])
    first, second = options.bend
    assert (first.name, first.rows, first.after, first.after_deletion) == ("ids_null", "one", 2, True)
    assert second.name == "html"


def test_the_command_line_answers_an_unknown_bend_with_the_names_of_all_bends(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--bend", "empty_lists"])
    error = capsys.readouterr().err
    assert "no such bend: 'empty_lists'" in error
    assert "empty_list," in error


@pytest.mark.parametrize("text", ["no_such_bend", "html,colour=red", "html,rows=few", "html,after=x"])
def test_an_invalid_bend_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no such|invalid "):
        Bend.read(text)
