"""A workflow's question is answered once, with its own token, and optionally for all later workflows."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from cloud_history.state.settings import Settings
from support.route_stage import QUESTION, Stage


@pytest.fixture
async def asked(stage: Stage) -> AsyncIterator[Stage]:
    """Return routes with an open question."""
    owner_lock = await stage.open_question()
    yield stage
    owner_lock.release()


def body(stage: Stage, **members: object) -> dict[str, object]:
    return {"question": stage.question, "token": stage.question_token, **members}


def set_to(stage: Stage) -> str:
    return stage.operations.settings.load().nodes


async def test_a_question_is_fetched_with_a_token_and_the_time_left(asked: Stage) -> None:
    answer = await asked.ask("ask_question", {"question": asked.question})
    shown = answer.json
    assert answer.status == 200
    assert {name: shown[name] for name in QUESTION} == QUESTION
    assert (shown["question"], shown["state"]) == (asked.question, "open")
    assert 585 <= shown["seconds_left"] <= 590
    assert len(shown["token"]) >= 40
    assert asked.answers() == []


async def test_answering_delete_within_a_second_is_refused_and_changes_no_setting(asked: Stage) -> None:
    token = (await asked.ask("ask_question", {"question": asked.question})).json["token"]
    answer = await asked.ask("ask_answer", body(asked, token=token, answer="delete", always=True))
    assert (answer.status, answer.code) == (409, "answered_too_soon")
    assert (asked.answers(), set_to(asked)) == ([], "ask")
    asked.reading.wait(1.0)
    assert (await asked.ask("ask_answer", body(asked, token=token, answer="delete"))).status == 200


@pytest.mark.parametrize("word", ["delete", "skip"])
async def test_only_the_first_answer_to_a_question_is_accepted(asked: Stage, word: str) -> None:
    answer = await asked.ask("ask_answer", body(asked, answer=word))
    assert (answer.status, answer.json) == (200, {})
    for second in ("delete", "skip"):
        answer = await asked.ask("ask_answer", body(asked, answer=second, always=True))
        assert (answer.status, answer.code) == (410, "question_closed")
    assert asked.answers() == [word]
    assert set_to(asked) == "ask"
    assert asked.cloud.requests == []


async def test_answering_always_allows_later_workflows_and_notifies_the_browsers(asked: Stage) -> None:
    asked.operations.settings.change(hold_seconds=7)
    assert (await asked.ask("ask_answer", body(asked, answer="delete", always=True))).status == 200
    assert asked.operations.settings.load() == Settings(hold_seconds=7, nodes="allow", backup="off")
    assert asked.answers() == ["delete"]
    assert [event["kind"] for name, event in asked.events if name == "cloud_history.changed"] == ["settings"]
    settings = (await asked.ask("status")).json["settings"]
    assert (settings["nodes"], settings["nodes_fixed"]) == ("allow", False)


@pytest.mark.parametrize("members", [{"answer": "skip", "always": True}, {"answer": "delete", "always": False}])
async def test_only_answering_delete_with_always_changes_the_setting_to_allow(
    asked: Stage, members: dict[str, object]
) -> None:
    assert (await asked.ask("ask_answer", body(asked, **members))).status == 200
    assert set_to(asked) == "ask"


@pytest.mark.parametrize("wrong", [{"token": "another"}, {"token": ""}, {"question": "0" * 32}])
async def test_an_answer_without_the_question_token_is_refused_and_changes_no_setting(
    asked: Stage, wrong: dict[str, str]
) -> None:
    before = asked.kept_files()
    for route, more in (("ask_seen", {}), ("ask_answer", {"answer": "delete", "always": True})):
        answer = await asked.ask(route, body(asked, **{**more, **wrong}))
        assert (answer.status, answer.code) == (410, "question_closed")
        assert asked.question_token not in answer.text
    assert asked.kept_files() == before
    assert set_to(asked) == "ask"


async def test_failing_to_save_the_setting_is_reported_and_the_answer_still_counts(asked: Stage) -> None:
    (asked.folder / "settings.json").unlink()
    (asked.folder / "settings.json").mkdir()
    answer = await asked.ask("ask_answer", body(asked, answer="delete", always=True))
    assert (answer.status, answer.code) == (409, "state_unwritable")
    assert asked.answers() == ["delete"]
    assert set_to(asked) == "ask"
