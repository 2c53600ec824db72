"""Reports of nodes that were stopped: ComfyUI shows nothing of such a run, and an event must not carry it.

In files, because some editions of ComfyUI import a pack twice, once for its routes and once for its nodes.
"""

from __future__ import annotations

import json
import re
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import FileRefused, InputRefused, StateUnreadable, StateUnwritable
from ..secret import scrub
from .files import read_private, write_private
from .folder import state_folder_at

MAX_REPORTS = 20
"""Each is fetched within moments, by the page that queued the workflow."""
MAX_REPORT_CHARACTERS = 2_000_000
MAX_REPORT_BYTES = 8 * MAX_REPORT_CHARACTERS

_NAME = re.compile(r"[0-9a-f]{32}")


class NodeReports:
    """The newest reports. Blocking (small files): call it off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._state = state_folder_at(folder)
        self._folder = folder / "node_reports"

    def keep(self, node: str, report: str) -> str:
        """Keep a report, and give the name under which it can be fetched.

        Raises:
            StateUnwritable, StateFolderLost.
        """
        name = uuid.uuid4().hex
        kept = {"node": node, "report": scrub(report)[:MAX_REPORT_CHARACTERS]}
        try:
            self._state.ensure(self._folder.name)
            self._make_room()
            write_private(self._folder / f"{name}.json", json.dumps(kept))
        except OSError as exc:
            raise StateUnwritable("node_report_not_kept", because=exc) from exc
        return name

    def fetch(self, name: str) -> dict[str, Any]:
        """The report of that name, and its node. Raises InputRefused: there is none. StateUnreadable."""
        if _NAME.fullmatch(name):
            try:
                kept = json.loads(read_private(self._folder / f"{name}.json", MAX_REPORT_BYTES))
                return {"node": str(kept["node"]), "report": str(kept["report"])}
            except (FileNotFoundError, NotADirectoryError, FileRefused, ValueError, KeyError, TypeError):
                pass
            except OSError as exc:
                raise StateUnreadable("node_report_unreadable", because=exc) from exc
        raise InputRefused("no_such_node_report")

    def _make_room(self) -> None:
        with suppress(FileNotFoundError):
            found = [path for path in self._folder.iterdir() if _NAME.fullmatch(path.stem)]
            found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
            for path in found[MAX_REPORTS - 1 :]:
                path.unlink(missing_ok=True)
