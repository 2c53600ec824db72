"""The simulated cloud in a process of its own, so that what it costs is not taken for a cost of ours.

It answers each request after 50 ms. Run as a program it takes one command a line: `restore` undoes all deletions.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from simulated_cloud import SimulatedCloud

from .paths import ROOT, environment

LATENCY = 0.05
"""Seconds each answer is held back."""
ERROR_SIZE = 3000
"""Characters that an error's traceback is made of where errors are to be long."""


@dataclass(frozen=True)
class Cloud:
    """A running simulated cloud. All its jobs are finished ones."""

    base_url: str
    api_key: str
    job_ids: list[str]
    failed_ids: list[str]
    """Those that failed, and not in the last minutes: their status can't change any more."""
    _process: subprocess.Popen[str]

    @property
    def environ(self) -> dict[str, str]:
        """The environment that connects to it."""
        return {"COMFY_CLOUD_BASE_URL": self.base_url, "COMFY_CLOUD_API_KEY": self.api_key}

    def restore(self) -> int:
        """Put all deleted jobs back. Gives how many were deleted, by the cloud's own books."""
        _stream(self._process.stdin).write("restore\n")
        _stream(self._process.stdin).flush()
        return int(_stream(self._process.stdout).readline())


@contextlib.contextmanager
def running_cloud(jobs: int, *, latency: float = LATENCY, failed: bool = False) -> Iterator[Cloud]:
    """Run one. With `failed`, every job has failed, with a long error: a page of them is more than 3 MB."""
    command = [sys.executable, "-m", "bench.cloud", "--jobs", str(jobs), "--latency", str(latency)]
    command += ["--failed"] if failed else []
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        base_url, api_key, ids, failed_ids = _stream(process.stdout).readline().split()
        yield Cloud(base_url, api_key, ids.split(","), failed_ids.strip("-").split(","), process)
    finally:
        _stream(process.stdin).close()
        process.wait(10)


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def _account(jobs: int, *, failed: bool) -> SimulatedCloud:
    cloud = SimulatedCloud(jobs=jobs)
    for job in cloud.active:
        cloud.finish(job.id)
    if failed:
        line = '  File "/opt/worker/nodes/sampling.py", line 218, in run_steps\n'
        for job in cloud.jobs.values():
            job.status = "failed"
            error = {
                "node_id": "3",
                "node_type": "KSampler",
                "exception_message": "Allocation on device 0 would exceed allowed memory. " * 6,
                "exception_type": "torch.OutOfMemoryError",
                "traceback": [line] * (ERROR_SIZE // len(line)),
                "current_inputs": {"seed": [720461288]},
                "current_outputs": {},
            }
            job.overrides["execution_error"] = error
    return cloud


def _restore(cloud: SimulatedCloud) -> int:
    deleted = cloud.deleted
    for job in deleted:
        job.deleted, job.deleted_at = False, None
    cloud.requests.clear()
    return len(deleted)


async def _serve(jobs: int, latency: float, *, failed: bool) -> None:
    cloud = _account(jobs, failed=failed)
    cloud.switches.latency = latency
    async with cloud.serving() as base_url:
        failed_ids = ",".join(job.id for job in cloud.finished if job.status == "failed")
        print(
            base_url, cloud.api_key, ",".join(job.id for job in cloud.finished), f"-{failed_ids}", flush=True
        )
        # It ends with the program that started it: then its input ends.
        while (await asyncio.to_thread(sys.stdin.readline)).strip():
            print(_restore(cloud), flush=True)


if __name__ == "__main__":
    reader = argparse.ArgumentParser()
    reader.add_argument("--jobs", type=int, required=True)
    reader.add_argument("--latency", type=float, required=True)
    reader.add_argument("--failed", action="store_true")
    options = reader.parse_args()
    asyncio.run(_serve(options.jobs, options.latency, failed=options.failed))
