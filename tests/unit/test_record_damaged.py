"""A record whose lines are damaged: each is passed over, all others are read, and the next is written."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud_history.state.audit_log import AuditLog
from support.record_stage import DELETED, entry, name, outcome, recorded


def changed(**members: Any) -> bytes:
    line = {
        "line": "intent",
        "operation": name(5),
        "kind": "delete",
        "origin": {"kind": "panel", "node": "", "title": ""},
        **dict.fromkeys(("at", "host", "last4", "version", "what"), ""),
        "asked": 1,
        **members,
        "job_ids": [],
    }
    return json.dumps(line).encode()


DAMAGED: dict[str, Callable[[], bytes]] = {
    "empty lines": lambda: b"\n\n\r\n",
    "text": lambda: b"hello",
    "no utf-8": lambda: b"\xff\xfe\x00\x80",
    "zeros": lambda: b"\0" * 100_000,
    "random": lambda: random.Random(1).randbytes(200_000),
    "null": lambda: b"null",
    "a list": lambda: b"[]",
    "an empty object": lambda: b"{}",
    "too deep": lambda: b"[" * 200_000,
    "too deep and ours": lambda: b'{"a": ' + b"[" * 100_000 + b', "jobs": [' + b"]}",
    "no operation": lambda: changed(operation=None),
    "an operation that is none": lambda: changed(operation="../../x"),
    "an operation of another kind": lambda: changed(operation=["x"]),
    "an origin of text": lambda: changed(origin="panel"),
    "an origin without a node": lambda: changed(origin={"kind": "panel"}),
    "a kind that is none": lambda: changed(kind=7),
    "a time that is none": lambda: changed(at=None),
    "a number of text": lambda: changed(asked="many"),
    "a number below nothing": lambda: changed(asked=-1),
    "true for a number": lambda: changed(asked=True),
    "counts that are none": lambda: changed(line="outcome", counts=7),
    "counts of text": lambda: changed(line="outcome", counts={"deleted": "7"}),
    "a large line without an end": lambda: b'{"line": "intent", "what": "' + b"x" * 3_000_000,
    "a large line that is not ours": lambda: json.dumps({"x": "y" * 3_000_000, "jobs": []}).encode(),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_line_is_passed_over_and_all_others_are_read(tmp_path: Path, damage: str) -> None:
    record = AuditLog(tmp_path)
    record.intent(entry(1))
    with (tmp_path / "deletions.jsonl").open("ab") as file:
        file.write(DAMAGED[damage]() + b"\n")
    record.outcome(name(1), outcome(DELETED, DELETED))
    record.intent(entry(2))
    assert recorded(tmp_path) == [(2, "unknown"), (1, "done")]
    assert len(record.jobs(name(1))) == 2
    assert record.jobs(name(5)) == []
    assert len(list(record.csv())) == 5
    assert record.removed_in_all() == 2


def test_an_outcome_whose_intent_is_damaged_still_tells_what_happened(tmp_path: Path) -> None:
    record = AuditLog(tmp_path)
    record.intent(entry(1))
    record.outcome(name(1), outcome(DELETED, DELETED))
    path = tmp_path / "deletions.jsonl"
    path.write_bytes(b"#" + path.read_bytes()[1:])
    (read,) = record.entries()
    assert (read.entry.operation, read.entry.origin, read.state) == (name(1), "unknown", "done")
    assert [each.outcome for each in record.jobs(name(1))] == ["deleted"] * 2


def test_a_huge_file_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "deletions.jsonl"
    with path.open("wb") as file:
        file.truncate(20 * 1024**3)  # a hole: it takes no room
    record = AuditLog(tmp_path, largest=1 << 60)
    record.intent(entry(1))
    assert recorded(tmp_path) == [(1, "unknown")]


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_bytes_changed_anywhere_stop_neither_reading_nor_writing(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "deletions.jsonl"
    path.unlink(missing_ok=True)
    record = AuditLog(tmp_path)
    record.intent(entry(1))
    record.outcome(name(1), outcome(DELETED, DELETED))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    list(record.csv())
    record.jobs(name(1))
    record.removed_in_all()
    record.intent(entry(2))
    # By number and not by place: an intent that is damaged is listed by its outcome, last.
    assert (2, "unknown") in recorded(tmp_path)
