"""Install what the verbs of dev.py need, each part only if it is missing or out of date.

A complete part has a stamp with a hash of the files that it depends on. An interrupted part has no stamp, or is marked
as unfinished, and is made again. Only one set-up runs in a checkout at a time.
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
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO

from apt import apt_install, debian_root
from browser_finder import OTHER_BROWSERS, find_browser, missing_programs
from steps import ROOT, StepFailed, run_step, say

VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
# This marker is outside .venv, because making .venv again empties it.
VENV_UNFINISHED = ROOT / ".cache" / "venv-unfinished"
FRONTENDS = ROOT / ".frontends"
NODE_MODULES = ROOT / "node_modules"
NEWEST_FRONTEND = "1.58.1"
OLDEST_FRONTEND = "1.27.10"
# ComfyUI's frontend has drawn dialogs and sidebars in a different way in each of these versions.
TOURED_FRONTENDS = (OLDEST_FRONTEND, "1.33.14", "1.44.19", "1.49.6", "1.55.18", NEWEST_FRONTEND)
RUNTIME_PACKAGES = ("aiohttp", "jsonschema")
PIP: list[str | Path] = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input"]
# Python compiles the modules that are imported. To compile all takes as long as to install them.
INSTALL: list[str | Path] = [*PIP, "install", "--no-compile"]
NOT_FOR_PYTHON_TESTS = ("import-linter", "mypy", "playwright", "ruff", "types-")
"""Pinned packages for linters and browsers, by how their lines begin. They are the largest."""


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the set-up lock of the checkout. The system releases it when its holders end.

    On POSIX an installation that outlives dev.py is a holder as well, because it inherits the open file.
    """
    (ROOT / ".cache").mkdir(exist_ok=True)
    with (ROOT / ".cache" / "setup.lock").open("a+b") as handle:
        if os.name == "posix":
            os.set_inheritable(handle.fileno(), True)
        if not _try_lock(handle):
            say("  waiting for another set-up of this checkout")
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
    """Return the tables of pyproject.toml that affect an installation, without the settings of linters and tests."""
    tables = re.split(r"(?m)^(?=\[)", pyproject)
    return "".join(t for t in tables if not t.startswith(("[tool.", "[[tool.")) or t.startswith("[tool.setuptools"))


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def python_packages(*, dev: bool) -> None:
    """Make `.venv` with the package itself, and with requirements-dev.txt if `dev`."""
    # The hash includes the path, because an editable installation in a copy of the folder still points to the original.
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
    packages: list[str | Path] = ["--requirement", pinned] if dev else ["--constraint", pinned, *RUNTIME_PACKAGES]
    run_step("Python packages", [*INSTALL, *packages], lasts="about 30 s" if dev else "about 10 s")
    # --no-deps, because the declared dependencies are for the registry and include ComfyUI's frontend of 30 MB.
    run_step("this package", [*INSTALL, "--no-deps", "--editable", ROOT], lasts="about 5 s")
    stamp.write_text(json.dumps(wanted), encoding="utf-8")
    VENV_UNFINISHED.unlink()


def packages_for(version: str, interpreter: Path) -> Path:
    """Make a virtual environment of that interpreter for the Python tests, and return its python."""
    folder = ROOT / ".cache" / "pythons" / version
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / ".stamp"
    lines = [line for line in _text("requirements-dev.txt").splitlines() if not line.startswith("#")]
    packages = [line for line in lines if not line.startswith(NOT_FOR_PYTHON_TESTS)]
    wanted = _hash(*packages)
    if python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    run_step(f"Python {version}: .venv", [interpreter, "-m", "venv", "--clear", folder])
    run_step(f"Python {version}: packages", [python, *INSTALL[1:], *packages])
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
        run_step(".venv", command, lasts="about 10 s")
    except StepFailed as exc:
        if "ensurepip" not in exc.output and "No module named" not in exc.output:
            raise
        if not debian_root():
            raise StepFailed(
                "This Python cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install python3-venv"
            ) from exc
        # Debian packages the venv module separately for each version of Python.
        version = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        apt_install(version)
        run_step(".venv", command)


def frontend(version: str) -> Path:
    """Download one comfyui-frontend-package, and return the folder that holds index.html."""
    static = FRONTENDS / version / "static"
    if (static / "index.html").is_file():
        return static
    partial = FRONTENDS / f".partial-{version}"
    for leftover in (partial, FRONTENDS / version):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir(parents=True)
    wheel = f"comfyui-frontend-package=={version}"
    run_step(f"frontend {version}", [*PIP, "download", "--no-deps", "--dest", partial, wheel], lasts="30 MB")
    prefix = "comfyui_frontend_package/"
    for archive in partial.glob("*.whl"):
        with zipfile.ZipFile(archive) as files:
            files.extractall(partial, [name for name in files.namelist() if name.startswith(f"{prefix}static/")])
    # Renamed at the end, so that a folder with this name is always complete.
    (partial / prefix).replace(FRONTENDS / version)
    shutil.rmtree(partial)
    return static


def nginx() -> None:
    """Install nginx on a build machine only, because the package starts a web server."""
    if os.environ.get("CI") and debian_root() and not shutil.which("nginx", path="/usr/sbin:/usr/bin"):
        apt_install("nginx-light")


def other_browsers() -> None:
    """Install Firefox and WebKitGTK where possible. Tests in a browser that is missing are skipped.

    Raises:
        StepFailed: on a build machine, where no browser may be left out unseen, the packages can't be installed.
    """
    for browser_name, packages in OTHER_BROWSERS.items():
        if not missing_programs(browser_name):
            continue
        if debian_root():
            # Other systems with apt may lack a package.
            with nullcontext() if os.environ.get("CI") else suppress(StepFailed):
                apt_install(*packages)
        if missing := missing_programs(browser_name):
            say(f"  {browser_name}: not tested, because {' and '.join(missing)} cannot be found.")
            say(f"  On Debian, as root: apt-get install {' '.join(packages)}")


def node_packages() -> None:
    """Install `node_modules` exactly as in package-lock.json."""
    stamp = NODE_MODULES / ".stamp"
    wanted = _hash(_text("package.json"), _text("package-lock.json"))
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return
    if not (shutil.which("node") and shutil.which("npm")):
        if not debian_root():
            raise StepFailed("The JavaScript checks need Node.js and npm. Install them, then run this again.")
        apt_install("nodejs", "npm")
    # npm ci first removes node_modules and with it the stamp.
    run_step("Node packages", [npm(), "ci", "--no-audit", "--no-fund", "--ignore-scripts"], lasts="about 15 s")
    stamp.write_text(wanted, encoding="utf-8")


def npm() -> str:
    """Return npm's full path, because Windows finds a script only by its full name."""
    return shutil.which("npm") or "npm"


def browser() -> str:
    """Return the path of a Chromium, installing one where possible. Raises StepFailed."""
    found = find_browser(PYTHON)
    if found:
        return found
    if wished := os.environ.get("CHROMIUM"):
        raise StepFailed(f"CHROMIUM is {wished}, which is not a program.")
    if debian_root():
        apt_install("chromium")
    else:
        run_step("Chromium", [PYTHON, "-m", "playwright", "install", "chromium"], lasts="180 MB")
    found = find_browser(PYTHON)
    if not found:
        raise StepFailed("Chromium and Chrome were not found. Install one, or set CHROMIUM=/path/to/chromium")
    return found
