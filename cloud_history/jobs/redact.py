"""Removing API keys from the details of a job before they are shown or backed up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import NestedTooDeeply, NotBackedUp
from ..secret import holds, scrub

MAX_LEVELS = 100
"""Limit for nested objects and arrays: far more than any workflow has, and far below Python's recursion limit."""

_HOLDS_INPUTS = "current_inputs"
_EXTRA_DATA = "extra_data"
_HOLDS_THE_WORKFLOW = "extra_pnginfo"
_ARE_THE_WORKFLOW = frozenset({_HOLDS_THE_WORKFLOW, "nodes", "inputs"})
"""Inside these members, an `extra_data` belongs to the workflow and not to the prompt."""


def clean_detail(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return the details without the API keys that this process has used, which may be in names and in texts.

    `current_inputs` are removed everywhere. `extra_data` can contain keys of other services, so everything in it except
    the workflow in `extra_pnginfo` is removed. Keys of other services in a node of the workflow are not recognised.

    Raises:
        NestedTooDeeply: there are more than MAX_LEVELS levels.
    """
    cleaned = _clean(detail, 0, in_workflow=False)
    assert isinstance(cleaned, dict)
    return cleaned


def clean_json(value: object, key: str) -> bytes:
    """Return a value from `clean_detail` as JSON. Raise NotBackedUp if it still contains `key`, the API key in use."""
    text = json.dumps(value)
    if holds(text, key):
        # This happens if the key consists of digits that occur in a number, or if the key is a part of "[hidden]".
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
"""Limit for one job with its workflow, in an answer and in a backup."""
