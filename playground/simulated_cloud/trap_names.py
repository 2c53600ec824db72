"""File names that are dangerous to use as they are: on Windows, macOS or Linux, in a shell, or beside each other."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle

from .jobs import SimulatedJob

TRAP_NAMES: tuple[tuple[str, str], ...] = (
    # Paths that leave the folder, in the name and in the subfolder.
    ("", "../../../../etc/cron.d/a.png"),
    ("", "..\\..\\..\\Startup\\b.png"),
    ("../../..", "c.png"),
    ("..\\..", "d.png"),
    ("", "/etc/passwd"),
    ("/etc/ssh", "authorized_keys"),
    ("", "C:\\Windows\\win.ini"),
    ("C:", "e.png"),
    ("\\\\server\\share", "f.png"),
    ("", "a/../../g.png"),
    ("", "..%2f..%2fh.png"),
    ("", "\u2025/\uff0e\uff0e/i.png"),
    # Names that are no file of their own.
    ("", "."),
    ("", ".."),
    ("", "..."),
    ("", "~"),
    ("", "~root.png"),
    ("", "-rf.png"),
    ("", ".bashrc"),
    ("", ".part"),
    ("", "j.png.part"),
    ("", "job.json"),
    ("", "JOB.JSON"),
    # Devices and streams of Windows.
    ("", "CON"),
    ("", "con.png"),
    ("", "NUL.tar.gz"),
    ("", "aux.txt.png"),
    ("", "COM1.png"),
    ("", "com\u00b9.png"),
    ("", "LPT\u00b3.png"),
    ("", "CONIN$"),
    ("", "PRN .png"),
    ("CON", "k.png"),
    ("", "l.png:stream"),
    ("", "l.png::$DATA"),
    ("", "l.png."),
    ("", "l.png "),
    ("", "l.png. . ."),
    ("", " l.png"),
    ("", 'm<n>o"p|q?r*.png'),
    # Characters that are invisible, cut a name or turn it around.
    ("", "n.png\x00.exe"),
    ("", "o\n\r\t.png"),
    ("", "\x1b[2J\x07p.png"),
    ("", "q\u202egnp.exe"),
    ("", "\u2066r\u2069.png"),
    ("", "s\u200b\ufeff.png"),
    ("", "t\ud83d.png"),
    ("", "u\udc80.png"),
    ("", "\x7fv\x85.png"),
    # Names that are equal on some disks: by case, by form, by width of the letter.
    ("case", "Same.png"),
    ("case", "same.PNG"),
    ("case", "SAME.png"),
    ("form", "caf\u00e9.png"),
    ("form", "cafe\u0301.png"),
    ("form", "stra\u00dfe.png"),
    ("form", "STRASSE.png"),
    ("form", "\u212aelvin.png"),
    ("form", "kelvin.png"),
    ("form", "\u0130.png"),
    ("form", "i\u0307.png"),
    ("", "twice.png"),
    ("other", "twice.png"),
    # Long names, in bytes and in characters, and names without a stem or with too much of an extension.
    ("", "w" * 250 + ".png"),
    ("", "\U0001f3d4" * 120 + ".png"),
    ("", "x." + "y" * 300),
    ("z" * 280, "z.png"),
    ("", "a\u0301" * 200 + ".png"),
    ("deep/" * 50, "a.png"),
    ("", ".png"),
    ("", "noextension"),
    ("", "many.dots.in.a.name.png"),
    # Text that a page, a shell or a format string would run.
    ("", "$(touch x).png"),
    ("", "`id`;&&|.png"),
    ("", "%s%n{0}{{7*7}}.png"),
    ("", "<img src=x onerror=alert(1)>.png"),
    ("", "a&type=input#?x=y.png"),
    ("", "desktop.ini"),
    ("", "Thumbs.db"),
    ("", "autorun.inf"),
    ("", "evil.lnk"),
    ("", "evil.html"),
    ("", "evil.svg"),
)
"""The subfolder and the name of each."""
OUTPUTS_OF_ONE_JOB = 4


def set_traps(jobs: Iterable[SimulatedJob]) -> None:
    """Give jobs that have files these names, four to a job, for as long as there are any. The jobs must be fresh.

    Below the trap's own subfolder, each name has another path in every job: the storage knows files by their path.
    """
    traps = cycle(TRAP_NAMES)
    taken: set[str] = set()
    for job in jobs:
        if not job.files:
            continue
        places = [next(traps) for _ in range(OUTPUTS_OF_ONE_JOB)]
        job.subfolders = tuple(subfolder for subfolder, _ in places)
        job.files = tuple(name for _, name in places)
        if taken & set(job.paths):
            job.subfolders = tuple(f"{subfolder}/{job.id[:8]}".lstrip("/") for subfolder in job.subfolders)
        taken |= set(job.paths)
