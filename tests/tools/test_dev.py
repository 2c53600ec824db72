"""The tools of dev.py: when they reinstall, which browser they use, and the lint rules."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import browser_finder
import house_rules
import interpreters
import project_setup
from hosts import CHECKOUT
from steps import StepFailed, run_step, tail

PYPROJECT = """
[project]
name = "x"
dependencies = ["a"]

[tool.ruff]
line-length = 100

[tool.setuptools]
packages = ["x"]

[[tool.mypy.overrides]]
module = "y"
"""


def load_dev() -> Any:
    """Load dev.py, whose folder is not among those that tests import from."""
    spec = importlib.util.spec_from_file_location("dev_of_this_checkout", CHECKOUT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_changed_settings_of_a_linter_need_no_new_installation() -> None:
    before = project_setup.packaging_part(PYPROJECT)
    changed = PYPROJECT.replace("line-length = 100", "line-length = 90").replace('"y"', '"z"')
    assert project_setup.packaging_part(changed) == before


@pytest.mark.parametrize("change", [('["a"]', '["a", "b"]'), ('["x"]', '["x", "y"]')])
def test_changed_dependencies_and_packages_need_a_new_installation(change: tuple[str, str]) -> None:
    before = project_setup.packaging_part(PYPROJECT)
    assert project_setup.packaging_part(PYPROJECT.replace(*change)) != before


def test_the_browser_in_the_variable_chromium_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", sys.executable)
    assert browser_finder.find_browser(Path(sys.executable)) == sys.executable


def test_no_other_browser_replaces_a_missing_one_in_the_variable_chromium(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    assert browser_finder.find_browser(Path(sys.executable)) is None
    with pytest.raises(StepFailed, match="/nowhere/chromium"):
        project_setup.browser()


@pytest.mark.parametrize(
    "line",
    [
        "https://files.python" + "hosted.org/x.whl",
        "see https://pypi" + ".org/project/x",
        '"resolved": "https' + '://any.example/x.tgz"',
        "cd /ro" + "ot/project",
        "C:\\Us" + "ers\\ada\\x",
        "/home" + "/ada/x",
        "-----BEGIN PRIV" + "ATE KEY-----",
    ],
)
def test_forbidden_names_are_found_with_their_line(line: str) -> None:
    assert [number for number, _ in house_rules.forbidden_names(f"fine\n{line}\nfine")] == [2]


@pytest.mark.parametrize(
    "line",
    [
        "pip install jsonschema",
        "https://cloud.comfy.org/api",
        "/home/you/ComfyUI",
        "the network/work/rest",
        "npm ci",
    ],
)
def test_ordinary_lines_contain_no_forbidden_name(line: str) -> None:
    assert list(house_rules.forbidden_names(line)) == []


def test_only_functions_above_the_limit_are_reported_not_counting_docstrings() -> None:
    def function(name: str, lines: int) -> str:
        return f'async def {name}():\n    """One.\n\n    Two.\n    """\n' + "    x = 1\n" * lines

    source = function("fits", house_rules.MAX_FUNCTION_LINES) + function("grew", house_rules.MAX_FUNCTION_LINES + 1)
    assert [remark.split()[0] for _, remark in house_rules.long_functions(source)] == ["grew"]


def test_a_failed_step_keeps_its_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("steps.LOGS", tmp_path)
    with pytest.raises(StepFailed) as failed:
        run_step("a test's step", [sys.executable, "-c", "print('why'); raise SystemExit(3)"])
    assert "code 3" in str(failed.value)
    assert failed.value.output.strip() == "why"
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 1
    assert "FAILED" in shown[0]


def test_a_step_that_takes_long_is_announced_with_its_duration_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("steps.LOGS", tmp_path)
    said_before: list[str] = []

    def run(*_: object, **__: object) -> subprocess.CompletedProcess[bytes]:
        said_before.append(capsys.readouterr().out)
        return subprocess.CompletedProcess([], 0)

    monkeypatch.setattr("steps.subprocess.run", run)
    run_step("a long step", ["anything"], lasts="about 10 s")
    run_step("a short step", ["anything"])
    assert said_before[0].split() == ["...", "a", "long", "step", "about", "10", "s"]
    assert said_before[1].strip().startswith("ok"), "nothing but the end of the first step"


@pytest.mark.parametrize(("verb", "duration"), [("play", "a minute"), ("test", "about 10 minutes")])
def test_play_and_test_say_what_they_do_and_how_long_it_takes_before_anything_else(
    verb: str, duration: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dev = load_dev()
    said_before: list[str] = []

    def set_up() -> None:
        said_before.append(capsys.readouterr().out)
        raise StepFailed("stopped by the test")

    monkeypatch.setattr(dev.setup, "only_one", set_up)
    with pytest.raises(StepFailed, match="stopped by the test"):
        dev.VERBS[verb]([])
    assert said_before[0].startswith(f"{verb}: ")
    assert duration in said_before[0]


def test_browsers_that_cannot_be_installed_are_named_with_the_packages_that_bring_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(project_setup, "debian_root", lambda: False)
    monkeypatch.setattr(project_setup, "missing_programs", lambda name: ["Xvfb"] if name == "webkit" else [])
    project_setup.other_browsers()
    said = capsys.readouterr().out
    assert "webkit: not tested, because Xvfb cannot be found." in said
    assert "apt-get install webkit2gtk-driver xvfb xauth" in said
    assert "firefox" not in said


def test_the_tail_of_an_output_says_how_many_lines_are_left_out() -> None:
    shown = tail("\n".join(str(number) for number in range(10)), lines=3).splitlines()
    assert [line.strip() for line in shown[1:]] == ["7", "8", "9"]
    assert "7 earlier lines" in shown[0]


def test_an_interpreter_counts_only_if_it_runs_and_has_the_version_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    this = f"{sys.version_info.major}.{sys.version_info.minor}"
    other = next(version for version in interpreters.SUPPORTED if version != this)
    shim = tmp_path / f"python{other}"
    shim.write_text("#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)
    found, missing = interpreters.other_interpreters()
    assert found == {}
    assert missing == [version for version in interpreters.SUPPORTED if version != this]
    real = tmp_path / "pyenv" / "versions" / f"{other}.1" / "bin" / "python"
    real.parent.mkdir(parents=True)
    real.write_text(f"#!/bin/sh\necho {other}\n")
    real.chmod(0o755)
    assert interpreters.other_interpreters()[0] == {other: real}
