"""Reports of nodes that were stopped. ComfyUI shows no output of a stopped run, so the page fetches the report.

Reports are saved in files, because some editions of ComfyUI import a pack twice: for its routes and for its nodes.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import FileRefused, InputRefused, StateUnreadable, StateUnwritable
from ..jobs.ids import is_hex_id, new_hex_id
from ..secret import scrub
from .files import read_json, write_private
from .folder import state_folder_at

MAX_REPORTS = 20
"""Maximum number of saved reports. A page fetches its report within moments."""
MAX_REPORT_CHARACTERS = 2_000_000
MAX_REPORT_BYTES = 8 * MAX_REPORT_CHARACTERS


class NodeReports:
    """The newest MAX_REPORTS reports. Its methods access files: call them in a thread."""

    def __init__(self, folder: Path) -> None:
        self._state = state_folder_at(folder)
        self._folder = folder / "node_reports"

    def keep(self, node: str, report: str) -> str:
        """Save a report and return its name. Raise StateUnwritable or StateFolderLost if that fails."""
        name = new_hex_id()
        kept = {"node": node, "report": scrub(report)[:MAX_REPORT_CHARACTERS]}
        try:
            self._state.ensure(self._folder.name)
            self._remove_oldest()
            write_private(self._folder / f"{name}.json", json.dumps(kept))
        except OSError as exc:
            raise StateUnwritable("node_report_not_kept", because=exc) from exc
        return name

    def fetch(self, name: str) -> dict[str, Any]:
        """Return a report and its node's id. Raise InputRefused if there is none, StateUnreadable if the disk fails."""
        if is_hex_id(name):
            try:
                kept = read_json(self._folder / f"{name}.json", MAX_REPORT_BYTES)
                return {"node": str(kept["node"]), "report": str(kept["report"])}
            except (FileNotFoundError, NotADirectoryError, FileRefused, ValueError, KeyError):
                pass
            except OSError as exc:
                raise StateUnreadable("node_report_unreadable", because=exc) from exc
        raise InputRefused("no_such_node_report")

    def _remove_oldest(self) -> None:
        with suppress(FileNotFoundError):
            found = [path for path in self._folder.iterdir() if is_hex_id(path.stem)]
            found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
            for path in found[MAX_REPORTS - 1 :]:
                path.unlink(missing_ok=True)
