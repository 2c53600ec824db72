"""Only the documented requests can be built."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import get_type_hints
from urllib.parse import parse_qsl, urlsplit

import pytest

from cloud_history.cloud import protocol
from cloud_history.cloud.protocol import Repeat, Request
from cloud_history.errors import SchemaMismatch
from cloud_history.jobs.filters import JobFilter
from cloud_history.jobs.status import ACTIVE, JobStatus
from support.fake_history_client import ACTIVE_QUERY

JOB = "01234567-89ab-cdef-0123-456789abcdef"
OTHER = "fedcba98-7654-3210-fedc-ba9876543210"
ONLY_ACTIVE = JobFilter(ACTIVE).query()


def requests_that_can_be_built() -> dict[str, Request]:
    samples: dict[str, Callable[[], Request]] = {
        "delete_history": lambda: protocol.delete_history([JOB]),
        "clear_history": protocol.clear_history,
        "list_jobs": lambda: protocol.list_jobs(ONLY_ACTIVE, limit=1),
        "get_job": lambda: protocol.get_job(JOB),
        "cancel_jobs": lambda: protocol.cancel_jobs([JOB]),
        "view_file": lambda: protocol.view_file("a.png", "", "output"),
        "get_user": protocol.get_user,
        "list_assets": lambda: protocol.list_assets(limit=500, offset=0),
        "job_assets": lambda: protocol.job_assets(JOB),
    }
    builders = {
        name
        for name, each in vars(protocol).items()
        if inspect.isfunction(each) and not name.startswith("_") and get_type_hints(each).get("return") is Request
    }
    assert builders == set(samples), "a new builder needs a sample here and an entry in the allow-list"
    return {name: make() for name, make in samples.items()}


def test_only_these_methods_and_paths_can_be_built() -> None:
    built = {(each.method, each.path, each.repeat) for each in requests_that_can_be_built().values()}
    assert built == {
        ("POST", "/api/history", Repeat.DELETE),
        ("POST", "/api/history", Repeat.CLEAR),
        ("POST", "/api/jobs/cancel", Repeat.CLEAR),
        ("GET", "/api/jobs", Repeat.READ),
        ("GET", f"/api/jobs/{JOB}", Repeat.READ),
        ("GET", "/api/view", Repeat.READ),
        ("GET", "/api/user", Repeat.READ),
        ("GET", "/api/assets", Repeat.READ),
        ("GET", f"/api/jobs/{JOB}/assets", Repeat.READ),
    }


def test_only_the_protocol_module_builds_requests_and_their_paths_are_literals() -> None:
    built = 0
    constants = {"ASSETS_PATH": protocol.ASSETS_PATH, "VIEW_PATH": protocol.VIEW_PATH}
    for file in Path(str(files("cloud_history"))).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Request", "protocol.Request"):
                assert file.name == "protocol.py", ast.unparse(node)
                built += 1
                path = node.args[1]
                if isinstance(path, ast.JoinedStr):
                    # The only paths with a variable part, which is a validated job id.
                    known = ("f'/api/jobs/{_checked(job_id)}'", "f'/api/jobs/{_checked(job_id)}/assets'")
                    assert ast.unparse(path) in known
                    continue
                value = constants[path.id] if isinstance(path, ast.Name) else ast.literal_eval(path)
                assert value in (
                    "/api/history",
                    "/api/jobs",
                    "/api/jobs/cancel",
                    "/api/view",
                    "/api/user",
                    "/api/assets",
                )
    assert built == 8


@pytest.mark.parametrize("wrong", ["", ".", "..", "../history", f"{JOB}/", f"{JOB}?x=1", f"{JOB}\n", "*"])
def test_a_request_with_an_invalid_job_id_cannot_be_built(wrong: str) -> None:
    with pytest.raises(SchemaMismatch):
        protocol.get_job(wrong)
    with pytest.raises(SchemaMismatch):
        protocol.job_assets(wrong)
    with pytest.raises(SchemaMismatch):
        protocol.cancel_jobs([JOB, wrong])


def test_a_cancel_request_contains_exactly_the_given_ids_and_refuses_too_many() -> None:
    assert protocol.cancel_jobs([OTHER, JOB]).body == f'{{"job_ids":["{OTHER}","{JOB}"]}}'.encode()
    for wrong in ([], [JOB] * 101):
        with pytest.raises(SchemaMismatch):
            protocol.cancel_jobs(wrong)


@pytest.mark.parametrize("name", ["a&type=temp", "../../x", "a#b", "é ü.png", "a\r\nX: y", "\ud800.png"])
def test_a_file_name_from_the_server_cannot_add_query_parameters(name: str) -> None:
    parts = urlsplit(f"https://cloud.example{protocol.view_file(name, 'sub', 'output').target}")
    assert (parts.path, parts.fragment) == ("/api/view", "")
    expected = name.replace("\ud800", "?")
    assert dict(parse_qsl(parts.query)) == {"filename": expected, "subfolder": "sub", "type": "output"}


def test_a_delete_request_contains_exactly_the_given_ids_as_compact_json() -> None:
    request = protocol.delete_history([OTHER, JOB])
    assert request.body == f'{{"delete":["{OTHER}","{JOB}"]}}'.encode()
    assert request.target == "/api/history"


def test_the_body_of_a_clear_request_has_exactly_one_member() -> None:
    assert protocol.clear_history().body == b'{"clear":true}'


@pytest.mark.parametrize("ids", [[], [JOB, JOB], [JOB, JOB.upper()], ["x"], [JOB] * 101, [""]], ids=str)
def test_a_delete_of_anything_but_1_to_100_distinct_ids_cannot_be_built(ids: list[str]) -> None:
    with pytest.raises(SchemaMismatch):
        protocol.delete_history(ids)


@pytest.mark.parametrize("read", ["list_jobs", "get_job", "view_file", "get_user", "list_assets", "job_assets"])
def test_a_read_request_has_no_body(read: str) -> None:
    assert requests_that_can_be_built()[read].body is None


def test_a_page_request_contains_the_statuses_the_limit_and_the_position() -> None:
    def query(request: Request) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(request.target).query, strict_parsing=True))

    chosen = JobFilter((JobStatus.COMPLETED, JobStatus.FAILED), workflow_id="w", output_type="image")
    first = protocol.list_jobs(JobFilter(chosen.statuses).query(), limit=1000)
    assert query(first) == {"status": "completed,failed", "limit": "1000"}
    assert query(protocol.list_jobs({}, limit=1)) == {"limit": "1"}
    assert query(protocol.list_jobs(chosen.query(), limit=1)) == {
        "status": "completed,failed",
        "workflow_id": "w",
        "limit": "1",
    }
    assert query(protocol.list_jobs(ONLY_ACTIVE, limit=5, offset=10))["offset"] == "10"
    both = query(protocol.list_jobs(ONLY_ACTIVE, limit=5, offset=10, after="c"))
    assert both == {"status": ACTIVE_QUERY, "limit": "5", "after": "c"}


@pytest.mark.parametrize("cursor", ["a&clear=1", "a#b", "a/../history", "a b\r\nX: y", "é%2F?x=1"])
def test_a_cursor_from_the_server_cannot_add_query_parameters(cursor: str) -> None:
    parts = urlsplit(f"https://cloud.example{protocol.list_jobs(ONLY_ACTIVE, limit=1, after=cursor).target}")
    assert (parts.path, parts.fragment) == ("/api/jobs", "")
    assert dict(parse_qsl(parts.query)) == {"status": ACTIVE_QUERY, "limit": "1", "after": cursor}
    assert parts.query.isascii()
