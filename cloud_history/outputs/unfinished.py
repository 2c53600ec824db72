"""The unfinished files in a folder for outputs: their hidden names, who is writing them, and removing what is left.

A process locks the unfinished files that it is writing. A file beside it, its tag, has the validator with which its
download can be continued.
"""

from __future__ import annotations

import os
import re
import uuid
from contextlib import suppress
from typing import BinaryIO

from ..jobs.ids import HEX_ID_PATTERN
from ..state.files import sync_file, write_whole
from ..state.locks import try_lock, unlock
from ..tasks.disk import disk_access
from .directory import WINDOWS, Directory
from .errors import OutputFileRefused, disk_errors

STRONG_ETAG = re.compile(r'"[!#-~]{1,500}"', re.ASCII)
"""What an HTTP server sends as the identity of exactly these bytes."""

_STEM_BYTES = 60
_PART = re.compile(rf"\..{{1,{_STEM_BYTES}}}\.{HEX_ID_PATTERN}(?:\.tag)?\.part")
_TAG = ".tag.part"
_MAX_TRIES = 5


def is_part_name(name: str) -> bool:
    """Return whether this is a name that this module gives to unfinished files."""
    return _PART.fullmatch(name) is not None


def remove_parts(directory: Directory) -> int:
    """Remove the unfinished files in a folder that no process is writing. Return how many were removed.

    Raises:
        OutputsUnwritable: the folder cannot be read. A file that cannot be removed is skipped.
    """
    removed = 0
    with disk_errors(reads=True):
        for name in filter(is_part_name, directory.names()):
            main = name.removesuffix(_TAG) + ".part" if name.endswith(_TAG) else name
            with suppress(OSError, OutputFileRefused):
                if not _is_in_use(directory, main):
                    directory.remove(name)
                    removed += 1
    return removed


def _is_in_use(directory: Directory, name: str) -> bool:
    try:
        file = directory.open_file(name, writes=True)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(file)
    finally:
        release(file)


def open_temporary(directory: Directory, name: str) -> tuple[str, BinaryIO]:
    """Create a new unfinished file for a file with this name. Return its temporary name and the locked file."""
    for _ in range(_MAX_TRIES):
        temporary = temporary_name(name, uuid.uuid4().hex)
        file, taken = directory.create_file(temporary), False
        try:
            # `remove_parts` may have found the file before it was locked.
            taken = try_lock(file) and directory.stat(temporary) is not None
            if taken:
                return temporary, file
        finally:
            if not taken:
                release(file)
    raise OutputFileRefused("output_changed_on_disk", name=name)


def release(file: BinaryIO) -> None:
    """Free the lock of an unfinished file and close it."""
    if WINDOWS:
        file.close()  # at once, because Windows cannot rename or remove an open file
    unlock(file)


def take_over(directory: Directory, temporary: str) -> tuple[str, BinaryIO] | None:
    """Create the unfinished file or open what an earlier run left. Return None if it is in use or not this pack's.

    Returns:
        The temporary name and the locked file.
    """
    for _ in range(_MAX_TRIES):
        try:
            file = _create_or_open(directory, temporary)
        except FileNotFoundError:
            continue  # another process has just ended it
        except (PermissionError, OutputFileRefused):
            return None
        taken = False
        try:
            if not try_lock(file):
                return None
            own, found = os.fstat(file.fileno()), directory.stat(temporary)
            if found is None or not os.path.samestat(own, found):
                continue
            if own.st_nlink == 1:
                taken = _is_own(own)
                return (temporary, file) if taken else None
            # An earlier run ended between giving the file its final name and removing this one. Or somebody has put
            # the name there to have another file changed. Only the name is removed.
            directory.remove(temporary)
        finally:
            if not taken:
                release(file)
    return None


def _create_or_open(directory: Directory, temporary: str) -> BinaryIO:
    try:
        return directory.create_file(temporary)
    except FileExistsError:
        return directory.open_file(temporary, writes=True)


def _is_own(found: os.stat_result) -> bool:
    # Another user could still change the bytes after they were hashed.
    return os.name != "posix" or found.st_uid == os.geteuid()


def temporary_name(name: str, key: str) -> str:
    """Return the temporary name of a file with this safe name. `key` is an id from `new_hex_id`, or a digest."""
    stem = name.encode("utf-8")[:_STEM_BYTES].decode("utf-8", "ignore")
    return f".{stem}.{key}.part"


def tag_of(temporary: str) -> str:
    """Return the name of the tag of an unfinished file."""
    return temporary.removesuffix(".part") + _TAG


def write_tag(directory: Directory, tag: str, validator: str) -> bool:
    """Write the tag and sync it. Return False, and write nothing, if the validator is not a strong ETag."""
    if not STRONG_ETAG.fullmatch(validator):
        return False
    directory.remove(tag)
    with directory.create_file(tag) as file, disk_access(directory.path / tag):
        write_whole(file, validator.encode("ascii"))
        sync_file(file)
    return True


def read_tag(directory: Directory, tag: str) -> str:
    """Return the validator in a tag, or "" if there is none."""
    with suppress(OSError, OutputFileRefused), directory.open_file(tag) as file, disk_access(directory.path / tag):
        content = file.read(1000)
        text = content.decode("ascii", "replace")
        if _is_own(os.fstat(file.fileno())) and STRONG_ETAG.fullmatch(text):
            return text
    return ""
