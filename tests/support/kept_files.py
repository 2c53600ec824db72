"""The content of a file, unpacked if it is a zip."""

from __future__ import annotations

import zipfile
from pathlib import Path


def contents(path: Path) -> list[bytes]:
    """The file as it is; for a zip also each of its members, unpacked, with its name and what is noted beside it."""
    found = [path.read_bytes()]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            found.append(archive.comment)
            for member in archive.infolist():
                found += [member.filename.encode(), member.comment, member.extra, archive.read(member)]
    return found
