"""What an earlier run left open."""

from __future__ import annotations

from .in_flight import Entry, Journal
from .slot import SendingSlot


def unresolved(journal: Journal, slot: SendingSlot) -> list[Entry]:
    """Operations whose outcome nobody knows: ComfyUI stopped, or they were cancelled. Blocking (small files)."""
    entries = journal.entries()
    holder = slot.holder() if entries else None
    return [entry for entry in entries if entry.operation != holder]
