"""The texts of one error, and values that stand in them as words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Sentence(NamedTuple):
    """The texts of an error.

    Attributes:
        message: what happened.
        hint: what the person can do; "" to use the `default_hint` of the error's class, which may be "" too.
        short: the reason in a few words, for a line in a report; "" to use the message.
    """

    message: str
    hint: str = ""
    short: str = ""


@dataclass(frozen=True)
class Worded:
    """A value that English says in words, such as 2 as "2 rows". Translations get the value, and word it themselves.

    Attributes:
        value: a number or a code.
        text: the words in English. `str()` and placeholders give them.
    """

    value: str | int
    text: str

    def __str__(self) -> str:
        return self.text
