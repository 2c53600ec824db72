"""A job's detail as it may be shown and kept: without the API key, and without the members that could hold another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import NestedTooDeeply, NotBackedUp
from ..secret import holds, scrub

MAX_LEVELS = 100
"""Far deeper than any workflow, and far from where Python gives up."""

_HOLDS_INPUTS = "current_inputs"
_EXTRA_DATA = "extra_data"
_HOLDS_THE_WORKFLOW = "extra_pnginfo"
_ARE_THE_WORKFLOW = frozenset({_HOLDS_THE_WORKFLOW, "nodes", "inputs"})
"""Members below which an `extra_data` is a part of somebody's workflow, and no longer that of the prompt."""


def clean_detail(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return the detail without any key that this process has held, in names or in texts.

    `current_inputs` are left out wherever they are. Of `extra_data`, which can hold keys of other services, only the
    workflow in `extra_pnginfo` stays. That workflow, like all else, stays as it is: keys of other services that
    somebody typed into its nodes are not recognised.

    Raises:
        NestedTooDeeply.
    """
    cleaned = _clean(detail, 0, in_workflow=False)
    assert isinstance(cleaned, dict)
    return cleaned


def clean_json(value: object, key: str) -> bytes:
    """The JSON of a value that has been cleaned.

    Raises:
        NotBackedUp: the key in use is in it all the same.
    """
    text = json.dumps(value)
    if holds(text, key):
        # Where no text is: a key of digits alone in a number, or one that `[hidden]` has in it.
        raise NotBackedUp("key_in_workflow")
    return text.encode("ascii")


def _clean(value: object, level: int, *, in_workflow: bool) -> object:
    if isinstance(value, str):
        return scrub(value)
    if not isinstance(value, (Mapping, list)):
        return value
    if level >= MAX_LEVELS:
        raise NestedTooDeeply(levels=MAX_LEVELS)
    if isinstance(value, list):
        return [_clean(each, level + 1, in_workflow=in_workflow) for each in value]
    cleaned: dict[str, object] = {}
    for name, each in value.items():
        if name != _HOLDS_INPUTS:
            kept = _workflow_of(each) if name == _EXTRA_DATA and not in_workflow else each
            inside = in_workflow or name in _ARE_THE_WORKFLOW
            cleaned[scrub(name)] = _clean(kept, level + 1, in_workflow=inside)
    return cleaned


def _workflow_of(extra_data: object) -> object:
    if not isinstance(extra_data, Mapping):
        return {}
    return {name: each for name, each in extra_data.items() if name == _HOLDS_THE_WORKFLOW}


MAX_JOB_BYTES = 64 * 1024 * 1024
"""Bytes of one job with its workflow: of the answer, and of its copy in a backup."""
