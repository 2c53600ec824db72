"""Which answer counts: the first one in time, with the token of this question, and either delete or skip."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cloud_history.approval.approval import MAX_TOKENS
from cloud_history.errors import ApprovalClosed, InputRefused, NoAnswer, NoBrowserConnected, OperationRefused
from cloud_history.state.locks import OwnerLock
from cloud_history.state.settings import Backup
from support.asking_scene import EPOCH, NOBODY, Scene, left_behind


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "state")


@pytest.mark.parametrize(
    ("question", "token"),
    [(None, ""), (None, "x"), (None, "é\ud800"), (None, "x" * 60_000), (NOBODY, None), (NOBODY, "x")],
    ids=ascii,
)
def test_an_answer_with_a_wrong_token_or_question_name_changes_nothing(
    scene: Scene, question: str | None, token: str | None
) -> None:
    refused: list[str] = []

    def forge() -> None:
        scene.fetch()
        which = question or scene.shown["question"]
        proof = scene.shown["token"] if token is None else token
        with pytest.raises(ApprovalClosed):
            scene.answers.mark_seen(which, proof)
        with pytest.raises(ApprovalClosed):
            scene.answers.answer(which, proof, "delete")
        refused.append(which)

    scene.at(1.0, forge)
    with pytest.raises(NoBrowserConnected):
        scene.ask()
    assert len(refused) == 1


@pytest.mark.parametrize("name", ["", "..", "../api_key", "0" * 31, "G" * 32, "0" * 33, f"{NOBODY}\n", f"a/{NOBODY}"])
def test_an_invalid_question_name_is_refused_and_never_becomes_a_path(scene: Scene, name: str) -> None:
    with pytest.raises(InputRefused):
        scene.answers.mark_seen(name, "x")
    with pytest.raises(InputRefused):
        scene.answers.answer(name, "x", "skip")
    with pytest.raises(InputRefused):
        scene.answers.fetch(name)
    assert not scene.folder.exists()


def test_the_token_of_one_question_cannot_answer_another_question(scene: Scene) -> None:
    other = left_behind(scene, EPOCH + 600)
    other.with_suffix(".answer").unlink()
    owner_lock = OwnerLock(other)
    refused: list[bool] = []

    def swap() -> None:
        scene.fetch()
        for question, token in ((scene.shown["question"], "t"), (NOBODY, scene.shown["token"])):
            with pytest.raises(ApprovalClosed):
                scene.answers.answer(question, token, "delete")
        refused.append(True)
        scene.answer("skip")

    scene.at(1.0, swap)
    try:
        assert scene.ask() is False
        token = scene.answers.fetch(NOBODY)["token"]
        scene.answers.answer(NOBODY, token, "skip")
    finally:
        owner_lock.release()
    assert refused == [True]


def test_only_the_first_answer_counts(scene: Scene) -> None:
    refused: list[bool] = []

    def twice() -> None:
        scene.answer("skip")
        with pytest.raises(ApprovalClosed):
            scene.answer("delete")
        refused.append(True)

    scene.at(1.0, twice)
    assert scene.ask() is False
    assert refused == [True]


def test_delete_within_a_second_is_refused_and_the_token_stays_valid(scene: Scene) -> None:
    refused: list[float] = []

    def hurry() -> None:
        for seconds in (0.0, 0.5, 0.49):
            scene.reads_for = seconds
            with pytest.raises(OperationRefused, match="before anybody could read"):
                scene.answer()
            refused.append(seconds)
        # A second page must also wait a full second before it can answer.
        scene.fetch()
        with pytest.raises(OperationRefused, match="before anybody could read"):
            scene.answer()
        scene.reads_for = 0.6
        scene.answer()

    scene.at(1.0, hurry)
    assert scene.ask() is True
    assert len(refused) == 3


def test_answering_skip_within_a_second_is_accepted(scene: Scene) -> None:
    scene.reads_for = 0.0
    scene.at(1.0, lambda: scene.answer("skip"))
    assert scene.ask() is False


def test_only_the_newest_tokens_are_kept(scene: Scene) -> None:
    def fetch_often() -> None:
        scene.fetch()
        first = dict(scene.shown)
        for _ in range(MAX_TOKENS):
            scene.fetch()
        with pytest.raises(ApprovalClosed):
            scene.answers.answer(first["question"], first["token"], "skip")
        scene.answer("skip")

    scene.at(1.0, fetch_often)
    assert scene.ask() is False


@pytest.mark.parametrize("seconds", [-7200.0, -60.0, 60.0, 7200.0])
def test_setting_the_clock_neither_ends_nor_prolongs_a_question(scene: Scene, seconds: float) -> None:
    left: list[object] = []

    def set_clock() -> None:
        scene.clock_set_by = seconds

    def look_again() -> None:
        scene.see()
        left.append(scene.shown["seconds_left"])

    scene.at(1.0, scene.see)
    scene.at(2.0, set_clock)
    scene.at(20.0, look_again)
    scene.at(100.0, scene.answer)
    assert scene.ask() is True
    assert left == [100]


@pytest.mark.parametrize(("until", "is_open"), [(-1.0, False), (60.0, True), (9_000.0, True)])
def test_a_question_of_this_process_closes_at_its_timeout(scene: Scene, until: float, is_open: bool) -> None:
    # More than it can be is the clock of an earlier process with the same number.
    owner_lock = OwnerLock(left_behind(scene, EPOCH + 100, process=os.getpid(), until=until))
    try:
        if is_open:
            assert scene.answers.fetch(NOBODY)["seconds_left"] == (50 if until == 60 else 90)
        else:
            with pytest.raises(ApprovalClosed):
                scene.answers.fetch(NOBODY)
    finally:
        owner_lock.release()


@pytest.mark.parametrize(("process", "stays"), [(os.getpid(), True), (-1, False)], ids=["own", "other"])
def test_setting_the_clock_removes_no_question_of_this_process(scene: Scene, process: int, stays: bool) -> None:
    # No process holds its owner lock, as on a file system without locks.
    path = left_behind(scene, EPOCH - 1, process=process, until=60.0)
    scene.at(1.0, scene.see)
    scene.at(2.0, lambda: scene.answer("skip"))
    assert scene.ask() is False
    assert path.exists() is stays


@pytest.mark.parametrize("content", ["{}", '{"ends": 9e12}', '{"about": 5, "ends": 9e12}', "[", ""])
def test_an_unreadable_question_is_not_shown(scene: Scene, content: str) -> None:
    path = left_behind(scene, EPOCH + 600)
    owner_lock = OwnerLock(path)
    try:
        path.write_text(content)
        with pytest.raises(ApprovalClosed):
            scene.answers.fetch(NOBODY)
    finally:
        owner_lock.release()


@pytest.mark.parametrize("word", ["", "yes", "DELETE", "closed", "delete "])
def test_an_unknown_answer_is_refused_and_the_token_stays_valid(scene: Scene, word: str) -> None:
    def wrong_then_right() -> None:
        with pytest.raises(InputRefused):
            scene.answer(word)
        scene.answer("delete")

    scene.at(1.0, wrong_then_right)
    assert scene.ask() is True


def test_an_answer_at_the_last_moment_either_counts_or_is_refused(scene: Scene) -> None:
    scene.at(1.0, scene.see)
    # The clock reaches the end in the same step: the requester gives up without having looked again.
    scene.at(119.9, scene.answer)
    assert scene.ask() is True
    assert scene.now >= 120.0


def test_an_answer_being_written_at_the_timeout_is_waited_for(scene: Scene) -> None:
    def begin() -> None:
        (scene.folder / "asking" / f"{scene.named}.answer").write_text("")

    def finish() -> None:
        (scene.folder / "asking" / f"{scene.named}.answer").write_text('{"answer": "delete"}')

    scene.at(1.0, scene.see)
    scene.at(119.9, begin)
    scene.at(120.1, finish)
    assert scene.ask() is True


@pytest.mark.parametrize("content", ["", "{", "[]", '{"answer": 1}', '{"answer": "closed"}', "\x00"])
def test_an_unreadable_answer_counts_as_no_answer(scene: Scene, content: str) -> None:
    def scribble() -> None:
        (scene.folder / "asking" / f"{scene.named}.answer").write_text(content)

    scene.at(1.0, scene.see)
    scene.at(2.0, scribble)
    with pytest.raises(NoAnswer):
        scene.ask()


def test_a_question_of_an_ended_process_takes_no_answer_and_is_removed_by_the_next_question(
    scene: Scene,
) -> None:
    path = left_behind(scene, EPOCH + 60)
    path.with_suffix(".answer").unlink()
    owner_lock = OwnerLock(path)
    token = scene.answers.fetch(NOBODY)["token"]
    owner_lock.release()
    with pytest.raises(ApprovalClosed):
        scene.answers.answer(NOBODY, token, "skip")
    left_behind(scene, EPOCH - 1)
    scene.at(1.0, scene.answer)
    scene.ask()
    assert scene.files() == []


def test_an_expired_question_refuses_answers_even_if_its_process_still_runs(scene: Scene) -> None:
    path = left_behind(scene, EPOCH + 60)
    path.with_suffix(".answer").unlink()
    owner_lock = OwnerLock(path)
    try:
        token = scene.answers.fetch(NOBODY)["token"]
        scene.now = 80.0
        with pytest.raises(ApprovalClosed):
            scene.answers.answer(NOBODY, token, "skip")
    finally:
        owner_lock.release()


def test_an_open_question_is_not_removed_by_another_process(scene: Scene) -> None:
    path = left_behind(scene, EPOCH - 1)
    owner_lock = OwnerLock(path)
    try:
        scene.at(1.0, scene.answer)
        scene.ask()
        assert path in scene.files()
    finally:
        owner_lock.release()


def test_without_file_locks_questions_can_still_be_answered(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cloud_history.state.locks.try_lock", lambda file: True)
    scene.at(1.0, scene.answer)
    assert scene.ask() is True


@pytest.mark.parametrize("backup", ["off", "workflows", "outputs", None])
def test_the_node_learns_what_the_person_wants_to_keep(scene: Scene, backup: Backup | None) -> None:
    scene.at(3.0, lambda: scene.answer("delete", backup))
    assert scene.ask_for_answer() == (True, backup)


def test_the_node_reads_the_facts_of_its_question_only_if_the_page_asks_for_them_and_once(scene: Scene) -> None:
    got: list[dict[str, object]] = []
    # A thread writes the facts, which takes real time while the scene's clock runs ahead.
    for moment in range(10, 110):
        scene.at(moment / 10, lambda: got.append(scene.facts()))
    scene.at(11.0, scene.answer)
    assert scene.ask() is True
    assert got[0] == {}
    assert got[-1] == {"files": 7}
    assert scene.facts_read == 1
    assert scene.files() == []


def test_a_question_whose_facts_nobody_wants_reads_none(scene: Scene) -> None:
    scene.at(1.0, scene.answer)
    assert scene.ask() is True
    assert scene.facts_read == 0


def test_facts_that_cannot_be_read_do_not_end_the_question(scene: Scene) -> None:
    got: list[dict[str, object]] = []
    scene.facts_fail = True
    scene.at(1.0, lambda: got.append(scene.facts()))
    scene.at(3.0, scene.answer)
    assert scene.ask() is True
    assert (got, scene.facts_read) == ([{}], 1)


def test_the_facts_of_a_question_need_its_token(scene: Scene) -> None:
    def ask() -> None:
        scene.fetch()
        with pytest.raises(ApprovalClosed):
            scene.answers.facts(scene.shown["question"], "another token")
        scene.answer()

    scene.at(1.0, ask)
    assert scene.ask() is True
    assert scene.facts_read == 0
