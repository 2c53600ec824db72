"""What became of the outputs of each job of a save."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import CloudError
from ..reasons import NO_REASON, Reason
from ..state.saved_outputs import SavedFile


@dataclass(frozen=True)
class FailedFile:
    """An output that is not on this machine, and why."""

    name: str
    why: Reason


@dataclass(frozen=True)
class JobSaved:
    """The outputs of one job.

    Attributes:
        root: absolute path of the folder to which the paths of the files are relative; "" without files.
        folder: the job's folder below the root; "" without files.
        files: the outputs that are here, in the order of the job's details.
        before: how many of them were here before this save.
        failed: the outputs that are not here.
        problem: why the outputs of the job are not known or not recorded; NO_REASON if they are.
        attempted: False if the save ended before this job.
    """

    job_id: str
    root: str = ""
    folder: str = ""
    files: Sequence[SavedFile] = ()
    before: int = 0
    failed: Sequence[FailedFile] = ()
    problem: Reason = NO_REASON
    attempted: bool = True

    @property
    def whole(self) -> bool:
        """Whether all outputs of the job are on this machine. True for a job without outputs."""
        return not self.failed and not self.problem

    @property
    def without_outputs(self) -> bool:
        """Whether the job certainly has no outputs."""
        return self.whole and not self.files

    @property
    def already_here(self) -> bool:
        """Whether all outputs were here before."""
        return self.whole and bool(self.files) and self.before == len(self.files)

    @property
    def why(self) -> Reason:
        """Why the job is not whole; NO_REASON if it is."""
        if self.problem or not self.failed:
            return self.problem
        first = self.failed[0]
        return Reason("file_failed", {"file": first.name, "reason": first.why})


@dataclass(frozen=True)
class SaveResult:
    """What became of each job of a save, in the order given.

    Attributes:
        place: the folder of this save, as it is shown to people.
        stopped: whether the person stopped the save.
        errors: the distinct errors in the order they occurred, for their hints.
    """

    jobs: Mapping[str, JobSaved]
    place: str
    stopped: bool = False
    errors: tuple[CloudError, ...] = field(default=(), compare=False)

    @property
    def whole_ids(self) -> list[str]:
        """The ids of the jobs whose outputs are all here."""
        return [job_id for job_id, each in self.jobs.items() if each.whole]

    @property
    def failed(self) -> bool:
        """Whether outputs of a job are not here, so that a node has to end with an error."""
        return any(not each.whole for each in self.jobs.values())

    def paths(self) -> list[str]:
        """Return the absolute paths of all outputs that are here."""
        return [os.path.join(each.root, *file.path.split("/")) for each in self.jobs.values() for file in each.files]

    @property
    def files(self) -> Iterator[SavedFile]:
        """All outputs that are here."""
        return (file for each in self.jobs.values() for file in each.files)
