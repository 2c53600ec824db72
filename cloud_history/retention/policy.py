"""Decides which jobs a retention policy keeps, and why. Pure functions, without I/O.

A job is kept if any rule keeps it. The policy, the node, the routes and the reports all use the table `RULES`. Jobs
that the policy does not apply to are kept too: jobs of other statuses and workflows, active jobs, jobs with an unknown
status, and jobs without a usable time.

The rules use the time when a job was created, because every job has that time from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from typing import Any

from ..deletion.thresholds import LARGE_SHARE
from ..errors import PolicyRefused
from ..jobs.job import Job
from ..jobs.status import FINISHED, JobStatus, listed
from .durations import span

MAX_KEPT = 1_000_000
MAX_TEXT_CHARACTERS = 100


class Reason(str, Enum):
    """Why a job is kept. If several reasons apply, the first in this order is reported."""

    ACTIVE = "active"
    UNKNOWN = "unknown"
    NOT_CHOSEN = "not_chosen"
    NO_TIME = "no_time"
    LAST = "last"
    WITHIN = "within"
    DAILY = "daily"
    WEEKLY = "weekly"
    PROTECTED = "protected"


Keeps = Callable[[Sequence[Job], Any, datetime], Iterable[Job]]
"""Returns the jobs that a rule keeps. Args: the jobs (newest first, all with a time), the rule's value, the time."""


def _newest(jobs: Sequence[Job], number: int, now: datetime) -> Iterable[Job]:
    return jobs[:number]


def _within(jobs: Sequence[Job], length: timedelta, now: datetime) -> Iterable[Job]:
    return [job for job in jobs if job.created_at and now - job.created_at <= length]


def _one_per_period(period: Callable[[date], object]) -> Keeps:
    """Return a function that keeps the newest job of each of the last `number` periods with a job, in UTC."""

    def keeps(jobs: Sequence[Job], number: int, now: datetime) -> Iterable[Job]:
        newest: dict[object, Job] = {}
        for job in jobs:
            if job.created_at is not None:
                newest.setdefault(period(job.created_at.astimezone(timezone.utc).date()), job)
        return list(newest.values())[:number]

    return keeps


@dataclass(frozen=True)
class Rule:
    """One kind of rule that a policy can have.

    Attributes:
        name: the field of a policy, in Python and in JSON, and the input of the node.
        tooltip: the tooltip of the input on the node.
        words: the reason in a report; `{}` is the placeholder for the value.
        is_length: whether the value is a duration such as "30d", and not a number.
        on_new_node: the value on a new node. Nodes in saved workflows keep their value.
        appended: whether the input was added after version 1.2.0. Such inputs come last on the node, because saved
            workflows store the values of inputs by position.
    """

    name: str
    reason: Reason
    tooltip: str
    words: str
    keeps: Keeps
    is_length: bool = False
    on_new_node: int | str = 0
    appended: bool = False


_EACH = "Keep the newest job of each {0}, for this many {0}s that have a job (UTC)."
RULES = (
    Rule("keep_last", Reason.LAST, "Keep this many of the newest jobs.", "last {}", _newest, on_new_node=20),
    Rule(
        "keep_within",
        Reason.WITHIN,
        "Keep all jobs created within this time until now.",
        "within {}",
        _within,
        is_length=True,
        on_new_node="30d",
    ),
    Rule("keep_daily", Reason.DAILY, _EACH.format("day"), "one a day", _one_per_period(lambda day: day)),
    Rule(
        "keep_weekly",
        Reason.WEEKLY,
        _EACH.format("week"),
        "one a week",
        _one_per_period(lambda day: day.isocalendar()[:2]),
    ),
)


@dataclass(frozen=True)
class Policy:
    """Which jobs to keep. A rule with the value 0 or None is off.

    Attributes:
        statuses: the policy applies to jobs with these statuses.
        workflow_id: the policy applies only to jobs of this workflow; "" for all workflows.
        per_workflow: whether the rules apply to each workflow separately. Jobs without a workflow are one group.

    Raises:
        PolicyRefused: a value is out of range or has the wrong type.
    """

    keep_last: int = 0
    keep_within: timedelta | None = None
    keep_daily: int = 0
    keep_weekly: int = 0
    statuses: tuple[JobStatus, ...] = FINISHED
    workflow_id: str = ""
    per_workflow: bool = False

    def __post_init__(self) -> None:
        for rule in RULES:
            value: object = getattr(self, rule.name)
            if rule.is_length:
                if isinstance(value, timedelta) and value <= timedelta(0):
                    raise PolicyRefused("length_not_positive", name=rule.name)
            elif type(value) is not int or not 0 <= value <= MAX_KEPT:
                raise PolicyRefused("not_a_count", name=rule.name, most=MAX_KEPT)
        if not self.statuses or not set(self.statuses) <= set(FINISHED):
            raise PolicyRefused("rules_of_other_statuses", statuses=listed(FINISHED, "or"))
        if not isinstance(self.per_workflow, bool):
            raise PolicyRefused("per_workflow_not_boolean")

    @property
    def rules(self) -> Sequence[tuple[Rule, int | timedelta]]:
        """The rules that are on, with their values."""
        return [(rule, value) for rule in RULES if (value := getattr(self, rule.name))]


def read_policy(given: Mapping[str, object]) -> Policy:
    """Read a policy from a JSON object. Missing rules are off; without “statuses” it applies to all finished jobs.

    Raises:
        PolicyRefused: a field is unknown, or a value is out of range or has the wrong type.
        InputRefused: a duration can't be parsed.
    """
    if unknown := set(given) - {field.name for field in fields(Policy)}:
        raise PolicyRefused("unknown_policy_fields", count=len(unknown))
    lengths = [rule.name for rule in RULES if rule.is_length]
    values = dict(given)
    for name in {*lengths, "workflow_id"} & set(given):
        text = given[name]
        if not isinstance(text, str) or len(text) > MAX_TEXT_CHARACTERS:
            raise PolicyRefused("text_too_long", name=name, most=MAX_TEXT_CHARACTERS)
        values[name] = span(text) if name in lengths else text.strip()
    statuses = values.pop("statuses", None)
    if statuses is not None:
        if not isinstance(statuses, list) or not all(isinstance(e, str) and e in FINISHED for e in statuses):
            raise PolicyRefused("statuses_not_finished", statuses=listed(FINISHED, "and"))
        values["statuses"] = tuple(status for status in FINISHED if status in statuses)
    return Policy(**values)  # type: ignore[arg-type]


@dataclass(frozen=True)
class CleanUpPreview:
    """The preview of a policy: which jobs it would keep and which it would delete.

    Attributes:
        kept: the reason by job id, newest job first.
        go: the jobs that would be deleted, newest first.
        chosen: how many jobs the policy applies to.
    """

    kept: Mapping[str, Reason]
    go: Sequence[Job]
    chosen: int

    @property
    def share(self) -> float:
        """The share of the chosen jobs that would be deleted, 0 to 1."""
        return len(self.go) / self.chosen if self.chosen else 0.0

    @property
    def takes_all(self) -> bool:
        return bool(self.go) and len(self.go) == self.chosen

    @property
    def takes_much(self) -> bool:
        """Whether more than LARGE_SHARE of the chosen jobs would be deleted."""
        return self.share > LARGE_SHARE


def newest_first(jobs: Iterable[Job]) -> list[Job]:
    """Sort jobs by time, newest first, and by id for equal times. Jobs without a time come last."""
    by_id = sorted(jobs, key=lambda job: job.id)
    return sorted(by_id, key=lambda job: -job.created_at.timestamp() if job.created_at else 0.0)


def decide(
    jobs: Iterable[Job], policy: Policy, now: datetime, protected: Callable[[Job], bool] = lambda job: False
) -> CleanUpPreview:
    """Decide which jobs the policy keeps and which it would delete. The jobs can be in any order."""
    ordered = newest_first(jobs)
    outside = {job.id: reason for job in ordered if (reason := _outside(job, policy)) is not None}
    chosen = [job for job in ordered if job.id not in outside]
    by_rule = _kept_by_rules(chosen, policy, now)
    kept: dict[str, Reason] = {}
    go: list[Job] = []
    for job in ordered:
        reason = outside.get(job.id)
        if job.finished and protected(job):
            reason = Reason.PROTECTED  # before the rules, because it stays whatever the rules say
        reason = reason or by_rule.get(job.id)
        if reason is None:
            go.append(job)
        else:
            kept[job.id] = reason
    return CleanUpPreview(kept, go, len(chosen))


def check_rules(policy: Policy) -> None:
    """Raise PolicyRefused if no rule is on."""
    if not policy.rules:
        raise PolicyRefused("no_rules")


def check_share(preview: CleanUpPreview, *, allow_large: bool) -> None:
    """Raise PolicyRefused if more than LARGE_SHARE would be deleted, unless `allow_large` is true."""
    if allow_large or not preview.takes_much:
        return
    of = f"{len(preview.go):,} of {preview.chosen:,} finished jobs"
    # At most 99%, so that a part is never rounded to 100%.
    part = "all" if preview.takes_all else f"{min(99, round(preview.share * 100))}%"
    raise PolicyRefused("rules_delete_much", part=part, of=of)


def _outside(job: Job, policy: Policy) -> Reason | None:
    """Return why the policy does not apply to the job; None if it does."""
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
    rules = policy.rules
    for group in groups.values():
        for rule, value in rules:
            for job in rule.keeps(group, value, now):
                kept.setdefault(job.id, rule.reason)
    return kept
