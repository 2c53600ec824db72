"""The JSON Schemas (data files in `schemas/`) and validation against them.

Importing jsonschema takes about 44 ms, so it is imported at first use and not when ComfyUI starts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import BrokenInstallation, MissingDependency, SchemaMismatch
from ..sentence import Worded

MIN_VERSION = (4, 0)
NAMES = ("history_manage_request", "one_intent_request", "job_detail", "cancelled_jobs", "user", "assets_page")
"""All schemas."""
_SCHEMAS = Path(__file__).parent / "schemas"

Check = Callable[[object], None]


@cache
def checker(name: str) -> Check:
    """Return a function that checks a value against the schema of that name. Each function is built once.

    The function raises SchemaMismatch, which says where the value is wrong and never contains the value.

    Raises:
        MissingDependency: jsonschema is not installed.
        BrokenInstallation: jsonschema cannot be used, or a file of this pack is missing.
    """
    validator_class, best_match = _jsonschema()
    definition = _definition(name)
    try:
        validator_class.check_schema(definition)
        validator = validator_class(definition)
    except Exception as exc:  # noqa: BLE001 - a broken package raises anything
        problem = _broken(exc)
    else:
        return _check_with(name, validator, best_match)
    raise problem


def _check_with(name: str, validator: Any, best_match: Any) -> Check:
    def check(value: object) -> None:
        problem: BrokenInstallation | None = None
        error = None
        try:
            error = best_match(validator.iter_errors(value))
        except RecursionError:
            raise  # the value is nested too deeply
        except Exception as exc:  # noqa: BLE001 - a broken package raises anything
            problem = _broken(exc)
        # Raised outside `except`, because jsonschema's error may contain the value and must not become the context.
        if problem is not None:
            raise problem
        if error is not None:
            raise SchemaMismatch(name=name, path=error.json_path, rule=error.validator)

    return check


def _definition(name: str) -> Any:
    path = _SCHEMAS / f"{name}.json"
    with suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))
    raise BrokenInstallation(path=path)


def _jsonschema() -> tuple[Any, Any]:
    """Return the validator class and `best_match`, after checking that they work."""
    try:
        from jsonschema import Draft202012Validator
        from jsonschema.exceptions import best_match

        text = Draft202012Validator({"type": "string"})
        if best_match(text.iter_errors("")) is None and best_match(text.iter_errors(1)) is not None:
            return Draft202012Validator, best_match
        problem: MissingDependency | BrokenInstallation = _broken(ValueError("it accepts a number as a string"))
    except ModuleNotFoundError as exc:
        problem = MissingDependency() if exc.name == "jsonschema" else _broken(exc)
    except Exception as exc:  # noqa: BLE001 - a broken package raises anything
        problem = _broken(exc)
    raise problem


def _broken(exc: Exception) -> BrokenInstallation:
    """Return an error with what is wrong with jsonschema, its version and path, and what to do."""
    version, path = _version(), _path()
    return BrokenInstallation(
        "jsonschema_unusable",
        version=Worded(version or "none", f"version {version}, " if version else ""),
        path=path,
        why=" ".join(f"{type(exc).__name__}: {exc}".split())[:150],
        cure=_cure(exc, version, path),
        missing=exc.name if isinstance(exc, ModuleNotFoundError) else "",
    )


def _cure(exc: Exception, version: str, path: str) -> Worded:
    parts = [int(each) for each in version.split(".")[:2] if each.isdigit()]
    if parts and tuple(parts) < MIN_VERSION:
        do = "Run “pip install --upgrade jsonschema” in ComfyUI’s Python: version 4.0 or newer is needed"
        return Worded("upgrade", do)
    if not version or not _belongs_to_the_package(path):
        return Worded("rename", "Another file or folder of that name may hide the real package: rename or remove it")
    again = "Run “pip install --force-reinstall jsonschema” in ComfyUI’s Python"
    if isinstance(exc, ModuleNotFoundError) and exc.name:
        return Worded("reinstall_missing", f"{again}: {exc.name} is missing")
    return Worded("reinstall", again)


def _version() -> str:
    """Return the version of the installed jsonschema from its metadata folder, or "" if there is none."""
    installed = _installed()
    return installed.name.removesuffix(".dist-info").partition("-")[2] if installed else ""


def _installed() -> Path | None:
    for place in sys.path:
        with suppress(OSError):
            if (found := next(Path(place).glob("jsonschema-[0-9]*.dist-info"), None)) is not None:
                return found
    return None


def _path() -> str:
    """Return the path from which Python imports jsonschema: a file, or the folder of a namespace package.

    If neither is known, return the name of the package.
    """
    module = sys.modules.get("jsonschema")
    file = getattr(module, "__file__", None)
    if file:
        return str(file)
    for place in sys.path:
        for found in (
            Path(place, "jsonschema", "__init__.py"),
            Path(place, "jsonschema.py"),
            Path(place, "jsonschema"),
        ):
            with suppress(OSError):
                if found.exists():
                    return str(found)
    return "jsonschema"


def _belongs_to_the_package(path: str) -> bool:
    installed = _installed()
    return installed is not None and Path(path) == installed.parent / "jsonschema" / "__init__.py"


def check_request_body(body: object) -> None:
    """Check that a body for `POST /api/history` matches the API's schema and asks for exactly one operation.

    Raise SchemaMismatch if it does not match, and the errors of `checker`.
    """
    checker("history_manage_request")(body)
    checker("one_intent_request")(body)


def load_all() -> None:
    """Build every checker. Slow: call it in a thread, before the first use. Raise the errors of `checker`."""
    for name in NAMES:
        checker(name)
