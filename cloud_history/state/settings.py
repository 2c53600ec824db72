"""What a person has set about safety. Kept here and not in ComfyUI's settings, which any page could change.

Whether workflows may delete is one of them, unless the environment says otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal

from .. import environment
from ..errors import InputRefused, SettingsDamaged, StateFolderLost, StateUnwritable
from ..secret import log
from .files import read_private, write_private
from .folder import SETTINGS, state_folder_at
from .locks import file_lock

MAX_HOLD_SECONDS = 60
MAX_FILE_BYTES = 64_000
BACKUP = ("off", "workflows")
NODES = ("ask", "allow", "never")


@dataclass(frozen=True)
class Settings:
    """
    Attributes:
        hold_seconds: how long a deletion made in the browser can be undone, 0 to 60.
        backup: whether workflows are backed up before their jobs are deleted: `off` or `workflows`.
        nodes: whether workflows may delete: `ask`, `allow` or `never`.
        backup_days, backup_megabytes: how long backups are kept, and how much room they may take.
    """

    hold_seconds: int = 10
    backup: str = "off"
    nodes: str = "ask"
    backup_days: int = 90
    backup_megabytes: int = 1000


SAFE_SETTINGS = Settings(backup="workflows")
"""What is shown for a file that cannot be read: a backup that nobody wants does no harm, one that is missing does."""

_WORDS = {
    "backup": ("Back up workflows before deleting", BACKUP),
    "nodes": ("Workflows may delete", NODES),
}
_NUMBERS = {
    "hold_seconds": ("The seconds to undo", 0, MAX_HOLD_SECONDS),
    "backup_days": ("The days to keep backups", 1, 36_500),
    "backup_megabytes": ("The megabytes backups may use", 1, 10_000_000),
}
MEMBERS: Mapping[str, type] = {**dict.fromkeys(_WORDS, str), **dict.fromkeys(_NUMBERS, int)}


class SettingsFile:
    """The settings on disk. Blocking (a small file): call it off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._state = state_folder_at(folder)
        self._path = folder / SETTINGS
        self._lock_path = folder / "settings.gate"

    def load(self) -> Settings:
        """The settings to show. What cannot be read is on the safe side."""
        try:
            return self.in_force()
        except (SettingsDamaged, StateFolderLost):
            return SAFE_SETTINGS

    def in_force(self) -> Settings:
        """The settings that a deletion follows.

        Raises:
            SettingsDamaged: there are some, and they cannot be read. StateFolderLost: there were some.
        """
        found = self._read()
        # After the reading: what was not found in a folder that is lost counts for nothing.
        if SETTINGS in self._state.check() and found is None:
            found = self._read()  # they came back in this moment
            if found is None:
                raise SettingsDamaged(self._path.name)
        return found or Settings()

    def _read(self) -> Settings | None:
        try:
            found = json.loads(read_private(self._path, MAX_FILE_BYTES))
            if not isinstance(found, dict):
                raise TypeError("not an object")
            return _checked({name: found[name] for name in MEMBERS if name in found}, Settings())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError, InputRefused) as exc:
            raise SettingsDamaged(self._path.name, exc) from None

    def change(self, **members: object) -> Settings:
        """Change and keep some of them.

        Raises:
            InputRefused: a value is out of range. StateUnwritable, StateFolderLost: they cannot be kept.
            SettingsDamaged: the disk refuses to give the others, which may be there a moment later.
        """
        _checked(members, SAFE_SETTINGS)
        try:
            self._state.ensure()
            # One change at a time, also of other processes: none may undo another's.
            with file_lock(self._lock_path):
                settings = _checked(members, self._to_change())
                write_private(self._path, json.dumps(asdict(settings)))
        except OSError as exc:
            raise StateUnwritable("setting_not_saved", because=exc) from exc
        self._state.check()  # notes that there are settings from now on
        return settings

    def _to_change(self) -> Settings:
        """The settings that a change leaves as they are.

        Raises:
            SettingsDamaged: the disk refuses to give them. StateFolderLost.
        """
        try:
            return self.in_force()
        except SettingsDamaged as damaged:
            # Written anew they would lose what was set, such as that no workflow may delete.
            if damaged.is_of_the_disk:
                raise
            return SAFE_SETTINGS


def _checked(members: Mapping[str, object], settings: Settings) -> Settings:
    for name, value in members.items():
        if name in _NUMBERS:
            what, least, most = _NUMBERS[name]
            if type(value) is not int or not least <= value <= most:
                raise InputRefused("setting_out_of_range", setting=what, least=least, most=most)
        elif name in _WORDS:
            what, words = _WORDS[name]
            if value not in words:
                raise InputRefused("not_one_of", setting=what, choices=", ".join(words))
        else:
            raise InputRefused("no_such_setting")
    return replace(settings, **members)  # type: ignore[arg-type]


Mode = Literal["ask", "allow", "never"]
_MODES: dict[str, Mode] = {"ask": "ask", "allow": "allow", "never": "never"}


@dataclass(frozen=True)
class NodeDeletionMode:
    """What is in force, and whether the environment has fixed it."""

    mode: Mode
    fixed: bool = False


def node_deletion_mode(set_to: str, environ: Mapping[str, str] = environment.PROCESS) -> NodeDeletionMode:
    """What is in force where a person has set this. A word nobody knows means `ask`: the safe side."""
    named = environment.variable(environment.NODES_MAY_DELETE, environ).lower()
    if not named:
        return NodeDeletionMode(_MODES.get(set_to, "ask"))
    if named not in _MODES:
        _remark(named)
    return NodeDeletionMode(_MODES.get(named, "ask"), fixed=True)


@cache
def _remark(word: str) -> None:
    log.warning(
        "%s is “%s”, which is not one of ask, allow and never: workflows ask before they delete.",
        environment.NODES_MAY_DELETE,
        word[:40],
    )
