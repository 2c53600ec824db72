"""How the routes answer each error of Comfy Cloud and of the network."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_cloud import ERROR_SHAPES, Fault
from simulated_cloud.error_shapes import (
    ErrorShape,
    error_response,
    message_only,
    plain_text,
    plan_refusal,
    rate_limited,
)
from support.route_stage import OTHER_KEY, Stage

LIST = ("GET", "/api/jobs")
CLEAR = ("POST", "/api/history")
USER = ("GET", "/api/user")

SHAPES: list[tuple[ErrorShape, int, str]] = [
    (error_response(400, "bad_request", "No."), 502, "bad_request"),
    (message_only(401, "Invalid API key"), 502, "unauthorized"),
    (ERROR_SHAPES["insufficient_credits"], 502, "insufficient_credits"),
    (ERROR_SHAPES["auth_type_not_allowed"], 502, "forbidden"),
    (ERROR_SHAPES["sso_required"], 502, "forbidden"),
    (ERROR_SHAPES["not_found"], 404, "not_found"),
    (error_response(418, "teapot", "Short and stout."), 502, "bad_request"),
    (ERROR_SHAPES["subscription_inactive"], 502, "subscription_inactive"),
    (rate_limited("3600"), 502, "rate_limited"),
    (plan_refusal("PAYMENT_REQUIRED", 402), 502, "subscription_inactive"),
    (ERROR_SHAPES["error_response"], 502, "server_fault"),
    (ERROR_SHAPES["html_page"], 502, "server_fault"),
    (plain_text(), 502, "server_fault"),
    (ERROR_SHAPES["empty"], 502, "server_fault"),
]
NAMES = [f"{shape.status}-{code}" for shape, _, code in SHAPES]

ODDITIES: list[tuple[dict[str, Any], int, str]] = [
    ({"kind": "html"}, 502, "not_comfy_cloud"),
    ({"kind": "html", "status": 403}, 502, "not_comfy_cloud"),
    ({"kind": "redirect", "location": "http://127.0.0.1:9/steal"}, 502, "not_comfy_cloud"),
    ({"kind": "empty"}, 502, "unreadable_answer"),
    ({"kind": "huge", "mebibytes": 17}, 502, "answer_too_large"),
    ({"kind": "reset_before_body"}, 503, "unreachable"),
    ({"kind": "truncated"}, 503, "unreachable"),
]


@pytest.mark.parametrize(("shape", "status", "code"), SHAPES, ids=NAMES)
async def test_a_preview_names_each_error_of_the_cloud(stage: Stage, shape: ErrorShape, status: int, code: str) -> None:
    stage.cloud.faults.append(Fault.shaped(LIST, shape, times=None))
    answer = await stage.ask("preview")
    assert (answer.status, answer.code) == (status, code)
    assert answer.json["error"]["status"] == shape.status
    assert answer.json["error"]["message"]


@pytest.mark.parametrize(("fault", "status", "code"), ODDITIES, ids=lambda value: str(value)[:50])
async def test_a_preview_names_each_fault_of_the_network(
    stage: Stage, fault: dict[str, Any], status: int, code: str
) -> None:
    stage.cloud.faults.append(Fault(LIST, times=None, **fault))
    answer = await stage.ask("preview")
    assert (answer.status, answer.code) == (status, code)


async def test_a_clear_whose_jobs_cannot_be_counted_is_not_sent_and_gives_the_reason(stage: Stage) -> None:
    token = (await stage.ask("preview")).json["token"]
    stage.cloud.faults.append(Fault.shaped(LIST, ERROR_SHAPES["error_response"], times=None))
    answer = await stage.ask("clear", {"token": token})
    assert (answer.status, answer.code) == (502, "server_fault")
    assert stage.cloud.history_posts == []
    (result,) = stage.results()
    assert (result["outcome"], result["removed"], result["error"]["code"]) == ("failed", 0, "server_fault")
    assert stage.operations.queue.unresolved() == []


async def test_a_clear_refused_by_the_cloud_reports_no_removed_jobs_and_the_reason(stage: Stage) -> None:
    token, before = (await stage.ask("preview")).json["token"], len(stage.cloud.finished)
    stage.cloud.faults.append(Fault.shaped(CLEAR, ERROR_SHAPES["sso_required"], times=None))
    answer = await stage.ask("clear", {"token": token})
    result = answer.json["result"]
    assert (answer.status, result["outcome"], result["removed"]) == (200, "failed", 0)
    assert (result["error"]["code"], result["error"]["status"]) == ("forbidden", 403)
    assert len(stage.cloud.finished) == before
    assert len(stage.cloud.history_posts) == 1


@pytest.mark.parametrize(
    ("shape", "code"), [(shape, code) for shape, _, code in SHAPES if shape.status in (400, 401, 403)]
)
async def test_a_key_refused_by_the_cloud_cannot_be_saved(stage: Stage, shape: ErrorShape, code: str) -> None:
    stage.cloud.faults.append(Fault.shaped(USER, shape, times=None))
    answer = await stage.ask("save_key", {"api_key": OTHER_KEY})
    assert (answer.status, answer.code) == (502, code)
    assert "can_save_unchecked" not in answer.json
    assert "api_key.json" not in stage.kept_files()


@pytest.mark.parametrize(
    ("shape", "status", "code"), [row for row in SHAPES if row[0].status not in (400, 401, 403, 418)]
)
async def test_a_key_that_could_not_be_checked_is_saved_only_on_request(
    stage: Stage, shape: ErrorShape, status: int, code: str
) -> None:
    stage.cloud.faults.append(Fault.shaped(USER, shape, times=None))
    answer = await stage.ask("save_key", {"api_key": OTHER_KEY})
    assert (answer.status, answer.code, answer.json["can_save_unchecked"]) == (status, code, True)
    assert "api_key.json" not in stage.kept_files()
