"""One job of a running save: its folder, its files, and what became of each."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..cloud.assets import AssetFacts
from ..jobs.job import Job, OutputFile
from ..jobs.rows import read_workflow
from ..reasons import NO_REASON, Reason
from ..secret import Secret, scrub
from ..state.saved_outputs import SavedFile, SavedJob
from .disk import DiskSteps
from .errors import OutputsUnwritable
from .folder import JobFolder, OutputFolder
from .job_file import write_job_file
from .listed import ListedOutputs
from .result import FailedFile, JobSaved
from .stored import FoundFiles
from .unfinished import remove_parts

UNUSABLE_NAME = Reason("output_name_unusable")
_COUNTER = re.compile(r"(?<=.)[_ -]*\d+_*$")
"""The number that ComfyUI appends to the names of outputs, as in ComfyUI_00012_.png."""


class JobRun:
    """One job of a running save.

    Attributes:
        steps: runs the work on the job's folder.
    """

    def __init__(self, job: Job, detail: Mapping[str, Any], listed: ListedOutputs, assets: AssetFacts) -> None:
        self.job = job
        self.listed = listed
        self.assets = assets
        self.steps = DiskSteps()
        self._detail = detail
        self._root = ""
        self._folder: JobFolder | None = None
        self._saved: dict[OutputFile, SavedFile] = {}
        self._failed: dict[OutputFile, Reason] = {}
        self._before = 0

    @property
    def size(self) -> int | None:
        """The bytes of all files by the Cloud's assets; None if one of them is not known."""
        found = [self.assets.find(self.job.id, file.filename) for file in self.listed.files]
        sizes = [each.size if each is not None else None for each in found]
        return None if None in sizes or self.listed.unusable else sum(size or 0 for size in sizes)

    @property
    def folder(self) -> JobFolder:
        """The open folder of the job."""
        assert self._folder is not None, "the folder is opened before a file is saved"
        return self._folder

    @property
    def label(self) -> str:
        """The name of the workflow, else the name of the first output without its number; "" if there is none."""
        name = self.workflow_name
        if not name and self.listed.files:
            stem, _, _ = self.listed.files[0].filename.rpartition(".")
            name = _COUNTER.sub("", stem or self.listed.files[0].filename)
        return name

    @property
    def workflow_name(self) -> str:
        """The name that the workflow gives itself; "" if there is none."""
        canvas, _ = read_workflow(self._detail.get("workflow"))
        name = (canvas or {}).get("name")
        return scrub(name)[:200] if isinstance(name, str) else ""

    def open(self, folder: OutputFolder, found: FoundFiles) -> None:
        """Open the folder of the job. Blocking. What was found there before need not be saved again."""
        self._folder = folder.open_job_folder(self.job.created_at, self.label, self.job.id)
        self._root = str(folder.root)
        if (found.root, found.folder) == (self._root, self._folder.path):
            self._saved.update(found.files)
            self._before = len(found.files)

    def missing(self) -> list[OutputFile]:
        """Return the outputs that are not here."""
        return [file for file in self.listed.files if file not in self._saved]

    def found(self) -> list[SavedFile]:
        """Return the outputs that are here."""
        return list(self._saved.values())

    def set_saved(self, file: OutputFile, saved: SavedFile, *, before: bool) -> None:
        """Note that an output is here. `before`: whether a file with the same content was here before."""
        self._saved[file] = saved
        self._before += before

    def set_failed(self, file: OutputFile, why: Reason) -> None:
        """Note that an output could not be saved."""
        self._failed[file] = why

    def end_unfinished(self, why: Reason) -> None:
        """Note that all outputs without a result are not here."""
        for file in self.missing():
            self._failed.setdefault(file, why)

    def result(self, problem: Reason = NO_REASON) -> JobSaved:
        """Return what became of the job."""
        files = [self._saved[file] for file in self.listed.files if file in self._saved]
        failed = [FailedFile(file.filename, self._failed[file]) for file in self.listed.files if file in self._failed]
        failed += [FailedFile("", UNUSABLE_NAME)] * self.listed.unusable
        folder = self._folder.path if self._folder is not None and files else ""
        return JobSaved(self.job.id, self._root if files else "", folder, files, self._before, failed, problem)

    def line(self, operation: str) -> SavedJob:
        """Return the line for the list of saved outputs."""
        result = self.result()
        return SavedJob(self.job.id, operation, result.root, result.folder, tuple(result.files), whole=result.whole)

    def write_job_file(self, host: str, key: Secret) -> None:
        """Write the file about the job beside its outputs. Blocking. Raise CloudError if the disk refuses.

        If all outputs are here, nothing that earlier saves left unfinished in the folder is needed any more.
        """
        result = self.result()
        write_job_file(
            self.folder.directory,
            self._detail,
            key.reveal(),
            name=self.workflow_name,
            host=host,
            files=result.files,
            whole=result.whole,
        )
        if result.whole:
            with suppress(OutputsUnwritable):
                remove_parts(self.folder.directory)

    def close_soon(self) -> asyncio.Future[None]:
        """Close the folder after the work on it that is still running, which may be opening it. Return a future."""
        return self.steps.run_at_last(self._close)

    def _close(self) -> None:
        if self._folder is not None:
            self._folder.directory.close()
