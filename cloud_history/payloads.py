"""Reasons and the values of errors as JSON for browsers, which word them in the language of the person."""

from __future__ import annotations

from typing import Any

from .reasons import Reason
from .secret import scrub
from .sentence import Worded


def reason_payload(reason: Reason) -> dict[str, Any] | None:
    """Return a reason as JSON: its code, values and text; None for NO_REASON."""
    if not reason:
        return None
    values = {name: value_payload(value) for name, value in reason.values.items()}
    return {"code": reason.code, "values": values, "text": scrub(str(reason))}


def value_payload(value: object) -> object:
    """Return a value of a text as JSON: reasons as objects, numbers and None as they are, anything else as text.

    Of a value in words, only the value is sent: the words are English.
    """
    if isinstance(value, Worded):
        value = value.value
    if isinstance(value, Reason):
        return reason_payload(value)
    return value if isinstance(value, (int, float)) or value is None else scrub(str(value))
