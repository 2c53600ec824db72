"""The simulated cloud in a process of its own, so that its work does not slow down what is measured.

It answers each request after 50 ms. It reads commands from its standard input: `restore` undoes all deletions.
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

from simulated_cloud import Periodic, SimulatedCloud

from .paths import ROOT, environment

LATENCY_SECONDS = 0.05
"""Delay of each answer in seconds."""
ERROR_SIZE = 3000
"""Length of an error's traceback in characters, where long errors are wanted."""


@dataclass(frozen=True)
class Cloud:
    """A running simulated cloud, all of whose jobs are finished."""

    base_url: str
    api_key: str
    job_ids: list[str]
    failed_ids: list[str]
    """The jobs that failed."""
    _process: subprocess.Popen[str]

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that connect the pack to this cloud."""
        return {"COMFY_CLOUD_BASE_URL": self.base_url, "COMFY_CLOUD_API_KEY": self.api_key}

    def restore(self) -> int:
        """Undo all deletions and return how many jobs had been deleted."""
        _stream(self._process.stdin).write("restore\n")
        _stream(self._process.stdin).flush()
        return int(_stream(self._process.stdout).readline())


@contextlib.contextmanager
def running_cloud(jobs: int, *, failed: bool = False, files: int = 0, file_bytes: int = 0) -> Iterator[Cloud]:
    """Run a cloud.

    Args:
        failed: every job has failed with a long error, and a page holds more than 3 MB.
        files: the number of outputs of each job; 0 for outputs of all kinds and numbers.
        file_bytes: the size of each of these outputs. All differ by a few bytes.
    """
    command = [sys.executable, "-m", "bench.cloud", "--jobs", str(jobs)]
    command += ["--failed"] if failed else []
    command += ["--files", str(files), "--file-bytes", str(file_bytes)]
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


def _set_files(cloud: SimulatedCloud, files: int, file_bytes: int) -> None:
    for index, job in enumerate(cloud.jobs.values()):
        job.status, job.media, job.overrides = "completed", "gifs", {}
        job.files = tuple(f"clip_{index:05d}_{number}.mp4" for number in range(files))
        cloud.account.note_files(job)
        for number, name in enumerate(job.files):
            cloud.account.contents[name] = Periodic(f"clip {number}", file_bytes + index)
            # Computed before anything is measured, because a real cloud knows them.
            cloud.facts(name)


def _restore(cloud: SimulatedCloud) -> int:
    deleted = cloud.deleted
    for job in deleted:
        job.deleted, job.deleted_at = False, None
    cloud.requests.clear()
    return len(deleted)


async def _serve(jobs: int, *, failed: bool, files: int, file_bytes: int) -> None:
    cloud = _account(jobs, failed=failed)
    if files:
        _set_files(cloud, files, file_bytes)
    cloud.switches.latency = LATENCY_SECONDS
    async with cloud.serving() as base_url:
        failed_ids = ",".join(job.id for job in cloud.finished if job.status == "failed")
        print(base_url, cloud.api_key, ",".join(job.id for job in cloud.finished), f"-{failed_ids}", flush=True)
        # The input ends when the program that started this one ends.
        while (await asyncio.to_thread(sys.stdin.readline)).strip():
            print(_restore(cloud), flush=True)


if __name__ == "__main__":
    reader = argparse.ArgumentParser()
    reader.add_argument("--jobs", type=int, required=True)
    reader.add_argument("--failed", action="store_true")
    reader.add_argument("--files", type=int, default=0)
    reader.add_argument("--file-bytes", type=int, default=0)
    options = reader.parse_args()
    asyncio.run(_serve(options.jobs, failed=options.failed, files=options.files, file_bytes=options.file_bytes))
