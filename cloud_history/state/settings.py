"""Settings that concern safety. They are not among ComfyUI's settings, because any page could change those.

One of them is whether workflows may delete; an environment variable overrides it.
"""

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
from .files import read_json, write_private
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
        backup: what is backed up before jobs are deleted: `off` or `workflows`.
        nodes: whether workflows may delete: `ask`, `allow` or `never`.
        backup_days, backup_megabytes: how long backups are kept, and how much disk space they may take.
    """

    hold_seconds: int = 10
    backup: str = "off"
    nodes: str = "ask"
    backup_days: int = 90
    backup_megabytes: int = 1000


SAFE_SETTINGS = Settings(backup="workflows")
"""Shown when the file cannot be read: an unwanted backup does no harm, a missing one does."""

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
        """Return the settings to show: SAFE_SETTINGS if they cannot be read."""
        try:
            return self.in_force()
        except (SettingsDamaged, StateFolderLost):
            return SAFE_SETTINGS

    def in_force(self) -> Settings:
        """Return the settings that a deletion follows.

        Raises:
            SettingsDamaged: they cannot be read. StateFolderLost: the state folder or the file is missing.
        """
        found = self._read()
        # Checked after reading, so that nothing read from a lost folder is used.
        if SETTINGS in self._state.check() and found is None:
            found = self._read()  # the file appeared in between
            if found is None:
                raise SettingsDamaged(self._path.name)
        return found or Settings()

    def _read(self) -> Settings | None:
        try:
            found = read_json(self._path, MAX_FILE_BYTES)
            return _checked({name: found[name] for name in MEMBERS if name in found}, Settings())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError, TypeError, InputRefused) as exc:
            raise SettingsDamaged(self._path.name, exc) from None

    def change(self, **members: object) -> Settings:
        """Change some of them and save all.

        Raises:
            InputRefused: a value is out of range. StateUnwritable, StateFolderLost: they cannot be saved.
            SettingsDamaged: the disk failed while the current values were read.
        """
        _checked(members, SAFE_SETTINGS)
        try:
            self._state.ensure()
            # Changes are serialised, those of other processes included, so that none is lost.
            with file_lock(self._lock_path):
                settings = _checked(members, self._current())
                write_private(self._path, json.dumps(asdict(settings)))
        except OSError as exc:
            raise StateUnwritable("setting_not_saved", because=exc) from exc
        self._state.check()  # records in the marker that the settings exist
        return settings

    def _current(self) -> Settings:
        """Return the values to keep. Raises SettingsDamaged if the disk failed, and StateFolderLost."""
        try:
            return self.in_force()
        except SettingsDamaged as damaged:
            # Writing defaults here would lose what was set, such as that no workflow may delete.
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
    """Whether workflows may delete, and whether an environment variable fixes that."""

    mode: Mode
    fixed: bool = False


def node_deletion_mode(set_to: str, environ: Mapping[str, str] = environment.PROCESS) -> NodeDeletionMode:
    """Return the mode in force, given the setting. An unknown word means `ask`."""
    named = environment.variable(environment.NODES_MAY_DELETE, environ).lower()
    if not named:
        return NodeDeletionMode(_MODES.get(set_to, "ask"))
    if named not in _MODES:
        _warn_once(named)
    return NodeDeletionMode(_MODES.get(named, "ask"), fixed=True)


@cache
def _warn_once(word: str) -> None:
    log.warning(
        "%s is “%s”, which is not one of ask, allow and never: workflows ask before they delete.",
        environment.NODES_MAY_DELETE,
        word[:40],
    )
