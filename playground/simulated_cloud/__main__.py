"""Run a simulated Comfy Cloud on this machine: `python -m simulated_cloud --help`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys

from .bends import add_bend_option
from .cloud import DEFAULT_API_KEY, SimulatedCloud


def parser() -> argparse.ArgumentParser:
    """Build the parser of the command line."""
    reader = argparse.ArgumentParser(
        prog="python -m simulated_cloud",
        description="A simulated Comfy Cloud on 127.0.0.1. It forgets everything when it stops (Ctrl+C).",
    )
    reader.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    reader.add_argument("--jobs", type=_count, default=240, help="jobs in the account (default: %(default)s)")
    reader.add_argument("--api-key", default=DEFAULT_API_KEY, help="the one key it accepts (default: %(default)s)")
    reader.add_argument("--latency-ms", type=_count, default=0, help="delay of every answer in milliseconds")
    reader.add_argument("--seed", type=int, default=1, help="seed of the random jobs (default: %(default)s)")
    reader.add_argument(
        "--trap-names", action="store_true", help="give most outputs names that are dangerous as names of files"
    )
    reader.add_argument(
        "--switch",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change the behaviour, for instance rate_limit=20, false_401=50 or history_route=410. May be repeated. "
        "All switches are in simulated_cloud/switches.py",
    )
    add_bend_option(reader)
    return reader


async def serve(options: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM."""
    cloud = SimulatedCloud(jobs=options.jobs, seed=options.seed, api_key=options.api_key, trap_names=options.trap_names)
    cloud.switches.latency = options.latency_ms / 1000
    for switch in options.switch:
        cloud.switches.set(switch)
    cloud.bends += options.bend
    stop = asyncio.Event()
    # Event loops on Windows have no signal handlers. There Ctrl+C raises KeyboardInterrupt.
    with contextlib.suppress(NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with cloud.serving(options.port) as base_url:
        sys.stdout.write(f"Comfy Cloud (simulated) on {base_url}\n")
        sys.stdout.flush()
        await stop.wait()


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return number


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parser().parse_args()))
