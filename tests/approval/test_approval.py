"""How a workflow's question to the person is announced, and every way in which the question ends."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from cloud_history.approval import approval
from cloud_history.approval.approval import RequestingNode
from cloud_history.errors import (
    ApprovalClosed,
    CloudError,
    NoAnswer,
    NoBrowserConnected,
    OperationRefused,
    OperationStopped,
    StateUnwritable,
)
from cloud_history.secret import Secret
from support.asking_scene import ABOUT, ASKER, TAB, Scene
from support.fake_history_client import Person


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "state")


@pytest.mark.parametrize(("word", "deletes"), [("delete", True), ("skip", False)])
def test_an_approval_is_announced_only_to_the_page_that_queued_the_workflow_and_answered_at_once(
    scene: Scene, word: str, deletes: bool
) -> None:
    scene.at(0.4, scene.see)
    scene.at(3.0, lambda: scene.answer(word))
    assert scene.ask() is deletes
    assert scene.now < 3.5
    assert {(name, client) for _, name, _, client in scene.events} == {("cloud_history.ask", TAB)}
    assert scene.opened() == [0.0, 2.0]
    assert scene.events[-1][2] == {"question": scene.shown["question"], "state": "closed", "how": "answered"}


def test_an_event_holds_the_id_of_the_approval_and_none_of_its_content(scene: Scene) -> None:
    scene.at(0.4, scene.see)
    scene.at(20.0, lambda: scene.answer("skip"))
    scene.ask()
    opened = [event for _, _, event, _ in scene.events if event["state"] == "open"]
    assert opened == [{"question": scene.shown["question"], "state": "open"}] * 11


def test_a_page_fetches_the_node_the_jobs_and_the_time_left(scene: Scene) -> None:
    fetched: list[dict[str, object]] = []

    def look() -> None:
        scene.see()
        fetched.append(scene.shown)

    scene.at(0.4, look)
    scene.at(20.0, look)
    scene.at(21.0, lambda: scene.answer("skip"))
    scene.ask()
    first, last = fetched
    assert {name: first[name] for name in ("node", "title", "workflow", "workflow_id", "state")} == {
        "node": "5",
        "title": "Tidy up",
        "workflow": "Portraits",
        "workflow_id": "w-1",
        "state": "open",
    }
    assert (first["kind"], first["removable"]) == ("delete", 3)
    assert (first["seconds_left"], last["seconds_left"]) == (120, 100)
    assert first["question"] == last["question"]


def test_each_page_that_fetches_a_question_gets_its_own_token(scene: Scene) -> None:
    tokens: list[str] = []

    def look() -> None:
        scene.see()
        tokens.append(scene.shown["token"])

    def answer_with_the_first() -> None:
        scene.shown["token"] = tokens[0]
        scene.answer()

    scene.at(0.4, look)
    scene.at(1.0, look)
    scene.at(2.0, answer_with_the_first)
    assert scene.ask() is True
    assert len(set(tokens)) == 2


def test_a_page_that_shows_an_approval_receives_its_remaining_time(scene: Scene) -> None:
    left: list[object] = []

    def look() -> None:
        scene.see()
        left.append(scene.answers.mark_seen(scene.shown["question"], scene.shown["token"]))

    scene.at(10.0, look)
    scene.at(70.0, look)
    with pytest.raises(NoAnswer):
        scene.ask()
    assert left == [{"seconds_left": 110}, {"seconds_left": 50}]


def test_twenty_nodes_may_ask_at_once_and_the_next_gets_an_error_with_advice(scene: Scene) -> None:
    with ExitStack() as places:
        for _ in range(20):
            places.enter_context(scene.questions.reserve(ASKER))
        with pytest.raises(OperationRefused) as refused, scene.questions.reserve(ASKER):
            raise AssertionError("it has a place")
    assert str(refused.value) == (
        "20 nodes are waiting for approval already. Nothing was sent. Give all job ids to one node, or let the nodes "
        "run in turn: link an output of each node to “after” of the next."
    )
    # An ended approval makes room for another one, however the approval ended.
    with pytest.raises(asyncio.CancelledError), scene.questions.reserve(ASKER):
        raise asyncio.CancelledError
    for _ in range(30):
        with scene.questions.reserve(ASKER):
            pass


@pytest.mark.parametrize("client", [None, "", "another-tab"])
def test_without_a_connected_page_the_approval_fails(scene: Scene, client: str | None) -> None:
    with pytest.raises(NoBrowserConnected) as ended:
        scene.ask(RequestingNode(client=client))
    assert (scene.now, scene.events, scene.files()) == (0.0, [], [])
    assert ended.value.code == "nobody_there"
    for named in (
        "Workflows may delete",
        "COMFY_CLOUD_HISTORY_NODES=allow",
        "no browser",
        "Nothing was sent",
    ):
        assert named in str(ended.value)


def test_a_page_that_does_not_show_the_question_within_15_seconds_counts_as_not_connected(
    scene: Scene,
) -> None:
    with pytest.raises(NoBrowserConnected):
        scene.ask()
    assert scene.now == 15.0
    assert scene.opened() == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0]


def test_a_page_that_comes_after_a_reload_sees_the_same_question_again(scene: Scene) -> None:
    scene.at(14.0, scene.see)
    scene.at(90.0, scene.see)
    scene.at(91.0, scene.answer)
    assert scene.ask() is True


def test_a_question_without_an_answer_in_two_minutes_deletes_nothing(scene: Scene) -> None:
    scene.at(1.0, scene.see)
    with pytest.raises(NoAnswer) as ended:
        scene.ask()
    assert scene.now == 120.0
    assert str(ended.value) == "No answer in 2 minutes, so nothing was deleted. Run the workflow again and answer."
    assert ended.value.code == "no_answer"
    assert scene.events[-1][2]["how"] == "no_answer"


def test_a_stop_ends_the_question_within_half_a_second(scene: Scene) -> None:
    scene.at(1.0, scene.see)
    with pytest.raises(OperationStopped):
        scene.ask(person=Person(lambda: scene.now >= 30.0))
    assert scene.now <= 30.5
    assert scene.events[-1][2]["how"] == "stopped"


@pytest.mark.parametrize("end", ["answered", "unseen", "unanswered", "stopped", "cancelled", "broken"])
def test_an_approval_removes_its_files_however_it_ends(scene: Scene, end: str) -> None:
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
    assert late == [ApprovalClosed]


@contextmanager
def hanging(monkeypatch: pytest.MonkeyPatch, owner: Any, call: str) -> Iterator[None]:
    """Let this call hang until the test ends."""
    over, real = threading.Event(), getattr(owner, call)

    def hang(*args: Any, **kwargs: Any) -> Any:
        if not over.wait(20):
            raise AssertionError("nobody went on without it")
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, call, hang)
    try:
        yield
    finally:
        over.set()


@pytest.mark.parametrize("cancels", [0, 1, 2])
def test_a_disk_that_cannot_remove_files_delays_neither_the_answer_nor_the_event_loop(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, cancels: int
) -> None:
    monkeypatch.setattr(approval, "REMOVAL_SECONDS", 0.05)
    answered = asyncio.Event()

    def answer() -> None:
        scene.answer()
        answered.set()

    scene.at(1.0, scene.see)
    scene.at(2.0, answer)
    went_on: list[str] = []

    async def beside() -> None:
        asked = asyncio.ensure_future(scene.questions.request(ASKER, ABOUT, Person()))
        await answered.wait()
        for _ in range(cancels):
            asked.cancel()
            await asyncio.sleep(0.001)
        went_on.append("yes")
        if cancels:
            with pytest.raises(asyncio.CancelledError):
                await asked
        else:
            assert (await asked).delete

    with hanging(monkeypatch, Path, "unlink"):
        asyncio.run(asyncio.wait_for(beside(), 10))
        assert scene.events[-1][2]["state"] == "closed"
    assert went_on == ["yes"]


@pytest.mark.parametrize(("call", "looks"), [("write_private", 2), ("read_json", 3)])
def test_a_stop_is_noticed_while_the_disk_does_not_answer(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, call: str, looks: int
) -> None:
    stops = iter([False] * looks)
    with hanging(monkeypatch, approval, call), pytest.raises(OperationStopped):
        scene.ask(person=Person(lambda: next(stops, True)))
    assert bool(scene.events) is (call == "read_json"), "nobody is asked before the question is written"


def test_the_approval_file_is_private_and_contains_neither_token_nor_key(scene: Scene) -> None:
    key = "comfyui-unit-asking-0123456789abcdef"
    seen: list[tuple[int, str]] = []

    def look() -> None:
        scene.see()
        seen.extend((stat.S_IMODE(path.stat().st_mode), path.read_text()) for path in scene.files())

    scene.at(1.0, look)
    scene.at(2.0, scene.answer)
    scene.ask(RequestingNode(client=TAB, key=Secret(key)))
    assert len(seen) == 2
    if os.name == "posix":
        assert {mode for mode, _ in seen} == {0o600}
    assert not [text for _, text in seen if scene.shown["token"] in text or key in text]
    assert key not in json.dumps([event for _, _, event, _ in scene.events])
    assert key not in repr(RequestingNode(key=Secret(key)))


def test_an_unwritable_folder_stops_the_node_before_it_asks(scene: Scene) -> None:
    scene.folder.mkdir()
    (scene.folder / "asking").write_text("in the way")
    with pytest.raises(StateUnwritable):
        scene.ask()
    assert scene.events == []


def test_names_from_the_workflow_are_shortened_and_keys_in_them_hidden() -> None:
    key = Secret("comfyui-unit-asking-in-a-title-0123")
    told = RequestingNode(title="x" * 5000, workflow=f"my {key.reveal()}").payload()
    assert len(told["title"]) == 200
    assert told["workflow"] == "my [hidden]"
