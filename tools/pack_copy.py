"""A copy of the shipped Python code under an importable name, for tools that insist on one.

The checkout's own folder is the pack's package, and people name it as they like: `comfy-cloud-history` is no
identifier, and mypy refuses it. A copy does what a link would, also where links need special rights.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from steps import ROOT

PACKAGE = "comfy_cloud_history"
PARTS = ("__init__.py", "comfy_host.py", "nodes", "cloud_history")


def copy_pack() -> tuple[Path, str]:
    """Bring the copy up to date; the folder to put on a search path, and the package's name in it.

    File times are kept, so that mypy's cache stays of use. Raises FileNotFoundError when a part of the pack is missing.
    """
    folder = ROOT / ".cache" / "pack"
    copy = folder / PACKAGE
    sources = {path.relative_to(ROOT): path for part in PARTS for path in _files(ROOT / part)}
    for stale in [path for path in _files(copy) if path.relative_to(copy) not in sources]:
        stale.unlink()
    for name, source in sources.items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, copy / name)
    return folder, PACKAGE


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place] if place.suffix else []
    return [path for path in place.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
