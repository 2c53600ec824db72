"""The set-up waits for another program that uses apt, and reports the wait."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import apt
from steps import StepFailed

HOLDER = """
import fcntl, sys
handle = open(sys.argv[1], "r+b")
fcntl.lockf(handle, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no apt on Windows")


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "lock-frontend"
    path.touch()
    return path


@pytest.fixture
def holder(lock: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock, as apt does, until its standard input ends."""
    command = [sys.executable, "-c", HOLDER, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_free_or_missing_lock_is_not_waited_for(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apt.wait_for_locks([str(lock), str(lock.with_name("none"))], sleep=lambda seconds: pytest.fail("it waits"))
    assert capsys.readouterr().out == ""


def test_a_held_lock_is_waited_for_and_reported_once(
    lock: Path, holder: subprocess.Popen[str], capsys: pytest.CaptureFixture[str]
) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            holder.communicate("")

    apt.wait_for_locks([str(lock)], sleep)
    assert len(slept) == 3
    told = capsys.readouterr().out.splitlines()
    assert len(told) == 1
    assert f"waiting for another program that uses apt (unattended upgrades?) and holds {lock}" in told[0]


def test_a_lock_that_is_never_released_fails_with_its_name_and_what_to_do(
    lock: Path, holder: subprocess.Popen[str]
) -> None:
    slept: list[float] = []
    with pytest.raises(StepFailed) as failed:
        apt.wait_for_locks([str(lock)], slept.append, seconds=60)
    assert sum(slept) == 60
    assert str(lock) in str(failed.value)
    assert "Wait for that program" in str(failed.value)
    assert holder.poll() is None
