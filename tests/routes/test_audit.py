"""The audit log and backups as the panel fetches them."""

from __future__ import annotations

import csv
import io
import json

import pytest

from cloud_history import __version__
from cloud_history.errors import CloudError, SettingsDamaged, StateNotAnswering
from cloud_history.state.audit_log import AuditEntry
from cloud_history.state.settings import Settings
from simulated_cloud import Fault
from support.route_stage import Stage

CLOUD_JOBS = 60


async def delete(stage: Stage, *job_ids: str, backup: bool = False) -> str:
    """Delete these jobs from the panel, and return the operation id."""
    shown = await stage.preview(ids=list(job_ids))
    answer = await stage.ask("delete", {"token": shown["token"], "backup": backup})
    assert answer.status == 200, answer
    return str(answer.json["operation"])


def finished(stage: Stage, count: int) -> list[str]:
    return [job.id for job in stage.cloud.finished[:count]]


async def test_a_deletion_is_logged_with_all_its_details_and_without_the_key(stage: Stage) -> None:
    first, second = finished(stage, 2)
    operation = await delete(stage, first, second, backup=True)
    (entry,) = (await stage.ask("record")).json["entries"]
    seconds, at, backup = entry.pop("seconds"), entry.pop("at"), entry.pop("backup")
    del entry["run_seconds"], entry["failed_run_seconds"], entry["timed_jobs"]
    assert (seconds >= 0, at[:2], backup["jobs"], backup["size"] > 0) == (True, "20", 2, True)
    assert entry == {
        "operation": operation,
        "kind": "delete",
        "origin": "panel",
        "node": "",
        "title": "",
        "asked": 2,
        "state": "done",
        "counts": {"deleted": 2},
        "removed": 2,
        "report": "2 jobs removed from your cloud history. Assets stay.",
        "host": stage.cloud.base_url.removeprefix("http://"),
        "last4": stage.cloud.api_key[-4:],
        "version": __version__,
    }
    stage.operation = operation
    jobs = (await stage.ask("record_jobs")).json["jobs"]
    assert [(each["id"], each["outcome"], each["why"]) for each in jobs] == [
        (first, "deleted", ""),
        (second, "deleted", ""),
    ]
    for content in stage.kept_files().values():
        assert stage.cloud.api_key.encode() not in content


async def test_a_workflow_is_read_back_from_the_backup_when_its_job_is_gone(stage: Stage) -> None:
    (job,) = [each.id for each in stage.cloud.listed("completed")][:1]
    stage.job = job
    before = (await stage.ask("details")).json
    assert before["workflow"]
    stage.operation = await delete(stage, job, backup=True)
    assert (await stage.ask("details")).status == 404
    kept = (await stage.ask("backed_up_job")).json
    assert kept["workflow"] == before["workflow"]
    file = await stage.ask("backed_up_workflow")
    assert (file.status, file.json) == (200, before["workflow"])
    (row,) = (await stage.ask("backup")).json["jobs"]
    assert (row["id"], row["has_workflow"]) == (job, True)
    assert (await stage.ask("delete_backup")).status == 200
    answer = await stage.ask("backup")
    assert (answer.status, answer.code) == (409, "backup_damaged")
    assert (await stage.ask("record")).json["entries"][0]["backup"] is None


async def test_the_backup_setting_applies_unless_the_request_overrides_it(stage: Stage) -> None:
    first, second = finished(stage, 2)
    await stage.ask("settings", {"backup": "workflows"})
    shown = await stage.preview(ids=[first])
    assert shown["backup"] == "workflows"
    answer = await stage.ask("delete", {"token": shown["token"]})
    assert answer.json["result"]["backed_up"] == 1
    await delete(stage, second, backup=False)
    assert len(stage.operations.backups.list()) == 1


async def test_with_backups_on_a_clear_deletes_exact_jobs(stage: Stage) -> None:
    await stage.ask("settings", {"backup": "workflows"})
    everything = len(stage.cloud.finished)
    shown = await stage.preview()
    assert (shown["kind"], shown["everything"], shown["removable"]) == ("delete", True, everything)
    result = (await stage.ask("delete", {"token": shown["token"]})).json["result"]
    assert (result["counts"]["deleted"], result["backed_up"]) == (everything, everything)
    assert (await stage.ask("record")).json["entries"][0]["origin"] == "menu"


async def test_a_clear_is_written_to_the_audit_log(stage: Stage) -> None:
    everything = len(stage.cloud.finished)
    token = (await stage.preview())["token"]
    assert (await stage.ask("clear", {"token": token})).status == 200
    answer = (await stage.ask("record")).json
    (entry,) = answer["entries"]
    assert (entry["kind"], entry["origin"], entry["removed"]) == ("clear", "menu", everything)
    assert answer["removed_in_all"] == everything


async def test_the_csv_has_a_line_for_each_job(stage: Stage) -> None:
    jobs = finished(stage, 3)
    await delete(stage, *jobs)
    answer = await stage.ask("record_csv")
    text = answer.text.removeprefix("\ufeff")
    assert [row[3] for row in csv.reader(io.StringIO(text, newline=""))] == ["job id", *jobs]


@pytest.mark.parametrize("name", ["x", "00" * 17, "G0" * 16, "..%2f" * 6 + "aa", "%00" * 32])
async def test_invalid_operation_names_are_refused(target: Stage, name: str) -> None:
    before = target.kept_files()
    for method, path in (
        ("GET", f"record/{name}"),
        ("GET", f"backups/{name}"),
        ("GET", f"backups/{name}/{target.job}"),
        ("GET", f"backups/{name}/{target.job}/workflow"),
        ("DELETE", f"backups/{name}"),
    ):
        body = b"{}" if method == "DELETE" else b""
        answer = await target.ask("delete_backup", body, method=method, path=path)
        assert answer.status in (400, 404), answer
        assert str(target.folder) not in answer.text
    assert target.kept_files() == before


async def test_a_job_missing_from_a_backup_is_an_error(target: Stage) -> None:
    other = finished(target, 1)[0]
    answer = await target.ask("backed_up_job", path=f"backups/{target.operation}/{other}")
    assert (answer.status, answer.code) == (409, "backup_damaged")


async def test_a_backup_can_be_read_after_any_number_of_later_deletions(stage: Stage) -> None:
    record = stage.operations.queue.audit_log
    oldest = await delete(stage, *finished(stage, 1), backup=True)
    for number in range(150):
        record.intent(AuditEntry(f"{number:032x}", "delete", "panel"))
    answer = (await stage.ask("record")).json
    entries = answer["entries"]
    assert (len(entries), entries[-1]["operation"], answer["more"]) == (101, oldest, True)
    assert entries[-1]["backup"]["jobs"] == 1


async def test_answers_hide_keys_in_stored_texts_even_before_the_first_use_of_the_key(stage: Stage) -> None:
    key = stage.cloud.api_key
    stage.operations.queue.audit_log.intent(
        AuditEntry(stage.operation, "delete", "node", node="5", title=f"Use {key}", job_ids=())
    )
    writer = stage.operations.backups.begin(stage.operation, {})
    writer.add(stage.job, {"id": stage.job, "status": "failed", "workflow": {"nodes": [key]}}, "another-key")
    writer.close()
    for route in ("record", "record_csv", "record_jobs", "backup", "backed_up_job", "backed_up_workflow"):
        answer = await stage.ask(route)
        assert answer.status == 200, route
        assert key not in answer.text


async def test_a_backup_preserves_the_numbers_of_a_workflow_exactly(stage: Stage) -> None:
    canvas = '{"nodes": [{"seed": 18446744073709551614, "cfg": NaN}]}'
    job = stage.cloud.listed("completed")[0].id
    body = f'{{"id": "{job}", "status": "completed", "workflow": {canvas}}}'
    stage.cloud.faults.append(Fault(("GET", f"/api/jobs/{job}"), "status", status=200, body=body.encode(), times=None))
    stage.job = job
    await stage.back_up(job)
    shown = json.loads((await stage.ask("backed_up_job")).text, parse_constant=pytest.fail)
    assert shown["workflow"]["nodes"][0]["cfg"] is None
    file = await stage.ask("backed_up_workflow")
    assert repr(json.loads(file.text)) == repr(json.loads(canvas))


FACTS = ("status", "created", "took", "name", "workflow_id")


async def test_the_audit_log_names_the_deleted_jobs_even_without_a_backup(stage: Stage) -> None:
    chosen = [*stage.cloud.listed("failed")[:1], *[job for job in stage.cloud.listed("completed") if job.files][:1]]
    shown = await stage.preview(ids=[job.id for job in chosen])
    before = {row["id"]: row for row in shown["rows"]}
    stage.operation = (await stage.ask("delete", {"token": shown["token"]})).json["operation"]
    jobs = {each["id"]: each["job"] for each in (await stage.ask("record_jobs")).json["jobs"]}
    assert jobs.keys() == before.keys()
    for job_id, row in before.items():
        assert {name: jobs[job_id][name] for name in FACTS} == {name: row[name] for name in FACTS}
    assert jobs[chosen[0].id]["error"]["message"] == before[chosen[0].id]["error"]["message"]
    assert jobs[chosen[1].id]["name"] == chosen[1].files[0]
    text = (await stage.ask("record_csv")).text.removeprefix("\ufeff")
    table = {row["job id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert table[chosen[1].id]["name"] == chosen[1].files[0]
    assert [table[job.id]["status"] for job in chosen] == ["failed", "completed"]


async def test_an_entry_has_the_run_time_of_the_removed_jobs_and_of_the_failed_ones_among_them(stage: Stage) -> None:
    chosen = [job.id for job in [*stage.cloud.listed("failed")[:3], *stage.cloud.listed("completed")[:2]]]
    active = stage.cloud.active[0].id
    shown = await stage.preview(ids=[*chosen, active])
    assert (await stage.ask("delete", {"token": shown["token"]})).status == 200
    (entry,) = (await stage.ask("record")).json["entries"]
    ran = [(row["status"], row["took"] or 0) for row in shown["rows"]]
    assert entry["run_seconds"] == pytest.approx(sum(took for _, took in ran) / 1000)
    assert entry["timed_jobs"] == sum(row["took"] is not None for row in shown["rows"])
    assert entry["failed_run_seconds"] == pytest.approx(sum(took for status, took in ran if status == "failed") / 1000)


async def test_with_names_off_the_record_has_only_the_ids_and_outcomes(stage: Stage) -> None:
    job = next(job for job in stage.cloud.listed("completed") if job.files)
    answer = await stage.ask("settings", {"record_names": "off"})
    assert (answer.status, answer.json["settings"]["record_names"]) == (200, "off")
    stage.operation = await delete(stage, job.id)
    jobs = (await stage.ask("record_jobs")).json["jobs"]
    assert jobs == [{"id": job.id, "outcome": "deleted", "why": "", "job": None}]
    assert not [name for name, content in stage.kept_files().items() if job.files[0].encode() in content]


@pytest.mark.parametrize("error", [SettingsDamaged("settings.json"), StateNotAnswering("not_answering", seconds=10)])
async def test_no_names_are_kept_while_the_settings_cannot_be_read(
    stage: Stage, error: CloudError, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Settings:
        raise error

    assert await stage.operations.keeps_names() is True
    monkeypatch.setattr(stage.operations.settings, "in_force", fail)
    assert await stage.operations.keeps_names() is False


async def test_a_clear_of_exact_jobs_says_what_went(stage: Stage) -> None:
    await stage.ask("settings", {"backup": "workflows"})
    finished_jobs = {job.id: job for job in stage.cloud.finished}
    shown = await stage.preview()
    stage.operation = (await stage.ask("delete", {"token": shown["token"]})).json["operation"]
    jobs = (await stage.ask("record_jobs")).json["jobs"]
    assert {each["id"]: each["job"]["status"] for each in jobs} == {
        job_id: job.status for job_id, job in finished_jobs.items()
    }


async def test_a_clear_by_its_count_claims_nothing_about_single_jobs(stage: Stage) -> None:
    await stage.ask("settings", {"backup": "off"})
    shown = await stage.preview()
    assert (await stage.ask("clear", {"token": shown["token"]})).status == 200
    (entry,) = (await stage.ask("record")).json["entries"]
    stage.operation = entry["operation"]
    assert (await stage.ask("record_jobs")).json["jobs"] == []
    assert (entry["run_seconds"], entry["failed_run_seconds"]) == (None, None)
