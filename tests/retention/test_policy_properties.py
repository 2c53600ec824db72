"""Invariants of retention policies, checked with random policies and histories.

All invariants are checked with the same examples, because generating an example takes longer than any check.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from hypothesis import given

from cloud_history.jobs.job import Job
from cloud_history.jobs.status import FINISHED, JobStatus
from cloud_history.retention.policy import RULES, CleanUpPreview, Policy, Rule, decide
from support.choices import Choices, made_of
from support.examples import examples

NOW = datetime(2026, 3, 18, 12, tzinfo=timezone.utc)
EXAMPLES = examples(500)

STATUSES = [*FINISHED, *FINISHED, *FINISHED, *(each for each in JobStatus if each not in FINISHED)]
"""Finished statuses occur more often, because jobs with other statuses are never deleted."""
WORKFLOWS = ("", "x", "y")
AGES = [None, None, *(timedelta(hours=hours) for hours in range(-2, 60 * 24, 61))]
"""Few enough ages that two jobs often have the same one."""
COUNTS = (0, 0, 0, 1, 1, 2, 5)
SPANS = (None, None, None, *(timedelta(hours=hours) for hours in (1, 12, 48, 61, 300, 900)))
ABOUT = [FINISHED, FINISHED, *([each for each in FINISHED if each is not other] for other in FINISHED)]
MAX_JOBS = 9


class Example(NamedTuple):
    """A history and a policy, and changes that give another history or policy to compare with.

    Attributes:
        shuffled: the same jobs in another order.
        raised: how much the value of each rule is raised.
        fewer: how many statuses of the policy are left out.
    """

    jobs: list[Job]
    policy: Policy
    protected: set[str]
    shuffled: list[Job]
    raised: dict[Rule, Any]
    fewer: int


def read_job_row(choices: Choices, at: int) -> Job:
    status, length = choices.one_of(STATUSES), choices.one_of(AGES)
    created = None if length is None else NOW - length
    return Job(f"{at:03}", status, "", created_at=created, workflow_id=choices.one_of(WORKFLOWS))


def policy_of(choices: Choices) -> Policy:
    return Policy(
        **{rule.name: choices.one_of(SPANS if rule.is_length else COUNTS) for rule in RULES},  # type: ignore[arg-type]
        statuses=tuple(choices.one_of(ABOUT)),
        workflow_id=choices.one_of(("", "", "", "x")),
        per_workflow=choices.one_of((False, True)),
    )


def example_of(choices: Choices) -> Example:
    policy = policy_of(choices)
    jobs = [read_job_row(choices, at) for at in range(1 + choices.below(MAX_JOBS))]
    return Example(
        jobs,
        policy,
        protected={f"{at:03}" for at in range(MAX_JOBS) if choices.below(2)},
        shuffled=choices.order(jobs),
        raised={
            rule: timedelta(hours=1 + choices.below(900)) if rule.is_length else choices.below(6) for rule in RULES
        },
        fewer=choices.below(3),
    )


def preview_of(example: Example) -> CleanUpPreview:
    return decide(example.jobs, example.policy, NOW, lambda job: job.id in example.protected)


def deleted_ids(jobs: list[Job], policy: Policy) -> set[str]:
    """Return the ids that the policy deletes if no job is protected."""
    return {job.id for job in decide(jobs, policy, NOW).go}


def each_job_is_kept_or_deleted_and_only_matching_dated_jobs_are_deleted(
    example: Example,
) -> None:
    policy, preview = example.policy, preview_of(example)
    going = [job.id for job in preview.go]
    assert sorted([*preview.kept, *going]) == sorted(job.id for job in example.jobs)
    assert 0.0 <= preview.share <= 1.0
    for job in preview.go:
        assert job.status in policy.statuses
        assert job.created_at is not None
        assert policy.workflow_id in ("", job.workflow_id)


def adding_or_raising_a_rule_never_deletes_more_jobs(example: Example) -> None:
    policy = example.policy
    before, values = deleted_ids(example.jobs, policy), dict(policy.rules)
    for rule, more in example.raised.items():
        raised: Any = values[rule] + more if rule in values else more
        assert deleted_ids(example.jobs, replace(policy, **{rule.name: raised})) <= before


def rules_per_workflow_or_for_fewer_jobs_never_delete_more_jobs(example: Example) -> None:
    jobs, policy = example.jobs, example.policy
    before = deleted_ids(jobs, policy)
    assert deleted_ids(jobs, replace(policy, per_workflow=True)) <= deleted_ids(
        jobs, replace(policy, per_workflow=False)
    )
    fewer = policy.statuses[example.fewer :] or policy.statuses[:1]
    assert deleted_ids(jobs, replace(policy, statuses=fewer)) <= before
    assert deleted_ids(jobs, replace(policy, workflow_id=policy.workflow_id or "y")) <= before


def active_unknown_protected_and_undated_jobs_are_always_kept(example: Example) -> None:
    going = {job.id for job in preview_of(example).go}
    for job in example.jobs:
        if job.status not in FINISHED or job.created_at is None or job.id in example.protected:
            assert job.id not in going


def the_order_of_the_jobs_does_not_matter(example: Example) -> None:
    one, two = preview_of(example), preview_of(example._replace(jobs=example.shuffled))
    assert (one.kept, one.go) == (two.kept, two.go)


def protecting_a_job_never_deletes_another_job(example: Example) -> None:
    going = {job.id for job in preview_of(example).go}
    assert going == deleted_ids(example.jobs, example.policy) - example.protected


def every_counting_rule_keeps_the_newest_job(example: Example) -> None:
    policy = example.policy
    going = decide(example.jobs, policy, NOW).go
    if all(rule.is_length for rule, _ in policy.rules):
        return
    chosen = [job for job in example.jobs if job.created_at and job.status in policy.statuses]
    chosen = [job for job in chosen if policy.workflow_id in ("", job.workflow_id)]
    if chosen:
        newest = max(job.created_at for job in chosen if job.created_at)
        assert any(job.created_at == newest and job not in going for job in chosen)


@EXAMPLES
@given(made_of(example_of, 64))
def test_retention_invariants_hold_for_random_policies_and_histories(example: Example) -> None:
    each_job_is_kept_or_deleted_and_only_matching_dated_jobs_are_deleted(example)
    adding_or_raising_a_rule_never_deletes_more_jobs(example)
    rules_per_workflow_or_for_fewer_jobs_never_delete_more_jobs(example)
    active_unknown_protected_and_undated_jobs_are_always_kept(example)
    the_order_of_the_jobs_does_not_matter(example)
    protecting_a_job_never_deletes_another_job(example)
    every_counting_rule_keeps_the_newest_job(example)
