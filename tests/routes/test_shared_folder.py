"""Two ComfyUIs that share one state folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cloud_history.errors import OperationRefused
from cloud_history.secret import Secret
from cloud_history.service import Operations
from cloud_history.state.in_flight import SenderLock
from cloud_history.tasks.stopping import Unwatched
from simulated_cloud import SimulatedCloud
from support.no_backups import without_backups
from support.requests import delete_jobs
from support.route_stage import OTHER_KEY, serving


@pytest.mark.parametrize("what", ["delete", "clear"])
@pytest.mark.parametrize(
    ("key", "code"), [("", "missing_key"), (OTHER_KEY, "account_changed")], ids=["removed", "replaced"]
)
async def test_a_held_deletion_is_not_sent_once_the_other_comfyui_removes_or_replaces_the_key(
    cloud: SimulatedCloud, tmp_path: Path, what: str, key: str, code: str
) -> None:
    environ = {"COMFY_CLOUD_BASE_URL": cloud.base_url}
    async with serving(cloud, without_backups(tmp_path), environ) as stage, serving(cloud, tmp_path, environ) as other:
        stage.operations.keys.save(Secret(cloud.api_key))
        selection: dict[str, Any] = {"ids": [cloud.finished[0].id]} if what == "delete" else {}
        await stage.held(**selection)
        if key:
            answer = await other.ask("save_key", {"api_key": key, "unchecked": True})
        else:
            answer = await other.ask("remove_key", {})
        assert answer.status == 200
        stage.timer.wait(10)
        result = await stage.announced()
        assert result["error"]["code"] == code
        assert result["report"].startswith("Nothing was sent.")
    assert cloud.history_posts == []


async def test_saving_the_same_key_again_keeps_a_held_deletion(cloud: SimulatedCloud, tmp_path: Path) -> None:
    environ = {"COMFY_CLOUD_BASE_URL": cloud.base_url}
    async with serving(cloud, without_backups(tmp_path), environ) as stage:
        stage.operations.keys.save(Secret(cloud.api_key))
        await stage.held(ids=[cloud.finished[0].id])
        stage.operations.keys.save(Secret(cloud.api_key))
        stage.timer.wait(10)
        assert (await stage.announced())["counts"]["deleted"] == 1


async def test_a_queued_deletion_is_not_sent_if_its_key_was_replaced_meanwhile(
    cloud: SimulatedCloud, tmp_path: Path
) -> None:
    operations = Operations(tmp_path, {"COMFY_CLOUD_BASE_URL": cloud.base_url})
    operations.keys.save(Secret(cloud.api_key))
    slot = SenderLock(tmp_path)
    assert slot.take("a" * 32)

    class Waiting(Unwatched):
        """Replaces the key at the moment when the other deletion ends."""

        def progress(self, phase: str, done: int, total: int) -> None:
            if phase == "waiting":
                operations.keys.save(Secret(OTHER_KEY))
                slot.free()

    with pytest.raises(OperationRefused, match="key or the server"):
        await delete_jobs(operations, [cloud.finished[0].id], "node 1", Waiting())
    assert cloud.history_posts == []
