"""ComfyUI is killed while a deletion is held or sent: the next start reports it and sends nothing."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from cloud_history.deletion import holds
from cloud_history.state import locks
from cloud_history.state.locks import OwnerLock
from simulated_cloud import SimulatedCloud
from support.route_stage import Gate, Stage, serving

HOLDS = """
import asyncio, json, sys
from pathlib import Path
from support.no_backups import without_backups
from support.route_stage import serving

async def main(folder, environ, selection, wait):
    async with serving(None, without_backups(Path(folder)), environ) as stage:
        print(json.dumps(await stage.held(**selection)), flush=True)
        stage.timer.wait(wait)
        await asyncio.sleep(60)

asyncio.run(main(*json.loads(sys.argv[1])))
"""


@asynccontextmanager
async def another_comfyui(
    folder: Path, environ: dict[str, str], selection: dict[str, object], wait: float
) -> AsyncIterator[dict[str, object]]:
    """Yield a hold of another process, and kill that process at the end."""
    arguments = json.dumps([str(folder), environ, selection, wait])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLDS, arguments),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        yield json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    finally:
        process.kill()
        await process.wait()


@pytest.mark.parametrize("what", ["delete", "clear"])
async def test_a_process_killed_during_a_hold_sends_nothing_and_the_next_start_reports_it(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, what: str
) -> None:
    ids = [job.id for job in cloud.finished[:3]]
    selection = {"ids": ids} if what == "delete" else {}
    async with (
        another_comfyui(tmp_path, environ, dict(selection), 0) as hold,
        serving(cloud, tmp_path, environ) as stage,
    ):
        # While the process runs, another ComfyUI with the same folder does not report its hold as lost.
        assert (await stage.ask("status")).json["lost_holds"] == []
    async with serving(cloud, tmp_path, environ) as stage:
        lost = {name: hold[name] for name in ("id", "kind", "jobs", "ids")}
        for _ in range(2):
            status = (await stage.ask("status")).json
            assert (status["lost_holds"], status["holds"], status["unresolved"]) == ([lost], [], [])
        stage.timer.wait(1000)
        await asyncio.sleep(0.05)
        assert cloud.history_posts == []
        assert (await stage.ask("undo", {"hold": hold["id"]})).status == 410
        assert (await stage.ask("dismiss_hold", {"hold": hold["id"]})).json["lost_holds"] == []
        assert (await stage.ask("dismiss_hold", {"hold": hold["id"]})).code == "invalid_request"
    assert cloud.history_posts == []


async def test_a_hold_killed_while_sending_has_an_unknown_outcome_and_is_never_reported_as_unsent(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, gate: Gate
) -> None:
    ids = [job.id for job in cloud.finished[:3]]

    async def close_when_sent(seconds: float) -> None:
        if cloud.history_posts:
            gate.waiting.set()
            await asyncio.sleep(60)

    cloud.pause = close_when_sent  # type: ignore[method-assign]
    async with another_comfyui(tmp_path, environ, {"ids": ids}, 10) as hold:
        await asyncio.wait_for(gate.waiting.wait(), 20)
    async with serving(cloud, tmp_path, environ) as stage:
        status = (await stage.ask("status")).json
        assert [each["operation"] for each in status["unresolved"]] == [hold["id"]]
        assert status["lost_holds"] == []
        told = await stage.ask("dismiss", {"operation": hold["id"]})
        assert (told.json["unresolved"], told.json["lost_holds"]) == ([], [])
    assert cloud.history_posts == [{"delete": ids}]


async def test_a_sent_hold_is_never_reported_as_unsent_even_if_its_record_could_not_be_removed(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path
) -> None:
    async with serving(cloud, tmp_path, environ) as stage:
        hold = await stage.held(ids=[cloud.finished[0].id])
        (note,) = (tmp_path / "holds").iterdir()
        content = note.read_bytes()
        stage.timer.wait(10)
        assert (await stage.announced())["counts"]["deleted"] == 1
        await stage.until(lambda: not note.exists() and not stage.holds.open)
    note.write_bytes(content)
    async with serving(cloud, tmp_path, environ) as stage:
        assert (await stage.ask("status")).json["lost_holds"] == []
        assert (await stage.ask("dismiss_hold", {"hold": hold["id"]})).code == "invalid_request"
    assert not note.exists()


async def test_a_hold_being_written_by_another_comfyui_is_not_reported_as_lost(
    cloud: SimulatedCloud, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(cloud, tmp_path, environ) as stage, serving(cloud, tmp_path, environ) as other:
        looked: list[Future[list[dict[str, Any]]]] = []

        class Slow(OwnerLock):
            """Let another process list the holds after the record is written and before the owner lock is taken."""

            def __init__(self, path: Path) -> None:
                looked.append(pool.submit(other.holds.lost))
                with suppress(TimeoutError):
                    looked[0].result(0.3)
                super().__init__(path)

        with ThreadPoolExecutor(1) as pool:
            monkeypatch.setattr(holds, "OwnerLock", Slow)
            await stage.held(ids=[cloud.finished[0].id])
            assert looked[0].result(5) == []


async def test_no_hold_is_reported_lost_while_another_comfyui_writes_one(
    target: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "LOCK_SECONDS", 0.05)
    name = "fedcba9876543210" * 2
    (target.folder / "holds" / f"{name}.json").write_bytes(b"{")
    with locks.file_lock(target.folder / "holds.gate"):
        told = (await target.ask("status")).json["lost_holds"]
        assert name not in [each["id"] for each in told]
    told = (await target.ask("status")).json["lost_holds"]
    assert name in [each["id"] for each in told]


DAMAGED: list[bytes | dict[str, object]] = [
    *(b"", b"{", b"\xff", b"null", b"[1]", b"{}", b"[" * 60_000),
    {"id": "../../api_key"},
    {"id": "../api_key"},
    {"id": "f" * 32},
    {"id": ["x"]},
    {"id": None},
    {"kind": {"x": 1}},
    {"jobs": "many"},
    {"ids": 7},
    {"ids": [{"x": 1}]},
]


async def test_a_damaged_hold_is_still_listed_and_dismissing_it_touches_no_other_file(target: Stage) -> None:
    for content in DAMAGED:
        name = "fedcba9876543210" * 2
        (target.folder / "api_key.json").write_text("not to be touched")
        (target.folder.parent / "api_key.json").write_text("not to be touched")
        whole = {"id": name, "kind": "delete", "jobs": 1, "ids": [target.job]}
        raw = content if isinstance(content, bytes) else json.dumps({**whole, **content}).encode()
        (target.folder / "holds" / f"{name}.json").write_bytes(raw)
        status = await target.ask("status")
        assert status.status == 200, content
        assert {"id": name, "kind": "delete", "jobs": 0, "ids": []} in status.json["lost_holds"], content
        if isinstance(content, dict) and isinstance(content.get("id"), str):
            assert (await target.ask("dismiss_hold", {"hold": content["id"]})).code == "invalid_request"
        assert (await target.ask("dismiss_hold", {"hold": name})).status == 200
        assert not (target.folder / "holds" / f"{name}.json").exists()
        assert (target.folder / "api_key.json").exists()
        assert (target.folder.parent / "api_key.json").exists()


NO_LOST_HOLDS: list[str] = [
    "",
    "x",
    "f" * 32,
    "../api_key",
    "../../etc/passwd",
    "/etc/passwd",
    "\x00",
    "\ud800",
]


async def test_only_a_lost_hold_can_be_dismissed(target: Stage) -> None:
    for name in NO_LOST_HOLDS:
        await target.ask("status")  # the record of deletions has its lock from then on
        before = target.kept_files()
        for hold in (name, target.hold):
            assert (await target.ask("dismiss_hold", {"hold": hold})).code == "invalid_request"
        assert target.kept_files() == before
