"""The base of all nodes: each press of Run runs each node exactly once. And how nodes read their inputs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from ..cloud_history.errors import InputRefused
from ..cloud_history.jobs.status import FINISHED, listed

T = TypeVar("T")
Inputs = dict[str, dict[str, tuple[object, dict[str, object]]]]
Output = dict[str, object]


class AnyType(str):
    """The type "*", equal to every other type. Older versions of ComfyUI compare types with `!=`."""

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


ANY = AnyType("*")
STATUS_WORDS = f"Finished means {listed(FINISHED, 'or')}."
AFTER_INPUT: dict[str, object] = {
    "tooltip": "Anything. This node runs after it, and hands it on unchanged: “delete once this is saved”."
}
BACKUPS: dict[str, bool | None] = {"setting": None, "off": False, "workflows": True}
BACKUP_INPUT: tuple[object, dict[str, object]] = (
    list(BACKUPS),
    {
        "default": "setting",
        "tooltip": "Whether the workflows of the jobs are backed up on this server first. “setting”: as it is set in "
        "Settings > Cloud history.",
    },
)
AFTER_TOOLTIP = "What came in at “after”, unchanged."
REPORT_TOOLTIP = "What happened, in words. The same text is shown on the node."


class CloudHistoryNode:
    """Base of the nodes. ComfyUI keeps one instance over many runs, so nothing is kept on `self`."""

    CATEGORY = "cloud history"
    FUNCTION = "run"
    OUTPUT_NODE = True
    # All three are needed: an output node alone is cached, a fresh IS_CHANGED alone lets two equal nodes in one
    # graph share one run, and without INPUT_IS_LIST a list on any input would run the node once for each item.
    INPUT_IS_LIST = True
    NOT_IDEMPOTENT = True
    SEARCH_ALIASES: ClassVar[list[str]] = []

    @classmethod
    def IS_CHANGED(cls, **inputs: object) -> str:
        # Not NaN: the value is written into the prompt that is saved in images, and NaN is not JSON.
        return uuid.uuid4().hex


def only_value(values: object, name: str) -> object:
    """The one value of an input. Raises InputRefused: a missing one must not count as switched off."""
    if isinstance(values, (list, tuple)) and len(values) == 1:
        return values[0]
    raise InputRefused("input_not_one_value", name=name)


def only_boolean(values: object, name: str) -> bool:
    """The one value of a BOOLEAN input.

    Raises:
        InputRefused: it is missing, several, or something else than true or false. A text "false" would count
            as true, and a missing input must not count as anything.
    """
    if isinstance(values, (list, tuple)) and len(values) == 1 and isinstance(values[0], bool):
        return values[0]
    raise InputRefused("input_not_boolean", name=name)


def only_text(values: object, name: str) -> str:
    """The one value of a STRING or COMBO input. Raises InputRefused: a missing one must not count as blank."""
    if isinstance(values, (list, tuple)) and len(values) == 1 and isinstance(values[0], str):
        return values[0]
    raise InputRefused("input_not_text", name=name)


def only_whole_number(values: object, name: str) -> int:
    """The one value of an INT input, 0 or more. Raises InputRefused."""
    if isinstance(values, (list, tuple)) and len(values) == 1 and type(values[0]) is int and values[0] >= 0:
        return values[0]
    raise InputRefused("input_not_number", name=name)


def only_choice(values: object, name: str, choices: Mapping[str, T]) -> T:
    """Return what the word of a COMBO input stands for. Raises InputRefused."""
    word = only_text(values, name)
    if word not in choices:
        raise InputRefused("input_not_a_choice", name=name, choices=", ".join(choices))
    return choices[word]


def chosen_backup(values: object) -> bool | None:
    """Whether to back up first; None for the setting, also for older graphs without this input.

    Raises:
        InputRefused.
    """
    return None if values is None else only_choice(values, "backup", BACKUPS)


def outputs(after: Sequence[object] | None, report: str, *values: object) -> Output:
    """The outputs of a node: `after` unchanged, then `values`. And the report to show on the node."""
    handed_on: list[Any] = [None] if after is None else list(after)
    return {"ui": {"text": [report]}, "result": (handed_on, *values)}
