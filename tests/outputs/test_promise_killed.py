"""ComfyUI is killed while a deletion saves outputs first: no job is gone without them, and the next start ends it.

The process that deletes is a real one, which is killed (SIGKILL) just before one of its system calls on files.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_history.outputs.unfinished import is_part_name
from simulated_cloud import SimulatedCloud
from support.no_backups import without_backups
from support.promise_stage import PromiseStage, small_pieces

CLOUD_JOBS = 0
ROOT = Path(__file__).parents[2]
STEPS = (40, 150, 260, 370, 480, 590, 700)
"""Numbers of system calls on files. A deletion that is not killed makes about 900."""
_CHILD = """
import asyncio, json, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests", sys.argv[1] + "/playground"]
from cloud_history.deletion.request import DeletionRequest
from cloud_history.service import Operations
from cloud_history.tasks.stopping import Unwatched
from support.killing_disk import arm
from support.promise_stage import small_pieces

folder, ids, step = Path(sys.argv[2]), json.loads(sys.argv[3]), int(sys.argv[4])

async def delete():
    operations = Operations(folder / "state", output_folder=folder / "output")
    connection = await operations.find_connection()
    await operations.carry_out(DeletionRequest(ids, connection, "panel", backup="outputs"), Unwatched())

with small_pieces():
    arm(step, half=step % 2 == 0)
    asyncio.run(delete())
"""


@pytest.fixture
def stage(cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path) -> Iterator[PromiseStage]:
    without_backups(tmp_path / "state")
    with small_pieces():
        yield PromiseStage(cloud, tmp_path, environ)


async def run_child(stage: PromiseStage, step: int) -> int:
    """Delete the jobs in a process of its own. Return its exit code."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _CHILD, str(ROOT), str(stage.folder)),
        *(json.dumps([job.id for job in stage.all]), str(step)),
        env={**os.environ, **stage.environ},
    )
    return await asyncio.wait_for(child.wait(), 60)


@pytest.mark.parametrize("step", STEPS)
async def test_a_deletion_that_is_killed_removes_no_job_without_its_outputs(stage: PromiseStage, step: int) -> None:
    assert await run_child(stage, step) == -signal.SIGKILL
    stage.check(None)
    stage.plant()
    await stage.ends_well()


async def test_a_deletion_that_is_killed_at_every_start_ends_at_last(stage: PromiseStage) -> None:
    step = 60
    while await run_child(stage, step) == -signal.SIGKILL:
        stage.check(None)
        step += 200
    stage.check(None)
    assert {job.id for job in stage.cloud.deleted} == {job.id for job in stage.all}
    assert [path.name for path in stage.output.rglob("*") if is_part_name(path.name)] == []
