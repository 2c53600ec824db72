"""When two nodes count as the same: the key of the cache of outputs.

A node is the same if its class, the answer of IS_CHANGED, its constants and, for each link, the node
behind it are the same. Keys are compared as containers are, by identity first: one NaN object equals
itself, a fresh NaN or UUID equals nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from .blocking import ExecutionBlocker
from .calls import call_and_wait, gather_inputs, is_link
from .registry import NodeRegistry

logger = logging.getLogger("embedded_host")
Prompt = dict[str, dict[str, Any]]


def _hashable(value: object) -> Hashable:
    if value is None or isinstance(value, int | float | str | bool):
        return value
    if isinstance(value, Mapping):
        return ("mapping", *((key, _hashable(value[key])) for key in sorted(value)))
    if isinstance(value, Sequence):
        return ("sequence", *(_hashable(item) for item in value))
    return object()


class Signatures:
    """The keys of one prompt's nodes, each worked out once."""

    def __init__(self, prompt_id: str, prompt: Prompt, registry: NodeRegistry) -> None:
        self._prompt_id = prompt_id
        self._prompt = prompt
        self._registry = registry
        self._known: dict[str, Hashable] = {}

    async def of(self, node_id: str) -> Hashable:
        """The key of a node. IS_CHANGED is asked on the way, also of the nodes before it."""
        if node_id not in self._known:
            # A node met again while its own key is being made is part of a cycle: never the same as anything.
            self._known[node_id] = object()
            self._known[node_id] = await self._work_out(node_id)
        return self._known[node_id]

    def __getitem__(self, node_id: str) -> Hashable:
        return self._known[node_id]

    def values(self) -> set[Hashable]:
        """All keys of this prompt."""
        return set(self._known.values())

    async def _work_out(self, node_id: str) -> Hashable:
        node = self._prompt.get(node_id)
        if node is None:
            return object()
        node_class = self._registry.classes[node["class_type"]]
        parts: list[Hashable] = [node["class_type"], _hashable(await self._is_changed(node_id, node))]
        hidden = self._registry.input_types(node["class_type"]).get("hidden", {}).values()
        if getattr(node_class, "NOT_IDEMPOTENT", False) or "UNIQUE_ID" in hidden:
            parts.append(node_id)
        for name in sorted(node["inputs"]):
            value = node["inputs"][name]
            if is_link(value):
                parts.append((name, "link", await self.of(value[0]), value[1]))
            else:
                parts.append((name, _hashable(value)))
        return tuple(parts)

    async def _is_changed(self, node_id: str, node: dict[str, Any]) -> object:
        """The answer of IS_CHANGED, also written into the prompt, where savers put it into images."""
        node_class = self._registry.classes[node["class_type"]]
        if not hasattr(node_class, "IS_CHANGED"):
            return False
        if "is_changed" not in node:
            declared = self._registry.input_types(node["class_type"])
            inputs = gather_inputs(node["inputs"], declared, None, {"UNIQUE_ID": node_id, "PROMPT": {}})
            try:
                answers = await call_and_wait(
                    node_class.IS_CHANGED,
                    inputs,
                    as_lists=getattr(node_class, "INPUT_IS_LIST", False),
                    context=(self._prompt_id, node_id),
                )
            except Exception as error:  # noqa: BLE001 - any fault in a node's IS_CHANGED means "changed"
                logger.warning("IS_CHANGED of node %s: %s", node_id, error)
                node["is_changed"] = float("nan")
            else:
                node["is_changed"] = [
                    None if isinstance(item, ExecutionBlocker) else item for item in answers
                ]
        return node["is_changed"]
