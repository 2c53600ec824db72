"""Saving one output: download it to an unfinished file, compare it, and give it its name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import NamedTuple, Protocol

from ..cloud.file_receiver import Received, Sink
from ..errors import CloudError
from ..jobs.job import OutputFile
from ..secret import scrub
from ..state.saved_outputs import Checked, SavedFile
from .checks import Expected, check_output
from .disk import MAX_SECONDS_OF_LONG_WORK
from .errors import OutputDamaged, OutputsDiskFull
from .folder import OutputFolder
from .job_run import JobRun
from .part_file import PartFile, PlacedFile
from .progress import SaveProgress

MAX_TRIES = 2
"""A file whose size or hash is wrong is downloaded once more, from its beginning."""


class Receiver(Protocol):
    """Downloads outputs, and goes on after interruptions."""

    async def receive(self, file: OutputFile, sink: Sink, *, start: int = 0, etag: str = "") -> Received: ...


Downloading = Callable[[], AbstractAsyncContextManager[None]]


class SavedNow(NamedTuple):
    """An output that is here now. `before`: whether a file with the same content was here before."""

    file: SavedFile
    before: bool


class FileSaver:
    """Saves single outputs.

    Args:
        folder: the folder for outputs, for its free space.
    """

    def __init__(self, receiver: Receiver, folder: OutputFolder) -> None:
        self._receiver = receiver
        self._folder = folder

    async def save(
        self, run: JobRun, file: OutputFile, downloading: Downloading, progress: SaveProgress, tell: Callable[[], None]
    ) -> SavedNow:
        """Download an output into the open folder of its job.

        Args:
            downloading: a context manager that is entered for the download, but not for syncing the file.
            tell: called after each piece.

        Raises:
            CloudError: the output is not here. Nothing of it is left under its name.
        """
        for tries in range(MAX_TRIES):
            try:
                return await self._try(run, file, downloading, progress, tell)
            except OutputDamaged:
                if tries + 1 == MAX_TRIES:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _try(
        self, run: JobRun, file: OutputFile, downloading: Downloading, progress: SaveProgress, tell: Callable[[], None]
    ) -> SavedNow:
        parts: list[PartFile] = []
        sink: _FileSink | None = None
        placed: PlacedFile | None = None
        put_away = _keep
        source = "/".join((run.job.id, file.kind, file.subfolder, file.filename))
        # The part is put into a list, so that it is ended even if this call is cancelled while it is opened.
        begin = lambda: parts.append(PartFile.begin(run.folder.directory, file.filename, source))  # noqa: E731
        try:
            async with downloading():
                await run.steps.run(begin)
                part = parts[0]
                if part.kept_bytes:
                    await run.steps.run(part.rehash, MAX_SECONDS_OF_LONG_WORK)
                sink = _FileSink(part, run, self._folder, progress, tell)
                progress.kept(part.size)
                received = await self._receiver.receive(file, sink, start=part.size, etag=part.validator)
            # The next download begins while this file is synced.
            try:
                checked = check_output(_expected(run, file, received.announced), part.size, part.blake3)
            except OutputDamaged:
                await run.steps.run(part.discard)
                raise
            placed = await run.steps.run(part.finish, MAX_SECONDS_OF_LONG_WORK)
        except OutputsDiskFull:
            put_away = _discard
            raise
        finally:
            if placed is None:
                if sink is not None:
                    progress.taken_back(sink.counted)
                run.steps.run_at_last(partial(put_away, parts))
        return SavedNow(_saved_file(run, file, placed, checked), placed.already_here)


def _expected(run: JobRun, file: OutputFile, announced: int | None) -> Expected:
    """Return what the Cloud and the storage say of an output."""
    asset = run.assets.find(run.job.id, file.filename)
    return Expected(None, None, announced) if asset is None else Expected(asset.size, asset.blake3, announced)


def _saved_file(run: JobRun, file: OutputFile, placed: PlacedFile, checked: Checked) -> SavedFile:
    """Return the entry of an output for the list of saved outputs."""
    return SavedFile(
        name=scrub(file.filename),
        subfolder=file.subfolder,
        kind=file.kind,
        path=f"{run.folder.path}/{placed.name}",
        size=placed.size,
        sha256=placed.sha256,
        checked=checked,
        modified_ns=placed.modified_ns,
    )


def _keep(parts: list[PartFile]) -> None:
    """Keep what came of a file for the next run, if it is worth it. Does nothing if the file was discarded."""
    for part in parts:
        part.keep()


def _discard(parts: list[PartFile]) -> None:
    """Remove what came of a file, because the disk needs the room."""
    for part in parts:
        part.discard()


class _FileSink:
    """Writes the bytes of one output to its unfinished file.

    Attributes:
        counted: how many bytes of it the progress has counted.
    """

    def __init__(
        self, part: PartFile, run: JobRun, folder: OutputFolder, progress: SaveProgress, tell: Callable[[], None]
    ) -> None:
        self._part = part
        self._run = run
        self._folder = folder
        self._progress = progress
        self._tell = tell
        self.counted = part.size

    async def begin(self, at: int, size: int | None, etag: str) -> None:
        """Keep the first `at` bytes. Raise OutputsDiskFull if the rest does not fit on the disk."""
        if at != self._part.size:
            if at:
                raise CloudError("internal")  # the receiver goes on at the end, or begins anew
            await self._run.steps.run(self._part.restart)
            self._progress.taken_back(self.counted)
            self.counted = 0
        self._part.validator = etag
        if size is not None and size - at > await self._run.steps.run(self._folder.free_bytes):
            raise OutputsDiskFull("outputs_disk_full")

    async def write(self, piece: bytes) -> None:
        """Append bytes. Raise OutputsUnwritable if the disk refuses."""
        await self._run.steps.run(lambda: self._part.write(piece))
        self.counted += len(piece)
        self._progress.received(len(piece))
        self._tell()
