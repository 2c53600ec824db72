"""What holds for every policy and every history."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_history.jobs import Job
from cloud_history.models import FINISHED, JobStatus
from cloud_history.retention import Policy, decide

NOW = datetime(2026, 3, 18, 12, tzinfo=timezone.utc)
SPREAD = 1_000_003
"""A prime, so that each number still comes from one."""
EXAMPLES = settings(max_examples=2000, deadline=None)

STATUSES = [*FINISHED, *FINISHED, *FINISHED, *(each for each in JobStatus if each not in FINISHED)]
"""The finished ones more often: the others never go, and then nothing is tested."""
WORKFLOWS = ("", "x", "y")
AGES = [None, None, *(timedelta(hours=hours) for hours in range(-2, 60 * 24, 61))]
"""Few enough that two jobs often have the same."""


def job_of(at: int, number: int) -> Job:
    """A job made of one number, as policies are below: drawing each of the members takes several times as long."""
    number, status = divmod(number, len(STATUSES))
    age, workflow = divmod(number, len(WORKFLOWS))
    length = AGES[age]
    created = None if length is None else NOW - length
    return Job(f"{at:03}", STATUSES[status], "", created_at=created, workflow_id=WORKFLOWS[workflow])


def any_below(end: int) -> st.SearchStrategy[int]:
    """A number below this one. Drawn plainly most would be small, and so most policies alike."""
    assert end % SPREAD
    return st.integers(0, end - 1).map(lambda number: number * SPREAD % end)


jobs = st.lists(any_below(len(AGES) * len(STATUSES) * len(WORKFLOWS)), min_size=1, max_size=9).map(
    lambda numbers: [job_of(at, number) for at, number in enumerate(numbers)]
)
counts = st.integers(0, 5)
COUNTS = (0, 0, 0, 1, 1, 2, 5)
SPANS = (None, None, None, *(timedelta(hours=hours) for hours in (1, 12, 48, 61, 300, 900)))
ABOUT = [FINISHED, FINISHED, *([each for each in FINISHED if each is not other] for other in FINISHED)]
MEMBERS: tuple[Sequence[Any], ...] = (COUNTS, SPANS, COUNTS, COUNTS, ABOUT, ("", "", "", "x"), (False, True))


def policy_of(number: int) -> Policy:
    chosen = []
    for values in MEMBERS:
        number, at = divmod(number, len(values))
        chosen.append(values[at])
    last, within, daily, weekly, statuses, workflow, apart = chosen
    return Policy(last, within, daily, weekly, tuple(statuses), workflow, apart)


policies = any_below(math.prod(len(values) for values in MEMBERS)).map(policy_of)
ids = any_below(2**9).map(lambda bits: {f"{at:03}" for at in range(9) if bits >> at & 1})


def gone(found: list[Job], policy: Policy, protected: set[str] = frozenset()) -> set[str]:  # type: ignore[assignment]
    return {job.id for job in decide(found, policy, NOW, lambda job: job.id in protected).go}


@EXAMPLES
@given(jobs, policies, ids)
def test_each_job_is_either_kept_or_goes_and_only_one_that_the_policy_is_about_and_has_a_time_goes(
    found: list[Job], policy: Policy, protected: set[str]
) -> None:
    plan = decide(found, policy, NOW, lambda job: job.id in protected)
    going = [job.id for job in plan.go]
    assert sorted([*plan.kept, *going]) == sorted(job.id for job in found)
    assert 0.0 <= plan.share <= 1.0
    for job in plan.go:
        assert job.status in policy.statuses
        assert job.created_at is not None
        assert policy.workflow_id in ("", job.workflow_id)


@EXAMPLES
@given(jobs, policies, counts, counts, counts, st.integers(1, 900))
def test_another_or_a_larger_rule_never_deletes_more(
    found: list[Job], policy: Policy, last: int, daily: int, weekly: int, hours: int
) -> None:
    longer = timedelta(hours=hours) + (policy.keep_within or timedelta(0))
    before = gone(found, policy)
    for more in (
        replace(policy, keep_last=policy.keep_last + last),
        replace(policy, keep_daily=policy.keep_daily + daily),
        replace(policy, keep_weekly=policy.keep_weekly + weekly),
        replace(policy, keep_within=longer),
    ):
        assert gone(found, more) <= before


@EXAMPLES
@given(jobs, policies, st.integers(0, 2))
def test_rules_for_each_workflow_apart_or_for_fewer_jobs_never_delete_more(
    found: list[Job], policy: Policy, at: int
) -> None:
    before = gone(found, policy)
    assert gone(found, replace(policy, per_workflow=True)) <= gone(found, replace(policy, per_workflow=False))
    assert gone(found, replace(policy, statuses=policy.statuses[at:] or policy.statuses[:1])) <= before
    assert gone(found, replace(policy, workflow_id=policy.workflow_id or "y")) <= before


@EXAMPLES
@given(jobs, policies, ids)
def test_what_is_active_unknown_protected_or_without_a_time_is_always_kept(
    found: list[Job], policy: Policy, protected: set[str]
) -> None:
    going = gone(found, policy, protected)
    for job in found:
        if job.status not in FINISHED or job.created_at is None or job.id in protected:
            assert job.id not in going


@EXAMPLES
@given(jobs, policies, ids, st.integers(0, 10**6))
def test_the_order_of_the_jobs_does_not_matter(
    found: list[Job], policy: Policy, protected: set[str], seed: int
) -> None:
    shuffled = list(found)
    random.Random(seed).shuffle(shuffled)
    one = decide(found, policy, NOW, lambda job: job.id in protected)
    two = decide(shuffled, policy, NOW, lambda job: job.id in protected)
    assert (one.kept, one.go) == (two.kept, two.go)


@EXAMPLES
@given(jobs, policies, ids)
def test_protected_jobs_stay_and_cost_no_other_job_its_place(
    found: list[Job], policy: Policy, protected: set[str]
) -> None:
    assert gone(found, policy, protected) == gone(found, policy) - protected


@EXAMPLES
@given(jobs, policies)
def test_the_newest_job_of_a_group_is_kept_by_every_rule_that_counts(
    found: list[Job], policy: Policy
) -> None:
    going = decide(found, policy, NOW).go
    if not (policy.keep_last or policy.keep_daily or policy.keep_weekly):
        return
    chosen = [job for job in found if job.created_at and job.status in policy.statuses]
    chosen = [job for job in chosen if policy.workflow_id in ("", job.workflow_id)]
    if chosen:
        newest = max(job.created_at for job in chosen if job.created_at)
        assert any(job.created_at == newest and job not in going for job in chosen)
