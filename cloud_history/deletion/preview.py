"""Previews of deletions, and the single-use tokens that confirm them."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from ..cloud.evidence import NONE_ABSENT, ProvenAbsent
from ..cloud.lookup import Observation
from ..errors import PreviewExpired
from ..jobs.filters import NOTHING_PROTECTED, ProtectedJobs
from ..jobs.ids import new_hex_id
from ..jobs.job import Job
from ..jobs.rows import milliseconds
from ..jobs.status import FINISHED, JobCounts, JobStatus
from ..state.credentials import Connection
from .outcomes import StayingJobs
from .report import Payload
from .thresholds import LARGE_SHARE, MANY_FINAL_JOBS, MANY_JOBS

VALID_SECONDS = 300
MAX_PREVIEWS = 100
MAX_ROWS = 200
"""Maximum number of jobs that a preview lists for the browser."""
MAX_KEPT_JOBS = 100_000
"""Maximum number of jobs in all stored previews together, about 40 MB. A single preview may have more."""


THRESHOLDS: Payload = {"large_share": LARGE_SHARE, "many_jobs": MANY_JOBS, "many_final_jobs": MANY_FINAL_JOBS}
"""The thresholds as JSON. The browser compares, because only it knows whether the person wants a backup, and because it
may know how many jobs there are when the server does not."""


@dataclass(frozen=True)
class ClearPreview:
    """The preview of a clear: the number of jobs at one moment.

    Attributes:
        oldest: when the oldest finished job was created; None if unknown.
        newest: when the newest finished job was created; None if unknown.
        jobs: the newest finished jobs, to show; empty if they could not be read. A clear has no exact jobs.
    """

    counts: JobCounts
    oldest: datetime | None = None
    newest: datetime | None = None
    jobs: Sequence[Job] = ()

    weight = 1
    """The memory that this preview uses, as a number of jobs."""

    @property
    def size(self) -> int:
        return self.counts.finished

    def payload(self) -> Payload:
        """The preview as JSON for browsers."""
        counts = self.counts
        return {
            "kind": "clear",
            "removable": counts.finished,
            "finished": counts.finished,
            "by_status": {status.value: number for status, number in counts.by_status.items()},
            "skipped": {"active": counts.active, "unknown": 0, "already_gone": 0, "protected": 0},
            "oldest": milliseconds(self.oldest),
            "newest": milliseconds(self.newest),
            "outputs": None,
            "took": None,
            "timed": 0,
            **THRESHOLDS,
        }


@dataclass(frozen=True)
class DeletionPreview:
    """The preview of a deletion of exactly these jobs.

    Attributes:
        jobs: the jobs to send, in order.
        skipped: how many selected jobs are not sent, by reason: active, unknown, already_gone, protected.
        stay: the skipped jobs that are in the history.
        gone: the ids of the skipped jobs that are not in the history any more.
        everything: whether all finished jobs were selected.
        kept: how many jobs the retention policy keeps, besides those that `skipped` counts; None without a policy.
        kept_ids: the ids of the finished jobs that the retention policy keeps, protected ones included.
        chosen: how many jobs the retention policy applies to; None without a policy.
        what: the retention policy in short, for the audit log; "" without a policy.
        finished: how many finished jobs the whole history has, protected ones included; None if unknown.
        held: the ids of the jobs that a hold already includes.
    """

    jobs: Sequence[Job]
    skipped: dict[str, int] = field(default_factory=dict)
    stay: Sequence[Job] = ()
    gone: frozenset[ProvenAbsent] = NONE_ABSENT
    everything: bool = False
    what: str = ""
    kept: int | None = None
    kept_ids: frozenset[str] = frozenset()
    chosen: int | None = None
    finished: int | None = None
    held: frozenset[str] = frozenset()

    @property
    def size(self) -> int:
        return len(self.jobs)

    @property
    def weight(self) -> int:
        """The memory that this preview uses, as a number of jobs."""
        return 1 + len(self.jobs) + len(self.stay) + len(self.gone) + len(self.kept_ids) // 4

    @property
    def job_ids(self) -> list[str]:
        return [job.id for job in self.jobs]

    @property
    def asked_ids(self) -> list[str]:
        """The ids of the selected jobs that were in the history. A clear or a policy selects only those to send."""
        stay = () if self.everything or self.what else self.stay
        return [job.id for job in (*self.jobs, *stay)]

    @property
    def finished_ids(self) -> list[str]:
        """The ids of all finished jobs of the selection, protected ones included."""
        return [job.id for job in (*self.jobs, *self.stay) if job.finished]

    @property
    def observation(self) -> Observation:
        """The selected jobs as the preview found them, skipped ones included."""
        return Observation({job.id: job for job in (*self.jobs, *self.stay)}, self.gone)

    def there(self, job_ids: Sequence[str]) -> list[str]:
        """Return the ids whose jobs were in the history."""
        there = self.observation.there
        return [job_id for job_id in job_ids if job_id in there]

    def staying(self, listed: Iterable[Job], protected: ProtectedJobs) -> StayingJobs:
        """Count the jobs of a later list that stay, by the reason. Jobs that were sent are left out."""
        sent, known = {job.id for job in self.jobs}, {*self.finished_ids, *self.kept_ids}

        def reason(job: Job) -> str:
            if not job.finished:
                return "active" if job.active else "unknown"
            if protected.covers(job):
                return "protected"
            if job.id in self.held:
                return "held"
            return "kept" if job.id in known else "finished_meanwhile"

        return StayingJobs(**Counter(reason(job) for job in listed if job.id not in sent))

    def without(self, job_ids: Collection[str]) -> DeletionPreview:
        """Return the preview without these jobs, because a hold already includes them."""
        jobs = [job for job in self.jobs if job.id not in job_ids]
        return replace(
            self, jobs=jobs, held=self.held | {job.id for job in self.jobs}.difference(job.id for job in jobs)
        )

    def payload(self) -> Payload:
        """The preview as JSON for browsers."""
        created = [job.created_at for job in self.jobs if job.created_at is not None]
        took = [took for job in self.jobs if (took := job.took) is not None]
        by_status = {status.value: 0 for status in FINISHED}
        for job in self.jobs:
            by_status[job.status.value] += 1
        return {
            "kind": "delete",
            "removable": self.size,
            "finished": self.finished,
            "by_status": by_status,
            "skipped": self.skipped,
            "kept": self.kept,
            "chosen": self.chosen,
            "oldest": milliseconds(min(created, default=None)),
            "newest": milliseconds(max(created, default=None)),
            "outputs": sum(job.outputs_count or 0 for job in self.jobs),
            "took": round(sum(took, timedelta()).total_seconds() * 1000) if took else None,
            "timed": len(took),
            **THRESHOLDS,
        }


Preview = ClearPreview | DeletionPreview


class StorablePreview(Protocol):
    """What `Previews` can store."""

    @property
    def weight(self) -> int:
        """The memory that this preview uses, as a number of jobs."""


PreviewT = TypeVar("PreviewT", bound=StorablePreview)


def preview_jobs(
    selected: Sequence[Job], gone: frozenset[ProvenAbsent] = NONE_ABSENT, protected: ProtectedJobs = NOTHING_PROTECTED
) -> DeletionPreview:
    """Divide the selected jobs into those to send and those to skip. Jobs with an unknown status are skipped."""
    removable = [job for job in selected if job.finished and not protected.covers(job)]
    chosen = {job.id for job in removable}
    stay = [job for job in selected if job.id not in chosen]
    skipped = {
        "active": sum(job.active for job in stay),
        "unknown": sum(job.status is JobStatus.UNKNOWN for job in stay),
        "already_gone": len(gone),
        "protected": sum(job.finished for job in stay),
    }
    return DeletionPreview(removable, skipped, stay, gone)


@dataclass(frozen=True)
class KeptPreview(Generic[PreviewT]):
    """A stored preview with its token.

    Attributes:
        expires: the time on the clock of `Previews` when the token expires.
        hold_seconds: for how many seconds the deletion can be undone, as the browser showed to the person.
        operation: the id that the deletion will have. The browser gets this id before the confirmation, so it finds
            the outcome of the right deletion even if the answer to the confirmation is lost.
    """

    preview: PreviewT
    connection: Connection
    expires: float
    hold_seconds: int = 0
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    operation: str = field(default_factory=new_hex_id)


class Previews(Generic[PreviewT]):
    """The previews that wait for confirmation. They are in memory only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, KeptPreview[PreviewT]] = {}

    def keep(self, preview: PreviewT, connection: Connection, hold_seconds: int = 0) -> KeptPreview[PreviewT]:
        """Store a preview for five minutes, with a new token."""
        now = self._clock()
        self._kept = {token: each for token, each in self._kept.items() if each.expires > now}
        weight = preview.weight + sum(each.preview.weight for each in self._kept.values())
        # Drops the oldest previews, never the new one, because a person is looking at the new one.
        while len(self._kept) >= MAX_PREVIEWS or (self._kept and weight > MAX_KEPT_JOBS):
            weight -= self._kept.pop(next(iter(self._kept))).preview.weight
        kept = KeptPreview(preview, connection, now + VALID_SECONDS, hold_seconds)
        self._kept[kept.token] = kept
        return kept

    def promised_hold(self, token: str) -> int:
        """Return the seconds to undo that the preview of this token promised; 0 if there is no such preview."""
        kept = self._kept.get(token)
        return kept.hold_seconds if kept else 0

    def redeem(self, token: str, connection: Connection) -> KeptPreview[PreviewT]:
        """Return the preview of this token, and invalidate the token.

        Raises:
            PreviewExpired: the token is unknown or too old, or the key or the server has changed since the preview.
        """
        return self._valid(self._kept.pop(token, None), connection)

    def look_at(self, token: str, connection: Connection) -> KeptPreview[PreviewT]:
        """Return the preview of this token, which stays valid. Raise PreviewExpired as `redeem` does."""
        return self._valid(self._kept.get(token), connection)

    def _valid(self, kept: KeptPreview[PreviewT] | None, connection: Connection) -> KeptPreview[PreviewT]:
        if kept is None or kept.expires <= self._clock():
            raise PreviewExpired()
        if kept.connection != connection:
            raise PreviewExpired("preview_of_other_key")
        return kept
