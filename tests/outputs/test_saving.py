"""Saving the outputs of jobs: what is on the disk afterwards, and what the result says."""

from __future__ import annotations

import json
import os
from pathlib import Path
from time import monotonic

import pytest

from cloud_history.errors import OperationRefused, StateFolderLost
from cloud_history.outputs.errors import OutputFolderRefused
from cloud_history.outputs.progress import SaveProgress
from cloud_history.outputs.report import save_report
from cloud_history.outputs.result import SaveResult
from cloud_history.service import Operations
from simulated_cloud import Fault, Periodic
from support.saving_stage import SavingStage, StoppingWatch

CLOUD_JOBS = 0
VIEW, STORAGE = ("GET", "/api/view"), ("GET", "/comfy-outputs/")


def contents(result: SaveResult) -> list[bytes]:
    """Return the contents of the saved files, sorted."""
    return sorted(Path(path).read_bytes() for path in result.paths())


def change(path: str, content: bytes) -> None:
    """Change a saved file as a person would."""
    Path(path).write_bytes(content)


async def test_every_output_of_every_job_is_saved_byte_for_byte(saving: SavingStage) -> None:
    jobs = saving.jobs(5, files=3)
    result = await saving.save(jobs)
    assert saving.agrees(jobs)
    assert not result.failed
    assert result.whole_ids == [job.id for job in jobs]
    assert sorted(result.paths()) == sorted(str(saving.output / path) for path in saving.saved())


async def test_a_second_save_downloads_nothing_and_says_that_all_is_here(saving: SavingStage) -> None:
    jobs = saving.jobs(3)
    await saving.save(jobs)
    before = saving.saved()
    saving.cloud.requests.clear()
    result = await saving.save(jobs, operations=saving.new_operations())
    assert saving.cloud.requests_to(*VIEW) == []
    assert all(each.already_here for each in result.jobs.values())
    assert saving.saved() == before


async def test_at_most_four_outputs_are_downloaded_at_once_whatever_their_jobs(saving: SavingStage) -> None:
    saving.cloud.switches.latency = 0.02
    jobs = saving.jobs(8, files=3)
    assert (await saving.save(jobs)).whole_ids == [job.id for job in jobs]
    # A slow machine may not have four at once, but never more.
    assert 1 < max(request.in_flight for request in saving.cloud.storage_requests) <= 4


async def test_a_changed_file_is_saved_again_beside_the_changed_one(saving: SavingStage) -> None:
    jobs = saving.jobs(1, files=1)
    result = await saving.save(jobs)
    change(result.paths()[0], b"mine now")
    again = await saving.save(jobs)
    assert contents(result) == [b"mine now"]
    assert again.paths() == [result.paths()[0].replace(".png", " (2).png")]
    assert not again.failed


async def test_a_job_without_outputs_counts_as_whole_and_creates_no_folder(saving: SavingStage) -> None:
    jobs = saving.jobs(1, files=0)
    result = await saving.save(jobs)
    assert result.jobs[jobs[0].id].without_outputs
    assert saving.saved() == {}
    assert not saving.output.exists() or list(saving.output.rglob("*.json")) == []


async def test_a_job_whose_outputs_are_counted_but_not_listed_is_not_whole(saving: SavingStage) -> None:
    job = saving.cloud.add_job(files=(), overrides={"outputs_count": 2})
    result = await saving.save([job])
    assert result.jobs[job.id].why.code == "outputs_not_listed"


async def test_an_active_job_is_not_whole(saving: SavingStage) -> None:
    job = saving.cloud.add_job("in_progress")
    result = await saving.save([job])
    assert result.jobs[job.id].why.code == "job_not_finished"


async def test_an_output_that_is_gone_fails_alone(saving: SavingStage) -> None:
    first, second = saving.jobs(2)
    saving.cloud.account.lost.add(first.paths[1])
    result = await saving.save([first, second])
    assert [(each.name, each.why.code) for each in result.jobs[first.id].failed] == [(first.files[1], "output_gone")]
    assert result.whole_ids == [second.id]
    assert sorted(saving.saved().values()) == sorted(
        [*saving.stored([second]), saving.cloud.account.facts_of(first.paths[0]).sha256]
    )


@pytest.mark.parametrize("told", [{"size": 5}, {"asset_hash": "blake3:" + "0" * 64}])
async def test_an_output_that_differs_from_its_asset_is_not_saved(saving: SavingStage, told: dict[str, object]) -> None:
    (job,) = saving.jobs(1, files=1)
    if "size" in told:
        told["asset_hash"] = None
    saving.cloud.account.told[job.paths[0]] = told
    result = await saving.save([job])
    assert result.failed
    assert saving.saved() == {}


async def test_two_outputs_of_one_name_in_two_subfolders_are_both_saved(saving: SavingStage) -> None:
    job = saving.cloud.add_job(files=("same.png", "same.png"), subfolders=("a", "b"))
    saving.cloud.account.contents["a/same.png"] = b"first"
    saving.cloud.account.contents["b/same.png"] = b"second"
    result = await saving.save([job])
    assert contents(result) == [b"first", b"second"]


async def test_of_two_outputs_of_one_name_the_missing_one_is_saved_later(saving: SavingStage) -> None:
    job = saving.cloud.add_job(files=("same.png", "same.png"), subfolders=("a", "b"))
    saving.cloud.account.contents["a/same.png"] = b"first"
    saving.cloud.account.contents["b/same.png"] = b"second"
    saving.cloud.account.lost.add("a/same.png")
    assert (await saving.save([job])).failed
    saving.cloud.account.lost.clear()
    result = await saving.save([job])
    assert contents(result) == [b"first", b"second"]
    assert not result.failed


async def test_a_stop_ends_the_save_within_half_a_second_and_what_is_whole_counts_the_next_time(
    saving: SavingStage,
) -> None:
    jobs = saving.jobs(6)
    saving.cloud.faults.append(Fault(STORAGE, "stall", times=None, after=5, sent=100))
    began: list[float] = []

    def at_the_fifth(done: int, total: int) -> bool:
        if done >= 5:
            began.append(monotonic())
        return done >= 5

    result = await saving.save(jobs, StoppingWatch(at_the_fifth))
    assert monotonic() - began[0] < 0.5
    assert result.stopped
    assert len(list(result.files)) == 5
    assert {file.why.code for each in result.jobs.values() for file in each.failed} == {"save_stopped"}
    saving.cloud.faults.clear()
    progress = SaveProgress()
    again = await saving.save(jobs, progress=progress)
    assert (again.failed, progress.already_here, progress.saved) == (False, 5, 7)
    assert saving.agrees(jobs)
    assert list(saving.output.rglob("*.part")) == []


async def test_a_refused_key_ends_the_whole_save(saving: SavingStage) -> None:
    jobs = saving.jobs(30, files=1)
    saving.cloud.faults.append(Fault(("GET", "/api/jobs/"), "status", times=None, after=3, status=401))
    result = await saving.save(jobs)
    assert len(saving.cloud.requests_to("GET", "/api/assets")) == 1
    asked = [each for each in saving.cloud.requests if each.path.startswith("/api/jobs/")]
    assert len(asked) < 30
    assert {each.why.code for each in result.jobs.values() if not each.attempted} == {"unauthorized"}


async def test_without_assets_outputs_are_saved_and_compared_with_the_announced_length(saving: SavingStage) -> None:
    saving.cloud.switches.has_assets_route = False
    jobs = saving.jobs(2)
    result = await saving.save(jobs)
    assert saving.agrees(jobs)
    assert {file.checked for file in result.files} == {"size"}


async def test_the_file_about_a_job_lists_its_outputs_and_never_the_key(saving: SavingStage) -> None:
    (job,) = saving.jobs(1)
    result = await saving.save([job])
    folder = saving.output / result.jobs[job.id].folder
    about = json.loads((folder / "job.json").read_text())
    assert (about["id"], about["whole"]) == (job.id, True)
    assert [each["name"] for each in about["files"]] == list(job.files)
    assert saving.cloud.api_key not in (folder / "job.json").read_text()


async def test_too_little_room_is_said_before_anything_is_downloaded(saving: SavingStage) -> None:
    (job,) = saving.jobs(1, files=1)
    saving.cloud.account.told[job.paths[0]] = {"size": 2**52}
    with pytest.raises(OperationRefused, match="need 4504 TB, and their disk has"):
        await saving.save([job])
    assert saving.cloud.requests_to(*VIEW) == []


async def test_a_file_above_the_limit_is_told_and_not_saved(saving: SavingStage) -> None:
    (job,) = saving.jobs(1, files=1)
    saving.operations.settings.change(outputs_max_gigabytes=1)
    saving.cloud.account.contents[job.paths[0]] = Periodic(job.paths[0], 2**30 + 1)
    saving.cloud.switches.has_assets_route = False
    result = await saving.save([job])
    assert result.jobs[job.id].failed[0].why.code == "output_too_large"
    assert saving.saved() == {}


async def test_outside_comfyui_saving_is_refused_with_what_to_do(saving: SavingStage) -> None:
    saving.operations = Operations(saving.folder / "state", saving.environ)
    with pytest.raises(OutputFolderRefused, match="COMFY_CLOUD_HISTORY_OUTPUTS"):
        await saving.save(saving.jobs(1))


async def test_a_folder_of_the_environment_is_used_outside_comfyui(saving: SavingStage) -> None:
    saving.output.mkdir()
    environ = {**saving.environ, "COMFY_CLOUD_HISTORY_OUTPUTS": str(saving.output)}
    saving.operations = Operations(saving.folder / "state", environ)
    jobs = saving.jobs(1)
    await saving.save(jobs)
    assert saving.agrees(jobs)


async def test_with_a_lost_state_folder_nothing_counts_as_saved(saving: SavingStage) -> None:
    jobs = saving.jobs(1)
    await saving.save(jobs)
    os.unlink(saving.folder / "state" / "state_folder.json")
    with pytest.raises(StateFolderLost):
        await saving.save(jobs)
    with pytest.raises(StateFolderLost):
        await saving.operations.outputs.here([jobs[0].id])


async def test_the_report_is_one_sentence_and_a_line_for_each_outcome(saving: SavingStage) -> None:
    first, second = saving.jobs(2)
    third = saving.jobs(1, files=0)[0]
    saving.cloud.account.lost.add(first.paths[0])
    await saving.save([second])
    report = save_report(await saving.save([first, second, third]))
    lines = report.splitlines()
    assert lines[0].startswith("The outputs of 2 of 3 jobs are saved: 3 files, ")
    assert lines[1:] == [
        "1 already here",
        "1 without outputs",
        f"1 not saved: {first.files[0]}: it is no longer on Comfy Cloud",
        f"  {first.id}",
        "It was deleted there, or has expired.",
    ]
