"""Installs what the verbs of dev.py need, each part only when it is missing or out of date.

A part is stamped when it is complete, with a hash of the files that decide it. One that was interrupted has no stamp,
or is marked as unfinished, and is made anew. One set-up runs at a time in a checkout: a second waits.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from apt import apt_install, debian_root
from browser_finder import find_browser
from steps import ROOT, StepFailed, run_step, say

VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# Outside .venv, which is emptied when it is made anew.
VENV_UNFINISHED = ROOT / ".cache" / "venv-unfinished"
FRONTENDS = ROOT / ".frontends"
NODE_MODULES = ROOT / "node_modules"
NEWEST_FRONTEND = "1.58.1"
OLDEST_FRONTEND = "1.27.10"
# One of each way in which ComfyUI's frontend has drawn dialogs and sidebars, from the oldest to the newest.
TOURED_FRONTENDS = (OLDEST_FRONTEND, "1.33.14", "1.44.19", "1.49.6", "1.55.18", NEWEST_FRONTEND)
RUNTIME_PACKAGES = ("aiohttp", "jsonschema")
PIP: list[str | Path] = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input"]


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the checkout's set-up lock; the system drops it by itself when its holders die.

    An install that is still at work after dev.py was killed is a holder as well: on POSIX it inherits the open file.
    """
    (ROOT / ".cache").mkdir(exist_ok=True)
    with (ROOT / ".cache" / "setup.lock").open("a+b") as handle:
        if os.name == "posix":
            os.set_inheritable(handle.fileno(), True)
        if not _try_lock(handle):
            say("  another set-up of this checkout is running: waiting for it")
            while not _try_lock(handle):
                time.sleep(0.3)  # noqa: TID251  (no event loop here)
        yield


def _try_lock(handle: IO[bytes]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def packaging_part(pyproject: str) -> str:
    """The tables of pyproject.toml that decide an install; the settings of linters and tests do not."""
    tables = re.split(r"(?m)^(?=\[)", pyproject)
    return "".join(
        t for t in tables if not t.startswith(("[tool.", "[[tool.")) or t.startswith("[tool.setuptools")
    )


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def python_packages(*, dev: bool) -> None:
    """`.venv` with the package itself, and with the tools of requirements-dev.txt if `dev`."""
    # The checkout's own path is part of it: an editable install points there, also out of a copy of the folder.
    wanted = {"play": _hash(str(ROOT), packaging_part(_text("pyproject.toml")))}
    if dev:
        wanted["dev"] = _hash(wanted["play"], _text("requirements-dev.txt"))
    stamp = VENV / ".stamp.json"
    if PYTHON.exists() and stamp.exists() and not VENV_UNFINISHED.exists():
        found = json.loads(stamp.read_text(encoding="utf-8"))
        if all(found.get(profile) == value for profile, value in wanted.items()):
            return
    make_anew = VENV_UNFINISHED.exists() or not _pip_works()
    VENV_UNFINISHED.touch()
    if make_anew:
        _make_venv()
    stamp.unlink(missing_ok=True)
    pinned = ROOT / "requirements-dev.txt"
    packages: list[str | Path] = (
        ["--requirement", pinned] if dev else ["--constraint", pinned, *RUNTIME_PACKAGES]
    )
    run_step("Python packages", [*PIP, "install", *packages])
    # Its declared dependencies are the registry's business: they name ComfyUI's frontend, a download of 30 MB.
    run_step("this package", [*PIP, "install", "--no-deps", "--editable", ROOT])
    stamp.write_text(json.dumps(wanted), encoding="utf-8")
    VENV_UNFINISHED.unlink()


def packages_for(version: str, interpreter: Path) -> Path:
    """A virtual environment of that interpreter with what the Python tests need. Returns its python."""
    folder = ROOT / ".cache" / "pythons" / version
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / ".stamp"
    wanted = _hash(str(ROOT), _text("requirements-dev.txt"), packaging_part(_text("pyproject.toml")))
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    run_step(f"Python {version}: .venv", [interpreter, "-m", "venv", "--clear", folder])
    pip: list[str | Path] = [python, *PIP[1:]]
    requirements = ROOT / "requirements-dev.txt"
    run_step(f"Python {version}: packages", [*pip, "install", "--requirement", requirements])
    run_step(f"Python {version}: this package", [*pip, "install", "--no-deps", "--editable", ROOT])
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _pip_works() -> bool:
    if not PYTHON.exists():
        return False
    asked = subprocess.run([str(part) for part in [*PIP, "--version"]], capture_output=True, check=False)
    return asked.returncode == 0


def _make_venv() -> None:
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    try:
        run_step(".venv", command)
    except StepFailed as exc:
        if "ensurepip" not in exc.output and "No module named" not in exc.output:
            raise
        if not debian_root():
            raise StepFailed(
                "This Python cannot make virtual environments. On Debian or Ubuntu: sudo apt-get install python3-venv"
            ) from exc
        # Debian splits the module off, one package for each Python it has.
        version = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        apt_install(version)
        run_step(".venv", command)


def frontend(version: str) -> Path:
    """The static files of one comfyui-frontend-package, out of its wheel; the folder that holds index.html."""
    static = FRONTENDS / version / "static"
    if (static / "index.html").is_file():
        return static
    partial = FRONTENDS / f".partial-{version}"
    for leftover in (partial, FRONTENDS / version):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir(parents=True)
    wheel = f"comfyui-frontend-package=={version}"
    run_step(f"frontend {version}", [*PIP, "download", "--no-deps", "--dest", partial, wheel])
    prefix = "comfyui_frontend_package/"
    for archive in partial.glob("*.whl"):
        with zipfile.ZipFile(archive) as files:
            files.extractall(
                partial, [name for name in files.namelist() if name.startswith(f"{prefix}static/")]
            )
    # Renamed as the last act: a folder under its own name is a whole one.
    (partial / prefix).replace(FRONTENDS / version)
    shutil.rmtree(partial)
    return static


def nginx() -> None:
    """Install nginx on a build machine. On a person's own machine the package would start a web server: they decide."""
    if os.environ.get("CI") and debian_root() and not shutil.which("nginx", path="/usr/sbin:/usr/bin"):
        apt_install("nginx-light")


def node_packages() -> None:
    """`node_modules`, exactly as package-lock.json says."""
    stamp = NODE_MODULES / ".stamp"
    wanted = _hash(_text("package.json"), _text("package-lock.json"))
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    if not (shutil.which("node") and shutil.which("npm")):
        if not debian_root():
            raise StepFailed(
                "Node.js with npm is needed for the JavaScript checks: install it, then run this again."
            )
        apt_install("nodejs", "npm")
    # npm ci starts by removing node_modules, and the stamp with it.
    run_step("Node packages", [npm(), "ci", "--no-audit", "--no-fund", "--ignore-scripts"])
    stamp.write_text(wanted, encoding="utf-8")


def npm() -> str:
    """npm's full path: on Windows it is a script, which is found by its full name only."""
    return shutil.which("npm") or "npm"


def browser() -> str:
    """A Chromium to test with, installed where that is possible. Raises `StepFailed`: there is no test without one."""
    found = find_browser(PYTHON)
    if found:
        return found
    if wished := os.environ.get("CHROMIUM"):
        raise StepFailed(f"CHROMIUM names {wished}, and no program is there.")
    if debian_root():
        apt_install("chromium")
    else:
        run_step("Chromium", [PYTHON, "-m", "playwright", "install", "chromium"])
    found = find_browser(PYTHON)
    if not found:
        raise StepFailed(
            "No Chromium or Chrome is found. Install one, or name it: CHROMIUM=/path/to/chromium"
        )
    return found
