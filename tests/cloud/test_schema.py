"""The two schemas that check each request body, and the import of jsonschema."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from cloud_history.cloud import schema
from cloud_history.errors import CloudError, MissingDependency, SchemaMismatch

CHECKOUT = Path(__file__).resolve().parents[2]
SPEC = Path(os.environ.get("CLOUD_HISTORY_SPEC") or CHECKOUT.parent / "shared" / "spec" / "openapi-cloud.yaml")
JOB = "01234567-89ab-cdef-0123-456789abcdef"
NAMES = schema.NAMES


def job_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def definition(name: str) -> dict[str, Any]:
    text = (files("cloud_history.cloud") / "schemas" / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def refused_by(name: str, body: object) -> bool:
    try:
        schema.checker(name)(body)
    except SchemaMismatch:
        return True
    return False


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_valid_by_its_metaschema(name: str) -> None:
    found = definition(name)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(found)


@pytest.mark.skipif(not SPEC.is_file(), reason="the official openapi-cloud.yaml is not here")
def test_the_documented_schema_equals_the_schema_in_the_official_openapi_document() -> None:
    def bare(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: bare(value) for key, value in node.items() if key not in NOTES}
        return node

    official = yaml.safe_load(SPEC.read_text(encoding="utf-8"))["components"]["schemas"]
    assert bare(definition("history_manage_request")) == bare(official["HistoryManageRequest"])


NOTES = ("description", "$schema", "$id", "$comment")

ONE_INTENT = [
    {"delete": [JOB]},
    {"delete": [job_id(number) for number in range(100)]},
    {"clear": True},
]

DOCUMENTED_BUT_NOT_ONE_INTENT: list[object] = [
    {},
    {"delete": []},
    {"delete": [JOB], "clear": True},
    {"delete": [JOB], "clear": False},
    {"clear": False},
    {"delete": [JOB, JOB]},
    {"delete": [job_id(number) for number in range(101)]},
    {"delete": [JOB.replace("-", "")]},
    {"delete": [JOB + "\n"]},
    {"delete": [" " + JOB[1:]]},
    {"delete": [f"{{{JOB}}}"]},
    {"delete": [""]},
    {"delete": [JOB, "not a job id"]},
]

UNDOCUMENTED: list[object] = [
    None,
    [],
    "clear",
    True,
    {"delete": JOB},
    {"delete": None},
    {"delete": [None]},
    {"delete": [1]},
    {"delete": {JOB: True}},
    {"clear": 1},
    {"clear": "true"},
    {"clear": None},
    {"clear": True, "status": "completed"},
    {"delete": [JOB], "dry_run": True},
    {"Clear": True},
]


@pytest.mark.parametrize("body", ONE_INTENT, ids=str)
def test_a_body_with_exactly_one_intent_passes_both_schemas(body: object) -> None:
    schema.check_request_body(body)


@pytest.mark.parametrize("body", DOCUMENTED_BUT_NOT_ONE_INTENT, ids=str)
def test_our_own_schema_refuses_a_documented_body_without_exactly_one_intent(body: object) -> None:
    assert not refused_by("history_manage_request", body)
    assert refused_by("one_intent_request", body)
    with pytest.raises(SchemaMismatch):
        schema.check_request_body(body)


@pytest.mark.parametrize("body", UNDOCUMENTED, ids=str)
def test_an_undocumented_body_is_refused_by_both_schemas(body: object) -> None:
    assert refused_by("history_manage_request", body)
    assert refused_by("one_intent_request", body)


@pytest.mark.parametrize("body", [{"delete": ["something-private"]}, {"something-private": 1}, "something-private"])
def test_a_schema_error_never_quotes_the_value(body: object) -> None:
    with pytest.raises(SchemaMismatch) as caught:
        schema.check_request_body(body)
    assert "something-private" not in f"{caught.value} {caught.value.args} {caught.value.__cause__!r}"


def test_a_schema_error_names_the_place_of_the_mismatch() -> None:
    with pytest.raises(SchemaMismatch) as caught:
        schema.check_request_body({"delete": [JOB, 7]})
    assert "$.delete[1]" in caught.value.message


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("job_detail", {"id": JOB, "status": "completed", "more": 1}, True),
        ("job_detail", {"id": JOB, "status": None}, True),
        ("job_detail", {"id": 7, "status": "completed"}, False),
        ("job_detail", {"id": JOB}, False),
        ("job_detail", {"status": "completed"}, False),
        ("job_detail", [], False),
        ("cancelled_jobs", {"cancelled": []}, True),
        ("cancelled_jobs", {"cancelled": [JOB], "more": 1}, True),
        ("cancelled_jobs", {"cancelled": JOB}, False),
        ("cancelled_jobs", {"cancelled": [7]}, False),
        ("cancelled_jobs", {}, False),
        ("cancelled_jobs", [], False),
        ("assets_page", {"assets": [], "more": 1}, True),
        ("assets_page", {"assets": {}}, False),
        ("assets_page", {"total": 0}, False),
        ("user", {"status": "active", "more": 1}, True),
        ("user", {"status": None}, False),
        ("user", {}, False),
        ("user", "active", False),
    ],
)
def test_an_answer_without_a_required_field_is_refused(name: str, value: object, fits: bool) -> None:
    assert refused_by(name, value) is not fits


def test_importing_every_module_of_the_package_does_not_import_jsonschema() -> None:
    program = (
        "import importlib, pkgutil, sys, cloud_history\n"
        "names = [each.name for each in pkgutil.walk_packages(cloud_history.__path__, 'cloud_history.')]\n"
        "for name in names: importlib.import_module(name)\n"
        "assert len(names) > 15, names\n"
        "assert 'cloud_history.cloud.schema' in sys.modules\n"
        "sys.exit('jsonschema' in sys.modules)\n"
    )
    # The folder of the imported package, which may differ from the installed one.
    folder = Path(str(files("cloud_history"))).parent
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.usefixtures("no_jsonschema")
def test_without_jsonschema_no_body_is_accepted_and_the_hint_gives_the_pip_command() -> None:
    checks: list[Callable[[], None]] = [lambda: schema.check_request_body({"clear": True}), schema.load_all]
    for check in checks:
        with pytest.raises(MissingDependency) as caught:
            check()
        assert isinstance(caught.value, CloudError)
        assert caught.value.code == "missing_dependency"
        assert "jsonschema" in caught.value.message
        assert "pip install jsonschema" in caught.value.hint


def test_every_schema_in_the_package_has_a_test() -> None:
    folder = files("cloud_history.cloud") / "schemas"
    assert {each.name for each in folder.iterdir() if each.name.endswith(".json")} == {f"{name}.json" for name in NAMES}


def test_each_schema_validator_is_built_once() -> None:
    schema.load_all()
    assert [schema.checker(name) for name in NAMES] == [schema.checker(name) for name in NAMES]
    assert schema.checker.cache_info().currsize == len(NAMES)
