"""Settings that concern safety. They are not stored in ComfyUI's settings, because any page could change those.

One setting is whether workflows may delete jobs. An environment variable overrides it.
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
from ..secret import log, scrub
from .files import read_json, write_private
from .folder import SETTINGS, state_folder_at
from .locks import file_lock

MAX_HOLD_SECONDS = 60
MAX_FILE_BYTES = 64_000
MAX_FOLDER_CHARACTERS = 500
Backup = Literal["off", "workflows", "outputs"]
"""What is kept before jobs are deleted: nothing, their workflows, or their workflows and their outputs."""
BACKUP: tuple[Backup, ...] = ("off", "workflows", "outputs")
NODES = ("ask", "allow", "never")
RECORD_NAMES = ("on", "off")


@dataclass(frozen=True)
class Settings:
    """The settings, with their defaults.

    Attributes:
        hold_seconds: seconds for which a deletion made in the browser can be undone, 0 to 60.
        backup: what is kept before jobs are deleted: `off`, `workflows`, or `outputs` for workflows and outputs.
        nodes: whether workflows may delete: `ask`, `allow` or `never`.
        backup_days: how many days backups are kept.
        backup_megabytes: how much disk space all backups may take.
        record_names: `on` if the audit log keeps the names, times, workflows and errors of jobs, not only their ids.
        outputs_folder: the folder to which outputs are saved, "" for the usual one: below ComfyUI's output folder, or
            an absolute path. Checked again by `outputs.place` at each use.
        outputs_max_gigabytes: the maximum size of one saved output, in units of 2**30 bytes.
    """

    hold_seconds: int = 10
    backup: Backup = "workflows"
    nodes: str = "ask"
    backup_days: int = 90
    backup_megabytes: int = 1000
    record_names: str = "on"
    outputs_folder: str = ""
    outputs_max_gigabytes: int = 8


SAFE_SETTINGS = Settings(backup="workflows")
"""Settings to show if the file cannot be read. Backups are on, because an unwanted backup does no harm."""

_WORDS = {
    "backup": ("Back up before deleting", BACKUP),
    "nodes": ("Workflows may delete", NODES),
    "record_names": ("Keep names in the record", RECORD_NAMES),
}
_NUMBERS = {
    "hold_seconds": ("The seconds to undo", 0, MAX_HOLD_SECONDS),
    "backup_days": ("The days to keep backups", 1, 36_500),
    "backup_megabytes": ("The megabytes backups may use", 1, 10_000_000),
    "outputs_max_gigabytes": ("The gigabytes of one saved output", 1, 10_000),
}
_TEXTS = {"outputs_folder": ("The folder for outputs", MAX_FOLDER_CHARACTERS)}
MEMBERS: Mapping[str, type] = {**dict.fromkeys((*_WORDS, *_TEXTS), str), **dict.fromkeys(_NUMBERS, int)}


class SettingsFile:
    """The settings on disk. Its methods access a file: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self._state = state_folder_at(folder)
        self._path = folder / SETTINGS
        self._lock_path = folder / "settings.gate"

    def load(self) -> Settings:
        """Return the settings to show, or SAFE_SETTINGS if the file cannot be read."""
        try:
            return self.in_force()
        except (SettingsDamaged, StateFolderLost):
            return SAFE_SETTINGS

    def in_force(self) -> Settings:
        """Return the settings for a deletion to use.

        Raises:
            SettingsDamaged: the file cannot be read.
            StateFolderLost: the state folder or the file is missing.
        """
        found = self._read()
        # The folder is checked after reading, so that settings from a lost folder are never used.
        if SETTINGS in self._state.check() and found is None:
            found = self._read()  # the file may have been created after the first read
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
        """Change the given settings and save all settings. Return them.

        Raises:
            InputRefused: a value is out of range.
            StateUnwritable, StateFolderLost: the settings cannot be saved.
            SettingsDamaged: the disk failed while the current values were read.
        """
        _checked(members, SAFE_SETTINGS)
        try:
            self._state.ensure()
            # The file lock serialises the changes of all processes, so that no change is lost.
            with file_lock(self._lock_path):
                settings = _checked(members, self._current())
                write_private(self._path, json.dumps(asdict(settings)))
        except OSError as exc:
            raise StateUnwritable("setting_not_saved", because=exc) from exc
        # Note in the folder’s marker file that the settings exist, so that their loss is noticed.
        self._state.check()
        return settings

    def _current(self) -> Settings:
        """Return the settings before a change. Raise SettingsDamaged or StateFolderLost if the disk failed."""
        try:
            return self.in_force()
        except SettingsDamaged as damaged:
            # Saving defaults now would overwrite the person's settings, such as “never” for deletions by workflows.
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
        elif name in _TEXTS:
            what, most = _TEXTS[name]
            # A pasted API key must not be saved, and no path has unprintable characters.
            if not isinstance(value, str) or len(value) > most or not value.isprintable() or scrub(value) != value:
                raise InputRefused("setting_not_text", setting=what, most=most)
        else:
            raise InputRefused("no_such_setting")
    return replace(settings, **members)  # type: ignore[arg-type]


Mode = Literal["ask", "allow", "never"]
_MODES: dict[str, Mode] = {"ask": "ask", "allow": "allow", "never": "never"}


@dataclass(frozen=True)
class NodeDeletionMode:
    """Whether workflows may delete, and whether an environment variable decides that."""

    mode: Mode
    fixed: bool = False


def node_deletion_mode(set_to: str, environ: Mapping[str, str] = environment.PROCESS) -> NodeDeletionMode:
    """Return the mode from the environment variable, else from the setting. An unknown word means `ask`."""
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
