"""What a person has set about safety. Kept here and not in ComfyUI's settings, which any page could change."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .errors import InputRefused, StateUnwritable
from .files import write_private

LONGEST_HOLD_SECONDS = 60


@dataclass(frozen=True)
class Settings:
    """`hold_seconds`: how long a deletion made in the browser can be undone, 0 to 60."""

    hold_seconds: int = 10


class SettingsFile:
    """The settings on disk. Blocking (a small file): call it off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "settings.json"

    def load(self) -> Settings:
        """The settings in force. What cannot be read is as it was before anybody changed it: the safe side."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            return _checked(Settings(hold_seconds=found["hold_seconds"]))
        except (OSError, ValueError, TypeError, KeyError, RecursionError, InputRefused):
            return Settings()

    def change(self, *, hold_seconds: int) -> Settings:
        """Change and keep them.

        Raises:
            InputRefused: a value is out of range. StateUnwritable: they cannot be kept.
        """
        settings = _checked(replace(self.load(), hold_seconds=hold_seconds))
        try:
            write_private(self._path, json.dumps(asdict(settings)))
        except OSError as exc:
            raise StateUnwritable("The setting can’t be saved.") from exc
        return settings


def _checked(settings: Settings) -> Settings:
    seconds: object = settings.hold_seconds
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 <= seconds <= LONGEST_HOLD_SECONDS:
        raise InputRefused(f"The seconds to undo must be a whole number from 0 to {LONGEST_HOLD_SECONDS}.")
    return settings
