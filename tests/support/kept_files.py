"""Read the content of a file, and unpack zip files."""

from __future__ import annotations

import zipfile
from pathlib import Path


def contents(path: Path) -> list[bytes]:
    """Return the bytes of the file, and for a zip also each member's content, name and comment."""
    found = [path.read_bytes()]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            found.append(archive.comment)
            for member in archive.infolist():
                found += [member.filename.encode(), member.comment, member.extra, archive.read(member)]
    return found
