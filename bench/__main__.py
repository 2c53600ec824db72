"""Run the measurements and print one table: `python3 dev.py bench [--only delete,list] [--runs 5]`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator

import aiohttp

from . import backup, delete, imports, listing, outputs, scripts, scroll, stalls
from .cloud import LATENCY_SECONDS
from .page import FRONTEND
from .table import Figure, table

MEASUREMENTS: dict[str, Callable[[int], Iterator[Figure]]] = {
    "delete": delete.measure,
    "list": listing.measure,
    "stalls": stalls.measure,
    "import": imports.measure,
    "scroll": scroll.measure,
    "scripts": scripts.measure,
    "backup": backup.measure,
    "outputs": outputs.measure,
}


def main() -> int:
    reader = argparse.ArgumentParser(prog="dev.py bench")
    reader.add_argument(
        "--only",
        type=_names,
        default=list(MEASUREMENTS),
        metavar="NAME[,NAME]",
        help=f"the measurements to run: {', '.join(MEASUREMENTS)} (default: all)",
    )
    reader.add_argument("--runs", type=int, default=5, help="runs of each measurement (default: %(default)s)")
    options = reader.parse_args()
    figures: list[tuple[str, Figure]] = []
    for name in options.only:
        start = time.monotonic()
        figures += [(name, figure) for figure in MEASUREMENTS[name](options.runs)]
        print(f"  {name}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    print(f"\n{table(figures)}\n\n{_surroundings()}")
    missed = [figure for _, figure in figures if not figure.met]
    if missed:
        print(f"\n{len(missed)} of {len(figures)} lines miss their target.")
    return 1 if missed else 0


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in MEASUREMENTS]:
        raise argparse.ArgumentTypeError(f"no measurement {unknown[0]!r}; there are {', '.join(MEASUREMENTS)}")
    return names


def _surroundings() -> str:
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return "\n".join(
        [
            "Medians, with the best and the worst run in brackets. "
            f"The simulated cloud runs in its own process and takes {LATENCY_SECONDS * 1000:.0f} ms for each answer.",
            f"Frontend {FRONTEND}, Python {platform.python_version()}, aiohttp {aiohttp.__version__}, "
            f"{os.cpu_count()} cores{load}.",
            "On a busy machine the ratios fall, because our side does more work at once.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
