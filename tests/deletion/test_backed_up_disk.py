"""Deletions with backup and audit log when the disk fails at each step."""

from __future__ import annotations

import errno

import pytest

from cloud_history.errors import ProtectionDamaged, SettingsDamaged, StateUnwritable
from cloud_history.jobs.redact import clean_detail
from cloud_history.state.protection import ProtectionFile
from support.deletion_stage import OLD_LINE, OLDER, Stage
from support.faulty_disk import REFUSABLE, FaultyDisk, in_place
from support.small_disk import file_size_limited_to

CLOUD_JOBS = 60
DRAFT, NOTE, MARKER = "backups/.*.zip.*", "running/.*.json.*", ".state_folder.json.*"
NOT_RECORDED = [
    *[("open", "state_folder.json", 2), ("write", NOTE, 1)],
    *[("open", "sending.lock", 1), ("open", "sending.gate", 1), ("write", "sending.lock", 1)],
    *[("mkdir", "running", 1), ("open", NOTE, 1), ("fsync", NOTE, 1), ("rename", "running/*.json", 1)],
    *[("open", "deletions.gate", 1), ("open", "deletions.jsonl", 1)],
    *[("write", "deletions.jsonl", 1), ("fsync", "deletions.jsonl", 1)],
]
"""Disk calls whose failure prevents the operation from being recorded, so no request is sent."""
NOT_BACKED_UP = [
    *[("mkdir", "backups", 1), ("open", "backups/.gate", 1), ("open", DRAFT, 1), ("open", DRAFT, 2)],
    ("write", DRAFT, 1),
    *[("fsync", DRAFT, 1), ("open", "backups/.gate", 2), ("rename", "backups/*.zip", 1)],
]
"""Disk calls whose failure prevents the backup, so no delete request is sent."""
NOT_LOGGED = [
    *[("open", "deletions.gate", 2), ("open", "deletions.jsonl", 2)],
    *[("write", "deletions.jsonl", 2), ("fsync", "deletions.jsonl", 2)],
]
"""Disk calls after the deletion, whose failure prevents the outcome from being logged."""
HARMLESS = [
    *[("open", "running", 1), ("fsync", "running", 1), ("open", ".", 1), ("fsync", ".", 1)],
    *[("open", "backups", 1), ("fsync", "backups", 1), ("open", "backups/.gate", 3)],
    *[("open", "settings.json", 1), ("open", "state_folder.json", 1)],
    *[("open", "settings.json", 3), ("open", "backups/*.zip", 1)],
    *[("open", "state_folder.gate", 1), ("open", MARKER, 1), ("write", MARKER, 1), ("fsync", MARKER, 1)],
    ("rename", "state_folder.json", 1),
]
ELSEWHERE = [("open", "protected.json"), ("remove", "running/*.json")]
"""Disk calls that separate tests cover."""
Step = tuple[str, str, int]


def named(steps: list[Step]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("step", steps, ids=lambda step: " ".join(map(str, step)))


async def delete_on(stage: Stage, step: Step, *, stays: bool = False, number: int = errno.ENOSPC) -> None:
    """Delete while the disk call `step` fails, or, if `stays`, while every later write fails too."""
    call, name, nth = step
    stage.remember()
    with in_place(FaultyDisk(stage.folder, call, name, nth, number, stays)) as disk:
        await stage.delete()
    assert disk.fired


# The disk returns errors


async def test_every_disk_call_of_a_deletion_fails_in_at_least_one_test(stage: Stage) -> None:
    with in_place(FaultyDisk(stage.folder)) as disk:
        await stage.delete()
    known = {f"{call} {name}" for call, name, *_ in (*NOT_RECORDED, *NOT_BACKED_UP, *NOT_LOGGED, *HARMLESS, *ELSEWHERE)}
    assert {each for each in disk.trail if each.partition(" ")[0] in REFUSABLE} == known


@named(NOT_RECORDED)
@pytest.mark.parametrize("stays", [False, True], ids=["once", "for good"])
async def test_a_deletion_that_cannot_be_recorded_on_disk_sends_no_request(
    stage: Stage, step: Step, stays: bool
) -> None:
    await delete_on(stage, step, stays=stays)
    assert isinstance(stage.error, StateUnwritable)
    assert stage.cloud.requests == []
    stage.nothing_was_sent()
    stage.check(record="")
    await stage.next_works()


@named(NOT_BACKED_UP)
@pytest.mark.parametrize("stays", [False, True], ids=["once", "for good"])
async def test_jobs_that_cannot_be_backed_up_are_not_deleted(stage: Stage, step: Step, stays: bool) -> None:
    await delete_on(stage, step, stays=stays)
    assert set(stage.outcomes().values()) == {"failed"}
    assert stage.result is not None
    assert "No space left" in str(next(iter(stage.result.jobs.values())).why)
    stage.nothing_was_sent()
    stage.check(record="unknown" if stays else "done")
    await stage.next_works()


@named(NOT_LOGGED)
@pytest.mark.parametrize("stays", [False, True], ids=["once", "for good"])
async def test_an_outcome_that_cannot_be_logged_is_reported_and_logged_as_unknown(
    stage: Stage, step: Step, stays: bool
) -> None:
    await delete_on(stage, step, stays=stays)
    assert set(stage.outcomes().values()) == {"deleted"}
    stage.check(record="unknown")
    await stage.next_works()


@named(HARMLESS)
async def test_disk_errors_that_affect_neither_backup_nor_log_do_not_stop_a_deletion(stage: Stage, step: Step) -> None:
    await delete_on(stage, step, number=errno.EIO)
    assert stage.saved() == stage.gone == set(stage.ids)
    stage.check()
    await stage.next_works()


async def test_unreadable_settings_stop_a_deletion_before_any_request(stage: Stage) -> None:
    # The first reading only decides whether the audit log keeps names. Without it, the log keeps none.
    await delete_on(stage, ("open", "settings.json", 2), number=errno.EIO)
    assert isinstance(stage.error, SettingsDamaged)
    stage.nothing_was_sent()
    stage.check()
    await stage.next_works()


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.EMFILE])
async def test_an_unreadable_protection_list_stops_a_deletion_with_backup_before_any_request(
    stage: Stage, number: int
) -> None:
    ProtectionFile(stage.folder).change(protect=True, jobs=stage.ids[:1])
    await delete_on(stage, ("open", "protected.json", 1), number=number)
    assert isinstance(stage.error, ProtectionDamaged)
    stage.nothing_was_sent()
    stage.check()
    await stage.next_works()


async def test_a_protection_list_that_becomes_unreadable_before_sending_stops_the_deletion(stage: Stage) -> None:
    await delete_on(stage, ("open", "protected.json", 2), number=errno.EIO)
    assert set(stage.outcomes().values()) == {"failed"}
    assert (stage.sent, stage.saved()) == (set(), set(stage.ids))
    stage.check()
    await stage.next_works()


async def test_an_in_flight_file_that_cannot_be_removed_is_reported_at_the_next_start(
    stage: Stage,
) -> None:
    await delete_on(stage, ("remove", "running/*.json", 1), number=errno.EROFS)
    assert set(stage.outcomes().values()) == {"deleted"}
    stage.check(resolved=False)
    await stage.next_works()


@pytest.mark.parametrize("room", [10, 300], ids=["lock file", "in-flight file"])
async def test_a_deletion_on_a_full_disk_sends_no_request(stage: Stage, room: int) -> None:
    with file_size_limited_to(room):
        await stage.delete()
    assert isinstance(stage.error, StateUnwritable)
    stage.nothing_was_sent()
    stage.check(record="")
    await stage.next_works()


async def test_an_audit_log_is_unchanged_if_the_disk_becomes_full_while_a_line_is_written(stage: Stage) -> None:
    path = stage.folder / "deletions.jsonl"
    path.write_bytes((OLD_LINE + b"\n") * 20)
    before = path.read_bytes()
    with file_size_limited_to(len(before) + 100):
        await stage.delete()
    assert isinstance(stage.error, StateUnwritable)
    assert path.read_bytes() == before
    stage.nothing_was_sent()
    stage.check(record="")
    await stage.next_works()


@pytest.mark.parametrize(
    "short", [12_000, 300, 10], ids=["within a job", "within the zip directory", "within the end record"]
)
async def test_a_backup_that_does_not_fit_on_the_disk_leaves_no_file(stage: Stage, short: int) -> None:
    writer = stage.operations().backups.begin(OLDER, {"version": "1", "origin": "panel", "host": "x" * 20})
    for job_id in stage.ids:
        writer.add(job_id, clean_detail(stage.cloud.jobs[job_id].detail()), "a-key-that-is-nowhere")
    size = writer.close().stat().st_size
    stage.operations().backups.delete(OLDER)
    with file_size_limited_to(size - short):
        await stage.delete()
    assert set(stage.outcomes().values()) == {"failed"}
    stage.nothing_was_sent()
    stage.check()
    await stage.next_works()
