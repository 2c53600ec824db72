"""The record as a table: a row a job, and nothing in it that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud_history.secret import CONTROL, remember
from cloud_history.state.audit_log import AuditEntry, AuditLog, AuditOutcome
from support.record_stage import DELETED, FAILED, entry, job_id, name, outcome

NOW = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def record(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path, clock=lambda: NOW)


def table(record: AuditLog) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(record.csv()), newline="")))


def test_the_table_has_a_row_a_job(record: AuditLog) -> None:
    record.intent(entry(1, last4="abcd"))
    record.outcome(name(1), outcome(DELETED, FAILED))
    record.intent(AuditEntry(name(2), "clear", "menu", host="cloud.comfy.org"))
    at = "2026-07-01T12:00:00+00:00"
    assert table(record) == [
        ["at", "origin", "operation", "job id", "outcome", "why", "host", "key ending"],
        [at, "menu", name(2), "", "unknown", "", "cloud.comfy.org", ""],
        [at, "node 5 (Tidy up)", name(1), job_id(1), "deleted", "", "cloud.comfy.org", "abcd"],
        [
            at,
            "node 5 (Tidy up)",
            name(1),
            job_id(2),
            "failed",
            "server error (500)",
            "cloud.comfy.org",
            "abcd",
        ],
    ]


def test_its_lines_end_as_the_standard_says(record: AuditLog) -> None:
    record.intent(entry(1, title='a "quoted", one\nof two lines'))
    text = "".join(record.csv())
    assert text.startswith('"at","origin","operation","job id","outcome","why","host","key ending"\r\n')
    assert '"node 5 (a ""quoted"", one of two lines)"' in text
    assert text.endswith("\r\n")


MARKS = ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"]


RUN = re.compile(rf"""(?:^|[;,|\t])[\s"']*(?<!')[{re.escape("".join(MARKS))}]""")
"""What some spreadsheet runs."""


@pytest.mark.parametrize("first", MARKS)
@pytest.mark.parametrize("before", ["", " ", '"', "'", "x;", "x;;", "x; \"'", "x,", "x|", ";=1;"])
def test_no_cell_is_a_formula_whatever_a_spreadsheet_takes_for_a_separator(
    record: AuditLog, first: str, before: str
) -> None:
    formula = f'{before}{first}HYPERLINK("http://x","y")'
    record.intent(
        AuditEntry(name(1), "delete", formula, host=formula, last4=f"{first}abc", job_ids=(job_id(1),))
    )
    record.outcome(name(1), AuditOutcome(jobs={job_id(1): ("failed", formula)}))
    _, row = table(record)
    for cell in (row[1], row[5], row[6], row[7]):
        assert f"'{first}" in cell
        assert RUN.search(cell) is None
    assert (row[5].replace("'", ""), row[7]) == (formula.replace("'", ""), f"'{first}abc")


@pytest.mark.parametrize("control", ["\x00", "\n", "\r", "\t", "\x1b", "\x85", "\u202e", "\u2028", "\ud800"])
def test_control_characters_and_halves_of_characters_are_blanks(record: AuditLog, control: str) -> None:
    record.intent(entry(1, title=f"a{control}b", host=f"{control}=1", job_ids=(job_id(1),)))
    _, row = table(record)
    assert (row[1], row[6]) == ("node 5 (a b)", " '=1")


def test_every_cell_is_quoted(record: AuditLog) -> None:
    record.intent(entry(1))
    for line in record.csv():
        assert re.fullmatch(r'"[^"]*"(,"[^"]*"){7}\r\n', line)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(text=st.text(st.characters(categories=["L", "Cs", "P", "Cc"]), max_size=20))
def test_any_text_makes_one_row_that_can_be_written(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    record = AuditLog(tmp_path_factory.mktemp("record"))
    record.intent(entry(1, host=text, job_ids=(job_id(1),)))
    lines = "".join(record.csv())
    assert lines.encode("utf-8")
    rows = list(csv.reader(io.StringIO(lines, newline="")))
    assert [len(row) for row in rows] == [8, 8]
    assert RUN.search(rows[1][6]) is None
    assert not [each for each in rows[1][6] if CONTROL.match(each)]


def test_the_table_comes_line_by_line(record: AuditLog) -> None:
    record.intent(entry(1, job_ids=tuple(job_id(n) for n in range(1000))))
    lines = record.csv()
    assert next(lines).startswith('"at",')
    assert next(lines).count("\r\n") == 1


def test_a_key_that_is_known_by_now_is_hidden_before_it_is_quoted_and_marked(record: AuditLog) -> None:
    key = 'comfyui-"quoted";=and-more'
    record.intent(entry(1, host=f"at {key}", job_ids=(job_id(1),)))
    remember(key)
    assert [row[6] for row in table(record)] == ["host", "at [hidden]"]
