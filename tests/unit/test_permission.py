"""Whether workflows may delete: the setting, unless the environment says otherwise, and the safe side in doubt."""

from __future__ import annotations

import logging

import pytest

from cloud_history.state.settings import Permission, permission


@pytest.mark.parametrize("mode", ["ask", "allow", "never"])
def test_what_is_set_is_in_force_and_can_be_changed(mode: str) -> None:
    assert permission(mode, {}) == Permission(mode, fixed=False)  # type: ignore[arg-type]
    assert permission(mode, {"COMFY_CLOUD_HISTORY_NODES": " "}).mode == mode


@pytest.mark.parametrize(("named", "mode"), [("ask", "ask"), ("ALLOW", "allow"), (" Never\n", "never")])
@pytest.mark.parametrize("set_to", ["ask", "allow", "never"])
def test_the_environment_outranks_it_in_any_case_and_fixes_it(set_to: str, named: str, mode: str) -> None:
    assert permission(set_to, {"COMFY_CLOUD_HISTORY_NODES": named}) == Permission(mode, fixed=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("named", ["yes", "1", "true", "allow,never", "allowed", "alw"])
def test_a_word_nobody_knows_asks_and_is_told_once(named: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "cloud_history"):
        for _ in range(3):
            assert permission("allow", {"COMFY_CLOUD_HISTORY_NODES": named}) == Permission("ask", fixed=True)
    assert len([record for record in caplog.records if f"“{named}”" in record.getMessage()]) == 1


def test_a_setting_nobody_knows_asks() -> None:
    assert permission("sometimes", {}).mode == "ask"
