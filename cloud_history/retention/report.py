"""What a retention policy makes of a history, in words: for the node and the record."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from ..deletion.report import MAX_LISTED_IDS, jobs
from ..jobs.job import Job
from ..jobs.status import FINISHED
from .policy import Plan, Policy, Reason


def kept_words(reason: Reason, policy: Policy) -> str:
    """Why jobs are kept: "last 20", "within 30 days"."""
    return {
        Reason.LAST: f"last {policy.keep_last:,}",
        Reason.WITHIN: f"within {span_words(policy.keep_within)}",
        Reason.DAILY: "one a day",
        Reason.WEEKLY: "one a week",
        Reason.PROTECTED: "protected",
        Reason.ACTIVE: "active",
        Reason.NO_TIME: "no usable time",
        Reason.UNKNOWN: "unknown status",
        Reason.NOT_CHOSEN: "not chosen",
    }[reason]


def span_words(span: timedelta | None) -> str:
    """ "30 days", "12 hours"."""
    hours = round((span or timedelta()).total_seconds() / 3600)
    number, unit = (hours // 24, "day") if hours and hours % 24 == 0 else (hours, "hour")
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"


def counts_kept(plan: Plan) -> dict[Reason, int]:
    """How many jobs are kept for each reason that keeps one, in the order of the reasons."""
    found = list(plan.kept.values())
    return {reason: found.count(reason) for reason in Reason if reason in found}


def plan_report(plan: Plan, policy: Policy, *, going: bool = True) -> str:
    """A table: kept, and why; what would go, job by job, unless another report has said what went."""
    counts = counts_kept(plan)
    width = max((len(kept_words(reason, policy)) for reason in counts), default=0)
    lines = [f"{jobs(len(plan.go))} of {len(plan.go) + len(plan.kept):,} would go."] if going else []
    if counts:
        lines.append(f"Kept {len(plan.kept):,}, and why:")
        lines += [f"  {kept_words(reason, policy):<{width}}  {n:>7,}" for reason, n in counts.items()]
    if plan.go and going:
        lines.append(f"Would go {len(plan.go):,}, with their times (UTC):")
        lines += _rows(plan.go)
    return "\n".join(lines)


def policy_words(policy: Policy) -> str:
    """The policy in short, for the record."""
    rules: dict[str, object] = {
        "keep_last": policy.keep_last,
        "keep_within": span_words(policy.keep_within) if policy.keep_within else "",
        "keep_daily": policy.keep_daily,
        "keep_weekly": policy.keep_weekly,
        "statuses": "" if policy.statuses == FINISHED else [each.value for each in policy.statuses],
        "workflow_id": policy.workflow_id,
        "per_workflow": policy.per_workflow,
    }
    return json.dumps({"policy": {name: value for name, value in rules.items() if value}})


def _rows(found: Sequence[Job]) -> list[str]:
    rows = []
    for job in found[:MAX_LISTED_IDS]:
        moment = job.finished_at or job.created_at
        when = moment.strftime("%Y-%m-%d %H:%M") if moment else "-" * 16
        rows.append(f"  {job.id}  {when}  {job.status.value}")
    more = len(found) - MAX_LISTED_IDS
    return [*rows, f"  and {more:,} more"] if more > 0 else rows
