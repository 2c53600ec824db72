"""Routes that preview, run, list and end saves of outputs, and that serve what was saved."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest

from cloud_history.state.saves import InFlightSave
from simulated_cloud import Fault, SimulatedJob
from support.route_stage import OTHER_KEY, Answer, Stage

CLOUD_JOBS = 0
STORAGE, VIEW = ("GET", "/comfy-outputs/"), ("GET", "/api/view")
SAVE_MEMBERS = {
    *("operation", "state", "jobs", "files", "bytes", "files_done", "bytes_done", "bytes_per_second", "seconds_left"),
    *("saved", "already_here", "failed", "jobs_left", "place", "account", "started", "ended", "error"),
}


def add_jobs(stage: Stage, count: int, files: int = 2) -> list[SimulatedJob]:
    """Add completed jobs with outputs."""
    first = len(stage.cloud.jobs)
    return [
        stage.cloud.add_job(files=tuple(f"p{first + each}_{number}.png" for number in range(files)))
        for each in range(count)
    ]


def ids(jobs: list[SimulatedJob]) -> list[str]:
    return [job.id for job in jobs]


async def begin(stage: Stage, jobs: list[SimulatedJob]) -> dict[str, Any]:
    """Preview and confirm a save. Return the save."""
    shown = await stage.ask("preview_save", {"ids": ids(jobs)})
    answer = await stage.ask("save_outputs", {"token": shown.json["token"]})
    assert answer.status == 202, answer
    return dict(answer.json["save"])


async def ended(stage: Stage, operation: str) -> dict[str, Any]:
    """Wait until a save has ended, and return it as the route lists it."""
    for _ in range(2000):
        save = next(each for each in (await stage.ask("saves")).json["saves"] if each["operation"] == operation)
        if save["ended"] is not None:
            return dict(save)
        await asyncio.sleep(0.005)
    raise AssertionError("the save did not end")


def on_disk(stage: Stage) -> list[str]:
    """Return the SHA-256 of all saved outputs, sorted."""
    found = (stage.folder.parent / "output").rglob("*")
    return sorted(
        hashlib.sha256(path.read_bytes()).hexdigest() for path in found if path.is_file() and path.name != "job.json"
    )


def in_cloud(stage: Stage, jobs: list[SimulatedJob]) -> list[str]:
    return sorted(stage.cloud.account.facts_of(path).sha256 for job in jobs for path in job.paths)


def told(stage: Stage, name: str) -> list[dict[str, Any]]:
    return [payload for event, payload in stage.events if event == name]


async def test_a_preview_counts_files_bytes_and_room_and_downloads_nothing(stage: Stage) -> None:
    jobs = [*add_jobs(stage, 3), *add_jobs(stage, 1, files=0)]
    shown = (await stage.ask("preview_save", {"ids": ids(jobs)})).json
    size = sum(stage.cloud.account.facts_of(path).size for job in jobs for path in job.paths)
    assert (shown["jobs"], shown["files"], shown["bytes"], shown["without_outputs"]) == (4, 6, size, 1)
    assert (shown["files_to_save"], shown["bytes_to_save"], shown["saved_files"]) == (6, size, 0)
    assert (shown["place"], shown["checked"], shown["gone"]) == ("output/comfy-cloud", "hash", [])
    assert shown["free_bytes"] > size
    assert shown["seconds"] >= 1
    assert not [each for each in stage.cloud.requests if each.path.startswith(STORAGE[1])]
    assert on_disk(stage) == []


async def test_a_preview_names_outputs_that_are_gone_and_counts_those_that_are_here(stage: Stage) -> None:
    first, second = add_jobs(stage, 2)
    await ended(stage, (await begin(stage, [first]))["operation"])
    stage.cloud.account.lost.update([first.paths[0], second.paths[0]])
    shown = (await stage.ask("preview_save", {"ids": ids([first, second])})).json
    assert {(each["job_id"], each["filename"]) for each in shown["gone"]} == {
        (first.id, first.files[0]),
        (second.id, second.files[0]),
    }
    assert (shown["files"], shown["saved_files"], shown["files_to_save"]) == (4, 2, 1)


async def test_a_confirmed_save_brings_every_output_and_tells_the_browsers_of_its_end(stage: Stage) -> None:
    jobs = add_jobs(stage, 4)
    save = await begin(stage, jobs)
    assert set(save) == SAVE_MEMBERS
    done = await ended(stage, save["operation"])
    assert (done["state"], done["saved"], done["already_here"], done["failed"]) == ("done", 8, 0, [])
    assert (done["files"], done["files_done"], done["bytes_done"]) == (8, 8, done["bytes"])
    assert on_disk(stage) == in_cloud(stage, jobs)
    end = {"operation": save["operation"], "kind": "save", "ended": False}
    await stage.until(lambda: end in told(stage, "cloud_history.changed"))
    assert {"operation": save["operation"], "kind": "save"} in told(stage, "cloud_history.progress")


async def test_a_token_starts_one_save_only(stage: Stage) -> None:
    shown = (await stage.ask("preview_save", {"ids": ids(add_jobs(stage, 1))})).json
    assert (await stage.ask("save_outputs", {"token": shown["token"]})).status == 202
    assert (await stage.ask("save_outputs", {"token": shown["token"]})).status == 410


async def test_a_selection_by_filter_saves_exactly_the_finished_jobs_that_match(stage: Stage) -> None:
    jobs = add_jobs(stage, 2)
    stage.cloud.add_job("in_progress", files=("later.png",))
    shown = (await stage.ask("preview_save", {"filter": {}})).json
    assert shown["jobs"] == 2
    await stage.ask("save_outputs", {"token": shown["token"]})
    await ended(stage, shown["operation"])
    assert on_disk(stage) == in_cloud(stage, jobs)


@pytest.mark.parametrize("body", [{}, {"ids": [], "filter": {}}, {"ids": ["x"]}, {"filter": {"saved": "maybe"}}])
async def test_a_selection_that_is_not_exactly_one_is_refused(stage: Stage, body: dict[str, object]) -> None:
    answer = await stage.ask("preview_save", body)
    assert (answer.status, answer.code) == (400, "invalid_request")


async def test_a_stopped_save_says_what_is_left_and_trying_again_saves_the_rest(stage: Stage) -> None:
    jobs = add_jobs(stage, 3)
    stage.cloud.faults.append(Fault(STORAGE, "stall", times=None, after=2, sent=5))
    save = await begin(stage, jobs)
    await stage.until(lambda: stage.saves.own[0].progress.files_done == 2)
    stopping = (await stage.ask("stop_save", {"operation": save["operation"]})).json["save"]
    assert stopping["state"] in ("stopping", "stopped")
    done = await ended(stage, save["operation"])
    assert (done["state"], done["saved"], done["jobs_left"] >= 2) == ("stopped", 2, True)
    stage.cloud.faults.clear()
    again = (await stage.ask("retry_save", {"operation": save["operation"]})).json["save"]
    assert (await ended(stage, again["operation"]))["state"] == "done"
    assert on_disk(stage) == in_cloud(stage, jobs)
    listed = [each["operation"] for each in (await stage.ask("saves")).json["saves"]]
    assert listed == [again["operation"]]


async def test_failed_outputs_are_listed_with_the_reason(stage: Stage) -> None:
    (job,) = add_jobs(stage, 1)
    save = await begin(stage, [job])
    await ended(stage, save["operation"])
    stage.cloud.account.lost.add(job.paths[0])
    for path in (stage.folder.parent / "output").rglob("*.png"):
        path.unlink()
    done = await ended(stage, (await begin(stage, [job]))["operation"])
    (failed,) = done["failed"]
    words = "it is no longer on Comfy Cloud"
    assert failed | {"reason": None} == {"job_id": job.id, "filename": job.files[0], "why": words, "reason": None}
    assert (failed["reason"]["code"], failed["reason"]["text"]) == ("output_gone", words)
    assert (done["saved"], done["jobs_left"]) == (1, 1)


async def test_after_a_restart_a_save_is_interrupted_and_goes_on_only_when_asked(stage: Stage) -> None:
    jobs = add_jobs(stage, 2)
    operation = interrupt(stage, jobs)
    (save,) = (await stage.ask("saves")).json["saves"]
    assert set(save) == SAVE_MEMBERS
    assert (save["operation"], save["state"], save["jobs"], save["files"]) == (operation, "interrupted", 2, None)
    assert stage.cloud.requests == []
    answer = await stage.ask("continue_save", {"operation": operation})
    assert (answer.status, answer.json["save"]["state"]) == (202, "running")
    assert (await ended(stage, operation))["saved"] == 4
    assert on_disk(stage) == in_cloud(stage, jobs)
    await stage.until(lambda: not list((stage.folder / "saving").glob("*.json")))


async def test_an_interrupted_save_of_another_key_is_not_continued(stage: Stage) -> None:
    operation = interrupt(stage, add_jobs(stage, 1), last4="wxyz")
    answer = await stage.ask("continue_save", {"operation": operation})
    assert (answer.status, answer.code) == (409, "account_changed")
    assert stage.cloud.requests == []


async def test_a_dismissed_save_is_not_listed_any_more_and_what_it_left_is_removed(stage: Stage) -> None:
    interrupted = interrupt(stage, add_jobs(stage, 1))
    done = await ended(stage, (await begin(stage, add_jobs(stage, 1)))["operation"])
    left = next((stage.folder.parent / "output").rglob("job.json")).with_name(f".p.png.{'0' * 32}.part")
    for operation in (interrupted, done["operation"]):
        left.write_bytes(b"left")
        assert (await stage.ask("dismiss_save", {"operation": operation})).status == 200
        assert (await stage.ask("dismiss_save", {"operation": operation})).status == 400
        await stage.until(lambda: not left.exists())
    assert (await stage.ask("saves")).json["saves"] == []


def interrupt(stage: Stage, jobs: list[SimulatedJob], last4: str = "") -> str:
    """Leave a save as a ComfyUI that was killed leaves it. Return its id."""
    host = stage.cloud.base_url.removeprefix("http://")
    entry = InFlightSave(ids(jobs), host, last4 or stage.cloud.api_key[-4:], "", "output/comfy-cloud", "panel")
    stage.operations.outputs.running.begin(entry)
    stage.operations.outputs.running.interrupt(entry.operation)
    return entry.operation


async def test_a_changed_key_stops_the_running_saves(cloud_stage: Stage) -> None:
    stage = cloud_stage
    jobs = add_jobs(stage, 2)
    stage.cloud.faults.append(Fault(STORAGE, "stall", times=None, after=1, sent=5))
    save = await begin(stage, jobs)
    await stage.until(lambda: stage.saves.own[0].progress.files_done == 1)
    await stage.ask("save_key", {"api_key": OTHER_KEY, "unchecked": True})
    assert (await ended(stage, save["operation"]))["state"] == "stopped"
    answer = await stage.ask("retry_save", {"operation": save["operation"]})
    assert (answer.status, answer.code) == (409, "account_changed")


@pytest.fixture
def cloud_stage(stage: Stage) -> Stage:
    """The routes with a saved key, which can be replaced."""
    environ = stage.operations._environ
    assert isinstance(environ, dict)
    from cloud_history.secret import Secret

    stage.operations.keys.save(Secret(environ.pop("COMFY_CLOUD_API_KEY")))
    return stage


async def test_which_jobs_are_saved_is_told_without_asking_the_cloud(stage: Stage) -> None:
    whole, partly, none = add_jobs(stage, 3)
    await ended(stage, (await begin(stage, [whole, partly]))["operation"])
    remove(stage, partly.paths[0])
    stage.cloud.requests.clear()
    answer = await stage.ask("saved_outputs", {"ids": ids([whole, partly, none])})
    assert answer.json == {"jobs": {whole.id: "all", partly.id: "some"}}
    assert stage.cloud.requests == []


async def test_the_list_can_be_filtered_by_what_is_saved(stage: Stage) -> None:
    whole, partly, none = add_jobs(stage, 3)
    add_jobs(stage, 1, files=0)
    await ended(stage, (await begin(stage, [whole, partly]))["operation"])
    remove(stage, partly.paths[0])
    assert await listed(stage, "yes") == {whole.id}
    assert await listed(stage, "no") == {partly.id, none.id}


async def listed(stage: Stage, saved: str) -> set[str]:
    lines = (await stage.ask("jobs", {"filter": {"saved": saved}})).lines
    return {job["id"] for line in lines if line["type"] == "jobs" for job in line["jobs"]}


def remove(stage: Stage, path: str) -> None:
    """Remove the saved copy of an output."""
    digest = stage.cloud.account.facts_of(path).sha256
    for each in (stage.folder.parent / "output").rglob("*"):
        if each.is_file() and hashlib.sha256(each.read_bytes()).hexdigest() == digest:
            each.unlink()


async def test_the_saved_outputs_of_a_deleted_job_are_listed_and_served(stage: Stage) -> None:
    (job,) = add_jobs(stage, 1)
    await ended(stage, (await begin(stage, [job]))["operation"])
    job.delete(0.0)
    about = (await stage.ask("saved_outputs_of", path=f"outputs/of/{job.id}")).json
    assert (about["whole"], [each["name"] for each in about["files"]]) == (True, list(job.files))
    assert all(each["here"] and each["path"].startswith("output/comfy-cloud/") for each in about["files"])
    for number, path in enumerate(job.paths):
        answer = await file(stage, job, number)
        assert hashlib.sha256(answer.content).hexdigest() == stage.cloud.account.facts_of(path).sha256
        assert answer.headers["content-disposition"] == "attachment"
        assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer.headers["content-type"] == "image/png"


async def file(stage: Stage, job: SimulatedJob, number: object) -> Answer:
    return await stage.ask("saved_file", path=f"outputs/of/{job.id}/{number}")


@pytest.mark.parametrize("number", ["2", "-1", "x", "1e0", "999999999", "%2e%2e", "0%00", "٣"])
async def test_no_other_file_can_be_asked_for(stage: Stage, number: str) -> None:
    (job,) = add_jobs(stage, 1)
    await ended(stage, (await begin(stage, [job]))["operation"])
    assert (await file(stage, job, number.encode("ascii", "replace").decode())).status in (400, 404)


async def test_a_changed_file_is_not_served_as_the_output(stage: Stage) -> None:
    (job,) = add_jobs(stage, 1, files=1)
    await ended(stage, (await begin(stage, [job]))["operation"])
    for path in (stage.folder.parent / "output").rglob("*.png"):
        path.write_bytes(b"another picture")
    assert (await file(stage, job, 0)).status == 400
    assert (await stage.ask("saved_outputs_of", path=f"outputs/of/{job.id}")).json["files"][0]["here"] is False


async def test_facts_for_a_deletion_do_not_use_up_its_token(stage: Stage) -> None:
    jobs = add_jobs(stage, 2)
    stage.cloud.account.lost.add(jobs[0].paths[0])
    shown = await stage.preview(ids=ids(jobs))
    facts = (await stage.ask("output_facts", {"token": shown["token"]})).json
    assert (facts["files"], facts["saved_files"], facts["gone_files"], facts["jobs_with_outputs"]) == (4, 0, 1, 2)
    assert facts["known"] is True
    assert (await stage.ask("delete", {"token": shown["token"]})).status == 200


async def test_facts_of_a_workflows_question_come_from_its_node(stage: Stage) -> None:
    question = await stage.open_question()
    (stage.folder / "asking" / f"{stage.question}.facts").write_text('{"files": 3}')
    body = {"question": stage.question, "token": stage.question_token}
    assert (await stage.ask("output_facts", body)).json == {"files": 3}
    assert (await stage.ask("output_facts", {**body, "token": "another"})).status == 410
    assert (stage.folder / "asking" / f"{stage.question}.wants_facts").exists()
    question.release()


async def test_facts_of_a_clear_count_the_whole_history(stage: Stage) -> None:
    jobs = add_jobs(stage, 3)
    shown = await stage.preview()
    facts = (await stage.ask("output_facts", {"token": shown["token"]})).json
    assert (facts["files"], facts["jobs_with_outputs"]) == (sum(len(job.files) for job in jobs), 3)


async def test_a_deletion_with_outputs_saves_them_first_and_counts_them(stage: Stage) -> None:
    jobs = add_jobs(stage, 2)
    shown = await stage.preview(ids=ids(jobs))
    answer = await stage.ask("delete", {"token": shown["token"], "backup": "outputs"})
    assert (answer.json["result"]["outputs_saved"], answer.json["result"]["backed_up"]) == (4, 2)
    assert on_disk(stage) == in_cloud(stage, jobs)
    assert stage.cloud.deleted == jobs


async def test_an_unknown_word_for_the_backup_is_refused(stage: Stage) -> None:
    shown = await stage.preview(ids=ids(add_jobs(stage, 1)))
    answer = await stage.ask("delete", {"token": shown["token"], "backup": "everything"})
    assert (answer.status, answer.code) == (400, "invalid_request")
    assert stage.cloud.deleted == []


@pytest.mark.parametrize("folder", ["/", "/etc", "../elsewhere", "a/../../b", "~root", "C:\\x", "con", "a\nb"])
async def test_a_folder_outside_the_output_folder_is_refused_and_not_saved(stage: Stage, folder: str) -> None:
    before = stage.operations.settings.load()
    answer = await stage.ask("settings", {"outputs_folder": folder})
    assert answer.status in (400, 409)
    assert stage.operations.settings.load() == before


async def test_a_folder_inside_the_output_folder_is_used_for_the_next_save(stage: Stage) -> None:
    jobs = add_jobs(stage, 1)
    status = (await stage.ask("settings", {"outputs_folder": "mine/cloud"})).json
    assert status["outputs"] == {"place": "output/mine/cloud", "problem": None}
    await ended(stage, (await begin(stage, jobs))["operation"])
    assert on_disk(stage) == in_cloud(stage, jobs)
    assert (
        (await stage.ask("saved_outputs_of", path=f"outputs/of/{jobs[0].id}"))
        .json["folder"]
        .startswith("output/mine/cloud/")
    )


async def test_a_folder_that_was_changed_after_the_preview_needs_another_look(stage: Stage) -> None:
    shown = (await stage.ask("preview_save", {"ids": ids(add_jobs(stage, 1))})).json
    await stage.ask("settings", {"outputs_folder": "mine"})
    answer = await stage.ask("save_outputs", {"token": shown["token"]})
    assert (answer.status, answer.code) == (410, "preview_expired")
    assert on_disk(stage) == []


async def test_nothing_is_saved_if_the_save_cannot_be_recorded(stage: Stage) -> None:
    shown = (await stage.ask("preview_save", {"ids": ids(add_jobs(stage, 1))})).json
    (stage.folder / "saving").write_bytes(b"a file where the folder must be")
    answer = await stage.ask("save_outputs", {"token": shown["token"]})
    assert answer.status == 409
    assert on_disk(stage) == []
    assert (await stage.ask("saves")).json["saves"] == []
