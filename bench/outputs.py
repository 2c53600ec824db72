"""Saving 1,000 outputs of 2 MB, compared with a plain script that downloads one after another; and one of 2 GB.

Each run has a process of its own, so that its memory is that of the save alone. The script neither hashes nor syncs
what it writes. The event loop is the one on which the save runs, watched as in `stalls`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from .cloud import Cloud, running_cloud
from .paths import ROOT, environment
from .stalls import MAX_P99_SECONDS, watch
from .table import Figure, seconds, spread

JOBS = 250
FILES_OF_A_JOB = 4
FILE_BYTES = 2_000_000
SAMPLE_JOBS = 25
"""The jobs whose outputs the script downloads."""
LARGE_BYTES = 2 * 2**30
MIN_SPEEDUP = 3.5
MAX_MEMORY_BYTES = 80_000_000


@dataclass(frozen=True)
class Run:
    """One save: its duration, the stalls of the event loop, and the memory beyond that at its start."""

    seconds: float
    p99: float
    memory: int


def measure(runs: int) -> Iterator[Figure]:
    files = JOBS * FILES_OF_A_JOB
    with running_cloud(JOBS, files=FILES_OF_A_JOB, file_bytes=FILE_BYTES) as cloud:
        ours = [_run(cloud) for _ in range(runs)]
        base = statistics.median(_run_script(cloud, cloud.job_ids[:SAMPLE_JOBS]) for _ in range(runs))
    base *= JOBS / SAMPLE_JOBS
    data = f"{files:,} files of {FILE_BYTES / 1e6:.0f} MB, {runs} runs"
    yield Figure(
        "save outputs",
        data,
        spread([run.seconds for run in ours]),
        f"one at a time: {seconds(base)} (from {SAMPLE_JOBS * FILES_OF_A_JOB})",
        base / statistics.median(run.seconds for run in ours),
        "×",
        MIN_SPEEDUP,
        "at least",
    )
    yield _memory(data, ours)
    yield _stalls(data, ours)
    with running_cloud(1, files=1, file_bytes=LARGE_BYTES) as cloud:
        ours = [_run(cloud)]
    data = f"1 file of {LARGE_BYTES / 1e9:.1f} GB, 1 run"
    yield _memory(data, ours)
    yield _stalls(data, ours)


def _memory(data: str, runs: Sequence[Run]) -> Figure:
    values = [run.memory / 1e6 for run in runs]
    words = f"from {min(values):.0f} to {max(values):.0f} MB"
    return Figure(
        "memory of a save", data, words, "at its start: 0 MB", max(values), "MB", MAX_MEMORY_BYTES / 1e6, "under"
    )


def _stalls(data: str, runs: Sequence[Run]) -> Figure:
    values = [run.p99 * 1000 for run in runs]
    words = f"from {min(values):.1f} to {max(values):.1f} ms"
    return Figure(
        "event loop waits, p99",
        data,
        words,
        f"in {sum(run.seconds for run in runs):.0f} s",
        statistics.median(values),
        "ms",
        MAX_P99_SECONDS * 1000,
        "under",
    )


def _run(cloud: Cloud) -> Run:
    """Save all outputs in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.outputs", "--folder", folder]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**environment(), **cloud.environ},
            input=",".join(cloud.job_ids),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return Run(**json.loads(done.stdout))


async def _save(folder: Path, job_ids: Sequence[str]) -> Run:
    from cloud_history.outputs.request import SaveRequest
    from cloud_history.service import Operations
    from cloud_history.tasks.stopping import Unwatched

    output = folder / "output"
    output.mkdir()
    operations = Operations(folder / "state", output_folder=output)
    request = SaveRequest(job_ids, await operations.find_connection(), "panel")
    before = _forget_peak()
    start = time.perf_counter()
    saving = asyncio.ensure_future(operations.save_outputs(request, Unwatched()))
    stalls = await watch(saving)
    took = time.perf_counter() - start
    if len(saving.result().whole_ids) != len(job_ids):
        raise AssertionError("not all outputs are here")
    return Run(took, stalls.p99, _peak() - before)


def _forget_peak() -> int:
    """Return the memory that this process uses in bytes, and begin to measure its peak anew."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    """Return the largest resident memory of this process in bytes. Linux only."""
    status = Path("/proc/self/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def _run_script(cloud: Cloud, job_ids: Sequence[str]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_download_singly(cloud, job_ids, Path(folder)))


async def _download_singly(cloud: Cloud, job_ids: Sequence[str], folder: Path) -> float:
    headers = {"X-API-Key": cloud.api_key}
    async with aiohttp.ClientSession() as session:
        start = time.perf_counter()
        for job_id in job_ids:
            async with session.get(f"{cloud.base_url}/api/jobs/{job_id}", headers=headers) as response:
                outputs = (await response.json())["outputs"]
            for file in (file for by_kind in outputs.values() for files in by_kind.values() for file in files):
                async with session.get(
                    f"{cloud.base_url}/api/view", params=file, headers=headers, allow_redirects=False
                ) as response:
                    location = response.headers["Location"]
                async with session.get(location) as response:
                    (folder / file["filename"]).write_bytes(await response.read())
        return time.perf_counter() - start


if __name__ == "__main__":
    reader = argparse.ArgumentParser()
    reader.add_argument("--folder", type=Path, required=True)
    print(json.dumps(vars(asyncio.run(_save(reader.parse_args().folder, sys.stdin.read().split(","))))))
