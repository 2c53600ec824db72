"""The hold seconds: a whole number from 0 to 60, or ten if the settings cannot be read."""

from __future__ import annotations

import pytest

from support.route_stage import Stage


@pytest.mark.parametrize("seconds", [0, 1, 60])
async def test_hold_seconds_are_saved_and_shown_everywhere(stage: Stage, seconds: int) -> None:
    answer = await stage.ask("settings", {"hold_seconds": seconds})
    assert (answer.status, answer.json["hold_seconds"]) == (200, seconds)
    assert (await stage.ask("status")).json["hold_seconds"] == seconds
    assert (await stage.preview())["hold_seconds"] == seconds
    path = stage.folder / "settings.json"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "raw",
    [
        *(b"-1", b"61", b"1.0", b"1.5", b"1e1", b"true", b"false", b'"5"', b"null", b"[5]", b"{}"),
        *(b"NaN", b"Infinity", b"-0.0", b"9" * 300, b"-" + b"9" * 300),
    ],
)
async def test_an_invalid_setting_is_refused_and_changes_nothing(stage: Stage, raw: bytes) -> None:
    await stage.set_hold(7)
    answer = await stage.ask("settings", b'{"hold_seconds": ' + raw + b"}")
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert (await stage.ask("status")).json["hold_seconds"] == 7


async def test_a_damaged_settings_file_stops_deletions_until_a_setting_is_saved(stage: Stage) -> None:
    shown = await stage.preview()
    (stage.folder / "settings.json").write_bytes(b"{")
    status = (await stage.ask("status")).json
    # Damaged settings do not say whether backups were on, so backups are shown as on.
    assert (status["settings"]["backup"], status["problem"]["code"]) == ("workflows", "settings_damaged")
    assert status["configured"]
    for answer in (
        await stage.ask("clear", {"token": shown["token"]}),
        await stage.ask("preview", {"clear": True}),
        await stage.ask("preview", {"ids": [stage.cloud.finished[0].id]}),
    ):
        assert (answer.status, answer.code) == (409, "settings_damaged")
        assert "settings.json" in answer.text
    assert stage.cloud.history_posts == []
    await stage.set_hold(0)
    status = (await stage.ask("status")).json
    assert (status["settings"]["backup"], status["problem"]) == ("workflows", None)
    assert (await stage.preview())["kind"] == "delete"


async def test_failing_to_save_a_setting_is_an_error(stage: Stage) -> None:
    (stage.folder / "settings.json").unlink()
    (stage.folder / "settings.json").mkdir()
    answer = await stage.ask("settings", {"hold_seconds": 5})
    assert (answer.status, answer.code) == (409, "state_unwritable")
    assert str(stage.folder) not in answer.text
    assert (await stage.ask("status")).json["hold_seconds"] == 10


async def test_a_hold_keeps_the_duration_that_was_confirmed(stage: Stage) -> None:
    await stage.held(seconds=30)
    await stage.set_hold(0)
    (hold,) = (await stage.ask("status")).json["holds"]
    assert (hold["state"], hold["seconds_left"]) == ("holding", 30.0)


async def test_lowering_the_backup_limit_prunes_backups_at_once(stage: Stage) -> None:
    folder = stage.operations.backups
    for number in range(12):
        writer = folder.begin(f"{number:032x}", {"created_at": "2026-01-01T00:00:00+00:00"})
        writer.close()
    assert len(folder.list()) == 12
    await stage.ask("settings", {"backup_days": 1})
    assert len(folder.list()) == 10
