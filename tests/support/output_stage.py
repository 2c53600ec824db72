"""Outputs on a disk, for tests of saving."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloud_history.outputs.directory import HAS_DIR_FD, Directory
from cloud_history.outputs.part_file import PartFile, PlacedFile

CONTENT = random.Random(1).randbytes(100_000)
PIECE = 8_192
SOURCE = "job 1, output 0"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pieces(content: bytes, size: int = PIECE) -> Iterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


def append(part: PartFile, content: bytes) -> None:
    """Write the content in pieces."""
    for piece in pieces(content):
        part.write(piece)


def write(directory: Directory, name: str, content: bytes = CONTENT, source: str = SOURCE) -> PlacedFile:
    """Save a file as a download does: begin, keep what is there, write the rest, finish."""
    part = PartFile.begin(directory, name, source)
    try:
        part.rehash()
        for piece in pieces(content[part.size :]):
            part.validator = '"tag"'
            part.write(piece)
        return part.finish()
    finally:
        part.discard()


@contextmanager
def folder(path: Path, *, by_descriptor: bool = HAS_DIR_FD) -> Iterator[Directory]:
    """Open a folder, which is created."""
    path.mkdir(parents=True, exist_ok=True)
    with Directory.open(path, by_descriptor=by_descriptor) as found:
        yield found


def shown(path: Path) -> dict[str, bytes]:
    """Return the content of all files in a folder whose names do not begin with a dot."""
    return {each.name: each.read_bytes() for each in path.iterdir() if not each.name.startswith(".")}


def hidden(path: Path) -> list[str]:
    """Return the names in a folder that begin with a dot."""
    return sorted(each.name for each in path.iterdir() if each.name.startswith("."))


@contextmanager
def ordinary_user(here: Path) -> Iterator[None]:
    """Act as a user whom permissions stop. Root acts as "nobody" while entered, who can reach this folder."""
    if os.geteuid() != 0:
        yield
        return
    for each in here.parents:
        if not (mode := each.stat().st_mode) & 0o001:
            each.chmod(mode | 0o011)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
