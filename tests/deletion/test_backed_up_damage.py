"""Deletions with backup and audit log when state files are damaged or replaced by a folder or file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cloud_history.deletion.holds import Holds
from cloud_history.errors import ProtectionDamaged, SettingsDamaged, StateFolderLost, StateUnwritable
from cloud_history.jobs.filters import Selection
from cloud_history.state.audit_csv import csv_lines
from cloud_history.state.audit_log import AuditLog
from cloud_history.state.folder import state_folder_at
from cloud_history.state.protection import ProtectionFile
from cloud_history.state.settings import SettingsFile
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import SimulatedCloud
from support.deletion_stage import A_JOB_IS_SAVED, OLD_LINE, OLDER, Stage, Steps, stage_of
from support.requests import confirmed_request

CLOUD_JOBS = 60
# A folder or file is in the place of a state file


@pytest.mark.parametrize(
    "name", ["running", "sending.lock", "sending.gate", "deletions.gate", "deletions.jsonl", "protected.json"]
)
async def test_a_folder_in_place_of_a_state_file_or_the_reverse_stops_deletions_until_removed(
    stage: Stage, name: str
) -> None:
    path = stage.folder / name
    if "." in name:
        path.mkdir()
    else:
        path.write_text("a file where a folder should be")
    await stage.delete()
    error = ProtectionDamaged if name.startswith("protected") else StateUnwritable
    assert isinstance(stage.error, error)
    stage.nothing_was_sent()
    stage.check(record="done" if error is ProtectionDamaged else "")
    await stage.refuses(error)
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink()
    await stage.next_works()


async def test_a_file_where_the_state_folder_should_be_stops_deletions(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path
) -> None:
    stage = stage_of(cloud, environ, tmp_path / "taken" / "state")
    shutil.rmtree(stage.folder)
    stage.folder.write_text("theirs")
    await stage.delete(backup="workflows")
    assert isinstance(stage.error, StateUnwritable)
    stage.nothing_was_sent()
    await stage.refuses(StateUnwritable)
    stage.folder.unlink()
    await stage.refuses(StateFolderLost)
    state_folder_at(stage.folder).start_anew()
    SettingsFile(stage.folder).change(backup="workflows")
    await stage.next_works()


@pytest.mark.parametrize("name", ["backups", "backups/.gate"])
async def test_nothing_is_deleted_if_backups_cannot_be_written(stage: Stage, name: str) -> None:
    path = stage.folder / name
    if name == "backups":
        path.write_text("a file where a folder should be")
    else:
        path.mkdir(parents=True)
    await stage.delete()
    assert set(stage.outcomes().values()) == {"failed"}
    stage.nothing_was_sent()
    stage.check()
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink()
    await stage.next_works()


async def test_no_deletion_is_held_or_sent_if_holds_cannot_be_written(stage: Stage) -> None:
    (stage.folder / "holds").write_text("a file where a folder should be")
    operations = stage.operations()
    connection = await operations.find_connection()
    preview = await operations.preview(connection, Selection(job_ids=stage.ids), Unwatched())
    holds = Holds(operations)
    with pytest.raises(StateUnwritable):
        await holds.start(confirmed_request(preview, connection, "c0" * 16), 5)
    assert holds.open == []
    stage.nothing_was_sent()
    stage.check(record="")
    await stage.next_works()


@pytest.mark.parametrize("kind", ["a backup", "a folder"])
async def test_an_operation_whose_backup_already_exists_deletes_nothing_and_keeps_that_backup(
    stage: Stage, kind: str
) -> None:
    operations = stage.operations()
    connection = await operations.find_connection()
    preview = await operations.preview(connection, Selection(job_ids=stage.ids), Unwatched())
    path = stage.folder / "backups" / f"{'c0' * 16}.zip"
    if kind == "a folder":
        path.mkdir(parents=True)
    else:
        operations.backups.begin("c0" * 16, {}).close()
    before = path.read_bytes() if path.is_file() else b""
    await stage.delete(confirmed_request(preview, connection, "c0" * 16))
    assert set(stage.outcomes().values()) == {"failed"}
    assert stage.sent == set()
    assert (path.read_bytes() if path.is_file() else b"") == before
    stage.check()


# Damaged files


async def test_a_damaged_list_of_protected_jobs_stops_deletions_until_the_list_is_reset(
    stage: Stage,
) -> None:
    content = b'{"jobs": [1], "workflows": []}'
    (stage.folder / "protected.json").write_bytes(content)
    await stage.delete()
    assert isinstance(stage.error, ProtectionDamaged)
    stage.nothing_was_sent()
    stage.check()
    await stage.refuses(ProtectionDamaged)
    aside = stage.folder / ProtectionFile(stage.folder).start_empty()
    assert aside.read_bytes() == content
    await stage.next_works()


@pytest.mark.parametrize("content", [b"{", None], ids=["half an object", "a folder"])
async def test_damaged_settings_stop_deletions_until_a_setting_is_changed(stage: Stage, content: bytes | None) -> None:
    path = stage.folder / "settings.json"
    good = path.read_bytes()
    path.unlink()
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    await stage.delete()
    assert isinstance(stage.error, SettingsDamaged)
    stage.nothing_was_sent()
    stage.check()
    await stage.refuses(SettingsDamaged)
    if content is None:
        path.rmdir()
        path.write_bytes(good)
    # If the backup setting cannot be read, backups are switched on.
    assert SettingsFile(stage.folder).change(hold_seconds=5).backup == "workflows"
    await stage.next_works()


async def test_a_deletion_appends_to_a_damaged_audit_log_and_its_intact_lines_stay_readable(stage: Stage) -> None:
    damage = b'\xff\xfe garbage\n\n[]\n{}\nnull\n{"line": "intent", "operation": "cd'
    path = stage.folder / "deletions.jsonl"
    path.write_bytes(OLD_LINE + b"\n" + damage)
    await stage.delete()
    assert stage.gone == set(stage.ids)
    stage.check()
    assert path.read_bytes().startswith(OLD_LINE + b"\n" + damage)
    record = AuditLog(stage.folder)
    assert record.removed_in_all() == 7 + len(stage.ids)
    assert record.entries()[-1].entry.operation == OLDER
    assert sum(stage.ids[0] in line for line in csv_lines(record)) == 1
    await stage.next_works()


def _half_a_backup(stage: Stage) -> bytes:
    writer = stage.operations().backups.begin(OLDER, {})
    writer.add(stage.ids[0], stage.cloud.jobs[stage.ids[0]].detail(), "a-key-that-is-nowhere")
    path = writer.close()
    content = path.read_bytes()
    path.unlink()
    return content[: len(content) // 2]


async def test_a_damaged_backup_of_another_deletion_is_left_unchanged(stage: Stage) -> None:
    damaged = _half_a_backup(stage)
    path = stage.folder / "backups" / f"{OLDER}.zip"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(damaged)
    await stage.delete()
    assert stage.gone == stage.saved() == set(stage.ids)
    stage.check()
    assert path.read_bytes() == damaged
    assert {each.operation for each in stage.operations().backups.list()} == {path.stem for path in stage.zips()}
    await stage.next_works()


async def test_unfinished_backups_of_a_dead_process_are_removed(
    stage: Stage,
) -> None:
    folder, during = stage.folder / "backups", list[str]()
    folder.mkdir()
    for number in range(3):
        (folder / f".{OLDER}.zip.{number:032x}").write_bytes(_half_a_backup(stage))
    stage.steps = Steps({A_JOB_IS_SAVED: lambda: during.extend(path.name for path in folder.iterdir())})
    await stage.delete()
    assert len(during) == 2  # the lock file and the unfinished backup of this deletion
    assert [name for name in during if OLDER in name] == []
    stage.check()
    await stage.next_works()


async def test_a_damaged_in_flight_file_of_an_earlier_deletion_is_reported_and_stops_no_deletion(stage: Stage) -> None:
    path = stage.folder / "running" / f"{OLDER}.json"
    path.parent.mkdir()
    path.write_bytes(b"{")
    await stage.delete()
    assert stage.gone == set(stage.ids)
    stage.check(resolved=False)
    assert [entry.operation for entry in stage.operations().queue.unresolved()] == [OLDER]
    await stage.next_works()
