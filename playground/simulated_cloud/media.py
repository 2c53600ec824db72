"""The content of output files, drawn by code: pictures, videos, sounds, a 3D model and texts. Each name has its own."""

from __future__ import annotations

import colorsys
import functools
import math
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

MAX_SIDE_PIXELS = 640
"""Larger than any thumbnail, and still drawn in milliseconds."""
VIDEO_SIZE = (128, 80)
VIDEO_FRAMES = 8
FRAMES_PER_SECOND = 4
MACROBLOCK = 16
SOUND_FRAMES = 80
"""26 milliseconds each."""
CLIP = Path(__file__).parent / "clip.webm"
"""A second of VP8, recorded from a canvas in a browser, because an encoder would be too long for a stand-in."""

Rgb = tuple[int, int, int]


def content_of(name: str, width: int, height: int) -> bytes:
    """Return the bytes of an output of these proportions."""
    make, _ = _OTHERS.get(_extension(name), (None, ""))
    return make(name) if make else picture_of(name, width, height)


def content_type_of(name: str) -> str:
    """Return the content type of an output with this name."""
    return _OTHERS.get(_extension(name), (None, "image/png"))[1]


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower()


@functools.lru_cache(maxsize=64)
def picture_of(name: str, width: int, height: int) -> bytes:
    """Draw a PNG in these proportions, with sides of at most MAX_SIDE_PIXELS pixels."""
    scale = min(1.0, MAX_SIDE_PIXELS / max(width, height, 1))
    return _png(_rows(random.Random(name), max(1, round(width * scale)), max(1, round(height * scale))))


def _rows(source: random.Random, width: int, height: int) -> list[bytes]:
    hue, waves, tilt = source.random(), source.uniform(1.5, 5), source.uniform(-0.4, 0.4)
    rows = []
    for y in range(height):
        down = y / height
        left = bytes(_colour(hue, 0.45, 0.35 + 0.5 * down))
        right = bytes(_colour(hue + 0.12, 0.6, 0.75 - 0.5 * down))
        ridge = 0.5 + 0.18 * math.sin(waves * math.tau * down) + tilt * (down - 0.5)
        edge = round(width * min(1.0, max(0.0, ridge)))
        rows.append(left * edge + right * (width - edge))
    return rows


def _colour(hue: float, saturation: float, value: float) -> Rgb:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def _png(rows: list[bytes]) -> bytes:
    header = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    # Each row starts with the number of its filter, 0 for none.
    pixels = zlib.compress(b"".join(b"\x00" + row for row in rows), 6)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def noise_png(width: int, height: int) -> bytes:
    """Draw a PNG that cannot be compressed: about 3 bytes a pixel."""
    source = random.Random(width * height)
    return _png([source.randbytes(3 * width) for _ in range(height)])


class _Bits:
    """Writes the bits of an H.264 syntax structure."""

    def __init__(self) -> None:
        self._done = bytearray()
        self._bits = ""

    def fixed(self, value: int, length: int) -> _Bits:
        self._bits += f"{value:0{length}b}"
        return self

    def golomb(self, *values: int) -> _Bits:
        """Append unsigned Exp-Golomb codes."""
        for value in values:
            code = f"{value + 1:b}"
            self._bits += "0" * (len(code) - 1) + code
        return self

    def raw(self, content: bytes) -> _Bits:
        """Append whole bytes, after zero bits up to the next byte."""
        self._flush()
        self._done += content
        return self

    def end(self) -> bytes:
        """Append the trailing bits and return everything."""
        self._bits += "1"
        self._flush()
        return bytes(self._done)

    def _flush(self) -> None:
        self._bits += "0" * (-len(self._bits) % 8)
        self._done += int(self._bits or "0", 2).to_bytes(len(self._bits) // 8, "big")
        self._bits = ""


def _nal(kind: int, payload: bytes) -> bytes:
    # No three bytes may look like the start of the next unit.
    for low in range(4):
        payload = payload.replace(bytes((0, 0, low)), bytes((0, 0, 3, low)))
    return bytes((kind,)) + payload


def _frame(number: int, colours: list[Rgb]) -> bytes:
    """Encode one frame of uncompressed macroblocks (I_PCM), each of one colour."""
    slice_ = _Bits().golomb(0, 7, 0).fixed(0, 4).golomb(number % 2).fixed(0, 2).golomb(0)
    for red, green, blue in colours:
        luma = round(16 + 0.257 * red + 0.504 * green + 0.098 * blue)
        blueness = round(128 - 0.148 * red - 0.291 * green + 0.439 * blue)
        redness = round(128 + 0.439 * red - 0.368 * green - 0.071 * blue)
        slice_.golomb(25).raw(bytes((luma,)) * 256 + bytes((blueness,)) * 64 + bytes((redness,)) * 64)
    return _nal(0x65, slice_.end())


def _box(kind: bytes, *content: bytes) -> bytes:
    whole = b"".join(content)
    return struct.pack(">I", len(whole) + 8) + kind + whole


def _numbers(*values: int) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


@functools.lru_cache(maxsize=16)
def video_of(name: str) -> bytes:
    """Encode an MP4 of two seconds: coloured squares that move to the left."""
    across, down = (side // MACROBLOCK for side in VIDEO_SIZE)
    hue = random.Random(name).random()
    squares = [
        [_colour(hue + 0.02 * ((x + at) % across), 0.6, 0.3 + 0.12 * y) for y in range(down) for x in range(across)]
        for at in range(VIDEO_FRAMES)
    ]
    frames = [struct.pack(">I", len(frame)) + frame for frame in map(_frame, range(VIDEO_FRAMES), squares)]
    start = _box(b"ftyp", b"isom", _numbers(512), b"isomavc1mp41")
    # The place of the frames depends on the size of the index, which does not depend on the place.
    place = len(start) + len(_index(frames, 0)) + 8
    return start + _index(frames, place) + _box(b"mdat", *frames)


def _index(frames: list[bytes], place: int) -> bytes:
    width, height = VIDEO_SIZE
    seconds = len(frames) // FRAMES_PER_SECOND
    matrix = _numbers(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    movie = _numbers(0, 0, 0, 1000, 1000 * seconds, 0x10000, 0x01000000, 0, 0) + matrix + _numbers(*[0] * 6, 2)
    track = _numbers(3, 0, 0, 1, 0, 1000 * seconds, 0, 0, 0, 0) + matrix + _numbers(width << 16, height << 16)
    media = _numbers(0, 0, 0, FRAMES_PER_SECOND, len(frames), 0x55C40000)
    handler = _numbers(0, 0) + b"vide" + _numbers(0, 0, 0) + b"\x00"
    data = _box(b"dinf", _box(b"dref", _numbers(0, 1), _box(b"url ", _numbers(1))))
    table = _box(
        b"stbl",
        _box(b"stsd", _numbers(0, 1), _sample_entry()),
        _box(b"stts", _numbers(0, 1, len(frames), 1)),
        _box(b"stsc", _numbers(0, 1, 1, len(frames), 1)),
        _box(b"stsz", _numbers(0, 0, len(frames), *map(len, frames))),
        _box(b"stco", _numbers(0, 1, place)),
    )
    inner = _box(b"minf", _box(b"vmhd", _numbers(1, 0, 0)), data, table)
    whole = _box(b"mdia", _box(b"mdhd", media), _box(b"hdlr", handler), inner)
    return _box(b"moov", _box(b"mvhd", movie), _box(b"trak", _box(b"tkhd", track), whole))


def _sample_entry() -> bytes:
    width, height = VIDEO_SIZE
    size = (width // MACROBLOCK - 1, height // MACROBLOCK - 1)
    sequence = _Bits().fixed(66, 8).fixed(0xC0, 8).fixed(30, 8).golomb(0, 0, 2, 0).fixed(0, 1)
    sequence_set = _nal(0x67, sequence.golomb(*size).fixed(0b10000, 5).end())
    picture = _Bits().golomb(0, 0).fixed(0, 2).golomb(0, 0, 0).fixed(0, 3).golomb(0, 0, 0).fixed(0, 3)
    picture_set = _nal(0x68, picture.end())
    sets = struct.pack(">BH", 0xE1, len(sequence_set)) + sequence_set
    sets += struct.pack(">BH", 1, len(picture_set)) + picture_set
    head = struct.pack(">6xH16xHHIIIH32xHH", 1, width, height, 0x480000, 0x480000, 0, 1, 24, 0xFFFF)
    return _box(b"avc1", head, _box(b"avcC", bytes((1, 66, 0xC0, 30, 0xFF)), sets))


def sound_of(name: str) -> bytes:
    """Return an MP3 of two silent seconds. The name is in its tag."""
    title = b"\x03" + name.encode("utf-8", "replace")[:100]
    frame = b"TIT2" + struct.pack(">IH", len(title), 0) + title
    tag = b"ID3\x04\x00\x00" + struct.pack(">I", len(frame)) + frame
    # 128 kbit/s at 44.1 kHz, mono. A frame without any side information is silent.
    return tag + (b"\xff\xfb\x90\xc4" + bytes(413)) * SOUND_FRAMES


def tone_of(name: str) -> bytes:
    """Return a WAV of one second of a tone."""
    pitch = 220 * (1 + random.Random(name).random())
    samples = bytes(round(128 + 40 * math.sin(math.tau * pitch * at / 8000)) for at in range(8000))
    head = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", len(samples))
    return b"RIFF" + struct.pack("<I", len(head) + len(samples)) + head + samples


def model_of(name: str) -> bytes:
    """Return an empty scene as a binary glTF."""
    scene = b'{"asset":{"version":"2.0"},"scene":0,"scenes":[{}]} '
    return b"glTF" + struct.pack("<III", 2, 20 + len(scene), len(scene)) + b"JSON" + scene


def text_of(name: str) -> bytes:
    """Return a caption with markup that a careless page would run."""
    return f"Caption of {name}\n<script>alert('caption')</script> & <b>bold</b>\n".encode("utf-8", "replace")


_OTHERS: dict[str, tuple[Callable[[str], bytes], str]] = {
    "mp4": (video_of, "video/mp4"),
    "webm": (lambda name: CLIP.read_bytes(), "video/webm"),
    "mp3": (sound_of, "audio/mpeg"),
    "wav": (tone_of, "audio/wav"),
    "glb": (model_of, "model/gltf-binary"),
    "txt": (text_of, "text/plain"),
    "html": (text_of, "text/html"),
    "svg": (text_of, "image/svg+xml"),
}
