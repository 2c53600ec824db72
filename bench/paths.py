"""Paths of the checkout, and the environment of child processes."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACK = "comfy-cloud-history"

_AMBIENT = ("COMFY_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def environment() -> dict[str, str]:
    """Return this process's environment without keys, addresses and proxies, with the checkout on PYTHONPATH."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(_AMBIENT)}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "playground"), str(ROOT / "tools")])}
