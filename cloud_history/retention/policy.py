"""Which jobs a retention policy keeps, and why, and which it lets go. Pure.

A job is kept if any rule keeps it. `RULES` is the one table of rules: the policy, the node, the routes and the reports
are made from it. What the policy is not about is kept as well: other statuses and workflows, active
jobs, those in a state nobody knows, and those without a usable time, which are never "old".

A job's time is when it was created: the one time that every job has from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from typing import Any

from ..errors import PolicyRefused
from ..jobs.job import Job
from ..jobs.status import FINISHED, JobStatus, listed
from .durations import span

LARGE_SHARE = 0.8
"""A policy that lets more than this share go has to be confirmed once more."""
MAX_KEPT = 1_000_000
MAX_TEXT_CHARACTERS = 100


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


Keeps = Callable[[Sequence[Job], Any, datetime], Iterable[Job]]
"""Which of these jobs a rule keeps: from the jobs, newest first and all with a time, its value, and the time now."""


def _newest(jobs: Sequence[Job], number: int, now: datetime) -> Iterable[Job]:
    return jobs[:number]


def _within(jobs: Sequence[Job], length: timedelta, now: datetime) -> Iterable[Job]:
    return [job for job in jobs if job.created_at and now - job.created_at <= length]


def _one_each(period: Callable[[date], object]) -> Keeps:
    """Keep the newest job of each of the last so many periods that have one, in UTC."""

    def keeps(jobs: Sequence[Job], number: int, now: datetime) -> Iterable[Job]:
        newest: dict[object, Job] = {}
        for job in jobs:
            if job.created_at is not None:
                newest.setdefault(period(job.created_at.astimezone(timezone.utc).date()), job)
        return list(newest.values())[:number]

    return keeps


@dataclass(frozen=True)
class Rule:
    """What one rule keeps.

    Attributes:
        name: the member of a policy, in Python and in JSON, and the input of the node.
        tooltip: what it keeps, on the node.
        words: the reason in a report; `{}` stands for the value.
        is_length: whether the value is a length of time, "30d", and not a number.
        on_new_node: the value that a new node begins with. Saved workflows have their own.
        appended: whether the input was added after version 1.2.0. Saved workflows hold the values of a node by their
            places, so it comes last.
    """

    name: str
    reason: Reason
    tooltip: str
    words: str
    keeps: Keeps
    is_length: bool = False
    on_new_node: int | str = 0
    appended: bool = False


_EACH = "Keep the newest job of each of the last so many {} that have one (UTC)."
RULES = (
    Rule("keep_last", Reason.LAST, "Keep the newest so many.", "last {}", _newest, on_new_node=20),
    Rule(
        "keep_within",
        Reason.WITHIN,
        "Keep everything from so long until now.",
        "within {}",
        _within,
        is_length=True,
        on_new_node="30d",
    ),
    Rule("keep_daily", Reason.DAILY, _EACH.format("days"), "one a day", _one_each(lambda day: day)),
    Rule(
        "keep_weekly",
        Reason.WEEKLY,
        _EACH.format("weeks"),
        "one a week",
        _one_each(lambda day: day.isocalendar()[:2]),
    ),
)


@dataclass(frozen=True)
class Policy:
    """What to keep of which jobs. For a rule, 0 and None mean that it is off.

    Attributes:
        statuses: which finished jobs it is about.
        workflow_id: only jobs of this workflow; "" for all.
        per_workflow: whether the rules that count are applied to each workflow apart. Jobs of no workflow count
            as those of one.

    Raises:
        PolicyRefused: a value is out of range or of another type.
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
    """The policy in a JSON object. Rules that are missing are off; without “statuses” it is about all finished jobs.

    Raises:
        PolicyRefused: an unknown field, or a value out of range or of another type.
        InputRefused: a length of time that can't be read.
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
    """What a policy would do to a history: every job either stays or goes.

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
) -> CleanUpPreview:
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
    return CleanUpPreview(kept, go, len(chosen))


def check_rules(policy: Policy) -> None:
    """Raises PolicyRefused: no rule is on."""
    if not policy.rules:
        raise PolicyRefused("no_rules")


def check_share(preview: CleanUpPreview, *, allow_large: bool) -> None:
    """Raises PolicyRefused: all or more than 80% would go, and nobody has agreed to that."""
    if allow_large or not preview.takes_much:
        return
    of = f"{len(preview.go):,} of {preview.chosen:,} finished jobs"
    # Not all of them, so never told as 100%.
    part = "all" if preview.takes_all else f"{min(99, round(preview.share * 100))}%"
    raise PolicyRefused("rules_delete_much", part=part, of=of)


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
    rules = policy.rules
    for group in groups.values():
        for rule, value in rules:
            for job in rule.keeps(group, value, now):
                kept.setdefault(job.id, rule.reason)
    return kept
