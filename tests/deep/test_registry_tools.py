"""Check that comfy-cli, the registry's tool, accepts this pack's metadata and packs the expected files."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hosts import CHECKOUT
from registry_archive import packed_files

Comfy = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def comfy(tmp_path_factory: pytest.TempPathFactory) -> Comfy:
    """Return a function that runs comfy-cli. Its sixty or so packages are installed in a separate environment."""
    folder = tmp_path_factory.mktemp("comfy-cli")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    programs = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [str(programs / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "comfy-cli==1.23.0"], check=True)

    def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(programs / "comfy"), "--skip-prompt", *arguments],
            cwd=cwd,
            # comfy-cli writes its configuration to HOME.
            env={"HOME": str(folder), "PATH": f"{programs}:/usr/bin:/bin", "DO_NOT_TRACK": "1", "CI": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.timeout(300)
def test_comfy_node_validate_passes_without_a_warning(comfy: Comfy) -> None:
    done = comfy("node", "validate", cwd=CHECKOUT)
    assert done.returncode == 0, done.stdout + done.stderr
    said = (done.stdout + done.stderr).lower()
    assert "passed" in said
    assert "warning" not in said


@pytest.mark.timeout(300)
def test_comfy_node_pack_packs_exactly_the_files_of_packed_files(comfy: Comfy, tmp_path: Path) -> None:
    # Run in a clone, because comfy-cli writes its archive into the current folder.
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
    done = comfy("node", "pack", cwd=clone)
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(clone / "node.zip") as archive:
        packed = {name for name in archive.namelist() if not name.endswith("/")}
    committed = subprocess.run(
        ["git", "ls-tree", "-r", "--name-only", "-z", "HEAD"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    assert packed == set(packed_files()) & set(committed)
