"""The version of the pack is the same in every file that contains it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from cloud_history import __version__

CHECKOUT = Path(__file__).parent.parent


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("pyproject.toml", r'^version = "(.+?)"'),
        ("package.json", r'"version": "(.+?)"'),
        ("package.json", r'"\./js/ui-(.+?)/\*"'),
        ("js/main.js", r'await import\("\./ui-([0-9.]+)/app\.mjs"\)'),
    ],
)
def test_the_version_of_the_pack_is_the_same_in_every_file(path: str, pattern: str) -> None:
    found = re.search(pattern, (CHECKOUT / path).read_text("utf-8"), re.MULTILINE)
    assert found is not None
    assert found[1] == __version__


def test_the_folder_of_the_browser_code_has_the_version_in_its_name() -> None:
    folders = [path.name for path in (CHECKOUT / "js").iterdir() if path.name.startswith("ui-")]
    assert folders == [f"ui-{__version__}"]


def test_the_changelog_has_an_entry_for_the_version() -> None:
    assert f"## [{__version__}]" in (CHECKOUT / "CHANGELOG.md").read_text("utf-8")


def test_the_npm_lock_file_has_the_same_version() -> None:
    lock = json.loads((CHECKOUT / "package-lock.json").read_text("utf-8"))
    assert (lock["version"], lock["packages"][""]["version"]) == (__version__, __version__)
