"""The details of a job are complete, without the inputs of a failed node, and with text unchanged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloud_history.secret import HIDDEN
from simulated_cloud import Fault
from simulated_cloud.samples import FAILURES, INPUT_SECRET
from support.route_stage import JOB, Answer, Stage

HOSTILE = "<img src=x onerror=alert(1)>\u202e\x00\x1b[31m{{7*7}}"


async def details(stage: Stage, job_id: str) -> Answer:
    return await stage.ask("details", path=f"jobs/{job_id}")


async def answered(stage: Stage, **detail: Any) -> Any:
    """Return the details of a job for which the cloud returns these fields."""
    whole = {"id": JOB, "status": "failed", "create_time": 1_760_000_000_000, **detail}
    fault = Fault(("GET", f"/api/jobs/{JOB}"), "status", status=200, json=whole, times=None)
    stage.cloud.faults[:] = [fault]
    answer = await details(stage, JOB)
    assert answer.status == 200, answer
    return answer.json


async def test_the_details_of_a_finished_job_are_complete(stage: Stage) -> None:
    job = next(job for job in stage.cloud.listed("completed") if len(job.files) > 1)
    told = (await details(stage, job.id.upper())).json
    assert (told["job"]["id"], told["job"]["status"], told["updated"]) == (
        job.id,
        "completed",
        job.update_time,
    )
    assert [each["filename"] for each in told["outputs"]] == list(job.files)
    assert set(told["outputs"][0]) == {"filename", "media_type", "output_type", "node_id"}
    assert isinstance(told["workflow"]["nodes"], list)
    assert all("class_type" in node for node in told["prompt"].values())
    assert told["error"] is None


async def test_every_failure_has_its_traceback_as_lines_and_never_its_inputs(stage: Stage) -> None:
    for kind in range(len(FAILURES)):
        job = stage.cloud.add_job("failed", error_kind=kind)
        answer = await details(stage, job.id)
        error = answer.json["error"]
        assert set(error) == {"message", "type", "node_type", "node_id", "traceback"}
        assert error["node_type"] == FAILURES[kind].node_type
        assert [line for line in error["traceback"] if not isinstance(line, str)] == []
        assert len(error["traceback"]) == len(FAILURES[kind].frames)
        for hidden in (INPUT_SECRET, "current_inputs", "current_outputs", "extra_data", "api_key_comfy_org"):
            assert hidden not in answer.text


@pytest.mark.parametrize(
    "workflow",
    [
        {"nodes": [], "extra_data": {"api_key_comfy_org": "swordfish"}},
        {"prompt": {"1": {"class_type": "X"}}, "extra_data": {"api_key_comfy_org": "swordfish"}},
        {"extra_data": {"auth": "swordfish", "extra_pnginfo": {"workflow": {"nodes": []}}}},
        {"extra_data": {"extra_pnginfo": "swordfish"}},
        {"prompt": "swordfish"},
        ["swordfish"],
        "swordfish",
        None,
    ],
    ids=str,
)
async def test_no_extra_data_is_shown_whatever_the_shape_of_the_workflow(stage: Stage, workflow: Any) -> None:
    assert "swordfish" not in json.dumps(await answered(stage, workflow=workflow))


async def test_hostile_text_in_details_is_returned_unchanged(stage: Stage) -> None:
    told = await answered(
        stage,
        execution_error={"exception_message": HOSTILE, "exception_type": HOSTILE, "traceback": [HOSTILE, 5]},
        outputs={HOSTILE: {HOSTILE: [{"filename": HOSTILE}]}},
    )
    assert told["error"]["message"] == HOSTILE
    assert told["error"]["traceback"][0].startswith(HOSTILE[:10])
    assert told["outputs"][0]["filename"] == HOSTILE


@pytest.mark.parametrize("odd", [None, 5, "x", [], [[]], {}, {"x": 5}, {"9": {"images": [5, None, {"filename": 7}]}}])
async def test_malformed_fields_are_left_out_and_the_rest_is_shown(stage: Stage, odd: Any) -> None:
    told = await answered(
        stage, outputs=odd, preview_output=odd, execution_error={"traceback": odd, "exception_message": odd}
    )
    assert (told["outputs"], told["job"]["preview"]) == ([], None)
    assert isinstance(told["error"]["traceback"], list)


async def test_a_huge_traceback_and_a_thousand_outputs_are_cut(stage: Stage) -> None:
    files = [{"filename": f"{number}.png"} for number in range(2000)]
    told = await answered(
        stage, outputs={"9": {"images": files}}, execution_error={"traceback": ["x" * 999 + "\n"] * 900}
    )
    assert len(told["outputs"]) == 500
    assert len("".join(told["error"]["traceback"])) == 20_000


async def test_the_key_is_hidden_in_error_texts_of_the_cloud(stage: Stage) -> None:
    key = stage.cloud.api_key
    told = await answered(stage, execution_error={"exception_message": key, "traceback": [key[:9], key[9:]]})
    assert key not in "".join([told["error"]["message"], *told["error"]["traceback"]])


async def test_the_key_is_hidden_in_every_part_of_the_details_of_a_job(stage: Stage) -> None:
    key = stage.cloud.api_key
    holding = {"type": key, "widgets_values": [key, {key: f"Bearer {key}"}], "title": key.upper()}
    for workflow in (
        {"nodes": [holding]},
        {"prompt": {key: {"class_type": "X", "inputs": {"text": key, key: 1}}}},
        {"prompt": {}, "extra_data": {"extra_pnginfo": {"workflow": {"nodes": [holding], key: key}}}},
    ):
        told = await answered(
            stage, workflow=workflow, outputs={key: {key: [{"filename": f"{key}.png"}]}}, workflow_id=key
        )
        assert key not in json.dumps(told).lower()
        assert HIDDEN in json.dumps(told["workflow"] or told["prompt"])


@pytest.mark.parametrize("levels", [98, 900, 20_000])
async def test_a_workflow_nested_too_deeply_is_reported_as_such(stage: Stage, levels: int) -> None:
    body = f'{{"id": "{JOB}", "status": "failed", "workflow": {{"nodes": {"[" * levels + "]" * levels}}}}}'
    reply = Fault(("GET", f"/api/jobs/{JOB}"), "status", status=200, body=body.encode(), times=None)
    stage.cloud.faults[:] = [reply]
    answer = await details(stage, JOB)
    if levels == 98:
        assert answer.status == 200
    else:
        assert (answer.status, answer.code) == (502, "nested_too_deeply")
        assert "more than 100 levels" in answer.json["error"]["message"]


async def test_details_of_another_job_are_not_accepted(stage: Stage) -> None:
    other = stage.cloud.finished[0].detail()
    stage.cloud.faults.append(Fault(("GET", "/api/jobs/"), "status", status=200, json=other, times=None))
    answer = await details(stage, JOB)
    assert (answer.status, answer.code) == (502, "unreadable_answer")


async def test_a_job_that_is_not_there_is_not_found(stage: Stage) -> None:
    answer = await details(stage, JOB)
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "x",
            "..",
            "%2e%2e",
            "..%2f..%2fapi%2fuser",
            f"{JOB}%2f..",
            f"{JOB}%00",
            f"%7B{JOB}%7D",
            f"{JOB}%0a",
        ),
        *(f"{JOB}%3Fx=1", "%EF%BC%90" + JOB[1:], JOB[:-1], f"{JOB}0"),
    ],
)
async def test_an_invalid_job_id_is_never_requested(stage: Stage, name: str) -> None:
    answer = await details(stage, name)
    assert answer.status in (400, 404)
    assert stage.cloud.requests == []


LARGE_SEED = 18446744073709551614
ODD = f'{{"nodes": [{{"seed": {LARGE_SEED}, "cfg": NaN, "a": [Infinity, -Infinity, 1e-7, 1.0], "t": "é\\ud800"}}]}}'


def of_odd_numbers(stage: Stage) -> None:
    body = f'{{"id": "{JOB}", "status": "failed", "workflow": {ODD}, "update_time": NaN}}'
    reply = Fault(("GET", f"/api/jobs/{JOB}"), "status", status=200, body=body.encode(), times=None)
    stage.cloud.faults[:] = [reply]


async def test_numbers_that_are_not_finite_are_sent_as_null(stage: Stage) -> None:
    of_odd_numbers(stage)
    answer = await details(stage, JOB)
    told = json.loads(answer.text, parse_constant=pytest.fail)
    (node,) = told["workflow"]["nodes"]
    assert (node["cfg"], node["a"], told["updated"]) == (None, [None, None, 1e-7, 1.0], None)


async def test_a_downloaded_workflow_preserves_every_number_exactly(stage: Stage) -> None:
    of_odd_numbers(stage)
    answer = await stage.ask("workflow", path=f"jobs/{JOB}/workflow")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert answer.headers["content-disposition"] == "attachment"
    text = answer.content.decode("utf-8")
    assert repr(json.loads(text)) == repr(json.loads(ODD))
    assert f'"seed": {LARGE_SEED},' in text
    assert "NaN" in text
    assert '"é\\ud800"' in text


async def test_a_downloaded_workflow_does_not_contain_the_key(stage: Stage) -> None:
    workflow = {"nodes": [stage.cloud.api_key], "extra_data": {"api_key_comfy_org": "swordfish"}}
    await answered(stage, workflow=workflow)
    answer = await stage.ask("workflow", path=f"jobs/{JOB}/workflow")
    assert answer.json == {"nodes": [HIDDEN]}


async def test_downloading_the_workflow_of_a_job_without_one_is_an_error(stage: Stage) -> None:
    await answered(stage, workflow=None)
    answer = await stage.ask("workflow", path=f"jobs/{JOB}/workflow")
    assert (answer.status, answer.json["error"]["message"]) == (400, "This job has no workflow.")
