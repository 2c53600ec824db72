"""The content type of an output file, derived from its first bytes, because the headers of a server are not trusted.

Only types that a browser shows without running anything are told apart. HTML and SVG are plain text here.
"""

from __future__ import annotations

HEAD_BYTES = 64
"""How many of a file's first bytes `content_type_of` needs."""
OTHER = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"

_BY_FIRST_BYTES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"\xff\xfa", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"glTF", "model/gltf-binary"),
)
_BY_RIFF_FORM = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_BY_MP4_BRAND = {b"avif": "image/avif", b"avis": "image/avif", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4"}
_MP4_BRANDS = {
    b"isom",
    b"iso2",
    b"iso4",
    b"iso5",
    b"iso6",
    b"mp41",
    b"mp42",
    b"avc1",
    b"M4V ",
    b"MSNV",
    b"dash",
    b"qt  ",
}
_MATROSKA = b"\x1a\x45\xdf\xa3"
_TEXT_EXTENSIONS = frozenset(
    {"txt", "json", "jsonl", "csv", "tsv", "md", "log", "yaml", "yml", "xml", "srt", "vtt", "html", "htm", "svg"}
)


def content_type_of(head: bytes, filename: str) -> str:
    """Return the content type of a file: a picture, a video, a sound, a 3D model, plain text, or OTHER.

    Args:
        head: the first HEAD_BYTES bytes, or all if the file is smaller.
        filename: its extension decides whether a file without known first bytes is text.
    """
    for first, content_type in _BY_FIRST_BYTES:
        if head.startswith(first):
            return content_type
    if head[:4] == b"RIFF" and head[8:12] in _BY_RIFF_FORM:
        return _BY_RIFF_FORM[head[8:12]]
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        return _BY_MP4_BRAND.get(brand) or ("video/mp4" if brand in _MP4_BRANDS else OTHER)
    if head.startswith(_MATROSKA) and b"webm" in head:
        return "video/webm"
    return TEXT if filename.rpartition(".")[2].lower() in _TEXT_EXTENSIONS else OTHER


def is_picture(content_type: str) -> bool:
    """Return whether a content type is one of a picture."""
    return content_type.startswith("image/")
