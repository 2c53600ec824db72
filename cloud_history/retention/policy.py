"""Which jobs a retention policy keeps, and why, and which it lets go. Pure.

A job is kept if any rule keeps it. What the policy is not about is kept as well: other statuses and workflows, active
jobs, those in a state nobody knows, and those without a usable time, which are never "old".

A job's time is when it was created: the one time that every job has from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import Enum

from ..errors import PolicyRefused
from ..jobs.job import Job
from ..jobs.status import FINISHED, JobStatus, listed

LARGE_SHARE = 0.8
"""A policy that lets more than this share go has to be confirmed once more."""
MAX_KEPT = 1_000_000


class Reason(str, Enum):
    """Why a job is kept. The first that applies, in this order, is the one that is told."""

    ACTIVE = "active"
    UNKNOWN = "unknown"
    NOT_CHOSEN = "not_chosen"
    NO_TIME = "no_time"
    LAST = "last"
    WITHIN = "within"
    DAILY = "daily"
    WEEKLY = "weekly"
    PROTECTED = "protected"


@dataclass(frozen=True)
class Policy:
    """What to keep of which jobs. 0 and None are no rule.

    Attributes:
        keep_last: the newest so many.
        keep_within: everything from so long until now.
        keep_daily, keep_weekly: the newest job of each of the last so many days, or ISO weeks, that have one (UTC).
        statuses: which finished jobs it is about.
        workflow_id: only jobs of this workflow; "" for all.
        per_workflow: whether the rules that count are applied to each workflow apart. Jobs of no workflow count
            as those of one.

    Raises:
        PolicyRefused: a number that is none, or no status.
    """

    keep_last: int = 0
    keep_within: timedelta | None = None
    keep_daily: int = 0
    keep_weekly: int = 0
    statuses: tuple[JobStatus, ...] = FINISHED
    workflow_id: str = ""
    per_workflow: bool = False

    def __post_init__(self) -> None:
        for name in ("keep_last", "keep_daily", "keep_weekly"):
            number: object = getattr(self, name)
            if type(number) is not int or not 0 <= number <= MAX_KEPT:
                raise PolicyRefused(f"“{name}” must be a whole number from 0 to {MAX_KEPT:,}.")
        if self.keep_within is not None and self.keep_within <= timedelta(0):
            raise PolicyRefused("“keep_within” must be longer than nothing, or blank for no rule.")
        if not self.statuses or not set(self.statuses) <= set(FINISHED):
            raise PolicyRefused(f"A policy is about {listed(FINISHED, 'or')} jobs.")

    @property
    def empty(self) -> bool:
        """Whether there is no rule at all, so that nothing would be kept."""
        return not (self.keep_last or self.keep_within or self.keep_daily or self.keep_weekly)


@dataclass(frozen=True)
class Plan:
    """What a policy makes of a history: every job is in exactly one of the two.

    Attributes:
        kept: the reason by job id, newest job first.
        go: what would go, newest first.
        chosen: how many jobs the policy decides on: of its statuses and workflow, with a usable time.
    """

    kept: Mapping[str, Reason]
    go: Sequence[Job]
    chosen: int

    @property
    def share(self) -> float:
        """The share of the chosen jobs that would go, 0 to 1."""
        return len(self.go) / self.chosen if self.chosen else 0.0

    @property
    def takes_all(self) -> bool:
        return bool(self.go) and len(self.go) == self.chosen

    @property
    def takes_much(self) -> bool:
        """Whether it would take more than 80%."""
        return self.share > LARGE_SHARE


def newest_first(jobs: Iterable[Job]) -> list[Job]:
    """By time, and by id where that is the same; jobs without a time come last."""
    by_id = sorted(jobs, key=lambda job: job.id)
    return sorted(by_id, key=lambda job: -job.created_at.timestamp() if job.created_at else 0.0)


def decide(
    jobs: Iterable[Job], policy: Policy, now: datetime, protected: Callable[[Job], bool] = lambda job: False
) -> Plan:
    """What the policy keeps and lets go. The order of the jobs given does not matter."""
    ordered = newest_first(jobs)
    outside = {job.id: reason for job in ordered if (reason := _outside(job, policy)) is not None}
    chosen = [job for job in ordered if job.id not in outside]
    by_rule = _kept_by_rules(chosen, policy, now)
    kept: dict[str, Reason] = {}
    go: list[Job] = []
    for job in ordered:
        reason = outside.get(job.id) or by_rule.get(job.id)
        if reason is None and protected(job):
            reason = Reason.PROTECTED
        if reason is None:
            go.append(job)
        else:
            kept[job.id] = reason
    return Plan(kept, go, len(chosen))


def check_rules(policy: Policy) -> None:
    """Raises PolicyRefused: there is no rule."""
    if policy.empty:
        raise PolicyRefused("Set at least one rule. Without one, nothing would be kept.")


def check(plan: Plan, policy: Policy, *, allow_large: bool) -> None:
    """Whether the plan may be carried out.

    Raises:
        PolicyRefused: the policy has no rule, or takes all or more than 80% and nobody agreed to that.
    """
    check_rules(policy)
    if allow_large or not plan.takes_much:
        return
    of = f"{len(plan.go):,} of {plan.chosen:,} finished jobs"
    # Not all of them, so never told as 100%.
    part = "all" if plan.takes_all else f"{min(99, round(plan.share * 100))}%"
    raise PolicyRefused(
        f"These rules would delete {part} of the jobs they are about ({of}). Nothing was sent.",
        hint="If you mean it, allow it (“allow_large” on the node).",
    )


def _outside(job: Job, policy: Policy) -> Reason | None:
    """Why the policy does not decide on the job, if it does not."""
    if job.active:
        return Reason.ACTIVE
    if not job.finished:
        return Reason.UNKNOWN
    if job.status not in policy.statuses or policy.workflow_id not in ("", job.workflow_id):
        return Reason.NOT_CHOSEN
    return Reason.NO_TIME if job.created_at is None else None


def _kept_by_rules(chosen: Sequence[Job], policy: Policy, now: datetime) -> dict[str, Reason]:
    groups: dict[str, list[Job]] = {}
    for job in chosen:
        groups.setdefault(job.workflow_id if policy.per_workflow else "", []).append(job)
    kept: dict[str, Reason] = {}
    for group in groups.values():
        for reason, jobs in (
            (Reason.LAST, group[: policy.keep_last]),
            (Reason.WITHIN, _within(group, policy.keep_within, now)),
            (Reason.DAILY, _one_each(group, policy.keep_daily, lambda day: day)),
            (Reason.WEEKLY, _one_each(group, policy.keep_weekly, lambda day: day.isocalendar()[:2])),
        ):
            for job in jobs:
                kept.setdefault(job.id, reason)
    return kept


def _within(jobs: Sequence[Job], span: timedelta | None, now: datetime) -> list[Job]:
    return [job for job in jobs if span is not None and job.created_at and now - job.created_at <= span]


def _one_each(jobs: Sequence[Job], number: int, period: Callable[[date], object]) -> list[Job]:
    """The newest job of each of the last so many periods that have one."""
    newest: dict[object, Job] = {}
    for job in jobs:
        if job.created_at is not None:
            newest.setdefault(period(job.created_at.astimezone(timezone.utc).date()), job)
    return list(newest.values())[:number]
