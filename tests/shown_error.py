"""All that anybody could be shown of an error."""

from __future__ import annotations


def everything_of(error: BaseException) -> str:
    """All that a log, a debugger's summary or an error tracker shows of an exception and those behind it."""
    shown = []
    found: BaseException | None = error
    while found is not None:
        shown += [str(found), repr(found), repr(found.args), repr(vars(found))]
        found = found.__cause__ or found.__context__
    return "\n".join(shown)
