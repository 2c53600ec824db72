"""What can be done with outputs: looking at what there is, saving it, and finding what was saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from .. import environment
from ..cloud.assets import read_assets
from ..cloud.client import CloudClient
from ..cloud.file_receiver import FileReceiver
from ..errors import OperationRefused
from ..jobs.job import Job
from ..sentence import Worded
from ..state.saved_outputs import SavedFile, SavedOutputs
from ..state.saves import InFlightSaves
from ..state.settings import Settings, SettingsFile
from ..tasks.stopping import Watch
from ..tasks.threads import run_in_thread, run_large_in_thread
from .disk import MAX_SECONDS_OF_LONG_WORK, on_disk, on_disk_later
from .facts import PREVIEW_SECONDS, JobFacts, read_facts
from .folder import OutputFolder, find_output_folder, output_roots
from .progress import SaveProgress
from .report import size_text
from .request import SavePreview, SaveRequest
from .result import SaveResult
from .save import Saving
from .save_file import FileSaver
from .stored import JobHere, StoredOutputs

GIGABYTE = 2**30
FOLDER_SECONDS = 5.0
IDLE_SECONDS = 30.0
"""A download ends if nothing comes for so long. There is no limit for a whole file."""


class Outputs:
    """The outputs on this machine, and how they come here. Its methods take the client of one operation.

    Attributes:
        manifest: the list of saved outputs.
        running: the saves on disk that have begun and not ended.

    Args:
        folder: the state folder.
        comfyui_output: ComfyUI's output folder; None outside ComfyUI.
    """

    def __init__(
        self,
        folder: Path,
        settings: SettingsFile,
        comfyui_output: Path | None = None,
        environ: Mapping[str, str] = environment.PROCESS,
    ) -> None:
        self.manifest = SavedOutputs(folder)
        self.running = InFlightSaves(folder)
        self._settings = settings
        self._comfyui_output = comfyui_output
        self._environ = environ
        self._bytes_per_second: float | None = None
        self._has_tidied = False

    async def folder(self, settings: Settings | None = None) -> OutputFolder:
        """Return the folder for outputs.

        Args:
            settings: the settings to use; None for those in force.

        Raises:
            OutputFolderRefused: there is no folder, or the one in the settings is not allowed.
            SetupProblem: the settings can't be read.
        """
        if settings is None:
            settings = await run_in_thread(self._settings.in_force)
        chosen = settings.outputs_folder
        # Only links are resolved, so a longer wait would not help.
        return await on_disk(lambda: find_output_folder(chosen, self._comfyui_output, self._environ), FOLDER_SECONDS)

    def stored(self) -> StoredOutputs:
        """Return the saved outputs below the folders that are allowed now. Blocking."""
        return StoredOutputs(self.manifest, output_roots(self._comfyui_output, self._environ))

    async def here(self, job_ids: Sequence[str]) -> dict[str, JobHere]:
        """Return what of these jobs is on this machine, for those of which anything is.

        Raises:
            SetupProblem: the list of saved outputs can't be read, or a disk fails.
        """
        return await on_disk(lambda: self.stored().here(job_ids), MAX_SECONDS_OF_LONG_WORK)

    async def whole_ids(self) -> frozenset[str]:
        """Return the ids of all jobs whose outputs are all on this machine. Raise SetupProblem as `here` does."""
        known = await run_large_in_thread(self.manifest.whole_ids)
        here = await self.here([job_id for job_id, whole in known.items() if whole])
        return frozenset(job_id for job_id, each in here.items() if each.whole)

    async def payload(self, job_id: str) -> dict[str, Any]:
        """Return the saved outputs of a job as JSON. Raise SetupProblem as `here` does."""
        return await on_disk(lambda: self.stored().payload(job_id))

    async def open_saved(self, job_id: str, number: int) -> tuple[SavedFile, BinaryIO]:
        """Open a saved output. Raise InputRefused if there is none with this number, SetupProblem as `here` does."""
        return await on_disk(lambda: self.stored().open(job_id, number))

    async def preview(self, client: CloudClient, jobs: Sequence[Job], watch: Watch) -> SavePreview:
        """Return what a save of these jobs would do.

        Raises:
            OutputFolderRefused: there is no folder for outputs.
            CloudError: the Cloud can't be asked.
        """
        folder = await self.folder()
        free = await on_disk(folder.free_bytes)
        facts = await read_facts(client, jobs, watch, PREVIEW_SECONDS)
        here = await self.here([job.id for job in jobs])
        return SavePreview(jobs, facts, here, free, folder.place, self._bytes_per_second)

    async def check_room(self, needed: int | None) -> None:
        """Raise OperationRefused if so many bytes do not fit on the disk of the folder. None: nothing is known."""
        free = await on_disk((await self.folder()).free_bytes)
        if needed is not None and needed > free:
            raise OperationRefused(
                "outputs_no_room", needed=Worded(needed, size_text(needed)), free=Worded(free, size_text(free))
            )

    async def save(
        self, client: CloudClient, request: SaveRequest, watch: Watch, progress: SaveProgress, *, rehash: bool = False
    ) -> SaveResult:
        """Save the outputs of the jobs of a request.

        Args:
            rehash: whether files that were here before are hashed again, however large they are.

        Raises:
            CloudError: nothing was saved: there is no folder, or too little room on its disk.
            OperationStopped: the person stopped it before it began.
        """
        settings = await run_in_thread(self._settings.in_force)
        folder = await self.folder(settings)
        stored = await on_disk(self.stored)
        watch.progress("saving", 0, progress.files)
        assets = await read_assets(client, request.job_ids, watch)
        expected = {**request.expected}
        for job_id in request.job_ids:
            sizes = [asset.size for asset in assets.of(job_id)]
            if job_id not in expected and sizes:
                expected[job_id] = JobFacts(len(sizes), None if None in sizes else sum(size or 0 for size in sizes))
            facts = expected.get(job_id, JobFacts(0, 0))
            progress.expect(job_id, facts.files, facts.size)
        await self._check_room_for(request.job_ids, expected)
        most = settings.outputs_max_gigabytes * GIGABYTE
        async with FileReceiver(client, most=most, idle_seconds=IDLE_SECONDS) as receiver:
            saving = Saving(
                client,
                FileSaver(receiver, folder),
                folder,
                stored,
                self.manifest,
                assets,
                progress,
                request.operation,
                request.connection.base_url.host,
                request.connection.key.secret,
                request.outputs_counts,
                rehash=rehash,
            )
            result = await saving.run(request.job_ids, watch)
        self._bytes_per_second = progress.bytes_per_second() or self._bytes_per_second
        if not self._has_tidied:
            self._has_tidied = True
            self.tidy(folder)
        return result

    def tidy(self, folder: OutputFolder) -> None:
        """Remove the unfinished files that earlier runs have left, soon. Those of interrupted saves stay."""

        def tidy() -> None:
            if not self.running.interrupted():
                folder.remove_unfinished()

        on_disk_later(tidy)

    async def _check_room_for(self, job_ids: Sequence[str], expected: Mapping[str, JobFacts]) -> None:
        """Raise OperationRefused if what is certainly missing does not fit on the disk."""
        here = await self.here(job_ids)
        missing = sum(
            max(0, (facts.size or 0) - (here[job_id].size if job_id in here else 0))
            for job_id, facts in expected.items()
        )
        await self.check_room(missing)
