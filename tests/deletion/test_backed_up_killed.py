"""Deletions with backup and audit log that are stopped, cancelled or killed at each step, and the next start."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable

import pytest

from cloud_history.errors import Busy, CloudTimeoutError, OperationStopped
from cloud_history.state.recovery import log_unsent
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import Fault, SimulatedCloud
from support.clocks import Gate
from support.deletion_stage import A_JOB_IS_SAVED, BACKUP, DELETION, FIRST_LOOK, POST, Stage, Steps
from support.requests import clear_history

CLOUD_JOBS = 60
_CHILD = """
import asyncio, json, os, signal, sys
from pathlib import Path
from cloud_history.deletion.request import DeletionRequest
from cloud_history.service import Operations
from cloud_history.tasks.stopping import Unwatched

folder, ids, when = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3]
replace, write = os.replace, os.write

def replace_or_die(source, target):
    if when == "the rename" and str(target).endswith(".zip"):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

def write_or_die(descriptor, content):
    for line in ("intent", "outcome"):
        if when == f"half an {line}" and line.encode() in bytes(content)[:30]:
            write(descriptor, bytes(content)[:200])
            os.kill(os.getpid(), signal.SIGKILL)
    return write(descriptor, content)

os.replace, os.write = replace_or_die, write_or_die

async def delete():
    operations = Operations(folder)
    request = DeletionRequest(ids, await operations.find_connection(), "panel")
    await operations.carry_out(request, Unwatched())

asyncio.run(delete())
"""


class PickyGate(Gate):
    """Holds back answers while `applies` returns true. The client is killed before it receives them."""

    def __init__(self, cloud: SimulatedCloud, applies: Callable[[], bool]) -> None:
        super().__init__(cloud)
        self.applies = applies
        self.close()

    async def _pause(self, seconds: float) -> None:
        if self.applies():
            await super()._pause(seconds)


@pytest.fixture(autouse=True)
def _remembers_what_was_there(stage: Stage) -> None:
    stage.remember()


async def start(stage: Stage, when: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _CHILD, str(stage.folder), json.dumps(stage.ids), when),
        env={**os.environ, **stage.environ},
    )


def details_asked_for(cloud: SimulatedCloud) -> int:
    return sum(request.path.startswith("/api/jobs/") for request in cloud.requests)


def looks_after_sending(cloud: SimulatedCloud) -> bool:
    return bool(cloud.history_posts) and cloud.requests[-1].method == "GET"


HELD: dict[str, Callable[[SimulatedCloud], bool]] = {
    "the first lookup": lambda cloud: True,
    # The first lookup requests eight details, so the eleventh is the third of the backup.
    "the third detail": lambda cloud: details_asked_for(cloud) >= 11,
    "a request that is not carried out": lambda cloud: bool(cloud.history_posts),
    "a request that is carried out": lambda cloud: bool(cloud.history_posts),
    "the last lookup": looks_after_sending,
}


@pytest.mark.parametrize("when", HELD)
async def test_a_deletion_killed_during_a_request_is_reported_and_never_resumed(stage: Stage, when: str) -> None:
    cloud = stage.cloud
    gate = PickyGate(cloud, lambda: HELD[when](cloud))
    if "not carried out" in when:
        cloud.faults.append(Fault(POST, "slow", seconds=60.0, acted=False))
    child = await start(stage, when)
    try:
        await asyncio.wait_for(gate.waiting.wait(), 30)
        with pytest.raises(Busy):
            await clear_history(stage.operations(), "menu", Unwatched(), wait=False, backup="off")
    finally:
        child.kill()
        assert await child.wait() == -signal.SIGKILL
    gate.applies = lambda: False
    cloud.faults[1:] = []
    sent = when in ("a request that is carried out", "the last lookup")
    asked = sent or "not carried out" in when
    assert stage.gone == (set(stage.ids) if sent else set())
    assert stage.saved() == (set(stage.ids) if asked else set())
    assert len(list((stage.folder / "backups").glob(".*.zip.*"))) == ("detail" in when)
    stage.check(record="unknown", resolved=False)
    next_start_says(stage, may_have_sent=asked)
    await stage.next_works()


def next_start_says(stage: Stage, *, may_have_sent: bool) -> None:
    """Check what the next start of ComfyUI says of the deletion, and that a further start adds nothing."""
    starts, left = 2, stage.operations().queue.unresolved()[0]
    for _ in range(starts):
        log_unsent(stage.folder)
        (left,) = stage.operations().queue.unresolved()
        outcome = stage.recorded().outcome
        assert left.may_have_sent is may_have_sent
        if may_have_sent:
            assert outcome is None
        else:
            assert outcome is not None
            assert (outcome.removed, outcome.counts) == (0, {"not_attempted": len(stage.ids)})
            assert outcome.report == "ComfyUI stopped before anything was sent: nothing was deleted."
    begin = b'{"line": "outcome", "operation": "%b' % left.operation.encode()
    lines = (stage.folder / "deletions.jsonl").read_bytes().splitlines()
    outcomes = [line for line in lines if line.startswith(begin) and line.endswith(b"]}")]
    assert len(outcomes) == (0 if may_have_sent else 1)


@pytest.mark.parametrize("when", ["half an intent", "the rename", "half an outcome"])
async def test_a_deletion_killed_while_writing_a_file_is_never_taken_for_complete(stage: Stage, when: str) -> None:
    child = await start(stage, when)
    assert await asyncio.wait_for(child.wait(), 30) == -signal.SIGKILL
    done = when == "half an outcome"
    assert stage.gone == stage.saved() == (set(stage.ids) if done else set())
    (left,) = stage.operations().queue.unresolved()
    assert list(left.job_ids) == stage.ids
    if when == "half an intent":
        assert stage.operations().queue.audit_log.entries() == []
    else:
        stage.check(record="unknown", resolved=False)
        next_start_says(stage, may_have_sent=done)
    await stage.next_works()


# Stopped or cancelled


@pytest.mark.parametrize("when", [FIRST_LOOK, BACKUP, A_JOB_IS_SAVED])
async def test_a_deletion_stopped_before_sending_leaves_no_backup(stage: Stage, when: str) -> None:
    gate = Gate(stage.cloud)

    def stop() -> None:
        gate.close()
        stage.steps.stop = True

    stage.steps = Steps({when: stop})
    await stage.delete()
    gate.open()
    assert isinstance(stage.error, OperationStopped)
    stage.nothing_was_sent()
    stage.check()
    await stage.next_works()


async def test_a_deletion_stopped_while_sending_leaves_a_complete_backup(stage: Stage) -> None:
    stage.steps = Steps({DELETION: lambda: setattr(stage.steps, "stop", True)})
    await stage.delete()
    assert stage.saved() == set(stage.ids)
    stage.check()
    await stage.next_works()


@pytest.mark.parametrize("step", [BACKUP, DELETION])
async def test_a_cancelled_deletion_has_an_unknown_outcome_only_if_a_request_was_sent(stage: Stage, step: str) -> None:
    gate = Gate(stage.cloud)
    stage.steps = Steps({step: gate.close})
    task = asyncio.ensure_future(stage.delete())
    await gate.waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.open()
    assert stage.saved() == (set(stage.ids) if step == DELETION else set())
    sent = step == DELETION
    stage.check(record="unknown" if sent else "done", resolved=not sent)
    await stage.next_works()


async def test_a_deletion_whose_backup_hangs_times_out_and_sends_no_delete_request(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloud_history.deletion.safeguards.BACKUP_SECONDS", 0.05)
    monkeypatch.setattr("cloud_history.deletion.safeguards.BACKUP_SECONDS_PER_JOB", 0.0)
    gate = Gate(stage.cloud)
    stage.steps = Steps({BACKUP: gate.close})
    await stage.delete()
    gate.open()
    assert isinstance(stage.error, CloudTimeoutError)
    stage.nothing_was_sent()
    stage.check()
    monkeypatch.undo()
    await stage.next_works()
