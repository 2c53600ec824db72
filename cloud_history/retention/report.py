"""Reports of clean-ups for the node, and the text of a policy for the audit log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from ..deletion.report import MAX_LISTED_IDS, jobs
from ..jobs.job import Job
from ..jobs.status import FINISHED
from .policy import CleanUpPreview, Policy, Reason

_WORDS = {
    Reason.PROTECTED: "protected",
    Reason.ACTIVE: "active",
    Reason.NO_TIME: "no usable time",
    Reason.UNKNOWN: "unknown status",
    Reason.NOT_CHOSEN: "not chosen",
}


def kept_words(reason: Reason, policy: Policy) -> str:
    """Format a reason for keeping jobs: "last 20", "within 30 days"."""
    for rule, value in policy.rules:
        if rule.reason is reason:
            return rule.words.format(f"{value:,}" if isinstance(value, int) else span_words(value))
    return _WORDS[reason]


def span_words(span: timedelta) -> str:
    """Format a duration: "30 days", "12 hours"."""
    hours = round(span.total_seconds() / 3600)
    number, unit = (hours // 24, "day") if hours and hours % 24 == 0 else (hours, "hour")
    return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"


def counts_kept(preview: CleanUpPreview) -> dict[Reason, int]:
    """Count the kept jobs by reason, in the order of `Reason`."""
    found = list(preview.kept.values())
    return {reason: found.count(reason) for reason in Reason if reason in found}


def cleanup_report(preview: CleanUpPreview, policy: Policy, *, going: bool = True) -> str:
    """Format a clean-up: how many jobs are kept for each reason, and which would be deleted.

    Args:
        going: whether to list the jobs that would be deleted. False if another report lists the deleted jobs.
    """
    counts = counts_kept(preview)
    width = max((len(kept_words(reason, policy)) for reason in counts), default=0)
    lines = [f"{jobs(len(preview.go))} of {len(preview.go) + len(preview.kept):,} would go."] if going else []
    if counts:
        lines.append(f"Kept {len(preview.kept):,}, and why:")
        lines += [f"  {kept_words(reason, policy):<{width}}  {n:>7,}" for reason, n in counts.items()]
    if preview.go and going:
        lines.append(f"Would go {len(preview.go):,}, created at these times (UTC):")
        lines += _rows(preview.go)
    return "\n".join(lines)


def policy_words(policy: Policy) -> str:
    """Format a policy as short JSON, for the audit log."""
    about = {
        "statuses": "" if policy.statuses == FINISHED else [each.value for each in policy.statuses],
        "workflow_id": policy.workflow_id,
        "per_workflow": policy.per_workflow,
    }
    rules = {rule.name: value if isinstance(value, int) else span_words(value) for rule, value in policy.rules}
    return json.dumps({"policy": rules | {name: value for name, value in about.items() if value}})


def _rows(found: Sequence[Job]) -> list[str]:
    rows = []
    for job in found[:MAX_LISTED_IDS]:
        moment = job.created_at
        when = moment.strftime("%Y-%m-%d %H:%M") if moment else "-" * 16
        rows.append(f"  {job.id}  {when}  {job.status.value}")
    more = len(found) - MAX_LISTED_IDS
    return [*rows, f"  and {more:,} more"] if more > 0 else rows
