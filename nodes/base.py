"""The base class of all nodes, which makes every run execute each node once, and functions that read inputs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..cloud_history.errors import InputRefused
from ..cloud_history.jobs.status import FINISHED, listed

if TYPE_CHECKING:
    from ..cloud_history.state.settings import Backup

T = TypeVar("T")
Inputs = dict[str, dict[str, tuple[object, dict[str, object]]]]
Output = dict[str, object]


class AnyType(str):
    """The type "*", which is equal to every other type. Older versions of ComfyUI compare types with `!=`."""

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


ANY = AnyType("*")
STATUS_WORDS = f"Finished means {listed(FINISHED, 'or')}."
AFTER_INPUT: dict[str, object] = {
    "tooltip": "Anything. This node runs after it, and hands it on unchanged: “delete once this is saved”."
}
BACKUPS: dict[str, Backup | None] = {"setting": None, "off": "off", "workflows": "workflows", "outputs": "outputs"}
BACKUP_INPUT: tuple[object, dict[str, object]] = (
    list(BACKUPS),
    {
        "default": "setting",
        "tooltip": "Whether the workflows of the jobs, or their outputs too, are saved on this server first. "
        "“setting”: as it is set in Settings > Cloud history.",
    },
)
AFTER_TOOLTIP = "What came in at “after”, unchanged."
REPORT_TOOLTIP = "What happened, in words. The same text is shown on the node."


class CloudHistoryNode:
    """Base class of the nodes. ComfyUI reuses an instance in many runs, so no state is stored in `self`."""

    CATEGORY = "cloud history"
    FUNCTION = "run"
    OUTPUT_NODE = True
    # Without a fresh IS_CHANGED, ComfyUI caches the node; without NOT_IDEMPOTENT, two equal nodes in a graph share one
    # run; without INPUT_IS_LIST, a list on an input runs the node once for each item.
    INPUT_IS_LIST = True
    NOT_IDEMPOTENT = True
    SEARCH_ALIASES: ClassVar[list[str]] = []

    @classmethod
    def IS_CHANGED(cls, **inputs: object) -> str:
        # A NaN would be invalid: ComfyUI saves this value in images, in a prompt that must be JSON.
        return uuid.uuid4().hex


def only_value(values: object, name: str) -> object:
    """Return the only value of an input. Raise InputRefused if the input does not have exactly one value."""
    if isinstance(values, (list, tuple)) and len(values) == 1:
        return values[0]
    raise InputRefused("input_not_one_value", name=name)


def only_boolean(values: object, name: str) -> bool:
    """Return the only value of a BOOLEAN input. Raise InputRefused unless it has exactly one boolean."""
    if isinstance(values, (list, tuple)) and len(values) == 1 and isinstance(values[0], bool):
        return values[0]
    raise InputRefused("input_not_boolean", name=name)


def only_text(values: object, name: str) -> str:
    """Return the only value of a STRING or COMBO input. Raise InputRefused unless it has exactly one text."""
    if isinstance(values, (list, tuple)) and len(values) == 1 and isinstance(values[0], str):
        return values[0]
    raise InputRefused("input_not_text", name=name)


def only_whole_number(values: object, name: str) -> int:
    """Return the only value of an INT input. Raise InputRefused unless it has exactly one whole number from 0 up."""
    if isinstance(values, (list, tuple)) and len(values) == 1 and type(values[0]) is int and values[0] >= 0:
        return values[0]
    raise InputRefused("input_not_number", name=name)


def only_choice(values: object, name: str, choices: Mapping[str, T]) -> T:
    """Return the value of `choices` for the word in a COMBO input. Raise InputRefused if it is not in `choices`."""
    word = only_text(values, name)
    if word not in choices:
        raise InputRefused("input_not_a_choice", name=name, choices=", ".join(choices))
    return choices[word]


def chosen_backup(values: object) -> Backup | None:
    """Return what to keep first; None means as set in Settings. Raise InputRefused unless it is in BACKUPS."""
    return None if values is None else only_choice(values, "backup", BACKUPS)  # older graphs lack this input


def outputs(after: Sequence[object] | None, report: str, *values: object) -> Output:
    """Return a node's outputs: `after` unchanged, then `values`. ComfyUI shows the report on the node."""
    handed_on: list[Any] = [None] if after is None else list(after)
    return {"ui": {"text": [report]}, "result": (handed_on, *values)}
