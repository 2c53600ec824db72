"""Videos and sounds at an address with a ticket: bound to one file, short-lived, in ranges, never with the key."""

from __future__ import annotations

import pytest

from cloud_history.errors import OperationRefused
from cloud_history.routes.media import MAX_TICKETS, TICKET_SECONDS, Media, MediaTickets, read_range
from simulated_cloud import Fault
from simulated_cloud.jobs import SimulatedJob
from simulated_cloud.media import video_of
from support.clocks import Timer
from support.route_stage import OTHER_KEY, Answer, Stage

STORE = ("GET", "/comfy-outputs/")
CLIP = video_of("a.mp4")


async def opened(stage: Stage, job: SimulatedJob, **more: object) -> Answer:
    return await stage.ask("open_media", {"job": job.id, "file": job.files[0], **more})


async def clip(stage: Stage) -> Answer:
    """Open a video, and let later requests of the stage use its ticket."""
    answer = await opened(stage, stage.cloud.add_job("completed", files=("a.mp4",), media="gifs"))
    stage.ticket = answer.json["ticket"]
    return answer


async def part(stage: Stage, wanted: str | None = None) -> Answer:
    """Ask as a video element does: without our header."""
    return await stage.ask("media", headers={"X-Cloud-History": None, "Range": wanted, "Sec-Fetch-Site": "same-origin"})


async def test_a_video_gets_an_address_that_needs_no_header_and_runs_nothing(stage: Stage) -> None:
    assert (await clip(stage)).json == {"type": "video/mp4", "size": len(CLIP), "ticket": stage.ticket}
    answer = await part(stage)
    assert (answer.status, answer.content) == (200, CLIP)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-disposition"] == "inline"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["accept-ranges"] == "bytes"


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("bytes=0-", 0, None),
        ("bytes=0-0", 0, 0),
        ("bytes=10-19", 10, 19),
        ("bytes=20-", 20, None),
        ("bytes=-7", -7, None),
    ],
)
@pytest.mark.parametrize("storage_knows_ranges", [True, False])
async def test_a_seek_downloads_only_the_rest(
    stage: Stage, wanted: str, first: int, last: int | None, storage_knows_ranges: bool
) -> None:
    await clip(stage)
    if not storage_knows_ranges:
        stage.cloud.faults.append(Fault(STORE, "status", status=200, body=CLIP, times=None))
    answer = await part(stage, wanted)
    content = CLIP[first : None if last is None else last + 1]
    start = first % len(CLIP)
    assert (answer.status, answer.content) == (206, content)
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(content) - 1}/{len(CLIP)}"
    assert answer.headers["content-length"] == str(len(content))
    asked = stage.cloud.storage_requests[-1]
    assert asked.headers["Range"] == f"bytes={start}-{start + len(content) - 1}"
    assert stage.cloud.api_key not in f"{asked.path}{asked.query}{dict(asked.headers)}"


async def test_a_range_behind_the_end_is_refused_without_a_request(stage: Stage) -> None:
    await clip(stage)
    before = len(stage.cloud.storage_requests)
    answer = await part(stage, f"bytes={len(CLIP)}-")
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{len(CLIP)}")
    assert len(stage.cloud.storage_requests) == before


@pytest.mark.parametrize("wanted", ["", "bytes=", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "items=0-1", "bytes=a-b"])
def test_a_range_of_another_form_means_the_whole_file(wanted: str) -> None:
    assert read_range(wanted, 10) is None


async def test_another_range_than_the_wanted_one_is_not_passed_on(stage: Stage) -> None:
    await clip(stage)
    headers = {"Content-Range": f"bytes 0-4/{len(CLIP)}"}
    stage.cloud.faults.append(Fault(STORE, "status", status=206, body=CLIP[:5], headers=headers, times=None))
    assert (await part(stage, "bytes=10-14")).status == 502


async def test_an_unknown_ticket_gives_a_constant_message(stage: Stage) -> None:
    answers = [await stage.ask("media", path=f"media/{ticket}") for ticket in ("x", "A" * 43, "..%2Fstatus")]
    assert {(answer.status, answer.code) for answer in answers} == {(410, "ticket_expired")}
    assert len({answer.text for answer in answers}) == 1


async def test_a_ticket_is_refused_from_another_site_and_after_the_key_changed(stage: Stage) -> None:
    await clip(stage)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}, {"Host": "evil.example"}):
        assert (await stage.ask("media", headers={"X-Cloud-History": None, **headers})).status == 403
    stage.operations.keys._environ["COMFY_CLOUD_API_KEY"] = OTHER_KEY  # type: ignore[index]
    assert (await part(stage)).status == 410


async def test_only_what_a_browser_may_show_gets_a_ticket(stage: Stage) -> None:
    fault = Fault(STORE, "status", status=200, body=b"<!doctype html><script>alert(1)</script>", times=None)
    job = stage.cloud.add_job("completed", files=("a.mp4",), media="gifs")
    stage.cloud.faults.append(fault)
    assert (await opened(stage, job)).json == {"type": "application/octet-stream", "size": 40, "ticket": None}


async def test_a_file_that_is_too_large_or_of_another_job_gets_no_ticket(stage: Stage) -> None:
    job, other = (stage.cloud.add_job("completed", files=(name,), media="gifs") for name in ("a.mp4", "b.mp4"))
    assert (await opened(stage, job, most=10)).code == "file_too_large"
    assert (await opened(stage, job, most=2**40)).status == 400
    assert (await opened(stage, job, number=-1)).status == 400
    assert (await stage.ask("open_media", {"job": job.id, "file": other.files[0]})).status == 404


def test_a_ticket_ends_when_it_is_not_used_and_only_the_newest_are_kept() -> None:
    clock = Timer()
    tickets = MediaTickets(clock)
    connection, other = object(), object()
    media = Media(connection, None, "video/mp4", 1, 1)  # type: ignore[arg-type]
    used = tickets.issue(media)
    clock.now += TICKET_SECONDS
    assert tickets.find(used, connection) is media  # type: ignore[arg-type]
    clock.now += TICKET_SECONDS + 1
    with pytest.raises(OperationRefused):
        tickets.find(used, connection)  # type: ignore[arg-type]
    first, *rest = [tickets.issue(media) for _ in range(MAX_TICKETS + 1)]
    for ticket, theirs in ((first, connection), (rest[0], other)):
        with pytest.raises(OperationRefused):
            tickets.find(ticket, theirs)  # type: ignore[arg-type]
    assert tickets.find(rest[-1], connection) is media  # type: ignore[arg-type]
