"""Reading job ids from whatever a person or a graph gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from ..errors import InvalidJobIds, NoJobIds, TooManyJobIds
from ..json_pieces import NotJson, loads
from ..secret import scrub

MAX_IDS = 200_000
"""In one deletion. It is ten times what most histories have, and takes a second or two to read."""
MAX_CHARACTERS = 64 * MAX_IDS
"""Of a text with job ids: an id has 36, and what stands between two of them is left some room."""
MAX_NAMED_IDS = 10
MAX_SHOWN_CHARACTERS = 60

# By hand and in ASCII: uuid.UUID also reads "+123…" and full-width digits, as some other job's id.
_BARE = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_JOB_ID = re.compile(rf"(\{{?)({_BARE.pattern})(\}}?)", re.ASCII)
_TOKEN = re.compile(r"[^\s,;]+")
_ARRAY = re.compile(r"\s*\[")
_QUOTES = "\"'`“”‘’"
_MAX_DEPTH = 8
_ABSENT = "nothing (a missing or blank input)"

MAX_SPELLINGS = 200_000

Item = tuple[str, str]
"""What it is where it is no text ("" where it is one), and its text."""


class JobIdSpellings:
    """How a server writes job ids, where that is not in lower case: it may tell upper case from lower.

    Ids are compared in lower case everywhere. The clients of a process share this, and send each id as it was read.
    """

    def __init__(self) -> None:
        self._spellings: dict[str, str] = {}

    def learn(self, job_ids: Iterable[str], spellings: Mapping[str, str]) -> None:
        """Note how ids were read: as in `written`, by what they are in lower case, or else in lower case."""
        if self._spellings:
            for job_id in job_ids:
                self._spellings.pop(job_id, None)
        if len(self._spellings) + len(spellings) <= MAX_SPELLINGS:
            self._spellings.update(spellings)

    def of(self, job_id: str) -> str:
        """The id for a request."""
        return self._spellings.get(job_id, job_id)


def is_job_id(text: str) -> bool:
    """Whether the text is exactly one job id, in any case, without braces."""
    return _BARE.fullmatch(text) is not None


def parse_job_ids(given: object, pause: Callable[[], None] = lambda: None) -> list[str]:
    """The job ids in a text (or a list of texts), in lower case, each once, in the order given.

    A text may hold them on lines, with commas, semicolons, spaces or quotes, or as a JSON array; any case,
    braces allowed. An empty list means that there is nothing to do, and gives an empty list.

    Args:
        pause: called between two items, to let others work; what it raises ends the reading.

    Raises:
        NoJobIds: nothing was given: None, or blank text. Absent is never taken for "all", nor for "none".
        InvalidJobIds: something in it is no job id; names the first ten with their positions, and counts all.
        TooManyJobIds: there are more than 200,000 items, or more text than so many can have.
    """
    found: dict[str, None] = {}
    wrong: list[str] = []
    position = absent = number_wrong = 0
    for position, (kind, text) in enumerate(_items(given, 0, pause), start=1):
        pause()
        if position > MAX_IDS:
            raise TooManyJobIds(most=MAX_IDS)
        match = None if kind else _JOB_ID.fullmatch(text)
        if match and bool(match[1]) == bool(match[3]):
            found[match[2].lower()] = None
            continue
        absent += kind == _ABSENT
        number_wrong += 1
        if len(wrong) < MAX_NAMED_IDS:
            wrong.append(f"item {position}: {kind or _show(text)}")
    if position and absent == position:
        raise NoJobIds()
    if wrong:
        raise _invalid(wrong, number_wrong, position)
    return list(found)


def _items(given: object, depth: int, pause: Callable[[], None]) -> Iterator[Item]:
    if given is None:
        yield _ABSENT, ""
    elif isinstance(given, str):
        yield from _text_items(given, depth, pause)
    elif isinstance(given, (list, tuple)) and depth <= _MAX_DEPTH:
        for each in given:
            yield from _items(each, depth + 1, pause)
    else:
        yield f"a {type(given).__name__}, not text", ""


def _text_items(text: str, depth: int, pause: Callable[[], None]) -> Iterator[Item]:
    if len(text) > MAX_CHARACTERS:
        raise TooManyJobIds(most=MAX_IDS)
    array = _json_array(text, pause) if depth <= _MAX_DEPTH else None
    some = False
    for item in _items(array, depth + 1, pause) if array else ():
        some = True
        yield item
    if some:
        return
    # One after the other: a split would keep Python's lock for as long as it takes.
    for match in _TOKEN.finditer(text) if array is None else ():
        pause()
        token = match[0].strip(_QUOTES)
        if token:
            some = True
            yield "", token
    if not some:
        yield _ABSENT, ""


def _json_array(text: str, pause: Callable[[], None]) -> list[object] | None:
    if not _ARRAY.match(text):
        return None
    try:
        value = loads(text, pause)
    except NotJson:
        return None
    return value if isinstance(value, list) else None


def _show(token: str) -> str:
    if "comfyui-" in token.lower():
        return "a text that looks like an API key (hidden)"
    cut = scrub(token)[:MAX_SHOWN_CHARACTERS]
    # Escaped, so that what is invisible or runs backwards shows as what it is.
    visible = cut.encode("unicode_escape").decode("ascii")
    return f"“{visible}{'…' if len(token) > MAX_SHOWN_CHARACTERS else ''}”"


def _invalid(named: list[str], wrong: int, total: int) -> InvalidJobIds:
    more = f"; and {wrong - len(named):,} more" if wrong > len(named) else ""
    verb = "is not a job id" if wrong == 1 else "are not job ids"
    return InvalidJobIds(wrong=wrong, total=total, verb=verb, items="; ".join(named), more=more)
