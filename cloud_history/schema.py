"""The JSON Schemas (data files in `schemas/`) and validation against them.

jsonschema takes about 44 ms to import, so it is imported at first use and not when ComfyUI starts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

from .errors import MissingDependency, SchemaMismatch

_SCHEMAS = Path(__file__).parent / "schemas"

Check = Callable[[object], None]


@cache
def checker(name: str) -> Check:
    """A function that checks a value against the schema of that name, built once.

    The function raises SchemaMismatch, which says where the value is wrong and never quotes it: an answer
    could hold anything.

    Raises:
        MissingDependency: jsonschema is not installed.
    """
    try:
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import best_match
    except ImportError:
        raise MissingDependency("A Python package is missing: jsonschema.") from None
    definition = json.loads((_SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(definition)
    validator = Draft202012Validator(definition)

    def check(value: object) -> None:
        error = best_match(validator.iter_errors(value))
        if error is not None:
            raise SchemaMismatch(f"{name}: {error.json_path} does not meet “{error.validator}”.")

    return check


def check_request_body(body: object) -> None:
    """Refuse a body for `POST /api/history` that is not documented, or that has more or less than one intent.

    Raises:
        SchemaMismatch, MissingDependency.
    """
    checker("history_manage_request")(body)
    checker("one_intent_request")(body)


def load_all() -> None:
    """Import jsonschema and build every checker. Blocking: call it off the event loop, before first use.

    Raises:
        MissingDependency.
    """
    for name in ("history_manage_request", "one_intent_request", "job_detail", "cancelled_jobs", "user"):
        checker(name)
