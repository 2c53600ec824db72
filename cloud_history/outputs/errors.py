"""The exceptions of saving outputs. Their texts are in `output_sentences`."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import CloudError, FileRefused, SetupProblem, StateUnwritable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class OutputFolderRefused(SetupProblem, code="outputs_folder_refused"):
    """The folder for outputs is not known, does not exist, or is not allowed. Nothing was written."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence, **values)


class OutputFileRefused(CloudError, code="output_file_refused"):
    """A link, a device or another file is where an output must be saved. It was neither read nor changed."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence, **values)


class OutputsUnwritable(StateUnwritable, code="outputs_unwritable"):
    """The disk refused to write or to read in the folder for outputs.

    Args:
        because: the error of the file system.
    """

    default_hint = "Make the folder for outputs writable, or check its disk, then try again."

    @property
    def is_full(self) -> bool:
        """Whether the disk is full, so that no further output can be saved."""
        return False


class OutputsDiskFull(OutputsUnwritable, code="outputs_disk_full"):
    """The disk of the folder for outputs is full, or the person's quota is used up."""

    @property
    def is_full(self) -> bool:
        return True


class OutputDamaged(CloudError, code="output_damaged"):
    """The downloaded file is not the file that Comfy Cloud describes."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(sentence, **values)


def disk_error(exc: OSError, *, reads: bool = False) -> OutputsUnwritable:
    """Return the exception for an error of the file system in the folder for outputs."""
    if isinstance(exc, FileRefused) or exc.errno not in _FULL:
        return OutputsUnwritable("outputs_unreadable" if reads else "outputs_unwritable", because=exc)
    return OutputsDiskFull("outputs_disk_full")


@contextmanager
def disk_errors(*, reads: bool = False) -> Iterator[None]:
    """Raise OutputsUnwritable for each OSError from the code inside.

    Args:
        reads: whether the code inside only reads.
    """
    try:
        yield
    except OSError as exc:
        raise disk_error(exc, reads=reads) from exc
