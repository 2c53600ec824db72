"""Trying a retention policy: what it would keep, and what would go."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from aiohttp import web

from ..deletion.results import Payload
from ..errors import InputRefused, PolicyRefused
from ..jobs.job import Job
from ..jobs.models import FINISHED, JobStatus
from ..jobs.rows import job_row
from ..retention.cleanup import CleaningUp
from ..retention.durations import span
from ..retention.policy import Plan, Policy, Reason, newest_first
from ..retention.report import counts_kept
from ..tasks.stopping import Unwatched
from ..tasks.threads import long_in_thread
from .context import Context
from .request import read_body
from .response import json_answer

MOST_ROWS = 200
LONGEST_TEXT = 100
_NUMBERS = ("keep_last", "keep_daily", "keep_weekly")
_MEMBERS = (*_NUMBERS, "keep_within", "statuses", "workflow_id", "per_workflow")


class CleanUpRoutes:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._cleaning_up = CleaningUp(context.operations)

    async def plan(self, request: web.Request) -> web.Response:
        body = await read_body(request, {"policy": dict}, ("policy",))
        policy = read_policy(body["policy"])
        connection = await self._context.operations.find_connection()
        plan, jobs = await self._context.in_time(self._cleaning_up.plan(connection, policy, Unwatched()))
        payload = await long_in_thread(plan_payload, plan, policy, jobs)
        return json_answer({**payload, "account": connection.account})


def read_policy(given: Mapping[str, Any]) -> Policy:
    """The policy in a JSON object. Raises InputRefused."""
    if unknown := sorted(set(given) - set(_MEMBERS)):
        raise PolicyRefused(f"The policy has members nobody knows: {len(unknown)}.")
    within, workflow_id = given.get("keep_within", ""), given.get("workflow_id", "")
    if not all(isinstance(each, str) and len(each) <= LONGEST_TEXT for each in (within, workflow_id)):
        raise PolicyRefused(
            f"“keep_within” and “workflow_id” must be texts of at most {LONGEST_TEXT} characters."
        )
    per_workflow = given.get("per_workflow", False)
    if not isinstance(per_workflow, bool):
        raise PolicyRefused("“per_workflow” must be true or false.")
    return Policy(
        **{name: given.get(name, 0) for name in _NUMBERS},
        keep_within=span(within),
        statuses=_statuses(given.get("statuses")),
        workflow_id=workflow_id,
        per_workflow=per_workflow,
    )


def _statuses(given: object) -> tuple[JobStatus, ...]:
    if given is None:
        return FINISHED
    words = {status.value: status for status in FINISHED}
    if not isinstance(given, list) or not all(isinstance(each, str) and each in words for each in given):
        raise InputRefused("“statuses” must be a list of completed, failed and cancelled.")
    return tuple(status for status in FINISHED if status.value in given)


def plan_payload(plan: Plan, policy: Policy, jobs: Mapping[str, Job]) -> Payload:
    """The plan as the browser shows it, newest job first: the first 200 that would go and the first 200 that stay.

    So the first 200 of all are among them, and nobody who looks for what would go is shown an empty list.
    """
    numbers: dict[Reason, object] = {
        Reason.LAST: policy.keep_last,
        Reason.WITHIN: policy.keep_within.total_seconds() / 86400 if policy.keep_within else None,
        Reason.DAILY: policy.keep_daily,
        Reason.WEEKLY: policy.keep_weekly,
    }
    kept = [
        {"reason": reason.value, "n": numbers.get(reason), "count": count}
        for reason, count in counts_kept(plan).items()
    ]
    listed = {*islice(plan.kept, MOST_ROWS), *(job.id for job in plan.go[:MOST_ROWS])}
    rows = [
        {"job": job_row(job), "keep": plan.kept[job.id].value if job.id in plan.kept else None}
        for job in newest_first(jobs[job_id] for job_id in listed)
    ]
    return {
        "total": len(jobs),
        "finished": sum(job.finished for job in jobs.values()),
        "go": len(plan.go),
        "kept": kept,
        "share": plan.share,
        "all": plan.takes_all,
        "large": plan.takes_much,
        "empty": policy.empty,
        "rows": rows,
    }
