"""Which outputs are on this machine: what the list of saved outputs says, as far as the files still agree with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from ..cloud.assets import AssetFacts
from ..errors import InputRefused
from ..jobs.job import OutputFile
from ..secret import scrub
from ..state.saved_outputs import SavedFile, SavedOutputs
from .errors import OutputFileRefused
from .folder import OutputFolder

MAX_CHEAP_BYTES = 16 * 1024 * 1024
"""A file up to this size is always hashed again. For a larger one, its size and its time of change are enough."""
MAX_REHASHED_BYTES = 2 * 1024 * 1024
"""The same just before a deletion is sent, when the files were hashed not long ago."""


class JobHere(NamedTuple):
    """What of a job is on this machine.

    Attributes:
        whole: whether all its outputs are.
        files: the outputs that are.
    """

    whole: bool
    files: Sequence[SavedFile]

    @property
    def size(self) -> int:
        """The bytes of these outputs."""
        return sum(file.size for file in self.files)


class FoundFiles(NamedTuple):
    """The outputs of one job that earlier saves have put on this machine, and that are unchanged.

    Attributes:
        root: absolute path of the folder to which their paths are relative.
        folder: path of the job's folder, relative to the root.
        whole: whether the list of saved outputs says that all outputs of the job were saved.
    """

    root: str = ""
    folder: str = ""
    files: Mapping[OutputFile, SavedFile] = {}
    whole: bool = False


class StoredOutputs:
    """The saved outputs below the allowed roots. Its methods access the disk: call them in a thread.

    Args:
        roots: the folders that may be read, with links resolved. The list of saved outputs may name others, which were
            allowed once.
    """

    def __init__(self, manifest: SavedOutputs, roots: Iterable[Path]) -> None:
        self._manifest = manifest
        self._folders = {str(root): OutputFolder(root) for root in roots}

    def here(self, job_ids: Sequence[str]) -> dict[str, JobHere]:
        """Return what of these jobs is here, for those of which anything is. Files are compared by size and time."""
        found: dict[str, JobHere] = {}
        for job_id, job in self._manifest.jobs(job_ids).items():
            files = [file for file in job.files if self.is_unchanged(job.root, file)]
            if files:
                whole = job.whole and len(files) == len(job.files)
                found[job_id] = JobHere(whole, files)
        return found

    def find(
        self,
        job_id: str,
        wanted: Sequence[OutputFile],
        assets: AssetFacts,
        pause: Callable[[], object],
        *,
        rehash: bool,
    ) -> FoundFiles:
        """Return which of the wanted outputs are here, compared with what the Cloud says of them now.

        Args:
            rehash: whether files are hashed again, however large they are.
        """
        job = self._manifest.jobs([job_id]).get(job_id)
        if job is None:
            return FoundFiles()
        known = {OutputFile(file.name, file.subfolder, file.kind): file for file in job.files}
        found: dict[OutputFile, SavedFile] = {}
        for each in wanted:
            file, asset = known.get(each), assets.find(job_id, each.filename)
            if file is None or (asset is not None and asset.size not in (None, file.size)):
                continue
            most = file.size if rehash else MAX_CHEAP_BYTES
            if self.is_unchanged(job.root, file, most_hashed=most, pause=pause):
                found[each] = file
        return FoundFiles(job.root, job.folder, found, job.whole)

    def is_unchanged(
        self, root: str, file: SavedFile, *, most_hashed: int = -1, pause: Callable[[], object] = lambda: None
    ) -> bool:
        """Return whether a saved file is here as it was saved.

        Args:
            most_hashed: a file up to this size is hashed again. For others, size and time of change are compared.
            pause: called while a file is hashed.

        Raises:
            OutputsUnwritable: the disk fails, so it is not known.
        """
        folder = self._folders.get(root)
        if folder is None:
            return False
        try:
            found = folder.stat(file.path)
            if found is None or found.size != file.size:
                return False
            if file.size <= most_hashed:
                return folder.sha256(file.path, pause) == file.sha256
        except OutputFileRefused:
            return False  # a link is in the way
        return found.modified_ns == file.modified_ns

    def payload(self, job_id: str) -> dict[str, Any]:
        """Return the saved outputs of a job as JSON, with those that are not here any more."""
        job = self._manifest.jobs([job_id]).get(job_id)
        if job is None or job.root not in self._folders:
            return {"folder": None, "whole": False, "at": None, "files": []}
        files = [
            {
                "name": scrub(file.name),
                "path": scrub(f"{Path(job.root).name}/{file.path}"),
                "size": file.size,
                "sha256": file.sha256,
                "checked": file.checked,
                "here": self.is_unchanged(job.root, file),
            }
            for file in job.files
        ]
        whole = job.whole and all(file["here"] for file in files)
        return {"folder": f"{Path(job.root).name}/{job.folder}", "whole": whole, "at": job.at, "files": files}

    def open(self, job_id: str, number: int) -> tuple[SavedFile, BinaryIO]:
        """Open a saved output of a job.

        Args:
            number: its place in the list of saved outputs, from 0.

        Raises:
            InputRefused: there is no such output, or it is not here as it was saved.
        """
        job = self._manifest.jobs([job_id]).get(job_id)
        if job is not None and 0 <= number < len(job.files):
            file, folder = job.files[number], self._folders.get(job.root)
            if folder is not None and self.is_unchanged(job.root, file):
                opened = folder.open_saved(file.path)
                if opened is not None:
                    return file, opened
        raise InputRefused("no_such_saved_output")
