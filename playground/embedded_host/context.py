"""Which node of which prompt is running: a context variable, so it survives `await`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple


class ExecutionContext(NamedTuple):
    """The local prompt, the node, and the place in the list that the node is called for."""

    prompt_id: str
    node_id: str
    list_index: int | None


_current: ContextVar[ExecutionContext | None] = ContextVar("embedded_host_execution_context", default=None)


def get_executing_context() -> ExecutionContext | None:
    """The running node, or None outside a run."""
    return _current.get()


@contextmanager
def executing(context: ExecutionContext) -> Iterator[None]:
    """Name the running node for the time of the block."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)
