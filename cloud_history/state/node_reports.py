"""Reports of nodes that were stopped. ComfyUI shows no output of such a run, so the page fetches its report here.

They are files, because some editions of ComfyUI import a pack twice: once for its routes and once for its nodes.
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
"""The page that queued the workflow fetches its report within moments."""
MAX_REPORT_CHARACTERS = 2_000_000
MAX_REPORT_BYTES = 8 * MAX_REPORT_CHARACTERS


class NodeReports:
    """The newest MAX_REPORTS reports. Blocking (small files): call it off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._state = state_folder_at(folder)
        self._folder = folder / "node_reports"

    def keep(self, node: str, report: str) -> str:
        """Save a report. Returns the name to fetch it by. Raises StateUnwritable, StateFolderLost."""
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
        """Return the report of that name and its node id. Raises InputRefused if there is none; StateUnreadable."""
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
