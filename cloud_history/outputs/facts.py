"""What is known of the outputs of jobs before they are saved or deleted: how many, how large, which are gone."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from ..cloud.assets import AssetClient, AssetFacts, read_assets
from ..errors import CloudConnectionError, CloudError, NotFound, OperationStopped
from ..jobs.job import Job, OutputFile
from ..tasks.stopping import Watch, gather_all, run_stoppable
from .listed import listed_outputs
from .stored import JobHere

MAX_CONCURRENT_REQUESTS = 6
MAX_GONE_SHOWN = 200
ASSETS_SECONDS = 15.0
"""How long a person waits for the sizes. Those that were not read by then are unknown."""
PREVIEW_SECONDS = 3.0
"""How long a person who wants to save waits for the look at single outputs. What was not looked at is counted."""
FACTS_SECONDS = 20.0
"""The same for the facts in a dialog that does not wait for them."""


class GoneOutput(NamedTuple):
    """An output that the Cloud does not have any more, although its job lists it."""

    job_id: str
    filename: str


class JobFacts(NamedTuple):
    """The outputs of one job: how many files, and their bytes together; None if one of the sizes is not known."""

    files: int
    size: int | None


@dataclass(frozen=True)
class OutputFacts:
    """The outputs of some jobs.

    Attributes:
        jobs: the facts of each job, in the order given.
        assets: the sizes and hashes that the Cloud gives.
        gone: the outputs that are certainly not on the Cloud any more.
        known: whether all outputs were looked at. If not, more of them may be gone.
    """

    jobs: Mapping[str, JobFacts]
    assets: AssetFacts
    gone: Sequence[GoneOutput] = ()
    known: bool = True

    @property
    def files(self) -> int:
        """How many outputs there are."""
        return sum(each.files for each in self.jobs.values())

    @property
    def size(self) -> int | None:
        """The bytes of all outputs; None if one of the sizes is not known."""
        sizes = [each.size for each in self.jobs.values()]
        return None if None in sizes else sum(size or 0 for size in sizes)

    @property
    def unknown_sizes(self) -> int:
        """How many outputs belong to jobs whose sizes are not all known."""
        return sum(each.files for each in self.jobs.values() if each.size is None)

    @property
    def checked(self) -> str:
        """With what a saved output will be compared: `hash`, `size`, or `none` if the Cloud gives neither."""
        assets = [asset for job_id in self.jobs for asset in self.assets.of(job_id)]
        if assets and all(asset.blake3 for asset in assets):
            return "hash"
        return "size" if assets else "none"


def facts_payload(facts: OutputFacts, here: Mapping[str, JobHere]) -> dict[str, Any]:
    """Return what a dialog says of the outputs before a deletion, as JSON."""
    return {
        "files": facts.files,
        "bytes": facts.size,
        "saved_files": sum(len(each.files) for each in here.values()),
        "saved_jobs": sum(each.whole for each in here.values()),
        "gone_files": len(facts.gone),
        "gone": [each._asdict() for each in facts.gone[:MAX_GONE_SHOWN]],
        "known": facts.known,
        "jobs_with_outputs": sum(bool(each.files) for each in facts.jobs.values()),
    }


class FactsClient(AssetClient, Protocol):
    """The methods of a client that are used here."""

    async def get_job_detail(self, job_id: str) -> dict[str, Any]: ...

    async def view_file(self, file: OutputFile) -> bytes | str: ...


async def read_facts(client: FactsClient, jobs: Sequence[Job], watch: Watch, seconds: float) -> OutputFacts:
    """Return what is known of the outputs of these jobs.

    Args:
        seconds: how long to look at single outputs, after the sizes were read.

    Raises:
        CloudError: the sizes could not be read because the key was refused.
        OperationStopped: the person stopped it.
    """
    assets = await read_assets(client, [job.id for job in jobs], watch, seconds=ASSETS_SECONDS)
    looking = _Looking(client, assets, jobs)
    known = True
    try:
        await run_stoppable(looking.run(), watch, seconds)
    except OperationStopped:
        raise
    except CloudError:
        known = False  # took too long, or the server does not answer: the counts alone are enough
    return OutputFacts(looking.facts, assets, tuple(looking.gone), known and looking.is_complete)


@dataclass
class _Looking:
    """Looks at the details of the jobs, and asks for each output without downloading it."""

    client: FactsClient
    assets: AssetFacts
    jobs: Sequence[Job]
    facts: dict[str, JobFacts] = field(init=False)
    gone: list[GoneOutput] = field(default_factory=list)
    is_complete: bool = True
    can_ask: bool = True

    def __post_init__(self) -> None:
        self.facts = {job.id: self._counted(job) for job in self.jobs}

    def _counted(self, job: Job) -> JobFacts:
        """Return the facts of a job by the list and the assets alone."""
        found = self.assets.of(job.id)
        files = max(job.outputs_count or 0, len(found), 1 if job.preview else 0)
        sizes = [asset.size for asset in found]
        known = len(sizes) >= files and None not in sizes
        return JobFacts(files, sum(size or 0 for size in sizes) if known else None)

    async def run(self) -> None:
        # Jobs that have more outputs than assets come first: an output without an asset may be gone.
        with_outputs = [job for job in self.jobs if self.facts[job.id].files or job.outputs_count is None]
        waiting = deque(sorted(with_outputs, key=lambda job: len(self.assets.of(job.id)) >= self.facts[job.id].files))

        async def worker() -> None:
            while waiting:
                await self._look_at(waiting.popleft().id)

        await gather_all(worker() for _ in range(min(MAX_CONCURRENT_REQUESTS, len(waiting))))

    async def _look_at(self, job_id: str) -> None:
        try:
            listed = listed_outputs(await self.client.get_job_detail(job_id))
        except CloudConnectionError:
            raise
        except CloudError:
            self.is_complete = False
            return
        found = [self.assets.find(job_id, file.filename) for file in listed.files]
        sizes = [asset.size if asset else None for asset in found]
        self.facts[job_id] = JobFacts(
            len(listed.files) + listed.unusable,
            None if None in sizes or listed.unusable else sum(s or 0 for s in sizes),
        )
        for file in listed.files:
            if self.can_ask:
                await self._ask_for(job_id, file)

    async def _ask_for(self, job_id: str, file: OutputFile) -> None:
        try:
            found = await self.client.view_file(file)
        except NotFound:
            self.gone.append(GoneOutput(job_id, file.filename))
        except CloudConnectionError:
            raise
        except CloudError:
            self.is_complete = False
        else:
            # A server that sends the files itself would send all of them: too much only to know that they are there.
            if isinstance(found, bytes):
                self.can_ask = self.is_complete = False
