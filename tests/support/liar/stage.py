"""Run a case through a node, or through the panel's routes."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cloud_history.state.audit_log import AuditLog
from simulated_cloud import SimulatedCloud
from support.liar.cases import Case
from support.liar.scene import Scene, Told
from support.loaded_pack import NAME
from support.route_stage import Stage, serving

MAX_PAGE_BYTES = 256 * 1024
MAX_PAGES = 60
MAX_CASE_SECONDS = 40.0
"""Seconds that a case may take."""

_NODES: dict[str, tuple[str, dict[str, Any]]] = {
    "node delete": ("CloudHistoryDeleteJobs", {"dry_run": False}),
    "node clear": ("CloudHistoryClear", {"clear": True}),
    "node clean up": (
        "CloudHistoryPrune",
        {"keep_last": 5, "keep_within": "", "allow_large": True, "dry_run": False},
    ),
    "node list": ("CloudHistoryListJobs", {"status": "finished"}),
}


def carry_out(case: Case, pack: ModuleType) -> tuple[Scene, Told, set[str]]:
    """Run a case. Return its scene, its reports, and the ids in backups.

    Args:
        pack: the pack, loaded as ComfyUI does.
    """
    with tempfile.TemporaryDirectory(prefix="liar-") as folder:
        return asyncio.run(asyncio.wait_for(_carry_out(case, Path(folder) / "state", pack), MAX_CASE_SECONDS))


async def _carry_out(case: Case, folder: Path, pack: ModuleType) -> tuple[Scene, Told, set[str]]:
    scene = Scene(case, SimulatedCloud(jobs=case.jobs, seed=case.seed), folder)
    scene.prepare()
    with scene.noting_problems(), _small_pages(case):
        async with scene.cloud.serving():
            told = await (_by_node(scene, pack) if case.operation.startswith("node") else _by_panel(scene))
    return scene, told, _backed_up(folder)


def _module(name: str, package: str = NAME) -> Any:
    return importlib.import_module(f"{package}.{name}")


@contextlib.contextmanager
def _small_pages(case: Case) -> Iterator[None]:
    """Reduce the limits of pages, so that small accounts have many pages and some that are too large."""
    with pytest.MonkeyPatch.context() as patch:
        for package in ("cloud_history", f"{NAME}.cloud_history"):
            patch.setattr(_module("cloud.listing", package), "PAGE", case.page)
            patch.setattr(_module("cloud.listing", package), "MAX_PAGES", MAX_PAGES)
            patch.setattr(_module("cloud.protocol", package), "MAX_PAGE_BYTES", MAX_PAGE_BYTES)
        yield


async def _by_node(scene: Scene, pack: ModuleType) -> Told:
    operations, client = _module("cloud_history.service"), _module("cloud_history.cloud.client")
    made = operations.Operations(
        scene.folder,
        scene.environ(),
        lambda event, payload: None,
        lambda base_url, key: client.CloudClient(base_url, key.secret, sleep=scene.no_time),
        scene.no_time,
    )
    scene.set_up(made)
    host = _module("comfy_host")
    host._graph_deletions.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(host, "_state_folder", lambda: scene.folder)
        for name in ("nodes.delete_jobs", "nodes.list_jobs", "nodes.job_ids", "comfy_host"):
            patch.setattr(_module(name), "operations", lambda: made)
        return await _run_node(scene, pack)


async def _run_node(scene: Scene, pack: ModuleType) -> Told:
    name, given = _NODES[scene.case.operation]
    node, deletes = pack.NODE_CLASS_MAPPINGS[name](), name == "CloudHistoryDeleteJobs"
    required = node.INPUT_TYPES()["required"]
    inputs = {key: [options.get("default")] for key, (_, options) in required.items()}
    inputs |= {key: [value] for key, value in given.items()}
    if deletes:
        inputs["job_ids"] = scene.ids
    told = Told(confirmed={each.lower() for each in scene.ids} if deletes else None)
    try:
        result = (await node.run(**inputs))["result"]
    except _module("cloud_history.errors").CloudError as error:
        told.raised, told.error, told.report = True, type(error).__name__, str(error)
    else:
        told.report, told.removed = result[-2], result[-1]
        if name == "CloudHistoryListJobs":
            told.listed, told.complete = result[1], True
            told.unreadable = _number(r"([0-9,]+) rows? of the list could not be read", told.report) or 0
            told.removed = None
    if told.listed is None and told.error in ("", "Incomplete"):
        _note_record(scene, told)
    return told


async def _by_panel(scene: Scene) -> Told:
    async with serving(scene.cloud, scene.folder, scene.environ()) as stage:
        scene.set_up(stage.operations, hold_seconds=10 if scene.case.held else 0)
        if scene.case.operation == "panel list":
            return await _list_in_panel(stage)
        return await _delete_in_panel(scene, stage)


async def _list_in_panel(stage: Stage) -> Told:
    answer = await stage.ask("jobs", {"filter": {"statuses": ["completed", "failed", "cancelled"]}})
    if answer.status != 200:
        return Told(error=answer.code)
    lines = answer.lines
    told = Told(listed=[row["id"] for line in lines for row in line.get("jobs", ())])
    told.complete, told.unreadable = lines[-1]["complete"], lines[-1]["unreadable"]
    return told


async def _delete_in_panel(scene: Scene, stage: Stage) -> Told:
    selections: dict[str, dict[str, Any]] = {
        "panel ids": {"ids": scene.ids},
        "panel filter": {"filter": {"statuses": ["completed", "failed"]}},
        "panel policy": {"policy": {"keep_last": 5}, "allow_large": True},
        "panel clear": {"clear": True},
    }
    answer = await stage.ask("preview", selections[scene.case.operation])
    if answer.status != 200:
        return Told(error=answer.code, report=answer.text)
    shown = answer.json
    told = Told(shown=shown["removable"], gone=shown["skipped"]["already_gone"])
    if "rows" in shown and len(shown["rows"]) == shown["removable"]:
        told.confirmed = {row["id"] for row in shown["rows"]}
    for what in scene.case.meanwhile:
        scene.happens(what)
    answer = await stage.ask("delete" if "rows" in shown else "clear", {"token": shown["token"]})
    if answer.status == 202:
        stage.timer.wait(10)
        result = await stage.announced()
    elif answer.status == 200:
        result = answer.json["result"]
    else:
        told.error, told.report = answer.code, answer.text
        return told
    told.report, told.removed = result["report"], result.get("removed")
    if result["error"] is not None and told.report.startswith("Nothing was sent"):
        told.error = result["error"]["code"]
        return told
    _note_record(scene, told)
    if result["kind"] == "delete":
        told.removed = result["counts"]["deleted"]
    return told


def _note_record(scene: Scene, told: Told) -> None:
    """Record the audit log entry of the deletion; for a clear without job ids, record its report."""
    found = AuditLog(scene.folder).entries()
    if not found or found[0].outcome is None:
        return
    if found[0].entry.kind == "clear":
        told.clear = _clear_in_numbers(told.report)
        return
    told.outcomes = {job.id: job.outcome for job in AuditLog(scene.folder).jobs(found[0].entry.operation)}
    if told.removed is None:
        told.removed = found[0].outcome.removed


_CLEARS = {
    "Nothing to clear": "nothing",
    "No job was removed": "failed",
    "Outcome unknown": "unknown",
    "Unconfirmed": "unconfirmed",
}


def _clear_in_numbers(report: str) -> dict[str, Any]:
    """Return the outcome and the numbers in the report of a clear."""
    first = report.partition("\n")[0]
    word = next((word for text, word in _CLEARS.items() if first.startswith(text)), "")
    removed = _number(r"^([0-9,]+) jobs? removed from your cloud history", report)
    if removed is not None:
        word = "partial" if "still listed" in first else "deleted"
    return {
        "word": word,
        "removed": removed,
        "active": _number(r"([0-9,]+) jobs? active, left alone", report),
        "began": _number(r"([0-9,]+) jobs? active when it began", report),
    }


def _number(pattern: str, text: str) -> int | None:
    found = re.search(pattern, text)
    return int(found[1].replace(",", "")) if found else None


def _backed_up(folder: Path) -> set[str]:
    """Return the ids in the backups, read without the tested code."""
    found: set[str] = set()
    for path in (folder / "backups").glob("[0-9a-f]*.zip"):
        with zipfile.ZipFile(path) as archive:
            found |= {row["id"].lower() for row in json.loads(archive.read("index.json"))["jobs"]}
    return found
