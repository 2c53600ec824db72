"""The archive that the Comfy Registry distributes, and the strings that its scanner flags.

`comfy node pack` packs the files that git tracks, without those in `.comfyignore`. `packed_files` lists the same files,
which the deep tests check.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pathspec

from steps import ROOT

# The scanner matches text in all files alike. Its rules are not published: these are strings that it flagged in packs,
# named as in its reports.
RULES = {
    "an HTTP session": r"aiohttp\.ClientSession",
    "a network call": r"\.(?:connect|bind|send|sendall)\(|\burlopen\b|\brequests\.",
    "the environment, read by name": r"os\.environ\.get\(|os\.environ\[|\bgetenv\b",
    "another program": r"\bsubprocess\b|\bos\.(?:system|popen|exec\w*|spawn\w*)\(",
    "a dynamic import": r"\bimportlib\b|__import__\(|\bimport\((?![\"'`])",
    "code made at run time": r"\b(?:eval|exec)\(|\bnew Function\(",
    "another service's token": r"auth_token_comfy_org",
    "a base64 blob": r"[A-Za-z0-9+/]{200,}={0,2}",
}
_RULES = {what: re.compile(pattern) for what, pattern in RULES.items()}


def packed_files() -> list[str]:
    """Return the files of the archive, as paths in the checkout with forward slashes.

    Raises:
        subprocess.CalledProcessError: the checkout is not a git repository.
    """
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    ignored = pathspec.GitIgnoreSpec.from_lines((ROOT / ".comfyignore").read_text("utf-8").splitlines())
    tracked = [name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    return [name for name in tracked if not ignored.match_file(name)]


def unpack_into(folder: Path) -> Path:
    """Copy the files of the archive into a folder, as an installation does, and return the folder."""
    for name in packed_files():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return folder


def scan(files: Iterable[Path]) -> dict[Path, list[str]]:
    """Return what the rules match, by file: "line 12: an HTTP session: aiohttp.Client…". Skips pictures."""
    found: dict[Path, list[str]] = {}
    for path in files:
        try:
            lines = path.read_text("utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        matches = [
            f"line {number}: {what}: {match.group()[:40]}"
            for number, line in enumerate(lines, 1)
            for what, rule in _RULES.items()
            if (match := rule.search(line))
        ]
        if matches:
            found[path] = matches
    return found
