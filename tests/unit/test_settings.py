"""What a person has set about safety: kept whole, whoever changes something else of it at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cloud_history.errors import InputRefused
from cloud_history.state.settings import Settings, SettingsFile

CHANGES = 40


def test_changes_made_at_the_same_time_leave_each_other_as_they_are(tmp_path: Path) -> None:
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


def test_a_value_that_is_refused_makes_no_state_folder(tmp_path: Path) -> None:
    with pytest.raises(InputRefused):
        SettingsFile(tmp_path / "state").change(nodes="always")
    assert not (tmp_path / "state").exists()
