"""Every log line about an operation begins with the start of the operation id."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloud_history.deletion.delete import Deletion
from simulated_cloud import Fault
from support.route_stage import Stage


@pytest.fixture(autouse=True)
def _all_lines(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG, logger="cloud_history"):
        yield


def selection(stage: Stage, what: str) -> dict[str, Any]:
    if what == "clear":
        return {}
    if what == "clean up":
        return {"policy": {"keep_last": len(stage.cloud.finished) - 3}}
    return {"ids": [job.id for job in stage.cloud.finished[:3]]}


async def sent(stage: Stage, what: str) -> str:
    """Confirm a deletion that is sent at once, and return the operation id."""
    shown = await stage.preview(**selection(stage, what))
    await stage.ask("clear" if what == "clear" else "delete", {"token": shown["token"]})
    return str(shown["operation"])


def lines_about(caplog: pytest.LogCaptureFixture, operation: str) -> list[str]:
    """Return the first line of each log record, without the operation id that all records contain."""
    about = f"[{operation[:8]}] "
    lines = [text.partition("\n")[0] for text in caplog.messages]
    assert [line for line in lines if not line.startswith(about)] == []
    return [line.removeprefix(about) for line in lines]


@pytest.mark.parametrize("what", ["ids", "clean up", "clear"])
async def test_every_log_line_of_a_deletion_contains_its_operation_id(
    stage: Stage, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    asked, outcome = lines_about(caplog, await sent(stage, what))
    assert asked.startswith("Asked by ")
    assert "removed" in outcome or "cleared" in outcome, outcome


async def test_every_log_line_about_a_held_deletion_contains_its_operation_id(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    hold = await stage.held(**selection(stage, "ids"))
    stage.timer.wait(10)
    await stage.announced()
    await stage.until(lambda: not stage.holds.open)
    asked, outcome = lines_about(caplog, hold["id"])
    assert (asked, outcome) == (
        "Asked by panel to delete 3 jobs.",
        "3 jobs removed from your cloud history. Assets stay.",
    )


@pytest.mark.parametrize("ends", ["sent", "undone"])
async def test_failing_to_remove_the_record_of_a_hold_is_logged_with_the_operation_id(
    stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    hold = await stage.held(**selection(stage, "ids"))

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refuse)
    if ends == "undone":
        assert (await stage.ask("undo", {"hold": hold["id"]})).status == 200
    else:
        stage.timer.wait(10)
        await stage.until(lambda: not stage.holds.open)
        await stage.until(lambda: any("removed" in text for text in caplog.messages))
    lines = lines_about(caplog, hold["id"])
    monkeypatch.undo()
    assert any(line.startswith("The file of a hold can’t be removed") for line in lines)


@pytest.mark.parametrize("what", ["ids", "clear"])
async def test_every_log_line_about_a_refused_deletion_contains_its_operation_id(
    stage: Stage, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    stage.cloud.faults.append(Fault(("POST", "/api/history"), "status", status=400, times=None))
    lines = lines_about(caplog, await sent(stage, what))
    assert len(lines) == 2


@pytest.mark.parametrize("held", [False, True])
async def test_an_internal_error_is_logged_with_the_operation_id(
    stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    async def breaks(*given: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(Deletion, "run", breaks)
    if held:
        operation = str((await stage.held(**selection(stage, "ids")))["id"])
        stage.timer.wait(10)
        await stage.until(lambda: not stage.holds.open)
    else:
        operation = await sent(stage, "ids")
    # The web server's own log line about the failed request is not about the deletion.
    caplog.records[:] = [record for record in caplog.records if "A route failed." not in record.getMessage()]
    assert "A deletion failed." in lines_about(caplog, operation)
