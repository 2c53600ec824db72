"""Saving outputs from the simulated cloud to a folder, and comparing what is there with the cloud's own books."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloud_history.cloud.client import CloudClient
from cloud_history.config import BaseUrl
from cloud_history.outputs.progress import SaveProgress
from cloud_history.outputs.request import SaveRequest
from cloud_history.outputs.result import SaveResult
from cloud_history.service import Operations
from cloud_history.state.credentials import ApiKey
from cloud_history.tasks.stopping import Unwatched, Watch
from simulated_cloud import SimulatedCloud, SimulatedJob


async def no_wait(seconds: float) -> None:
    """Let no test wait between two tries."""


def impatient_client(base_url: BaseUrl, key: ApiKey) -> CloudClient:
    return CloudClient(base_url, key.secret, sleep=no_wait)


class StoppingWatch(Unwatched):
    """Requests a stop when `when` returns true, which is asked at each progress."""

    def __init__(self, when: Callable[[int, int], bool]) -> None:
        self._when = when
        self.stop = False

    def stop_requested(self) -> bool:
        return self.stop

    def progress(self, phase: str, done: int, total: int) -> None:
        self.stop = self.stop or (phase == "saving" and self._when(done, total))


@dataclass
class SavingStage:
    """A folder for outputs, and operations that are connected to the simulated cloud."""

    cloud: SimulatedCloud
    folder: Path
    environ: dict[str, str]

    def __post_init__(self) -> None:
        self.operations = self.new_operations()

    @property
    def output(self) -> Path:
        """ComfyUI's output folder."""
        return self.folder / "output"

    def new_operations(self) -> Operations:
        """Return operations as a restarted ComfyUI has them."""
        return Operations(
            self.folder / "state",
            self.environ,
            open_client=impatient_client,
            sleep=no_wait,
            output_folder=self.output,
        )

    def jobs(self, count: int, files: int = 2, **changes: Any) -> list[SimulatedJob]:
        """Add completed jobs with this many outputs each."""
        names = [[f"{new}_{number:05}_.png" for number in range(files)] for new in _names(len(self.cloud.jobs), count)]
        return [self.cloud.add_job(files=tuple(each), **changes) for each in names]

    async def save(
        self,
        jobs: Sequence[SimulatedJob],
        watch: Watch | None = None,
        progress: SaveProgress | None = None,
        operations: Operations | None = None,
    ) -> SaveResult:
        """Save the outputs of these jobs."""
        used = operations or self.operations
        connection = await used.find_connection()
        request = SaveRequest([job.id for job in jobs], connection, "panel")
        return await used.save_outputs(request, watch or Unwatched(), progress)

    def saved(self) -> dict[str, str]:
        """Return the SHA-256 of each file below the output folder, by its path, without the files about jobs."""
        found = (path for path in self.output.rglob("*") if path.is_file() and path.name != "job.json")
        return {str(path.relative_to(self.output)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}

    def stored(self, jobs: Iterable[SimulatedJob]) -> list[str]:
        """Return the SHA-256 of each output of these jobs as the cloud has it, sorted."""
        return sorted(self.cloud.account.facts_of(path).sha256 for job in jobs for path in job.paths)

    def agrees(self, jobs: Iterable[SimulatedJob]) -> bool:
        """Return whether exactly the outputs of these jobs are on the disk, byte for byte."""
        return sorted(self.saved().values()) == self.stored(jobs)


def _names(first: int, count: int) -> list[str]:
    return [f"picture {first + number}" for number in range(count)]
