"""The API key is never stored: backups, the audit log, its CSV and the protection list are searched."""

from __future__ import annotations

import asyncio
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from cloud_history.deletion.report import deletion_report
from cloud_history.errors import CloudError
from cloud_history.jobs.rows import job_row
from cloud_history.service import Operations
from cloud_history.state.audit_csv import csv_lines
from cloud_history.state.audit_log import AuditLog
from cloud_history.tasks.stopping import Unwatched, Watch
from simulated_cloud import Fault, SimulatedCloud
from support.clocks import Gate
from support.deletion_stage import BACKUP, DELETION, Steps
from support.kept_files import contents
from support.leaking_cloud import ALL, FAILURES, KEY, ONE_OF_EACH_KIND, POST, QUOTED, echo_the_key
from support.requests import delete_jobs, list_jobs

Evidence = Any
pytestmark = pytest.mark.usefixtures("one_megabyte")
DETAILS = ("GET", "/api/jobs/")
PLACES = {"everywhere": ALL, "in details": DETAILS, "when sent": POST}


@pytest_asyncio.fixture
async def cloud() -> AsyncIterator[SimulatedCloud]:
    """Run a simulated cloud whose jobs contain the API key in every known place."""
    cloud = SimulatedCloud(jobs=12, api_key=KEY)
    for job in cloud.jobs.values():
        echo_the_key(job)
    async with cloud.serving():
        yield cloud


def packed(folder: Path) -> list[dict[str, Any]]:
    """Return the jobs in all backups."""
    found = []
    for path in (folder / "backups").glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            found += [json.loads(archive.read(each)) for each in archive.namelist() if each.startswith("jobs/")]
    return found


async def delete(evidence: Evidence, operations: Operations, ids: list[str], watch: Watch | None = None) -> None:
    """Back up and delete from a node whose title contains the key, and add everything stored to `evidence`."""
    try:
        result = await delete_jobs(
            operations, ids, "node 5", watch or Unwatched(), backup="workflows", title=f"My {KEY} {QUOTED}"
        )
        evidence.add("delete", result, deletion_report(result))
    except CloudError as error:
        evidence.add_error("delete", error)
    for each in operations.backups.list():
        evidence.add("backups", each, operations.backups.jobs(each.operation))
        for row in operations.backups.jobs(each.operation):
            evidence.add("backup", operations.backups.job(each.operation, row["id"]))


def show_the_record(evidence: Evidence, folder: Path) -> None:
    record = AuditLog(folder)
    evidence.add("CSV", "".join(csv_lines(record)))
    for entry in record.entries():
        evidence.add("record", entry, record.jobs(entry.entry.operation))


@pytest.mark.parametrize(
    ("name", "place"),
    [
        *((name, "in details") for name in ("success", *FAILURES)),
        *((name, place) for name in ONE_OF_EACH_KIND for place in ("everywhere", "when sent")),
    ],
)
async def test_no_file_written_by_a_deletion_contains_the_api_key(
    cloud: SimulatedCloud,
    environ: dict[str, str],
    tmp_path: Path,
    evidence: Evidence,
    hurry: Any,
    name: str,
    place: str,
) -> None:
    folder, ids = tmp_path / "state", [job.id for job in cloud.finished[:3]]
    if name in FAILURES:
        cloud.faults.append(Fault(PLACES[place], times=None, **FAILURES[name]()))
    operations = hurry(Operations(folder, environ, evidence.event), request=0.05 if name == "timeout" else 5.0)
    await delete(evidence, operations, ids)
    show_the_record(evidence, folder)
    evidence.add_files(folder)
    assert evidence.find(KEY) == []
    assert any("[hidden]" in text for where, text in evidence.texts if where == "CSV")
    saved = {job["id"] for job in packed(folder)}
    assert {job.id for job in cloud.deleted} <= saved
    if name == "success" or place == "when sent":
        assert saved == set(ids)


async def test_the_backup_of_a_job_that_contains_the_api_key_still_has_its_workflow(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, evidence: Evidence
) -> None:
    operations = Operations(tmp_path, environ)
    await delete(evidence, operations, [job.id for job in cloud.finished[:3]])
    jobs = packed(tmp_path)
    assert len(jobs) == 3
    for job in jobs:
        data = job["workflow"]["extra_data"]
        assert set(data) == {"extra_pnginfo"}
        (node,) = data["extra_pnginfo"]["workflow"]["nodes"]
        assert (node["type"], node["title"], node["max_tokens"]) == ("Note", "[hidden]", 77)
        assert "current_inputs" not in job["execution_error"]
        assert job["execution_error"]["traceback"][1] == "[hidden]"
    assert all(text.count(b"[hidden]") > 20 for text in kept_jobs(tmp_path))


def kept_jobs(folder: Path) -> list[bytes]:
    (path,) = (folder / "backups").glob("*.zip")
    return [content for content in contents(path) if content.startswith(b'{"id"')]


async def test_protecting_a_workflow_by_its_shown_id_stores_no_api_key(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, evidence: Evidence
) -> None:
    for job in cloud.jobs.values():
        job.workflow_id = f"x-{KEY}"
    operations = Operations(tmp_path, environ)
    jobs = (await list_jobs(operations)).jobs
    rows = [job_row(job) for job in jobs.values()]
    operations.protection.change(
        protect=True, jobs=[row["id"] for row in rows], workflows=[row["workflow_id"] for row in rows]
    )
    await delete(evidence, operations, [job.id for job in cloud.finished[:3]])
    evidence.add_files(tmp_path)
    assert evidence.find(KEY) == []
    assert b"[hidden]" in (tmp_path / "protected.json").read_bytes()
    assert cloud.deleted == []


@pytest.mark.parametrize("step", [BACKUP, DELETION])
async def test_a_cancelled_deletion_leaves_no_api_key_on_disk(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, evidence: Evidence, step: str
) -> None:
    operations, gate = Operations(tmp_path, environ), Gate(cloud)
    ids = [job.id for job in cloud.finished[:3]]
    task = asyncio.ensure_future(delete(evidence, operations, ids, Steps({step: gate.close})))
    await gate.waiting.wait()
    evidence.add_files(tmp_path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.open()
    evidence.add("left", operations.queue.unresolved())
    show_the_record(evidence, tmp_path)
    evidence.add_files(tmp_path)
    assert evidence.find(KEY) == []
    left = any("My [hidden]" in text for where, text in evidence.texts if where == "left")
    assert left is (step == DELETION), "only a deletion that sent a request stays unresolved"


def test_the_search_for_the_api_key_reads_compressed_files(tmp_path: Path, evidence: Evidence) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("jobs/x.json", json.dumps({"text": "a" * 900 + "unremembered-key+0123456789"}))
    assert b"unremembered" not in (tmp_path / "a.zip").read_bytes()
    evidence.add_files(tmp_path)
    assert evidence.find("unremembered-key+0123456789") == ["file"]


def nested(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("backup", [True, False])
async def test_only_the_job_whose_workflow_is_nested_too_deeply_is_not_backed_up(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, backup: bool
) -> None:
    job, other = cloud.finished[:2]
    job.overrides["workflow"] = {"nodes": nested(200)}
    operations = Operations(tmp_path, environ)
    result = await delete_jobs(
        operations, [job.id, other.id], "panel", Unwatched(), backup="workflows" if backup else "off"
    )
    outcome = result.jobs[job.id]
    assert result.jobs[other.id].outcome.value == "deleted"
    if backup:
        assert (outcome.outcome.value, str(outcome.why)) == (
            "failed",
            "its workflow couldn’t be backed up: it is nested too deeply",
        )
        assert job not in cloud.deleted
    else:
        assert outcome.outcome.value == "deleted"
