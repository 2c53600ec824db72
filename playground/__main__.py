"""The playground: a simulated Comfy Cloud with jobs in it, and ComfyUI's page with the pack, on this machine.

`python3 dev.py play` installs what it needs and starts it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from hosts import HostDidNotStart, HostProcess, frontend_dir, start_host
from simulated_cloud import SimulatedCloud
from simulated_cloud.bends import add_bend_option


def parser() -> argparse.ArgumentParser:
    """Build the parser of the command line."""
    reader = argparse.ArgumentParser(prog="dev.py play", description=__doc__)
    reader.add_argument("--jobs", type=int, default=240, help="jobs on the simulated cloud (default: 240)")
    reader.add_argument("--port", type=int, default=0, help="port of the page (default: any free one)")
    reader.add_argument(
        "--comfyui",
        type=Path,
        metavar="DIR",
        help="use this ComfyUI (default: env COMFYUI_DIR; its interpreter: env COMFYUI_PYTHON)",
    )
    reader.add_argument("--latency-ms", type=int, default=0, help="delay of each answer of the cloud")
    reader.add_argument("--connected", action="store_true", help="start with the API key already set")
    reader.add_argument(
        "--home", type=Path, metavar="DIR", help="folder for the host's files (default: a temporary folder)"
    )
    reader.add_argument(
        "--switch",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change how the cloud behaves, for instance rate_limit=20, false_401=50 or history_route=410. May be "
        "repeated. All switches are in playground/simulated_cloud/switches.py",
    )
    add_bend_option(reader)
    return reader


def play(options: argparse.Namespace) -> None:
    """Start the cloud and the host, print their addresses, and wait until the host ends or Ctrl+C."""
    cloud = SimulatedCloud(jobs=options.jobs)
    cloud.switches.latency = options.latency_ms / 1000
    for switch in options.switch:
        cloud.switches.set(switch)
    cloud.bends += options.bend
    with _home(options.home) as home, cloud.serving_in_thread() as cloud_url:
        print(f"  ...     starting {_host_name(options)}", flush=True)
        host = start_host(
            home,
            comfyui_dir=options.comfyui,
            cloud_url=cloud_url,
            api_key=cloud.api_key if options.connected else None,
            frontend=frontend_dir(),
            port=options.port,
        )
        try:
            print(_welcome(cloud, host, connected=options.connected), flush=True)
            _wait(host)
        except KeyboardInterrupt:
            print("\nStopping…", flush=True)
            # A terminal sends Ctrl+C to the host as well, so it may already be stopping.
            with contextlib.suppress(subprocess.TimeoutExpired):
                host.process.wait(1)
        finally:
            host.stop()


@contextlib.contextmanager
def _home(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        yield chosen
        return
    # Windows may still hold a file open when the host has just ended.
    with tempfile.TemporaryDirectory(prefix="cloud-history-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _host_name(options: argparse.Namespace) -> str:
    real = options.comfyui or os.environ.get("COMFYUI_DIR")
    return f"ComfyUI in {real}, which may take a minute" if real else "the playground, a few seconds"


def _welcome(cloud: SimulatedCloud, host: HostProcess, *, connected: bool) -> str:
    connect = "Extensions > Cloud history > Connect to Comfy Cloud… (the logo opens the menu): paste the API key."
    first = "The API key is set already, as COMFY_CLOUD_API_KEY." if connected else connect
    key = "" if connected else f"\n  API key    {cloud.api_key}"
    return f"""
Comfy Cloud History: playground

  Open       {host.example_url}{key}
  Try        1. {first}
             2. The cloud in the sidebar: click a picture; tick some jobs, Delete, Undo; then More > Clean up…
             3. Run: the open example lists old failed jobs, and deletes nothing while dry_run is on.
  The cloud  {cloud.base_url}, simulated: {len(cloud.finished)} finished jobs, {len(cloud.active)} active
  Log        {host.log_path}
  Stop       Ctrl+C
"""


def _wait(host: HostProcess) -> None:
    while host.process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            host.process.wait(0.5)
    raise HostDidNotStart(f"The host ended unexpectedly. The end of its log:\n{host.log()[-4000:]}")


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Return 0 after Ctrl+C, and 1 if the host could not start or ended by itself."""
    signal.signal(signal.SIGTERM, _interrupt)
    # Programs that a shell starts in the background ignore SIGINT by default.
    signal.signal(signal.SIGINT, _interrupt)
    # A console may lack characters of our texts.
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        play(parser().parse_args())
    except KeyboardInterrupt:
        return 0
    except (HostDidNotStart, FileNotFoundError, ValueError) as problem:
        print(problem, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
