"""The safeguards of a state folder: the list of protected jobs, and what a person has set."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ..errors import PreviewExpired
from ..state.protection import Protected, ProtectionFile
from ..tasks.stopping import Watch
from ..tasks.threads import in_thread
from .safeguards import BackedUp, Safeguards


class BackUp(Protocol):
    """Makes a backup of these jobs, and knows whether it is still there."""

    async def __call__(self, job_ids: Sequence[str], watch: Watch) -> BackedUp: ...

    def check(self) -> None:
        """Raises SetupProblem: it was made, and is gone. Blocking."""


async def _never() -> bool:
    return False


class StateGuards(Safeguards):
    """
    Args:
        back_up: makes a backup of these jobs; None where none is wanted.
        backs_up: whether one is wanted by now.
    """

    def __init__(
        self,
        protection: ProtectionFile,
        back_up: BackUp | None,
        backs_up: Callable[[], Awaitable[bool]] = _never,
    ) -> None:
        self._protection = protection
        self._back_up = back_up
        self._backs_up = backs_up

    async def protected(self) -> Protected:
        return await in_thread(self._read)

    def _read(self) -> Protected:
        if self._back_up is not None:
            self._back_up.check()
        return self._protection.load()

    async def back_up(self, job_ids: Sequence[str], watch: Watch) -> BackedUp:
        if self._back_up is None or not job_ids:
            return BackedUp()
        return await self._back_up(job_ids, watch)

    async def before_clear(self) -> None:
        if self._back_up is not None or await self._backs_up() or await self.protected():
            raise PreviewExpired("Jobs were protected, or backups were switched on, since you looked.")
