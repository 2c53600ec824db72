"""The jobs that policies delete, in a table made by hand. Now is Wednesday, 2026-03-18, noon (UTC)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from cloud_history.errors import InputRefused, PolicyRefused
from cloud_history.jobs.job import Job
from cloud_history.jobs.status import FINISHED, JobStatus
from cloud_history.retention.durations import span
from cloud_history.retention.policy import RULES, Policy, Reason, check_rules, check_share, decide
from cloud_history.retention.report import cleanup_report, policy_words, span_words

NOW = datetime(2026, 3, 18, 12, tzinfo=timezone.utc)
PROTECTED = "p"

# Each job is its letter, its age ("?": no usable time), its workflow, and its status if not completed.
HISTORIES = {
    # One job a day, at noon. Jobs a to c are in this week (Monday is the 16th), d to j in the week before.
    "days": "a 0d, b 1d, c 2d, d 3d, e 4d, f 5d, g 6d, h 7d, i 8d, j 9d",
    # Created on Wednesday at 11, 10 and 9, on Tuesday at 23 and 16, on Monday at 23 and 0, on Sunday at 23.
    "hours": "a 1h, b 2h, c 3h, d 13h, e 20h, f 37h, g 60h, h 61h",
    # Job f is in the week before, on Sunday the 15th. Job h is from Monday, February 16th.
    "flows": "a 1h x, b 2h y, c 24h x, d 25h y, e 48h x, f 72h, g 96h, h 30d z",
    "mixed": "a 1d, b 2d failed, c 3d cancelled, d 4d pending, e 5d in_progress, f 6d enchanted, g ?,"
    " h 7d failed, p 8d, q 9d failed",
    # Job a is in week 12 of 2026, b (Monday, January 5th) in week 2. Jobs c, d and e are in week 1: Sunday the 4th,
    # Thursday the 1st and Monday, December 29th, 2025. Job f, the Sunday before, is in week 52, g in week 12 of 2025.
    "years": "a 0d, b 72d, c 73d, d 76d, e 79d, f 80d, g 364d",
}

# history, policy, deleted jobs ("-": none)
TABLE = """
days    no rule                                          abcdefghij
days    last=1                                           bcdefghij
days    last=3                                           defghij
days    last=9                                           j
days    last=10                                          -
days    last=50                                          -
days    within=12h                                       bcdefghij
days    within=1d                                        cdefghij
days    within=3d                                        efghij
days    within=1w                                        ij
days    within=2w                                        -
days    daily=1                                          bcdefghij
days    daily=4                                          efghij
days    daily=10                                         -
days    weekly=1                                         bcdefghij
days    weekly=2                                         bcefghij
days    weekly=3                                         bcefghij
days    last=2 daily=4                                   efghij
days    last=2 weekly=2                                  cefghij
days    within=2d weekly=2                               efghij
days    last=1 within=1d daily=1 weekly=1                cdefghij
days    last=1 failed                                    -
hours   daily=1                                          bcdefgh
hours   daily=2                                          bcefgh
hours   daily=3                                          bcegh
hours   daily=4                                          bceg
hours   daily=9                                          bceg
hours   weekly=1                                         bcdefgh
hours   weekly=2                                         bcdefg
hours   weekly=9                                         bcdefg
hours   last=2 daily=2                                   cefgh
hours   within=2h                                        cdefgh
hours   within=3h                                        defgh
hours   within=13h                                       efgh
hours   within=1d                                        fgh
hours   within=60h                                       h
hours   within=61h                                       -
hours   within=1h daily=3                                bcegh
hours   last=4 weekly=2                                  efg
hours   daily=2 weekly=2                                 bcefg
flows   last=1                                           bcdefgh
flows   last=1 each                                      cdeg
flows   last=2 each                                      e
flows   last=3 each                                      -
flows   daily=1 each                                     cdeg
flows   daily=2 each                                     e
flows   weekly=1 each                                    cdeg
flows   weekly=1                                         bcdefgh
flows   weekly=2                                         bcdegh
flows   weekly=3                                         bcdeg
flows   last=1 of=x                                      ce
flows   last=2 of=x                                      e
flows   last=1 each of=x                                 ce
flows   daily=2 of=x                                     e
flows   weekly=1 of=x                                    ce
flows   within=3h of=y                                   d
flows   last=1 of=y                                      d
flows   last=1 of=z                                      -
flows   last=1 of=q                                      -
mixed   last=1                                           bchq
mixed   last=2                                           chq
mixed   last=5                                           q
mixed   last=6                                           -
mixed   last=1 each                                      bchq
mixed   last=1 failed                                    hq
mixed   last=2 failed                                    q
mixed   last=1 completed                                 -
mixed   last=1 cancelled                                 -
mixed   within=1d cancelled                              c
mixed   within=1h completed                              a
mixed   within=2d failed                                 hq
mixed   within=1h                                        abchq
mixed   daily=2                                          chq
mixed   weekly=1                                         bchq
mixed   weekly=2                                         bhq
mixed   weekly=2 failed                                  q
years   weekly=1                                         bcdefg
years   weekly=2                                         cdefg
years   weekly=3                                         defg
years   weekly=4                                         deg
years   weekly=5                                         de
years   daily=6                                          g
years   within=11w                                       efg
"""
ROWS = [re.split(r"  +", line) for line in TABLE.strip().splitlines()]


def read_job_row(text: str) -> Job:
    letter, age, *more = text.split()
    words = [each for each in more if len(each) > 1]
    length = None if age == "?" else span(age) or timedelta(0)
    status = JobStatus.from_api(words[0] if words else "completed")
    created = None if length is None else NOW - length
    return Job(letter, status, "", created_at=created, workflow_id="".join(e for e in more if len(e) == 1))


def history(name: str) -> list[Job]:
    return [read_job_row(each) for each in HISTORIES[name].split(",")]


def policy_of(text: str) -> Policy:
    words = dict(each.partition("=")[::2] for each in text.replace("no rule", "").split())
    statuses = tuple(JobStatus(word) for word in words if word in ("completed", "failed", "cancelled"))
    given = {rule: words[word] for rule in RULES if (word := rule.name.removeprefix("keep_")) in words}
    rules: dict[str, Any] = {rule.name: span(value) if rule.is_length else int(value) for rule, value in given.items()}
    return Policy(
        **rules,
        statuses=statuses or FINISHED,
        workflow_id=words.get("of", ""),
        per_workflow="each" in words,
    )


def is_protected(job: Job) -> bool:
    return job.id == PROTECTED


@pytest.mark.parametrize(("name", "policy", "goes"), ROWS, ids=[" ".join(row) for row in ROWS])
def test_policies_delete_exactly_the_jobs_in_the_table(name: str, policy: str, goes: str) -> None:
    preview = decide(history(name), policy_of(policy), NOW, is_protected)
    assert "".join(job.id for job in preview.go) == goes.replace("-", "")


def test_the_table_has_at_least_sixty_policies_without_duplicates() -> None:
    assert len({tuple(row[:2]) for row in ROWS}) == len(ROWS) >= 60


def test_every_kept_job_has_the_first_rule_that_keeps_it_as_its_reason() -> None:
    policy = policy_of("last=1 within=2d daily=3 weekly=2")
    kept = decide(history("mixed"), policy, NOW, is_protected).kept
    assert {letter: reason.value for letter, reason in kept.items()} == {
        "a": "last",
        "b": "within",
        "c": "daily",
        "d": "active",
        "e": "active",
        "f": "unknown",
        "g": "no_time",
        "p": "protected",
    }
    assert decide(history("days"), policy_of("last=1 weekly=2"), NOW).kept["d"] is Reason.WEEKLY
    assert decide(history("mixed"), policy_of("last=99"), NOW, is_protected).kept["p"] is Reason.PROTECTED
    assert decide(history("mixed"), policy_of("last=1 of=x"), NOW, is_protected).kept["p"] is Reason.PROTECTED
    assert decide(history("flows"), policy_of("last=1 of=x"), NOW).kept["b"] is Reason.NOT_CHOSEN


def test_the_deleted_share_counts_only_jobs_the_policy_applies_to() -> None:
    preview = decide(history("mixed"), policy_of("within=1h failed"), NOW, is_protected)
    assert (preview.chosen, preview.share, preview.takes_all, preview.takes_much) == (3, 1.0, True, True)
    preview = decide(history("days"), policy_of("last=2"), NOW)
    assert (preview.share, preview.takes_much) == (0.8, False)
    preview = decide(history("days"), policy_of("last=1"), NOW)
    assert (preview.takes_much, preview.takes_all) == (True, False)
    assert decide([], policy_of("last=1"), NOW).share == 0.0


def test_a_policy_without_a_rule_is_refused() -> None:
    with pytest.raises(PolicyRefused, match="at least one rule"):
        check_rules(policy_of("no rule"))


@pytest.mark.parametrize(("text", "part"), [("within=1h of=z", "all"), ("last=1", "90%")])
def test_a_policy_that_deletes_most_jobs_needs_allow_large(text: str, part: str) -> None:
    policy = policy_of(text)
    preview = decide(history("flows" if "z" in text else "days"), policy, NOW)
    with pytest.raises(PolicyRefused, match=part):
        check_share(preview, allow_large=False)
    check_share(preview, allow_large=True)


def many(count: int) -> list[Job]:
    return [Job(f"{n:04}", JobStatus.FAILED, "", created_at=NOW - timedelta(minutes=n)) for n in range(count)]


def test_deleting_81_of_100_jobs_needs_allow_large_and_deleting_80_does_not() -> None:
    check_share(decide(many(100), Policy(keep_last=20), NOW), allow_large=False)
    with pytest.raises(PolicyRefused, match="81%"):
        check_share(decide(many(100), Policy(keep_last=19), NOW), allow_large=False)


def test_a_deleted_share_below_one_is_never_shown_as_100_percent() -> None:
    policy = Policy(keep_last=1)
    with pytest.raises(PolicyRefused, match=r"delete 99% .*\(999 of 1,000 finished jobs\)"):
        check_share(decide(many(1000), policy, NOW), allow_large=False)


def test_among_jobs_created_at_the_same_moment_the_lower_id_counts_as_newer() -> None:
    alike = [Job(letter, JobStatus.COMPLETED, "", created_at=NOW) for letter in "bca"]
    for rule in ("last=1", "daily=1", "weekly=1"):
        assert [job.id for job in decide(alike, policy_of(rule), NOW).go] == ["b", "c"]


def test_a_job_dated_in_the_future_counts_as_new() -> None:
    jobs = [*many(1), Job("a", JobStatus.COMPLETED, "", created_at=NOW + timedelta(hours=20))]
    assert not decide(jobs, Policy(keep_within=timedelta(hours=1)), NOW).go
    assert [job.id for job in decide(jobs, Policy(keep_last=1), NOW).go] == ["0000"]


def test_an_absurdly_long_duration_keeps_everything() -> None:
    assert not decide(history("years"), policy_of("within=999999w"), NOW).go


@pytest.mark.parametrize(
    "members",
    [
        {"keep_last": -1},
        {"keep_daily": True},
        {"keep_weekly": 1.0},
        {"keep_last": "3"},
        {"keep_last": 10**7},
        {"keep_within": timedelta(0)},
        {"statuses": ()},
        {"statuses": (JobStatus.PENDING,)},
        {"statuses": (JobStatus.UNKNOWN,)},
    ],
)
def test_invalid_numbers_and_statuses_are_refused(members: dict[str, object]) -> None:
    with pytest.raises(PolicyRefused):
        Policy(**members)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["soon", "30", "-3d", "1.5d", "2026-01-31", "0x3d", "３d", "30 days"])
def test_an_invalid_duration_in_a_policy_is_refused(text: str) -> None:
    with pytest.raises(InputRefused, match="not a length of time"):
        span(text)


def test_daily_rules_count_days_in_utc() -> None:
    east = timezone(timedelta(hours=14))
    jobs = [
        Job("a", JobStatus.COMPLETED, "", created_at=datetime(2026, 3, 18, 9, tzinfo=east)),
        Job("b", JobStatus.COMPLETED, "", created_at=datetime(2026, 3, 17, 15, tzinfo=east)),
        Job("c", JobStatus.COMPLETED, "", created_at=datetime(2026, 3, 17, 13, tzinfo=east)),
    ]
    assert [job.id for job in decide(jobs, Policy(keep_daily=2), NOW).go] == ["b"]


def test_the_report_of_a_policy_lists_kept_jobs_by_rule_and_the_jobs_to_delete() -> None:
    policy = policy_of("last=2 within=30d")
    preview = decide(history("flows"), policy, NOW)
    assert cleanup_report(preview, policy).splitlines() == [
        "0 jobs of 8 would go.",
        "Kept 8, and why:",
        "  last 2                2",
        "  within 30 days        6",
    ]
    preview = decide(history("mixed"), policy_of("last=2 failed"), NOW)
    lines = cleanup_report(preview, policy_of("last=2 failed")).splitlines()
    assert lines[0] == "1 job of 10 would go."
    assert lines[-2:] == ["Would go 1, created at these times (UTC):", "  q  2026-03-09 12:00  failed"]


def test_the_report_of_a_policy_lists_at_most_a_thousand_ids() -> None:
    policy = Policy(keep_last=1)
    lines = cleanup_report(decide(many(1203), policy, NOW), policy).splitlines()
    assert sum(line.endswith("failed") for line in lines) == 1000
    assert lines[-1] == "  and 202 more"


def test_a_policy_is_logged_in_a_short_form() -> None:
    assert policy_words(policy_of("last=2 within=36h failed each")) == (
        '{"policy": {"keep_last": 2, "keep_within": "36 hours", "statuses": ["failed"], "per_workflow": true}}'
    )
    assert span_words(timedelta(days=1)) == "1 day"
