"""Reasons with arbitrary texts."""

from __future__ import annotations

from cloud_history.reasons import NO_REASON, Reason


def reason(words: str) -> Reason:
    """Return a reason with this text and any code."""
    return Reason("incomplete", {"report": words}) if words else NO_REASON
