"""In a ComfyUI with several users, routes that would share the key of one user are refused with the reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud_history.secret import Secret
from cloud_history.state.credentials import KeyStore
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import SimulatedCloud
from support.requests import delete_jobs
from support.route_places import ROUTES
from support.route_stage import Stage, serving

FOR_MANY = ("status", "words", "node_report", "remove_key", "ask_question", "ask_seen", "ask_answer")


@pytest.fixture
async def many(cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path) -> AsyncIterator[Stage]:
    """Routes of a ComfyUI that was started with --multi-user and has a saved key and an environment key."""
    KeyStore(tmp_path / "state", {}).save(Secret(cloud.api_key))
    async with serving(cloud, tmp_path / "state", environ, many_users=True) as stage:
        yield stage


async def test_with_several_users_every_route_that_uses_shared_state_is_refused_with_the_reason(many: Stage) -> None:
    before = many.kept_files()
    for route in ROUTES:
        if route in FOR_MANY:
            continue
        answer = await many.ask(route)
        assert (answer.status, answer.code) == (409, "many_users"), route
        assert "--multi-user" in answer.json["error"]["message"]
        assert "COMFY_CLOUD_HISTORY_SHARED=1" in answer.json["error"]["hint"]
    assert many.cloud.requests == []
    assert many.kept_files() == before


async def test_with_several_users_the_status_names_the_problem_and_shows_no_key(many: Stage) -> None:
    status = (await many.ask("status")).json
    assert status["problem"]["code"] == "many_users"
    assert (status["configured"], status["source"], status["last4"]) == (False, None, "")
    assert status["can_connect"] is False


async def test_deletions_of_one_user_are_not_shown_to_other_users(many: Stage) -> None:
    job_id = many.cloud.finished[0].id
    key = Secret(many.cloud.api_key)
    result = await delete_jobs(many.operations, [job_id], "node 7", Unwatched(), prompt_key=key)
    assert result.removed == 1
    status = await many.ask("status")
    assert status.json["finished"] == status.json["unresolved"] == status.json["holds"] == []
    assert many.results() == []
    assert job_id not in str(many.events) + str(status.json)


async def test_the_request_guards_run_before_the_check_for_several_users(many: Stage) -> None:
    for route in ROUTES:
        assert (await many.ask(route, headers={"Origin": "null"})).status == 403


async def test_with_several_users_a_saved_key_can_still_be_removed(many: Stage) -> None:
    assert (await many.ask("remove_key")).status == 200
    assert not [name for name in many.kept_files() if "key" in name]


async def test_with_several_users_a_question_can_be_answered_but_not_with_always(many: Stage) -> None:
    owner_lock = await many.open_question()
    try:
        body = {"question": many.question, "token": many.question_token, "answer": "delete"}
        assert (await many.ask("ask_answer", {**body, "always": True})).code == "many_users"
        assert many.answers() == []
        assert (await many.ask("ask_seen", {"question": many.question, "token": many.question_token})).status == 200
        assert (await many.ask("ask_answer", body)).status == 200
    finally:
        owner_lock.release()
    assert many.operations.settings.load().nodes == "ask"


async def test_everything_works_if_all_users_may_share_one_key(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path
) -> None:
    shared = {**environ, "COMFY_CLOUD_HISTORY_SHARED": "1"}
    async with serving(cloud, tmp_path / "state", shared, many_users=True) as stage:
        status = (await stage.ask("status")).json
        assert (status["problem"], status["source"], status["can_connect"]) == (None, "env", False)
        assert (await stage.ask("preview")).status == 200
    shared.pop("COMFY_CLOUD_API_KEY")
    async with serving(cloud, tmp_path / "state", shared, many_users=True) as stage:
        assert (await stage.ask("save_key", {"api_key": cloud.api_key})).status == 200
        assert (await stage.ask("preview")).status == 200
