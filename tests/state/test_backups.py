"""Backups of jobs before they are deleted: complete or absent, and never containing the key."""

from __future__ import annotations

import json
import os
import random
import stat
import threading
import time
import tracemalloc
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from cloud_history.errors import BackupDamaged, NotBackedUp
from cloud_history.jobs.redact import clean_detail
from cloud_history.secret import remember
from cloud_history.state.backups import MIN_BACKUPS, BackupFolder
from support.backup_stage import ABOUT, KEY, OPERATION, job_id, make, names
from support.examples import examples

NOW = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)
CANVAS = {"nodes": [{"id": 1, "type": "KSampler"}], "links": []}


def detail_of(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": job_id(number),
        "status": "completed",
        "create_time": 1_750_000_000_000 + number,
        "execution_end_time": 1_750_000_060_000,
        "workflow_id": "wf-1",
        "preview_output": {"filename": f"cat_{number}.png", "mediaType": "images"},
        "workflow": {"prompt": {}, "extra_data": {"extra_pnginfo": {"workflow": CANVAS}}},
        **more,
    }


@pytest.fixture
def backups(tmp_path: Path) -> BackupFolder:
    return BackupFolder(tmp_path, clock=lambda: NOW)


def three_jobs(backups: BackupFolder) -> Path:
    """Return a backup of three jobs."""
    writer = backups.begin(OPERATION, ABOUT)
    for number in range(3):
        writer.add(job_id(number), detail_of(number), KEY)
    return writer.close()


def content_of(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return b"".join(archive.read(name) for name in archive.namelist()) + archive.comment


def test_a_backup_is_read_back_by_the_next_process(backups: BackupFolder, tmp_path: Path) -> None:
    path = three_jobs(backups)
    later = BackupFolder(tmp_path)
    assert path == tmp_path / "backups" / f"{OPERATION}.zip"
    assert later.job(OPERATION, job_id(1).upper()) == detail_of(1)
    assert [row["id"] for row in later.jobs(OPERATION)] == [job_id(number) for number in range(3)]
    assert later.jobs(OPERATION)[1] == {
        "id": job_id(1),
        "status": "completed",
        "created": 1_750_000_000_001,
        "finished": 1_750_000_060_000,
        "name": "cat_1.png",
        "workflow_id": "wf-1",
        "has_workflow": True,
    }
    (info,) = later.list()
    assert (info.operation, info.jobs, info.size) == (OPERATION, 3, path.stat().st_size)
    assert info.created_at == "2026-07-01T12:00:00+00:00"


def test_a_backup_is_a_valid_zip_file_and_has_an_index_that_describes_it(backups: BackupFolder) -> None:
    with zipfile.ZipFile(three_jobs(backups)) as archive:
        index = json.loads(archive.read("index.json"))
        assert archive.namelist() == [f"jobs/{job_id(n)}.json" for n in range(3)] + ["index.json"]
        assert {each.compress_type for each in archive.infolist()} == {zipfile.ZIP_DEFLATED}
    jobs = index.pop("jobs")
    assert len(jobs) == 3
    assert index == {"format": 1, "created_at": "2026-07-01T12:00:00+00:00", **ABOUT}


def test_a_job_without_a_workflow_is_backed_up_and_marked_as_such(backups: BackupFolder) -> None:
    writer = backups.begin(OPERATION, ABOUT)
    writer.add(job_id(1), {"id": job_id(1), "status": "failed"}, KEY)
    writer.close()
    (row,) = backups.jobs(OPERATION)
    assert (row["has_workflow"], row["created"], row["name"]) == (False, None, "")


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_only_the_owner_can_read_a_backup_even_while_it_is_written(backups: BackupFolder, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        writer = backups.begin(OPERATION, ABOUT)
        (name,) = names(tmp_path)
        assert stat.S_IMODE((tmp_path / "backups" / name).stat().st_mode) == 0o600
        path = writer.close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_backup_is_a_hidden_draft_until_it_is_closed(backups: BackupFolder, tmp_path: Path) -> None:
    writer = backups.begin(OPERATION, ABOUT)
    writer.add(job_id(1), detail_of(1), KEY)
    (name,) = names(tmp_path)
    assert name.startswith(".")
    assert backups.list() == []
    with pytest.raises(BackupDamaged):
        backups.jobs(OPERATION)
    writer.close()
    assert names(tmp_path) == {f"{OPERATION}.zip"}


def test_the_content_of_a_backup_is_on_the_disk_before_its_draft_is_renamed(
    backups: BackupFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = backups.begin(OPERATION, ABOUT)
    writer.add(job_id(1), detail_of(1), KEY)
    steps: list[str] = []
    real_sync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        real_sync(descriptor)

    def replace(source: Path, target: Path) -> None:
        assert zipfile.ZipFile(source).testzip() is None
        steps.append("name")
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    writer.close()
    assert steps == ["file", "name", "folder"]


def test_a_discarded_draft_leaves_no_file_and_accepts_no_more_jobs(backups: BackupFolder, tmp_path: Path) -> None:
    writer = backups.begin(OPERATION, ABOUT)
    writer.add(job_id(1), detail_of(1), KEY)
    writer.discard()
    writer.discard()
    assert names(tmp_path) == set()
    with pytest.raises(OSError, match="closed"):
        writer.add(job_id(2), detail_of(2), KEY)
    with pytest.raises(OSError, match="closed"):
        writer.close()


def test_discarding_a_closed_backup_keeps_its_file(backups: BackupFolder, tmp_path: Path) -> None:
    writer = backups.begin(OPERATION, ABOUT)
    writer.close()
    writer.discard()
    assert names(tmp_path) == {f"{OPERATION}.zip"}


def test_adding_a_job_to_a_backup_twice_keeps_the_first_copy(backups: BackupFolder) -> None:
    writer = backups.begin(OPERATION, ABOUT)
    writer.add(job_id(1), detail_of(1), KEY)
    writer.add(job_id(1), detail_of(1, status="failed"), KEY)
    writer.close()
    assert len(writer) == 1
    assert [row["status"] for row in backups.jobs(OPERATION)] == ["completed"]


@pytest.mark.parametrize(
    "wrong",
    [{}, {"id": job_id(2)}, {"id": "../../x"}, {"id": None}, {"detail": "Not found"}],
    ids=lambda wrong: str(wrong)[:20],
)
def test_an_answer_about_another_job_is_not_backed_up(backups: BackupFolder, wrong: dict[str, Any]) -> None:
    writer = backups.begin(OPERATION, ABOUT)
    with pytest.raises(NotBackedUp):
        writer.add(job_id(1), wrong, KEY)
    writer.add(job_id(3), detail_of(3), KEY)
    writer.close()
    assert [row["id"] for row in backups.jobs(OPERATION)] == [job_id(3)]


def test_a_job_that_is_too_large_is_refused_and_the_others_are_kept(
    backups: BackupFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud_history.state.backup_file.MAX_JOB_BYTES", 5_000)
    writer = backups.begin(OPERATION, ABOUT)
    with pytest.raises(NotBackedUp, match="too large") as refused:
        writer.add(job_id(1), detail_of(1, note="x" * 5_000), KEY)
    assert refused.value.short == "it is too large"
    writer.add(job_id(2), detail_of(2), KEY)
    writer.close()
    assert [row["id"] for row in backups.jobs(OPERATION)] == [job_id(2)]


def test_an_operation_cannot_have_two_backups(backups: BackupFolder) -> None:
    path = three_jobs(backups)
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        backups.begin(OPERATION, ABOUT)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "name",
    ["", "..", "../api_key", "/etc/passwd", OPERATION.upper(), OPERATION + "0", OPERATION + "\n", "\0" * 32],
)
def test_an_invalid_operation_name_is_refused(backups: BackupFolder, tmp_path: Path, name: str) -> None:
    (tmp_path / "api_key.zip").write_text("theirs")
    for use in (lambda: backups.begin(name, ABOUT), lambda: backups.jobs(name), lambda: backups.delete(name)):
        with pytest.raises(ValueError, match="an id must have"):
            use()
    with pytest.raises(ValueError, match="an id must have"):
        backups.job(name, job_id(1))
    assert (tmp_path / "api_key.zip").exists()


@pytest.mark.parametrize("member", ["../index", "../../api_key", "index", "", job_id(77), "/etc/passwd", "\0"])
def test_only_jobs_of_a_backup_can_be_read_from_the_backup(backups: BackupFolder, member: str) -> None:
    three_jobs(backups)
    with pytest.raises(BackupDamaged):
        backups.job(OPERATION, member)


keyed = st.builds(
    lambda before, key, after: before + key + after,
    st.text(max_size=6),
    st.sampled_from([KEY, KEY[:20], ""]),
    st.text(max_size=6),
)
keyed_json = st.recursive(
    st.none() | st.booleans() | st.integers() | keyed,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keyed, inner, max_size=3),
    max_leaves=10,
)


@examples(50, HealthCheck.function_scoped_fixture)
@given(value=keyed_json, name=keyed)
def test_a_backup_file_does_not_contain_the_key(backups: BackupFolder, value: Any, name: str) -> None:
    remember(KEY)
    backups.delete(OPERATION)
    writer = backups.begin(OPERATION, {**ABOUT, "origin": {"kind": "node", "title": name}})
    error = {"exception_message": name, "traceback": [name], "current_inputs": value}
    detail = detail_of(1, workflow=value, workflow_id=name, execution_error=error, extra_data=value)
    writer.add(job_id(1), clean_detail(detail), KEY)
    path = writer.close()
    assert KEY.encode() not in content_of(path)
    assert KEY.encode() not in path.read_bytes()
    assert len(backups.jobs(OPERATION)) == 1
    assert backups.job(OPERATION, job_id(1))["id"] == job_id(1)


def test_jobs_may_be_added_from_several_threads(backups: BackupFolder) -> None:
    writer = backups.begin(OPERATION, ABOUT)

    def add(first: int) -> None:
        for number in range(first, 120, 6):
            writer.add(job_id(number), detail_of(number), KEY)

    threads = [threading.Thread(target=add, args=(first,)) for first in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert {row["id"] for row in backups.jobs(OPERATION)} == {job_id(number) for number in range(120)}
    assert all(backups.job(OPERATION, job_id(number)) == detail_of(number) for number in range(120))


# Which backups are removed when there are too many


def made_over_time(folder: Path, ages: list[int]) -> list[str]:
    """Make backups with these ages in days, and return their operation ids in the same order."""
    operations = [f"{number:032x}" for number in range(len(ages))]
    for operation, age in zip(operations, ages, strict=True):
        make(folder, operation, created_at=(NOW - timedelta(days=age)).isoformat())
    return operations


def left(backups: BackupFolder) -> list[str]:
    return [each.operation for each in backups.list()]


def test_the_newest_backups_are_listed_first(backups: BackupFolder, tmp_path: Path) -> None:
    first, second, third = made_over_time(tmp_path, [5, 1, 9])
    assert left(backups) == [second, first, third]


def test_backups_older_than_the_limit_are_pruned_but_never_the_newest_ten(
    backups: BackupFolder, tmp_path: Path
) -> None:
    operations = made_over_time(tmp_path, [100 + number for number in range(MIN_BACKUPS + 3)])
    removed = backups.delete_old(90, 1000, NOW)
    assert sorted(removed) == operations[MIN_BACKUPS:]
    assert left(backups) == operations[:MIN_BACKUPS]


def test_backups_within_the_limits_are_not_pruned(backups: BackupFolder, tmp_path: Path) -> None:
    operations = made_over_time(tmp_path, list(range(MIN_BACKUPS + 3)))
    assert backups.delete_old(MIN_BACKUPS + 3, 1000, NOW) == []
    assert left(backups) == operations


def test_the_oldest_backups_are_pruned_until_the_rest_fits(
    backups: BackupFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations = made_over_time(tmp_path, list(range(MIN_BACKUPS + 5)))
    sizes = [each.size for each in backups.list()]
    monkeypatch.setattr("cloud_history.state.backups._MEGABYTE", 1)
    removed = backups.delete_old(90, sum(sizes[: MIN_BACKUPS + 2]), NOW)
    assert sorted(removed) == operations[MIN_BACKUPS + 2 :]
    assert sorted(backups.delete_old(90, sum(sizes[: MIN_BACKUPS + 2]) - 1, NOW)) == [operations[MIN_BACKUPS + 1]]
    assert sorted(backups.delete_old(90, 1, NOW)) == [operations[MIN_BACKUPS]]
    assert backups.delete_old(90, 1, NOW) == []
    assert len(left(backups)) == MIN_BACKUPS


def test_a_wrong_clock_does_not_make_backups_look_old(backups: BackupFolder, tmp_path: Path) -> None:
    made_over_time(tmp_path, [-400] * (MIN_BACKUPS + 3))
    assert backups.delete_old(90, 1000, NOW) == []


def test_a_new_backup_is_kept_if_older_ones_are_dated_in_the_future(tmp_path: Path) -> None:
    backups = BackupFolder(tmp_path, lambda: NOW)
    wrong = made_over_time(tmp_path, [-400] * (MIN_BACKUPS + 2))
    make(tmp_path, "f" * 32, created_at=NOW.isoformat())
    assert len(backups.delete_old(90, 0, NOW)) == 3
    assert "f" * 32 in left(backups)
    assert len(set(wrong) & set(left(backups))) == MIN_BACKUPS - 1


def test_deleting_a_backup_keeps_the_other_backups(backups: BackupFolder, tmp_path: Path) -> None:
    first, second = made_over_time(tmp_path, [1, 2])
    backups.delete(first)
    backups.delete(first)
    assert left(backups) == [second]


# Many jobs


def test_many_large_jobs_need_little_memory(backups: BackupFolder) -> None:
    noise = random.Random(1).randbytes(50_000).hex()
    writer = backups.begin(OPERATION, ABOUT)
    tracemalloc.start()
    try:
        for number in range(250):
            writer.add(job_id(number), {"id": job_id(number), "note": f"{number}{noise}"}, KEY)
        writer.close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000 < 250 * len(noise)
    assert len(backups.jobs(OPERATION)) == 250


@pytest.mark.timed
def test_five_thousand_jobs_are_written_and_listed_quickly(backups: BackupFolder) -> None:
    nodes = [{"id": n, "type": "KSampler", "widgets_values": [n, "fixed", 20, 8.0]} for n in range(100)]
    started = time.perf_counter()
    writer = backups.begin(OPERATION, ABOUT)
    for number in range(5_000):
        writer.add(job_id(number), {"id": job_id(number), "workflow": {"nodes": nodes}}, KEY)
    writer.close()
    assert time.perf_counter() - started < 20
    started = time.perf_counter()
    assert backups.list()[0].jobs == 5_000
    assert time.perf_counter() - started < 0.1
    started = time.perf_counter()
    assert len(backups.jobs(OPERATION)) == 5_000
    backups.job(OPERATION, job_id(4_999))
    assert time.perf_counter() - started < 2
