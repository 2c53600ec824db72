"""The audit log lists each deletion and its outcome, newest first. Also its rotation and its CSV export."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import time
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_history.deletion.outcomes import ClearOutcome, ClearResult, DeletionResult
from cloud_history.deletion.queue import outcome_of
from cloud_history.secret import CONTROL, Secret, remember
from cloud_history.state.audit_csv import csv_lines
from cloud_history.state.audit_log import AuditEntry, AuditLog, AuditOutcome, LoggedJob
from support.examples import examples
from support.fake_history_client import counts_of
from support.record_stage import DELETED, FAILED, entry, job_id, name, outcome

NOW = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def record(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path, clock=lambda: NOW)


def test_logged_deletions_are_read_by_the_next_process(record: AuditLog, tmp_path: Path) -> None:
    record.intent(entry(1, last4="abcd", version="1.2.0", what='{"keep_last":5}'))
    record.outcome(name(1), outcome(DELETED, FAILED, backup="x.zip"))
    (read,) = AuditLog(tmp_path).entries()
    assert read.state == "done"
    assert (read.entry.operation, read.entry.kind, read.entry.asked) == (name(1), "delete", 2)
    assert (read.entry.origin, read.entry.node, read.entry.title) == ("node", "5", "Tidy up")
    assert (read.entry.host, read.entry.last4, read.entry.version) == ("cloud.comfy.org", "abcd", "1.2.0")
    assert (read.entry.at, read.entry.what) == ("2026-07-01T12:00:00+00:00", '{"keep_last":5}')
    assert read.outcome is not None
    assert read.outcome.counts == {"deleted": 1, "failed": 1}
    assert (read.outcome.removed, read.outcome.seconds, read.outcome.backup) == (1, 1.235, "x.zip")
    assert read.outcome.report == "1 job removed."


def test_the_jobs_of_a_past_deletion_are_returned_with_their_outcomes(record: AuditLog) -> None:
    record.intent(entry(1, job_ids=(job_id(2), job_id(1), job_id(3))))
    record.outcome(name(1), outcome(DELETED, FAILED))
    assert record.jobs(name(1)) == [
        LoggedJob(job_id(2), "failed", "server error (500)"),
        LoggedJob(job_id(1), "deleted"),
        LoggedJob(job_id(3), "unknown"),
    ]
    assert record.jobs(name(7)) == []


def test_a_deletion_logged_without_an_outcome_has_unknown_job_outcomes(record: AuditLog) -> None:
    record.intent(entry(1))
    (read,) = record.entries()
    assert (read.state, read.outcome) == ("unknown", None)
    assert [each.outcome for each in record.jobs(name(1))] == ["unknown", "unknown"]


def test_an_audit_log_that_was_never_written_is_empty(record: AuditLog, tmp_path: Path) -> None:
    assert record.entries() == []
    assert record.jobs(name(1)) == []
    assert record.removed_in_all() == 0
    assert len(list(csv_lines(record))) == 1
    assert list(tmp_path.iterdir()) in ([], [tmp_path / "deletions.gate"])


def test_past_deletions_are_listed_newest_first_up_to_the_limit(record: AuditLog) -> None:
    for number in range(10):
        record.intent(entry(number))
        record.outcome(name(number), outcome(DELETED))
    assert [each.entry.operation for each in record.entries(3)] == [name(9), name(8), name(7)]
    assert {each.state for each in record.entries()} == {"done"}
    assert len(record.entries()) == 10
    assert record.removed_in_all() == 10


def test_an_outcome_logged_after_other_deletions_began_is_matched_to_its_own_deletion(record: AuditLog) -> None:
    record.intent(entry(1))
    record.intent(entry(2))
    record.outcome(name(1), outcome(DELETED))
    assert [(each.entry.operation, each.state) for each in record.entries()] == [
        (name(2), "unknown"),
        (name(1), "done"),
    ]


@pytest.mark.parametrize(
    ("result", "counts", "removed"),
    [
        (
            ClearResult(ClearOutcome.DELETED, counts_of(5, 1, 1), counts_of()),
            {"deleted": 7},
            7,
        ),
        (ClearResult(ClearOutcome.FAILED, counts_of(5, 1, 1)), {}, 0),
        (ClearResult(ClearOutcome.UNKNOWN, counts_of(5, 1, 1)), {}, None),
    ],
)
def test_a_clear_is_logged_with_the_available_counts(
    record: AuditLog, result: ClearResult, counts: dict[str, int], removed: int | None
) -> None:
    record.intent(AuditEntry(name(1), "clear", "menu", asked=7))
    record.outcome(name(1), outcome_of(result, "Report.", 1.0))
    (read,) = record.entries()
    assert read.outcome is not None
    assert (read.outcome.counts, read.outcome.removed) == (counts, removed)
    assert record.jobs(name(1)) == []
    assert record.removed_in_all() == (removed or 0)


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_only_the_owner_can_read_the_audit_log(record: AuditLog, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        record.intent(entry(1))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "deletions.jsonl").stat().st_mode) == 0o600


def test_an_audit_line_is_on_the_disk_when_the_call_returns(record: AuditLog, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    record.intent(entry(1))
    assert synced
    before = len(synced)
    record.outcome(name(1), outcome(DELETED))
    assert len(synced) > before
    assert synced[-1] > synced[0]


def test_audit_lines_contain_no_secrets_and_only_the_first_line_of_a_report(record: AuditLog, tmp_path: Path) -> None:
    secret = Secret("comfyui-deadbeefdeadbeefdeadbeef")
    key = secret.reveal()
    record.intent(entry(1, title=f"a {key}", what=key, node=key))
    record.outcome(name(1), AuditOutcome(report=f"{key} refused", jobs={job_id(1): ("failed", key)}))
    record.outcome(name(2), outcome(DELETED))
    text = (tmp_path / "deletions.jsonl").read_text()
    assert key not in text
    assert text.count("[hidden]") == 5
    assert "Assets stay" not in text


def test_job_texts_that_look_like_line_markers_are_read_as_text(record: AuditLog) -> None:
    trap = '", "job_ids": [1], "jobs": [{"line": "outcome", "removed": 9,'
    line = '{"line": "outcome", "operation": "' + name(1) + '", "removed": 9, '
    record.intent(entry(1, title=trap, what=line, node="]}"))
    record.outcome(name(1), AuditOutcome(report=trap + line, jobs={job_id(1): ("failed", trap)}))
    (read,) = record.entries()
    assert (read.entry.title, read.entry.what) == (trap, line)
    assert record.jobs(name(1))[0] == LoggedJob(job_id(1), "failed", trap)
    assert record.removed_in_all() == 0


@examples(40)
@given(text=st.text(max_size=30), why=st.text(max_size=30))
def test_any_text_is_read_back_from_the_audit_log_unchanged(
    tmp_path_factory: pytest.TempPathFactory, text: str, why: str
) -> None:
    record = AuditLog(tmp_path_factory.mktemp("record"))
    record.intent(entry(1, title=text))
    record.outcome(name(1), AuditOutcome(jobs={job_id(1): ("failed", why)}))
    assert record.entries()[0].entry.title == text
    assert record.jobs(name(1))[0].why == why


@pytest.mark.parametrize("wrong", ["", "x", ("a" * 32).upper(), name(1) + "\n", "../" + "a" * 29])
def test_an_invalid_operation_name_is_not_logged(record: AuditLog, wrong: str) -> None:
    with pytest.raises(ValueError, match="an id must have"):
        record.intent(replace(entry(1), operation=wrong))
    with pytest.raises(ValueError, match="an id must have"):
        record.outcome(wrong, outcome(DELETED))
    with pytest.raises(ValueError, match="an id must have"):
        record.jobs(wrong)
    assert record.entries() == []


def test_each_audit_line_is_json_with_its_kind(record: AuditLog, tmp_path: Path) -> None:
    record.intent(entry(1))
    record.outcome(name(1), outcome(DELETED, FAILED))
    first, second = (json.loads(line) for line in (tmp_path / "deletions.jsonl").read_text().splitlines())
    assert (first["line"], first["job_ids"]) == ("intent", [job_id(1), job_id(2)])
    assert second["line"] == "outcome"
    assert second["jobs"][0] == {"outcome": "deleted", "why": "", "ids": [job_id(1)]}


def test_the_later_of_two_logged_outcomes_is_used(record: AuditLog) -> None:
    record.intent(entry(1))
    record.outcome(name(1), outcome(FAILED, FAILED))
    record.outcome(name(1), outcome(DELETED, DELETED))
    (read,) = record.entries()
    assert read.outcome is not None
    assert read.outcome.counts == {"deleted": 2}


# Rotation


def test_a_full_log_file_is_rotated_and_still_read(tmp_path: Path) -> None:
    record = AuditLog(tmp_path, clock=lambda: NOW, largest=2_000)
    for number in range(30):
        record.intent(entry(number))
        record.outcome(name(number), outcome(DELETED, FAILED))
    files = sorted(path.name for path in tmp_path.glob("deletions*.jsonl"))
    assert len(files) > 5
    assert all(path.stat().st_size <= 2_000 for path in tmp_path.glob("deletions*.jsonl"))
    assert [each.entry.operation for each in record.entries()] == [name(n) for n in range(29, -1, -1)]
    assert {each.state for each in record.entries()} == {"done"}
    assert record.removed_in_all() == 30
    assert len(list(csv_lines(record))) == 61


def test_an_intent_and_its_outcome_in_two_files_are_one_deletion(tmp_path: Path) -> None:
    record = AuditLog(tmp_path, largest=1)
    record.intent(entry(1))
    record.outcome(name(1), outcome(DELETED, FAILED))
    assert (tmp_path / "deletions.1.jsonl").exists()
    (read,) = record.entries()
    assert read.state == "done"
    assert [each.outcome for each in record.jobs(name(1))] == ["deleted", "failed"]


def test_the_number_of_older_audit_files_is_limited(tmp_path: Path) -> None:
    record = AuditLog(tmp_path, largest=1, older=3)
    for number in range(10):
        record.intent(entry(number))
    assert sorted(path.name for path in tmp_path.glob("deletions*.jsonl")) == [
        "deletions.1.jsonl",
        "deletions.2.jsonl",
        "deletions.3.jsonl",
        "deletions.jsonl",
    ]
    assert [each.entry.operation for each in record.entries()] == [name(n) for n in (9, 8, 7, 6)]


def test_a_line_larger_than_a_file_may_be_is_still_written(tmp_path: Path) -> None:
    record = AuditLog(tmp_path, largest=100)
    record.intent(entry(1, job_ids=tuple(job_id(n) for n in range(100))))
    assert len(record.jobs(name(1))) == 100


def test_a_log_file_that_cannot_be_rotated_grows_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError

    record = AuditLog(tmp_path, largest=1)
    record.intent(entry(1))
    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", refuse)
        record.intent(entry(2))
    record.intent(entry(3))
    assert [each.entry.operation for each in record.entries()] == [name(3), name(2), name(1)]


@pytest.mark.timed
def test_a_hundred_deletions_of_twenty_thousand_jobs_are_listed_in_a_moment(tmp_path: Path) -> None:
    record = AuditLog(tmp_path)
    ids = tuple(job_id(number) for number in range(20_000))
    result = outcome_of(DeletionResult(dict.fromkeys(ids, DELETED)), "20,000 jobs removed.", 60.0)
    for number in range(100):
        record.intent(entry(number, asked=20_000, job_ids=ids))
        record.outcome(name(number), result)
    started = time.perf_counter()
    entries = record.entries(100)
    assert time.perf_counter() - started < 1
    assert len(entries) == 100
    assert {each.state for each in entries} == {"done"}
    started = time.perf_counter()
    assert record.removed_in_all() == 2_000_000
    assert time.perf_counter() - started < 1
    started = time.perf_counter()
    assert len(record.jobs(name(50))) == 20_000
    assert time.perf_counter() - started < 1


# The CSV table

HEADINGS = ["at", "origin", "operation", "job id", "outcome", "why", "host", "key ending"]
"""The columns of version 1.2.0. Later columns come after them."""
NOTHING_KNOWN = [""] * 6


def table(record: AuditLog) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(csv_lines(record)), newline="")))


def test_the_csv_export_has_one_row_for_each_job(record: AuditLog) -> None:
    record.intent(entry(1, last4="abcd"))
    record.outcome(name(1), outcome(DELETED, FAILED))
    record.intent(AuditEntry(name(2), "clear", "menu", host="cloud.comfy.org"))
    at = "2026-07-01T12:00:00+00:00"
    assert table(record) == [
        [*HEADINGS, "name", "status", "created", "run time (seconds)", "workflow", "error"],
        [at, "menu", name(2), "", "unknown", "", "cloud.comfy.org", "", *NOTHING_KNOWN],
        [at, "node 5 (Tidy up)", name(1), job_id(1), "deleted", "", "cloud.comfy.org", "abcd", *NOTHING_KNOWN],
        [
            at,
            "node 5 (Tidy up)",
            name(1),
            job_id(2),
            "failed",
            "server error (500)",
            "cloud.comfy.org",
            "abcd",
            *NOTHING_KNOWN,
        ],
    ]


def test_the_lines_of_the_csv_export_end_as_the_standard_says(record: AuditLog) -> None:
    record.intent(entry(1, title='a "quoted", one\nof two lines'))
    text = "".join(csv_lines(record))
    assert text.startswith('"at","origin","operation","job id","outcome","why","host","key ending","name","status",')
    assert '"node 5 (a ""quoted"", one of two lines)"' in text
    assert text.endswith("\r\n")


MARKS = ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"]


RUN = re.compile(rf"""(?:^|[;,|\t])[\s"']*(?<!')[{re.escape("".join(MARKS))}]""")
"""What some spreadsheet runs."""


@pytest.mark.parametrize("first", MARKS)
@pytest.mark.parametrize("before", ["", " ", '"', "'", "x;", "x;;", "x; \"'", "x,", "x|", ";=1;"])
def test_no_csv_cell_is_read_as_a_formula_with_any_separator(record: AuditLog, first: str, before: str) -> None:
    formula = f'{before}{first}HYPERLINK("http://x","y")'
    record.intent(AuditEntry(name(1), "delete", formula, host=formula, last4=f"{first}abc", job_ids=(job_id(1),)))
    record.outcome(name(1), AuditOutcome(jobs={job_id(1): ("failed", formula)}))
    _, row = table(record)
    for cell in (row[1], row[5], row[6], row[7]):
        assert f"'{first}" in cell
        assert RUN.search(cell) is None
    assert (row[5].replace("'", ""), row[7]) == (formula.replace("'", ""), f"'{first}abc")


@pytest.mark.parametrize("control", ["\x00", "\n", "\r", "\t", "\x1b", "\x85", "\u202e", "\u2028", "\ud800"])
def test_the_csv_export_replaces_control_characters_and_lone_surrogates_with_blanks(
    record: AuditLog, control: str
) -> None:
    record.intent(entry(1, title=f"a{control}b", host=f"{control}=1", job_ids=(job_id(1),)))
    _, row = table(record)
    assert (row[1], row[6]) == ("node 5 (a b)", " '=1")


def test_every_csv_cell_is_quoted(record: AuditLog) -> None:
    record.intent(entry(1))
    for line in csv_lines(record):
        assert re.fullmatch(r'"[^"]*"(,"[^"]*"){13}\r\n', line)


@examples(40)
@given(text=st.text(st.characters(categories=["L", "Cs", "P", "Cc"]), max_size=20))
def test_any_text_makes_one_encodable_csv_row(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    record = AuditLog(tmp_path_factory.mktemp("record"))
    record.intent(entry(1, host=text, job_ids=(job_id(1),)))
    lines = "".join(csv_lines(record))
    assert lines.encode("utf-8")
    rows = list(csv.reader(io.StringIO(lines, newline="")))
    assert [len(row) for row in rows] == [14, 14]
    assert RUN.search(rows[1][6]) is None
    assert not [each for each in rows[1][6] if CONTROL.match(each)]


def test_the_csv_export_is_produced_line_by_line(record: AuditLog) -> None:
    record.intent(entry(1, job_ids=tuple(job_id(n) for n in range(1000))))
    lines = csv_lines(record)
    assert next(lines).startswith('"at",')
    assert next(lines).count("\r\n") == 1


def test_the_csv_export_hides_a_key_that_was_first_used_after_logging(record: AuditLog) -> None:
    key = 'comfyui-"quoted";=and-more'
    record.intent(entry(1, host=f"at {key}", job_ids=(job_id(1),)))
    remember(key)
    assert [row[6] for row in table(record)] == ["host", "at [hidden]"]
