"""Asking the person who queued a workflow, with a clock of the test's own: both sides meet in files alone."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cloud_history.asking import Answers, Asker, Questions
from cloud_history.errors import (
    CloudError,
    InputRefused,
    NoAnswer,
    NobodyThere,
    OperationStopped,
    QuestionClosed,
    StateUnwritable,
)
from cloud_history.files import Claim
from cloud_history.secret import Secret
from fake_history_client import Person

TAB = "tab-1"
ASKER = Asker(client=TAB, node="5", title="Tidy up", workflow="Portraits", workflow_id="w-1")
ABOUT = {"kind": "delete", "removable": 3}
EPOCH = 1_700_000_000.0
NOBODY = "0" * 32


class Scene:
    """One question, and what a page does about it at given moments."""

    def __init__(self, folder: Path, connected: tuple[str, ...] = (TAB,)) -> None:
        self.folder = folder
        self.now = 0.0
        self.events: list[tuple[float, str, dict[str, Any], str]] = []
        self.questions = Questions(
            folder,
            self._heard,
            connected.__contains__,
            sleep=self._sleep,
            clock=lambda: self.now,
            today=self.today,
        )
        self.answers = Answers(folder, today=self.today)
        self._planned: list[tuple[float, Callable[[], None]]] = []
        self.when_closed: Callable[[], None] = lambda: None

    def today(self) -> float:
        return EPOCH + self.now

    def at(self, moment: float, act: Callable[[], None]) -> None:
        self._planned.append((moment, act))

    def ask(self, asker: Asker = ASKER, person: Person | None = None) -> bool:
        return asyncio.run(self.questions.ask(asker, ABOUT, person or Person()))

    @property
    def shown(self) -> dict[str, Any]:
        """The question as the page heard of it last."""
        return next(event for _, _, event, _ in reversed(self.events) if event["state"] == "open")

    def see(self) -> None:
        self.answers.seen(self.shown["question"], self.shown["token"])

    def answer(self, word: str = "delete") -> None:
        self.answers.answer(self.shown["question"], self.shown["token"], word)

    def files(self) -> list[Path]:
        return sorted((self.folder / "asking").glob("*"))

    def opened(self) -> list[float]:
        return [when for when, _, event, _ in self.events if event["state"] == "open"]

    def _heard(self, name: str, event: Mapping[str, Any], client: str) -> None:
        self.events.append((self.now, name, dict(event), client))
        if event["state"] == "closed":
            self.when_closed()

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.now = round(self.now + seconds, 3)
        due = [each for each in self._planned if each[0] <= self.now]
        self._planned = [each for each in self._planned if each[0] > self.now]
        for _, act in due:
            act()


def left_behind(scene: Scene, ends: float) -> Path:
    """A question of a process that has ended."""
    (scene.folder / "asking").mkdir(parents=True, exist_ok=True)
    path = scene.folder / "asking" / f"{NOBODY}.json"
    path.write_text(json.dumps({"token": hashlib.sha256(b"t").hexdigest(), "ends": ends}))
    path.with_suffix(".seen").write_text("")
    path.with_suffix(".answer").write_text("")
    return path


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "state")


@pytest.mark.parametrize(("word", "deletes"), [("delete", True), ("skip", False)])
def test_an_answer_is_taken_at_once_and_told_to_the_one_page_that_asked(
    scene: Scene, word: str, deletes: bool
) -> None:
    scene.at(0.4, scene.see)
    scene.at(3.0, lambda: scene.answer(word))
    assert scene.ask() is deletes
    assert scene.now < 3.5
    assert {(name, client) for _, name, _, client in scene.events} == {("cloud_history.ask", TAB)}
    assert scene.opened() == [0.0, 2.0]
    assert scene.events[-1][2] == {"question": scene.shown["question"], "state": "closed", "how": "answered"}


def test_the_event_says_who_asks_about_what_and_how_long_is_left(scene: Scene) -> None:
    scene.at(0.4, scene.see)
    scene.at(20.0, lambda: scene.answer("skip"))
    scene.ask()
    first, last = scene.events[0][2], scene.shown
    assert {name: first[name] for name in ("node", "title", "workflow", "workflow_id", "state")} == {
        "node": "5",
        "title": "Tidy up",
        "workflow": "Portraits",
        "workflow_id": "w-1",
        "state": "open",
    }
    assert (first["kind"], first["removable"]) == ("delete", 3)
    assert (first["seconds_left"], last["seconds_left"]) == (120, 100)
    assert (first["question"], first["token"]) == (last["question"], last["token"])


@pytest.mark.parametrize("client", [None, "", "another-tab"])
def test_without_a_connected_page_nobody_is_asked(scene: Scene, client: str | None) -> None:
    with pytest.raises(NobodyThere) as ended:
        scene.ask(Asker(client=client))
    assert (scene.now, scene.events, scene.files()) == (0.0, [], [])
    assert ended.value.code == "nobody_there"
    for named in (
        "Workflows may delete",
        "COMFY_CLOUD_HISTORY_NODES=allow",
        "no browser",
        "Nothing was sent",
    ):
        assert named in str(ended.value)


def test_a_page_that_does_not_show_the_question_within_15_seconds_is_nobody(scene: Scene) -> None:
    with pytest.raises(NobodyThere):
        scene.ask()
    assert scene.now == 15.0
    assert scene.opened() == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0]


def test_a_page_that_comes_after_a_reload_sees_the_same_question_again(scene: Scene) -> None:
    scene.at(14.0, scene.see)
    scene.at(90.0, scene.see)
    scene.at(91.0, scene.answer)
    assert scene.ask() is True


def test_no_answer_in_two_minutes_is_no(scene: Scene) -> None:
    scene.at(1.0, scene.see)
    with pytest.raises(NoAnswer) as ended:
        scene.ask()
    assert scene.now == 120.0
    assert str(ended.value) == (
        "No answer in 2 minutes, so nothing was deleted. Run the workflow again and answer, or set “Workflows may "
        "delete” to Always."
    )
    assert ended.value.code == "no_answer"
    assert scene.events[-1][2]["how"] == "no_answer"


def test_a_stop_ends_the_question_within_half_a_second(scene: Scene) -> None:
    scene.at(1.0, scene.see)
    with pytest.raises(OperationStopped):
        scene.ask(person=Person(lambda: scene.now >= 30.0))
    assert scene.now <= 30.5
    assert scene.events[-1][2]["how"] == "stopped"


@pytest.mark.parametrize("end", ["answered", "unseen", "unanswered", "stopped", "cancelled", "broken"])
def test_nothing_is_left_of_a_question_however_it_ends(scene: Scene, end: str) -> None:
    def cancel() -> None:
        raise asyncio.CancelledError

    def break_down() -> None:
        raise RuntimeError("a fault of ours")

    if end != "unseen":
        scene.at(1.0, scene.see)
    plans: dict[str, Callable[[], None]] = {
        "answered": scene.answer,
        "cancelled": cancel,
        "broken": break_down,
    }
    if end in plans:
        scene.at(5.0, plans[end])
    late: list[type[CloudError]] = []

    def too_late() -> None:
        try:
            scene.answer()
        except CloudError as error:
            late.append(type(error))

    scene.when_closed = too_late
    person = Person(lambda: end == "stopped" and scene.now >= 9.0)
    try:
        scene.ask(person=person)
    except (CloudError, RuntimeError, asyncio.CancelledError):
        assert end != "answered"
    assert scene.files() == []
    assert scene.events[-1][2]["state"] == "closed"
    assert late == [QuestionClosed]


def test_the_file_is_its_owner_s_alone_and_has_neither_the_token_nor_a_key(scene: Scene) -> None:
    key = "comfyui-unit-asking-0123456789abcdef"
    seen: list[tuple[int, str]] = []

    def look() -> None:
        scene.see()
        seen.extend((stat.S_IMODE(path.stat().st_mode), path.read_text()) for path in scene.files())

    scene.at(1.0, look)
    scene.at(2.0, scene.answer)
    scene.ask(Asker(client=TAB, key=Secret(key)))
    assert len(seen) == 2
    if os.name == "posix":
        assert {mode for mode, _ in seen} == {0o600}
    assert not [text for _, text in seen if scene.shown["token"] in text or key in text]
    assert key not in json.dumps([event for _, _, event, _ in scene.events])
    assert key not in repr(Asker(key=Secret(key)))


@pytest.mark.parametrize(
    ("question", "token"),
    [(None, ""), (None, "x"), (None, "é\ud800"), (None, "x" * 60_000), (NOBODY, None), (NOBODY, "x")],
    ids=ascii,
)
def test_another_token_or_question_changes_nothing(
    scene: Scene, question: str | None, token: str | None
) -> None:
    refused: list[str] = []

    def forge() -> None:
        which = question or scene.shown["question"]
        proof = scene.shown["token"] if token is None else token
        with pytest.raises(QuestionClosed):
            scene.answers.seen(which, proof)
        with pytest.raises(QuestionClosed):
            scene.answers.answer(which, proof, "delete")
        refused.append(which)

    scene.at(1.0, forge)
    with pytest.raises(NobodyThere):
        scene.ask()
    assert len(refused) == 1


@pytest.mark.parametrize(
    "name", ["", "..", "../api_key", "0" * 31, "G" * 32, "0" * 33, f"{NOBODY}\n", f"a/{NOBODY}"]
)
def test_what_is_no_name_of_a_question_is_refused_and_never_becomes_a_path(scene: Scene, name: str) -> None:
    with pytest.raises(InputRefused):
        scene.answers.seen(name, "x")
    with pytest.raises(InputRefused):
        scene.answers.answer(name, "x", "skip")
    assert not scene.folder.exists()


def test_the_token_of_one_question_answers_no_other(scene: Scene) -> None:
    other = left_behind(scene, EPOCH + 600)
    other.with_suffix(".answer").unlink()
    claim = Claim(other)
    refused: list[bool] = []

    def swap() -> None:
        for question, token in ((scene.shown["question"], "t"), (NOBODY, scene.shown["token"])):
            with pytest.raises(QuestionClosed):
                scene.answers.answer(question, token, "delete")
        refused.append(True)
        scene.answer("skip")

    scene.at(1.0, swap)
    try:
        assert scene.ask() is False
        scene.answers.answer(NOBODY, "t", "delete")
    finally:
        claim.release()
    assert refused == [True]


def test_only_the_first_answer_counts(scene: Scene) -> None:
    refused: list[bool] = []

    def twice() -> None:
        scene.answer("skip")
        with pytest.raises(QuestionClosed):
            scene.answer("delete")
        refused.append(True)

    scene.at(1.0, twice)
    assert scene.ask() is False
    assert refused == [True]


@pytest.mark.parametrize("word", ["", "yes", "DELETE", "closed", "delete "])
def test_an_answer_that_is_neither_is_refused_and_uses_nothing_up(scene: Scene, word: str) -> None:
    def wrong_then_right() -> None:
        with pytest.raises(InputRefused):
            scene.answer(word)
        scene.answer("delete")

    scene.at(1.0, wrong_then_right)
    assert scene.ask() is True


def test_an_answer_in_the_very_last_moment_counts_and_is_never_both_taken_and_ignored(scene: Scene) -> None:
    scene.at(1.0, scene.see)
    # The clock reaches the end in the same step: the asker gives up without having looked again.
    scene.at(119.9, scene.answer)
    assert scene.ask() is True
    assert scene.now >= 120.0


def test_an_answer_that_is_half_written_at_the_end_is_waited_for(scene: Scene) -> None:
    def begin() -> None:
        (scene.folder / "asking" / f"{scene.shown['question']}.answer").write_text("")

    def finish() -> None:
        (scene.folder / "asking" / f"{scene.shown['question']}.answer").write_text('{"answer": "delete"}')

    scene.at(1.0, scene.see)
    scene.at(119.9, begin)
    scene.at(120.1, finish)
    assert scene.ask() is True


@pytest.mark.parametrize("content", ["", "{", "[]", '{"answer": 1}', '{"answer": "closed"}', "\x00"])
def test_an_answer_nobody_can_read_is_no_answer(scene: Scene, content: str) -> None:
    def scribble() -> None:
        (scene.folder / "asking" / f"{scene.shown['question']}.answer").write_text(content)

    scene.at(1.0, scene.see)
    scene.at(2.0, scribble)
    with pytest.raises(NoAnswer):
        scene.ask()


def test_a_folder_that_cannot_be_written_stops_it_before_anybody_is_asked(scene: Scene) -> None:
    scene.folder.mkdir()
    (scene.folder / "asking").write_text("in the way")
    with pytest.raises(StateUnwritable):
        scene.ask()
    assert scene.events == []


def test_what_an_ended_process_has_left_takes_no_answer_and_is_removed_by_the_next_question(
    scene: Scene,
) -> None:
    path = left_behind(scene, EPOCH + 60)
    path.with_suffix(".answer").unlink()
    with pytest.raises(QuestionClosed):
        scene.answers.answer(NOBODY, "t", "delete")
    left_behind(scene, EPOCH - 1)
    scene.at(1.0, scene.answer)
    scene.ask()
    assert scene.files() == []


def test_a_question_whose_time_is_up_takes_no_answer_though_its_process_lives(scene: Scene) -> None:
    path = left_behind(scene, EPOCH - 1)
    path.with_suffix(".answer").unlink()
    claim = Claim(path)
    try:
        with pytest.raises(QuestionClosed):
            scene.answers.answer(NOBODY, "t", "delete")
    finally:
        claim.release()


def test_a_question_that_somebody_still_asks_is_left_alone(scene: Scene) -> None:
    path = left_behind(scene, EPOCH - 1)
    claim = Claim(path)
    try:
        scene.at(1.0, scene.answer)
        scene.ask()
        assert path in scene.files()
    finally:
        claim.release()


def test_where_the_file_system_has_no_locks_questions_can_be_answered_all_the_same(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud_history.files.try_lock", lambda file: True)
    scene.at(1.0, scene.answer)
    assert scene.ask() is True


def test_names_from_the_workflow_are_cut_and_cleaned_of_keys() -> None:
    key = Secret("comfyui-unit-asking-in-a-title-0123")
    told = Asker(title="x" * 5000, workflow=f"my {key.reveal()}").payload()
    assert len(told["title"]) == 200
    assert told["workflow"] == "my [hidden]"
