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
        {"operation": "o1", "hold": "o1", "kind": "delete", "phase": "sending", "done": 200, "total": 300},
        {"operation": "o2", "hold": None, "kind": "clear", "phase": "checking", "done": 0, "total": 1},
    ]
    events.forget("o1")
    events.forget("never heard of")
    assert [each["operation"] for each in events.progress()] == ["o2"]


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
