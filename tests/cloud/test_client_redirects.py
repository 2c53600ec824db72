"""Redirects are refused, so that another server receives neither the request nor the key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cloud_history.cloud.client import CloudClient
from cloud_history.cloud.pages import EVERY_JOB
from cloud_history.deletion.outcomes import ClearResult
from cloud_history.deletion.report import clear_report, deletion_report
from cloud_history.errors import NotComfyCloud
from cloud_history.service import Operations
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import Fault, SimulatedCloud
from support.no_backups import without_backups
from support.requests import clear_history, delete_jobs

OpenClient = Callable[..., CloudClient]
OtherServer = Any
ANY = ("*", "/api")
REDIRECTS = (301, 302, 303, 307, 308)
CALLS = ("list", "user", "delete", "clear")


async def call(client: CloudClient, what: str, cloud: SimulatedCloud) -> None:
    if what == "list":
        await client.list_jobs({}, EVERY_JOB, limit=1)
    elif what == "user":
        await client.get_user()
    elif what == "delete":
        await client.delete_history([cloud.finished[0].id])
    else:
        await client.clear_history()


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("what", CALLS)
async def test_a_redirect_to_another_host_is_an_error_and_that_host_receives_nothing(
    cloud: SimulatedCloud,
    open_client: OpenClient,
    other_server: OtherServer,
    waits: list[float],
    what: str,
    status: int,
) -> None:
    location = f"{other_server.url}/api/history?from=there"
    cloud.faults.append(Fault(ANY, "redirect", times=None, status=status, location=location))
    async with open_client() as client:
        with pytest.raises(NotComfyCloud) as caught:
            await call(client, what, cloud)
    assert other_server.received == []
    assert (len(cloud.requests), waits) == (1, [])
    assert caught.value.status == status
    assert other_server.url not in f"{caught.value} {caught.value!r}"
    assert not cloud.deleted


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("what", CALLS)
async def test_a_redirect_within_the_same_server_is_refused_too(
    cloud: SimulatedCloud, open_client: OpenClient, what: str, status: int
) -> None:
    for location in ("/api/user", f"{cloud.base_url}/api/user", "//127.0.0.1/api/user", ""):
        cloud.requests.clear()
        cloud.faults[:] = [Fault(ANY, "redirect", status=status, location=location)]
        async with open_client() as client:
            with pytest.raises(NotComfyCloud):
                await call(client, what, cloud)
        assert len(cloud.requests) == 1


@pytest.mark.parametrize("status", [300, 304, 305, 306, 399])
async def test_any_other_3xx_answer_is_an_error(cloud: SimulatedCloud, open_client: OpenClient, status: int) -> None:
    cloud.faults.append(Fault(ANY, "status", times=None, status=status))
    async with open_client() as client:
        for what in CALLS:
            with pytest.raises(NotComfyCloud):
                await call(client, what, cloud)
    assert not cloud.deleted


async def test_the_redirect_target_of_these_tests_records_its_requests(
    open_client: OpenClient, other_server: OtherServer
) -> None:
    async with open_client(other_server.url) as client:
        await client.clear_history()
    ((method, path, headers, body),) = other_server.received
    assert (method, path, body) == ("POST", "/api/history", b'{"clear":true}')
    assert "X-API-Key" in headers


@pytest.mark.parametrize("status", REDIRECTS)
async def test_an_operation_whose_requests_are_redirected_reports_the_redirect_and_removes_no_job(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, other_server: OtherServer, status: int
) -> None:
    cloud.faults.append(
        Fault(("POST", "/api/history"), "redirect", times=None, status=status, location=other_server.url)
    )
    operations = Operations(without_backups(tmp_path), environ)
    cleared = await clear_history(operations, "menu", Unwatched())
    deleted = await delete_jobs(operations, [job.id for job in cloud.finished[:150]], "menu", Unwatched())
    assert isinstance(cleared, ClearResult)
    assert (cleared.outcome.value, cleared.removed) == ("failed", 0)
    assert deleted.removed == 0
    for report in (clear_report(cleared), deletion_report(deleted)):
        assert "The answer did not come from Comfy Cloud" in report
        assert other_server.url not in report
    assert (other_server.received, cloud.deleted) == ([], [])
