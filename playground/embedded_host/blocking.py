"""The value that tells nodes downstream not to run."""

from __future__ import annotations


class ExecutionBlocker:
    """Given out in place of a value; a node that receives it is not called. `message` is shown if not None."""

    def __init__(self, message: str | None) -> None:
        self.message = message
