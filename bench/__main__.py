"""Runs the measurements and prints one table: `python3 dev.py bench [--only ab] [--runs 5]`."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator

import aiohttp

from . import backing_up, deleting, importing, listing, scripts, scrolling, stalls
from .cloud import LATENCY
from .page import FRONTEND
from .table import Figure, table

MEASUREMENTS: dict[str, Callable[[int], Iterator[Figure]]] = {
    "a": deleting.measure,
    "b": listing.measure,
    "c": stalls.measure,
    "d": importing.measure,
    "e": scrolling.measure,
    "f": scripts.measure,
    "g": backing_up.measure,
}


def main() -> int:
    reader = argparse.ArgumentParser(prog="dev.py bench")
    reader.add_argument("--only", default="".join(MEASUREMENTS), help="letters of the measurements to run")
    reader.add_argument("--runs", type=int, default=5, help="runs of each (default: %(default)s)")
    options = reader.parse_args()
    figures: list[Figure] = []
    for letter in options.only:
        start = time.monotonic()
        figures += MEASUREMENTS[letter](options.runs)
        print(f"  {letter}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    print(f"\n{table(figures)}\n\n{_surroundings()}")
    missed = [figure for figure in figures if not figure.met]
    if missed:
        print(f"\n{len(missed)} of {len(figures)} lines miss their target.")
    return 1 if missed else 0


def _surroundings() -> str:
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return "\n".join(
        [
            "Medians; in brackets from the best run to the worst. "
            f"Simulated cloud in its own process, {LATENCY * 1000:.0f} ms an answer.",
            f"Frontend {FRONTEND}, Python {platform.python_version()}, aiohttp {aiohttp.__version__}, "
            f"{os.cpu_count()} cores{load}.",
            "What else the machine does costs us most: on a busy one the ratios fall.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
