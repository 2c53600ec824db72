"""Reasons with any words."""

from __future__ import annotations

from cloud_history.reasons import NO_REASON, Reason


def reason(words: str) -> Reason:
    """A reason with these words, whatever its code."""
    return Reason("incomplete", {"report": words}) if words else NO_REASON
