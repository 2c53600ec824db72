"""A link, pipe, folder or huge file in place of a state file causes no hang or damage, and an error names it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud_history.approval.approval import ApprovalAnswers
from cloud_history.errors import (
    ApprovalClosed,
    BackupDamaged,
    CloudError,
    KeyFileDamaged,
    ProtectionDamaged,
    StateUnwritable,
)
from cloud_history.secret import Secret
from cloud_history.state.audit_log import AuditLog
from cloud_history.state.backups import BackupFolder
from cloud_history.state.credentials import KeyStore
from cloud_history.state.in_flight import InFlight, SenderLock
from cloud_history.state.locks import OwnerLock
from cloud_history.state.protection import ProtectionFile
from cloud_history.state.settings import SAFE_SETTINGS, SettingsFile
from support import record_stage

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")

NAME = "0123456789abcdef" * 2
KEY = "comfyui-0123456789abcdef"
VICTIM = b"a line of somebody's\n"


def plant_symlink(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def plant_hard_link(path: Path, victim: Path) -> None:
    os.link(victim, path)


def plant_fifo(path: Path, victim: Path) -> None:
    os.mkfifo(path)


def plant_folder(path: Path, victim: Path) -> None:
    path.mkdir()


def plant_huge(path: Path, victim: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**36)


PLANTS = [plant_symlink, plant_hard_link, plant_fifo, plant_folder, plant_huge]
READ_ONLY_HARM = [plant_symlink, plant_fifo, plant_folder, plant_huge]


def within_five_seconds(work: Callable[[], object]) -> object:
    """Return what the call returns or raises, and fail if it hangs."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as exc:  # noqa: BLE001 - handed over as it is
            found.append(exc)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(5)
    assert found, "it hangs"
    return found[0]


def error_of(work: Callable[[], object]) -> CloudError:
    found = within_five_seconds(work)
    assert isinstance(found, CloudError), found
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    for each in (folder, folder / "running", folder / "backups", folder / "asking"):
        each.mkdir(mode=0o755)
    return folder


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    victim = tmp_path / "victim"
    victim.write_bytes(VICTIM)
    return victim


@pytest.mark.parametrize("plant", PLANTS)
def test_a_link_pipe_or_folder_in_place_of_the_settings_file_gives_the_safest_settings(
    folder: Path, victim: Path, plant: Callable[[Path, Path], None]
) -> None:
    plant(folder / "settings.json", victim)
    assert within_five_seconds(SettingsFile(folder).load) == SAFE_SETTINGS
    assert victim.read_bytes() == VICTIM


@pytest.mark.parametrize("plant", READ_ONLY_HARM)
def test_an_unreadable_protection_list_is_named_and_never_counts_as_empty(
    folder: Path, victim: Path, plant: Callable[[Path, Path], None]
) -> None:
    plant(folder / "protected.json", victim)
    file = ProtectionFile(folder)
    problem = error_of(file.load)
    assert isinstance(problem, ProtectionDamaged)
    assert "protected.json is " in problem.message
    within_five_seconds(file.start_empty)
    assert not file.load()
    assert victim.read_bytes() == VICTIM


@pytest.mark.parametrize("plant", READ_ONLY_HARM)
def test_a_link_in_place_of_the_key_file_is_not_read(
    folder: Path, victim: Path, plant: Callable[[Path, Path], None]
) -> None:
    victim.write_text(json.dumps({"api_key": KEY}))
    plant(folder / "api_key.json", victim)
    problem = error_of(lambda: KeyStore(folder, {}).find())
    assert isinstance(problem, KeyFileDamaged)
    assert "api_key.json is " in problem.message
    if plant is not plant_folder:
        KeyStore(folder, {}).save(Secret(KEY))
        assert KeyStore(folder, {}).get().secret.reveal() == KEY


@pytest.mark.parametrize("plant", READ_ONLY_HARM)
def test_a_link_pipe_or_folder_in_place_of_an_in_flight_record_is_still_listed(
    folder: Path, victim: Path, plant: Callable[[Path, Path], None]
) -> None:
    plant(folder / "running" / f"{NAME}.json", victim)
    entries = within_five_seconds(InFlight(folder).entries)
    assert isinstance(entries, list)
    assert [(each.operation, each.origin) for each in entries] == [(NAME, "unknown")]


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("name", ["deletions.jsonl", "deletions.gate"])
def test_a_link_pipe_or_folder_in_place_of_the_audit_log_is_not_written_to_and_is_reported(
    folder: Path, victim: Path, name: str, plant: Callable[[Path, Path], None]
) -> None:
    plant(folder / name, victim)
    record = AuditLog(folder)
    found = within_five_seconds(lambda: record.intent(record_stage.entry(1)))
    if plant is plant_huge:  # starts a new file, or the name is that of the lock file, which has no content
        assert found is None
    elif name == "deletions.jsonl" and plant is plant_folder:
        assert isinstance(found, StateUnwritable)
    else:
        assert isinstance(found, StateUnwritable)
        assert f"{name} " in found.hint, found.hint
    within_five_seconds(record.entries)
    assert victim.read_bytes() == VICTIM


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("name", ["sending.lock", "sending.gate"])
def test_a_link_pipe_or_folder_in_place_of_a_lock_file_is_not_truncated_and_is_reported(
    folder: Path, victim: Path, name: str, plant: Callable[[Path, Path], None]
) -> None:
    plant(folder / name, victim)
    slot = SenderLock(folder)
    found = within_five_seconds(lambda: slot.take(NAME))
    if plant is plant_huge:
        assert found is True
        slot.free()
    else:
        assert isinstance(found, StateUnwritable)
        assert f"{name} " in found.hint, found.hint
    within_five_seconds(slot.holder)
    assert victim.read_bytes() == VICTIM


@pytest.mark.parametrize("plant", PLANTS)
def test_a_link_pipe_or_folder_in_place_of_a_backup_counts_as_a_damaged_backup(
    folder: Path, victim: Path, plant: Callable[[Path, Path], None]
) -> None:
    plant(folder / "backups" / f"{NAME}.zip", victim)
    backups = BackupFolder(folder)
    within_five_seconds(backups.list)
    problem = error_of(lambda: backups.jobs(NAME))
    assert isinstance(problem, BackupDamaged)
    assert f"{NAME}.zip" in problem.hint


def test_a_backup_with_an_endless_table_of_contents_is_not_read_into_memory(folder: Path) -> None:
    path = folder / "backups" / f"{NAME}.zip"
    size = 2**31
    with path.open("wb") as file:
        file.truncate(size)
        file.seek(size)
        file.write(b"PK\5\6" + bytes(4) + (1).to_bytes(2, "little") * 2 + size.to_bytes(4, "little") + bytes(6))
    assert isinstance(error_of(lambda: BackupFolder(folder).jobs(NAME)), BackupDamaged)


@pytest.mark.parametrize("plant", READ_ONLY_HARM)
def test_a_link_pipe_or_folder_in_place_of_an_approval_file_counts_as_a_closed_approval(
    folder: Path, victim: Path, plant: Callable[[Path, Path], None]
) -> None:
    plant(folder / "asking" / f"{NAME}.json", victim)
    found = error_of(lambda: ApprovalAnswers(folder).answer(NAME, "token", "delete"))
    assert isinstance(found, ApprovalClosed)


@pytest.mark.parametrize("plant", [plant_symlink, plant_fifo, plant_folder])
def test_links_pipes_and_folders_do_not_count_as_held_locks(
    folder: Path, victim: Path, plant: Callable[[Path, Path], None]
) -> None:
    plant(folder / "x", victim)
    assert within_five_seconds(lambda: OwnerLock.is_held(folder / "x")) is False
