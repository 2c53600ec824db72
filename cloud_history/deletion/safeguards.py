"""What stands between a deletion and its first request: jobs that are protected, and copies that are made first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..cloud.lookup import Look
from ..jobs.models import JobOutcome, Outcome
from ..state.protection import NOTHING_PROTECTED, Protected
from ..tasks.stopping import Watch

PROTECTED = JobOutcome(Outcome.PROTECTED)
UNKNOWN_WORKFLOW = JobOutcome(Outcome.NOT_ATTEMPTED, "whether its workflow is protected can’t be known")


@dataclass(frozen=True)
class BackedUp:
    """A backup that was made: how many workflows are in it, and what becomes of the jobs that are not."""

    workflows: int = 0
    without: Mapping[str, JobOutcome] = field(default_factory=dict)


class Safeguards:
    """None at all. Those of a state folder are in `operations`."""

    async def protected(self) -> Protected:
        """The protected jobs, as they are now. Raises ProtectionDamaged: then nothing may be deleted."""
        return NOTHING_PROTECTED

    async def back_up(self, job_ids: Sequence[str], watch: Watch) -> BackedUp:
        """Keep a copy of these jobs' workflows, whole and on disk when this returns.

        Raises:
            OperationStopped.
        """
        return BackedUp()

    async def before_clear(self) -> None:
        """Asked just before everything is removed at once. Raises CloudError where not everything may go."""


def kept_back(job_ids: Sequence[str], protected: Protected, looks: Sequence[Look]) -> dict[str, JobOutcome]:
    """Those of the jobs that must not be sent, with the word for it.

    Args:
        looks: what was seen of the jobs, the newest first. A row may come without the workflow that an earlier one had.
    """
    if not protected:
        return {}
    found: dict[str, JobOutcome] = {}
    for job_id in job_ids:
        seen = [look.there[job_id] for look in looks if job_id in look.there]
        covered = job_id in protected.jobs or any(map(protected.covers, seen))
        if job_id in looks[0].gone:
            # Nothing is left to keep; but one look can be wrong, so a protected job is not sent all the same.
            if covered:
                found[job_id] = JobOutcome(Outcome.ALREADY_GONE)
        elif covered:
            found[job_id] = PROTECTED
        elif not seen and protected.workflows:
            found[job_id] = UNKNOWN_WORKFLOW
    return found
