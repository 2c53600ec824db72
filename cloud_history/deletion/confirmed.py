"""What a person confirmed, and the entry that is written down of an operation before it begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..secret import scrub
from ..state.connection import Connection
from ..state.in_flight import Entry, Kind
from .preview import Preview


@dataclass(frozen=True)
class Confirmed:
    """What a person confirmed, and the name its operation will have.

    Attributes:
        origin: where they did: `panel`, `menu`, `clean_up`, or `node` and the node's id.
        backup: whether workflows are backed up first; None: as it is set.
    """

    preview: Preview
    connection: Connection
    operation: str
    origin: str = "panel"
    backup: bool | None = None


def entry_of(
    connection: Connection, kind: Kind, origin: str, confirmed: Confirmed | None, **more: Any
) -> Entry:
    """What is written down. Without the key, which somebody may have pasted into a node's name or a rule."""
    more |= {name: scrub(more[name]) for name in ("title", "what") if name in more}
    if confirmed is not None:
        more["operation"] = confirmed.operation
    return Entry(kind, origin, connection.base_url.host, connection.key.secret.last4, **more)
