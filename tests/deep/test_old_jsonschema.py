"""Test with the oldest supported jsonschema and the newest unsupported one, installed by pip."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hosts import CHECKOUT

TESTS = ["tests/cloud/test_schema.py", "tests/cloud/test_protocol.py", "tests/cloud/test_protocol_answers.py"]
BROKEN = """
from cloud_history.cloud import schema
from cloud_history.errors import BrokenInstallation
try:
    schema.load_all()
except BrokenInstallation as error:
    print(error)
"""


def run(folder: Path, *arguments: str) -> str:
    """Run Python with `folder` first on its module path, and return its output."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install(folder: Path, *packages: str) -> Path:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), *packages]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        pytest.skip(f"pip could not install {packages[0]}: {done.stderr.strip()[-300:]}")
    return folder


@pytest.mark.timeout(600)
def test_the_oldest_supported_jsonschema_works(tmp_path: Path) -> None:
    folder = install(tmp_path, "jsonschema==4.0.0")
    found = run(
        folder,
        "-c",
        "import jsonschema, importlib.metadata as m; print(m.version('jsonschema'), jsonschema.__file__)",
    )
    assert found.split() == ["4.0.0", str(folder / "jsonschema" / "__init__.py")]
    output = run(folder, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS)
    assert " passed" in output


@pytest.mark.timeout(600)
def test_an_unsupported_jsonschema_is_reported_with_its_version_its_path_and_a_fix(tmp_path: Path) -> None:
    folder = install(tmp_path, "jsonschema==3.2.0", "setuptools<80")
    output = run(folder, "-W", "ignore", "-c", BROKEN)
    assert "version 3.2.0" in output
    assert str(folder / "jsonschema") in output
    assert "pip install --upgrade jsonschema" in output
