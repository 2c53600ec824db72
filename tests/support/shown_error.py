"""Everything that an error could show."""

from __future__ import annotations

from collections.abc import Iterator


def exception_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception with all its causes and contexts."""
    waiting, seen = [error], list[BaseException]()
    while waiting:
        each = waiting.pop()
        seen.append(each)
        yield each
        behind = (each.__cause__, each.__context__)
        waiting += [one for one in behind if one is not None and one not in seen]


def all_text_of(error: BaseException) -> str:
    """Return everything that a log or a debugger shows of an exception, its causes and its contexts."""
    shown = [[str(each), repr(each), repr(each.args), repr(vars(each))] for each in exception_chain(error)]
    return "\n".join(text for texts in shown for text in texts)
