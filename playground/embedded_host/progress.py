"""How far each node of the running prompt is, told to the browser as `progress_state`."""

from __future__ import annotations

from typing import Any, Protocol


class Events(Protocol):
    """Where events of a run go: the prompt server, or a list in a test."""

    client_id: str | None

    def send_sync(self, event: str | int, data: Any, sid: str | None = None) -> None:
        """Send to one client, or to all of them when `sid` is None. Safe from any thread."""


class ProgressState:
    """The nodes of one prompt that have started."""

    def __init__(self, prompt_id: str, events: Events) -> None:
        self.prompt_id = prompt_id
        self._events = events
        self._nodes: dict[str, dict[str, Any]] = {}

    def update(self, node_id: str, value: float = 0, maximum: float = 1, state: str = "running") -> None:
        """Note a node's progress and tell the client that queued the prompt."""
        self._nodes[node_id] = {
            "value": value,
            "max": maximum,
            "state": state,
            "node_id": node_id,
            "prompt_id": self.prompt_id,
            "display_node_id": node_id,
            "parent_node_id": None,
            "real_node_id": node_id,
        }
        data = {"prompt_id": self.prompt_id, "nodes": dict(self._nodes)}
        self._events.send_sync("progress_state", data, self._events.client_id)

    def finish(self, node_id: str) -> None:
        """Note that a node is done."""
        maximum = self._nodes.get(node_id, {}).get("max", 1)
        self.update(node_id, maximum, maximum, "finished")
