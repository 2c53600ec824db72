"""The exact wording of every report."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cloud_history.deletion.outcomes import ClearOutcome, ClearResult, DeletionResult, JobOutcome, Outcome
from cloud_history.deletion.report import (
    MAX_LISTED_IDS,
    NOT_CLEARED,
    NOTHING_TO_DELETE,
    clear_report,
    deletion_report,
    dry_run_report,
    incomplete,
    jobs,
    listing_report,
)
from cloud_history.errors import (
    CloudConnectionError,
    CloudError,
    Incomplete,
    OperationStopped,
    ServerFault,
    Unauthorized,
)
from cloud_history.jobs.filters import NOTHING_PROTECTED
from support.fake_history_client import counts_of, ids, job
from support.reasons import reason

LOST = CloudConnectionError("connection_lost", sent=True)


def deletion(*parts: tuple[int, Outcome, str], stopped: bool = False, errors: tuple[CloudError, ...] = ()) -> str:
    outcomes = [JobOutcome(outcome, reason(why)) for count, outcome, why in parts for _ in range(count)]
    return deletion_report(DeletionResult(dict(zip(ids(len(outcomes)), outcomes, strict=True)), stopped, errors))


def cleared(outcome: ClearOutcome, before: int, after: int | None, **more: object) -> str:
    active = more.pop("active", 0)
    still_active = more.pop("still_active", active)
    left = None if after is None else counts_of(after, active=still_active)  # type: ignore[arg-type]
    return clear_report(ClearResult(outcome, counts_of(before, active=active), left, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 jobs"), (1, "1 job"), (2, "2 jobs"), (1284, "1,284 jobs"), (10**6, "1,000,000 jobs")],
)
def test_reports_count_jobs_in_the_singular_or_plural(count: int, text: str) -> None:
    assert jobs(count) == text


def test_reports_have_a_sentence_for_each_case_without_work() -> None:
    assert NOTHING_TO_DELETE == "Nothing to delete: the list of job ids is empty. Nothing was sent."
    assert NOT_CLEARED == "“clear” is off. Nothing was sent."


@pytest.mark.parametrize(
    ("count", "headline"),
    [
        (1, "1 job removed from your cloud history. Assets stay."),
        (1284, "1,284 jobs removed from your cloud history. Assets stay."),
    ],
)
def test_the_report_of_a_complete_deletion_lists_no_ids(count: int, headline: str) -> None:
    assert deletion((count, Outcome.DELETED, "")) == headline


def test_the_report_of_a_partial_deletion_lists_every_outcome_with_ids_and_advice() -> None:
    fault = ServerFault(500)
    job_ids = ids(8)
    report = deletion(
        (2, Outcome.DELETED, ""),
        (1, Outcome.ALREADY_GONE, ""),
        (1, Outcome.ACTIVE, ""),
        (1, Outcome.PROTECTED, ""),
        (1, Outcome.FAILED, "server error (500)"),
        (1, Outcome.UNCONFIRMED, "the connection was lost"),
        (1, Outcome.NOT_ATTEMPTED, "the connection was lost"),
        errors=(fault, LOST),
    )
    assert report.splitlines() == [
        "2 of 8 jobs removed. Assets stay.",
        "2 removed",
        "1 already gone",
        f"  {job_ids[2]}",
        "1 active, left alone",
        f"  {job_ids[3]}",
        "1 protected, kept",
        f"  {job_ids[4]}",
        "1 not removed: server error (500)",
        f"  {job_ids[5]}",
        "1 unconfirmed: the connection was lost",
        f"  {job_ids[6]}",
        "1 not tried: the connection was lost",
        f"  {job_ids[7]}",
        "It is not your key. Try again in a few minutes.",
        "Check your internet connection or proxy.",
    ]


def test_reports_group_jobs_by_their_reason() -> None:
    report = deletion((2, Outcome.FAILED, "a"), (1, Outcome.FAILED, "b"), (1, Outcome.DELETED, ""))
    assert [line for line in report.splitlines() if "not removed" in line] == [
        "2 not removed: a",
        "1 not removed: b",
    ]


def test_the_report_of_a_deletion_that_removed_no_job_begins_with_that() -> None:
    report = deletion((1200, Outcome.FAILED, "the key was refused"), errors=(Unauthorized(401),))
    assert report.startswith("No job was removed (0 of 1,200).\n1,200 not removed: the key was refused\n")
    assert report.endswith("\nIt may have been revoked, or not copied whole.")


@pytest.mark.parametrize(
    ("removed", "headline"),
    [
        (400, "Stopped: 400 of 1,000 jobs removed. Assets stay."),
        (0, "Stopped: nothing was sent to Comfy Cloud, and none of the 1,000 jobs was removed."),
    ],
)
def test_the_report_of_a_stopped_deletion_begins_with_who_stopped_it(removed: int, headline: str) -> None:
    parts = [(removed, Outcome.DELETED, ""), (1000 - removed, Outcome.NOT_ATTEMPTED, "the deletion was stopped")]
    assert deletion(*parts, stopped=True).splitlines()[0] == headline


def test_a_report_gives_the_same_advice_only_once() -> None:
    report = deletion((2, Outcome.FAILED, "x"), errors=(ServerFault(502), ServerFault(503)))
    assert report.count("Try again in a few minutes.") == 1


@pytest.mark.parametrize(("extra", "last"), [(0, None), (1, "  and 1 more"), (4000, "  and 4,000 more")])
def test_a_report_lists_at_most_a_thousand_ids(extra: int, last: str | None) -> None:
    lines = deletion((MAX_LISTED_IDS + extra, Outcome.FAILED, "x")).splitlines()
    assert MAX_LISTED_IDS == 1000
    assert lines[2:1002] == [f"  {each}" for each in ids(1000)]
    assert lines[1002:] == ([last] if last else [])


def test_a_report_for_the_log_can_list_all_ids() -> None:
    outcomes: Mapping[str, JobOutcome] = dict.fromkeys(ids(1500), JobOutcome(Outcome.FAILED, reason("x")))
    report = deletion_report(DeletionResult(outcomes), most_listed=1500)
    assert all(each in report for each in ids(1500))


def test_the_report_of_a_dry_run_lists_at_most_a_thousand_jobs() -> None:
    assert (
        dry_run_report(ids(1), NOTHING_PROTECTED)
        == f"Dry run: 1 job would be sent for removal. Nothing was sent.\n  {ids(1)[0]}"
    )
    assert dry_run_report([], NOTHING_PROTECTED) == "Dry run: 0 jobs would be sent for removal. Nothing was sent."
    lines = dry_run_report(ids(5000), NOTHING_PROTECTED).splitlines()
    assert lines[0] == "Dry run: 5,000 jobs would be sent for removal. Nothing was sent."
    assert len(lines) == 1 + 1000 + 1
    assert lines[-1] == "  and 4,000 more"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            cleared(ClearOutcome.DELETED, 0, 0),
            "Nothing to clear: your cloud history has no finished jobs. Nothing was sent.",
        ),
        (
            cleared(ClearOutcome.DELETED, 0, 0, active=3),
            "Nothing to clear: your cloud history has no finished jobs. Nothing was sent.\n3 jobs active, left alone.",
        ),
        (cleared(ClearOutcome.DELETED, 1, 0), "1 job removed from your cloud history. Assets stay."),
        (
            cleared(ClearOutcome.DELETED, 1284, 0, active=1),
            "1,284 jobs removed from your cloud history. Assets stay.\n1 job active, left alone.",
        ),
        (
            cleared(ClearOutcome.DELETED, 10, 0, active=3, still_active=1),
            "10 jobs removed from your cloud history. Assets stay.\n"
            "1 job active, left alone. 3 jobs active when it began.",
        ),
        (
            cleared(ClearOutcome.DELETED, 10, 0, active=2, still_active=0),
            "10 jobs removed from your cloud history. Assets stay.\n2 jobs active when it began.",
        ),
        (
            cleared(ClearOutcome.PARTIAL, 1284, 1, active=1),
            "1,283 jobs removed from your cloud history, 1 still listed.\n"
            "They may have finished meanwhile. Look again, then decide.",
        ),
        (
            cleared(ClearOutcome.UNCONFIRMED, 1284, 1284),
            "Unconfirmed: Comfy Cloud accepted the request.\n1,284 jobs still listed. Look again, then decide.",
        ),
        (
            cleared(ClearOutcome.UNCONFIRMED, 240, None, error=ServerFault(500)),
            "Unconfirmed: Comfy Cloud accepted the request.\n"
            "The list can’t be read, so what is gone of 240 jobs is not known.\n"
            "It is not your key. Try again in a few minutes.",
        ),
        (
            cleared(ClearOutcome.UNKNOWN, 240, 1, error=LOST),
            "Outcome unknown: the connection was lost after it was sent.\n"
            "1 job still listed, 240 before. Look again, then decide.\n"
            "Check your internet connection or proxy.",
        ),
        (
            cleared(ClearOutcome.UNKNOWN, 1, None, error=OperationStopped(), stopped=True),
            "Outcome unknown: it was stopped while it was being sent.\n"
            "It was not counted again, so what is gone of 1 job is not known.",
        ),
        (
            cleared(ClearOutcome.FAILED, 240, 240, error=Unauthorized(401)),
            "No job was removed.\nYour API key was refused. (401)\nIt may have been revoked, or not copied whole.",
        ),
    ],
)
def test_the_report_of_each_clear_has_exactly_the_expected_text(text: str, expected: str) -> None:
    assert text == expected


def test_a_report_never_says_that_more_jobs_remain_than_there_were() -> None:
    report = cleared(ClearOutcome.UNCONFIRMED, 10, 12)
    assert "12 jobs of 10" not in report
    assert "12 jobs" in report


def test_no_report_contains_the_word_erase_destroy_or_purge() -> None:
    for outcome in ClearOutcome:
        for after in (0, 5, 10, None):
            report = cleared(outcome, 10, after).lower()
            assert not {"erase", "destroy", "purge"} & set(report.replace(".", "").split())


def test_the_error_of_a_failed_deletion_or_clear_is_its_report() -> None:
    half = DeletionResult({ids(1)[0]: JobOutcome(Outcome.FAILED, reason("x"))})
    unknown = ClearResult(ClearOutcome.UNKNOWN, counts_of(3))
    assert isinstance(incomplete(half), Incomplete)
    assert str(incomplete(half)) == deletion_report(half)
    assert str(incomplete(unknown)) == clear_report(unknown)


def test_the_report_lists_the_ids_of_every_outcome_but_deleted() -> None:
    for outcome in set(Outcome) - {Outcome.ACCEPTED, Outcome.DELETED}:
        lines = deletion((2, outcome, "")).splitlines()
        known = "is known to have been" if outcome is Outcome.UNCONFIRMED else "was"
        assert lines[0] == f"No job {known} removed (0 of 2)."
        assert lines[1].startswith("2 ")
        assert lines[2:] == [f"  {each}" for each in ids(2)]


def test_the_report_of_a_listing_counts_jobs_by_status_and_lists_their_ids() -> None:
    assert listing_report([], 0) == "No job matches."
    found = [job(ids(3)[0]), job(ids(3)[1], "in_progress"), job(ids(3)[2])]
    assert listing_report(found, 412).splitlines() == [
        "3 jobs of 412 found: 2 completed, 1 in progress. Nothing was changed.",
        *(f"  {each}" for each in ids(3)),
    ]
    assert listing_report(found[:1], 1).startswith("1 job found: 1 completed. Nothing was changed.")


def test_the_report_of_a_listing_counts_unreadable_rows() -> None:
    line = "1 row of the list could not be read: those jobs may match too."
    assert listing_report([], 0, 1).splitlines() == ["No job matches.", line]
    assert listing_report([job(ids(1)[0])], 1, 1).splitlines()[1:] == [line, f"  {ids(1)[0]}"]
    assert "1,200 rows of the list could not be read" in listing_report([], 0, 1200)
