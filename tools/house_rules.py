"""Check what no other linter does: names that no committed file may contain, and the length of files and functions."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MADE_FOLDERS = {".git", ".venv", ".cache", ".frontends", "node_modules", "__pycache__"}
MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 40
CODE = {".py", ".js", ".mjs"}
SHIPPED = ("__init__.py", "comfy_host.py", "nodes/", "cloud_history/")

# The patterns are written so that this file does not match them.
FORBIDDEN = {
    "a package registry's host": re.compile(
        r"(?:pypi|crates|pkg)\.(?:org|io)\b|pythonhosted\.|registry\.(?:npmjs|yarnpkg|npmmirror)\b"
        r"|npmjs\.(?:org|com)\b|deb\.debian\.|proxy\.golang\.|(?:unpkg|jsdelivr|jspm)\.(?:com|net|io)\b",
        re.IGNORECASE,
    ),
    "where a package was downloaded from": re.compile(r'"resolved"\s*:\s*"https?:'),
    "a path of one person's machine": re.compile(
        r"(?<![\w.:/-])/(?:work|farm|root)/|/(?:home|Users)/(?!you\b|me\b|user\b|name\b|somebody\b)\w+/|\b[A-Z]:\\+Users\\+\w"
    ),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
}

ABSOLUTE_IMPORT = re.compile(r"^\s*(?:from|import)\s+cloud_history\b", re.MULTILINE)


def project_files() -> list[Path]:
    """Return the files that are committed or would be."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode == 0 and listing.stdout:
        files = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:  # an unpacked archive is no git repository
        files = [path for path in ROOT.rglob("*") if not MADE_FOLDERS & set(path.relative_to(ROOT).parts)]
    return sorted({path for path in files if path.is_file()})


def forbidden_names(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and a description of each forbidden name in a text."""
    for number, line in enumerate(text.splitlines(), 1):
        for what, pattern in FORBIDDEN.items():
            if found := pattern.search(line):
                yield number, f"{what}: {found.group()}"


def long_functions(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and a message for each Python function that is too long, not counting its docstring."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            length = (node.end_lineno or node.lineno) - body[0].lineno + 1 if body else 0
            if length > MAX_FUNCTION_LINES:
                yield node.lineno, f"{node.name} has {length} lines; {MAX_FUNCTION_LINES} is the limit"


def main() -> int:
    wrong = 0
    for path in project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        name = path.relative_to(ROOT).as_posix()
        for number, what in forbidden_names(text):
            wrong += 1
            print(f"{name}:{number}: names {what}")
        if name.startswith(SHIPPED) and ABSOLUTE_IMPORT.search(text):
            wrong += 1
            print(f"{name}: imports cloud_history by its full name, which makes every class exist twice in ComfyUI")
        if path.suffix not in CODE:
            continue
        # A catalogue of words is one list, however long.
        if (lines := text.count("\n")) > MAX_FILE_LINES and path.parent.name != "words":
            wrong += 1
            print(f"{name} has {lines} lines; {MAX_FILE_LINES} is the limit")
        if path.suffix == ".py":
            for number, what in long_functions(text):
                wrong += 1
                print(f"{name}:{number}: {what}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
