"""Only real pictures of the job's own files are served, and the key is never sent to the storage."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from cloud_history.cloud import bodies
from cloud_history.cloud.protocol import MAX_FILE_BYTES
from cloud_history.routes.thumbnails import MAX_CACHE_BYTES, MAX_CONCURRENT_REQUESTS
from simulated_cloud import Fault
from simulated_cloud.jobs import SimulatedJob
from simulated_cloud.storage import signed_url
from support.route_stage import JOB, Answer, Gate, Stage

STORE = ("GET", "/comfy-outputs/")
VIEW = ("GET", "/api/view")
PNG = b"\x89PNG\r\n\x1a\n"


async def thumbnail(stage: Stage, job_id: str, file: str) -> Answer:
    return await stage.ask("thumbnail", path=f"thumbnail?job={quote(job_id)}&file={quote(file, safe='')}")


def picture_job(stage: Stage, at: int = 0) -> SimulatedJob:
    return [job for job in stage.cloud.listed("completed") if job.files and job.media == "images"][at]


async def test_a_picture_of_a_job_is_served_with_its_true_type(stage: Stage) -> None:
    job = picture_job(stage)
    answer = await thumbnail(stage, job.id.upper(), job.files[0])
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content.startswith(PNG)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, max-age=3600"


async def test_the_storage_is_asked_once_and_never_sees_the_key(stage: Stage) -> None:
    job = picture_job(stage)
    for _ in range(3):
        assert (await thumbnail(stage, job.id, job.files[0])).status == 200
    (asked,) = stage.cloud.storage_requests
    sent = f"{asked.path}{asked.query}{dict(asked.headers)}"
    assert stage.cloud.api_key not in sent
    assert not {"x-api-key", "authorization", "cookie", "referer"} & {name.lower() for name in asked.headers}
    assert "br" not in asked.headers["Accept-Encoding"]


async def test_a_picture_needs_no_request_for_the_job_after_it_was_listed(stage: Stage) -> None:
    await stage.ask("jobs", {})
    stage.cloud.requests.clear()
    job = picture_job(stage)
    assert (await thumbnail(stage, job.id, job.files[0])).status == 200
    assert [request.path for request in stage.cloud.requests] == ["/api/view"]


async def test_a_list_read_with_one_key_is_not_used_under_another_key(stage: Stage) -> None:
    await stage.ask("jobs", {})
    environ = stage.operations._environ
    assert isinstance(environ, dict)
    environ["COMFY_CLOUD_API_KEY"] = stage.cloud.api_key = "comfyui-the-key-of-another-account-1234"
    job = picture_job(stage)
    job.delete(0.0)
    assert (await thumbnail(stage, job.id, job.files[0])).status == 404
    assert stage.cloud.storage_requests == []


async def test_a_file_of_another_job_is_not_served(stage: Stage) -> None:
    mine, other = picture_job(stage), picture_job(stage, 1)
    answer = await thumbnail(stage, mine.id, other.files[0])
    assert (answer.status, answer.code) == (404, "not_found")
    assert stage.cloud.requests_to(*VIEW) == []


@pytest.mark.parametrize(
    "file",
    ["../secret.png", "/etc/passwd", "..\\x", "\x00", "x.png?type=input", "x.png&type=input", "é", "%2e%2e"],
)
async def test_a_manipulated_file_name_is_refused(stage: Stage, file: str) -> None:
    answer = await thumbnail(stage, picture_job(stage).id, file)
    assert (answer.status, answer.code) == (404, "not_found")
    assert stage.cloud.requests_to(*VIEW) == []


async def test_an_unusual_file_name_is_sent_as_one_escaped_name(stage: Stage) -> None:
    odd = "a b&type=input#?..%2f/é.png"
    job = stage.cloud.add_job("completed", files=(odd,), media="images")
    assert (await thumbnail(stage, job.id, odd)).status == 200
    (asked,) = stage.cloud.requests_to(*VIEW)
    assert asked.query == {"filename": odd, "subfolder": "", "type": "output"}


@pytest.mark.parametrize("job", ["", "x", "..", "../user", f"{JOB}/..", f"{JOB}\x00", f"{{{JOB}}}", f"{JOB}\n"])
async def test_an_invalid_job_id_is_never_requested(stage: Stage, job: str) -> None:
    answer = await thumbnail(stage, job, "x.png")
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert stage.cloud.requests == []


@pytest.mark.parametrize("query", ["", f"job={JOB}", f"job={JOB}&file=", f"job={JOB}&file=" + "x" * 1001])
async def test_an_invalid_file_name_is_refused_without_a_request(stage: Stage, query: str) -> None:
    answer = await stage.ask("thumbnail", path=f"thumbnail?{query}")
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert stage.cloud.requests == []


NO_PICTURES = [
    *(b"", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"<?xml version='1.0'?><svg/>"),
    *(
        b"<!doctype html><script>alert(1)</script>",
        b"\x89PN",
        b"\x89PNG\r\n",
        b"\xff\xd8",
        b"GIF8",
        b"GIF88a",
    ),
    *(
        b"RIFF\x00\x00\x00\x00WAVE",
        b"RIFF\x00\x00\x00\x00",
        b"%PDF-1.7",
        b" " + PNG,
        b"BM",
        b"\x00\x00\x01\x00",
    ),
    b"\x00\x00\x00\x18ftypisom",
]


@pytest.mark.parametrize("content", NO_PICTURES)
@pytest.mark.parametrize("where", [STORE, VIEW])
async def test_anything_but_a_picture_is_refused_whatever_its_declared_type(
    stage: Stage, content: bytes, where: tuple[str, str]
) -> None:
    job = picture_job(stage)
    fault = Fault(where, "status", status=200, body=content, headers={"Content-Type": "image/png"}, times=None)
    stage.cloud.faults.append(fault)
    answer = await thumbnail(stage, job.id, job.files[0])
    assert answer.status == 502
    assert answer.code in ("unreadable_answer", "not_comfy_cloud")
    assert answer.headers["content-type"].startswith("application/json")
    assert b"alert" not in answer.content


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"GIF89a", "gif"),
        (b"GIF87a<script>", "gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
    ],
)
async def test_a_pictures_type_is_read_from_its_own_bytes(stage: Stage, content: bytes, kind: str) -> None:
    job = picture_job(stage)
    fault = Fault(STORE, "status", status=200, body=content, headers={"Content-Type": "text/plain"})
    stage.cloud.faults.append(fault)
    answer = await thumbnail(stage, job.id, job.files[0])
    assert (answer.status, answer.headers["content-type"], answer.content) == (200, f"image/{kind}", content)


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault(STORE, "status", status=403), 404, "not_found"),
        (Fault(STORE, "status", status=404), 404, "not_found"),
        (Fault(STORE, "status", status=500), 502, "not_comfy_cloud"),
        (Fault(STORE, "redirect", location="http://127.0.0.1:9/x"), 502, "not_comfy_cloud"),
        (Fault(STORE, "truncated", times=None), 503, "unreachable"),
        (Fault(STORE, "reset_before_body", times=None), 503, "unreachable"),
        (Fault(STORE, "huge", mebibytes=21), 502, "file_too_large"),
        (Fault(VIEW, "huge", mebibytes=21), 502, "file_too_large"),
        (Fault(VIEW, "status", status=404), 404, "not_found"),
        (Fault(VIEW, "redirect", location="http://169.254.169.254/latest"), 502, "not_comfy_cloud"),
        (Fault(VIEW, "redirect", location="/api/user"), 502, "not_comfy_cloud"),
        (Fault(VIEW, "redirect", location="file:///etc/passwd"), 502, "not_comfy_cloud"),
        (Fault(VIEW, "redirect", location=""), 502, "not_comfy_cloud"),
    ],
    ids=lambda value: str(value)[:70],
)
async def test_errors_are_answered_in_json_and_not_cached(stage: Stage, fault: Fault, status: int, code: str) -> None:
    job = picture_job(stage)
    fault.fired = fault.seen = 0
    stage.cloud.faults.append(fault)
    answer = await thumbnail(stage, job.id, job.files[0])
    assert (answer.status, answer.code) == (status, code)
    assert "X-Goog" not in answer.text
    stage.cloud.faults.clear()
    assert (await thumbnail(stage, job.id, job.files[0])).status == 200


async def test_at_most_six_pictures_are_fetched_at_once(stage: Stage, gate: Gate) -> None:
    await stage.ask("jobs", {})
    jobs = [picture_job(stage, at) for at in range(12)]
    gate.close()
    stage.cloud.requests.clear()
    asking = [asyncio.ensure_future(thumbnail(stage, job.id, job.files[0])) for job in jobs]
    await stage.until(lambda: len(stage.cloud.requests_to(*VIEW)) >= MAX_CONCURRENT_REQUESTS)
    await asyncio.sleep(0.1)
    assert len(stage.cloud.requests_to(*VIEW)) == MAX_CONCURRENT_REQUESTS == 6
    gate.open()
    assert {answer.status for answer in await asyncio.gather(*asking)} == {200}


async def test_the_picture_cache_stays_below_64_megabytes_and_drops_the_least_used_first(
    stage: Stage,
) -> None:
    assert MAX_CACHE_BYTES == 64 * 1024 * 1024
    body = PNG + b"x" * (19 * 1024 * 1024)
    stage.cloud.faults.append(Fault(STORE, "status", status=200, body=body, times=None))
    jobs = [picture_job(stage, at) for at in range(4)]

    async def fetch(at: int) -> int:
        before = len(stage.cloud.storage_requests)
        assert (await thumbnail(stage, jobs[at].id, jobs[at].files[0])).status == 200
        return len(stage.cloud.storage_requests) - before

    assert [await fetch(at) for at in (0, 1, 2)] == [1, 1, 1]
    assert await fetch(0) == 0  # still cached, and now the most recently used
    assert await fetch(3) == 1  # a fourth picture would make 76 MB
    assert [await fetch(at) for at in (0, 2, 3)] == [0, 0, 0]
    assert await fetch(1) == 1


@pytest.mark.parametrize("where", [STORE, VIEW])
@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 502)])
async def test_a_picture_of_20_megabytes_is_served_and_one_byte_more_is_not(
    stage: Stage, where: tuple[str, str], more: int, status: int
) -> None:
    job = picture_job(stage)
    body = PNG.ljust(20 * 1024 * 1024 + more, b"x")
    stage.cloud.faults.append(Fault(where, "status", status=200, body=body, times=None))
    assert (await thumbnail(stage, job.id, job.files[0])).status == status


@pytest.mark.parametrize("encoding", ["aws-chunked", "identity", "UTF-8", "binary", "aws-chunked, gzip", "AWS-Chunked"])
async def test_a_picture_with_an_unknown_content_encoding_is_served(stage: Stage, encoding: str) -> None:
    job = picture_job(stage)
    picture = PNG + b"\x00" * 100
    body = gzip.compress(picture) if "gzip" in encoding else picture
    headers = {"Content-Encoding": encoding, "Content-Type": "image/png"}
    stage.cloud.faults.append(Fault(STORE, "status", times=None, status=200, headers=headers, body=body))
    answer = await thumbnail(stage, job.id, job.files[0])
    assert (answer.status, answer.content) == (200, picture)


async def test_a_compression_bomb_is_refused_without_being_decompressed_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    real = bodies._inflated

    def watched(member: object, chunk: bytes) -> Iterator[bytes]:
        for piece in real(member, chunk):
            sizes.append(len(piece))
            yield piece

    monkeypatch.setattr(bodies, "_inflated", watched)
    job = picture_job(stage)
    bomb = gzip.compress(PNG + b"\x00" * (200 * 1024 * 1024), 9)
    headers = {"Content-Encoding": "gzip", "Content-Type": "image/png"}
    stage.cloud.faults.append(Fault(STORE, "status", times=None, status=200, headers=headers, body=bomb))
    assert (await thumbnail(stage, job.id, job.files[0])).status == 502
    assert max(sizes) <= 1024 * 1024
    assert sum(sizes) <= MAX_FILE_BYTES + bodies.STEP


async def test_a_signed_address_of_9_kilobytes_is_followed_and_a_header_of_70_is_an_error(
    stage: Stage,
) -> None:
    job = picture_job(stage)
    location = f"{signed_url(stage.cloud, job.files[0])}&X-Goog-SignedHeaders={'x' * 9000}"
    long = {"Location": location, "X-Policy": "y" * 9000}
    stage.cloud.faults.append(Fault(VIEW, "status", times=1, status=302, headers=long))
    assert (await thumbnail(stage, job.id, job.files[0])).status == 200
    huge = {"X-Policy": "y" * 70_000}
    stage.cloud.faults.append(Fault(VIEW, "status", times=None, status=302, headers=huge))
    other = picture_job(stage, 1)
    answer = await thumbnail(stage, other.id, other.files[0])
    assert answer.status == 503
    assert "its headers are larger than 64 kB" in answer.json["error"]["message"]
