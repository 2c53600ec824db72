"""Every bend of the simulated cloud is seen by a client on a real socket, and only when it is due."""

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

from simulated_cloud import BENDS, DEFAULT_API_KEY, Bend, SimulatedCloud
from simulated_cloud.__main__ import parser

JOBS = 30


@dataclass
class Asker:
    """Asks the cloud, and gives what came as JSON."""

    cloud: SimulatedCloud
    session: aiohttp.ClientSession

    async def page(self, **query: Any) -> Any:
        async with self.session.get("/api/jobs", params={"limit": 1000, **query}) as answer:
            return json.loads(await answer.read())

    async def ids(self, **query: Any) -> list[Any]:
        return [row["id"] for row in (await self.page(**query))["jobs"]]

    async def told(self, **query: Any) -> dict[str, Any]:
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
async def ask() -> AsyncIterator[Asker]:
    cloud = SimulatedCloud(jobs=JOBS)
    cloud.switches.cursor = True
    headers = {"X-API-Key": DEFAULT_API_KEY}
    async with (
        cloud.serving() as base_url,
        aiohttp.ClientSession(base_url, headers=headers, auto_decompress=False) as session,
    ):
        yield Asker(cloud, session)


CHECKS: dict[str, Callable[[Asker], Any]] = {}


def check(name: str) -> Callable[[Callable[[Asker], Any]], None]:
    def note(function: Callable[[Asker], Any]) -> None:
        CHECKS[name] = function

    return note


@check("keeps_jobs")
async def _(ask: Asker) -> None:
    assert await ask.delete() == (200, b"")
    assert not ask.cloud.deleted


@check("removes_later")
async def _(ask: Asker) -> None:
    assert await ask.delete() == (200, b"")
    seen = [len(await ask.ids(status="completed,failed,cancelled")) > 0 for _ in range(5)]
    assert seen == [True, True, True, False, False]


@check("removes_active")
async def _(ask: Asker) -> None:
    assert ask.cloud.active
    await ask.delete()
    assert not ask.cloud.listed()


@check("refuses_and_removes")
async def _(ask: Asker) -> None:
    assert (await ask.delete())[0] == 400
    assert not ask.cloud.finished


@check("refuses_with_200")
async def _(ask: Asker) -> None:
    status, body = await ask.delete()
    assert (status, b"error" in body, ask.cloud.deleted) == (200, True, [])


@check("jobs_vanish")
async def _(ask: Asker) -> None:
    assert [len(await ask.ids()), len(await ask.ids())] == [JOBS - 1, JOBS - 2]


@check("jobs_finish")
async def _(ask: Asker) -> None:
    active = len(ask.cloud.active)
    assert len(await ask.ids(status="pending,in_progress")) == active - 1


@check("jobs_arrive")
async def _(ask: Asker) -> None:
    assert len(await ask.ids()) == JOBS + 1


@check("jobs_change_places")
async def _(ask: Asker) -> None:
    finished = {job.id for job in ask.cloud.finished}
    now = set(await ask.ids(status="completed,failed,cancelled"))
    assert (len(now), len(now - finished)) == (len(finished), 1)


def _cap(name: str, told: dict[str, Any]) -> None:
    async def capped(ask: Asker) -> None:
        for _ in range(90):
            ask.cloud.add_job()
        page = await ask.page(limit=500)
        page["pagination"].pop("next_cursor")
        assert len(page["jobs"]) == 100
        assert page["pagination"] == told

    CHECKS[name] = capped


_cap("caps_limit", {"offset": 0, "limit": 100, "has_more": True, "total": JOBS + 90})
_cap("caps_limit_without_a_word", {"offset": 0})


@check("caps_limit_in_silence")
async def _(ask: Asker) -> None:
    ask.cloud.bends[-1].size = 10
    told = {"offset": 0, "limit": 500, "has_more": False, "total": 10}
    assert await ask.told(limit=500) == told
    assert len(await ask.ids(limit=500)) == 10


@check("ignores_offset")
async def _(ask: Asker) -> None:
    assert await ask.ids(limit=3, offset=9) == await ask.ids(limit=3)


@check("ignores_filter")
async def _(ask: Asker) -> None:
    assert len(await ask.ids(status="failed")) == JOBS


@check("filters_wrongly")
async def _(ask: Asker) -> None:
    assert {row["status"] for row in (await ask.page(status="completed"))["jobs"]} == {"failed"}


@check("filter_misses_jobs")
async def _(ask: Asker) -> None:
    completed = len(ask.cloud.listed("completed"))
    assert (await ask.told(status="completed"))["total"] == completed - 1
    assert len(await ask.ids(status="completed")) == completed - 1
    assert len(await ask.ids()) == JOBS


@check("hides_jobs")
async def _(ask: Asker) -> None:
    ask.cloud.bends[-1].rows = "one"
    assert (await ask.told())["total"] == JOBS - 1
    assert len(await ask.ids()) == JOBS - 1


@check("lists_deleted_jobs")
async def _(ask: Asker) -> None:
    await ask.delete(ask.cloud.finished[0].id)
    assert len(await ask.ids()) == JOBS


@check("shuffles_jobs")
async def _(ask: Asker) -> None:
    first, second = await ask.ids(), await ask.ids()
    assert first != second
    assert set(first) == set(second)


@check("repeats_jobs")
async def _(ask: Asker) -> None:
    assert len(await ask.ids()) == 2 * JOBS


@check("drops_rows")
async def _(ask: Asker) -> None:
    assert len(await ask.ids()) == JOBS - 1
    assert (await ask.told())["total"] == JOBS


def _content(name: str, expected: Any) -> None:
    async def content(ask: Asker) -> None:
        page = await ask.page()
        page.pop("pagination", None) if "pagination" not in expected else None
        assert page == expected

    CHECKS[name] = content


_nothing = {"offset": 0, "limit": 1000, "has_more": False, "next_cursor": "", "total": 0}
_content("empty_list", {"jobs": [], "pagination": _nothing})
_content("bare_empty_list", {"jobs": []})
_content("null_list", {"jobs": None, "pagination": _nothing})
_content("no_jobs", {"pagination": {**_nothing, "total": JOBS}})


@check("no_pagination")
async def _(ask: Asker) -> None:
    page = await ask.page()
    assert (set(page), len(page["jobs"])) == ({"jobs"}, JOBS)


def _member(bend: str, name: str, expected: Any) -> None:
    async def member(ask: Asker) -> None:
        told = await ask.told(limit=1)
        assert told.get(name, "absent") == expected

    CHECKS[bend] = member


_member("total_too_small", "total", JOBS - 3)
_member("total_too_large", "total", JOBS + 3)
_member("total_negative", "total", -1)
_member("total_zero", "total", 0)
_member("total_as_text", "total", str(JOBS))
_member("total_of_page", "total", 1)
_member("no_total", "total", "absent")
_member("never_more", "has_more", False)
_member("more_not_told", "has_more", "absent")
_member("more_as_text", "has_more", "false")


@check("total_changes")
async def _(ask: Asker) -> None:
    assert len({(await ask.told())["total"] for _ in range(3)}) == 3


@check("always_more")
async def _(ask: Asker) -> None:
    assert (await ask.told(offset=JOBS))["has_more"] is True


@check("same_cursor")
async def _(ask: Asker) -> None:
    first = await ask.told(limit=3)
    assert await ask.told(limit=3, after=first["next_cursor"]) == first


@check("endless_cursors")
async def _(ask: Asker) -> None:
    assert (await ask.told())["next_cursor"] != (await ask.told())["next_cursor"]


@check("more_members")
async def _(ask: Asker) -> None:
    page = await ask.page()
    assert page["data"] == []
    assert page["jobs"][0]["labels"] == ["a"]


def _row(bend: str, name: str, differs: Callable[[Any, Any], bool]) -> None:
    """A member of a row, in the list and in details, beside what it ought to be."""

    async def row(ask: Asker) -> None:
        ask.cloud.bends[-1].where = "both"
        job = ask.cloud.listed("completed")[0]
        right = job.entry()[name]
        number = [
            each.id for each in sorted(ask.cloud.listed(), key=lambda job: (-job.create_time, job.id))
        ].index(job.id)
        for found in ((await ask.page())["jobs"][number], (await ask.detail(job.id))[1]):
            assert differs(found.get(name, "absent"), right), found.get(name)

    CHECKS[bend] = row


_row("ids_without_dashes", "id", lambda found, right: found == right.replace("-", ""))
_row("ids_with_prefix", "id", lambda found, right: found == f"job_{right}")
_row("ids_in_braces", "id", lambda found, right: found == f"{{{right}}}")
_row("ids_as_urn", "id", lambda found, right: found == f"urn:uuid:{right}")
_row("ids_padded", "id", lambda found, right: found == f" {right} ")
_row("ids_upper_case", "id", lambda found, right: found == right.upper() != right)
_row("ids_null", "id", lambda found, right: found is None)
_row("ids_as_number", "id", lambda found, right: isinstance(found, int))
_row("ids_of_others", "id", lambda found, right: found != right and len(found) == len(right))
_row("no_ids", "id", lambda found, right: found == "absent")
_row("status_unknown", "status", lambda found, right: found == "archived")
_row("status_upper_case", "status", lambda found, right: found == right.upper())
_row("status_as_number", "status", lambda found, right: found == len(right))
_row("status_wrong", "status", lambda found, right: found == "in_progress")
_row("no_status", "status", lambda found, right: found == "absent")
_row("times_in_microseconds", "create_time", lambda found, right: found == right * 1000)
_row("times_in_nanoseconds", "create_time", lambda found, right: found == right * 1_000_000)
_row("times_later", "create_time", lambda found, right: found == right + 400 * 86_400_000)
_row("times_nan", "create_time", lambda found, right: math.isnan(found))
_row("times_infinite", "create_time", lambda found, right: found == math.inf)
_row("times_negative", "create_time", lambda found, right: found == -right)
_row("times_null", "create_time", lambda found, right: found is None)
_row("times_as_text", "create_time", lambda found, right: found == str(right))
_row("times_zero", "create_time", lambda found, right: found == 0)


@check("huge_jobs")
async def _(ask: Asker) -> None:
    _, body = await ask.raw()
    assert len(body) > JOBS * 200_000


@check("null_rows")
async def _(ask: Asker) -> None:
    assert (await ask.page())["jobs"] == [None] * JOBS


@check("text_rows")
async def _(ask: Asker) -> None:
    assert set((await ask.page())["jobs"]) == set(ask.cloud.jobs)


@check("details_not_found")
async def _(ask: Asker) -> None:
    assert (await ask.detail())[0] == 404


@check("details_of_deleted_jobs")
async def _(ask: Asker) -> None:
    job = ask.cloud.finished[0].id
    await ask.delete(job)
    assert (await ask.detail(job))[1]["id"] == job


@check("details_of_another_job")
async def _(ask: Asker) -> None:
    status, found = await ask.detail(ask.cloud.finished[0].id)
    assert (status, found["id"] == ask.cloud.finished[0].id) == (200, False)


def _details(bend: str, expected: Callable[[Any], bool]) -> None:
    async def details(ask: Asker) -> None:
        status, found = await ask.detail()
        assert status == 200
        assert expected(found)

    CHECKS[bend] = details


_details("details_null", lambda found: found is None)
_details("details_empty", lambda found: found == {})
_details("details_as_list", lambda found: found == [])
_details("details_wrapped", lambda found: set(found) == {"job"})
_details("details_bare", lambda found: set(found) == {"id"})
_details("errors_with_200", lambda found: set(found) == {"error"})
_details("not_found_with_200", lambda found: found["code"] == "not_found")


@check("plain_text")
async def _(ask: Asker) -> None:
    answer, body = await ask.raw()
    assert (answer.content_type, len(json.loads(body)["jobs"])) == ("text/plain", JOBS)


@check("html")
async def _(ask: Asker) -> None:
    answer, body = await ask.raw()
    assert (answer.content_type, len(json.loads(body)["jobs"])) == ("text/html", JOBS)


@check("gzip_members")
async def _(ask: Asker) -> None:
    answer, body = await ask.raw()
    assert answer.headers["Content-Encoding"] == "gzip"
    text, members = b"", 0
    while body:
        decoder = zlib.decompressobj(31)
        text, body, members = text + decoder.decompress(body), decoder.unused_data, members + 1
    assert (members, len(json.loads(text)["jobs"])) == (3, JOBS)


@check("byte_order_mark")
async def _(ask: Asker) -> None:
    assert (await ask.raw())[1].startswith(b"\xef\xbb\xbf{")


@check("text_after_json")
async def _(ask: Asker) -> None:
    assert (await ask.raw())[1].endswith(b"}\n{}")


@check("half_an_answer")
async def _(ask: Asker) -> None:
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads((await ask.raw())[1])


@check("date_wrong")
async def _(ask: Asker) -> None:
    answer, _ = await ask.raw()
    date = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    assert abs(date - ask.cloud.now() - 10 * 86400) < 60


@check("date_unreadable")
async def _(ask: Asker) -> None:
    answer, _ = await ask.raw()
    assert answer.headers["Date"] == "the day before yesterday"


@pytest.mark.parametrize("name", BENDS)
async def test_every_bend_is_seen(ask: Asker, name: str) -> None:
    ask.cloud.bends.append(Bend(name))
    await CHECKS[name](ask)
    assert ask.cloud.bends[0].fired


async def test_a_bend_begins_and_ends_when_it_is_said(ask: Asker) -> None:
    ask.cloud.bends.append(Bend("empty_list", after=1, times=2))
    assert [len(await ask.ids()) for _ in range(5)] == [JOBS, 0, 0, JOBS, JOBS]


async def test_a_bend_may_begin_with_the_first_deletion(ask: Asker) -> None:
    ask.cloud.bends.append(Bend("empty_list", after_deletion=True))
    before = await ask.ids()
    await ask.delete(ask.cloud.finished[0].id)
    assert (len(before), await ask.ids()) == (JOBS, [])


@pytest.mark.parametrize(
    ("rows", "least", "most"), [("all", JOBS, JOBS), ("some", 2, JOBS - 2), ("one", 1, 1)]
)
async def test_a_bend_happens_to_the_same_rows_each_time(
    ask: Asker, rows: Any, least: int, most: int
) -> None:
    ask.cloud.bends.append(Bend("ids_null", rows=rows))
    first, second = await ask.ids(), await ask.ids()
    assert first == second
    assert least <= first.count(None) <= most


async def test_bends_add_up(ask: Asker) -> None:
    ask.cloud.bends += [Bend("null_rows", rows="some"), Bend("ids_upper_case"), Bend("total_zero")]
    page = await ask.page()
    assert page["pagination"]["total"] == 0
    assert None in page["jobs"]
    assert any(row and row["id"].isupper() for row in page["jobs"])


async def test_a_bent_answer_differs_in_nothing_else(
    ask: Asker,
) -> None:
    plain = (await ask.raw())[1]
    ask.cloud.bends.append(Bend("date_wrong"))
    assert json.loads((await ask.raw())[1]) == json.loads(plain)


def test_bends_are_read_from_a_command_line() -> None:
    options = parser().parse_args(
        ["--bend", "ids_null,rows=one,after=2,after_deletion=true", "--bend", "html"]
    )
    first, second = options.bend
    assert (first.name, first.rows, first.after, first.after_deletion) == ("ids_null", "one", 2, True)
    assert second.name == "html"


def test_a_bend_that_is_mistyped_on_a_command_line_is_told_with_those_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--bend", "empty_lists"])
    said = capsys.readouterr().err
    assert "no such bend: 'empty_lists'" in said
    assert "empty_list," in said


@pytest.mark.parametrize("text", ["no_such_bend", "html,colour=red", "html,rows=few", "html,after=x"])
def test_a_bend_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"no such|invalid literal"):
        Bend.read(text)
