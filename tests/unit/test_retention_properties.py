"""What holds for every policy and every history."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_history.jobs import Job
from cloud_history.models import FINISHED, JobStatus
from cloud_history.retention import Policy, decide

NOW = datetime(2026, 3, 18, 12, tzinfo=timezone.utc)
EXAMPLES = settings(max_examples=2000, deadline=None)

ages = st.one_of(st.none(), st.integers(-2, 24 * 60))
jobs = st.lists(
    st.tuples(ages, st.sampled_from(list(JobStatus)), st.sampled_from(["", "x", "y"])), max_size=9
).map(
    lambda rows: [
        Job(
            f"{at:03}",
            status,
            "",
            created_at=None if age is None else NOW - timedelta(hours=age),
            workflow_id=workflow,
        )
        for at, (age, status, workflow) in enumerate(rows)
    ]
)
counts = st.integers(0, 5)
policies = st.builds(
    Policy,
    keep_last=counts,
    keep_within=st.one_of(st.none(), st.integers(1, 900).map(lambda hours: timedelta(hours=hours))),
    keep_daily=counts,
    keep_weekly=counts,
    statuses=st.sets(st.sampled_from(FINISHED), min_size=1).map(lambda s: tuple(sorted(s))),
    workflow_id=st.sampled_from(["", "", "x"]),
    per_workflow=st.booleans(),
)
ids = st.sets(st.integers(0, 8).map(lambda at: f"{at:03}"))


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
@given(jobs, policies, ids, st.randoms(use_true_random=False))
def test_the_order_of_the_jobs_does_not_matter(
    found: list[Job], policy: Policy, protected: set[str], pick: object
) -> None:
    shuffled = list(found)
    pick.shuffle(shuffled)  # type: ignore[attr-defined]
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
