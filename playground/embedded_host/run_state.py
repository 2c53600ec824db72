"""What is running: the interrupt flag, and the node that the current task runs."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import NamedTuple


class InterruptProcessingException(Exception):
    """Raised inside a node when the person has interrupted the prompt."""


class Interruption:
    """The interrupt flag. Any thread may set it, and the thread that raises the exception clears it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = False

    def interrupt(self, value: bool = True) -> None:
        """Set or clear the flag."""
        with self._lock:
            self._wanted = value

    def raise_if_interrupted(self) -> None:
        """Clear the flag and raise `InterruptProcessingException` if it was set."""
        with self._lock:
            wanted, self._wanted = self._wanted, False
        if wanted:
            raise InterruptProcessingException


class ExecutionContext(NamedTuple):
    """The running prompt and node, and the index of the list item that the node is called for."""

    prompt_id: str
    node_id: str
    list_index: int


executing: ContextVar[ExecutionContext | None] = ContextVar("embedded_host_executing", default=None)
"""The node that the current task runs, None outside a run."""
