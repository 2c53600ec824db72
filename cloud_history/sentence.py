"""The texts of one error."""

from __future__ import annotations

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
