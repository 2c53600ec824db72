"""What is to be saved: the preview that a person sees, and the request that the run gets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..jobs.ids import new_hex_id
from ..jobs.job import Job
from ..state.credentials import Connection
from .facts import MAX_GONE_SHOWN, JobFacts, OutputFacts
from .stored import JobHere

TYPICAL_BYTES_PER_SECOND = 20_000_000
"""The speed of a save, used until one was measured in this process."""
TYPICAL_FILES_PER_SECOND = 12.0
"""How fast small files come, each of which costs three requests to the service and its storage."""

Payload = dict[str, Any]


@dataclass(frozen=True)
class SaveRequest:
    """A save of the outputs of these jobs.

    Attributes:
        connection: the server, and the API key of the person who requested the save.
        origin: where the request comes from: `panel`, or `node` and the node's id.
        expected: the files and the bytes of each job, as far as they were known before, for the progress.
        outputs_counts: how many outputs the list of jobs says that a job has.
        operation: the id of the save.
    """

    job_ids: Sequence[str]
    connection: Connection
    origin: str
    expected: Mapping[str, JobFacts] = field(default_factory=dict)
    outputs_counts: Mapping[str, int] = field(default_factory=dict)
    operation: str = field(default_factory=new_hex_id)


@dataclass(frozen=True)
class SavePreview:
    """What a save would do.

    Attributes:
        jobs: the finished jobs of the selection, in order.
        facts: what is known of their outputs.
        here: what of each job is on this machine already.
        free_bytes: free space on the disk of the folder.
        place: the folder, as it is shown to people.
        bytes_per_second: the speed of the last save in this process; None if there was none.
    """

    jobs: Sequence[Job]
    facts: OutputFacts
    here: Mapping[str, JobHere]
    free_bytes: int
    place: str
    bytes_per_second: float | None = None

    @property
    def size(self) -> int:
        return len(self.jobs)

    @property
    def weight(self) -> int:
        """The memory that this preview uses, as a number of jobs."""
        return 1 + 2 * len(self.jobs) + len(self.facts.gone)

    @property
    def saved_files(self) -> int:
        """How many files are here already."""
        return sum(len(each.files) for each in self.here.values())

    @property
    def saved_bytes(self) -> int:
        """How many bytes are here already."""
        return sum(each.size for each in self.here.values())

    @property
    def to_save(self) -> JobFacts:
        """The files that are neither here nor known to be gone, and their bytes; None if a size is not known."""
        gone: dict[str, list[str]] = {}
        for each in self.facts.gone:
            gone.setdefault(each.job_id, []).append(each.filename)
        files, size, known = 0, 0, True
        for job_id, facts in self.facts.jobs.items():
            here = self.here.get(job_id, JobHere(whole=False, files=()))
            names = {file.name for file in here.files}
            lost = [name for name in gone.get(job_id, ()) if name not in names]
            left = max(0, facts.files - len(here.files) - len(lost))
            files += left
            known = known and (facts.size is not None or not left)
            if facts.size is not None and left:
                assets = [self.facts.assets.find(job_id, name) for name in lost]
                size += max(0, facts.size - here.size - sum(each.size or 0 for each in assets if each))
        return JobFacts(files, size if known else None)

    @property
    def needed(self) -> int:
        """How many bytes are certainly missing on this machine."""
        here = {job_id: each.size for job_id, each in self.here.items()}
        return sum(max(0, (each.size or 0) - here.get(job_id, 0)) for job_id, each in self.facts.jobs.items())

    def seconds(self, to_save: JobFacts) -> int | None:
        """Return how long the save takes, roughly; None if the sizes are not known."""
        if to_save.size is None:
            return None
        speed = self.bytes_per_second or TYPICAL_BYTES_PER_SECOND
        return math.ceil(to_save.size / speed + to_save.files / TYPICAL_FILES_PER_SECOND)

    def payload(self) -> Payload:
        """The preview as JSON for browsers."""
        facts, to_save = self.facts, self.to_save
        return {
            "jobs": len(self.jobs),
            "files": facts.files,
            "bytes": facts.size,
            "unknown_sizes": facts.unknown_sizes,
            "files_to_save": to_save.files,
            "bytes_to_save": to_save.size,
            "saved_files": self.saved_files,
            "saved_bytes": self.saved_bytes,
            "without_outputs": sum(not each.files for each in facts.jobs.values()),
            "gone": [each._asdict() for each in facts.gone[:MAX_GONE_SHOWN]],
            "gone_files": len(facts.gone),
            "known": facts.known,
            "free_bytes": self.free_bytes,
            "place": self.place,
            "seconds": self.seconds(to_save),
            "checked": facts.checked,
        }

    def request(self, connection: Connection, operation: str) -> SaveRequest:
        """Return the request for the save of these jobs."""
        return SaveRequest(
            [job.id for job in self.jobs],
            connection,
            "panel",
            dict(self.facts.jobs),
            {job.id: job.outputs_count for job in self.jobs if job.outputs_count is not None},
            operation,
        )
