"""Whether workflows may delete: as a person has set it, unless the environment says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from .. import environment
from ..secret import log

NODES_VARIABLE = "COMFY_CLOUD_HISTORY_NODES"

Mode = Literal["ask", "allow", "never"]
_MODES: dict[str, Mode] = {"ask": "ask", "allow": "allow", "never": "never"}


@dataclass(frozen=True)
class Permission:
    """What is in force, and whether the environment has fixed it."""

    mode: Mode
    fixed: bool = False


def permission(set_to: str, environ: Mapping[str, str] = environment.PROCESS) -> Permission:
    """What is in force where a person has set this. A word nobody knows means `ask`: the safe side."""
    named = environment.variable(NODES_VARIABLE, environ).lower()
    if not named:
        return Permission(_MODES.get(set_to, "ask"))
    if named not in _MODES:
        _remark(named)
    return Permission(_MODES.get(named, "ask"), fixed=True)


@cache
def _remark(word: str) -> None:
    log.warning(
        "%s is “%s”, which is not one of ask, allow and never: workflows ask before they delete.",
        NODES_VARIABLE,
        word[:40],
    )
