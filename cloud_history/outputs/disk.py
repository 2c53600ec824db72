"""Work on the disk of the outputs, in threads of its own.

The folder for outputs may be on a network drive or a slow disk. If it hangs, the state folder must still answer, so its
work never waits for the same threads.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from ..errors import StateNotAnswering
from ..secret import log
from ..tasks.threads import InTurn, Pool, run_in_pool
from .errors import OutputsUnwritable

T = TypeVar("T")

MAX_SECONDS = 60.0
"""Limit for one step on the disk, such as writing a piece of a file."""
MAX_SECONDS_OF_LONG_WORK = 900.0
"""Limit for reading a whole file that may have gigabytes."""

SILENT = "outputs_silent"
"""The code of the sentence for a disk that does not answer."""

_pool = Pool("outputs", 6)


async def on_disk(work: Callable[[], T], seconds: float = MAX_SECONDS, *, pool: Pool | InTurn = _pool) -> T:
    """Run work on the disk of the outputs in a thread and return its result.

    If the caller is cancelled, work that has not begun is skipped. Other work goes on, and its result is dropped.

    Args:
        seconds: the limit, with the time that the work waits for a thread or its turn.

    Raises:
        OutputsUnwritable: the disk did not answer in time. Other exceptions are those of `work`.
    """
    try:
        return await run_in_pool(work, pool, seconds)
    except StateNotAnswering as exc:
        seconds = float(str(exc.values.get("seconds", seconds)))
    raise OutputsUnwritable("outputs_silent", seconds=seconds)


def on_disk_later(work: Callable[[], object], *, pool: Pool | InTurn = _pool) -> None:
    """Run work on the disk of the outputs in a thread, without waiting for it. Its errors are logged."""

    def logged() -> None:
        try:
            work()
        except Exception as exc:  # noqa: BLE001 - there is no caller to pass it to
            log.warning("Unfinished outputs could not be put away: %s", exc)

    context = contextvars.copy_context()
    with suppress(RuntimeError):  # no thread can be started; the next save finds the unfinished files
        pool.submit(lambda: context.run(logged))


class DiskSteps:
    """Runs steps on one file, one at a time, also if a step goes on after its caller was cancelled."""

    def __init__(self) -> None:
        self._in_turn = InTurn(_pool)

    async def run(self, step: Callable[[], T], seconds: float = MAX_SECONDS) -> T:
        """Run a step, as `on_disk` does."""
        return await on_disk(step, seconds, pool=self._in_turn)

    def run_at_last(self, step: Callable[[], object]) -> asyncio.Future[None]:
        """Run a step after the others. It goes on whatever happens to the caller, and its errors are logged.

        Returns:
            A future that is done when the step has ended. Nobody has to wait for it.
        """
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def set_ended() -> None:
            if not ended.done():
                ended.set_result(None)

        def step_and_tell() -> None:
            try:
                step()
            finally:
                with suppress(RuntimeError):  # the caller's loop was closed
                    loop.call_soon_threadsafe(set_ended)

        on_disk_later(step_and_tell, pool=self._in_turn)
        return ended
