"""Find the other Pythons of this machine that the pack supports."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SUPPORTED = ("3.10", "3.11", "3.12", "3.13")


def other_interpreters() -> tuple[dict[str, Path], list[str]]:
    """Return the interpreters by version ("3.12"), and the supported versions that this machine lacks.

    The running version is in neither.
    """
    this = f"{sys.version_info.major}.{sys.version_info.minor}"
    found: dict[str, Path] = {}
    missing = []
    for version in SUPPORTED:
        if version == this:
            continue
        working = next((path for path in _candidates(version) if _is_version(path, version)), None)
        if working is None:
            missing.append(version)
        else:
            found[version] = working
    return found, missing


def _candidates(version: str) -> Iterator[Path]:
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield Path(on_path)
    # A pyenv shim on PATH works only for activated versions, so the interpreters are searched too.
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    installed = [path for path in (root / "versions").glob(f"{version}.*/bin/python") if path.is_file()]
    yield from sorted(installed, key=lambda path: [int(part) for part in re.findall(r"\d+", str(path))], reverse=True)


def _is_version(python: Path, version: str) -> bool:
    try:
        asked = subprocess.run(
            [str(python), "-c", "import ensurepip, sys; print(*sys.version_info[:2], sep='.')"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0 and asked.stdout.strip() == version
