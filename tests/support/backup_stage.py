"""Helpers that write and list backups."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from cloud_history.state.backups import BackupFolder

KEY = "comfyui-0123456789abcdef0123456789abcdef"
OPERATION = "0123456789abcdef" * 2
OTHER = "f" * 32
ABOUT = {"version": "1.2.0", "host": "cloud.comfy.org", "last4": "cdef", "origin": {"kind": "panel"}}
CREATED = "2026-07-01T12:00:00+00:00"


def job_id(number: int) -> str:
    return str(UUID(int=number))


JOB = job_id(1)
DETAIL: dict[str, Any] = {"id": JOB, "status": "completed", "workflow": {"nodes": [{"id": 1}]}}


def make(folder: Path, operation: str = OPERATION, **about: object) -> Path:
    """Make a backup of one job. All backups have the same size."""
    writer = BackupFolder(folder).begin(operation, {**ABOUT, "created_at": CREATED, **about})
    writer.add(JOB, DETAIL, KEY)
    return writer.close()


def names(folder: Path) -> set[str]:
    """Return the names of the files in the backup folder."""
    return {path.name for path in (folder / "backups").iterdir()} - {".gate"}
