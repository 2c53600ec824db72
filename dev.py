#!/usr/bin/env python3
"""Set up, check and try this project. Standard library alone; Linux, macOS and Windows; Python 3.10 or newer.

    python3 dev.py play         try the pack without an account, a key or ComfyUI (--help lists the options)
    python3 dev.py test         run the checks of every change: lint, types, unit, JavaScript and browser tests
    python3 dev.py deep         run the slow tests: random liars, file faults, frontends, browsers, widths, languages
                                (all parts, or the named ones: a file in tests/deep, "browser" for the tests in
                                tests/browser that `test` leaves out, or "pythons" for every Python test on every
                                other Python; without a name, it runs a part on the oldest and on the newest)
    python3 dev.py lint         style, layers, types and the house rules
    python3 dev.py unit         the Python tests that need no browser (passes arguments to pytest)
    python3 dev.py browser      the tests in Chromium on ComfyUI's real frontend (passes arguments to pytest)
    python3 dev.py bench        compare the speed with its targets (--only delete,list --runs 3 runs a part of it)
    python3 dev.py format       format the Python code
    python3 dev.py setup        install what the other commands need

Each command first installs what is missing: `.venv`, `node_modules`, `.frontends`, and Chromium where it can.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 10):
    sys.exit("Python 3.10 or newer is needed; this is " + sys.version.split()[0])

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))

import project_setup as setup
from apt import debian_root
from interpreters import other_interpreters
from steps import StepFailed, duration, run_step, say, tail

UNIT_TESTS = ["tests", "--ignore=tests/browser", "--ignore=tests/deep"]
# Three processes use two processors best, because tests often wait for an answer or for a page.
NOT_TIMED = ["-m", "not timed", "-n", "3", "--dist", "worksteal"]
TIMED = ["-m", "timed"]
OTHER_PYTHONS_ENVIRONMENT = {"PYTHONDONTWRITEBYTECODE": "", "CLOUD_HISTORY_FEWER_EXAMPLES": "10"}
"""Property tests try fewer examples, because a difference between Pythons shows in almost any example."""
BROWSER_TESTS = ["tests/browser", "-n", "3", "--dist", "worksteal"]

PYTHONS, BROWSER, REGISTRY_TOOLS = "pythons", "browser", "registry_tools"
BESIDE_THE_OTHERS = (
    *(PYTHONS, "random_liar", "old_jsonschema", REGISTRY_TOOLS, "output_disk_faults"),
    *("behind_nginx", "browsers", "file_faults"),
)
"""Parts of the deep tests that run beside the longest ones in a browser, because both often wait."""
PROCESSES = {REGISTRY_TOOLS: "1", "frontend_tour": "3"}
"""Two processes run a part, but each would install the tools of the registry, and the tour waits most of the time."""
STOP_SECONDS = 20

# mypy needs a package name, and the checkout's folder may have any name: `comfy-cloud-history` is not an identifier.
PACK_COPY = ROOT / ".cache" / "pack"
PACKAGE = "comfy_cloud_history"
PACK_PARTS = ("__init__.py", "comfy_host.py", "nodes", "cloud_history")

Check = Callable[[], object]
stopping = threading.Event()
stopped_by: list[type[KeyboardInterrupt]] = []
"""What has stopped the main thread, for the other threads."""


class Terminated(KeyboardInterrupt):
    """Stopped by SIGTERM, which only this process receives. Ctrl+C also reaches its child processes."""


def python_step(title: str, *arguments: str, env: dict[str, str] | None = None) -> Check:
    return lambda: run_step(title, [setup.PYTHON, *arguments], env=env)


def npm_step(title: str, script: str) -> Check:
    return lambda: run_step(title, [setup.npm(), "run", "--silent", script])


def house_rules() -> None:
    output = run_step("house rules", [setup.PYTHON, "tools/house_rules.py"])
    if output.strip():
        say(tail(output))


def pack_types() -> None:
    """Check the types of a copy of the pack, under a name that mypy accepts."""
    copy = PACK_COPY / PACKAGE
    # copytree and copy2 keep the times of files, so that mypy's cache stays valid.
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    for part in PACK_PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / part, copy / part)
    mypy: list[str | Path] = [setup.PYTHON, "-m", "mypy", "-p", PACKAGE]
    try:
        run_step("types: the pack", mypy, env={"MYPYPATH": str(PACK_COPY)})
    except StepFailed as exc:
        shown = os.path.join(copy.relative_to(ROOT), "")
        raise StepFailed(str(exc), exc.output.replace(shown, "")) from exc


def javascript_tests() -> None:
    output = run_step("JavaScript: tests", [setup.npm(), "run", "--silent", "test"])
    counts = re.findall(r"^(?:#|ℹ) (pass|fail|skipped) (\d+)", output, re.MULTILINE)
    say("            " + ", ".join(f"{number} {word}" for word, number in counts))


def mypy_checks() -> list[Check]:
    targets = ["cloud_history", "playground", "tests", "tools", "bench", "dev.py"]
    return [pack_types, python_step("types: tests and tools", "-m", "mypy", *targets)]


def python_checks() -> list[Check]:
    layers = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return [
        python_step("ruff check", "-m", "ruff", "check", "--output-format", "concise", "."),
        python_step("ruff format", "-m", "ruff", "format", "--check", "."),
        house_rules,
        python_step("layers", "-c", layers, "--no-logo", "--no-cache"),
    ]


def javascript_checks() -> list[Check]:
    return [npm_step("JavaScript: lint", "lint"), npm_step("JavaScript: types", "types")]


def run_checks(*rows: list[Check]) -> list[StepFailed]:
    """Run each row of checks in a thread of its own, to the end even if checks fail, and return the failures."""
    with ThreadPoolExecutor(max_workers=len(rows)) as pool:
        running = [pool.submit(_run_row, row) for row in rows]
        try:
            return [failure for row in running for failure in row.result()]
        except KeyboardInterrupt:
            stopping.set()
            raise


def _run_row(checks: list[Check]) -> list[StepFailed]:
    failures = []
    for check in checks:
        if stopping.is_set():
            break
        try:
            check()
        except StepFailed as failure:
            failures.append(failure)
    return failures


def run_pytest(
    arguments: list[str], *, env: dict[str, str] | None = None, python: Path | None = None
) -> list[StepFailed]:
    """Run pytest and show its output."""
    command = [str(python or setup.PYTHON), "-m", "pytest", *arguments]
    say(f"\npytest {' '.join(arguments)}")
    # Bytecode is always cached, because tests start many hosts that would compile the modules again.
    environment = {**os.environ, **(env or {}), "PYTHONDONTWRITEBYTECODE": ""}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL)
    try:
        code = _wait(process)
    except KeyboardInterrupt as exc:
        # The terminal's Ctrl+C has reached pytest too, which needs time to stop its servers and browsers.
        if isinstance(exc, Terminated):
            process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    return [StepFailed(f"pytest {arguments[0]} ended with code {code}")] if code else []


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Return the code of a process when it has ended. In a thread, raise what has stopped the main thread."""
    while True:
        try:
            return process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            if stopped_by:
                raise stopped_by[0]() from None


def set_up(*, node: bool = True, browser: bool = True, then: Callable[[], object] | None = None) -> dict[str, str]:
    """Install missing dependencies, and return the environment of the tests.

    Args:
        then: called in another thread, once everything but the Python packages is installed.
    """
    with setup.only_one(), ThreadPoolExecutor(max_workers=1) as beside:
        others = beside.submit(_without_python, node=node, browser=browser, then=then)
        try:
            setup.python_packages(dev=True)
            if browser:
                setup.frontend(setup.NEWEST_FRONTEND)
            others.result()
        except KeyboardInterrupt:
            stopping.set()
            raise
        return {"CHROMIUM": setup.browser()} if browser else {}


def _without_python(*, node: bool, browser: bool, then: Callable[[], object] | None) -> None:
    """Install the parts that do not need the Python packages."""
    if node:
        setup.node_packages()
    if browser and debian_root():
        setup.browser()
    if then:
        then()


def test(_: list[str]) -> list[StepFailed]:
    failures: list[StepFailed] = []

    def check_javascript() -> None:
        failures.extend(_run_row([*javascript_checks(), javascript_tests]))

    say("test: everything that a change has to pass, in about 10 minutes on two processors")
    say("\n1 of 4: install what is missing (about 2 minutes the first time), and check the JavaScript")
    env = set_up(then=check_javascript)
    say("\n2 of 4: lint and types of the Python code, about 15 seconds")
    failures += run_checks(mypy_checks(), python_checks())
    say("\n3 of 4: Python tests, about 3 minutes")
    failures += unit_tests()
    say("\n4 of 4: tests in Chromium on ComfyUI's real frontend, about 5 minutes")
    return failures + run_pytest([*BROWSER_TESTS, "-m", "not deep"], env=env)


def unit_tests() -> list[StepFailed]:
    """Run the tests that measure time alone, and then the others side by side."""
    return run_pytest([*timed_files(), *TIMED]) + run_pytest([*UNIT_TESTS, *NOT_TIMED])


def timed_files() -> list[str]:
    """Find the files with tests that measure time, because collecting all files takes long."""
    return [path for path in test_files() if "mark.timed" in (ROOT / path).read_text("utf-8")]


def unit_files() -> list[str]:
    """Find the files of the Python tests that need no browser."""
    return [path for path in test_files() if not path.startswith(("tests/browser/", "tests/deep/"))]


def test_files() -> list[str]:
    """Find all files of the Python tests, in order."""
    return [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "tests").rglob("test_*.py"))]


def deep(arguments: list[str]) -> list[StepFailed]:
    """Run the named parts, or all of them, and print a summary."""
    parts = [BROWSER, *deep_parts(), PYTHONS]
    if unknown := [each for each in arguments if each not in parts]:
        say(f"deep: unknown part {unknown[0]}. The parts are: {', '.join(parts)}")
        return [StepFailed(f"deep: unknown part {unknown[0]}")]
    env = set_up()
    for version in setup.TOURED_FRONTENDS:
        setup.frontend(version)
    setup.nginx()
    setup.other_browsers()
    chosen = [each for each in parts if not arguments or each in arguments]
    failures: list[StepFailed] = []
    summary: list[str] = []

    def carry_out(part: str) -> None:
        say(f"\ndeep: {part}")
        started = time.monotonic()
        failed = other_pythons(whole=PYTHONS in arguments) if part == PYTHONS else run_deep_part(part, env)
        failures.extend(failed)
        state = "FAILED" if failed else "ok    "
        summary.append(f"  {state}  {part:<34} {duration(time.monotonic() - started):>11}")

    def carry_out_all(row: list[str]) -> None:
        for part in row:
            if not stopping.is_set():
                carry_out(part)

    # What measures time comes when the browsers need less.
    beside = [each for each in BESIDE_THE_OTHERS if each in chosen]
    with ThreadPoolExecutor(max_workers=1) as pool:
        running = pool.submit(carry_out_all, beside)
        try:
            carry_out_all([each for each in chosen if each not in beside])
            running.result()
        except KeyboardInterrupt as exc:
            stopped_by.append(type(exc))
            stopping.set()
            raise
    say("\ndeep, by part:\n" + "\n".join(summary))
    return failures


def deep_parts() -> list[str]:
    """Return the names of the parts, one for each file in tests/deep, such as `random_liar`."""
    return [path.stem.removeprefix("test_") for path in sorted((ROOT / "tests" / "deep").glob("test_*.py"))]


def run_deep_part(part: str, env: dict[str, str]) -> list[StepFailed]:
    if part == BROWSER:
        return run_pytest([*BROWSER_TESTS, "-m", "deep"], env=env)
    return run_pytest([f"tests/deep/test_{part}.py", "-n", PROCESSES.get(part, "2"), "--dist", "worksteal"], env=env)


def other_pythons(*, whole: bool) -> list[StepFailed]:
    """Run the Python tests on the other supported Pythons of this machine, and name those that are missing.

    Args:
        whole: whether each runs all of them. Otherwise the oldest and the newest run a ninth of the files each.
    """
    found, missing = other_interpreters()
    failures = []
    for at, (version, interpreter) in enumerate(found.items()):
        if not whole and 0 < at < len(found) - 1:
            say(f"  Python {version}: tested by `dev.py deep pythons` alone")
            continue
        chosen = UNIT_TESTS if whole else unit_files()[at::9]
        python = setup.packages_for(version, interpreter)
        tests: list[str | Path] = [python, "-m", "pytest", *chosen, *NOT_TIMED, "-q"]
        try:
            output = run_step(f"Python {version}: tests", tests, env=OTHER_PYTHONS_ENVIRONMENT)
            say("            " + output.strip().splitlines()[-1])
        except StepFailed as failure:
            failures.append(failure)
    for version in missing:
        say(f"  Python {version}: not installed, so not tested")
    return failures


def lint(_: list[str]) -> list[StepFailed]:
    set_up(browser=False)
    return run_checks(mypy_checks(), [*python_checks(), *javascript_checks()])


def unit(arguments: list[str]) -> list[StepFailed]:
    set_up(node=False, browser=False)
    return run_pytest([*UNIT_TESTS, *arguments]) if arguments else unit_tests()


def browser(arguments: list[str]) -> list[StepFailed]:
    env = set_up(node=False)
    return run_pytest([*BROWSER_TESTS, *arguments], env=env)


def bench(arguments: list[str]) -> list[StepFailed]:
    with setup.only_one():
        setup.python_packages(dev=True)
        setup.frontend(setup.NEWEST_FRONTEND)
        env = {"CHROMIUM": setup.browser()}
    paths = os.pathsep.join(str(ROOT / name) for name in ("", "playground", "tools"))
    command = [str(setup.PYTHON), "-m", "bench", *arguments]
    say("  measuring, which takes some minutes")
    code = subprocess.run(command, cwd=ROOT, env={**os.environ, **env, "PYTHONPATH": paths}, check=False).returncode
    return [StepFailed("a target was missed or a measurement failed, see above")] if code else []


def format_code(_: list[str]) -> list[StepFailed]:
    set_up(node=False, browser=False)
    return run_checks(
        [
            python_step("ruff check --fix", "-m", "ruff", "check", "--fix-only", "--quiet", "."),
            python_step("ruff format", "-m", "ruff", "format", "--quiet", "."),
        ]
    )


def only_set_up(_: list[str]) -> list[StepFailed]:
    set_up()
    return []


def play(arguments: list[str]) -> list[StepFailed]:
    if not {"-h", "--help"} & {*arguments}:
        say("play: a simulated Comfy Cloud and ComfyUI's interface with this pack, on this machine alone")
        say("      The first start downloads what it needs, about a minute; later ones take a few seconds.\n")
    with setup.only_one():
        setup.python_packages(dev=False)
        setup.frontend(setup.NEWEST_FRONTEND)
    command = [str(setup.PYTHON), str(ROOT / "playground" / "__main__.py"), *arguments]
    sys.stdout.flush()
    if os.name == "posix":
        # The playground replaces this process, so that Ctrl+C and signals reach only the playground.
        os.chdir(ROOT)
        os.execv(command[0], command)  # noqa: S606  (no shell is wanted)
    # Windows sends Ctrl+C to both. The playground stops by itself, and this process waits for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)


VERBS: dict[str, Callable[[list[str]], list[StepFailed]]] = {
    "play": play,
    "test": test,
    "deep": deep,
    "lint": lint,
    "unit": unit,
    "browser": browser,
    "bench": bench,
    "format": format_code,
    "setup": only_set_up,
}
TAKE_ARGUMENTS = ("play", "deep", "unit", "browser", "bench")


def terminated(*_: object) -> None:
    raise Terminated


def main(arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        # A Windows console may lack characters of our texts.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if verb not in VERBS or (rest and verb not in TAKE_ARGUMENTS):
        say(str(__doc__).strip())
        return 0 if verb in ("-h", "--help", "help") else 2
    # SIGTERM must end the child processes too, as Ctrl+C does.
    signal.signal(signal.SIGTERM, terminated)
    started = time.monotonic()
    try:
        failures = VERBS[verb](rest)
    except StepFailed as failure:
        failures = [failure]
    except KeyboardInterrupt:
        say(f"\n{verb}: stopped")
        return 130
    for failed in failures:
        say(f"\nFAILED: {failed}\n{tail(failed.output)}".rstrip())
    outcome = f"{len(failures)} FAILED" if failures else "passed"
    say(f"\n{verb}: {outcome}, {duration(time.monotonic() - started)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
