"""What the audit log keeps about each job: name, status, times, workflow and error, within its limits."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from cloud_history.errors import StateUnwritable
from cloud_history.jobs.job import Job, JobError, OutputFile
from cloud_history.jobs.status import JobStatus
from cloud_history.secret import Secret, remember
from cloud_history.state.append_log import AppendLog
from cloud_history.state.audit_csv import csv_lines
from cloud_history.state.audit_jobs import MAX_BYTES_PER_DELETION, MAX_LINE_BYTES, job_lines, read_job_line
from cloud_history.state.audit_log import (
    MAX_FILE_BYTES,
    AuditEntry,
    AuditLog,
    AuditOutcome,
    LoggedJob,
    read_entry,
    read_head,
)
from support.record_stage import DELETED, entry, job_id, name, outcome

CREATED = datetime(2026, 7, 1, 13, 48, tzinfo=timezone.utc)
WORKFLOW = "3f1c2d4e-0000-4000-8000-000000000001"


def job(number: int, **more: object) -> Job:
    about: dict[str, object] = {
        "created_at": CREATED,
        "started_at": CREATED + timedelta(seconds=2),
        "finished_at": CREATED + timedelta(seconds=14.5),
        "workflow_id": WORKFLOW,
        "preview": OutputFile(f"portrait_{number:05}_.png"),
        **more,
    }
    return Job(job_id(number), JobStatus.COMPLETED, "", **about)  # type: ignore[arg-type]


FAILED_JOB = job(2, preview=None, error=JobError("Out of memory", node_type="KSampler"))._replace(
    status=JobStatus.FAILED
)


@pytest.fixture
def record(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path)


def table(record: AuditLog) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(csv_lines(record)), newline="")))


def test_what_is_known_of_a_job_before_its_deletion_can_be_read_back(record: AuditLog) -> None:
    record.intent(entry(1), [job(1), FAILED_JOB])
    record.outcome(name(1), outcome(DELETED))
    assert record.jobs(name(1)) == [
        LoggedJob(job_id(1), "deleted", job=job(1)),
        LoggedJob(job_id(2), "unknown", job=FAILED_JOB),
    ]


def test_what_is_found_out_during_a_deletion_is_kept_with_its_outcome(record: AuditLog) -> None:
    record.intent(entry(1))
    record.outcome(name(1), outcome(DELETED), [job(1)])
    record.intent(entry(2))
    assert [each.job for each in record.jobs(name(1))] == [job(1), None]
    assert [each.job for each in record.jobs(name(2))] == [None, None]


def test_unknown_facts_stay_unknown(record: AuditLog) -> None:
    bare = Job(job_id(1), JobStatus.CANCELLED, "")
    record.intent(entry(1, job_ids=(job_id(1),)), [bare])
    assert record.jobs(name(1)) == [LoggedJob(job_id(1), "unknown", job=bare)]
    (row,) = table(record)
    assert (row["status"], row["name"], row["created"], row["run time (seconds)"], row["error"]) == (
        *("cancelled", "", "", "", ""),
    )


def test_the_csv_export_says_what_went(record: AuditLog) -> None:
    record.intent(entry(1), [job(1), FAILED_JOB])
    first, second = table(record)
    assert (first["name"], first["status"], first["workflow"]) == ("portrait_00001_.png", "completed", WORKFLOW)
    assert (first["created"], first["run time (seconds)"]) == ("2026-07-01T13:48:00+00:00", "12.500")
    assert (second["name"], second["status"], second["error"]) == ("", "failed", "KSampler: Out of memory")


@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "\uff1d"])
def test_no_name_and_no_error_is_a_formula_in_the_csv_export(record: AuditLog, mark: str) -> None:
    formula = f'{mark}HYPERLINK("http://x")'
    facts = job(1, preview=OutputFile(formula), workflow_id=formula, error=JobError(formula, node_type=formula))
    record.intent(entry(1, job_ids=(job_id(1),)), [facts])
    (row,) = table(record)
    assert [row[column][:2] for column in ("name", "workflow", "error")] == [f"'{mark}"] * 3


def test_facts_about_jobs_are_scrubbed_and_cut(record: AuditLog, tmp_path: Path) -> None:
    key = Secret("comfyui-deadbeefdeadbeefdeadbeef").reveal()
    long = "x" * 190 + key + "y" * 5000
    facts = job(1, preview=OutputFile(long), workflow_id=key, error=JobError(long, node_type=key))
    record.intent(entry(1, job_ids=(job_id(1),)), [facts])
    text = (tmp_path / "deletions.jsonl").read_text()
    assert "deadbeef" not in text
    assert len(text) < 2_000
    (read,) = record.jobs(name(1))
    assert read.job is not None
    assert (read.job.name[:190], len(read.job.name), read.job.workflow_id) == ("x" * 190, 200, "[hidden]")


def test_a_key_learnt_later_is_hidden_in_the_facts_about_a_job(record: AuditLog) -> None:
    record.intent(entry(1, job_ids=(job_id(1),)), [job(1, preview=OutputFile("named-after-a-later-key"))])
    remember("named-after-a-later-key")
    assert [row["name"] for row in table(record)] == ["[hidden]"]


def test_twenty_thousand_jobs_fit_in_short_lines_and_one_file(record: AuditLog, tmp_path: Path) -> None:
    jobs = [job(number, error=JobError("CUDA out of memory", node_type="KSampler")) for number in range(20_000)]
    record.intent(entry(1, job_ids=tuple(each.id for each in jobs)), jobs)
    path = tmp_path / "deletions.jsonl"
    _intent, *lines = path.read_bytes().splitlines()
    assert path.stat().st_size <= MAX_FILE_BYTES
    assert max(map(len, lines)) <= MAX_LINE_BYTES
    assert [each.job for each in record.jobs(name(1))] == jobs


def test_jobs_beyond_the_limit_of_a_deletion_are_logged_by_id_alone(record: AuditLog, tmp_path: Path) -> None:
    jobs = [job(number, preview=OutputFile("\U0001f600" * 200)) for number in range(6_000)]
    record.intent(entry(1, job_ids=tuple(each.id for each in jobs)), jobs)
    assert (tmp_path / "deletions.jsonl").stat().st_size <= MAX_BYTES_PER_DELETION
    read = record.jobs(name(1))
    known = [each for each in read if each.job is not None]
    assert len(read) == 6_000
    assert 1_000 < len(known) < 6_000
    assert known == read[: len(known)]


def test_damaged_facts_are_skipped_and_the_ids_stay(record: AuditLog, tmp_path: Path) -> None:
    record.intent(entry(1), [job(1), job(2)])
    path = tmp_path / "deletions.jsonl"
    text = path.read_text()
    for damage in (
        ('"status":"completed"', '"status":[]'),
        ('"jobs": [', '"jobs": {"a": ['),
        ('"jobs": [', '"jobs": [[]}'),
    ):
        path.write_text(text.replace(*damage))
        assert [each.id for each in record.jobs(name(1))] == [job_id(1), job_id(2)]
    assert list(read_job_line(b'{"jobs": [1, {"id": "x"}, {"id": null}]}')) == []


def test_facts_that_could_not_be_written_are_kept_until_the_disk_answers(
    record: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError("full")

    record.intent(entry(1))
    with monkeypatch.context() as full:
        full.setattr(AppendLog, "append", refuse)
        with pytest.raises(StateUnwritable):
            record.outcome(name(1), outcome(DELETED), [job(1)])
        assert record.jobs(name(1))[0].job == job(1)
    record.intent(entry(2))
    assert record.jobs(name(1))[0] == LoggedJob(job_id(1), "deleted", job=job(1))


def test_facts_in_another_file_than_their_intent_belong_to_it(tmp_path: Path) -> None:
    record = AuditLog(tmp_path, largest=1)
    record.intent(entry(1), [job(1)])
    record.outcome(name(1), outcome(DELETED), [job(2)])
    assert (tmp_path / "deletions.1.jsonl").exists()
    assert [each.job for each in record.jobs(name(1))] == [job(1), job(2)]


LINES_OF_1_2_0 = (
    '{"line": "intent", "operation": "0000000000000000000000000000000a", "kind": "delete", "origin": {"kind": "node", '
    '"node": "5", "title": "Tidy up"}, "at": "2026-07-01T12:00:00+00:00", "asked": 2, "host": "cloud.comfy.org", '
    '"last4": "abcd", "version": "1.2.0", "what": "", "job_ids": ["00000000-0000-0000-0000-000000000001", '
    '"00000000-0000-0000-0000-000000000002"]}\n'
    '{"line": "outcome", "operation": "0000000000000000000000000000000a", "removed": 1, "at": '
    '"2026-07-01T12:00:02+00:00", "counts": {"deleted": 1, "failed": 1}, "report": "1 of 2 jobs removed.", "seconds": '
    '1.235, "backup": null, "jobs": [{"outcome": "deleted", "why": "", "ids": ["00000000-0000-0000-0000-000000000001"]}'
    ', {"outcome": "failed", "why": "server error (500)", "ids": ["00000000-0000-0000-0000-000000000002"]}]}\n'
)


def test_a_record_of_version_1_2_0_is_read_and_continued(record: AuditLog, tmp_path: Path) -> None:
    (tmp_path / "deletions.jsonl").write_text(LINES_OF_1_2_0)
    record.intent(entry(1), [job(1)])
    newest, oldest = record.entries()
    assert newest.entry.operation == name(1)
    assert oldest.entry == AuditEntry(
        *(name(10), "delete", "node", "5", "Tidy up", "2026-07-01T12:00:00+00:00", 2),
        host="cloud.comfy.org",
        last4="abcd",
        version="1.2.0",
    )
    assert oldest.outcome == AuditOutcome(
        {"deleted": 1, "failed": 1}, {}, 1, "1 of 2 jobs removed.", 1.235, None, "2026-07-01T12:00:02+00:00"
    )
    assert record.jobs(name(10)) == [
        LoggedJob(job_id(1), "deleted"),
        LoggedJob(job_id(2), "failed", "server error (500)"),
    ]
    assert record.removed_in_all() == 1
    assert [row["name"] for row in table(record)] == ["portrait_00001_.png", "", "", ""]


def test_version_1_2_0_skips_the_facts_about_jobs_and_reads_the_rest(record: AuditLog, tmp_path: Path) -> None:
    record.intent(entry(1), [job(1)])
    record.outcome(name(1), outcome(DELETED), [job(2)])
    lines = (tmp_path / "deletions.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["line"] for line in lines] == ["intent", "jobs", "outcome", "jobs"]
    for line in lines[1::2]:
        head = read_head(line)
        assert head is not None
        # Version 1.2.0 takes each line that is no outcome for an intent, and skips an intent without an origin.
        assert read_entry(head) is None


def test_no_lines_are_written_without_jobs_or_without_room() -> None:
    assert job_lines(name(1), []) == []
    assert job_lines(name(1), [job(1)], room=10) == []
    assert len(job_lines(name(1), [job(number) for number in range(1000)], room=1_000)) == 1
