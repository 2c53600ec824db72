"""What is to be saved: the preview that a person sees, and the request that the run gets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..jobs.ids import new_hex_id
from ..jobs.job import Job
from ..state.credentials import Connection
from .facts import JobFacts, OutputFacts

TYPICAL_BYTES_PER_SECOND = 20_000_000
"""The speed of a save, used until one was measured in this process."""
TYPICAL_FILES_PER_SECOND = 12.0
"""How fast small files come: each of them costs three requests."""
MAX_GONE_SHOWN = 200

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
        here: the files and bytes of each job that are on this machine already.
        free_bytes: free space on the disk of the folder.
        place: the folder, as it is shown to people.
        bytes_per_second: the speed of the last save in this process; None if there was none.
    """

    jobs: Sequence[Job]
    facts: OutputFacts
    here: Mapping[str, JobFacts]
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
        return sum(each.files for each in self.here.values())

    @property
    def saved_bytes(self) -> int:
        """How many bytes are here already."""
        return sum(each.size or 0 for each in self.here.values())

    @property
    def seconds(self) -> int | None:
        """How long the save takes, roughly; None if the sizes are not known."""
        size = self.facts.size
        if size is None:
            return None
        files = max(0, self.facts.files - self.saved_files)
        speed = self.bytes_per_second or TYPICAL_BYTES_PER_SECOND
        return math.ceil(max(0, size - self.saved_bytes) / speed + files / TYPICAL_FILES_PER_SECOND) if files else 0

    def payload(self) -> Payload:
        """The preview as JSON for browsers."""
        facts = self.facts
        return {
            "jobs": len(self.jobs),
            "files": facts.files,
            "bytes": facts.size,
            "unknown_sizes": facts.unknown_sizes,
            "saved_files": self.saved_files,
            "saved_bytes": self.saved_bytes,
            "without_outputs": sum(not each.files for each in facts.jobs.values()),
            "gone": [each._asdict() for each in facts.gone[:MAX_GONE_SHOWN]],
            "gone_files": len(facts.gone),
            "known": facts.known,
            "free_bytes": self.free_bytes,
            "place": self.place,
            "seconds": self.seconds,
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
