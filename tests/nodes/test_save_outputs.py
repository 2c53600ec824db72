"""The node Save Cloud Outputs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from simulated_cloud import Fault, SimulatedCloud, SimulatedJob
from support.fake_comfyui import FakeComfyUI, InterruptProcessingException

pytestmark = pytest.mark.usefixtures("comfyui", "connected", "at_once")
CLOUD_JOBS = 0
STORAGE = ("GET", "/comfy-outputs/")


@pytest.fixture
def save_node(pack: ModuleType) -> Any:
    return pack.NODE_CLASS_MAPPINGS["CloudHistorySaveOutputs"]()


@pytest.fixture
def delete_node(pack: ModuleType) -> Any:
    return pack.NODE_CLASS_MAPPINGS["CloudHistoryDeleteJobs"]()


def add_jobs(cloud: SimulatedCloud, count: int) -> list[SimulatedJob]:
    """Add completed jobs with two outputs each."""
    return [cloud.add_job(files=(f"n{number}_a.png", f"n{number}_b.png")) for number in range(count)]


def digests(paths: Iterable[str]) -> list[str]:
    """Return the SHA-256 of these files, sorted."""
    return sorted(hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in paths)


def in_cloud(cloud: SimulatedCloud, jobs: list[SimulatedJob]) -> list[str]:
    return sorted(cloud.account.facts_of(path).sha256 for job in jobs for path in job.paths)


async def test_the_outputs_are_saved_and_the_ids_paths_report_and_number_returned(
    cloud: SimulatedCloud, save_node: Any, tmp_path: Path
) -> None:
    jobs = add_jobs(cloud, 3)
    output = await save_node.run(job_ids=[job.id for job in jobs], after=["x"])
    after, job_ids, paths, report, saved = output["result"]
    assert (after, job_ids, saved) == (["x"], [job.id for job in jobs], 6)
    assert digests(paths) == in_cloud(cloud, jobs)
    assert all(path.startswith(str(tmp_path / "output" / "comfy-cloud")) for path in paths)
    assert report.startswith("The outputs of 3 jobs are saved: 6 files, ")
    assert output["ui"] == {"text": [report]}


async def test_an_empty_list_saves_nothing_and_says_so(save_node: Any, cloud: SimulatedCloud) -> None:
    output = await save_node.run(job_ids=[])
    assert output["result"] == ([None], [], [], "Nothing to save: the list of job ids is empty.", 0)
    assert cloud.requests == []


async def test_an_invalid_id_saves_nothing(save_node: Any, cloud: SimulatedCloud, errors: Any) -> None:
    (job,) = add_jobs(cloud, 1)
    with pytest.raises(errors.InvalidJobIds):
        await save_node.run(job_ids=[job.id, "not an id"])
    assert cloud.requests == []
    assert save_node.VALIDATE_INPUTS(job_ids=["not an id"]) != True  # noqa: E712 - a text says what is wrong
    assert save_node.VALIDATE_INPUTS(job_ids=None) is True


async def test_a_failed_output_is_an_error_after_all_others_were_saved(
    save_node: Any, cloud: SimulatedCloud, errors: Any, tmp_path: Path
) -> None:
    first, second = add_jobs(cloud, 2)
    cloud.account.lost.add(first.paths[0])
    with pytest.raises(errors.Incomplete) as raised:
        await save_node.run(job_ids=[first.id, second.id])
    lines = str(raised.value).splitlines()
    assert lines[0].startswith("The outputs of 1 of 2 jobs are saved: 3 files, ")
    assert lines[1:4] == ["1 saved", f"1 not saved: {first.files[0]}: it is no longer on Comfy Cloud", f"  {first.id}"]
    assert len(list((tmp_path / "output").rglob("*.png"))) == 3


async def test_an_interrupted_node_says_what_was_saved_and_ends_the_prompt(
    save_node: Any, cloud: SimulatedCloud, comfyui: FakeComfyUI, pack_module: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack_module("comfy_host"), "SECONDS_BETWEEN_TEXTS", 0)
    jobs = add_jobs(cloud, 2)
    cloud.faults.append(Fault(STORAGE, "stall", times=None, after=3, sent=5))

    def interrupt(event: str, data: dict[str, Any], sid: str | None) -> None:
        comfyui.interrupted = comfyui.interrupted or data.get("done") == 3

    comfyui.when_sent = interrupt
    with pytest.raises(InterruptProcessingException):
        await save_node.run(job_ids=[job.id for job in jobs])
    name = next(data["operation"] for _, data, _ in comfyui.sent if data.get("kind") == "node_report")
    reports = pack_module("cloud_history.state.node_reports").NodeReports(pack_module("comfy_host").operations().folder)
    assert reports.fetch(name)["report"].startswith("Stopped: the outputs of ")


async def test_the_saved_jobs_can_be_deleted_by_the_next_node(
    save_node: Any, delete_node: Any, cloud: SimulatedCloud
) -> None:
    jobs = add_jobs(cloud, 2)
    _, job_ids, paths, _, _ = (await save_node.run(job_ids=[job.id for job in jobs]))["result"]
    await delete_node.run(job_ids=job_ids, dry_run=[False], after=paths)
    assert cloud.deleted == jobs
    assert digests(paths) == in_cloud(cloud, jobs)


async def test_a_deleting_node_with_outputs_saves_them_first(
    delete_node: Any, cloud: SimulatedCloud, tmp_path: Path
) -> None:
    first, second = add_jobs(cloud, 2)
    cloud.account.lost.add(first.paths[0])
    with pytest.raises(Exception, match="its outputs could not be saved"):
        await delete_node.run(job_ids=[first.id, second.id], dry_run=[False], backup=["outputs"])
    assert cloud.deleted == [second]
    saved = [str(path) for path in (tmp_path / "output").rglob("*.png")]
    assert set(in_cloud(cloud, [second])) <= set(digests(saved))
