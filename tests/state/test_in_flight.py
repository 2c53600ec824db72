"""Records of in-flight operations are written before the first request, never ignored and never resent."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from cloud_history.errors import StateUnwritable
from cloud_history.state.in_flight import InFlight, InFlightOperation

NAME = "0123456789abcdef" * 2


@pytest.fixture
def journal(tmp_path: Path) -> InFlight:
    return InFlight(tmp_path)


def entry(**more: object) -> InFlightOperation:
    about: Any = {"asked": 2, "job_ids": ("a", "b"), **more}
    return InFlightOperation("delete", "node 7", "cloud.comfy.org", "abcd", **about)


def only(folder: Path) -> Path:
    (path,) = (folder / "running").iterdir()
    return path


def test_in_flight_records_are_read_by_the_next_process(journal: InFlight, tmp_path: Path) -> None:
    written = entry()
    journal.begin(written)
    (read,) = InFlight(tmp_path).entries()
    assert read.summary() == written.summary()
    assert list(read.job_ids) == ["a", "b"]
    assert (read.host, read.last4) == ("cloud.comfy.org", "abcd")


def test_an_in_flight_record_says_whether_a_request_may_have_been_sent(journal: InFlight, tmp_path: Path) -> None:
    written = entry()
    journal.begin(written)
    assert [each.may_have_sent for each in InFlight(tmp_path).entries()] == [False]
    journal.begin_sending(written)
    assert [each.may_have_sent for each in InFlight(tmp_path).entries()] == [True]


def test_the_record_of_an_older_version_counts_as_possibly_sent(journal: InFlight, tmp_path: Path) -> None:
    journal.begin(entry())
    older = json.loads(only(tmp_path).read_text())
    del older["may_have_sent"]
    only(tmp_path).write_text(json.dumps(older))
    assert [(each.may_have_sent, each.asked) for each in journal.entries()] == [(True, 2)]


def test_a_missing_in_flight_folder_gives_no_records(journal: InFlight) -> None:
    assert journal.entries() == []


def test_resolving_an_in_flight_record_removes_only_that_record(journal: InFlight) -> None:
    first, second = entry(), entry()
    journal.begin(first)
    journal.begin(second)
    journal.resolve(first.operation)
    assert [each.operation for each in journal.entries()] == [second.operation]
    journal.resolve(first.operation)


def test_in_flight_records_are_listed_oldest_first(journal: InFlight) -> None:
    for day in ("2026-01-03", "2026-01-01", "2026-01-02"):
        journal.begin(entry(started_at=f"{day}T00:00:00+00:00"))
    assert [each.started_at[:10] for each in journal.entries()] == ["2026-01-01", "2026-01-02", "2026-01-03"]


def test_each_in_flight_operation_has_its_own_name_and_time() -> None:
    assert len({entry().operation for _ in range(100)}) == 100
    assert entry().started_at.endswith("+00:00")


def test_an_in_flight_summary_contains_no_job_ids_host_or_key() -> None:
    assert set(entry().summary()) == {"operation", "kind", "asked", "origin", "started_at", "may_have_sent"}


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_only_the_owner_can_read_an_in_flight_record(journal: InFlight, tmp_path: Path) -> None:
    journal.begin(entry())
    assert stat.S_IMODE(only(tmp_path).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "running").stat().st_mode) == 0o700


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failing_to_write_an_in_flight_record_raises_an_error_without_a_path_and_leaves_no_file(
    journal: InFlight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(number, os.strerror(number), str(tmp_path))

    with monkeypatch.context() as broken:
        broken.setattr(os, step, refuse)
        with pytest.raises(StateUnwritable) as refused:
            journal.begin(entry())
    assert str(tmp_path) not in str(refused.value)
    assert journal.entries() == []


def test_failing_to_remove_an_in_flight_record_raises_an_error(journal: InFlight, tmp_path: Path) -> None:
    (tmp_path / "running" / f"{NAME}.json").mkdir(parents=True)
    with pytest.raises(StateUnwritable):
        journal.resolve(NAME)


@pytest.mark.parametrize(
    "name", ["", "..", "../api_key", "/etc/passwd", "a/b", NAME.upper(), NAME + "0", NAME + "\n", "\x00" * 32]
)
def test_an_invalid_operation_name_is_refused(journal: InFlight, tmp_path: Path, name: str) -> None:
    (tmp_path / "api_key.json").write_text("{}")
    with pytest.raises(ValueError, match="an id must have"):
        journal.resolve(name)
    with pytest.raises(ValueError, match="an id must have"):
        journal.begin(entry(operation=name))
    assert (tmp_path / "api_key.json").exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "null",
        "[]",
        "[" * 60_000,
        "{}",
        {"kind": "explode"},
        {"kind": None},
        {"started_at": 7},
        {"operation": "../../x"},
        {"operation": "f" * 32},
        {"origin": []},
        {"asked": "2"},
        {"job_ids": 5},
        {"job_ids": [5]},
        {"may_have_sent": 0},
    ],
    ids=lambda content: str(content)[:30],
)
def test_a_damaged_in_flight_file_is_still_listed(
    journal: InFlight, tmp_path: Path, content: str | dict[str, object]
) -> None:
    whole = entry()
    journal.begin(whole)
    note = json.loads(only(tmp_path).read_text())
    raw = content if isinstance(content, str) else json.dumps({**note, **content})
    (tmp_path / "running" / f"{NAME}.json").write_text(raw)
    found = journal.entries()
    assert {each.operation for each in found} == {NAME, whole.operation}
    damaged = next(each for each in found if each.operation == NAME)
    assert damaged.kind in ("delete", "clear")
    assert isinstance(damaged.origin, str)
    assert damaged.may_have_sent
    json.dumps(damaged.summary())


def test_other_files_are_not_listed_as_in_flight_records(journal: InFlight, tmp_path: Path) -> None:
    folder = tmp_path / "running"
    folder.mkdir()
    for name in ("readme.txt", f".{NAME}.json.{NAME}", f"{NAME}.json.bak", "x.json", ".DS_Store"):
        (folder / name).write_text("{}")
    assert journal.entries() == []
