"""Locks end with their holder or their time limit, whatever forked children and stopped programs do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from cloud_history.errors import LockNotAnswering, StateUnwritable
from cloud_history.service import Operations
from cloud_history.state import locks
from cloud_history.state.audit_log import AuditLog, AuditOutcome
from cloud_history.state.files import open_private
from cloud_history.state.in_flight import SenderLock
from cloud_history.state.locks import OwnerLock, file_lock, try_lock, unlock

PACK = Path(__file__).parent.parent.parent
OPERATION, OTHER = "a" * 32, "b" * 32
posix = pytest.mark.skipif(os.name != "posix", reason="there is no such thing on Windows")

HOLD = """
import sys, pathlib
from cloud_history.state.locks import file_lock
with file_lock(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
FORK = """
import os, sys, pathlib, threading
from cloud_history.state.in_flight import SenderLock
assert SenderLock(pathlib.Path(sys.argv[1])).take("a" * 32)
reads, writes = os.pipe()
child = os.fork()
if child == 0:
    os.close(1), os.close(0)
    os.write(writes, b".")
    threading.Event().wait()
os.read(reads, 1)
print(child, flush=True)
os._exit(9)
"""


@contextmanager
def stopped_holder(path: Path) -> Iterator[None]:
    """Hold this file lock in another program that is suspended."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        cwd=PACK,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        child.send_signal(signal.SIGSTOP)
        yield
    finally:
        child.send_signal(signal.SIGCONT)
        child.kill()
        child.communicate()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the time limits."""
    monkeypatch.setattr(locks, "LOCK_SECONDS", 0.1)
    monkeypatch.setattr(locks, "GRACE_SECONDS", 0.1)


class Hanging:
    """Lock calls that hang until the test releases them, as on a network drive without its server."""

    def __init__(self) -> None:
        self.go_on, self.freed = threading.Event(), threading.Event()
        self._lock = locks._lock

    def __call__(self, descriptor: int, *, free: bool = False) -> None:
        if not free:
            self.go_on.wait(20)
        self._lock(descriptor, free=free)
        if free:
            self.freed.set()


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch, soon: None) -> Iterator[Hanging]:
    hanging = Hanging()
    monkeypatch.setattr(locks, "_lock", hanging)
    yield hanging
    hanging.go_on.set()


@posix
def test_waiting_for_a_lock_of_a_stopped_program_raises_an_error_with_the_file_name(tmp_path: Path, soon: None) -> None:
    path = tmp_path / "x.gate"
    named = r"x\.gate could not be locked"
    with stopped_holder(path), pytest.raises(LockNotAnswering, match=named), file_lock(path):
        pass


@posix
def test_a_briefly_held_file_lock_is_waited_for(tmp_path: Path) -> None:
    held, order = threading.Event(), list[str]()

    def hold() -> None:
        with file_lock(tmp_path / "x.gate"):
            held.set()
            threading.Event().wait(0.05)
            order.append("first")

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(5)
    with file_lock(tmp_path / "x.gate"):
        order.append("second")
    holder.join()
    assert order == ["first", "second"]


@posix
def test_no_deletion_is_sent_while_a_stopped_program_holds_the_lock(tmp_path: Path, soon: None) -> None:
    slot = SenderLock(tmp_path)
    assert slot.take(OPERATION)
    slot.free()
    with stopped_holder(tmp_path / "sending.gate"):
        with pytest.raises(StateUnwritable) as refused:
            slot.take(OTHER)
        assert refused.value.hint.startswith("sending.gate could not be locked within")
        assert slot.holder() == OPERATION, "nobody can tell, so it is not told as ended"
    assert slot.take(OTHER)
    slot.free()


@posix
def test_an_audit_log_locked_by_a_stopped_program_is_an_error_and_not_a_hang(tmp_path: Path, soon: None) -> None:
    record = AuditLog(tmp_path)
    record.outcome(OTHER, AuditOutcome(removed=0))
    with stopped_holder(tmp_path / "deletions.gate"):
        with pytest.raises(StateUnwritable) as refused:
            record.outcome(OPERATION, AuditOutcome(removed=1))
        assert "deletions.gate" in refused.value.hint
        assert [each.entry.operation for each in record.entries()] == [OPERATION, OTHER]


@posix
def test_a_hanging_lock_call_times_out_and_a_lock_acquired_late_is_released(tmp_path: Path, hanging: Hanging) -> None:
    slot, begin = SenderLock(tmp_path), time.monotonic()
    with pytest.raises(StateUnwritable):
        slot.take(OPERATION)
    assert slot.holder() is None
    assert time.monotonic() - begin < 5
    hanging.go_on.set()
    assert hanging.freed.wait(5)
    assert slot.take(OTHER)
    assert slot.holder() == OTHER
    slot.free()


@posix
def test_a_lock_acquired_after_the_timeout_is_released_before_its_file_is_closed(
    tmp_path: Path, hanging: Hanging
) -> None:
    path = tmp_path / "x"
    path.touch()
    with open_private(path, "r+b") as file, open_private(path, "r+b") as other:
        with pytest.raises(LockNotAnswering):
            try_lock(file)
        hanging.go_on.set()
        assert hanging.freed.wait(5)
        assert try_lock(other)


@posix
def test_no_further_lock_call_is_made_while_too_many_calls_hang(
    tmp_path: Path, hanging: Hanging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "MAX_STUCK_LOCKS", len(locks._pending_descriptors) + 2)
    before = threading.active_count()
    for _ in range(6):
        with pytest.raises(LockNotAnswering), file_lock(tmp_path / "x.gate"):
            pass
    assert threading.active_count() <= before + 2


@posix
def test_freeing_a_lock_does_not_block_even_if_the_call_never_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot, go_on = SenderLock(tmp_path), threading.Event()
    assert slot.take(OPERATION)
    monkeypatch.setattr(locks, "_lock", lambda descriptor, free=False: go_on.wait(10))
    begin = time.monotonic()
    slot.free()
    assert time.monotonic() - begin < 1
    go_on.set()


@posix
def test_an_owner_lock_that_cannot_be_checked_counts_as_held(tmp_path: Path, hanging: Hanging) -> None:
    path = tmp_path / "held.json"
    path.touch()
    assert OwnerLock.is_held(path)
    assert not OwnerLock.is_abandoned(path)


def in_a_child(check: Callable[[], bool]) -> bool:
    """Return whether this function is true in a forked child."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if check() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@posix
def test_a_forked_child_does_not_hold_the_lock_of_its_running_parent(tmp_path: Path) -> None:
    slot, other = SenderLock(tmp_path), SenderLock(tmp_path)
    assert slot.take(OPERATION)
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writes)
        os.read(reads, 1)  # until the parent ends the child
        os._exit(0)
    os.close(reads)
    try:
        assert other.holder() == OPERATION
        assert not other.take(OTHER), "closing the child's copy frees nothing"
        slot.free()
        assert other.take(OTHER)
        other.free()
    finally:
        os.close(writes)
        os.waitpid(child, 0)


@posix
def test_a_forked_child_does_not_hold_the_lock_of_its_dead_parent(tmp_path: Path) -> None:
    parent = subprocess.run(
        [sys.executable, "-c", FORK, str(tmp_path)],
        cwd=PACK,
        stdout=subprocess.PIPE,
        text=True,
        timeout=20,
        check=False,
    )
    child = int(parent.stdout)
    try:
        assert parent.returncode == 9
        slot = SenderLock(tmp_path)
        assert slot.take(OTHER)
        slot.free()
    finally:
        os.kill(child, signal.SIGKILL)


@posix
def test_an_open_copy_of_a_locked_file_does_not_keep_the_lock(tmp_path: Path) -> None:
    slot, other = SenderLock(tmp_path), SenderLock(tmp_path)
    assert slot.take(OPERATION)
    assert slot._file is not None
    copy = os.dup(slot._file.fileno())  # as in a child that was not forked by Python
    try:
        slot.free()
        assert other.take(OTHER)
        other.free()
    finally:
        os.close(copy)


@posix
def test_a_forked_child_holds_no_lock_and_can_acquire_a_free_one(tmp_path: Path) -> None:
    slot = SenderLock(tmp_path)
    assert slot.take(OPERATION)
    assert in_a_child(lambda: not slot.take(OTHER) and slot.holder() == OPERATION)
    slot.free()
    assert in_a_child(lambda: slot.take(OTHER))


@posix
def test_a_locked_file_is_closed_in_a_forked_child_and_stays_locked_in_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    file, other = open_private(path, "r+b"), open_private(path, "r+b")
    assert try_lock(file)
    assert in_a_child(lambda: file.closed)
    assert not try_lock(other)
    unlock(file)
    assert try_lock(other)
    unlock(other)


# Checking whether a deletion is being sent


def test_checking_for_a_sender_never_prevents_sending(tmp_path: Path) -> None:
    operations, stop = Operations(tmp_path, {}), threading.Event()
    other = Operations(tmp_path, {})

    def look(at: Operations) -> None:
        while not stop.is_set():
            at.queue.running()

    with ThreadPoolExecutor(2) as threads:
        looking = [threads.submit(look, each) for each in (operations, other)]
        try:
            refused = 0
            for number in range(300):
                if operations.queue._lock.take(f"{number:032x}"):
                    operations.queue._lock.free()
                else:
                    refused += 1
        finally:
            stop.set()
        assert not [each for each in looking if each.exception(10)]
    assert refused == 0
