"""Parsing job ids from people, graphs and servers, and the ids that this pack creates itself."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping

from ..errors import InvalidJobIds, NoJobIds, TooManyJobIds
from ..json_pieces import NotJson, loads
from ..secret import scrub

MAX_IDS = 200_000
"""Maximum for one deletion: ten times the size of most histories. Parsing so many ids takes one or two seconds."""
MAX_CHARACTERS = 64 * MAX_IDS
"""Maximum length of a text with job ids: 36 characters for each id, and some for separators."""
MAX_NAMED_IDS = 10
MAX_SHOWN_CHARACTERS = 60

# uuid.UUID also accepts "+123…" and full-width digits, and would turn them into the id of another job.
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
"""A pair: why the item is not a text ("" if it is a text), and the text."""


class JobIdSpellings:
    """How a server spells job ids that are not all lower case.

    This pack compares ids in lower case, but the server may be case-sensitive, so clients send each id as the server
    spells it. All clients of a process share one object.
    """

    def __init__(self) -> None:
        self._spellings: dict[str, str] = {}

    def learn(self, job_ids: Iterable[str], spellings: Mapping[str, str]) -> None:
        """Record how a page spells job ids.

        Args:
            job_ids: all ids on the page, in lower case.
            spellings: the server's spelling of ids that are not in lower case, by lower-case id.
        """
        if self._spellings:
            for job_id in job_ids:
                self._spellings.pop(job_id, None)
        if len(self._spellings) + len(spellings) <= MAX_SPELLINGS:
            self._spellings.update(spellings)

    def of(self, job_id: str) -> str:
        """Return the job id in the server's spelling."""
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
    """Raise ValueError if `text` does not have the form of an id from `new_hex_id`."""
    if not is_hex_id(text):
        raise ValueError("an id must have 32 hex digits")


def parse_job_ids(given: object, pause: Callable[[], None] = lambda: None) -> list[str]:
    """Return the job ids in a text or a list of texts: in lower case, without duplicates, in the order given.

    In a text, ids are separated by line breaks, commas, semicolons or spaces, and may be quoted; or the text is a JSON
    array. Upper case and braces are allowed. For an empty list, an empty list is returned.

    Args:
        pause: called between items to let other threads run. Its exceptions are passed on.

    Raises:
        NoJobIds: None or only blank text was given, which may mean "all jobs" or "no jobs".
        InvalidJobIds: an item is not a job id. The error shows the first ten such items and the number of all.
        TooManyJobIds: there are more than MAX_IDS items, or a text is longer than MAX_CHARACTERS.
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
    # `split` would hold the interpreter lock for the whole text.
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
    # Invisible and right-to-left characters are escaped, so that a person can see them.
    visible = cut.encode("unicode_escape").decode("ascii")
    return f"“{visible}{'…' if len(token) > MAX_SHOWN_CHARACTERS else ''}”"


def _invalid(named: list[str], wrong: int, total: int) -> InvalidJobIds:
    more = f"; and {wrong - len(named):,} more" if wrong > len(named) else ""
    verb = "is not a job id" if wrong == 1 else "are not job ids"
    return InvalidJobIds(wrong=wrong, total=total, verb=verb, items="; ".join(named), more=more)
