"""Backups whose files are damaged or made to do harm: an error that names the file, and the others are read."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud_history.errors import BackupDamaged
from cloud_history.state.backups import BackupFolder
from support.backup_stage import DETAIL, JOB, OPERATION, OTHER, make


def packed(members: dict[str, object], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, value in members.items():
            archive.writestr(name, value if isinstance(value, (str, bytes)) else json.dumps(value))
    return file.getvalue()


ROW = {
    "id": JOB,
    "status": "completed",
    "created": 1,
    "finished": None,
    "name": "",
    "workflow_id": "",
    "has_workflow": True,
}
MEMBER = f"jobs/{JOB}.json"


def index_of(**wrong: object) -> bytes:
    return packed({"index.json": {"jobs": [{**ROW, **wrong}]}, MEMBER: []})


def encrypted() -> bytes:
    content = bytearray(packed({"index.json": {"jobs": []}, MEMBER: {}}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(signature, at + 1)
    return bytes(content)


def lying_about_its_size() -> bytes:
    """A bomb that says it is small: what is unpacked ends at what it says, and then its checksum is wrong."""
    content = bytearray(packed({"index.json": b" " * 3_000_000, MEMBER: b" " * 3_000_000}))
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + 24 : at + 28] = (50).to_bytes(4, "little")
        at = content.find(b"PK\x01\x02", at + 1)
    return bytes(content)


DAMAGED: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "no zip": lambda: b"not a zip at all",
    "random": lambda: random.Random(2).randbytes(50_000),
    "large and random": lambda: random.Random(3).randbytes(5_000_000),
    "zeros": lambda: b"\0" * 100_000,
    "an end alone": lambda: b"PK\x05\x06" + b"\0" * 18,
    "an end that points nowhere": lambda: b"PK\x05\x06" + b"\xff" * 18,
    "no members": lambda: packed({}),
    "no json": lambda: packed({"index.json": "{", MEMBER: "x"}),
    "no utf-8": lambda: packed({"index.json": b"\xff\xfe\xff", MEMBER: b"\x80"}),
    "a list": lambda: packed({"index.json": [], MEMBER: []}),
    "null": lambda: packed({"index.json": None, MEMBER: None}),
    "too deep": lambda: packed({"index.json": "[" * 100_000, MEMBER: '{"a":' * 100_000}),
    "no rows": lambda: packed({"index.json": {"jobs": 7}, MEMBER: 7}),
    "rows of text": lambda: packed({"index.json": {"jobs": ["x"]}, MEMBER: "7"}),
    "an id that is none": lambda: index_of(id="../../x"),
    "a number for an id": lambda: index_of(id=5),
    "a status that is none": lambda: index_of(status=None),
    "a name that is none": lambda: index_of(name=["x"]),
    "a time that is none": lambda: index_of(created="yesterday"),
    "no workflow's word": lambda: index_of(has_workflow="yes"),
    "a bomb": lambda: packed({"index.json": b" " * 70_000_000, MEMBER: b" " * 70_000_000}),
    "a bomb that lies": lying_about_its_size,
    "packed in another way": lambda: packed({"index.json": {"jobs": []}, MEMBER: {}}, zipfile.ZIP_LZMA),
    "with a password": encrypted,
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_an_error_that_names_it_and_is_still_listed_and_deletable(
    tmp_path: Path, damage: str
) -> None:
    (tmp_path / "backups").mkdir()
    (tmp_path / "backups" / f"{OPERATION}.zip").write_bytes(DAMAGED[damage]())
    make(tmp_path, OTHER)
    backups = BackupFolder(tmp_path)
    with pytest.raises(BackupDamaged) as damaged:
        backups.jobs(OPERATION)
    assert damaged.value.code == "backup_damaged"
    assert damaged.value.hint == f"Its file is damaged or gone: {OPERATION}.zip."
    assert str(tmp_path) not in str(damaged.value)
    with pytest.raises(BackupDamaged):
        backups.job(OPERATION, JOB)
    listed = {each.operation: each.jobs for each in backups.list()}
    assert listed == {OPERATION: None, OTHER: 1}
    assert backups.job(OTHER, JOB) == DETAIL
    backups.delete(OPERATION)
    assert [each.operation for each in backups.list()] == [OTHER]


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_bytes_changed_or_cut_anywhere_give_what_was_kept_or_an_error(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "backups" / f"{OPERATION}.zip"
    path.unlink(missing_ok=True)
    content = bytearray(make(tmp_path).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content))) :]
    path.write_bytes(content)
    backups = BackupFolder(tmp_path)
    assert [each.operation for each in backups.list()] == [OPERATION]
    with suppress(BackupDamaged):
        assert backups.job(OPERATION, JOB) == DETAIL
    with suppress(BackupDamaged):
        assert [row["id"] for row in backups.jobs(OPERATION)] == [JOB]
