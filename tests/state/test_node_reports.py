"""Reports of stopped nodes are stored until newer reports replace them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from cloud_history.errors import InputRefused, StateUnwritable
from cloud_history.secret import Secret
from cloud_history.state.node_reports import MAX_REPORTS, NodeReports


def test_a_report_can_be_fetched_by_name_any_number_of_times(tmp_path: Path) -> None:
    name = NodeReports(tmp_path).keep("12:3", "Stopped: 2 of 12 jobs removed.")
    for _ in range(2):
        assert NodeReports(tmp_path).fetch(name) == {
            "node": "12:3",
            "report": "Stopped: 2 of 12 jobs removed.",
        }
    [path] = (tmp_path / "node_reports").iterdir()
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_only_the_newest_reports_are_kept(tmp_path: Path) -> None:
    reports = NodeReports(tmp_path)
    names = []
    for number in range(MAX_REPORTS + 5):
        names.append(reports.keep("1", str(number)))
        os.utime(tmp_path / "node_reports" / f"{names[-1]}.json", (number, number))
    assert len(list((tmp_path / "node_reports").iterdir())) == MAX_REPORTS
    assert reports.fetch(names[-1])["report"] == str(MAX_REPORTS + 4)
    with pytest.raises(InputRefused):
        reports.fetch(names[0])


@pytest.mark.parametrize("name", ["", "..", "../api_key", "0" * 32, "0" * 31, "G" * 32, f"{'0' * 32}\n"])
def test_an_unknown_report_name_is_refused_and_never_used_as_a_path(tmp_path: Path, name: str) -> None:
    (tmp_path / "api_key.json").write_text('{"node": "1", "report": "a secret"}')
    with pytest.raises(InputRefused):
        NodeReports(tmp_path).fetch(name)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"node": "1"}', "5"])
def test_an_unreadable_report_is_refused(tmp_path: Path, content: str) -> None:
    reports = NodeReports(tmp_path)
    name = reports.keep("1", "r")
    (tmp_path / "node_reports" / f"{name}.json").write_text(content)
    with pytest.raises(InputRefused):
        reports.fetch(name)


def test_a_stored_report_does_not_contain_the_key(tmp_path: Path) -> None:
    key = Secret("comfyui-unit-node-reports-0123456789")
    name = NodeReports(tmp_path).keep("1", f"the cloud says {key.reveal()}")
    assert NodeReports(tmp_path).fetch(name)["report"] == "the cloud says [hidden]"


def test_an_unwritable_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "node_reports").write_text("in the way")
    with pytest.raises(StateUnwritable):
        NodeReports(tmp_path).keep("1", "r")
