"""The requests of the client and its connection errors, on real sockets."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cloud_history import __version__
from cloud_history.cloud.client import CloudClient, Timeouts
from cloud_history.cloud.pages import EVERY_JOB
from cloud_history.errors import (
    CloudConnectionError,
    CloudResponseError,
    CloudTimeoutError,
    UntrustedCertificate,
)
from cloud_history.jobs.filters import JobFilter
from cloud_history.jobs.status import ACTIVE, FINISHED, JobStatus
from simulated_cloud import Fault, SimulatedCloud
from support.fake_history_client import ACTIVE_QUERY

OpenClient = Callable[..., CloudClient]
COMPLETED = JobFilter((JobStatus.COMPLETED,)).query()
POST, LIST, USER = ("POST", "/api/history"), ("GET", "/api/jobs"), ("GET", "/api/user")


def ids_of(cloud: SimulatedCloud, many: int) -> list[str]:
    return [job.id for job in cloud.finished[:many]]


async def test_a_delete_sends_exactly_the_expected_body_and_headers(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    first, second = ids_of(cloud, 2)
    async with open_client() as client:
        await client.delete_history([second, first])
    (request,) = cloud.requests
    body = f'{{"delete":["{second}","{first}"]}}'.encode()
    assert (request.method, request.path, request.query, request.body) == ("POST", "/api/history", {}, body)
    assert dict(request.headers) == {
        "Host": cloud.base_url.removeprefix("http://"),
        "X-API-Key": cloud.api_key,
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": f"comfy-cloud-history/{__version__}",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    assert {job.id for job in cloud.deleted} == {first, second}


async def test_a_clear_sends_exactly_the_expected_body(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    async with open_client() as client:
        await client.clear_history()
    (request,) = cloud.requests
    assert (request.method, request.path, request.query) == ("POST", "/api/history", {})
    assert request.body == b'{"clear":true}'
    assert request.headers["Content-Type"] == "application/json"
    assert not cloud.finished
    assert cloud.forbidden_calls == 0


async def test_a_read_request_has_no_body_and_no_content_type(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    async with open_client() as client:
        assert await client.get_user() == "active"
    (request,) = cloud.requests
    assert (request.method, request.path, request.query, request.body) == ("GET", "/api/user", {}, b"")
    assert dict(request.headers) == {
        "Host": cloud.base_url.removeprefix("http://"),
        "X-API-Key": cloud.api_key,
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": f"comfy-cloud-history/{__version__}",
    }


async def test_a_page_of_jobs_is_requested_as_documented_and_read_row_by_row(
    cloud: SimulatedCloud, open_client: OpenClient
) -> None:
    async with open_client() as client:
        page = await client.list_jobs(JobFilter(FINISHED).query(), EVERY_JOB, limit=7, offset=3)
    assert cloud.requests[0].query == {"status": "completed,failed,cancelled", "limit": "7", "offset": "3"}
    newest_first = sorted(cloud.finished, key=lambda job: (job.create_time, job.id), reverse=True)
    assert page.job_ids == [job.id for job in newest_first[3:10]]
    assert [job.status.value for job in page.kept.values()] == [job.status for job in newest_first[3:10]]
    assert (page.received, page.total, page.has_more) == (7, len(cloud.finished), True)


async def test_the_server_receives_a_cursor_unchanged(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    cloud.switches.cursor = True
    async with open_client() as client:
        first = await client.list_jobs(COMPLETED, EVERY_JOB, limit=5)
        second = await client.list_jobs(COMPLETED, EVERY_JOB, limit=5, after=first.next_cursor)
        odd = "a&clear=1/#%2F é"
        cloud.faults.append(Fault(LIST, "status", status=200, json={"jobs": []}))
        await client.list_jobs(JobFilter(ACTIVE).query(), EVERY_JOB, limit=5, after=odd)
    assert first.next_cursor
    assert len({*first.job_ids, *second.job_ids}) == 10
    assert cloud.requests[-1].query == {"status": ACTIVE_QUERY, "limit": "5", "after": odd}
    assert cloud.requests[-1].path == "/api/jobs"


async def test_the_path_of_the_base_url_is_kept(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    async with open_client(cloud.base_url + "/behind/") as client:
        with pytest.raises(CloudResponseError):
            await client.get_user()
    assert cloud.requests[0].path == "/behind/api/user"


async def test_cookies_are_not_stored(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    cookie = {"Set-Cookie": "session=abc; Path=/"}
    cloud.faults.append(Fault(USER, "status", status=200, headers=cookie, json={"status": "active"}))
    async with open_client() as client:
        await client.get_user()
        await client.get_user()
    assert all("Cookie" not in request.headers for request in cloud.requests)


def not_accepting() -> tuple[socket.socket, list[socket.socket]]:
    """A listener with a full queue, so that connecting to it hangs."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    return listener, fillers


async def test_a_connection_timeout_means_that_nothing_was_sent(open_client: OpenClient) -> None:
    listener, fillers = not_accepting()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with open_client(address, timeouts=Timeouts(connect=0.05, request=5.0)) as client:
        with pytest.raises(CloudTimeoutError) as caught:
            await client.clear_history()
    assert caught.value.sent is False
    assert address.removeprefix("http://") in caught.value.message
    for each in (listener, *fillers):
        each.close()


async def test_a_server_without_tls_means_that_nothing_was_sent(
    cloud: SimulatedCloud, open_client: OpenClient, waits: list[float]
) -> None:
    async with open_client(cloud.base_url.replace("http:", "https:")) as client:
        with pytest.raises(CloudConnectionError) as caught:
            await client.clear_history()
    assert caught.value.sent is False
    assert (cloud.requests, len(waits)) == ([], 3)


async def test_cancelling_a_task_cancels_its_request(cloud: SimulatedCloud, open_client: OpenClient) -> None:
    cloud.faults.append(Fault(POST, "slow", seconds=60, times=None))
    async with open_client() as client:
        task = asyncio.create_task(client.clear_history())
        while not cloud.requests:  # noqa: ASYNC110 - the server's books ring no bell
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert len(cloud.requests) == 1


def test_clients_work_on_two_event_loops_at_once(caplog: pytest.LogCaptureFixture, open_client: Any) -> None:
    # This test is synchronous because the two event loops run in two threads, as in ComfyUI.
    cloud = SimulatedCloud(jobs=5)
    answers: list[str] = []

    async def work(url: str) -> None:
        async with open_client(url, key=cloud.api_key) as client:
            answers.append(await client.get_user())

    with cloud.serving_in_thread() as url, caplog.at_level(logging.DEBUG, "cloud_history"):
        threads = [threading.Thread(target=asyncio.run, args=(work(url),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == ["active", "active"]


# Certificates


OPENSSL = shutil.which("openssl") or ""


@pytest.fixture
async def untrusted(tmp_path: Path) -> AsyncIterator[str]:
    """A server with a self-signed certificate."""
    if not OPENSSL:
        pytest.skip("openssl is not installed, so there is no certificate to be made")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    command = [OPENSSL, *made, "-keyout", str(key), "-out", str(cert)]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
    runner = web.AppRunner(web.Application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_the_error_for_an_untrusted_certificate_names_the_variable_to_set(
    untrusted: str, open_client: OpenClient
) -> None:
    async with open_client(untrusted) as client:
        with pytest.raises(UntrustedCertificate) as caught:
            await client.clear_history()
    assert caught.value.sent is False
    assert "The certificate of 127.0.0.1" in caught.value.message
    assert "SSL_CERT_FILE" in caught.value.hint
    assert "internet connection" not in caught.value.hint
