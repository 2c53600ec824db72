"""What the routes share."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from ..holds import Holds
from ..operations import Operations
from ..own_loop import on_own_loop
from ..previews import Previews
from ..stopping import Unwatched, run_stoppable
from ..thumbnails import Thumbnails

T = TypeVar("T")

LONGEST_HOLD = 45.0
"""Seconds a request is held open. What takes longer goes on, and reports by websocket event."""


@dataclass
class Context:
    """The one set of collaborators of all routes.

    Attributes:
        can_cancel: whether the server has the route that cancels jobs; None until it was tried.
    """

    operations: Operations
    holds: Holds
    previews: Previews
    thumbnails: Thumbnails
    longest_hold: float = LONGEST_HOLD
    can_cancel: bool | None = None

    async def in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it, but never hold the request open longer than allowed. Raises CloudTimeoutError."""
        return await run_stoppable(on_own_loop(work), Unwatched(), self.longest_hold)
