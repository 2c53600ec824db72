"""The audit log when lines are damaged, the disk refuses, or the process dies."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from cloud_history.errors import StateFolderLost, StateUnwritable
from cloud_history.state.audit_csv import csv_lines
from cloud_history.state.audit_log import AuditLog
from support.examples import examples
from support.record_stage import DELETED, entry, job_id, name, outcome, recorded
from support.small_disk import file_size_limited_to

MESSAGE = "Deletions are stopped: the record of deletions can’t be written."


# The disk refuses


@pytest.mark.parametrize("step", ["open", "write", "fsync"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EACCES])
def test_a_failed_write_logs_nothing_and_the_next_write_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    def refuse(*arguments: object, **more: object) -> int:
        raise OSError(number, os.strerror(number), str(tmp_path))

    record = AuditLog(tmp_path)
    record.intent(entry(1))
    with monkeypatch.context() as broken:
        broken.setattr(os, step, refuse)
        with pytest.raises(StateUnwritable) as refused:
            record.intent(entry(2))
        with pytest.raises(StateUnwritable):
            record.outcome(name(1), outcome(DELETED, DELETED))
    # If no file can be opened, the folder cannot be identified.
    assert refused.value.message == MESSAGE or (isinstance(refused.value, StateFolderLost) and step == "open")
    assert recorded(tmp_path) == [(1, "unknown")]
    record.outcome(name(1), outcome(DELETED, DELETED))
    record.intent(entry(3))
    assert recorded(tmp_path) == [(3, "unknown"), (1, "done")]


@pytest.mark.parametrize("room", [0, 1, 100, 4_096, 30_000])
def test_a_full_disk_leaves_no_half_written_line(tmp_path: Path, room: int) -> None:
    record = AuditLog(tmp_path)
    record.intent(entry(1))
    before = (tmp_path / "deletions.jsonl").read_bytes()
    with file_size_limited_to(len(before) + room), pytest.raises(StateUnwritable):
        record.intent(entry(2, job_ids=tuple(map(job_id, range(1_000)))))
    assert (tmp_path / "deletions.jsonl").read_bytes() == before
    record.intent(entry(3))
    assert recorded(tmp_path) == [(3, "unknown"), (1, "unknown")]


def test_a_half_written_line_that_cannot_be_removed_damages_no_other_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = AuditLog(tmp_path)
    record.intent(entry(1))
    path = tmp_path / "deletions.jsonl"
    real = os.write
    calls: list[int] = []

    def write_half(descriptor: int, content: memoryview) -> int:
        calls.append(1)
        if len(calls) == 1:
            return real(descriptor, content[: len(content) // 2])
        os.dup2(os.open(path, os.O_RDONLY), descriptor)  # so that the incomplete line cannot be removed either
        raise OSError(errno.EIO, "gone")

    with monkeypatch.context() as broken:
        broken.setattr(os, "write", write_half)
        with pytest.raises(StateUnwritable):
            record.intent(entry(2))
    assert not path.read_bytes().endswith(b"\n")
    record.intent(entry(3))
    assert recorded(tmp_path) == [(3, "unknown"), (1, "unknown")]


def test_an_audit_log_on_a_full_device_stops_deletions(tmp_path: Path) -> None:
    (tmp_path / "deletions.jsonl").symlink_to("/dev/full")
    with pytest.raises(StateUnwritable):
        AuditLog(tmp_path).intent(entry(1))
    assert recorded(tmp_path) == []


def test_a_partial_write_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    with monkeypatch.context() as slow:
        slow.setattr(os, "write", lambda descriptor, content: real(descriptor, content[:7]))
        AuditLog(tmp_path).intent(entry(1))
    assert recorded(tmp_path) == [(1, "unknown")]


def test_threads_that_write_at_once_write_complete_lines(tmp_path: Path) -> None:
    def write(first: int) -> None:
        for number in range(first, 60, 6):
            AuditLog(tmp_path, largest=3_000, older=100).intent(entry(number, job_ids=tuple(map(job_id, range(20)))))

    threads = [threading.Thread(target=write, args=(first,)) for first in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = AuditLog(tmp_path, older=100).entries()
    assert sorted(each.entry.operation for each in found) == [name(number) for number in range(60)]


# The process dies

_DIES = """
import os, signal, sys
from pathlib import Path
from cloud_history.state.audit_log import AuditLog
from cloud_history.state.audit_log import AuditEntry
step, after = sys.argv[2], int(sys.argv[3])
real = getattr(os, step)

def die(*arguments, **more):
    global after
    after -= 1
    if after < 0:
        if step == "write":
            real(arguments[0], arguments[1][: len(arguments[1]) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **more)

setattr(os, step, die)
record = AuditLog(Path(sys.argv[1]), largest=1, older=4)
for number in range(2, 9):
    record.intent(AuditEntry(f"{number:032x}", "delete", "panel", job_ids=("x",) * 50))
"""

KILLED = [("write", 0), ("write", 1), ("write", 2), ("fsync", 0), ("fsync", 3)]
KILLED += [("replace", after) for after in range(7)]


@pytest.mark.parametrize(("step", "after"), KILLED, ids=[f"{step}-{after}" for step, after in KILLED])
def test_a_killed_process_loses_no_written_audit_line(tmp_path: Path, step: str, after: int) -> None:
    AuditLog(tmp_path).intent(entry(1))
    code = [sys.executable, "-c", _DIES, str(tmp_path), step, str(after)]
    assert subprocess.run(code, check=False, timeout=30).returncode == -signal.SIGKILL
    found = [number for number, _ in recorded(tmp_path)]
    # Each line is written after its renames. An incomplete line is skipped.
    assert found == list(range(len(found), 0, -1))
    assert found
    record = AuditLog(tmp_path, largest=1, older=4)
    record.intent(entry(90))
    record.outcome(name(90), outcome(DELETED, DELETED))
    assert recorded(tmp_path)[0] == (90, "done")
    assert recorded(tmp_path)[1][0] == found[0]
    assert len(recorded(tmp_path)) >= min(3, len(found) + 1)


@pytest.mark.parametrize("after", range(4))
def test_a_crash_while_log_files_are_rotated_loses_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    record = AuditLog(tmp_path, largest=1, older=5)
    for number in range(4):
        record.intent(entry(number))
    real = os.replace
    left = [after]

    def replace(source: Path, target: Path) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        real(source, target)

    with monkeypatch.context() as crashing:
        crashing.setattr(os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            record.intent(entry(9))
    assert [number for number, _ in recorded(tmp_path)] == [3, 2, 1, 0]
    record.intent(entry(4))
    assert [number for number, _ in recorded(tmp_path)] == [4, 3, 2, 1, 0]


@pytest.mark.parametrize("lost", [1, 2, 20, 60, 200])
def test_an_incomplete_last_line_is_skipped_and_later_lines_are_read(tmp_path: Path, lost: int) -> None:
    record = AuditLog(tmp_path)
    record.intent(entry(1))
    record.outcome(name(1), outcome(DELETED, DELETED))
    record.intent(entry(2))
    path = tmp_path / "deletions.jsonl"
    path.write_bytes(path.read_bytes()[:-lost])
    whole = [(2, "unknown")] if lost == 1 else []  # only the newline is missing
    assert recorded(tmp_path) == [*whole, (1, "done")]
    record.intent(entry(3))
    assert recorded(tmp_path) == [(3, "unknown"), *whole, (1, "done")]


def test_an_outcome_that_could_not_be_written_is_listed_and_written_before_the_next_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = AuditLog(tmp_path)
    record.intent(entry(1))
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", _refuse)
        with pytest.raises(StateUnwritable):
            record.outcome(name(1), outcome(DELETED))
    assert record.entries()[0].state == "done"
    assert record.jobs(name(1))[0].outcome == "deleted"
    record.intent(entry(2))
    assert [each.state for each in AuditLog(tmp_path).entries()] == ["unknown", "done"]


def _refuse(*arguments: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# Damaged lines


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
def test_a_damaged_audit_line_is_skipped_and_all_other_lines_are_read(tmp_path: Path, damage: str) -> None:
    record = AuditLog(tmp_path)
    record.intent(entry(1))
    with (tmp_path / "deletions.jsonl").open("ab") as file:
        file.write(DAMAGED[damage]() + b"\n")
    record.outcome(name(1), outcome(DELETED, DELETED))
    record.intent(entry(2))
    assert recorded(tmp_path) == [(2, "unknown"), (1, "done")]
    assert len(record.jobs(name(1))) == 2
    assert record.jobs(name(5)) == []
    assert len(list(csv_lines(record))) == 5
    assert record.removed_in_all() == 2


def test_an_outcome_whose_intent_line_is_damaged_is_still_listed(tmp_path: Path) -> None:
    record = AuditLog(tmp_path)
    record.intent(entry(1))
    record.outcome(name(1), outcome(DELETED, DELETED))
    path = tmp_path / "deletions.jsonl"
    path.write_bytes(b"#" + path.read_bytes()[1:])
    (read,) = record.entries()
    assert (read.entry.operation, read.entry.origin, read.state) == (name(1), "unknown", "done")
    assert [each.outcome for each in record.jobs(name(1))] == ["deleted"] * 2


def test_a_huge_audit_log_is_read_from_its_end(tmp_path: Path) -> None:
    path = tmp_path / "deletions.jsonl"
    with path.open("wb") as file:
        file.truncate(20 * 1024**3)  # a sparse file, which needs no space on the disk
    record = AuditLog(tmp_path, largest=1 << 60)
    record.intent(entry(1))
    assert recorded(tmp_path) == [(1, "unknown")]


@examples(80, HealthCheck.function_scoped_fixture)
@given(data=st.data())
def test_a_corrupted_audit_log_can_still_be_read_and_written(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "deletions.jsonl"
    path.unlink(missing_ok=True)
    record = AuditLog(tmp_path)
    record.intent(entry(1))
    record.outcome(name(1), outcome(DELETED, DELETED))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    list(csv_lines(record))
    record.jobs(name(1))
    record.removed_in_all()
    record.intent(entry(2))
    # Compared by number, because a deletion whose intent line is damaged is listed at the place of its outcome.
    assert (2, "unknown") in recorded(tmp_path)
