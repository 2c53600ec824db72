"""Run commands, and show one line for each: its name, its duration, and its output only if it failed."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / ".cache" / "logs"
TAIL_LINES = 60
MAX_LINE_CHARACTERS = 240

_print_lock = threading.Lock()


class StepFailed(Exception):
    """A step failed. `str()` names the step and the reason, and `output` is the output of the command."""

    def __init__(self, reason: str, output: str = "") -> None:
        super().__init__(reason)
        self.output = output


def say(text: str) -> None:
    """Print whole lines, although steps run in several threads."""
    with _print_lock:
        print(text, flush=True)


def duration(seconds: float) -> str:
    """Format seconds: "3.4 s", "2 min 05 s"."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s"


def report_step(title: str, seconds: float, *, ok: bool) -> None:
    say(f"  {'ok    ' if ok else 'FAILED'}  {title:<34} {duration(seconds):>11}")


def run_step(
    title: str, command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, lasts: str = ""
) -> str:
    """Run a command and return what it printed to both streams, which is also kept in `.cache/logs`.

    `env` is added to the environment. `lasts` is about how long it takes, and is shown before it begins.
    Raises StepFailed if the command cannot be started or does not end with code 0.
    """
    started = time.monotonic()
    if lasts:
        say(f"  ...     {title:<34} {lasts:>11}")
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / (re.sub(r"\W+", "-", title).strip("-") + ".log")
    try:
        with log.open("wb") as sink:
            code = subprocess.run(
                [str(part) for part in command],
                cwd=ROOT,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                # The command inherits the set-up lock, the only inheritable file.
                close_fds=os.name != "posix",
                check=False,
            ).returncode
    except OSError as exc:
        report_step(title, time.monotonic() - started, ok=False)
        raise StepFailed(f"{title}: {command[0]} cannot be started ({exc})") from exc
    output = log.read_text(encoding="utf-8", errors="replace")
    report_step(title, time.monotonic() - started, ok=code == 0)
    if code:
        raise StepFailed(f"{title} ended with code {code}", output)
    return output


def tail(output: str, lines: int = TAIL_LINES) -> str:
    """Return the last lines of an output, indented, with a note on the number of lines left out."""
    kept = output.rstrip().splitlines()
    left_out = len(kept) - lines
    note = [f"({left_out} earlier lines are in {LOGS.relative_to(ROOT)})"] if left_out > 0 else []
    return "\n".join(f"    {line}" for line in [*note, *(line[:MAX_LINE_CHARACTERS] for line in kept[-lines:])])
