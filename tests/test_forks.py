"""Every lock of the pack is free in a forked child, because the threads that held it do not exist there."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

import cloud_history
from cloud_history import secret
from cloud_history.forks import ForkSafeLock, run_after_fork
from cloud_history.state.audit_log import AuditLog, AuditOutcome
from cloud_history.state.backup_file import BackupWriter
from cloud_history.state.folder import StateFolder
from cloud_history.tasks import own_loop, threads

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")

JOB = "0b3c5f0e-2d1c-4a52-9f4e-6d4f0a1b2c3d"
DETAIL = {"id": JOB, "status": "completed", "create_time": 1_700_000_000_000}
Owner = tuple[ForkSafeLock, Callable[[], object]]
"""The lock of an object, and a function that acquires it."""

HEADER = {"created_at": "2023-11-14T22:13:20Z"}


@contextmanager
def held_by_another_thread(lock: ForkSafeLock) -> Iterator[None]:
    has_it, over = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            has_it.set()
            over.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert has_it.wait(10)
    try:
        yield
    finally:
        over.set()
        thread.join()


def child_ends(work: Callable[[], object]) -> bool:
    """Return whether `work` ends without an error in a forked child."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(10)
        try:
            work()
            os._exit(0)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def writer_in(folder: Path) -> BackupWriter:
    return BackupWriter(folder / "backup.zip", folder / ".gate", HEADER)


def of_state_folder(folder: Path) -> Owner:
    state = StateFolder(folder)
    return state._lock, state.check


def of_record(folder: Path) -> Owner:
    record = AuditLog(folder)
    return record._lock, lambda: record.outcome("a" * 32, AuditOutcome())


def of_backup(folder: Path) -> Owner:
    writer = writer_in(folder)
    return writer._lock, writer.discard


def of_secret(folder: Path) -> Owner:
    return secret._literals_lock, lambda: secret.remember("a-secret-of-this-test")


def of_own_loop(folder: Path) -> Owner:
    return own_loop._own._lock, own_loop._own.get


@pytest.mark.parametrize("owner", [of_state_folder, of_record, of_backup, of_secret, of_own_loop])
def test_a_lock_held_during_a_fork_is_free_in_the_child(tmp_path: Path, owner: Callable[[Path], Owner]) -> None:
    lock, take = owner(tmp_path)
    with held_by_another_thread(lock):
        assert child_ends(take)
        assert not lock.acquire(blocking=False), "the parent process still holds the lock"
    take()


async def nothing() -> None:
    """Do nothing, on an event loop."""


def in_background() -> None:
    done = threading.Event()
    threads.run_in_background(done.set)
    assert done.wait(5)


def on_own_loop() -> None:
    asyncio.run(own_loop.run_on_own_loop(nothing()))


@pytest.mark.parametrize("work", [in_background, on_own_loop])
def test_background_threads_and_own_loop_work_in_a_forked_child(work: Callable[[], None]) -> None:
    work()
    assert child_ends(lambda: in_thread_of_its_own(work))


def in_thread_of_its_own(work: Callable[[], None]) -> None:
    """Run `work` in a new thread: a child forked from a running event loop cannot start one in the same thread."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result(8)


def test_only_three_modules_create_threading_locks() -> None:
    found = {
        path.name
        for path in Path(cloud_history.__file__).parent.rglob("*.py")
        if re.search(r"threading\.R?Lock\b", path.read_text("utf-8"))
    }
    # Locks in threads.py and locks.py belong to single calls, which do not exist in a forked child.
    assert found == {"forks.py", "threads.py", "locks.py"}


def test_a_garbage_collected_object_is_not_reset_after_a_fork(tmp_path: Path) -> None:
    class Restarting:
        def restart(self) -> None:
            (tmp_path / "restarted").touch()

    owner = Restarting()
    run_after_fork(owner.restart)
    assert child_ends(lambda: None)
    assert (tmp_path / "restarted").exists()
    (tmp_path / "restarted").unlink()
    del owner
    gc.collect()
    assert child_ends(lambda: None)
    assert not (tmp_path / "restarted").exists()


def test_a_forked_child_that_exits_does_not_write_to_the_backup_of_its_parent(tmp_path: Path) -> None:
    drafts = [writer_in(tmp_path)]
    drafts[0].add(JOB, DETAIL, "")

    def forget() -> None:
        drafts.clear()
        gc.collect()

    before = [path.stat().st_size for path in tmp_path.iterdir()]
    assert child_ends(forget)
    assert [path.stat().st_size for path in tmp_path.iterdir()] == before
    with zipfile.ZipFile(drafts[0].close()) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 2
