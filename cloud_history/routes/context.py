"""What the routes share."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from ..deletion.holds import Holds
from ..deletion.preview import Previews
from ..errors import AccountChanged
from ..service import Operations
from ..state.connection import Connection
from ..tasks.own_loop import on_own_loop
from ..tasks.stopping import Unwatched, run_stoppable
from .thumbnails import Thumbnails

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

    async def find_connection(self, account: str | None) -> Connection:
        """The server and the key in force.

        Args:
            account: of the list from which jobs were chosen, by its first line; None where none were.

        Raises:
            AccountChanged: it is another one by now. There these jobs are not known, which is not to say that they are
                gone, and a filter would match other jobs.
            SetupProblem.
        """
        connection = await self.operations.find_connection()
        if account is not None and account != connection.account:
            raise AccountChanged
        return connection

    async def in_time(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it, but never hold the request open longer than allowed. Raises CloudTimeoutError."""
        return await run_stoppable(on_own_loop(work), Unwatched(), self.longest_hold)
