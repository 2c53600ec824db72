"""The answers of the simulated cloud match the official OpenAPI document, where that document is available."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from simulated_cloud import STATUSES, Fault, SimulatedCloud
from simulated_cloud.error_shapes import error_response

CHECKOUT = Path(__file__).resolve().parents[2]
SPEC = Path(os.environ.get("CLOUD_HISTORY_SPEC") or CHECKOUT.parent / "shared" / "spec" / "openapi-cloud.yaml")

pytestmark = pytest.mark.skipif(
    not SPEC.is_file(), reason="openapi-cloud.yaml is missing; set CLOUD_HISTORY_SPEC to its path"
)


@functools.cache
def spec() -> dict[str, Any]:
    """Return the document as one JSON Schema, so that its references resolve within it."""
    document = json_schema(yaml.safe_load(SPEC.read_text(encoding="utf-8")))
    assert isinstance(document, dict)
    return document


def json_schema(node: Any) -> Any:
    """Convert OpenAPI 3.0 to JSON Schema, in which `nullable` is a union with null."""
    if isinstance(node, list):
        return [json_schema(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    converted = {name: json_schema(value) for name, value in node.items() if name != "nullable"}
    if node.get("nullable") is True:
        return {"anyOf": [converted, {"type": "null"}]}
    return converted


def check(answer: Any, *, path: str, method: str = "get", status: int = 200) -> None:
    """Fail unless the document allows this answer."""
    responses = spec()["paths"][path][method]["responses"]
    schema = responses[str(status)]["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**spec(), **schema}, format_checker=FormatChecker())
    validator.validate(answer)


@pytest.fixture
def cloud() -> SimulatedCloud:
    return SimulatedCloud(jobs=240)


def test_the_openapi_check_refuses_a_wrong_answer() -> None:
    page = {"offset": 0, "limit": 10, "total": 0, "has_more": False}
    job = {"id": "cb3f0a52-6a2c-4a4c-9f4b-0d6d6a7f3c10", "status": "done", "create_time": 1}
    check({"jobs": [{**job, "status": "failed"}], "pagination": page}, path="/api/jobs")
    wrong: list[Any] = [
        {"jobs": []},
        {"jobs": [job], "pagination": page},
        {"jobs": [{**job, "status": "failed", "create_time": "1"}], "pagination": page},
        {"jobs": [], "pagination": {**page, "limit": 0}},
    ]
    for answer in wrong:
        with pytest.raises(ValidationError):
            check(answer, path="/api/jobs")


def test_nullable_becomes_a_union_with_null() -> None:
    validator = Draft202012Validator(json_schema({"type": "string", "nullable": True}))
    assert validator.is_valid(None)
    assert not validator.is_valid(5)


@pytest.mark.parametrize("cursor", [False, True])
async def test_the_list_matches_the_openapi_document(
    cloud: SimulatedCloud, http: aiohttp.ClientSession, cursor: bool
) -> None:
    cloud.switches.cursor = cursor
    cloud.switches.time_unit = "s"
    async with http.get("/api/jobs", params={"limit": 1000}) as answer:
        page = await answer.json()
    assert len(page["jobs"]) == 240
    assert answer.content_type == "application/json"
    check(page, path="/api/jobs")


async def test_the_details_of_jobs_of_every_status_match_the_openapi_document(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    for status in STATUSES:
        for job in cloud.listed(status)[:12]:
            async with http.get(f"/api/jobs/{job.id}") as answer:
                text = await answer.read()
                detail = await answer.json()
            check(detail, path="/api/jobs/{job_id}")
            assert 10_000 < len(text) < 120_000


async def test_the_other_answers_match_the_openapi_document(http: aiohttp.ClientSession) -> None:
    for path in ("/api/user", "/api/system_stats"):
        async with http.get(path) as answer:
            check(await answer.json(), path=path)


async def test_assets_match_the_openapi_document(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    async with http.get("/api/assets", params={"limit": 60}) as answer:
        page = await answer.json()
    assert len(page["assets"]) == 60
    assert {"asset_hash", "prompt_id"} <= set(page["assets"][0])
    check(page, path="/api/assets")
    async with http.get("/api/assets", params={"limit": 501}) as answer:
        check(await answer.json(), path="/api/assets", status=answer.status)


async def test_a_deletion_is_answered_with_200_and_an_empty_body(http: aiohttp.ClientSession) -> None:
    async with http.post("/api/history", json={"clear": True}) as answer:
        assert (answer.status, await answer.read()) == (200, b"")
    assert "content" not in spec()["paths"]["/api/history"]["post"]["responses"]["200"]


async def test_errors_match_the_openapi_document(cloud: SimulatedCloud, http: aiohttp.ClientSession) -> None:
    async with http.post("/api/history", json={"all": True}) as answer:
        check(await answer.json(), path="/api/history", method="post", status=answer.status)
    async with http.get("/api/jobs/00000000-0000-4000-8000-000000000000") as answer:
        check(await answer.json(), path="/api/jobs/{job_id}", status=answer.status)
    for query in ({}, {"filename": "nothing.png"}):
        async with http.get("/api/view", params=query) as answer:
            check(await answer.json(), path="/api/view", status=answer.status)
    cloud.switches.unauthorized = error_response(401, "unauthorized", "Invalid API key")
    cloud.api_key = "another"
    async with http.get("/api/jobs") as answer:
        check(await answer.json(), path="/api/jobs", status=answer.status)


async def test_the_500_of_a_fault_matches_the_openapi_document(
    cloud: SimulatedCloud, http: aiohttp.ClientSession
) -> None:
    cloud.faults.append(Fault.shaped(("POST", "/api/history"), error_response(500, "internal_error", "Sorry.")))
    async with http.post("/api/history", json={"clear": True}) as answer:
        check(await answer.json(), path="/api/history", method="post", status=answer.status)


def test_the_openapi_document_forbids_other_fields_in_a_deletion_request() -> None:
    schema = spec()["components"]["schemas"]["HistoryManageRequest"]
    assert set(schema["properties"]) == {"delete", "clear"}
    assert schema["additionalProperties"] is False
