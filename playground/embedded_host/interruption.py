"""The one interrupt flag of the process, as `comfy.model_management` keeps it."""

from __future__ import annotations

import threading


class InterruptProcessingException(Exception):
    """Raised inside a node that is to stop."""


class Interruption:
    """A flag set by any thread and cleared by whoever raises because of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = False

    def interrupt(self, value: bool = True) -> None:
        """Ask the running prompt to stop, or with False forget that it was asked."""
        with self._lock:
            self._wanted = value

    def wanted(self) -> bool:
        """Whether the running prompt has been asked to stop."""
        with self._lock:
            return self._wanted

    def throw_if_wanted(self) -> None:
        """Clear the flag and raise `InterruptProcessingException` if it was set."""
        with self._lock:
            wanted, self._wanted = self._wanted, False
        if wanted:
            raise InterruptProcessingException
