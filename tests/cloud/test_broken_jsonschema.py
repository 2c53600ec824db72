"""A broken jsonschema is reported with its version, its path and a fix."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest

from cloud_history.cloud import protocol, schema
from cloud_history.errors import BrokenInstallation

JOB = "01234567-89ab-cdef-0123-456789abcdef"
VERSION = metadata.version("jsonschema")
VALIDATOR = """
from . import exceptions
class Draft202012Validator:
    def __init__(self, definition):
        self.definition = definition
    @classmethod
    def check_schema(cls, definition):
        {check}
    def iter_errors(self, value):
        {use}
"""
RIGHT = "return [type('E', (), {'json_path': '$', 'validator': 'type'})] if value == 1 else []"

PROGRAMS = {
    "TypeError at import": "raise TypeError('metaclass conflict')",
    "OSError at import": "raise OSError(5, 'Input/output error')",
    "AttributeError at import": "raise AttributeError('no attribute evolve')",
    "ImportError at import": "raise ImportError('DLL load failed while importing rpds')",
    "SyntaxError at import": "print 'python 2'",
    "another module named jsonschema": "def validate(*args): pass",
    "TypeError when a schema is checked": VALIDATOR.format(check="raise TypeError('odd')", use=RIGHT),
    "AttributeError at use": VALIDATOR.format(check="pass", use="raise AttributeError('no such thing')"),
    "takes everything": VALIDATOR.format(check="pass", use="return []"),
    "refuses everything": VALIDATOR.format(check="pass", use="return [1]"),
}
EXCEPTIONS = "def best_match(errors):\n    return next(iter(errors), None)\n"


@pytest.fixture
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], object]]:
    """Let jsonschema be imported again, and restore the original modules afterwards."""
    packages = ("jsonschema", "referencing", "rpds")

    def forget() -> dict[str, ModuleType]:
        names = [each for each in sys.modules if each.partition(".")[0] in packages]
        schema.checker.cache_clear()
        return {name: sys.modules.pop(name) for name in names}

    before = forget()
    sys.modules.update(before)
    yield forget
    monkeypatch.undo()
    forget()
    sys.modules.update(before)
    importlib.invalidate_caches()


@pytest.fixture
def shadow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget: Callable[[], object]) -> Callable[[str], Path]:
    """Return a function that puts a fake jsonschema package before the real one on the import path."""

    def shadow(program: str) -> Path:
        package = tmp_path / "jsonschema"
        package.mkdir()
        (package / "__init__.py").write_text(program)
        (package / "exceptions.py").write_text(EXCEPTIONS)
        monkeypatch.syspath_prepend(tmp_path)
        forget()
        return package / "__init__.py"

    return shadow


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_error_for_a_broken_jsonschema_names_its_path_and_a_fix(name: str, shadow: Callable[[str], Path]) -> None:
    path = shadow(PROGRAMS[name])
    for call in (schema.load_all, lambda: protocol.delete_history([JOB])):
        with pytest.raises(BrokenInstallation) as caught:
            call()
        error = caught.value
        assert error.code == "broken_installation"
        assert f"Python imports version {VERSION}, {path} (" in error.hint
        assert "hide the real package" in error.hint
        assert (error.__cause__, error.__context__) == (None, None)


def test_a_folder_named_jsonschema_is_reported_as_hiding_the_real_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget: Callable[[], object]
) -> None:
    (tmp_path / "jsonschema").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    forget()
    with pytest.raises(BrokenInstallation) as caught:
        schema.load_all()
    assert str(tmp_path / "jsonschema") in caught.value.hint


@pytest.mark.parametrize("missing", ["rpds", "referencing"])
def test_a_missing_dependency_of_jsonschema_is_named(
    missing: str, monkeypatch: pytest.MonkeyPatch, forget: Callable[[], object]
) -> None:
    forget()
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(BrokenInstallation) as caught:
        schema.load_all()
    assert missing in caught.value.hint
    assert f"pip install --force-reinstall jsonschema” in ComfyUI’s Python: {missing}" in caught.value.hint


def test_an_old_jsonschema_is_reported_with_its_version(shadow: Callable[[str], Path]) -> None:
    path = shadow("class Draft7Validator: pass")
    (path.parent.parent / "jsonschema-3.2.0.dist-info").mkdir()
    with pytest.raises(BrokenInstallation) as caught:
        schema.load_all()
    assert "version 3.2.0" in caught.value.hint
    assert "pip install --upgrade jsonschema" in caught.value.hint
    assert "4.0 or newer" in caught.value.hint


def test_a_jsonschema_without_a_version_is_reported_by_its_path(
    monkeypatch: pytest.MonkeyPatch, shadow: Callable[[str], Path]
) -> None:
    path = shadow("")
    monkeypatch.setattr(schema, "_installed", lambda: None)
    with pytest.raises(BrokenInstallation) as caught:
        schema.load_all()
    assert f"Python imports {path} (" in caught.value.hint


@pytest.mark.parametrize("content", [None, "{", ""])
def test_the_error_for_a_missing_or_damaged_schema_file_asks_to_reinstall_the_pack(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget: Callable[[], object]
) -> None:
    if content is not None:
        (tmp_path / "history_manage_request.json").write_text(content)
    monkeypatch.setattr(schema, "_SCHEMAS", tmp_path)
    schema.checker.cache_clear()
    with pytest.raises(BrokenInstallation) as caught:
        protocol.delete_history([JOB])
    assert "history_manage_request.json" in caught.value.message
    assert "Install Comfy Cloud History again" in caught.value.hint
