"""Outputs are saved from the panel, stay told over reloads and restarts, and are here before their jobs go."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from browser.comfy_page import (
    BOOT_TIMEOUT,
    READY,
    agree_if_asked,
    button,
    dialog,
    kept_first,
    load_workflow,
    press_run,
    run_command,
    toasts,
)
from browser.conftest import ONE_FRONTEND, Frontend
from browser.panel_page import Panel, newest_first, open_list, open_page, open_panel, sent_ids
from browser.test_asking import clear_graph
from hosts import HostProcess, start_host
from simulated_cloud import Fault, SimulatedCloud, SimulatedJob
from simulated_cloud.stored_files import Periodic

SAVING_TIMEOUT = 60_000
FILE_BYTES = 2_000_000
# At this speed, a run of some files lasts until a test has pressed what it wants to press.
SLOW_BYTES_PER_SECOND = 300_000


def saved_hashes(host: HostProcess, job: SimulatedJob) -> list[str]:
    """Return the SHA-256 of every file that is saved for a job, in ComfyUI's output folder."""
    root = host.base_dir / "output" / "comfy-cloud"
    folders = list(root.glob(f"*/*{job.id[:8]}"))
    found = [path for folder in folders for path in folder.iterdir() if path.name != "job.json"]
    assert all(not path.name.endswith(".part") for path in found), found
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in found)


def hashes_of_the_cloud(cloud: SimulatedCloud, job: SimulatedJob) -> list[str]:
    """Return the SHA-256 of every output of a job, from the books of the cloud."""
    return sorted(cloud.facts(name).sha256 for name in job.files)


def expect_saved(host: HostProcess, cloud: SimulatedCloud, jobs: Iterable[SimulatedJob]) -> None:
    """Expect that every output of these jobs is saved, and equals the cloud's."""
    for job in jobs:
        assert saved_hashes(host, job) == hashes_of_the_cloud(cloud, job), job.files


def with_outputs(cloud: SimulatedCloud, count: int) -> list[SimulatedJob]:
    """Return the newest finished jobs with outputs of their own names."""
    return [job for job in newest_first(cloud.finished) if job.files and len(set(job.files)) == len(job.files)][:count]


def make_large(cloud: SimulatedCloud, jobs: Iterable[SimulatedJob]) -> None:
    """Give the jobs outputs that take a while."""
    for job in jobs:
        for name in job.files:
            cloud.account.contents[name] = Periodic(name, FILE_BYTES)


def bytes_on_disk(host: HostProcess) -> int:
    """Return how many bytes all files in ComfyUI's output folder have together, unfinished ones included."""
    return sum(path.stat().st_size for path in (host.base_dir / "output").rglob("*") if path.is_file())


async def save_dialog(panel: Panel) -> Locator:
    """Press Save outputs… for the selection, and return the dialog once it shows the numbers."""
    await button(panel.root, "Save outputs…").click()
    opened = dialog(panel.page, "Save the outputs of")
    await expect(opened.locator(".cch-btn.primary")).to_be_visible(timeout=20_000)
    return opened


async def begin_to_save(panel: Panel) -> None:
    """Save the outputs of the selected jobs, and wait until the dialog has closed."""
    opened = await save_dialog(panel)
    await opened.locator(".cch-btn.primary").click()
    await expect(opened).to_have_count(0)


def files_of(jobs: Iterable[SimulatedJob]) -> int:
    """Return how many outputs these jobs have."""
    return sum(len(job.files) for job in jobs)


@contextlib.contextmanager
def restarted(host: HostProcess, cloud: SimulatedCloud, frontend: Frontend) -> Iterator[HostProcess]:
    """Kill the host and start it again at the same address, as a person does after a crash."""
    host.kill()
    again = start_host(
        host.base_dir,
        port=int(host.base_url.rsplit(":", 1)[1]),
        cloud_url=cloud.base_url,
        api_key=cloud.api_key,
        frontend=frontend.static,
        settings={"Comfy.InstalledVersion": frontend.version},
    )
    try:
        yield again
    finally:
        again.stop()


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(jobs=240, connected=True, hold_seconds=0)
@pytest.mark.timeout(240)
async def test_240_jobs_are_saved_and_then_deleted_with_outputs_that_equal_the_clouds(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    finished = list(cloud.finished)
    having = [job for job in finished if job.files]
    expected = {job.id: hashes_of_the_cloud(cloud, job) for job in having}
    panel = await open_list(page, cloud)
    await panel.list.press("Control+a")
    opened = await save_dialog(panel)
    await expect(opened).to_contain_text(f"{files_of(having)}to save")
    await expect(opened).to_contain_text("output/comfy-cloud")
    await button(opened, f"Save {files_of(having)} files").click()
    result = panel.cards.filter(has_text="files saved")
    await expect(result).to_contain_text(f"{files_of(having)} files saved", timeout=SAVING_TIMEOUT)
    assert {job.id: saved_hashes(host, job) for job in having} == expected
    described = json.loads(next((host.base_dir / "output").rglob("job.json")).read_text())
    assert described["id"] in expected

    # The rows say so, and the filter finds none that is not saved.
    first = newest_first(having)[0]
    await expect(panel.row(first).locator(".cch-outs.saved")).to_have_attribute("data-tip", re.compile("saved here"))
    await button(panel.root, "Filter").click()
    await panel.root.get_by_text("Not saved").click()
    await button(panel.root, "Done").click()
    await expect(panel.root).to_contain_text("No job matches: Not saved")
    await panel.root.get_by_role("button", name="Remove filter: Not saved").click()

    await panel.list.press("Delete")
    asked = dialog(page, "from your cloud history?")
    await kept_first(asked).select_option("outputs")
    await expect(asked).to_contain_text(f"All {files_of(having)} outputs are saved", timeout=40_000)
    await asked.locator(".cch-agree").click()
    await asked.locator(".cch-btn.danger").click()
    gone = panel.cards.filter(has_text="removed from your cloud history")
    await expect(gone).to_contain_text(f"{len(finished)} jobs removed", timeout=SAVING_TIMEOUT)
    assert sorted(sent_ids(cloud)) == sorted(job.id for job in finished)
    assert {job.id: saved_hashes(host, job) for job in having} == expected


@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_a_run_goes_on_without_the_panel_is_shown_after_a_reload_and_can_be_stopped_and_completed(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    jobs = with_outputs(cloud, 4)
    make_large(cloud, jobs)
    cloud.switches.storage_rate = SLOW_BYTES_PER_SECOND
    panel = await open_list(page, cloud)
    await panel.select(jobs)
    await begin_to_save(panel)
    bar = panel.root.get_by_role("progressbar", name="Saving outputs")
    await expect(bar).to_be_visible()
    await expect(panel.cards).to_contain_text(re.compile(rf"Saving outputs… \d of {files_of(jobs)} files"))
    await expect(panel.cards).to_contain_text(re.compile(r"of \d+ MB"))

    await page.reload()
    await page.wait_for_function(READY, timeout=BOOT_TIMEOUT)
    panel = await open_panel(page)
    await expect(panel.root.get_by_role("progressbar", name="Saving outputs")).to_be_visible()
    await button(panel.cards, "Stop").click()
    await expect(panel.cards).to_contain_text("Saving was stopped", timeout=15_000)
    assert any(saved_hashes(host, job) != hashes_of_the_cloud(cloud, job) for job in jobs)

    cloud.switches.storage_rate = 0
    await button(panel.cards, "Save the rest").click()
    await expect(panel.cards).to_contain_text(re.compile("files? saved"), timeout=SAVING_TIMEOUT)
    expect_saved(host, cloud, jobs)
    await panel.cards.get_by_role("button", name="Dismiss").click()
    await expect(panel.cards).to_have_count(0)


@pytest.mark.deep
@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_the_end_of_a_run_is_told_by_a_toast_while_the_panel_is_closed(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    jobs = with_outputs(cloud, 2)
    make_large(cloud, jobs)
    cloud.switches.storage_rate = SLOW_BYTES_PER_SECOND
    panel = await open_list(page, cloud)
    await panel.select(jobs)
    await begin_to_save(panel)
    await expect(panel.cards).to_contain_text("Saving outputs…")
    await panel.root.get_by_role("button", name="Close").click()
    await expect(panel.root).to_have_count(0)
    cloud.switches.storage_rate = 0
    await expect(toasts(page, "files saved")).to_be_visible(timeout=SAVING_TIMEOUT)
    expect_saved(host, cloud, jobs)


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_a_run_that_a_crash_interrupted_goes_on_only_when_the_person_says_so(
    page: Page, cloud: SimulatedCloud, host: HostProcess, frontend: Frontend, console_errors: list[str]
) -> None:
    jobs = with_outputs(cloud, 3)
    make_large(cloud, jobs)
    cloud.switches.storage_rate = SLOW_BYTES_PER_SECOND
    panel = await open_list(page, cloud)
    await panel.select(jobs)
    await begin_to_save(panel)
    await expect(panel.cards).to_contain_text("Saving outputs…")
    with restarted(host, cloud, frontend) as again:
        cloud.switches.storage_rate = 0
        await page.goto(again.base_url)
        await page.wait_for_function(READY, timeout=BOOT_TIMEOUT)
        panel = await open_panel(page)
        await expect(panel.cards).to_contain_text("Saving was interrupted")
        await expect(panel.cards).to_contain_text("Outputs of 3 jobs")
        before = bytes_on_disk(again)
        await page.wait_for_timeout(500)
        assert bytes_on_disk(again) == before, "nothing goes on by itself"
        await button(panel.cards, "Continue").click()
        await expect(panel.cards).to_contain_text(re.compile("files? saved|already here"), timeout=SAVING_TIMEOUT)
        expect_saved(again, cloud, jobs)
        await page.goto("about:blank")
    # The page noticed that its host was gone.
    console_errors.clear()


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_an_output_that_the_cloud_has_lost_is_told_before_saving_and_before_deleting(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    lost, whole = with_outputs(cloud, 2)
    cloud.account.lost.add(lost.files[0])
    panel = await open_list(page, cloud)
    await panel.select([lost, whole])
    opened = await save_dialog(panel)
    await expect(opened).to_contain_text("1 output is no longer on Comfy Cloud and can’t be saved.")
    await opened.get_by_text("Show the output").click()
    await expect(opened.locator(".cch-mini")).to_contain_text(lost.files[0])
    await opened.locator(".cch-btn.primary").click()
    await expect(panel.cards).to_contain_text("are here", timeout=SAVING_TIMEOUT)
    await expect(panel.cards).to_contain_text("not saved")
    await button(panel.cards, "Show the job").click()
    await expect(panel.rows).to_have_count(1)
    expect_saved(host, cloud, [whole])
    await panel.root.get_by_role("button", name="Remove filter: Not saved").click()

    # Kept outputs that can't be kept keep their job.
    await button(panel.root, "Delete 2…").click()
    asked = await panel.delete_dialog()
    await expect(asked).to_contain_text("1 output is no longer on the Cloud.", timeout=30_000)
    await kept_first(asked).select_option("outputs")
    await expect(asked).to_contain_text("A job whose outputs are not all here and checked is not deleted.")
    await asked.locator(".cch-btn.danger").click()
    result = panel.cards.filter(has_text="1 of 2 jobs removed")
    await expect(result).to_be_visible(timeout=SAVING_TIMEOUT)
    await expect(result).to_contain_text(re.compile("not removed: .*outputs", re.IGNORECASE))
    assert sent_ids(cloud) == [whole.id]
    await expect(panel.row(lost)).to_contain_text("Not removed")


@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_failed_downloads_are_named_and_can_be_tried_again(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    (job,) = with_outputs(cloud, 1)
    panel = await open_list(page, cloud)
    await panel.select([job])
    opened = await save_dialog(panel)
    cloud.faults[:] = [Fault(("GET", "/api/view"), "status", times=None, status=400, json={"message": "not now"})]
    await opened.locator(".cch-btn.primary").click()
    await expect(panel.cards).to_contain_text("No file was saved", timeout=SAVING_TIMEOUT)
    cloud.faults.clear()
    await panel.cards.get_by_role("button", name=re.compile("^Try again")).click()
    await expect(panel.cards).to_contain_text(re.compile("files? saved"), timeout=SAVING_TIMEOUT)
    expect_saved(host, cloud, [job])


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_saved_outputs_are_found_in_the_details_and_in_recently_deleted(
    page: Page, cloud: SimulatedCloud, host: HostProcess, tmp_path: Path
) -> None:
    job = next(job for job in with_outputs(cloud, 20) if job.files[0].endswith(".png"))
    panel = await open_list(page, cloud)
    await panel.row(job).click()
    await panel.list.press("Enter")
    details = panel.root.locator(".cch-details")
    await button(details, "Save outputs…").click()
    await button(dialog(page, "Save the outputs of 1 job?"), f"Save {counted_files(job)}").click()
    await expect(details).to_contain_text(re.compile("outputs? (is|are) saved here"), timeout=SAVING_TIMEOUT)
    await expect(details.locator(".cch-folder")).to_contain_text("output/comfy-cloud/")
    await panel.root.get_by_role("button", name="Back to the list").click()

    await panel.list.press("Delete")
    asked = await panel.delete_dialog()
    await asked.locator(".cch-btn.danger").click()
    await expect(panel.cards.filter(has_text="removed from your cloud history")).to_be_visible()
    record = await open_page(panel, "Recently deleted")
    await record.get_by_role("button", name="Show jobs").first.click()
    await button(record, "Saved outputs").click()
    files = record.locator(".cch-files")
    await expect(files.locator("li")).to_have_count(len(job.files))
    await files.get_by_role("button", name="View").first.click()
    viewer = page.locator(".cch-viewer")
    await expect(viewer.locator("img")).to_be_visible()
    await expect(viewer.get_by_role("button", name="Select job")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(viewer).to_have_count(0)
    async with page.expect_download() as coming:
        await files.get_by_role("button", name="Download").first.click()
    copy = tmp_path / "copy"
    await (await coming.value).save_as(copy)
    assert hashlib.sha256(copy.read_bytes()).hexdigest() in hashes_of_the_cloud(cloud, job)


def counted_files(job: SimulatedJob) -> str:
    """Return the number of a job's outputs in words."""
    return f"{len(job.files)} file{'s' if len(job.files) != 1 else ''}"


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_the_facts_of_a_deletion_come_late_and_never_hold_up_its_dialog(
    page: Page, cloud: SimulatedCloud
) -> None:
    jobs = with_outputs(cloud, 3)
    panel = await open_list(page, cloud)
    await panel.select(jobs)
    asked: list[Any] = []
    await page.route("**/cloud_history/outputs/facts", lambda route: asked.append(route))
    await button(panel.root, "Delete 3…").click()
    opened = await panel.delete_dialog()
    facts = opened.locator(".cch-facts")
    await expect(facts).to_have_attribute("aria-busy", "true")
    await expect(opened.locator(".cch-btn.danger")).to_be_enabled()
    before = await facts.bounding_box()
    await asked[0].continue_()
    await expect(facts).to_contain_text(f"None of the {files_of(jobs)} outputs is saved", timeout=30_000)
    await expect(facts).not_to_have_attribute("aria-busy", "true")
    assert await facts.bounding_box() == before, "nothing moves when the facts come"
    await page.unroute("**/cloud_history/outputs/facts")


@pytest.mark.deep
@ONE_FRONTEND
@pytest.mark.stage(connected=True, hold_seconds=0)
async def test_a_clear_and_a_workflow_that_keep_outputs_save_them_before_their_jobs_go(
    page: Page, cloud: SimulatedCloud, host: HostProcess
) -> None:
    for begin in ("a clear", "a workflow"):
        cloud.add_job("completed", files=(f"{begin}.png",))
        jobs = [job for job in cloud.finished if job.files and len(set(job.files)) == len(job.files)]
        seen = len(cloud.requests)
        if begin == "a clear":
            await run_command(page, "CloudHistory.Clear")
            asked = dialog(page, "Clear your cloud history?")
        else:
            await load_workflow(page, clear_graph())
            await press_run(page)
            asked = dialog(page, "Let this workflow delete")
        await expect(asked.locator(".cch-btn.danger")).to_be_visible(timeout=15_000)
        await kept_first(asked).select_option("outputs")
        await agree_if_asked(asked)
        await asked.locator(".cch-btn.danger").click()
        if begin == "a clear":
            await expect(toasts(page, "removed from your cloud history")).to_be_visible(timeout=SAVING_TIMEOUT)
        else:
            report = page.get_by_label("Report")
            await expect(report).to_have_value(re.compile("removed from your cloud history"), timeout=SAVING_TIMEOUT)
        expect_saved(host, cloud, jobs)
        asked_for = [(request.method, request.path) for request in cloud.requests[seen:]]
        first_post = asked_for.index(("POST", "/api/history"))
        assert all(path != "/api/view" for _, path in asked_for[first_post:]), "all downloads come before the deletion"
        assert not cloud.finished
