"""A filter matches the same jobs locally, on the server, and in lists, previews and deletions."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud_history.jobs.filters import JobFilter
from cloud_history.jobs.job import Job, JobError, OutputFile
from cloud_history.jobs.status import FINISHED, JobStatus
from support.fake_history_client import NOON, ids, job

CAT = Job(
    ids(1)[0],
    JobStatus.FAILED,
    "",
    created_at=NOON,
    workflow_id="Wf-Ü1",
    preview=OutputFile("Straße_CAT.png"),
    output_type="image",
    error=JobError("CUDA out of memory", kind="OutOfMemoryError", node_type="KSampler"),
)


@pytest.mark.parametrize("status", list(JobStatus))
def test_an_empty_filter_matches_every_job(status: JobStatus) -> None:
    assert JobFilter().matches(CAT._replace(status=status, created_at=None, preview=None))
    assert JobFilter().query() == {}


def test_a_filter_matches_jobs_with_any_of_its_statuses() -> None:
    words = [status for status in JobStatus if JobFilter(FINISHED).matches(job(ids(1)[0], status.value))]
    assert tuple(words) == FINISHED


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cat.PNG", True),
        ("STRASSE", False),
        ("straße", True),
        ("  cat  ", True),
        ("   ", True),
        (CAT.id[:8].upper(), True),
        ("wf-ü", True),
        ("WF-Ü1", True),
        ("cuda OUT of", True),
        ("KSampler", True),
        ("OutOfMemoryError", False),
        ("failed", True),
        ("completed", False),
        (".*", False),
        ("dog", False),
    ],
)
def test_a_search_matches_name_id_workflow_status_and_error_ignoring_case(text: str, found: bool) -> None:
    assert JobFilter(search=text).matches(CAT) is found


SEARCHES = json.loads((Path(__file__).parent / "search_cases.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("row", "text", "found"), [(group["job"], *case) for group in SEARCHES for case in group["cases"]]
)
def test_a_search_finds_each_word_by_the_same_rule_as_the_browser(row: dict[str, Any], text: str, found: bool) -> None:
    """tests/js/common/search.test.js reads the same cases."""
    searched = Job(
        row["id"],
        JobStatus(row["status"]),
        row["raw"],
        workflow_id=row["workflow_id"],
        preview=OutputFile(row["name"]) if row["name"] else None,
        error=JobError(row["error"]["message"], node_type=row["error"]["node_type"]) if row["error"] else None,
    )
    assert JobFilter(search=text).matches(searched) is found


@pytest.mark.parametrize(
    ("after", "before", "found"),
    [
        (NOON, None, True),
        (NOON + timedelta(milliseconds=1), None, False),
        (None, NOON, False),
        (None, NOON + timedelta(milliseconds=1), True),
        (NOON, NOON, False),
        (NOON, NOON + timedelta(seconds=1), True),
    ],
)
def test_a_time_range_includes_its_start_and_excludes_its_end(
    after: datetime | None, before: datetime | None, found: bool
) -> None:
    assert JobFilter(after=after, before=before).matches(CAT) is found


def test_a_job_without_a_valid_time_matches_no_time_range() -> None:
    timeless = CAT._replace(created_at=None)
    assert not JobFilter(before=NOON + timedelta(days=9999)).matches(timeless)
    assert not JobFilter(after=NOON - timedelta(days=9999)).matches(timeless)
    assert JobFilter().matches(timeless)


def test_workflow_and_output_type_match_exactly() -> None:
    assert JobFilter(workflow_id="Wf-Ü1", output_type="image").matches(CAT)
    for wrong in ("wf-ü1", "Wf-Ü", "Wf-Ü12"):
        assert not JobFilter(workflow_id=wrong).matches(CAT)
    assert not JobFilter(output_type="video").matches(CAT)
    assert not JobFilter(output_type="image").matches(CAT._replace(output_type=""))


@pytest.mark.parametrize(
    "wrong",
    [
        {"statuses": (JobStatus.COMPLETED,)},
        {"search": "dog"},
        {"before": NOON},
        {"workflow_id": "other"},
        {"output_type": "3d"},
    ],
    ids=str,
)
def test_a_job_must_match_every_field_of_the_filter(wrong: dict[str, object]) -> None:
    right = {"statuses": (JobStatus.FAILED,), "search": "cat", "after": NOON, "output_type": "image"}
    assert JobFilter(**right).matches(CAT)  # type: ignore[arg-type]
    assert not JobFilter(**{**right, **wrong}).matches(CAT)  # type: ignore[arg-type]


def test_the_query_contains_only_filters_that_the_server_supports() -> None:
    chosen = JobFilter(FINISHED, "cat", NOON, NOON, "w", "3d")
    assert chosen.query() == {
        "status": "completed,failed,cancelled",
        "workflow_id": "w",
    }


def test_unknown_statuses_are_filtered_locally() -> None:
    chosen = JobFilter((JobStatus.UNKNOWN, JobStatus.FAILED))
    assert chosen.query() == {}
    assert chosen.matches(job(ids(1)[0], "enchanted"))
    assert not chosen.matches(job(ids(1)[0], "completed"))
