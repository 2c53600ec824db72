"""The list of protected jobs is never treated as empty when it cannot be read."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from cloud_history.cloud.evidence import ProvenAbsent
from cloud_history.cloud.lookup import Observation
from cloud_history.deletion.outcomes import Outcome
from cloud_history.deletion.safeguards import safeguarded
from cloud_history.errors import InputRefused, ProtectionDamaged, StateUnwritable
from cloud_history.jobs.filters import NOTHING_PROTECTED, ProtectedJobs
from cloud_history.state.protection import ProtectionFile
from support.fake_history_client import ids, job

DAMAGED = [b"", b"{", b"null", b"[]", b"{}", b"\xff", b'{"jobs": []}', b'{"jobs": {}, "workflows": []}']
DAMAGED += [b'{"jobs": [1], "workflows": []}', b"[" * 60_000, b'{"jobs": "all", "workflows": []}']


@pytest.fixture
def file(tmp_path: Path) -> ProtectionFile:
    return ProtectionFile(tmp_path / "state")


def test_without_a_protection_list_no_job_is_protected(file: ProtectionFile) -> None:
    assert file.load() == NOTHING_PROTECTED
    assert not file.load()


def test_protection_lasts_across_processes_until_it_is_removed(file: ProtectionFile, tmp_path: Path) -> None:
    first, second = ids(2)
    file.change(protect=True, jobs=[first, second], workflows=["flow"])
    assert ProtectionFile(tmp_path / "state").load() == ProtectedJobs(frozenset({first, second}), frozenset({"flow"}))
    file.change(protect=False, jobs=[first], workflows=["flow"])
    assert file.load() == ProtectedJobs(frozenset({second}))
    assert stat.S_IMODE((tmp_path / "state" / "protected.json").stat().st_mode) == 0o600


def test_a_job_is_protected_by_its_id_or_workflow_and_a_blank_workflow_protects_nothing() -> None:
    first, second = ids(2)
    protected = ProtectedJobs(frozenset({first}), frozenset({"flow", ""}))
    assert protected.covers(job(first))
    assert protected.covers(job(second)._replace(workflow_id="flow"))
    assert not protected.covers(job(second)._replace(workflow_id="flow 2"))
    assert not protected.covers(job(second))


@pytest.mark.parametrize("content", DAMAGED, ids=lambda content: str(content[:20]))
def test_a_damaged_protection_list_is_an_error_and_its_file_is_left_in_place(
    file: ProtectionFile, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "state").mkdir()
    path = tmp_path / "state" / "protected.json"
    path.write_bytes(content)
    with pytest.raises(ProtectionDamaged, match=r"protected\.json"):
        file.load()
    with pytest.raises(ProtectionDamaged):
        file.change(protect=True, jobs=ids(1))
    assert path.read_bytes() == content


def test_starting_with_an_empty_list_keeps_the_damaged_file(file: ProtectionFile, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "protected.json").write_bytes(b"{oops")
    name = file.start_empty()
    assert (tmp_path / "state" / name).read_bytes() == b"{oops"
    assert file.load() == NOTHING_PROTECTED


def test_a_valid_protection_list_cannot_be_replaced_by_an_empty_list(file: ProtectionFile) -> None:
    file.change(protect=True, jobs=ids(1))
    with pytest.raises(InputRefused):
        file.start_empty()
    assert file.load().jobs == frozenset(ids(1))


def test_failing_to_save_the_protection_list_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(StateUnwritable):
        ProtectionFile(tmp_path / "state").change(protect=True, jobs=ids(1))


def test_an_unchanged_protection_list_is_not_written_again(file: ProtectionFile, tmp_path: Path) -> None:
    file.change(protect=True, jobs=ids(1))
    before = (tmp_path / "state" / "protected.json").stat().st_ino
    file.change(protect=True, jobs=ids(1))
    assert (tmp_path / "state" / "protected.json").stat().st_ino == before
    assert json.loads((tmp_path / "state" / "protected.json").read_text())["jobs"] == ids(1)


def test_a_job_with_unknown_workflow_is_safeguarded_while_any_workflow_is_protected() -> None:
    first, second, gone = ids(3)
    seen = Observation({first: job(first)._replace(workflow_id="flow")}, frozenset({ProvenAbsent(gone)}))
    back = safeguarded([first, second, gone], ProtectedJobs(frozenset(), frozenset({"flow"})), [seen])
    assert {job_id: each.outcome for job_id, each in back.items()} == {
        first: Outcome.PROTECTED,
        second: Outcome.NOT_ATTEMPTED,
    }
    assert safeguarded([second], ProtectedJobs(frozenset({first})), [seen]) == {}
