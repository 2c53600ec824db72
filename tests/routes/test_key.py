"""An API key is checked first, saved in a private file, and never shown again."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from simulated_cloud import SimulatedCloud
from support.route_stage import OTHER_KEY, Gate, Stage, serving


@pytest_asyncio.fixture
async def keyless(cloud: SimulatedCloud, tmp_path: Path) -> AsyncIterator[Stage]:
    """Return routes without an API key."""
    environ = {"COMFY_CLOUD_BASE_URL": cloud.base_url}
    async with serving(cloud, tmp_path / "state", environ, max_seconds=0.5) as stage:
        yield stage


def saved(stage: Stage) -> str | None:
    """Return the API key on disk."""
    path = stage.folder / "api_key.json"
    return str(json.loads(path.read_text())["api_key"]) if path.exists() else None


async def test_a_key_is_checked_with_the_cloud_and_then_saved(keyless: Stage, cloud: SimulatedCloud) -> None:
    answer = await keyless.ask("save_key", {"api_key": cloud.api_key})
    assert answer.status == 200
    told = answer.json
    assert (told["checked"], told["account"], told["outranked"], told["unusual"]) == (
        True,
        "active",
        False,
        False,
    )
    assert (told["configured"], told["source"], told["last4"]) == (True, "saved", cloud.api_key[-4:])
    assert saved(keyless) == cloud.api_key
    (asked,) = cloud.requests
    assert (asked.method, asked.path, asked.headers["X-API-Key"]) == ("GET", "/api/user", cloud.api_key)


async def test_a_wrong_key_is_not_saved_and_the_old_key_stays(keyless: Stage, cloud: SimulatedCloud) -> None:
    await keyless.ask("save_key", {"api_key": cloud.api_key})
    answer = await keyless.ask("save_key", {"api_key": OTHER_KEY})
    assert (answer.status, answer.code, answer.json["error"]["status"]) == (502, "unauthorized", 401)
    assert "can_save_unchecked" not in answer.json
    assert saved(keyless) == cloud.api_key


async def test_a_key_is_saved_without_a_check_only_if_requested(keyless: Stage, cloud: SimulatedCloud) -> None:
    told = (await keyless.ask("save_key", {"api_key": OTHER_KEY, "unchecked": True})).json
    assert (told["checked"], told["account"], told["configured"]) == (False, None, True)
    assert saved(keyless) == OTHER_KEY
    assert cloud.requests == []
    assert (await keyless.ask("save_key", {"api_key": OTHER_KEY, "unchecked": False})).status == 502


async def test_a_key_check_ends_at_its_time_limit(keyless: Stage, gate: Gate) -> None:
    gate.close()
    answer = await asyncio.wait_for(keyless.ask("save_key", {"api_key": OTHER_KEY}), 5)
    assert (answer.status, answer.code, answer.json["can_save_unchecked"]) == (504, "timeout", True)
    assert saved(keyless) is None


async def test_if_the_cloud_is_unreachable_saving_the_key_unchecked_is_offered(
    cloud: SimulatedCloud, tmp_path: Path
) -> None:
    async with serving(cloud, tmp_path, {"COMFY_CLOUD_BASE_URL": "http://127.0.0.1:1"}) as stage:
        answer = await stage.ask("save_key", {"api_key": OTHER_KEY})
        assert (answer.status, answer.code, answer.json["can_save_unchecked"]) == (503, "unreachable", True)
        assert saved(stage) is None


@pytest.mark.parametrize("key", [" ", "line\r\nX-Injected: 1", "\ud800", "x" * 60_000])
@pytest.mark.parametrize("unchecked", [False, True])
async def test_a_malformed_key_is_refused_without_a_request_and_not_echoed(
    keyless: Stage, cloud: SimulatedCloud, key: str, unchecked: bool
) -> None:
    answer = await keyless.ask("save_key", {"api_key": key, "unchecked": unchecked})
    assert (answer.status, answer.code) == (409, "invalid_key")
    assert "Injected" not in answer.text
    assert "xxxx" not in answer.text
    assert cloud.requests == []
    assert keyless.kept_files() == {}


async def test_the_environment_key_outranks_the_saved_key_and_the_answer_says_so(stage: Stage) -> None:
    told = (await stage.ask("save_key", {"api_key": OTHER_KEY, "unchecked": True})).json
    assert (told["outranked"], told["source"], told["last4"]) == (True, "env", stage.cloud.api_key[-4:])
    assert saved(stage) == OTHER_KEY


async def test_the_new_key_is_checked_and_not_the_current_key(stage: Stage) -> None:
    await stage.ask("save_key", {"api_key": OTHER_KEY})
    assert {request.headers["X-API-Key"] for request in stage.cloud.requests} == {OTHER_KEY}


async def test_a_key_without_the_usual_prefix_is_saved_with_a_warning(keyless: Stage) -> None:
    told = (await keyless.ask("save_key", {"api_key": "sk-0123456789abcdef", "unchecked": True})).json
    assert (told["unusual"], told["last4"]) == (True, "cdef")


async def test_removing_the_key_deletes_the_saved_key(keyless: Stage, cloud: SimulatedCloud) -> None:
    await keyless.ask("save_key", {"api_key": cloud.api_key})
    answer = await keyless.ask("remove_key")
    assert (answer.status, answer.json["configured"], answer.json["source"]) == (200, False, None)
    assert cloud.api_key.encode() not in b"".join(keyless.kept_files().values())
    assert (await keyless.ask("remove_key")).status == 200


async def test_entering_the_key_again_repairs_a_damaged_key_file(keyless: Stage, cloud: SimulatedCloud) -> None:
    keyless.folder.mkdir(parents=True)
    (keyless.folder / "api_key.json").write_bytes(b"{")
    status = await keyless.ask("status")
    assert (status.status, status.json["problem"]["code"]) == (200, "key_file_damaged")
    assert status.json["can_connect"] is True
    answer = await keyless.ask("preview")
    assert (answer.status, answer.code) == (409, "key_file_damaged")
    told = (await keyless.ask("save_key", {"api_key": cloud.api_key})).json
    assert (told["problem"], told["configured"]) == (None, True)


async def test_failing_to_save_a_key_is_not_reported_as_saved(keyless: Stage, cloud: SimulatedCloud) -> None:
    keyless.folder.write_text("a file where the folder should be")
    answer = await keyless.ask("save_key", {"api_key": cloud.api_key})
    assert (answer.status, answer.code) == (409, "state_unwritable")
    assert str(keyless.folder) not in answer.text


async def test_no_answer_and_no_log_line_contains_the_key(
    keyless: Stage, cloud: SimulatedCloud, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    answers = [
        await keyless.ask("save_key", {"api_key": cloud.api_key}),
        await keyless.ask("save_key", {"api_key": OTHER_KEY}),
        await keyless.ask("save_key", {"api_key": OTHER_KEY, "unchecked": True}),
        await keyless.ask("status"),
        await keyless.ask("preview"),
        await keyless.ask("remove_key"),
    ]
    everything = "".join(answer.text + str(answer.headers) for answer in answers) + caplog.text
    for key in (cloud.api_key, OTHER_KEY):
        assert key not in everything
        assert key[:-4] not in everything
    assert str(keyless.events).count(OTHER_KEY) == 0


async def test_a_key_can_be_saved_with_damaged_settings_but_not_with_a_lost_state_folder(
    keyless: Stage, cloud: SimulatedCloud
) -> None:
    assert (await keyless.ask("save_key", {"api_key": cloud.api_key})).json["can_connect"] is True
    await keyless.ask("settings", {"hold_seconds": 5})
    (keyless.folder / "settings.json").write_text("{")
    damaged = (await keyless.ask("status")).json
    assert (damaged["problem"]["code"], damaged["can_connect"]) == ("settings_damaged", True)
    shutil.rmtree(keyless.folder)
    lost = (await keyless.ask("status")).json
    assert (lost["problem"]["code"], lost["can_connect"]) == ("state_lost", False)
