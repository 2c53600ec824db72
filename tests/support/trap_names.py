"""Names that a hostile or careless server could give to outputs, each with a reason to be careful."""

from __future__ import annotations

from collections.abc import Iterator

DEVICES = ("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$", "COM0", "COM1", "COM9", "LPT1", "LPT9")
SUPERSCRIPT_DEVICES = ("COM¹", "COM²", "COM³", "LPT¹", "LPT²", "LPT³")
SEPARATORS = ("/", "\\", "//", "\\\\", "/./", "\\..\\", "∕", "⁄", "／", "＼", "⧵", "%2f", "%5c", "%252f")
INVISIBLE = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2069\ufeff"
)
SPACES = "\u00a0\u1680\u2000\u2003\u2009\u200a\u202f\u205f\u3000\u0085\u2028\u2029"


def _paths() -> Iterator[str]:
    for separator in SEPARATORS:
        for depth in (1, 3, 40):
            yield (".." + separator) * depth + "escaped.png"
        yield f"{separator}escaped.png"
        yield f"a{separator}b.png"
        yield f"picture.png{separator}"
        yield f"picture.png{separator}.."
    yield from (
        "",
        ".",
        "..",
        "...",
        "....",
        ". .",
        ".. ",
        "~",
        "~root",
        "~/.ssh/authorized_keys",
        "-",
        "--",
        "-rf",
        "--help",
    )


def _drives_and_commands() -> Iterator[str]:
    yield from ("C:", "C:picture.png", "C:\\picture.png", "c:/picture.png", "C:..\\picture.png", "Z:/", "1:a", "ä:b")
    yield from (
        "\\\\server\\share\\a.png",
        "//server/share/a.png",
        "\\\\?\\C:\\a.png",
        "\\\\.\\PhysicalDrive0",
        "\\\\.\\COM1",
    )
    yield from ("\\\\?\\GLOBALROOT\\Device", "\\??\\C:\\a.png", "file:///etc/passwd", "https://example.org/a.png")
    yield from ("/etc/passwd", "/dev/null", "/proc/self/mem", "a.png:stream", "a.png::$DATA", "a.png:Zone.Identifier")
    yield from (
        "$MFT",
        "$Recycle.Bin",
        "PROGRA~1",
        "LONGFI~1.PNG",
        "${HOME}",
        "$(id)",
        "`id`",
        "%TEMP%",
        "a;b",
        "a&b",
        "a|b",
    )


def _devices() -> Iterator[str]:
    for device in (*DEVICES, *SUPERSCRIPT_DEVICES):
        for name in (device, device.lower(), device.title()):
            yield from (name, f"{name}.png", f"{name}.tar.gz", f"{name} .png", f"{name}.", f"{name} ", f" {name}.png")
    yield from (
        "ＣＯＮ",
        "ＮＵＬ.png",
        "nul" + " " * 200 + "x.png",
        "con" + "." * 130 + "png",
        "NUL:",
        "com1:.png",
        "aux/",
        "\u200bcon.png",
    )


def _own_names() -> Iterator[str]:
    yield from (
        "job.json",
        "JOB.JSON",
        "Job.Json",
        "job.json.",
        "job.json ",
        "job\u200d.json",
        "job" + " " * 200 + ".json",
    )
    yield from (
        "a.part",
        "a.PART",
        "a.part.part",
        ".part",
        "part",
        "a.part.",
        "a.part ",
        "a.pa\u200brt",
        "a" * 115 + ".part" + "b" * 30,
    )
    yield from (".picture.0123456789abcdef0123456789abcdef.part", ".job.json.0123456789abcdef0123456789abcdef.part")
    yield from (
        ".htaccess",
        ".bashrc",
        ".DS_Store",
        "._a.png",
        "desktop.ini",
        "Thumbs.db",
        "autorun.inf",
        "a.lnk",
        "a.url",
    )


def _characters() -> Iterator[str]:
    for number in range(0x20):
        yield f"a{chr(number)}b.png"
    for character in '<>:"|?*\x7f\x80\x9f':
        yield f"a{character}b.png"
        yield f"{character}.png"
        yield f"a.png{character}"
    for character in INVISIBLE + SPACES:
        yield f"a{character}b.png"
        yield f"{character}.png"
        yield f"a.png{character}"
        yield character
    for character in "\ud800\udbff\udc00\udfff\ue000\uf03a\uf8ff\ufffe\uffff\U000e0001\U000f0000\U0010ffff\u0378":
        yield f"a{character}b.png"
        yield character
    yield from (
        "\x00",
        "a.png\x00.exe",
        "\x00/../b",
        "a\n../b",
        "a\r\nSet-Cookie: b.png",
        "\x1b[2J.png",
        "gpj.\u202eexe",
    )


def _unicode() -> Iterator[str]:
    yield from (
        "é.png",
        "e\u0301.png",
        "E\u0301.png",
        "Å.png",
        "\u212b.png",
        "A\u030a.png",
        "ſ.png",
        "ß.png",
        "ẞ.png",
        "SS.png",
        "İ.png",
        "ı.png",
    )
    yield from (
        "ﬁ.png",
        "가.png",
        "\u1100\u1161.png",
        "\u037e.png",
        "\u1fef.png",
        "\u2000.png",
        "\ufb1d.png",
        "\u0344.png",
        "<\u0338.png",
        "=\u0338.png",
    )
    yield from (
        "猫.png",
        "👩‍👩‍👧‍👦.png",
        "🏳️‍🌈.png",
        "שלום.png",
        "مرحبا.png",
        "می‌خواهم.png",
        "ꙮ.png",
        "\U0001fae8.png",
        "\u0301",
        "\u0301\u0301.png",
    )
    yield from ("e" + "\u0301" * 300 + ".png", "\u3164", "\u3164.png", "K\u200d\u0327.png", "<\u200d\u0338.png")


def _lengths() -> Iterator[str]:
    for size in (100, 116, 119, 120, 121, 143, 255, 256, 1000, 100_000):
        yield "a" * size
        yield "a" * size + ".png"
        yield "猫" * size + ".png"
        yield "😀" * size
        yield "a." + "b" * size
        yield "." * size + "png"
        yield "a" + " " * size + ".png"
        yield "ΐ" * size + ".webm"
        yield "a" * size + "." + "é" * 8
        yield "a" * size + "\u202e.png"
        yield "-" * size
        yield "../" * size
    yield from (
        "a.b.c.d.e.png",
        "a..png",
        "a. .png",
        ".png",
        "..png",
        " .png",
        "a.",
        "a. . .",
        "a . png",
        "a.png ",
        "  a.png",
        "\ta.png\t",
        "a.p ng",
    )


TRAP_NAMES = tuple(
    dict.fromkeys(
        (*_paths(), *_drives_and_commands(), *_devices(), *_own_names(), *_characters(), *_unicode(), *_lengths())
    )
)
