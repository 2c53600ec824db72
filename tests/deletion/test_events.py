"""The events that browsers receive and the progress that they request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloud_history.deletion.events import Events


class Listener:
    """Records every event, and sets the clock of `Events`."""

    def __init__(self) -> None:
        self.now = 100.0
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.events = Events(self._hear, clock=lambda: self.now)

    def _hear(self, event: str, payload: Mapping[str, Any]) -> None:
        self.heard.append((event, dict(payload)))


def test_an_event_contains_only_its_operation_and_kind() -> None:
    page = Listener()
    page.events.progressed("o1", "delete", "sending", 100, 300)
    page.events.changed("delete", "o1", ended=True)
    page.events.changed("settings")
    assert page.heard == [
        ("cloud_history.progress", {"operation": "o1", "kind": "delete"}),
        ("cloud_history.changed", {"operation": "o1", "kind": "delete", "ended": True}),
        ("cloud_history.changed", {"operation": None, "kind": "settings", "ended": False}),
    ]


def test_the_latest_progress_of_each_operation_is_kept_until_the_operation_ends() -> None:
    events = Listener().events
    events.progressed("o1", "delete", "sending", 100, 300, held=True)
    events.progressed("o2", "clear", "checking", 0, 1)
    events.progressed("o1", "delete", "sending", 200, 300, held=True)
    assert events.progress() == [
        {"operation": "o1", "hold": "o1", "kind": "delete", "phase": "sending", "done": 200, "total": 300}
        | {"sent": True, "seconds_left": None, "silent_seconds": 0, "workflow_jobs": None},
        {"operation": "o2", "hold": None, "kind": "clear", "phase": "checking", "done": 0, "total": 1}
        | {"sent": False, "seconds_left": None, "silent_seconds": 0, "workflow_jobs": None},
    ]
    events.forget("o1")
    events.forget("never heard of")
    assert [each["operation"] for each in events.progress()] == ["o2"]


def test_a_deletion_counts_as_sent_from_its_first_request_on_also_while_it_is_checked() -> None:
    events = Listener().events
    sent = []
    for phase in ("checking", "backing_up", "sending", "checking"):
        events.progressed("o1", "delete", phase, 0, 1)
        sent += [each["sent"] for each in events.progress()]
    assert sent == [False, False, True, True]


def test_the_time_left_of_a_backup_is_measured_and_counts_the_waits_that_comfy_cloud_asked_for() -> None:
    page = Listener()

    def left(done: int) -> int | None:
        page.events.progressed("o1", "delete", "backing_up", done, 1000)
        (told,) = page.events.progress()
        seconds: int | None = told["seconds_left"]
        return seconds

    assert left(0) is None
    page.now += 2
    assert left(100) is None, "too early to say"
    page.now += 2
    assert left(200) == 16
    page.now += 40
    (told,) = page.events.progress()
    assert told["seconds_left"] == 176, "nothing was saved during the last 40 seconds"
    assert left(300) == 103


def test_the_time_left_is_that_of_the_backup_and_not_of_what_follows() -> None:
    page = Listener()
    for phase in ("backing_up", "sending"):
        page.events.progressed("o1", "delete", phase, 0, 1000)
        page.now += 10
        page.events.progressed("o1", "delete", phase, 500, 1000)
        assert [each["seconds_left"] is not None for each in page.events.progress()] == [phase == "backing_up"]


def test_an_operation_that_has_ended_leaves_neither_its_start_nor_what_it_sent() -> None:
    page = Listener()
    page.events.progressed("o1", "delete", "backing_up", 0, 1000)
    page.events.progressed("o1", "delete", "sending", 0, 1000)
    page.events.forget("o1")
    page.now += 100
    page.events.progressed("o1", "delete", "backing_up", 20, 1000)
    assert [(each["sent"], each["seconds_left"]) for each in page.events.progress()] == [(False, None)]


def test_a_few_jobs_are_no_basis_for_the_time_left_of_a_backup() -> None:
    page = Listener()
    page.events.progressed("o1", "delete", "backing_up", 0, 1000)
    page.now += 10
    page.events.progressed("o1", "delete", "backing_up", 9, 1000)
    assert [each["seconds_left"] for each in page.events.progress()] == [None]


def test_the_progress_of_a_wait_is_the_number_of_seconds_left() -> None:
    page = Listener()
    page.events.progressed("o1", "delete", "asked_to_wait", 0, 12)
    left = []
    for _ in range(4):
        left += [each["total"] for each in page.events.progress()]
        page.now += 5
    assert left == [12, 7, 2]


def test_a_wait_is_reported_beside_other_progress_and_ends_with_its_operation() -> None:
    page = Listener()
    page.events.progressed("o1", "delete", "sending", 0, 300)
    page.events.progressed("o1", "delete", "asked_to_wait", 0, 12)
    page.events.progressed("o1", "delete", "asked_to_wait", 0, 3)
    page.events.progressed("o1", "delete", "sending", 100, 300)
    told = [(each["phase"], each["done"], each["total"]) for each in page.events.progress()]
    assert told == [("sending", 100, 300), ("asked_to_wait", 0, 12)]
    page.events.forget("o1")
    assert page.events.progress() == []


def test_the_progress_says_for_how_long_comfy_cloud_has_not_answered() -> None:
    events = Listener().events
    events.progressed("o1", "delete", "preparing", 0, 3)
    events.progressed("o2", "delete", "preparing", 0, 3)
    events.follow_silence("o1", lambda: 12.9)
    assert [each["silent_seconds"] for each in events.progress()] == [12, 0]
    events.forget("o1")
    events.progressed("o1", "delete", "sending", 0, 3)
    assert {each["operation"]: each["silent_seconds"] for each in events.progress()} == {"o1": 0, "o2": 0}
