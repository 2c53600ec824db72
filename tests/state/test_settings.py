"""The safety settings, and the environment variables that override them."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cloud_history.errors import InputRefused, SettingsDamaged
from cloud_history.state.settings import (
    SAFE_SETTINGS,
    NodeDeletionMode,
    Settings,
    SettingsFile,
    node_deletion_mode,
)

CHANGES = 15


def test_simultaneous_changes_of_different_settings_are_all_kept(tmp_path: Path) -> None:
    files = [SettingsFile(tmp_path / "state") for _ in range(2)]

    def change(file: SettingsFile, name: str, values: list[object]) -> list[object]:
        found = []
        for value in values * CHANGES:
            file.change(**{name: value})
            found.append(getattr(file.in_force(), name))
        return found

    words: list[object] = ["allow", "never"]
    numbers: list[object] = [3, 30]
    with ThreadPoolExecutor(2) as pool:
        forbidding, holding = (
            pool.submit(change, files[0], "nodes", words),
            pool.submit(change, files[1], "hold_seconds", numbers),
        )
    assert forbidding.result() == words * CHANGES
    assert holding.result() == numbers * CHANGES
    assert files[0].in_force() == Settings(nodes="never", hold_seconds=30)


def test_a_refused_setting_creates_no_state_folder(tmp_path: Path) -> None:
    with pytest.raises(InputRefused):
        SettingsFile(tmp_path / "state").change(nodes="always")
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"null", b"[]", b"\xff\xfe", b"[" * 60_000, b'{"backup": null}', b'{"backup": "of"}'),
        *(b'{"hold_seconds": %s}' % value for value in (b"true", b"0.0", b"-1", b"61", b'"0"', b"null", b"9" * 9000)),
    ],
    ids=lambda content: str(content[:24]),
)
def test_damaged_settings_raise_an_error_and_are_shown_as_the_safest_values(tmp_path: Path, content: bytes) -> None:
    kept = SettingsFile(tmp_path / "state")
    kept.change(hold_seconds=5)
    (tmp_path / "state" / "settings.json").write_bytes(content)
    with pytest.raises(SettingsDamaged):
        kept.in_force()
    assert kept.load() == SAFE_SETTINGS


# Whether workflows may delete


@pytest.mark.parametrize("mode", ["ask", "allow", "never"])
def test_the_approval_setting_can_be_changed(mode: str) -> None:
    assert node_deletion_mode(mode, {}) == NodeDeletionMode(mode, fixed=False)  # type: ignore[arg-type]
    assert node_deletion_mode(mode, {"COMFY_CLOUD_HISTORY_NODES": " "}).mode == mode


@pytest.mark.parametrize(("named", "mode"), [("ask", "ask"), ("ALLOW", "allow"), (" Never\n", "never")])
@pytest.mark.parametrize("set_to", ["ask", "allow", "never"])
def test_the_environment_variable_overrides_the_setting_in_upper_or_lower_case(
    set_to: str, named: str, mode: str
) -> None:
    found = node_deletion_mode(set_to, {"COMFY_CLOUD_HISTORY_NODES": named})
    assert (found.mode, found.fixed) == (mode, True)


@pytest.mark.parametrize("named", ["yes", "1", "true", "allow,never", "allowed", "alw"])
def test_an_unknown_value_in_the_variable_means_ask_and_is_logged_once(
    named: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "cloud_history"):
        for _ in range(3):
            found = node_deletion_mode("allow", {"COMFY_CLOUD_HISTORY_NODES": named})
            assert found == NodeDeletionMode("ask", fixed=True)
    assert len([record for record in caplog.records if f"“{named}”" in record.getMessage()]) == 1


def test_an_unknown_approval_setting_means_ask() -> None:
    assert node_deletion_mode("sometimes", {}).mode == "ask"


def test_backups_are_on_by_default_and_a_saved_choice_stays(tmp_path: Path) -> None:
    assert SettingsFile(tmp_path / "new").in_force().backup == "workflows"
    for choice in ("off", "workflows"):
        folder = tmp_path / choice
        folder.mkdir()
        (folder / "settings.json").write_text(json.dumps({"hold_seconds": 10, "backup": choice}))
        assert SettingsFile(folder).in_force().backup == choice
