"""Reading a job from the answers of Comfy Cloud and of open-source ComfyUI, and from any other JSON."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_history.jobs.filters import JobFilter
from cloud_history.jobs.job import (
    MAX_TEXT_CHARACTERS,
    JobError,
    OutputFile,
    moment,
    output_type,
    read_file,
    read_job,
)
from cloud_history.jobs.rows import job_row
from cloud_history.jobs.status import ACTIVE, FINISHED, JobStatus
from cloud_history.secret import remember
from support.examples import examples
from support.fake_history_client import NOON, ids

JOB = ids(1)[0]
quickly = examples(100)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
MEMBERS = (
    "status",
    "create_time",
    "execution_start_time",
    "execution_end_time",
    "workflow_id",
    "outputs_count",
    "preview_output",
    "execution_error",
)

# Times


@quickly
@given(st.integers(100_000_000, int(NOON.timestamp())))
def test_times_in_seconds_and_in_milliseconds_give_the_same_moment(seconds: int) -> None:
    when = datetime.fromtimestamp(seconds, timezone.utc)
    assert moment(seconds, NOON) == when
    assert moment(seconds * 1000, NOON) == when
    assert moment(float(seconds), NOON) == when


@pytest.mark.parametrize(
    "nonsense",
    [
        *(None, True, False, 0, -1, -1.7e12, math.nan, math.inf, -math.inf, 10**400, -(10**400), 1e16, 1e300),
        *("1764590400", "2025-12-01T12:00:00Z", "", [1764590400], {"seconds": 1764590400}),
    ],
    ids=lambda value: str(value)[:20],
)
def test_an_invalid_time_gives_none(nonsense: object) -> None:
    assert moment(nonsense, NOON) is None


@pytest.mark.parametrize("unit", [1, 1000])
def test_a_time_up_to_a_day_ahead_is_valid_and_a_later_one_is_not(unit: int) -> None:
    tomorrow = int((NOON + timedelta(days=1)).timestamp())
    assert moment(tomorrow * unit, NOON) == NOON + timedelta(days=1)
    assert moment((tomorrow + 1) * unit, NOON) is None


@quickly
@given(any_json)
def test_a_time_is_an_aware_plausible_datetime_or_none(value: object) -> None:
    found = moment(value, NOON)
    if found is not None:
        assert found.utcoffset() == timedelta(0)
        assert datetime(1970, 1, 1, tzinfo=timezone.utc) <= found <= NOON + timedelta(days=1)


# States


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("pending", "pending submitted queued_limited queued_waiting allocated preparing pending_execution"),
        ("pending", "waiting_to_dispatch"),
        ("in_progress", "in_progress executing executed"),
        ("completed", "completed success"),
        ("failed", "failed error non_retryable_error retryable_error erroring lost"),
        ("cancelled", "cancelled canceled cancel_requested cancel_pending cancelling_preparing"),
    ],
)
def test_every_internal_state_maps_to_one_of_the_five_statuses(status: str, words: str) -> None:
    for word in words.split():
        job = read_job({"id": JOB, "status": word}, NOON)
        assert job is not None
        assert (job.status.value, job.status_raw) == (status, "")
        assert job.finished is (status in ("completed", "failed", "cancelled"))
        assert job.active is (status in ("pending", "in_progress"))


@pytest.mark.parametrize("word", ["enchanted", "COMPLETED", " completed", "", "unknown", "x" * 500, 7])
def test_an_unknown_state_keeps_its_name_and_is_neither_finished_nor_active(word: object) -> None:
    job = read_job({"id": JOB, "status": word}, NOON)
    assert job is not None
    assert job.status is JobStatus.UNKNOWN
    assert job.status_raw == str(word)[:60]
    assert not job.finished
    assert not job.active


@pytest.mark.parametrize("word", [None, True, ["completed"], {"completed": 1}, 1.5])
def test_a_status_that_is_not_text_is_unknown(word: object) -> None:
    job = read_job({"id": JOB, "status": word}, NOON)
    assert job is not None
    assert (job.status, job.status_raw) == (JobStatus.UNKNOWN, "")


def test_no_state_is_both_finished_and_active_and_unknown_is_neither() -> None:
    assert set(FINISHED) | set(ACTIVE) == set(JobStatus) - {JobStatus.UNKNOWN}
    assert not set(FINISHED) & set(ACTIVE)


# Whole jobs

CLOUD_JOB: dict[str, Any] = {
    "id": JOB.upper(),
    "status": "failed",
    "create_time": 1764590400000,
    "execution_start_time": 1764590401000,
    "execution_end_time": 1764590403500,
    "workflow_id": "wf-1",
    "outputs_count": 2,
    "preview_output": {
        "filename": "Cat_00001_.png",
        "subfolder": "cats",
        "type": "output",
        "mediaType": "images",
        "nodeId": "9",
    },
    "execution_error": {
        "node_id": "4",
        "node_type": "KSampler",
        "exception_message": "  out of memory\n",
        "exception_type": "OutOfMemoryError",
        "traceback": ["Traceback"],
        "current_inputs": {"api_key_comfy_org": "comfyui-private"},
        "current_outputs": {},
    },
    "previewable_outputs_count": 1,
}


def test_a_job_of_comfy_cloud_is_read() -> None:
    job = read_job(CLOUD_JOB, NOON)
    assert job is not None
    assert (job.id, job.status, job.workflow_id, job.outputs_count) == (JOB, JobStatus.FAILED, "wf-1", 2)
    assert (job.name, job.output_type) == ("Cat_00001_.png", "image")
    assert job.preview == OutputFile("Cat_00001_.png", "cats", "output")
    assert job.created_at == NOON
    assert job.took == timedelta(seconds=2.5)
    assert job.error == JobError("out of memory", "OutOfMemoryError", "KSampler", "4")


def test_the_node_inputs_of_a_failure_are_dropped() -> None:
    assert "private" not in repr(read_job(CLOUD_JOB, NOON))


def test_a_job_of_open_source_comfyui_is_read() -> None:
    row = {
        "id": JOB,
        "status": "completed",
        "priority": 3,
        "create_time": 1764590400000,
        "execution_start_time": None,
        "execution_end_time": None,
        "execution_error": None,
        "outputs_count": 0,
        "preview_output": None,
        "workflow_id": None,
    }
    job = read_job(row, NOON)
    assert job is not None
    assert (job.status, job.created_at, job.outputs_count) == (JobStatus.COMPLETED, NOON, 0)
    assert (job.started_at, job.took, job.error, job.preview) == (None, None, None, None)
    assert (job.workflow_id, job.name, job.output_type) == ("", "", "")


def test_a_job_may_mix_times_in_seconds_and_milliseconds() -> None:
    row = {**CLOUD_JOB, "create_time": 1764590400}
    job = read_job(row, NOON)
    assert job is not None
    assert (job.created_at, job.took) == (NOON, timedelta(seconds=2.5))


def test_a_job_that_ended_before_it_began_has_no_duration() -> None:
    job = read_job({**CLOUD_JOB, "execution_end_time": 1764590400000}, NOON)
    assert job is not None
    assert job.took is None


@pytest.mark.parametrize(
    "row",
    [None, 7, "x", [], {}, {"id": None}, {"id": 7}, {"id": ""}, {"id": f"{{{JOB}}}"}, {"id": JOB + "\n"}],
)
def test_a_row_without_a_job_id_is_not_read_as_a_job(row: object) -> None:
    assert read_job(row, NOON) is None


def test_long_texts_are_cut_and_numbers_are_read_as_text() -> None:
    long = "é" * 5000
    error = {"exception_message": long, "node_id": 12, "exception_type": long, "node_type": long}
    row = {"id": JOB, "workflow_id": long, "execution_error": error, "status": long}
    job = read_job(row, NOON)
    assert job is not None
    assert job.error is not None
    assert len(job.error.message) == MAX_TEXT_CHARACTERS == 300
    assert job.error.node_id == "12"
    texts = (job.error.kind, job.error.node_type, job.workflow_id, job.status_raw)
    assert [len(each) for each in texts] == [100, 100, 100, 60]


KEY = "comfyui-read+at/once-0123456789abcdefghij"
TEXTS = ("status", "workflow_id")
PARTS = {
    "preview_output": ("filename", "subfolder", "type"),
    "execution_error": ("exception_message", "exception_type", "node_type", "node_id"),
}
near_a_cut = st.builds(
    lambda before, form, after: "a" * before + form + "z" * after,
    st.sampled_from([0, 5, 19, 55, 59, 95, 99, 259, 280, 299]),
    st.sampled_from([KEY, KEY.upper(), quote(KEY, safe="")]),
    st.integers(0, 30),
)


@given(st.data())
@examples(100)
def test_a_key_is_hidden_in_every_text_of_a_job_before_it_is_cut(data: st.DataObject) -> None:
    remember(KEY)
    row: dict[str, object] = {"id": JOB, **{name: data.draw(near_a_cut) for name in TEXTS}}
    row |= {part: {name: data.draw(near_a_cut) for name in names} for part, names in PARTS.items()}
    job = read_job(row, NOON)
    assert job is not None
    assert not [at for at in range(len(KEY) - 15) if KEY[at : at + 16].lower() in repr(job).lower()]


def test_a_search_does_not_match_text_that_the_list_hides() -> None:
    remember(KEY)
    row = {"id": JOB, "workflow_id": KEY, "execution_error": {"exception_message": f"no {KEY}"}}
    job = read_job({**row, "preview_output": {"filename": f"{KEY}.png"}}, NOON)
    assert job is not None
    assert not [end for end in range(1, len(KEY) + 1) if end > 3 and job.mentions([KEY[:end].lower()])]
    assert job.mentions(["[hidden].png"])


@pytest.mark.parametrize("count", [-1, True, 1.0, "2", None, [2], 2**53, 10**4000])
def test_an_invalid_number_of_outputs_is_unknown(count: object) -> None:
    job = read_job({"id": JOB, "outputs_count": count}, NOON)
    assert job is not None
    assert job.outputs_count is None


@pytest.mark.parametrize("name", [None, "", 7, ["a.png"], "x" * 1201])
def test_a_file_without_a_valid_name_is_skipped(name: object) -> None:
    assert read_file({"filename": name}) is None


def test_a_file_without_a_folder_type_is_read_as_output() -> None:
    assert read_file({"filename": "a.png", "subfolder": None, "type": None}) == OutputFile("a.png", "", "output")
    assert read_file("a.png") is None


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("images", "image"),
        ("IMAGE", "image"),
        ("gifs", "video"),
        ("3D", "3d"),
        ("text", ""),
        (3, ""),
        (None, ""),
    ],
)
def test_each_output_type_has_one_name(word: object, expected: str) -> None:
    assert output_type(word) == expected


@quickly
@given(any_json)
def test_reading_a_job_from_any_json_raises_no_error(value: object) -> None:
    assert read_job(value, NOON) is None or isinstance(value, dict)


@quickly
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(MEMBERS, any_json)))
def test_a_job_with_arbitrary_fields_is_read_and_can_be_listed(members: dict[str, Any]) -> None:
    job = read_job({"id": JOB, **members}, NOON)
    assert job is not None
    assert job.id == JOB
    assert json.loads(json.dumps(job_row(job), allow_nan=False))["id"] == JOB
    assert JobFilter(search=JOB[:8]).matches(job)
    texts = [job.name, job.workflow_id, job.status_raw, *([job.error.message] if job.error else [])]
    assert max(map(len, texts)) <= 1200
