"""The folder for outputs, with one folder for each job.

Each job has the folder `{date}/{what} {job id}`. Nothing outside the root is ever read or written: below the root, no
link is followed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path, PurePath
from typing import BinaryIO, NamedTuple

from .. import environment
from ..secret import scrub
from ..tasks.disk import disk_access
from .directory import HAS_DIR_FD, Directory, extended
from .errors import OutputFileRefused, OutputFolderRefused, disk_errors
from .job_file import claim
from .names import MAX_FOLDER_BYTES, safe_folder
from .unfinished import remove_parts

DEFAULT_FOLDER = "comfy-cloud"
MAX_DEPTH = 8
"""Number of folders that the setting may name, one below the other."""
READ_BYTES = 1024 * 1024
UNDATED = "undated"
_SHORT_ID = 8
_MAX_FOLDERS_OF_A_JOB = 100


class SavedStat(NamedTuple):
    """Size in bytes and modification time in nanoseconds of a saved file."""

    size: int
    modified_ns: int


class JobFolder:
    """The open folder of one job.

    Attributes:
        path: its path relative to the root, with "/" between the parts.
        directory: the folder, to be closed by the caller.
    """

    def __init__(self, path: str, directory: Directory) -> None:
        self.path = path
        self.directory = directory

    def __enter__(self) -> JobFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.directory.close()


class OutputFolder:
    """The folder for outputs. Its methods access the disk: call them in a thread.

    Args:
        root: ComfyUI's output folder, or a folder that the environment names. Links in this path are followed, because
            the owner of this machine has set them.
        inside: the folder below the root in which outputs are saved, as parts of a path.

    Raises:
        OutputsUnwritable: the disk refused. From all methods.
        OutputFileRefused: a link, or a file that is not a folder, is in the way. From all methods.
        OutputFolderRefused: the root does not exist. From all methods.
    """

    def __init__(
        self, root: Path, inside: Sequence[str] = (DEFAULT_FOLDER,), *, by_descriptor: bool = HAS_DIR_FD
    ) -> None:
        self.root = Path(os.path.realpath(root))
        self.inside = tuple(inside)
        self._by_descriptor = by_descriptor

    @property
    def place(self) -> str:
        """The folder as a text to show: its path relative to the folder that contains the root."""
        return "/".join((self.root.name, *self.inside))

    def open_job_folder(self, created: datetime | None, label: str, job_id: str) -> JobFolder:
        """Open the folder of a job. Create it if it is missing. No two jobs have the same folder.

        Args:
            created: when the job was created. The folder's date is the date at this place then.
            label: the name of the workflow or of an output; "" for none.
        """
        date = UNDATED if created is None else created.astimezone().strftime("%Y-%m-%d")
        label = scrub(label)
        with disk_errors(), ExitStack() as stack:
            root = stack.enter_context(self._open_root(create=True))
            day = stack.enter_context(root.opened([*self.inside, date], create=True))
            for name in _folder_names(label, job_id):
                directory = stack.enter_context(day.child(name, create=True))
                if claim(directory, job_id):
                    return JobFolder("/".join((*self.inside, date, name)), directory.duplicate())
        raise OutputFileRefused("outputs_no_free_name", name=safe_folder(label))

    def stat(self, path: str) -> SavedStat | None:
        """Return the size and time of a saved file, or None if there is no regular file with this path.

        Args:
            path: relative to the root, as in `SavedFile.path`.
        """
        with self._opened(path) as file:
            if file is None:
                return None
            found = os.fstat(file.fileno())
            return SavedStat(found.st_size, found.st_mtime_ns)

    def sha256(self, path: str, pause: Callable[[], object] = lambda: None) -> str | None:
        """Return the SHA-256 of a saved file as a hex digest, or None if there is no regular file with this path.

        Args:
            path: relative to the root.
            pause: called after each piece of the file. Its exceptions are passed on.
        """
        digest = hashlib.sha256()
        with self._opened(path) as file:
            if file is None:
                return None
            while True:
                with disk_access(self.root / path, READ_BYTES):
                    piece = file.read(READ_BYTES)
                if not piece:
                    return digest.hexdigest()
                digest.update(piece)
                pause()

    def open_saved(self, path: str) -> BinaryIO | None:
        """Open a saved file for reading, unbuffered, or return None if there is no regular file with this path."""
        parts = path.split("/")
        if not all(parts) or len(parts) > MAX_DEPTH + 3:
            return None
        try:
            with disk_errors(reads=True):
                return self._open_file(parts)
        except (OutputFileRefused, OutputFolderRefused, ValueError):
            return None

    def _open_file(self, parts: Sequence[str]) -> BinaryIO | None:
        try:
            with self._open_root() as root, root.opened(parts[:-1]) as directory:
                return directory.open_file(parts[-1])
        except FileNotFoundError:
            return None

    @contextmanager
    def _opened(self, path: str) -> Iterator[BinaryIO | None]:
        file = self.open_saved(path)
        try:
            with disk_errors(reads=True):
                yield file
        finally:
            if file is not None:
                with suppress(OSError):  # harmless, because the file was only read
                    file.close()

    def free_bytes(self) -> int:
        """Return how many bytes can be written to the disk of the folder."""
        with disk_errors(reads=True), self._open_root(create=True) as root:
            for count in range(len(self.inside), -1, -1):
                # A folder that is missing is on the disk of the folder that contains it.
                with suppress(FileNotFoundError), root.opened(self.inside[:count]) as directory:
                    return directory.free_bytes()
        raise AssertionError("the root is open")

    def remove_unfinished(self) -> int:
        """Remove what saves that have ended left unfinished, in the folders of all jobs. Return how many files."""
        removed = 0
        with suppress(FileNotFoundError, OutputFileRefused, OutputFolderRefused), ExitStack() as stack:
            root = stack.enter_context(self._open_root())
            top = stack.enter_context(root.opened(self.inside))
            stack.enter_context(disk_errors(reads=True))
            for day in _folders_in(top):
                for directory in _folders_in(day):
                    removed += remove_parts(directory)
        return removed

    def _open_root(self, *, create: bool = False) -> Directory:
        path = Path(extended(self.root))
        try:
            if create and not os.path.isdir(path):
                # ComfyUI creates its output folder when it saves its first output. If the parent is missing too, a disk
                # may not be mounted.
                with suppress(FileExistsError), disk_access(path):
                    os.mkdir(path)
            return Directory.open(path, by_descriptor=self._by_descriptor)
        except (FileNotFoundError, NotADirectoryError):
            raise OutputFolderRefused("outputs_folder_missing", folder=self.root.name) from None


def _folders_in(directory: Directory) -> Iterator[Directory]:
    """Yield the folders in a folder, each open until the next. What cannot be opened, such as a link, is skipped."""
    for name in directory.names():
        with suppress(OSError, OutputFileRefused), directory.child(name) as found:
            yield found


def _folder_names(label: str, job_id: str) -> Iterator[str]:
    """Yield the names that the folder of a job may have, the best first."""
    job_id = job_id.lower()
    # The first digits of a time-ordered id (UUID version 7) are the same for all jobs of the same minute.
    ids = (job_id[:_SHORT_ID], job_id, *(f"{job_id} ({number})" for number in range(2, _MAX_FOLDERS_OF_A_JOB)))
    for each in ids:
        name = f"{safe_folder(label, MAX_FOLDER_BYTES - len(each) - 1)} {each}" if label.strip() else each
        yield safe_folder(name)


def find_output_folder(
    chosen: str, comfyui_output: Path | None, environ: Mapping[str, str] = environment.PROCESS
) -> OutputFolder:
    """Return the folder for outputs that the settings choose.

    Args:
        chosen: a path relative to ComfyUI's output folder, or an absolute path inside it or inside a folder that the
            environment names; "" for the default.
        comfyui_output: ComfyUI's output folder. None outside ComfyUI: then the first folder of the environment is used.

    Raises:
        OutputFolderRefused: there is no such folder, or the chosen folder is not allowed.
    """
    roots = _roots(comfyui_output, environ)
    if not roots:
        raise OutputFolderRefused("outputs_folder_unknown")
    path = PurePath(chosen or DEFAULT_FOLDER)
    if not path.root and not path.drive:
        return OutputFolder(roots[0], _checked(path.parts))
    for root in roots:
        for base in (root, Path(os.path.realpath(root))):
            with suppress(ValueError):
                return OutputFolder(root, _checked(path.relative_to(base).parts))
    raise OutputFolderRefused("outputs_folder_outside")


def output_roots(comfyui_output: Path | None, environ: Mapping[str, str] = environment.PROCESS) -> list[Path]:
    """Return the roots of all folders for outputs that are allowed now, with links resolved.

    Raises:
        OutputFolderRefused: the environment names a folder by a path that is not whole.
    """
    return [Path(os.path.realpath(each)) for each in _roots(comfyui_output, environ)]


def _roots(comfyui_output: Path | None, environ: Mapping[str, str]) -> list[Path]:
    return [*([comfyui_output] if comfyui_output else []), *_named_folders(environ)]


def _checked(parts: Sequence[str]) -> Sequence[str]:
    for part in parts:
        if safe_folder(part) != part or part.startswith("~") or len(parts) > MAX_DEPTH:
            raise OutputFolderRefused("outputs_folder_name", name=scrub(part)[:60])
    return parts


def _named_folders(environ: Mapping[str, str]) -> list[Path]:
    """Return the folders that the environment allows for outputs."""
    found: list[Path] = []
    for each in environment.variable(environment.OUTPUT_FOLDERS, environ).split(os.pathsep):
        if not (named := environment.trimmed(each)):
            continue
        folder, given = Path(named), scrub(named)[:200]
        with suppress(RuntimeError):
            folder = folder.expanduser()
        if not folder.is_absolute():
            raise OutputFolderRefused("outputs_folder_not_absolute", variable=environment.OUTPUT_FOLDERS, given=given)
        found.append(folder)
    return found
