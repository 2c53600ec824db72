"""Job ids as people, graphs and servers write them, and the ids that this pack makes up."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping

from ..errors import InvalidJobIds, NoJobIds, TooManyJobIds
from ..json_pieces import NotJson, loads
from ..secret import scrub

MAX_IDS = 200_000
"""For one deletion: ten times what most histories have, and parsed in a second or two."""
MAX_CHARACTERS = 64 * MAX_IDS
"""For a text with job ids: each has 36 characters, plus some for separators."""
MAX_NAMED_IDS = 10
MAX_SHOWN_CHARACTERS = 60

# Not uuid.UUID: it also accepts "+123…" and full-width digits, which would become another job's id.
_BARE = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_JOB_ID = re.compile(rf"(\{{?)({_BARE.pattern})(\}}?)", re.ASCII)
HEX_ID_PATTERN = "[0-9a-f]{32}"
_HEX_ID = re.compile(HEX_ID_PATTERN, re.ASCII)
_TOKEN = re.compile(r"[^\s,;]+")
_ARRAY = re.compile(r"\s*\[")
_QUOTES = "\"'`“”‘’"
_MAX_DEPTH = 8
_ABSENT = "nothing (a missing or blank input)"

MAX_SPELLINGS = 200_000

Item = tuple[str, str]
"""What is wrong with an item ("" for a text), and its text."""


class JobIdSpellings:
    """How a server spells job ids that are not all lower case. The server may be case-sensitive.

    This pack compares ids in lower case. All clients of a process share one object and send each id as it was read.
    """

    def __init__(self) -> None:
        self._spellings: dict[str, str] = {}

    def learn(self, job_ids: Iterable[str], spellings: Mapping[str, str]) -> None:
        """Note how a page spelled these ids: as in `spellings` (by lower-case id), otherwise in lower case."""
        if self._spellings:
            for job_id in job_ids:
                self._spellings.pop(job_id, None)
        if len(self._spellings) + len(spellings) <= MAX_SPELLINGS:
            self._spellings.update(spellings)

    def of(self, job_id: str) -> str:
        """Return the id as the server spells it."""
        return self._spellings.get(job_id, job_id)


def is_job_id(text: str) -> bool:
    """Return whether the text is exactly one job id, in any case, without braces."""
    return _BARE.fullmatch(text) is not None


def new_hex_id() -> str:
    """Return a new id for an operation, an approval or a node's report: 32 lower-case hex digits."""
    return uuid.uuid4().hex


def is_hex_id(text: str) -> bool:
    """Return whether `text` has the form of an id from `new_hex_id`. Such a text is safe as a file name."""
    return _HEX_ID.fullmatch(text) is not None


def check_hex_id(text: str) -> None:
    """Raises ValueError if `text` is not such an id."""
    if not is_hex_id(text):
        raise ValueError("not an id: 32 hex digits are needed")


def parse_job_ids(given: object, pause: Callable[[], None] = lambda: None) -> list[str]:
    """Return the job ids in a text or a list of texts: in lower case, without duplicates, in the order given.

    A text may separate ids by line breaks, commas, semicolons or spaces, may quote them, or may be a JSON array. Any
    case and braces are allowed. An empty list gives an empty list.

    Args:
        pause: called between items to let other threads run. Its exceptions are passed on.

    Raises:
        NoJobIds: None or blank text was given, which means neither "all" nor "none".
        InvalidJobIds: an item is not a job id. Names the first ten with their positions, and counts all.
        TooManyJobIds: more than 200,000 items, or more text than that many can have.
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
    # Not `split`: it would hold the interpreter lock for the whole text.
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
    # Escaped, so that invisible and right-to-left characters can be seen.
    visible = cut.encode("unicode_escape").decode("ascii")
    return f"“{visible}{'…' if len(token) > MAX_SHOWN_CHARACTERS else ''}”"


def _invalid(named: list[str], wrong: int, total: int) -> InvalidJobIds:
    more = f"; and {wrong - len(named):,} more" if wrong > len(named) else ""
    verb = "is not a job id" if wrong == 1 else "are not job ids"
    return InvalidJobIds(wrong=wrong, total=total, verb=verb, items="; ".join(named), more=more)
