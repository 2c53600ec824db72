"""The job list is a stream of lines, which marks its start, its end and an incomplete list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from simulated_cloud import Fault, SimulatedCloud
from simulated_cloud.bends import Bend
from support.route_stage import Answer, Gate, Stage, serving

LIST = ("GET", "/api/jobs")


def rows(answer: Answer) -> list[dict[str, Any]]:
    return [row for line in answer.lines if line["type"] == "jobs" for row in line["jobs"]]


@asynccontextmanager
async def of_size(jobs: int, environ: dict[str, str], folder: Path) -> AsyncIterator[Stage]:
    """Return routes that are connected to a cloud with this many jobs."""
    cloud = SimulatedCloud(jobs=jobs)
    async with (
        cloud.serving() as base_url,
        serving(cloud, folder, {**environ, "COMFY_CLOUD_BASE_URL": base_url}) as stage,
    ):
        yield stage


async def test_the_stream_lists_all_jobs_newest_first_between_a_start_line_and_an_end_line(stage: Stage) -> None:
    answer = await stage.ask("jobs", {"filter": {}})
    start, *_, end = answer.lines
    assert answer.status == 200
    assert (start["type"], start["total"]) == ("start", 240)
    assert start["read_at"].endswith("+00:00")
    told = {"complete": True, "read": 240, "unreadable": 0, "doubt": "", "error": None}
    assert end == {"type": "end", **told}
    found = rows(answer)
    assert [row["created"] for row in found] == sorted((row["created"] for row in found), reverse=True)
    assert {row["id"] for row in found} == set(stage.cloud.jobs)
    assert set(found[0]) == {
        *("id", "status", "raw", "created", "started", "finished", "took", "name", "workflow_id"),
        *("outputs", "output_type", "error", "preview"),
    }


async def test_without_a_filter_all_jobs_are_streamed_in_lines_of_at_most_250(
    environ: dict[str, str], tmp_path: Path
) -> None:
    async with of_size(2300, environ, tmp_path) as stage:
        answer = await stage.ask("jobs", {})
        assert len({row["id"] for row in rows(answer)}) == len(rows(answer)) == 2300
        assert max(len(line.get("jobs", [])) for line in answer.lines) == 250
        assert answer.lines[-1]["complete"] is True


async def test_the_stream_contains_only_rows_that_match_the_filter(stage: Stage) -> None:
    stage.cloud.switches.ignores_status_filter = True
    wanted = {job.id for job in stage.cloud.listed("failed")}
    assert {row["id"] for row in rows(await stage.ask("jobs", {"filter": {"statuses": ["failed"]}}))} == wanted
    active = {job.id for job in stage.cloud.active}
    assert {row["id"] for row in rows(await stage.ask("jobs", {"filter": {"statuses": ["active"]}}))} == active
    one = stage.cloud.finished[0].id
    assert [row["id"] for row in rows(await stage.ask("jobs", {"filter": {"search": one.upper()}}))] == [one]


async def test_a_search_does_not_match_a_key_hidden_in_the_rows(stage: Stage) -> None:
    key = stage.cloud.api_key
    job = stage.cloud.add_job("failed", workflow_id=key)
    shown = rows(await stage.ask("jobs", {"filter": {"search": "[hidden]"}}))
    assert [(row["id"], row["workflow_id"]) for row in shown] == [(job.id, "[hidden]")]
    for end in (9, 12, len(key) - 1, len(key)):
        assert rows(await stage.ask("jobs", {"filter": {"search": key[:end]}})) == []


async def test_the_stream_of_an_empty_history_is_a_start_line_and_an_end_line(
    environ: dict[str, str], tmp_path: Path
) -> None:
    async with of_size(0, environ, tmp_path) as stage:
        lines = (await stage.ask("jobs", {})).lines
        assert [line["type"] for line in lines if line.get("jobs") != []] == ["start", "end"]
        assert lines[-1]["complete"] is True


async def test_a_failure_before_the_first_row_is_an_ordinary_error(stage: Stage) -> None:
    stage.cloud.faults.append(Fault(LIST, "status", status=401, times=None))
    answer = await stage.ask("jobs")
    assert (answer.status, answer.code) == (502, "unauthorized")
    assert answer.headers["content-type"].startswith("application/json")


async def test_an_error_after_the_first_row_is_reported_in_the_last_line(
    environ: dict[str, str], tmp_path: Path
) -> None:
    large = SimulatedCloud(jobs=2300)
    async with large.serving() as base_url:
        large.faults.append(Fault(LIST, "status", status=500, after=1, times=None))
        async with serving(large, tmp_path, {**environ, "COMFY_CLOUD_BASE_URL": base_url}) as stage:
            answer = await stage.ask("jobs", {})
            end = answer.lines[-1]
            assert (answer.status, len(rows(answer))) == (200, 1000)
            assert (end["complete"], end["read"], end["error"]["code"]) == (False, 1000, "server_fault")


async def test_an_inconsistent_list_is_not_reported_as_complete(stage: Stage) -> None:
    page = {"jobs": [stage.cloud.finished[0].entry()], "pagination": {"total": 99, "has_more": False}}
    stage.cloud.faults.append(Fault(LIST, "status", status=200, json=page, times=None))
    answer = await stage.ask("jobs", {})
    assert len(rows(answer)) == 1
    end = answer.lines[-1]
    assert (end["complete"], end["read"], end["error"]) == (False, 1, None)


async def test_a_list_that_takes_too_long_before_the_first_row_is_a_timeout(brief: Stage, gate: Gate) -> None:
    gate.close()
    answer = await brief.ask("jobs")
    assert (answer.status, answer.code) == (504, "timeout")


async def test_a_list_that_takes_too_long_after_the_first_row_ends_with_a_timeout_line(
    environ: dict[str, str], tmp_path: Path
) -> None:
    large = SimulatedCloud(jobs=2300)
    async with large.serving() as base_url:
        gate = Gate(large)
        large.faults.append(Fault(LIST, "slow", seconds=1, after=1, times=None))
        environ = {**environ, "COMFY_CLOUD_BASE_URL": base_url}

        async def pause(seconds: float) -> None:
            if seconds:
                await gate.stay()

        large.pause = pause  # type: ignore[method-assign]
        async with serving(large, tmp_path, environ, max_seconds=0.5) as stage:
            answer = await stage.ask("jobs", {})
            end = answer.lines[-1]
            assert (end["complete"], end["read"], end["error"]["code"]) == (False, 1000, "timeout")
            assert "Comfy Cloud says" not in answer.text
        gate.open()


async def test_an_internal_error_after_the_first_row_ends_the_stream_and_shows_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def learn(self: object, *known: object) -> None:
        raise RuntimeError("/home/somebody")

    monkeypatch.setattr("cloud_history.routes.output_files.OutputFiles.learn_previews", learn)
    answer = await stage.ask("jobs", {})
    end = answer.lines[-1]
    assert (end["complete"], end["error"]["code"]) == (False, "internal")
    assert "/home" not in answer.text


@pytest.mark.parametrize("cancels", [False, True])
async def test_reading_the_list_stops_when_the_browser_disconnects(
    environ: dict[str, str], tmp_path: Path, cancels: bool
) -> None:
    large = SimulatedCloud(jobs=20_000)
    turns = asyncio.Semaphore(1)

    async def one_by_one(seconds: float) -> None:
        await turns.acquire()

    large.pause = one_by_one  # type: ignore[method-assign]
    async with large.serving() as base_url:
        environ = {**environ, "COMFY_CLOUD_BASE_URL": base_url}
        async with serving(large, tmp_path, environ, handler_cancellation=cancels) as stage:
            reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
            writer.write(
                f"POST /cloud_history/jobs HTTP/1.1\r\nHost: {stage.own}\r\nX-Cloud-History: 1\r\n"
                "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}".encode()
            )
            await asyncio.wait_for(reader.readuntil(b'"type":"jobs"'), 10)
            writer.transport.abort()
            turns.release()
            turns.release()
            await stage.until(
                lambda: not [task for task in asyncio.all_tasks() if "_JobStream.read" in str(task.get_coro())]
            )
            seen = len(large.requests)
            for _ in range(30):
                turns.release()
            await asyncio.sleep(0.05)
            assert len(large.requests) == seen < 15


async def test_the_stream_counts_unreadable_rows_and_says_why_a_list_is_unreliable(
    stage: Stage,
) -> None:
    stage.cloud.bends.append(Bend("ids_without_dashes", rows="some"))
    odd = [job for job in stage.cloud.jobs if stage.cloud.bends[0].hits(job)]
    end = (await stage.ask("jobs", {})).lines[-1]
    assert (end["complete"], end["unreadable"]) == (True, len(odd))
    assert end["doubt"] == f"the list can’t be trusted ({len(odd)} rows could not be read)"
    stage.cloud.bends[:] = [Bend("no_pagination")]
    end = (await stage.ask("jobs", {})).lines[-1]
    assert (end["complete"], end["unreadable"]) == (False, 0)
    assert end["doubt"] == "the list can’t be trusted (it does not say whether more jobs follow)"
