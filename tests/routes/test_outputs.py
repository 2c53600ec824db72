"""Outputs in full size: only of files the job owns, streamed, never run by the browser, never with the key."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest
from aiohttp import web

from cloud_history.cloud.protocol import MAX_FILE_BYTES
from cloud_history.routes.outputs import MAX_OUTPUT_BYTES
from simulated_cloud import Fault
from simulated_cloud.jobs import SimulatedJob
from support.route_stage import JOB, Answer, Stage

STORE = ("GET", "/comfy-outputs/")
VIEW = ("GET", "/api/view")
PNG = b"\x89PNG\r\n\x1a\n"


def path_of(job_id: str, file: str, more: str = "") -> str:
    return f"jobs/{job_id}/output?file={quote(file, safe='')}{more}"


async def output(stage: Stage, job: SimulatedJob, file: str = "", more: str = "") -> Answer:
    return await stage.ask("output", path=path_of(job.id, file or job.files[0], more))


def job_with(stage: Stage, *files: str) -> SimulatedJob:
    return stage.cloud.add_job("completed", files=files, media="images")


@asynccontextmanager
async def own_storage(stage: Stage, answer: Callable[[web.Request], object]) -> AsyncIterator[None]:
    """Redirect every file to a storage of this test."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = await answer(request)  # type: ignore[misc]
        assert isinstance(response, web.StreamResponse)
        return response

    app = web.Application()
    app.router.add_get("/file", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    location = f"http://127.0.0.1:{runner.addresses[0][1]}/file"
    stage.cloud.faults.append(Fault(VIEW, "redirect", location=location, times=None))
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("a.png", "image/png"),
        ("a.mp4", "video/mp4"),
        ("a.webm", "video/webm"),
        ("a.mp3", "audio/mpeg"),
        ("a.wav", "audio/wav"),
        ("a.glb", "model/gltf-binary"),
        ("a.txt", "text/plain; charset=utf-8"),
        ("a.svg", "text/plain; charset=utf-8"),
        ("a.html", "text/plain; charset=utf-8"),
    ],
)
async def test_each_kind_of_output_is_served_with_a_type_that_runs_nothing(stage: Stage, file: str, kind: str) -> None:
    answer = await output(stage, job_with(stage, file))
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["content-disposition"] == "attachment"
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["content-length"]) == len(answer.content) > 0


@pytest.mark.parametrize(
    "content",
    [
        b"<!doctype html><script>alert(1)</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"%PDF-1.7",
        b"\x89PN",
        b"RIFF\x00\x00\x00\x00AVI ",
        b"\x00\x00\x00\x18ftypheic",
        b"",
    ],
)
async def test_a_file_that_is_not_what_its_name_says_is_bytes_without_a_meaning(stage: Stage, content: bytes) -> None:
    fault = Fault(STORE, "status", status=200, body=content, headers={"Content-Type": "text/html"}, times=None)
    stage.cloud.faults.append(fault)
    answer = await output(stage, job_with(stage, "a.png"))
    assert (answer.status, answer.headers["content-type"]) == (200, "application/octet-stream")
    assert answer.content == content


async def test_the_storage_never_sees_the_key(stage: Stage) -> None:
    assert (await output(stage, job_with(stage, "a.png"))).status == 200
    (asked,) = stage.cloud.storage_requests
    assert stage.cloud.api_key not in f"{asked.path}{asked.query}{dict(asked.headers)}"
    assert not {"x-api-key", "authorization", "cookie", "referer"} & {name.lower() for name in asked.headers}


async def test_a_file_of_another_job_is_not_served(stage: Stage) -> None:
    mine, other = job_with(stage, "mine.png"), job_with(stage, "other.png")
    for file in (*other.files, "../secret.png", "/etc/passwd", "mine.png?type=input", "\x00"):
        answer = await output(stage, mine, file)
        assert (answer.status, answer.code) == (404, "not_found")
    assert stage.cloud.requests_to(*VIEW) == []


async def test_the_thumbnails_of_outputs_of_one_name_are_told_apart_too(stage: Stage) -> None:
    job = job_with(stage, "same.png")
    rows = [{"filename": "same.png", "subfolder": folder, "type": "output"} for folder in ("", "b")]
    job.overrides["outputs"] = {"9": {"images": rows}}
    for number, folder in enumerate(("", "b")):
        answer = await stage.ask("thumbnail", path=f"thumbnail?job={job.id}&file=same.png&number={number}")
        assert answer.status == 200
        assert stage.cloud.requests_to(*VIEW)[-1].query["subfolder"] == folder


async def test_an_output_needs_no_request_for_the_job_after_its_details_were_read(stage: Stage) -> None:
    job = job_with(stage, "a.png", "b.png")
    await stage.ask("details", path=f"jobs/{job.id}")
    stage.cloud.requests.clear()
    for number, file in enumerate(job.files):
        assert (await output(stage, job, file, f"&number={number}")).status == 200
        assert (await output(stage, job, file)).status == 200
    assert {request.path for request in stage.cloud.requests} == {"/api/view"}
    assert (await output(stage, job, "a.png", "&number=1")).status == 404


async def test_details_read_with_one_key_are_not_used_under_another_key(stage: Stage) -> None:
    job = job_with(stage, "a.png")
    await stage.ask("details", path=f"jobs/{job.id}")
    environ = stage.operations._environ
    assert isinstance(environ, dict)
    environ["COMFY_CLOUD_API_KEY"] = stage.cloud.api_key = "comfyui-the-key-of-another-account-1234"
    job.delete(0.0)
    assert (await output(stage, job)).status == 404
    assert stage.cloud.storage_requests == []


async def test_the_number_tells_outputs_of_one_name_apart(stage: Stage) -> None:
    job = job_with(stage, "same.png")
    rows = [{"filename": "same.png", "subfolder": folder, "type": "output"} for folder in ("", "b")]
    job.overrides["outputs"] = {"9": {"images": rows}}
    for number, folder in enumerate(("", "b")):
        await output(stage, job, more=f"&number={number}")
        assert stage.cloud.requests_to(*VIEW)[-1].query["subfolder"] == folder
    assert (await output(stage, job, more="&number=2")).status == 404


@pytest.mark.parametrize(
    "more", ["&number=-1", "&number=x", "&number=501", "&number=%C2%B2", "&number=", "&most=67108865"]
)
async def test_a_number_out_of_range_is_refused(stage: Stage, more: str) -> None:
    answer = await output(stage, job_with(stage, "a.png"), more=more)
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert stage.cloud.requests == []


@pytest.mark.parametrize("path", [f"jobs/{JOB}/output", f"jobs/{JOB}/output?file=", "jobs/x/output?file=a.png"])
async def test_without_a_proper_job_and_file_nothing_is_asked_for(stage: Stage, path: str) -> None:
    answer = await stage.ask("output", path=path)
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert stage.cloud.requests == []


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault(STORE, "status", status=404), 404, "not_found"),
        (Fault(STORE, "status", status=500), 502, "not_comfy_cloud"),
        (Fault(STORE, "redirect", location="http://127.0.0.1:9/x"), 502, "not_comfy_cloud"),
        (Fault(STORE, "reset_before_body", times=None), 503, "unreachable"),
        (Fault(VIEW, "status", status=404), 404, "not_found"),
        (Fault(VIEW, "redirect", location="http://169.254.169.254/latest"), 502, "not_comfy_cloud"),
        (Fault(VIEW, "redirect", location="/api/user"), 502, "not_comfy_cloud"),
        (Fault(("GET", "/api/jobs/"), "status", status=404), 404, "not_found"),
    ],
    ids=lambda value: str(value)[:70],
)
async def test_a_file_that_cannot_be_sent_is_an_error_in_json(
    stage: Stage, fault: Fault, status: int, code: str
) -> None:
    fault.fired = fault.seen = 0
    stage.cloud.faults.append(fault)
    answer = await output(stage, job_with(stage, "a.png"))
    assert (answer.status, answer.code) == (status, code)
    assert "X-Goog" not in answer.text


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 502)])
async def test_a_file_of_64_megabytes_is_sent_and_one_byte_more_is_not(stage: Stage, more: int, status: int) -> None:
    job = job_with(stage, "a.png")
    stage.cloud.account.contents["a.png"] = PNG.ljust(MAX_OUTPUT_BYTES + more, b"x")
    answer = await output(stage, job)
    assert answer.status == status
    if more:
        assert "larger than 64 MB" in answer.json["error"]["message"]
    else:
        assert len(answer.content) == MAX_OUTPUT_BYTES


async def test_a_file_of_unknown_size_breaks_off_where_it_becomes_too_large(stage: Stage) -> None:
    job = job_with(stage, "a.png")
    stage.cloud.faults.append(Fault(STORE, "huge", mebibytes=2, times=None))
    assert (await output(stage, job)).status == 200
    reader, writer = await begin(stage, job, "&most=1000000")
    assert not await ends_as_a_whole_answer(reader)
    writer.close()


async def test_the_browser_can_ask_for_at_most_so_many_bytes(stage: Stage) -> None:
    job = job_with(stage, "a.mp4")
    stage.cloud.account.contents["a.mp4"] = bytes(1000)
    assert (await output(stage, job, more="&most=1000")).status == 200
    assert (await output(stage, job, more="&most=999")).code == "file_too_large"


async def test_a_file_that_the_service_sends_itself_is_passed_on(stage: Stage) -> None:
    body = PNG.ljust(MAX_FILE_BYTES, b"x")
    stage.cloud.faults.append(Fault(VIEW, "status", status=200, body=body, times=None))
    answer = await output(stage, job_with(stage, "a.png"))
    assert (answer.status, answer.headers["content-type"], len(answer.content)) == (200, "image/png", MAX_FILE_BYTES)
    stage.cloud.faults[0].body = body + b"x"
    answer = await output(stage, job_with(stage, "b.png"))
    assert (answer.status, answer.code) == (502, "file_too_large")
    assert "larger than 20 MB" in answer.json["error"]["message"]


async def test_the_first_part_reaches_the_browser_before_the_storage_has_sent_the_last(stage: Stage) -> None:
    go_on = asyncio.Event()

    async def in_two_parts(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(PNG + b"x" * 100)
        await go_on.wait()
        await response.write(b"the rest")
        return response

    async with own_storage(stage, in_two_parts):
        reader, writer = await begin(stage, job_with(stage, "a.png"))
        await asyncio.wait_for(reader.readuntil(PNG), 10)
        go_on.set()
        await asyncio.wait_for(reader.readuntil(b"the rest"), 10)
        writer.close()


async def test_a_file_that_breaks_off_never_looks_complete(stage: Stage) -> None:
    async def breaks_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(PNG + b"x" * 1000)
        assert request.transport is not None
        request.transport.close()
        return response

    async with own_storage(stage, breaks_off):
        reader, writer = await begin(stage, job_with(stage, "a.png"))
        assert not await ends_as_a_whole_answer(reader)
        writer.close()


async def test_the_download_ends_when_the_browser_leaves_and_nothing_is_logged(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    left = asyncio.Event()

    async def never_ends(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(PNG + b"x" * 100)
        while request.transport is not None:  # noqa: ASYNC110 - its end rings no bell
            await asyncio.sleep(0.01)
        left.set()
        return response

    async with own_storage(stage, never_ends):
        reader, writer = await begin(stage, job_with(stage, "a.png"))
        await asyncio.wait_for(reader.readuntil(PNG), 10)
        writer.close()
        await asyncio.wait_for(left.wait(), 10)
    assert caplog.records == []


async def begin(stage: Stage, job: SimulatedJob, more: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send the request of the pack's own page, and leave the answer to the test."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    path = path_of(job.id, job.files[0], more)
    writer.write(f"GET /cloud_history/{path} HTTP/1.1\r\nHost: {stage.own}\r\nX-Cloud-History: 1\r\n\r\n".encode())
    return reader, writer


async def ends_as_a_whole_answer(reader: asyncio.StreamReader) -> bool:
    """Read an answer of unknown length to its end, and return whether its last piece says that it is the last."""
    end = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := await asyncio.wait_for(reader.read(65536), 10):
            end = (end + piece)[-16:]
    return end.endswith(b"\r\n0\r\n\r\n")
