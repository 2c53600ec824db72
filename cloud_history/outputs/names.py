"""Names for saved files and their folders that are safe on Windows, macOS and Linux alike.

A name comes from a server, so it may be hostile. A safe name is one part of a path, never a path. It has the same
meaning on all three systems, so that a folder can be copied from one to another.
"""

from __future__ import annotations

import unicodedata

MAX_NAME_BYTES = 120
"""Limit for a name in UTF-8. Encrypted file systems allow 143 bytes, all others at least 255."""
MAX_FOLDER_BYTES = 80
"""Limit for the name of a folder, because old programs on Windows allow only 260 characters for a whole path."""
MAX_EXTENSION_BYTES = 20
UNNAMED = "unnamed"
JOB_FILE = "job.json"
"""The name of the file about the job in each job's folder. No output gets this name."""

_PART = ".part"
_FORBIDDEN = frozenset('<>:"/\\|?*')
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in range(10)}
)
# Cf has marks that change the direction of the text or are invisible (HFS+ ignores some when it compares names). Cn has
# characters that APFS refuses. Windows subsystems use Co for characters that Windows forbids.
_DROPPED = frozenset({"Cf"})
_REPLACED = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})


def safe_name(name: str) -> str:
    """Return a safe name for a file with this name. A safe name is returned unchanged.

    The result has 1 to MAX_NAME_BYTES bytes in UTF-8, keeps its extension, is in NFC, contains no separator, control
    character or direction mark, does not begin with "." or "-", does not end in ".part", a dot or a space, and is
    neither the name of a device on Windows nor JOB_FILE.
    """
    return _safe(name, MAX_NAME_BYTES)


def safe_folder(name: str, most: int = MAX_FOLDER_BYTES) -> str:
    """Return a safe name for a folder, as `safe_name` does, of at most `most` bytes, at least 30."""
    return _safe(name, most)


def numbered(name: str, number: int) -> str:
    """Return a safe name with a number before its extension, such as "picture (2).png".

    Args:
        name: a safe name.
        number: from 2. With 1, the name is returned unchanged.
    """
    if number == 1:
        return name
    stem, extension = _split(name)
    mark = f" ({number})"
    return _cut(stem, MAX_NAME_BYTES - len(mark) - _size(extension)) + mark + extension


def same_on_disk(one: str, other: str) -> bool:
    """Return whether two names may mean the same file on a file system that ignores case and Unicode forms."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _safe(name: str, most: int) -> str:
    # Only so many characters can matter. Normalising a text of megabytes would take seconds.
    head, tail = name[: 4 * MAX_NAME_BYTES], name[-MAX_EXTENSION_BYTES:] if len(name) > 4 * MAX_NAME_BYTES else ""
    text = "".join(map(_safe_character, unicodedata.normalize("NFC", head + tail)))
    text = unicodedata.normalize("NFC", text).strip()
    before = None
    # A name can become the name of a device by being cut, and too long by being changed.
    while text != before:
        before = text
        stem, extension = _split(_without_ends(text))
        text = _cut(stem, most - _size(extension)) + extension
    return text or UNNAMED


def _safe_character(character: str) -> str:
    if "!" <= character <= "~":
        return "_" if character in _FORBIDDEN else character
    category = unicodedata.category(character)
    if category in _DROPPED:
        return ""
    if category in _REPLACED:
        return "_"
    return " " if category == "Zs" else character


def _without_ends(text: str) -> str:
    """Return the text without the dots and spaces that Windows drops from its end, and without special beginnings."""
    text = text.rstrip(". ")
    while text.lower().endswith(_PART):
        text = text[: -len(_PART)] + _PART.replace(".", "_")
    if text.startswith((".", "-")) or _is_special(text):
        text = f"_{text}"
    return text


def _is_special(text: str) -> bool:
    # Windows ignores what follows the first dot of a device's name, and reads "COM¹" as COM1.
    stem = unicodedata.normalize("NFKC", text.partition(".")[0]).strip().casefold()
    return stem in _DEVICES or same_on_disk(text, JOB_FILE)


def _split(name: str) -> tuple[str, str]:
    """Return the name without its extension, and the extension with its dot, or "" if there is none."""
    stem, dot, extension = name.rpartition(".")
    if not dot or not stem or not extension or _size(extension) >= MAX_EXTENSION_BYTES or " " in extension:
        return name, ""
    return stem, dot + extension


def _cut(stem: str, most: int) -> str:
    encoded = stem.encode("utf-8")
    if len(encoded) <= most:
        return stem
    return encoded[:most].decode("utf-8", "ignore").rstrip(". ")


def _size(text: str) -> int:
    return len(text.encode("utf-8"))
