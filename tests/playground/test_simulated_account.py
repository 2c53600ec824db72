"""The account of the simulated cloud looks like an artist's, and its server starts and stops."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from simulated_cloud import DEFAULT_API_KEY, FINISHED, STATUSES, SimulatedCloud
from simulated_cloud.seed import Seeder

KEY = {"X-API-Key": DEFAULT_API_KEY}
NOON = 1_764_590_400.0


@pytest.fixture
def cloud() -> SimulatedCloud:
    return SimulatedCloud(jobs=60, now=lambda: NOON)


def test_the_same_seed_and_time_give_the_same_account() -> None:
    def account(seed: int) -> list[dict[str, Any]]:
        return [job.detail() for job in SimulatedCloud(jobs=40, seed=seed, now=lambda: NOON).jobs.values()]

    assert account(3) == account(3)
    assert account(3) != account(4)


@pytest.mark.parametrize("count", [0, 1, 5, 240, 1001])
def test_a_cached_account_equals_a_fresh_one(count: int) -> None:
    for _ in range(2):
        for now in (NOON, NOON + 86_400.5):
            made = Seeder(7)
            jobs = made.account(count, int(now * 1000))
            cloud = SimulatedCloud(jobs=count, seed=7, now=lambda now=now: now)  # type: ignore[misc]
            assert list(cloud.jobs.values()) == jobs
            later = made.make("completed", ended=int(now * 1000))
            assert cloud.add_job("completed") == later
            for job in cloud.jobs.values():
                job.overrides["id"] = job.prompt = "changed"
                job.delete(1.0)


@pytest.mark.parametrize("count", [5, 24, 240])
def test_an_account_has_jobs_of_every_status_in_order_and_none_in_the_future(count: int) -> None:
    jobs = list(SimulatedCloud(jobs=count, now=lambda: NOON).jobs.values())
    assert len(jobs) == count
    assert {job.status for job in jobs} == {"pending", "in_progress", *FINISHED}
    assert [job.create_time for job in jobs] == sorted(job.create_time for job in jobs)
    assert all(job.create_time <= job.update_time <= NOON * 1000 for job in jobs)


def test_the_jobs_of_an_account_are_varied() -> None:
    cloud = SimulatedCloud(jobs=240)
    jobs = list(cloud.jobs.values())
    names = [name for job in jobs for name in job.files]
    assert len(names) == len(set(names))
    assert any("<" in name for name in names)
    assert any("\u0590" <= letter <= "\u06ff" for name in names for letter in name)
    assert max(map(len, names)) > 150
    assert len({job.workflow_id for job in jobs}) > 8
    assert None in {job.workflow_id for job in jobs}
    assert {job.output_type for job in jobs} >= {"image", "video", "audio", "3d", None}
    assert len({job.create_time // 86_400_000 for job in jobs}) > 10
    failed = [job.entry() for job in cloud.listed("failed")]
    assert len({entry["execution_error"]["node_type"] for entry in failed if "execution_error" in entry}) > 5
    assert any("execution_error" not in entry for entry in failed)


@pytest.mark.parametrize(
    "change",
    [
        {"status": "cancelled"},
        {"create_time": 1},
        {"start_time": 2},
        {"end_time": 3},
        {"workflow_id": None},
        {"files": ("other.png", "more.png")},
        {"media": "gifs"},
        {"error_kind": 1},
        {"prompt": "another"},
        {"id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8"},
        {"overrides": {"outputs_count": -1}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_reading_the_list_again_shows_the_changes_made_meanwhile(cloud: SimulatedCloud, change: dict[str, Any]) -> None:
    job = next(job for job in cloud.listed("failed") if job.error_kind is not None)
    job.overrides = {"execution_error": {"exception_message": "first"}} if "overrides" in change else {}
    if "media" in change:
        job.files = ("clip.mp4",)
    if "prompt" in change:
        job.error_kind = 0
    before = json.loads(job.written())
    for name, value in change.items():
        setattr(job, name, value)
    assert json.loads(job.written()) == job.entry() != before
    assert json.loads(job.written(seconds=True, raw=True)) == job.entry(seconds=True, raw=True)


def test_twenty_thousand_jobs_are_made_quickly() -> None:
    started = time.process_time()
    assert len(SimulatedCloud(jobs=20_000).jobs) == 20_000
    assert time.process_time() - started < 2


@pytest.mark.parametrize("status", STATUSES)
def test_a_job_can_be_added_and_is_the_newest(status: str, cloud: SimulatedCloud) -> None:
    job = cloud.add_job(status, prompt="a small red boat", overrides={"outputs_count": 7})
    assert cloud.jobs[job.id] is job
    assert job.update_time == NOON * 1000 or (job.start_time and not job.finished)
    assert job.detail()["outputs_count"] == 7
    assert cloud.add_job(status, create_time=1_700_000_000_000).create_time == 1_700_000_000_000


def test_a_job_with_an_unknown_status_or_field_is_not_added(cloud: SimulatedCloud) -> None:
    with pytest.raises(ValueError, match="done"):
        cloud.add_job("done")
    with pytest.raises(TypeError, match="colour"):
        cloud.add_job(colour="red")
    assert len(cloud.jobs) == 60


def test_an_active_job_finishes_only_once(cloud: SimulatedCloud) -> None:
    job = cloud.active[0]
    cloud.finish(job.id, "failed")
    assert (job.status, job.end_time) == ("failed", NOON * 1000)
    with pytest.raises(ValueError, match="cannot become"):
        cloud.finish(job.id, "completed")


async def test_stopping_does_not_wait_for_kept_connections(cloud: SimulatedCloud) -> None:
    async with aiohttp.ClientSession(headers=KEY) as session:
        async with cloud.serving() as base_url:
            async with session.get(f"{base_url}/api/user") as answer:
                await answer.read()
            with pytest.raises(RuntimeError, match="already serving"):
                await cloud.serving().__aenter__()
            started = time.perf_counter()
        assert time.perf_counter() - started < 1
    assert cloud.base_url == cloud.storage_url == ""


def test_the_cloud_serves_from_a_thread_to_code_without_an_event_loop(cloud: SimulatedCloud) -> None:
    with cloud.serving_in_thread() as base_url:
        with urllib.request.urlopen(urllib.request.Request(f"{base_url}/api/user", headers=KEY)) as answer:
            assert answer.read() == b'{"status": "active"}'
        port = int(base_url.rsplit(":", 1)[1])
        with pytest.raises(OSError, match="in use"), SimulatedCloud(jobs=0).serving_in_thread(port):
            pass
    assert [request.status for request in cloud.requests] == [200]


def test_the_command_line_prints_the_address_and_stops_on_sigterm() -> None:
    playground = Path(sys.modules["simulated_cloud"].__path__[0]).parent
    options = ["--jobs", "12", "--api-key", "k", "--latency-ms", "1", "--seed", "9"]
    with subprocess.Popen(
        [sys.executable, "-m", "simulated_cloud", *options],
        env={**os.environ, "PYTHONPATH": str(playground)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            assert words[:-1] == ["Comfy", "Cloud", "(simulated)", "on"]
            request = urllib.request.Request(f"{words[-1]}/api/jobs?limit=1", headers={"X-API-Key": "k"})
            with urllib.request.urlopen(request) as answer:
                assert b'"total": 12' in answer.read()
        finally:
            process.terminate()
        process.wait(timeout=5)
    assert process.returncode == 0 or sys.platform == "win32"
