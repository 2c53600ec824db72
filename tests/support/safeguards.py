"""Safeguards for deletions without a state folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cloud_history.deletion.outcomes import JobOutcome
from cloud_history.deletion.safeguards import BackedUp, OutputsKept, Safeguards
from cloud_history.jobs.filters import NOTHING_PROTECTED, ProtectedJobs
from cloud_history.jobs.job import Job
from cloud_history.state.protection import ProtectionFile
from cloud_history.tasks.stopping import Watch


class NoSafeguards(Safeguards):
    """Protects and backs up nothing."""

    def __init__(self) -> None:
        pass

    async def protected(self) -> ProtectedJobs:
        return NOTHING_PROTECTED

    async def back_up(self, job_ids: Sequence[str], watch: Watch) -> BackedUp:
        return BackedUp()

    async def save_outputs(self, jobs: Mapping[str, Job | None], watch: Watch) -> OutputsKept:
        return OutputsKept()

    async def without_outputs(self, job_ids: Sequence[str]) -> dict[str, JobOutcome]:
        return {}

    async def before_clear(self) -> None:
        pass


async def _backs_up_no() -> bool:
    return False


def protection_only(protection: ProtectionFile) -> Safeguards:
    """Return safeguards that read a protection file and back up nothing."""
    return Safeguards(protection, None, _backs_up_no)
