"""A job's detail as it may be kept: without the API key, and without the members that could hold another one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .errors import NotBackedUp
from .secret import forms, hide

MOST_LEVELS = 100
"""Far deeper than any workflow, and far from where Python gives up."""

_HOLDS_INPUTS = "current_inputs"
_HOLDS_CREDENTIALS = "extra_data"
_HOLDS_THE_WORKFLOW = "extra_pnginfo"
"""In the extra data too. A workflow may well have a `max_tokens` or `keyframes`, and has to come back whole."""
_CREDENTIAL = re.compile("key|token|secret|password", re.IGNORECASE)


def clean_detail(detail: Mapping[str, Any], key: str) -> dict[str, Any]:
    """The detail without `current_inputs`, without the literal key, and without what could be a key in `extra_data`.

    Raises:
        NotBackedUp: it is nested too deeply.
    """
    cleaned = _clean(detail, forms(key), 0, private=False)
    assert isinstance(cleaned, dict)
    return cleaned


def clean_json(value: object, key: str) -> bytes:
    """The JSON of a value that has been cleaned.

    Raises:
        NotBackedUp: the key is in it all the same.
    """
    text = json.dumps(value)
    if any(each in text for each in forms(key)):
        # Where no text is: a key of digits alone in a number, or one that `[hidden]` has in it.
        raise NotBackedUp("the API key is in it, where it can’t be taken out")
    return text.encode("ascii")


def _clean(value: object, literals: list[str], level: int, *, private: bool) -> object:
    """
    Args:
        private: whether it is somewhere below a member named `extra_data`.
    """
    if isinstance(value, str):
        return hide(value, literals)
    if not isinstance(value, (Mapping, list)):
        return value
    if level >= MOST_LEVELS:
        raise NotBackedUp("it is nested too deeply")
    if isinstance(value, list):
        return [_clean(each, literals, level + 1, private=private) for each in value]
    inside = {_HOLDS_CREDENTIALS: True, _HOLDS_THE_WORKFLOW: False}
    return {
        hide(name, literals): _clean(each, literals, level + 1, private=inside.get(name, private))
        for name, each in value.items()
        if name != _HOLDS_INPUTS and not (private and _CREDENTIAL.search(name))
    }
