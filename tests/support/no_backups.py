"""Settings with backups off, for tests of deletions that make no backup. Backups are on by default."""

from __future__ import annotations

from pathlib import Path

from cloud_history.state.settings import SettingsFile


def without_backups(folder: Path) -> Path:
    """Turn backups off in the settings of this state folder, and return the folder."""
    SettingsFile(folder).change(backup="off")
    return folder
