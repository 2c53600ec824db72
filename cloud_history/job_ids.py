"""Reading job ids from whatever a person or a graph gives."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from .errors import InvalidJobIds, NoJobIds
from .secret import scrub

MOST_NAMED = 10
LONGEST_SHOWN = 60

# By hand and in ASCII: uuid.UUID also reads "+123…" and full-width digits, as some other job's id.
_BARE = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_JOB_ID = re.compile(rf"(\{{?)({_BARE.pattern})(\}}?)", re.ASCII)
_SEPARATORS = re.compile(r"[\s,;]+")
_QUOTES = "\"'`“”‘’"
_DEEPEST = 8
_ABSENT = "nothing (a missing or blank input)"

Item = tuple[str, str]
"""How to name the item in an error, and its text ("" where it has none)."""


def is_job_id(text: str) -> bool:
    """Whether the text is exactly one job id, in any case, without braces."""
    return _BARE.fullmatch(text) is not None


def parse_job_ids(given: object) -> list[str]:
    """The job ids in a text (or a list of texts), in lower case, each once, in the order given.

    A text may hold them on lines, with commas, semicolons, spaces or quotes, or as a JSON array; any case,
    braces allowed. An empty list means that there is nothing to do, and gives an empty list.

    Raises:
        NoJobIds: nothing was given: None, or blank text. Absent is never taken for "all", nor for "none".
        InvalidJobIds: something in it is no job id; names the first ten with their positions, and counts all.
    """
    items = list(_items(given, 0))
    if not items:
        return []
    if all(shown == _ABSENT for shown, _ in items):
        raise NoJobIds("No job ids were given.")
    found: dict[str, None] = {}
    wrong: list[str] = []
    for position, (shown, text) in enumerate(items, start=1):
        match = _JOB_ID.fullmatch(text)
        if match and bool(match[1]) == bool(match[3]):
            found[match[2].lower()] = None
        else:
            wrong.append(f"item {position}: {shown}")
    if wrong:
        raise _invalid(wrong, len(items))
    return list(found)


def _items(given: object, depth: int) -> Iterator[Item]:
    if given is None:
        yield _ABSENT, ""
    elif isinstance(given, str):
        yield from _text_items(given, depth)
    elif isinstance(given, (list, tuple)) and depth <= _DEEPEST:
        for each in given:
            yield from _items(each, depth + 1)
    else:
        yield f"a {type(given).__name__}, not text", ""


def _text_items(text: str, depth: int) -> Iterator[Item]:
    array = _json_array(text) if depth <= _DEEPEST else None
    items = list(_items(array, depth + 1)) if array else []
    if items:
        yield from items
        return
    tokens = [] if array is not None else [each.strip(_QUOTES) for each in _SEPARATORS.split(text)]
    named = [each for each in tokens if each]
    if not named:
        yield _ABSENT, ""
    for token in named:
        yield _show(token), token


def _json_array(text: str) -> list[object] | None:
    if not text.lstrip().startswith("["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, list) else None


def _show(token: str) -> str:
    if "comfyui-" in token.lower():
        return "a text that looks like an API key (hidden)"
    cut = scrub(token)[:LONGEST_SHOWN]
    # Escaped, so that what is invisible or runs backwards shows as what it is.
    visible = cut.encode("unicode_escape").decode("ascii")
    return f"“{visible}{'…' if len(token) > LONGEST_SHOWN else ''}”"


def _invalid(wrong: list[str], total: int) -> InvalidJobIds:
    named = "; ".join(wrong[:MOST_NAMED])
    more = f"; and {len(wrong) - MOST_NAMED:,} more" if len(wrong) > MOST_NAMED else ""
    verb = "is not a job id" if len(wrong) == 1 else "are not job ids"
    return InvalidJobIds(f"{len(wrong):,} of {total:,} {verb}: {named}{more}.", count=len(wrong))
